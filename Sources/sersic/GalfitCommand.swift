// SPDX-License-Identifier: MIT
//
// `sersic galfit`: a configuration of GALFIT or of imfit, fitted, and a GALFIT configuration of the result.

import ArgumentParser
import FITS
import Foundation
import GalaxyFitting
import GalaxyModels
import Rendering

/// The command `sersic galfit`.
struct GalfitCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "galfit",
    abstract: "Fits what a GALFIT or imfit configuration describes.",
    discussion: """
      Understood are, of GALFIT 3, sersic, expdisk, devauc, gaussian, moffat, psf and sky with their flags, the region, \
      zero point (with EXPTIME of the image's header), plate scale (where that has none), sigma image, PSF \
      with its sampling, mask, and constraints that hold an offset, a ratio or a range; of imfit Sersic, Exponential, Gaussian, Moffat, PointSource, FlatSky and \
      TiltedSkyPlane with limits and fixed values. What cannot be carried over is said. Files are looked for from where you are, then \
      beside the configuration. Priors are wide ones around the first values (--no-fit shows the scene).

      Both programs integrate profiles over pixels and convolve with the PSF afterwards. Here a PSF is taken to contain the \
      pixel response, as one made of stars does; --pixel-response integrated gives their numbers.

      Writes what `sersic fit` writes: a table to standard output, and with --output DIR result.json, model.fits with an \
      extension for each component, residual.png and, unless --method is map, posterior.asdf (the draws) and corner.png, which \
      `sersic summary` and `sersic plot` read; and, of a GALFIT configuration, galfit.feedme, the result as another one. Sites are \
      numbered by component: xc_1, flux_2. galfit.feedme names the files that were read by their whole \
      paths. A parameter that a constraint ties to another follows it in every draw.
      """)

  @Argument(help: "The configuration.")
  var configuration: String

  @Option(help: "The image, in place of the configuration's; needed for imfit.")
  var image: String?

  @Option(help: "The rms of each pixel, in place of the configuration's sigma image.")
  var rms: String?

  @Option(help: "The PSF, in place of the configuration's.")
  var psf: String?

  @Flag(name: .customLong("normalize-psf"), help: "Divide the PSF by its sum. (default: as given)")
  var normalizePSF = false

  @Option(help: "The mask, not 0 where a pixel is bad, in place of the configuration's.")
  var mask: String?

  @Option(
    name: .customLong("pixel-response"),
    help:
      "Whether the PSF includes the response of the pixel. (default: included with a PSF, integrated without)"
  )
  var pixelResponse: PixelResponse?

  @Option(help: "The density of the pixels; `sersic fit --help` lists them.")
  var loss = "gaussian"

  @Option(help: "How the model is drawn.")
  var renderer = RenderingMethod.fourier

  @Option(
    help:
      "The way of fitting: the maximum (map), and posteriors: normal at the mode (laplace), the closest normal one (svi-mvn), a normalising flow (svi-flow), Markov chains (nuts), the same in the coordinates of a flow (neutra)."
  )
  var method = FitMethod.laplace

  @Option(
    parsing: .unconditional,
    help: "The number of draws, with nuts of each chain. (default: 10000, with nuts 1000)")
  var draws: Int?

  @Option(parsing: .unconditional, help: "The number of chains of nuts.")
  var chains = 2

  @Option(parsing: .unconditional, help: "The iterations of each chain of nuts that are not kept.")
  var warmup = 1000

  @Option(
    name: .customLong("target-acceptance"), parsing: .unconditional,
    help:
      "The acceptance that the steps of nuts are tuned to, below 1. (default: 0.7 to 0.95 by the shape of the posterior)"
  )
  var targetAcceptance: Double?

  @Option(parsing: .unconditional, help: "The seed of the draws behind the errors, from 0.")
  var seed: UInt64 = 0

  @Option(help: ArgumentHelp("The folder for the results. (default: no files)", valueName: "dir"))
  var output: String?

  @Flag(name: .customLong("no-plots"), help: "Draw no pictures.")
  var noPlots = false

  @Flag(name: .customLong("no-fit"), help: "Show the scene and its priors, and do not fit.")
  var noFit = false

  @Flag(help: "Write a JSON document to standard output instead of the table.")
  var json = false

  /// A configuration with the image it is for.
  private struct Input {
    let scene: ImportedScene
    let image: ObservedImage
    var galfit: (configuration: GalfitConfiguration, frame: GalfitFrame)?
    var constraints: String?
    /// The plate scale, where the image's header has none.
    var calibration = Calibration()
  }

  func run() throws {
    let loss = try GalaxyFitting.loss(from: loss)
    let estimation = Estimation(
      method: method, draws: draws ?? Estimation.usualDraws(method), chains: chains,
      warmUp: warmup, targetAcceptance: targetAcceptance, seed: seed)
    try FitOptions.checkCounts(method, draws: estimation.draws, chains: chains, warmUp: warmup)
    try FitOptions.checkAcceptance(targetAcceptance, method)
    let text = try contents(of: configuration)
    let input =
      ImfitConfiguration.isLikely(text) ? try imfitInput(text) : try galfitInput(text)
    let (scene, image) = (input.scene, input.image)
    Terminal.report(image.findings)
    Terminal.report(scene.findings)
    guard !noFit else {
      guard Terminal.write(scene.text(image)) else { throw ExitCode(ExitStatus.failed) }
      return
    }
    if let output, input.galfit != nil { try checkNotOwn("\(output)/\(Self.resultName)") }
    let folder = try output.map { try OutputFolder($0) }
    let fit = try ImportedFit(scene, image, loss: loss, method: renderer)

    Interruption.catchNext()
    Terminal.report(
      "fitting \(fit.prior.freeSites.count) parameters of \(fit.prior.title) to \(image.goodCount) pixels of \(image.names.science)"
    )
    let run = FitRun(
      estimation, isJSON: json, hasPlots: !noPlots,
      values: [
        "loss": self.loss, "renderer": renderer.rawValue,
      ].merging(estimation.values) { $1 }, alternatives: "--loss")
    var inputs = [InputFile(role: "configuration", name: configuration)]
    if let file = input.constraints { inputs.append(InputFile(role: "constraints", name: file)) }
    let result = try run.compute(
      fit, run.provenance(image, noise: "rms", inputs: inputs), remarks: scene.findings,
      calibration: input.calibration)
    let updated = input.galfit.map { galfit in
      (
        name: Self.resultName,
        text: galfit.configuration.updated(result.best.values, galfit.frame).text
      )
    }
    try run.finish(
      result, folder, shown: image.findings + scene.findings, texts: updated.map { [$0] } ?? [])
  }

  /// The name of the configuration that is written.
  private static let resultName = "galfit.feedme"

  /// Checks that a file to be written is not the configuration itself.
  private func checkNotOwn(_ path: String) throws {
    /// Returns a path without links and dots.
    func resolved(_ path: String) -> String {
      URL(fileURLWithPath: path).absoluteURL.standardizedFileURL.resolvingSymlinksInPath().path
    }
    guard resolved(path) != resolved(configuration) else {
      throw OptionError(
        "--output",
        "expected a folder without the configuration, found \(path), which is the configuration that is fitted and would be overwritten; name another folder"
      )
    }
  }

  // MARK: - Input

  /// Returns the text of a file.
  private func contents(of path: String) throws -> String {
    do {
      return try String(contentsOfFile: path, encoding: .utf8)
    } catch {
      throw OptionError(
        path, "expected a text file, found none that can be read; check the name")
    }
  }

  /// Returns where a file is: from here, or beside the configuration.
  private func located(_ name: String) -> String {
    let bare = String(name.prefix { $0 != "[" })
    let manager = FileManager.default
    guard !bare.hasPrefix("/"), !manager.fileExists(atPath: bare),
      let slash = configuration.lastIndex(of: "/")
    else { return name }
    let beside = configuration[...slash] + name
    return manager.fileExists(atPath: configuration[...slash] + bare) ? String(beside) : name
  }

  /// Returns a file's whole path, for a configuration that is written elsewhere; the name as it is where there is no such file, or
  /// the path has spaces, which GALFIT does not read.
  private func absolute(_ name: String) -> String {
    let bare = String(name.prefix { $0 != "[" })
    guard FileManager.default.fileExists(atPath: bare) else { return name }
    let path = URL(fileURLWithPath: bare).standardizedFileURL.path
    return path.contains(where: \.isWhitespace) ? name : path + name.dropFirst(bare.count)
  }

  /// Reads the image of a GALFIT configuration and its scene.
  private func galfitInput(_ text: String) throws -> Input {
    var feedme = try GalfitConfiguration(text, name: configuration)
    let constraints = feedme.constraintFile.map { located($0) }
    if let constraints {
      feedme.constraints = try GalfitConstraint.list(
        try contents(of: constraints), name: constraints)
    }
    guard let science = image ?? feedme.image.map({ located($0) }) else {
      throw OptionError("--image", "expected an image in line A) or by --image, found none")
    }
    guard let sigma = rms ?? feedme.sigma.map({ located($0) }) else {
      throw OptionError(
        "--rms",
        "expected a sigma image in line C) or by --rms, found none: GALFIT makes one from the data, whose noise then follows the noise; make one from gain and read-out noise"
      )
    }
    let section =
      feedme.region.map {
        "[\($0.x.lowerBound):\($0.x.upperBound),\($0.y.lowerBound):\($0.y.upperBound)]"
      } ?? ""
    // EXPTIME stands in the header of the image, before it is cut.
    let header = try FITSImage(reading: science + section).header
    let exposure = header["EXPTIME"]?.number ?? 1
    guard exposure > 0 else {
      throw OptionError(science, "expected EXPTIME > 0 in the header, found \(exposure)")
    }
    let (star, bad) = (
      psf ?? feedme.psf.map { located($0) }, mask ?? feedme.mask.map { located($0) }
    )
    let observed = try ObservedImage(
      science: science + section, rms: sigma + section, psf: star, mask: bad.map { $0 + section },
      normalizePSF: normalizePSF, psfOversampling: psf == nil ? feedme.psfSampling : 1,
      pixelResponse: pixelResponse,
      zeroPoint: feedme.zeroPoint + 2.5 * log10(exposure))
    let frame = GalfitFrame(
      zeroPoint: feedme.zeroPoint, exposure: exposure, origin: observed.origin)
    // What is written names the files that were read, wherever it is.
    var written = feedme
    written.image = absolute(science)
    written.sigma = absolute(sigma)
    written.psf = star.map { absolute($0) }
    written.mask = bad.map { absolute($0) }
    written.constraintFile = constraints.map { absolute($0) }
    if psf != nil { written.psfSampling = 1 }
    if feedme.region == nil, observed.origin == ImagePoint(x: 0, y: 0) {
      written.region = GalfitConfiguration.Region(x: 1...observed.width, y: 1...observed.height)
    }
    var calibration = Calibration()
    // GALFIT writes 1 1 where the scale is not known.
    if Calibration(observed).pixelScale == nil, let scale = feedme.plateScale.first, scale > 0,
      scale.isFinite, scale != 1
    {
      calibration.pixelScale = scale
    }
    return Input(
      scene: try ImportedScene(feedme, frame), image: observed, galfit: (written, frame),
      constraints: constraints, calibration: calibration)
  }

  /// Reads the image of an imfit configuration and its scene.
  private func imfitInput(_ text: String) throws -> Input {
    let imfit = try ImfitConfiguration(text, name: configuration)
    guard let image, let rms else {
      throw OptionError(
        "--image",
        "expected --image and --rms with an imfit configuration, which names no files, found \(image == nil ? "no image" : "no rms")"
      )
    }
    let observed = try ObservedImage(
      science: image, rms: rms, psf: psf, mask: mask, normalizePSF: normalizePSF,
      pixelResponse: pixelResponse)
    return Input(scene: try ImportedScene(imfit, observed), image: observed)
  }
}
