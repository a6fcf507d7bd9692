// SPDX-License-Identifier: MIT
//
// Metrics of all forms say the same: velocity, momentum, variances and covariance of one inverse mass matrix.

import Inference
import Numerics
import PPL
import TestSupport
import Testing

@Suite("Metric")
struct MetricTests {
  /// Metrics of each form in three coordinates.
  static func forms() throws -> [Metric] {
    let (half, third) = (0.5.squareRoot(), (1.0 / 3).squareRoot())
    return [
      .diagonal([1, 9, 0.04]), try .dense(CorrelatedNormal.covariance, dimension: 3),
      .lowRank(variances: [1, 9, 0.04], directions: [], eigenvalues: []),
      .lowRank(
        variances: [1, 9, 0.04], directions: [[half, half, 0], [third, -third, third]],
        eigenvalues: [5, 0.2]),
    ]
  }

  @Test("velocities are the covariance times the momentum, variances its diagonal")
  func velocity() throws {
    for metric in try Self.forms() {
      let n = metric.dimension
      let p = [0.3, -1.2, 2.5]
      let velocity = metric.velocity(p)
      for r in 0..<n {
        let expected = (0..<n).reduce(0) { $0 + metric.covariance[r * n + $1] * p[$1] }
        // Sums of a few products.
        #expect(abs(velocity[r] - expected) < 1e-13 * (1 + abs(expected)))
        #expect(abs(metric.variances[r] - metric.covariance[r * n + r]) < 1e-14)
      }
    }
  }

  @Test("momenta have the covariance M")
  func momentum() throws {
    for metric in try Self.forms() {
      // Velocities of momenta from N(0, M) have the covariance M⁻¹.
      let count = 20_000
      var products = [Double](repeating: 0, count: 9)
      for k in 0..<count {
        let v = metric.velocity(metric.momentum(key: RandomKey(4).folding(in: k)))
        for r in 0..<3 {
          for c in 0..<3 { products[r * 3 + c] += v[r] * v[c] / Double(count) }
        }
      }
      for r in 0..<3 {
        for c in 0..<3 {
          // The deviation of a product of normal numbers is at most √2 σ σ'; five of its standard errors.
          let scale = (metric.variances[r] * metric.variances[c]).squareRoot()
          #expect(abs(products[r * 3 + c] - metric.covariance[r * 3 + c]) < 0.05 * scale)
        }
      }
    }
  }

  @Test("a matrix that is not positive definite makes no metric, and the error says so")
  func indefinite() {
    let matrices: [[Double]] = [[1, 2, 2, 1], [1, 1, 1, 1], [.nan, 0, 0, 1], [1, 0, 0, -1]]
    for matrix in matrices {
      let error = #expect(throws: ModelError.self) { try Metric.dense(matrix, dimension: 2) }
      #expect(error?.kind == .notFinite)
    }
  }

  @Test("the metric of a precision is its inverse, up to a condition number of 10^12")
  func precision() throws {
    for scale in [1.0, 1e-3, 1e-6] {
      // P = A Aᵀ with A = diag(1, scale, 1) times a unit lower triangle: its inverse is known without rounding.
      let a = [1, 0, 0, 0.5 * scale, scale, 0, -0.25, 0.75, 1]
      var precision = [Double](repeating: 0, count: 9)
      for r in 0..<3 {
        for c in 0..<3 {
          for k in 0..<3 { precision[3 * r + c] += a[3 * r + k] * a[3 * c + k] }
        }
      }
      let factor = try #require(CholeskyFactor(precision, 3))
      let metric = try Metric.dense(precision: factor)
      #expect(metric.rank == 3)
      for p in [[1.0, 0, 0], [0, 1, 0], [0, 0, 1], [1, -2, 0.5]] {
        let velocity = metric.velocity(p)
        let expected = factor.solve(p)
        for (x, y) in zip(velocity, expected) {
          // Both are backward stable: the largest element is right to some ulps times the condition of the scaled matrix.
          #expect(abs(x - y) <= 1e-12 * (expected.map(abs).max() ?? 0), "\(scale): \(x), \(y)")
        }
      }
    }
  }

  @Test("a metric is the same after saving and reading, a broken one is refused")
  func saving() throws {
    for metric in try Self.forms() { #expect(try saved(metric) == metric) }
  }

  @Test("variances and directions that make no metric trap")
  func traps() async {
    await #expect(processExitsWith: .failure) { _ = Metric.diagonal([1, 0]) }
    await #expect(processExitsWith: .failure) {
      _ = Metric.lowRank(variances: [1, 1], directions: [[1, 1]], eigenvalues: [2])
    }
    await #expect(processExitsWith: .failure) {
      _ = Metric.lowRank(variances: [1, 1], directions: [[1, 0]], eigenvalues: [-2])
    }
  }
}
