// SPDX-License-Identifier: MIT
//
// The small galaxy that most tests of the command fit, its pixels, and files made wrong on purpose.

import FITS
import Foundation

/// A simulated galaxy of 49 × 45 pixels in a folder of its own.
struct CommandScene {
  /// The folder with image.fits, rms.fits, psf.fits, truth.json.
  let folder: TemporaryFolder

  /// The parameters.
  static let truth = [
    "xc": 23.3, "yc": 22.6, "flux": 120.0, "r_eff": 3.5, "n": 1.8, "ellip": 0.35, "theta": 0.7,
  ]

  /// Simulates the galaxy.
  init(noise: String = "gaussian:0.02", sky: String = "none") throws {
    folder = try TemporaryFolder()
    let parameters = Self.truth.sorted { $0.key < $1.key }.flatMap { ["--param", "\($0)=\($1)"] }
    let outcome = try SersicProcess.run(
      ["simulate", "--size", "49x45", "--psf", "moffat:fwhm=2.5,beta=3,size=21", "--noise", noise]
        + ["--sky", sky, "--seed", "3", "--output", folder.url.path] + parameters)
    guard outcome.status == 0 else {
      throw CocoaError(.fileWriteUnknown, userInfo: ["said": outcome.errors])
    }
  }

  /// Runs a subcommand on the scene's files, some of them replaced or left out (nil).
  func run(
    _ subcommand: String = "fit", image: String = "image.fits", rms: String? = "rms.fits",
    psf: String? = "psf.fits", mask: String? = nil, sky: String? = "none", _ more: String...
  ) throws -> Outcome {
    try SersicProcess.run(
      words(subcommand, image: image, rms: rms, psf: psf, mask: mask, sky: sky) + more,
      in: folder.url)
  }

  /// Returns the words of a command on the scene's files.
  func words(
    _ subcommand: String = "fit", image: String = "image.fits", rms: String? = "rms.fits",
    psf: String? = "psf.fits", mask: String? = nil, sky: String? = "none"
  ) -> [String] {
    var words = [subcommand, image]
    if let rms { words += ["--rms", rms] }
    if let psf { words += ["--psf", psf] }
    if let mask { words += ["--mask", mask] }
    if let sky, subcommand == "fit" { words += ["--sky", sky] }
    return words
  }

  /// Reads an image of the scene.
  func image(_ name: String = "image.fits") throws -> FITSImage {
    try FITSImage(reading: folder.path(name))
  }

  /// Writes an image beside those of the scene.
  func write(
    _ name: String, width: Int, height: Int, _ values: [Double], extensionName: String = "",
    cards: [FITSCard] = []
  ) throws {
    try FITSWriter.write(
      [
        FITSOutputImage(
          name: extensionName, width: width, height: height, values: values, cards: cards)
      ], to: folder.path(name))
  }

  /// Writes a variant of an image of the scene.
  func alter(_ source: String, to name: String, _ change: (inout [Double]) -> Void) throws {
    let image = try image(source)
    var values = image.values
    change(&values)
    try write(name, width: image.width, height: image.height, values)
  }

  /// Writes a file of given cards and bytes, each padded to blocks of 2880 bytes.
  func writeRaw(_ name: String, cards: [String], data: [UInt8]) throws {
    var bytes: [UInt8] = []
    for card in cards + ["END"] {
      bytes += Array(card.utf8) + Array(repeating: 32, count: 80 - card.utf8.count)
    }
    while bytes.count % 2880 != 0 { bytes.append(32) }
    bytes += data
    while bytes.count % 2880 != 0 { bytes.append(0) }
    try Data(bytes).write(to: folder.url.appending(path: name))
  }
}
