// SPDX-License-Identifier: MIT
//
// `sersic simulate`: an image with known parameters, its noise, its PSF and the truth.

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
    abstract: "Makes an image of a galaxy with known parameters.",
    discussion: """
      Writes image.fits, rms.fits, psf.fits and truth.json: what `sersic fit` reads. Without noise \
      the image is in double precision and the rms a thousandth of its peak; photon noise has the rms \
      of the model, at least one electron.
      """)

  @Option(help: "The light profile.")
  var profile = GalaxyProfile.sersic

  @Option(
    name: .customLong("param"), parsing: .unconditionalSingleValue,
    help: ArgumentHelp("A parameter of the profile; once for each.", valueName: "name=value"))
  var parameters: [String] = []

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
    let (width, height) = try frame()
    let simulation = try ImageSimulation(
      profile, parameters: try namedNumbers(parameters, option: "--param"),
      sky: try SkyLevel(sky), width: width, height: height,
      psf: try psf.map { try GalaxyFitting.pointSpread(from: $0) }, pixelResponse: pixelResponse,
      noise: try ImageNoise(noise))
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
    Terminal.report(
      "next: sersic fit \(folder.path)/image.fits --rms \(folder.path)/rms.fits\(star)\(response) --profile \(profile.rawValue) --sky \(simulation.sky.rawValue)"
    )
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
