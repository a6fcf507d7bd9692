// SPDX-License-Identifier: MIT
//
// Wrong images, rms maps, masks and PSFs: the command names the file, says what is wrong, and never crashes.

import FITS
import Foundation
import Testing

@Suite("Command: wrong images", .enabled(if: SersicProcess.path != nil, "the command is not built"))
struct BadImageTests {
  /// Whether an outcome is a refusal that names all the words.
  private func expectRefusal(
    _ outcome: Outcome, _ words: String..., at location: SourceLocation = #_sourceLocation
  ) {
    #expect(outcome.status == 2, "\(outcome.errors)", sourceLocation: location)
    #expect(outcome.output == "", sourceLocation: location)
    for word in words {
      #expect(outcome.errors.contains(word), "\(outcome.errors)", sourceLocation: location)
    }
  }

  /// Whether an outcome is a fit with a warning that names all the words, near the truth.
  private func expectWarning(
    _ outcome: Outcome, code: String, _ words: String...,
    at location: SourceLocation = #_sourceLocation
  ) {
    #expect(outcome.status == 0, "\(outcome.errors)", sourceLocation: location)
    #expect(outcome.output.contains("r_eff"), sourceLocation: location)
    for word in ["[\(code)]"] + words {
      #expect(outcome.errors.contains(word), "\(outcome.errors)", sourceLocation: location)
    }
  }

  @Test("images of different shapes are refused, with both shapes")
  func shapes() throws {
    let scene = try CommandScene()
    let rms = try scene.image("rms.fits")
    try scene.write(
      "turned.fits", width: rms.height, height: rms.width, rms.values)
    expectRefusal(
      try scene.run(rms: "turned.fits"), "turned.fits", "49 × 45", "45 × 49", "transpose")
    try scene.write("small.fits", width: 5, height: 5, Array(repeating: 0, count: 25))
    expectRefusal(try scene.run(mask: "small.fits"), "small.fits", "5 × 5")
  }

  @Test("pixels and rms that are NaN or infinite are masked, with a warning and a count")
  func notFinite() throws {
    let scene = try CommandScene()
    try scene.alter("image.fits", to: "nan.fits") {
      $0[100] = .nan
      $0[200] = .infinity
    }
    try scene.alter("rms.fits", to: "nanrms.fits") { $0[300] = .nan }
    let outcome = try scene.run(image: "nan.fits", rms: "nanrms.fits", "--output", "out")
    expectWarning(outcome, code: "science-not-finite", "nan.fits", "2 unmasked")
    #expect(outcome.errors.contains("[rms-not-finite] nanrms.fits"))
    // What has no number in the input has none in the output.
    let data = try FITSImage(reading: scene.folder.path("out/model.fits[DATA]"))
    #expect(data.values[100].isNaN && data.values[101].isFinite)
    let mask = try FITSImage(reading: scene.folder.path("out/model.fits[MASK]"))
    #expect(mask.values[300] == 1 && mask.values.reduce(0, +) == 3)
  }

  @Test("an rms that is zero or negative is masked, with a warning")
  func rmsNotPositive() throws {
    let scene = try CommandScene()
    try scene.alter("rms.fits", to: "zero.fits") {
      $0[10] = 0
      $0[11] = -1
    }
    expectWarning(
      try scene.run(rms: "zero.fits"), code: "rms-not-positive", "zero.fits", "2 unmasked")
    try scene.alter("rms.fits", to: "allzero.fits") { values in
      values = values.map { _ in 0 }
    }
    expectRefusal(try scene.run(rms: "allzero.fits"), "expected some good pixels")
  }

