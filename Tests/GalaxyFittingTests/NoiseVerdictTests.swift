// SPDX-License-Identifier: MIT
//
// What a fit says of the noise that it was given: too small, too large, or hidden by a loss that lets pixels be.

import GalaxyFitting
import GalaxyModels
import Inference
import Numerics
import Rendering
import Testing

@Suite("Verdict on the noise")
struct NoiseVerdictTests {
  /// The side of the images.
  private static let side = 41

  /// Returns an exponential galaxy with noise of 0.01, seen with another rms.
  private func image(_ rms: Double) throws -> ObservedImage {
    let light = Sersic(xc: 20, yc: 20, flux: 60, rEff: 4, n: 1, ellip: 0.5, theta: 1)
    let pixels = try FitSingleTests.clean(light.lightProfile, width: Self.side, height: Self.side)
    let noise = RandomKey(4)
    let noisy = pixels.enumerated().map { $1 + 0.01 * noise.normal(UInt64($0)) }
    return try FitSingleTests.image(noisy, sigma: rms, width: Self.side, height: Self.side)
  }

  /// Returns the maximum of a profile.
  private func fit(
    _ image: ObservedImage, _ profile: GalaxyProfile, _ loss: ImageLoss = .gaussian
  ) throws -> MAPFit {
    try FitSingle(image, prior: autoprior(image, profile, sky: .none), loss: loss).findMAP()
  }

  @Test("a model that does not describe the pixels is said to fit poorly")
  func misfit() throws {
    let image = try image(0.01)
    #expect(try fit(image, .pointsource).findings.contains { $0.fitCode == .poorFit })
    #expect(try !fit(image, .exp).findings.contains { $0.fitCode == .poorFit })
  }

  @Test(
    "an rms that is a tenth too small or too large is warned of, one that is right is not",
    // A reduced χ² of 1.23 and 0.83: with 1674 degrees of freedom 7 and 5 standard deviations off.
    arguments: [(0.009, FitFindingCode.poorFit), (0.01, nil), (0.011, .noiseLarge)])
  func scale(rms: Double, expected: FitFindingCode?) throws {
    let found = try fit(image(rms), .exp).findings.compactMap(\.fitCode).filter {
      [.poorFit, .noiseLarge, .misfitHidden].contains($0)
    }
    #expect(found == (expected.map { [$0] } ?? []))
  }

  @Test("free noise and drawn images are not warned of too large an rms, tails are")
  func exceptions() throws {
    let large = try image(0.02)
    let free = try fit(large, .exp, .gaussian(free: .fraction))
    #expect(!free.findings.contains { $0.fitCode == .noiseLarge })
    let tails = try fit(large, .exp, .studentT(dof: 5)).findings.filter {
      $0.fitCode == .noiseLarge
    }
    #expect(tails.map(\.severity) == [.warning])
    // Without noise there is nothing to be compared with: a remark, no warning.
    let drawn = try fit(image(10), .exp).findings.filter { $0.fitCode == .noiseLarge }
    #expect(drawn.map(\.severity) == [.note])
  }

  @Test(
    "a robust loss that lets the pixels of the source be is found out; scattered outliers are not")
  func hidden() throws {
    // A disk with a bright nucleus, fitted by a disk: Student's t sets the nucleus aside.
    let disk = Sersic(xc: 20, yc: 20, flux: 60, rEff: 6, n: 1, ellip: 0.2, theta: 1)
    let nucleus = PointSource(xc: 20, yc: 20, flux: 6)
    let light = LightProfile(disk.lightProfile.components + nucleus.lightProfile.components)
    var pixels = try FitSingleTests.clean(light, width: Self.side, height: Self.side)
    let noise = RandomKey(5)
    for k in pixels.indices { pixels[k] += 0.01 * noise.normal(UInt64(k)) }
    let image = try FitSingleTests.image(
      pixels, sigma: 0.01, width: Self.side, height: Self.side)
    for loss in [ImageLoss.studentT(dof: 3), .mixture()] {
      let wrong = try fit(image, .exp, loss)
      #expect(wrong.findings.contains { $0.fitCode == .misfitHidden }, "\(loss)")
      let right = try fit(image, .sersicPointsource, loss)
      #expect(!right.findings.contains { $0.fitCode == .misfitHidden }, "\(loss)")
    }
    #expect(try !fit(image, .exp).findings.contains { $0.fitCode == .misfitHidden })
    // Every fiftieth pixel is a cosmic ray.
    for k in stride(from: 7, to: pixels.count, by: 50) { pixels[k] += 0.3 }
    let hit = try FitSingleTests.image(pixels, sigma: 0.01, width: Self.side, height: Self.side)
    let best = try fit(hit, .sersicPointsource, .studentT(dof: 3))
    #expect(!best.findings.contains { $0.fitCode == .misfitHidden })
  }
}
