// SPDX-License-Identifier: MIT
//
// Bad inputs of an image, one by one: what throws, what is masked, what is remarked on.

import Foundation
import GalaxyModels
import Rendering
import Testing

/// Each kind of bad input, given as arrays.
@Suite("Observed image")
struct ObservedImageTests {
  /// A good frame.
  private let frame = TestFrame([GaussianGalaxy()])

  /// Returns the codes of an image's warnings.
  private func codes(_ image: ObservedImage) -> [String] { image.warnings.map(\.code) }

  /// Returns a Gaussian PSF of standard deviation 1.5, centred on a pixel or at a given place.
  private func psf(
    _ width: Int, _ height: Int, sum: Double = 1, x: Double? = nil, y: Double? = nil
  ) -> PointSpreadFunction {
    let values = (0..<width * height).map { i -> Double in
      let dx = Double(i % width) - (x ?? Double(width - 1) / 2)
      let dy = Double(i / width) - (y ?? Double(height - 1) / 2)
      return exp(-(dx * dx + dy * dy) / 4.5)
    }
    let total = values.reduce(0, +)
    return PointSpreadFunction(
      width: width, height: height, values: values.map { $0 * sum / total })
  }

  @Test("good inputs are taken as they are, without a finding")
  func good() throws {
    let image = try frame.image()
    #expect(image.findings.isEmpty, "\(image.findings)")
    #expect(image.science == frame.science && image.rms == frame.rms && image.goodCount == 81 * 81)
    #expect(image.center == ImagePoint(x: 40, y: 40) && image.pixelResponse == .included)
    let even = try ObservedImage(
      width: 4, height: 2, science: (0..<8).map { Double($0) },
      rms: [Double](repeating: 1, count: 8))
    #expect(even.center == ImagePoint(x: 1.5, y: 0.5) && even.pixelResponse == .integrated)
  }

