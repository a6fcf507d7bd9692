// SPDX-License-Identifier: MIT
//
// Images read from FITS files, good and bad, and the real galaxy of the shared data.

import FITS
import Foundation
import GalaxyFitting
import GalaxyModels
import Rendering
import Testing

/// The folder of shared data beside the package, and whether it is there.
private let gal1: String = {
  let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()
  return root.appendingPathComponent("shared/data/gal1").path
}()

/// A folder of its own for the files of one test.
private final class Folder {
  /// The path.
  let path: String

  /// Creates an empty folder.
  init() throws {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    path = url.path
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Writes an image and returns its name.
  func write(_ name: String, _ width: Int, _ height: Int, _ values: [Double]) throws -> String {
    let file = path + "/" + name + ".fits"
    let cards = [FITSCard("CRPIX1", 10.0), FITSCard("CRPIX2", 20.0), FITSCard("OBJECT", "test")]
    try FITSWriter.write(
      [FITSOutputImage(name: "", width: width, height: height, values: values, cards: cards)],
      to: file)
    return file
  }
}

/// Reading, and what is wrong with files.
@Suite("Observed image from FITS files")
struct ObservedImageFITSTests {
  /// A good frame.
  private let frame = TestFrame([GaussianGalaxy()], width: 81, height: 71)

  @Test("files give the image that their arrays give, and sections know where they were cut")
  func reading() throws {
    let folder = try Folder()
    let science = try folder.write("image", 81, 71, frame.science)
    let rms = try folder.write("rms", 81, 71, frame.rms)
    var mask = frame.mask
    mask[7] = true
    let maskFile = try folder.write("mask", 81, 71, mask.map { $0 ? 1 : 0 })
    let kernel = try #require(frame.psf)
    let psf = try folder.write("psf", kernel.width, kernel.height, kernel.values)
    let image = try ObservedImage(science: science, rms: rms, psf: psf, mask: maskFile)
    // Files hold every bit.
    #expect(image.science == frame.science && image.rms == frame.rms && image.mask == mask)
    #expect(image.psf?.values == kernel.values && image.warnings.isEmpty)
    #expect(image.names == InputNames(science: science, noise: rms, mask: maskFile, psf: psf))
    #expect(image.header["OBJECT"]?.text == "test")

    let cut = "[11:60,21:50]"
    let section = try ObservedImage(science: science + cut, rms: rms + cut, mask: maskFile + cut)
    #expect(section.width == 50 && section.height == 30)
    #expect(section.origin == ImagePoint(x: 10, y: 20))
    #expect(section.inParent(ImagePoint(x: 0, y: 1)) == ImagePoint(x: 10, y: 21))
    #expect(section.science[0] == frame.science[20 * 81 + 10])
    #expect(section.header["CRPIX1"]?.number == 0)
  }

  @Test("variance, weight and inverted masks are read as such")
  func forms() throws {
    let folder = try Folder()
    let science = try folder.write("image", 81, 71, frame.science)
    let variance = try folder.write("var", 81, 71, frame.rms.map { $0 * $0 })
    let weight = try folder.write("wht", 81, 71, frame.rms.map { 1 / ($0 * $0) })
    var good = frame.mask.map { _ in 1.0 }
    good[3] = 0
    good[4] = 7
    let mask = try folder.write("good", 81, 71, good)
    for image in [
      try ObservedImage(science: science, variance: variance, mask: mask, maskGoodValue: 1),
      try ObservedImage(science: science, weight: weight, mask: mask, maskGoodValue: 1),
    ] {
      // Two or three roundings.
      #expect(zip(image.rms, frame.rms).allSatisfy { abs($0 / $1 - 1) < 1e-15 })
      #expect(image.mask[3] && image.mask[4] && image.goodCount == 81 * 71 - 2)
    }
    let inverted = try ObservedImage(science: science, variance: variance, mask: mask)
    #expect(inverted.warnings.map(\.code) == ["mask-inverted"] && inverted.goodCount == 1)
  }

  @Test("no map of the noise, two of them, and images of other shapes throw, naming the file")
  func shapes() throws {
    let folder = try Folder()
    let science = try folder.write("image", 81, 71, frame.science)
    let turned = try folder.write("rms", 71, 81, frame.rms)
    #expect { try ObservedImage(science: science) } throws: {
      ($0 as? ObservedImageError)?.kind == .noiseMapCount(0)
    }
    #expect { try ObservedImage(science: science, rms: turned, weight: turned) } throws: {
      ($0 as? ObservedImageError)?.kind == .noiseMapCount(2)
    }
    #expect { try ObservedImage(science: science, rms: turned) } throws: { error in
      guard let error = error as? ObservedImageError else { return false }
      return error.subject == turned && error.description.contains("exchanged")
        && error.kind
          == .shapesDiffer(expectedWidth: 81, expectedHeight: 71, foundWidth: 71, foundHeight: 81)
    }
  }

  @Test("a missing file throws the reader's error, and the report holds it")
  func missing() throws {
    #expect {
      try ObservedImage(science: "/nowhere/image.fits", rms: "/nowhere/rms.fits")
    } throws: {
      ($0 as? FITSError)?.kind == .fileNotFound
    }
    let report = InputReport {
      try ObservedImage(science: "/nowhere/image.fits", rms: "/nowhere/rms.fits")
    }
    #expect(!report.isUsable && report.findings.first?.subject == "/nowhere/image.fits")
  }

  @Test(
    "a real galaxy has the guesses that pysersic's users know",
    .enabled(if: FileManager.default.fileExists(atPath: gal1), "the shared data are not here"))
  func realGalaxy() throws {
    let image = try ObservedImage(
      science: gal1 + "/image.fits", rms: gal1 + "/rms.fits", psf: gal1 + "/psf.fits",
      mask: gal1 + "/mask.fits")
    #expect(image.warnings.isEmpty, "\(image.warnings)")
    let found = SourceProperties(image, style: .pysersic)
    // The design gives these to as many digits.
    #expect(abs(found.flux - 1909.80) < 0.01 && abs(found.fluxError - 87.40) < 0.01)
    #expect(abs(found.rEff - 4.8138) < 1e-4 && abs(found.rEffError - 4.3881) < 1e-4)
    #expect(abs(found.xc - 60.0146) < 1e-4 && abs(found.yc - 60.0608) < 1e-4)
    #expect(abs(found.sky - 0.010794) < 1e-6 && abs(found.skyError - 0.0019446) < 1e-7)

    // The fit's answer is known: 1726.6, 3.249, 0.263, 0.483; guesses within their priors' widths, and well inside.
    let ours = SourceProperties(image)
    #expect(ours.isDetected && ours.warnings.isEmpty, "\(ours.warnings)")
    #expect(abs(ours.flux / 1726.6 - 1) < 0.1 && abs(log(ours.rEff / 3.249)) < 0.25)
    #expect(hypot(ours.xc - 60.046, ours.yc - 60.053) < 0.1)
    #expect(abs(ours.ellip - 0.263) < 0.1 && abs(ours.theta - 0.483) < 0.15)
  }
}
