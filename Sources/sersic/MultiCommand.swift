// SPDX-License-Identifier: MIT
//
// `sersic multi`: all sources of an image fitted together, from a catalogue or found here.

import ArgumentParser
import GalaxyFitting
import GalaxyModels
import Rendering

/// The command `sersic multi`.
struct MultiCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "multi",
    abstract: "Fits all sources of an image together.",
    discussion: """
      The catalogue is text (CSV, ECSV, SExtractor's ASCII_HEAD, columns separated by blanks) or a FITS table, with columns x, y, \
      flux, r and, if there are any, type (a \
      profile), ellip, theta; those of SExtractor, SEP and photutils are understood. Without --catalog the sources are found as \
      by `sersic detect`, which also writes such a catalogue, to be looked at and changed first. Positions count from 0 at the \
      centre of the first pixel of the image or section.

      Source 0 is the first of the catalogue; its parameters are xc_0, flux_0, …, those of the sky have no number. \
      Writes what `sersic fit` writes, with one table and one image extension for each source.

      \(FitOptions.texts)
      """)

  @OptionGroup var input: ImageOptions

  @Option(
    help: ArgumentHelp(
      "The catalogue, text or a FITS table; an HDU may follow: cat.fits[1]. (default: the sources are detected)",
      valueName: "file"))
  var catalog: String?

  @Option(help: "The profile of sources whose type the catalogue does not give.")
  var profile = GalaxyProfile.sersic

  @Option(help: "The sky under the sources.")
  var sky = SkyKind.flat

  @Option(
    parsing: .unconditional,
    help:
      "Without a catalogue, the threshold of a pixel, in its rms above the background. (default: 2)"
  )
  var threshold: Double?

  @Option(
    name: .customLong("min-area"), parsing: .unconditional,
    help: "Without a catalogue, the fewest connected pixels of a source. (default: 5)")
  var leastArea: Int?

  @OptionGroup var options: FitOptions

  func run() throws {
    let loss = try GalaxyFitting.loss(from: options.loss)
    for (name, isGiven) in [("--threshold", threshold != nil), ("--min-area", leastArea != nil)]
    where isGiven && catalog != nil {
      throw OptionError(
        name, "expected no way to detect sources beside --catalog; remove one of them")
    }
    let settings = try options.settings()
    try detection.checkOptions()
    let image = try input.observedImage()
    Terminal.report(image.findings)
    let catalog = try sources(of: image)
    Terminal.report(catalog.findings, after: image.findings)
    guard image.psf != nil || !catalog.sources.contains(where: \.profile.hasPointSource) else {
      throw OptionError("--psf", "expected a PSF for point sources, found none; add --psf")
    }
    var prior = catalog.prior(in: image, sky: sky, style: options.priorStyle)
    prior.include(loss)
    try settings.check(sites: prior.sites, of: prior.name)
    try settings.apply(to: &prior)
    let folder = try options.output.map { try OutputFolder($0) }
    let fit = try FitMulti(image, prior: prior, loss: loss, method: options.renderer)

    Interruption.catchNext()
    Terminal.report(
      "fitting \(prior.freeSites.count) parameters of \(prior.title) to \(image.goodCount) pixels of \(image.names.science)"
    )
    let run = FitRun(options: options)
    var own = ["profile": profile.rawValue, "sky": sky.rawValue]
    if self.catalog == nil {
      own["threshold"] = "\(detection.threshold)"
      own["min-area"] = "\(detection.leastArea)"
    }
    let result = try run.compute(
      fit, run.provenance(image, noise: input.noiseWord, own: own), starts: settings.starts,
      remarks: catalog.findings)
    try run.finish(result, folder, shown: image.findings + catalog.findings)
  }

  /// How sources are found without a catalogue.
  private var detection: DetectionSettings {
    var settings = DetectionSettings()
    if let threshold { settings.threshold = threshold }
    if let leastArea { settings.leastArea = leastArea }
    return settings
  }

  /// Reads the catalogue, or finds the sources.
  private func sources(of image: ObservedImage) throws -> SourceCatalog {
    if let catalog {
      return try SourceCatalog(reading: catalog, profile: profile)
    }
    var found = try SourceDetection(image, detection).catalog
    guard !found.sources.isEmpty else {
      throw CommandFailure(
        description:
          "no source stands above \(detection.threshold) times the rms; lower --threshold or --min-area, or give --catalog"
      )
    }
    for index in found.sources.indices { found.sources[index].profile = profile }
    Terminal.report("found \(found.sources.count) sources")
    return found
  }
}