  @Test("arrays of another length throw, naming the array and both lengths")
  func lengths() throws {
    let count = 81 * 81
    #expect {
      try ObservedImage(width: 81, height: 81, science: frame.science, rms: [1, 2])
    } throws: { error in
      let error = error as? ObservedImageError
      return error?.kind == .wrongCount(expected: count, found: 2) && error?.subject == "rms"
    }
    #expect {
      try ObservedImage(
        width: 81, height: 81, science: frame.science, rms: frame.rms, mask: [true])
    } throws: { ($0 as? ObservedImageError)?.subject == "mask" }
    #expect(throws: ObservedImageError.self) {
      try ObservedImage(width: 0, height: 0, science: [], rms: [])
    }
  }

  @Test("pixels of NaN and infinity are masked and counted")
  func notFinite() throws {
    var bad = frame
    bad.science[10] = .nan
    bad.science[11] = .infinity
    bad.science[12] = .nan
    bad.mask[12] = true
    bad.rms[20] = .nan
    bad.rms[21] = -.infinity
    let image = try bad.image()
    #expect(codes(image) == ["science-not-finite", "rms-not-finite"])
    #expect(image.warnings[0].message.contains("2 unmasked"))
    #expect(image.warnings[1].message.contains("2 unmasked"))
    #expect([10, 11, 12, 20, 21].allSatisfy { image.mask[$0] } && image.goodCount == 81 * 81 - 5)
    #expect(image.science.allSatisfy { $0.isFinite })
    #expect(image.rms.allSatisfy { $0.isFinite && $0 > 0 })
  }

  @Test(
    "pixels whose rms is zero or negative are masked and counted; those of weight zero are a note")
  func notPositive() throws {
    var bad = frame
    bad.rms[3] = 0
    bad.rms[4] = -1
    let image = try bad.image()
    #expect(codes(image) == ["rms-not-positive"] && image.mask[3] && image.mask[4])
    var weight = frame.rms.map { 1 / ($0 * $0) }
    weight[7] = 0
    weight[8] = -2
    let weighted = try ObservedImage(
      width: 81, height: 81, science: frame.science, noise: .weight(weight))
    #expect(codes(weighted) == ["rms-not-positive"])
    #expect(weighted.findings.contains { $0.code == "weight-zero" && $0.severity == .note })
    #expect(weighted.mask[7] && weighted.mask[8])
  }

  @Test("rms, variance and weight are the same noise")
  func forms() throws {
    let variance = try ObservedImage(
      width: 81, height: 81, science: frame.science, noise: .variance(frame.rms.map { $0 * $0 }))
    let weight = try ObservedImage(
      width: 81, height: 81, science: frame.science, noise: .weight(frame.rms.map { 1 / ($0 * $0) })
    )
    for image in [variance, weight] {
      // Two or three roundings.
      #expect(zip(image.rms, frame.rms).allSatisfy { abs($0 / $1 - 1) < 1e-15 })
      #expect(image.findings.isEmpty, "\(image.findings)")
    }
  }

  @Test("a variance or a weight given as rms is recognised")
  func wrongForm() throws {
    let noisy = TestFrame([GaussianGalaxy()], noise: 0.05)
    var variance = noisy
    variance.rms = noisy.rms.map { $0 * $0 }
    #expect(codes(try variance.image()) == ["rms-looks-like-variance"])
    var weight = noisy
    weight.rms = noisy.rms.map { 1 / ($0 * $0) }
    #expect(codes(try weight.image()) == ["rms-looks-like-weight"])
  }

  @Test("an image without a good pixel throws")
  func everythingMasked() {
    var bad = frame
    bad.mask = bad.mask.map { _ in true }
    #expect { try bad.image() } throws: {
      let error = $0 as? ObservedImageError
      return error?.subject == "mask"
        && error?.kind == .everythingMasked(masked: 81 * 81, unusable: 0)
    }
    var blank = frame
    blank.science = blank.science.map { _ in .nan }
    #expect { try blank.image() } throws: { ($0 as? ObservedImageError)?.subject == "science" }
  }

  @Test("a noise that cannot be squared throws", arguments: [1e-300, 1e300])
  func noiseOutOfRange(rms: Double) {
    var bad = frame
    bad.rms[7] = rms
    #expect { try bad.image() } throws: {
      let error = $0 as? ObservedImageError
      return error?.subject == "rms" && error?.kind == .noiseOutOfRange(rms)
    }
  }

  @Test("a mask that looks inverted is warned of; a large one that spares the centre less so")
  func inverted() throws {
    var bad = frame
    bad.mask = bad.mask.map { _ in true }
    for i in 0..<500 { bad.mask[i] = false }
    #expect(codes(try bad.image()) == ["mask-inverted"])
    for i in bad.mask.indices where abs(i % 81 - 40) < 6 && abs(i / 81 - 40) < 6 {
      bad.mask[i] = false
    }
    #expect(codes(try bad.image()) == ["mask-large"])
  }

  @Test("an image of one value is warned of")
  func constant() throws {
    let image = try ObservedImage(
      width: 9, height: 9, science: [Double](repeating: 3, count: 81),
      rms: [Double](repeating: 1, count: 81))
    #expect(codes(image) == ["science-constant"])
  }

  @Test("a PSF that is not normalised is warned of with its sum, or normalised when asked")
  func pointSpreadSum() throws {
    var bad = frame
    bad.psf = psf(21, 21, sum: 2)
    let image = try bad.image()
    #expect(codes(image) == ["psf-sum"] && image.warnings[0].message.contains("found "))
    #expect(image.warnings[0].subject == "psf")
    let normalised = try ObservedImage(
      width: 81, height: 81, science: frame.science, rms: frame.rms, psf: bad.psf,
      normalizePSF: true)
    // 441 numbers to a rounding each.
    #expect(abs((normalised.psf?.values.reduce(0, +) ?? 0) - 1) < 1e-14)
    #expect(normalised.findings.isEmpty)
  }

  @Test("a PSF with NaN, or without a positive sum, throws")
  func pointSpreadUseless() {
    var values = [Double](repeating: 0.04, count: 25)
    values[3] = .nan
    for (values, kind) in [
      (values, ObservedImageError.Kind.pointSpreadNotFinite(count: 1)),
      ([Double](repeating: 0, count: 25), .pointSpreadSum(0)),
      // The image in place of the PSF.
      ([Double](repeating: 100, count: 25), .pointSpreadSum(2500)),
    ] {
      #expect {
        try ObservedImage(
          width: 81, height: 81, science: frame.science, rms: frame.rms,
          psf: PointSpreadFunction(width: 5, height: 5, values: values))
      } throws: {
        ($0 as? ObservedImageError)?.kind == kind && ($0 as? ObservedImageError)?.subject == "psf"
      }
    }
  }

  @Test("a PSF larger than the image, even-sized, off its centre, sharp or negative is remarked on")
  func pointSpreadShape() throws {
    var bad = frame
    bad.psf = psf(91, 21)
    #expect(codes(try bad.image()) == ["psf-larger-than-image"])
    bad.psf = psf(20, 21)
    let even = try bad.image()
    #expect(even.warnings.isEmpty && even.findings.map(\.code) == ["psf-even"])
    bad.psf = psf(20, 20, x: 10, y: 10)
    #expect(codes(try bad.image()) == ["psf-off-center"])
    bad.psf?.centerX = 10
    bad.psf?.centerY = 10
    #expect(try bad.image().warnings.isEmpty)
    var point = [Double](repeating: 0, count: 25)
    point[12] = 1
    bad.psf = PointSpreadFunction(width: 5, height: 5, values: point)
    #expect(codes(try bad.image()) == ["psf-undersampled"])
    point[0] = -0.1
    point[12] = 1.1
    bad.psf = PointSpreadFunction(width: 5, height: 5, values: point)
    #expect(codes(try bad.image()).contains("psf-negative"))
  }

  @Test("the pixel response included in no PSF is warned of")
  func response() throws {
    let image = try ObservedImage(
      width: 81, height: 81, science: frame.science, rms: frame.rms, pixelResponse: .included)
    #expect(codes(image) == ["pixel-response"] && image.pixelResponse == .integrated)
  }

  @Test("every error and warning says what to do")
  func texts() throws {
    let kinds: [ObservedImageError.Kind] = [
      .wrongCount(expected: 4, found: 2), .emptyImage(width: 0, height: 1),
      .shapesDiffer(expectedWidth: 3, expectedHeight: 4, foundWidth: 4, foundHeight: 3),
      .noiseMapCount(0), .everythingMasked(masked: 1, unusable: 2), .pointSpreadNotFinite(count: 2),
      .pointSpreadSum(0), .noiseOutOfRange(1e-300),
    ]
    for kind in kinds {
      let text = ObservedImageError(kind, subject: "a.fits").description
      #expect(text.hasPrefix("a.fits: expected") && text.contains("found") && text.hasSuffix("."))
    }
  }
}
