// SPDX-License-Identifier: MIT
//
// Likelihoods of counts by vector kernels against the rules of single elements, which derivatives along a direction go by.

import Tensors
import Testing

@Suite("Likelihoods of counts") struct CountLikelihoodTests {
  /// Log odds or rates: ordinary ones, and those at which a power of e over- or underflows.
  private static let etas: [Double] = [
    -800, -745.2, -37, -1.5, -1e-300, 0, 1e-17, 0.3, 2.25, 36.8, 700, 800, .infinity, -.infinity,
  ]

  /// Returns whether two numbers are the same to two roundings.
  private func isSame(_ a: Double, _ b: Double, scale: Double) -> Bool {
    a == b || a.isNaN && b.isNaN || abs(a - b) <= 4e-16 * max(1, abs(b), scale)
  }

  /// Expects values and slopes of a vector to be those of its elements.
  private func expectSame(
    _ kind: DensityKind, _ x: Double, trials: Double? = nil, sourceLocation: SourceLocation
  ) {
    let eta = Self.etas
    /// Returns the densities of some log odds.
    @Sendable func densities(_ eta: Tensor) -> Tensor {
      let data = Tensor(repeating: x, shape: eta.shape)
      guard let trials else { return .logDensity(kind, data, [eta]) }
      return .logDensity(kind, data, [Tensor(repeating: trials, shape: eta.shape), eta])
    }
    let whole = densities(Tensor(eta)).elements
    let sum = valueAndGradient(at: Tensor(eta)) { densities($0).sum() }.gradient.elements
    // Forward derivatives have no vector kernels.
    let ones = Tensor(repeating: 1, shape: [eta.count])
    let rules = jvp(at: Tensor(eta), ones) { densities($0) }
    for (k, one) in eta.enumerated() {
      let (expected, slope) = (rules.value.elements[k], rules.tangent.elements[k])
      // At an infinite logit there is no slope that means something.
      let isSlope = !one.isFinite || isSame(sum[k], slope, scale: x)
      let isValue = isSame(whole[k], expected, scale: 1)
      #expect(
        isValue && isSlope,
        "\(kind) of \(x), \(trials ?? 1) trials at \(one): \(whole[k]), \(expected), \(sum[k]), \(slope)",
        sourceLocation: sourceLocation)
    }
  }

  @Test(
    "Bernoulli, binomial and Poisson densities of vectors are those of the rules for one element")
  func sameAsRules() {
    for x in [0.0, 1, 2, 0.5, -1] {
      expectSame(.bernoulliLogit, x, sourceLocation: #_sourceLocation)
      expectSame(.poissonLog, x, sourceLocation: #_sourceLocation)
    }
    expectSame(.poissonLog, 1e6, sourceLocation: #_sourceLocation)
    for (x, trials) in [(0.0, 0.0), (0, 7), (7, 7), (3, 7), (8, 7), (2.5, 7)] {
      expectSame(.binomialLogit, x, trials: trials, sourceLocation: #_sourceLocation)
    }
  }
}