  @Test("a mask of everything is refused, and an inverted one is recognised and can be turned")
  func masks() throws {
    let scene = try CommandScene()
    let count = 49 * 45
    try scene.write("all.fits", width: 49, height: 45, Array(repeating: 1, count: count))
    expectRefusal(try scene.run(mask: "all.fits"), "all.fits", "expected some good pixels")
    // Good pixels are 1 and a corner is bad: an inverted mask.
    try scene.write(
      "inverted.fits", width: 49, height: 45, (0..<count).map { $0 < 98 ? 0 : 1 })
    let check = try scene.run("check", mask: "inverted.fits")
    #expect(check.output.contains("[mask-inverted] inverted.fits"))
    #expect(
      try scene.run(mask: "inverted.fits", "--mask-good-value", "1").output.contains(
        "for \(count - 98) pixels"))
  }

  @Test("a PSF that is not normalised, larger than the image or even-sized is used with a remark")
  func doubtfulPSF() throws {
    let scene = try CommandScene()
    try scene.alter("psf.fits", to: "twice.fits") { values in values = values.map { 2 * $0 } }
    let twice = try scene.run(psf: "twice.fits", "--json")
    #expect(twice.status == 0 && twice.errors.contains("[psf-sum] twice.fits"))
    let normalized = try scene.run(psf: "twice.fits", "--normalize-psf", "--json")
    #expect(!normalized.errors.contains("[psf-sum]"))
    // As given, the light is twice that of a normalised PSF, and the flux half.
    let (half, whole) = (flux(twice), flux(normalized))
    // Both searches stop within a hundredth of a standard deviation, 1e-4 of the flux.
    #expect(abs(2 * half / whole - 1) < 1e-3)

    try scene.write("wide.fits", width: 51, height: 51, blob(51))
    expectWarning(try scene.run(psf: "wide.fits"), code: "psf-larger-than-image", "wide.fits")
    try scene.write("even.fits", width: 20, height: 20, blob(20))
    expectWarning(try scene.run(psf: "even.fits"), code: "psf-even", "even.fits")
  }

  @Test("a PSF with NaN, or of no light, is refused")
  func brokenPSF() throws {
    let scene = try CommandScene()
    try scene.alter("psf.fits", to: "nan.fits") { $0[0] = .nan }
    expectRefusal(try scene.run(psf: "nan.fits"), "nan.fits", "NaN")
    try scene.alter("psf.fits", to: "dark.fits") { values in values = values.map { _ in 0 } }
    expectRefusal(try scene.run(psf: "dark.fits"), "dark.fits", "sum")
  }

  @Test("a missing HDU is refused with the list of those there are, and a table with its kind")
  func wrongHDU() throws {
    let scene = try CommandScene()
    expectRefusal(try scene.run(image: "image.fits[SCI]"), "image.fits", "SCI")
    expectRefusal(try scene.run(image: "image.fits[3]"), "image.fits", "3")
    let table = [
      "XTENSION= 'BINTABLE'", "BITPIX  =                    8", "NAXIS   =                    2",
      "NAXIS1  =                    8", "NAXIS2  =                    2",
      "PCOUNT  =                    0", "GCOUNT  =                    1",
      "TFIELDS =                    1", "TFORM1  = '1D      '", "TTYPE1  = 'x       '",
    ]
    let primary = [
      "SIMPLE  =                    T", "BITPIX  =                    8",
      "NAXIS   =                    0", "EXTEND  =                    T",
    ]
    try scene.writeRaw("primary.part", cards: primary, data: [])
    try scene.writeRaw("table.part", cards: table, data: Array(repeating: 0, count: 16))
    let bytes =
      try Data(contentsOf: scene.folder.url.appending(path: "primary.part"))
      + Data(contentsOf: scene.folder.url.appending(path: "table.part"))
    try bytes.write(to: scene.folder.url.appending(path: "table.fits"))
    expectRefusal(try scene.run(image: "table.fits[1]"), "table.fits", "table")
    expectRefusal(try scene.run(image: "table.fits"), "table.fits")
  }

  @Test("missing, truncated and foreign files are refused by name")
  func files() throws {
    let scene = try CommandScene()
    expectRefusal(try scene.run(image: "absent.fits"), "absent.fits")
    expectRefusal(try scene.run(psf: "absent.fits"), "absent.fits")
    let whole = try Data(contentsOf: scene.folder.url.appending(path: "image.fits"))
    try whole.prefix(2880 + 1000).write(to: scene.folder.url.appending(path: "cut.fits"))
    expectRefusal(try scene.run(image: "cut.fits"), "cut.fits")
    try Data("not an image\n".utf8).write(to: scene.folder.url.appending(path: "note.txt"))
    expectRefusal(try scene.run(image: "note.txt"), "note.txt")
    try Data().write(to: scene.folder.url.appending(path: "empty.fits"))
    expectRefusal(try scene.run(image: "empty.fits"), "empty.fits")
    expectRefusal(try scene.run(image: "."), ".")
  }

  @Test("a cube is refused with a way to take one plane")
  func cube() throws {
    let scene = try CommandScene()
    try scene.writeRaw(
      "cube.fits",
      cards: [
        "SIMPLE  =                    T", "BITPIX  =                    8",
        "NAXIS   =                    3", "NAXIS1  =                    4",
        "NAXIS2  =                    4", "NAXIS3  =                    2",
      ], data: Array(repeating: 1, count: 32))
    expectRefusal(try scene.run(image: "cube.fits"), "cube.fits", "4 × 4 × 2", "plane")
  }

  @Test("scaled integers are read as what they stand for, blank ones are masked")
  func scaledIntegers() throws {
    let scene = try CommandScene()
    let image = try scene.image()
    let (scale, zero) = (0.001, 10.0)
    var data: [UInt8] = []
    for (index, value) in image.values.enumerated() {
      let stored = index == 7 ? Int16(-32768) : Int16(((value - zero) / scale).rounded())
      data += [UInt8(truncatingIfNeeded: stored >> 8), UInt8(truncatingIfNeeded: stored)]
    }
    try scene.writeRaw(
      "scaled.fits",
      cards: [
        "SIMPLE  =                    T", "BITPIX  =                   16",
        "NAXIS   =                    2", "NAXIS1  =                   49",
        "NAXIS2  =                   45", "BSCALE  =                0.001",
        "BZERO   =                 10.0", "BLANK   =               -32768",
      ], data: data)
    let scaled = try scene.run(image: "scaled.fits", "--json")
    #expect(scaled.errors.contains("[science-not-finite] scaled.fits"))
    let plain = try scene.run(sky: "none", "--json")
    // Steps of 0.001 are a twentieth of the noise: they move the flux by a small part of its error of 0.4 %.
    #expect(abs(flux(scaled) / flux(plain) - 1) < 1e-3)
  }

  /// Returns a Gaussian of σ √2 in the middle of a square, with sum 1.
  private func blob(_ size: Int) -> [Double] {
    let middle = Double(size - 1) / 2
    return (0..<(size * size)).map { k in
      let dx = Double(k % size) - middle
      let dy = Double(k / size) - middle
      return exp(-(dx * dx + dy * dy) / 4) / (4 * Double.pi)
    }
  }

  /// Returns the flux of a result on standard output.
  private func flux(_ outcome: Outcome) -> Double {
    let parameters = outcome.json["parameters"] as? [String: [String: Any]]
    return parameters?["flux"]?["map"] as? Double ?? .nan
  }
}
