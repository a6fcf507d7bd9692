// SPDX-License-Identifier: MIT
//
// `sersic simulate`: an image of one source or of several with known parameters, its noise, its PSF and the truth.

import ArgumentParser
import GalaxyFitting
import GalaxyModels
import JSON
import Numerics
import Rendering

/// The command `sersic simulate`.
struct SimulateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "simulate",
    abstract: "Makes an image of galaxies with known parameters.",
    discussion: """
      Writes image.fits, rms.fits, psf.fits and truth.json: what `sersic fit` and `sersic multi` read. Without noise \
      the image is in double precision and the rms a thousandth of its peak; photon noise has the rms \
      of the model, at least one electron.

      One source is given by --profile and --param, several by --source once for each, or by --catalog: columns x, y, flux, r_eff, \
      n, ellip, theta and the other parameters of profiles by their names, with type for the profile, counted from pixel 0. Their \
      parameters in truth.json are those of `sersic multi`, xc_0, flux_0, xc_1, …, and catalog.csv is written besides, the \
      catalogue that one would make of the image:

        sersic simulate --size 91x83 --psf moffat:fwhm=3,beta=3 --sky flat:0.1 \\
          --noise gaussian:0.02 --output scene \\
          --source sersic:xc=24,yc=30,flux=400,r_eff=4,n=2,ellip=0.3,theta=0.6 \\
          --source exp:xc=58,yc=52,flux=250,r_eff=3,ellip=0.5,theta=2.1 \\
          --source pointsource:xc=40,yc=45,flux=60
      """)

  @Option(
    help: "The light profile; with --catalog that of sources without a type. (default: sersic)")
  var profile: GalaxyProfile?

  @Option(
    name: .customLong("param"), parsing: .unconditionalSingleValue,
    help: ArgumentHelp("A parameter of the profile; once for each.", valueName: "name=value"))
  var parameters: [String] = []

  @Option(
    name: .customLong("source"), parsing: .unconditionalSingleValue,
    help: ArgumentHelp(
      "One of several sources: its profile with all parameters; once for each.",
      valueName: "profile:name=value,…"))
  var sources: [String] = []

  @Option(
    help: ArgumentHelp("The catalogue of several sources, text or a FITS table.", valueName: "file")
  )
  var catalog: String?

  @Option(help: ArgumentHelp("Columns and rows of the image.", valueName: "wxh"))
  var size: String

  @Option(
    help: "The PSF: a FITS image, moffat:fwhm=3,beta=3 or gaussian:fwhm=3. (default: none)")
  var psf: String?

  @Option(
    parsing: .unconditional,
    help: "The sky: none, flat:0.1 or tilted-plane:back=0.1,x=0.001,y=0.")
  var sky = "none"

  @Option(help: "The noise: none, gaussian:SIGMA, or poisson:gain=G,read=R in electrons.")
  var noise = "none"

  @Option(
    name: .customLong("pixel-response"),
    help:
      "Whether the PSF includes the response of the pixel, or the profile is to be integrated over pixels. (default: included with a PSF, integrated without)"
  )
  var pixelResponse: PixelResponse?

  @Option(parsing: .unconditional, help: "The seed of the noise, from 0.")
  var seed: UInt64 = 0

  @Option(help: ArgumentHelp("The folder for the files.", valueName: "dir"))
  var output: String

  func run() throws {
    let simulation = try recipe()
    let folder = try OutputFolder(output)
    let image = try simulation.run(key: RandomKey(seed))
    let command = FitProvenance.command(["sersic"] + CommandLine.arguments.dropFirst())
    var products = image.write(
      to: folder, history: ["swift-sersic \(swiftSersicVersion)", "command: \(command)"])
    products.append(
      folder.write(image.truth(seed: seed, command: command).text + "\n", to: "truth.json"))

    let written = Terminal.report(products, in: folder)
    guard written.count == products.count else { throw ExitCode(ExitStatus.failed) }
    let star = psf == nil ? "" : " --psf \(folder.path)/psf.fits"
    let response =
      simulation.psf != nil && simulation.pixelResponse == .integrated
      ? " --pixel-response integrated" : ""
    let images = "\(folder.path)/image.fits --rms \(folder.path)/rms.fits\(star)\(response)"
    let what =
      simulation.isScene
      ? "multi \(images) --catalog \(folder.path)/catalog.csv"
      : "fit \(images) --profile \(simulation.title)"
    Terminal.report("next: sersic \(what) --sky \(simulation.sky.rawValue)")
  }

  /// Returns what is to be simulated.
  ///
  /// - Throws: `OptionError` where sources are given in more than one way, or wrongly; `FITSError` for a catalogue.
  private func recipe() throws -> ImageSimulation {
    let (width, height) = try frame()
    let level = try SkyLevel(sky)
    let star = try psf.map { try GalaxyFitting.pointSpread(from: $0) }
    let noise = try ImageNoise(noise)
    guard catalog != nil || !sources.isEmpty else {
      return try ImageSimulation(
        profile ?? .sersic, parameters: try namedNumbers(parameters, option: "--param"),
        sky: level, width: width, height: height, psf: star, pixelResponse: pixelResponse,
        noise: noise)
    }
    guard catalog == nil || sources.isEmpty else {
      throw OptionError("--source", "expected one of --source and --catalog, found both; give one")
    }
    for (name, isGiven) in [
      ("--param", !parameters.isEmpty), ("--profile", profile != nil && catalog == nil),
    ] where isGiven {
      throw OptionError(
        name, "expected none beside several sources, which have their own, found one; remove it")
    }
    let list =
      try catalog.map { try SimulatedSource.list(reading: $0, profile: profile ?? .sersic) }
      ?? sources.map { try SimulatedSource($0) }
    return try ImageSimulation(
      scene: list, sky: level, width: width, height: height, psf: star,
      pixelResponse: pixelResponse, noise: noise)
  }

  /// Returns columns and rows.
  private func frame() throws -> (width: Int, height: Int) {
    let parts = size.lowercased().split(
      omittingEmptySubsequences: false, whereSeparator: { $0 == "x" || $0 == "," }
    ).map { Int($0) }
    guard parts.count == 2, let width = parts[0], let height = parts[1], width > 0, height > 0
    else {
      throw OptionError("--size", "expected columns and rows such as 121x101, found \"\(size)\"")
    }
    return (width, height)
  }
}
