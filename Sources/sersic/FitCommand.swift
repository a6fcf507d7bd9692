// SPDX-License-Identifier: MIT
//
// `sersic fit`: from FITS files to a table, a JSON document, a FITS file and pictures.

import ArgumentParser
import GalaxyFitting
import GalaxyModels
import Rendering

/// The command `sersic fit`.
struct FitCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fit",
    abstract: "Fits a profile to the image of a galaxy.",
    discussion: """
      Writes a table to standard output (a JSON document with --json), progress and warnings to \
      standard error, and with --output DIR the files result.json, model.fits, residual.png and, \
      with a posterior, corner.png and posterior.asdf (the draws). Positions count from 0 at the centre of the first pixel; theta is \
      in radians from +y counter-clockwise; r_eff is on the major axis, in pixels.

      \(FitOptions.texts)
      """)

  @OptionGroup var input: ImageOptions

  @OptionGroup var place: PositionOptions

  @Option(help: "The light profile.")
  var profile = GalaxyProfile.sersic

  @Option(help: "The sky under the source.")
  var sky = SkyKind.flat

  @OptionGroup var options: FitOptions

  func run() throws {
    let loss = try GalaxyFitting.loss(from: options.loss)
    let position = try place.position()
    let settings = try options.settings()
    // Names are checked before files are read: a slip of the pen should not wait for a disk.
    try settings.check(profile, sky, loss)
    let image = try input.observedImage()
    try place.check(position, in: image)
    guard image.psf != nil || !profile.hasPointSource else {
      throw OptionError("--psf", "expected a PSF for a point source, found none; add --psf")
    }
    Terminal.report(image.findings)

    let properties = SourceProperties(image, style: options.priorStyle, position: position)
    Terminal.report(properties.findings, after: image.findings)
    var prior = properties.prior(profile, sky: sky)
    prior.include(loss)
    try settings.apply(to: &prior)
    let folder = try options.output.map { try OutputFolder($0) }
    let fit = try FitSingle(image, prior: prior, loss: loss, method: options.renderer)

    Interruption.catchNext()
    Terminal.report(
      "fitting \(prior.freeSites.count) parameters to \(image.goodCount) pixels of \(image.names.science)"
    )
    let run = FitRun(options: options)
    let result = try run.compute(
      fit,
      run.provenance(
        image, noise: input.noiseWord, own: ["profile": profile.rawValue, "sky": sky.rawValue]),
      starts: settings.starts, remarks: properties.findings)
    try run.finish(result, folder, shown: image.findings + properties.findings)
  }
}
