// SPDX-License-Identifier: MIT
//
// Searches in many coordinates that begin near a maximum: one curvature, then gradients.

import Foundation
import Inference
import Numerics
import Tensors
import Testing

@Suite("Search with the curvature at its start")
struct CurvedSearchTests {
  /// The number of coordinates: beyond those of the standard search with curvature.
  private static let dimension = 150

  /// Scales of the coordinates over eight decades.
  private static let scales = (0..<dimension).map { pow(10, 8 * Double($0) / 149 - 4) }

  /// A ridge that bends: normal in each coordinate but for a quartic, with neighbours correlated.
  private static let ridge: @Sendable (Tensor) -> Tensor = { x in
    let z = x / Tensor(scales)
    let differences = z[1...] - z[..<(dimension - 1)]
    return -((z * z).sum() + 20 * (differences * differences).sum() + 0.1 * (z * z * z * z).sum())
  }

  @Test("a maximum is found in tens of gradients, whatever the scales of the coordinates")
  func scales() {
    let start = Self.scales.enumerated().map { $1 * ($0.isMultiple(of: 2) ? 0.7 : -0.4) }
    let found = CurvedLBFGS().maximize(Formula(Self.dimension, Self.ridge), from: start)
    #expect(found.isConverged && found.value > -1e-9, "\(found.explanation), \(found.value)")
    #expect(found.hessianProducts == Self.dimension && found.gradientEvaluations < 60)
    // The search for a mode takes this way, and ends there.
    let mode = ModeSearch().maximize(Formula(Self.dimension, Self.ridge), from: start)
    #expect(mode.isConverged && mode.hessianProducts == Self.dimension)
  }

  @Test("where the curvature at the start is none of a maximum the search goes on without")
  func saddle() {
    let start = [Double](repeating: 0.1, count: Self.dimension)
    let found = CurvedLBFGS().maximize(
      Formula(Self.dimension) { x in (x * x - x * x * x * x).sum() }, from: start)
    #expect(found.isConverged && abs(found.value - 0.25 * Double(Self.dimension)) < 1e-6)
  }
}
