// SPDX-License-Identifier: MIT
//
// A curvature in the shape of an arrow: its inverse, and what it saves a search.

import Inference
import Testing

@Suite("Curvature in blocks with a border")
struct ArrowCurvatureTests {
  /// A quadratic −½ (q − c)ᵀ A (q − c) in `blocks` blocks of two and one coordinate that has to do with all of them.
  final class Arrow: LogDensity {
    let dimension: Int
    let matrix: [[Double]]
    let center: [Double]

    /// Creates the quadratic: scales from 1 to 1e4, couplings within and across.
    init(blocks: Int) {
      let n = 2 * blocks + 1
      var a = [[Double]](repeating: [Double](repeating: 0, count: n), count: n)
      var border = 1.0
      for k in 0..<blocks {
        let scale = [1.0, 100, 1e4][k % 3]
        a[2 * k][2 * k] = 2 * scale
        a[2 * k + 1][2 * k + 1] = scale
        a[2 * k][2 * k + 1] = 1.2 * scale
        a[2 * k + 1][2 * k] = 1.2 * scale
        a[2 * k][n - 1] = 0.5 * scale
        a[n - 1][2 * k] = 0.5 * scale
        border += scale
      }
      a[n - 1][n - 1] = border
      matrix = a
      dimension = n
      center = (0..<n).map { Double($0) / 7 - 1 }
    }

    func valueAndGradient(at q: [Double], into gradient: inout [Double]) -> Double {
      let d = zip(q, center).map { $0 - $1 }
      gradient = matrix.map { row in -zip(row, d).reduce(0) { $0 + $1.0 * $1.1 } }
      return 0.5 * zip(gradient, d).reduce(0) { $0 + $1.0 * $1.1 }
    }

    /// The curvature, by blocks and border.
    var curvature: ArrowCurvature? {
      let n = dimension
      let blocks = stride(from: 0, to: n - 1, by: 2).compactMap { k in
        CurvatureBlock(
          [k, k + 1],
          curvature: [matrix[k][k], matrix[k][k + 1], matrix[k + 1][k], matrix[k + 1][k + 1]])
      }
      guard blocks.count == n / 2 else { return nil }
      return ArrowCurvature(blocks, border: [n - 1], columns: [matrix[n - 1]])
    }
  }

  @Test("a search that begins with the whole curvature needs one step, by gradients alone tens")
  func steps() throws {
    let target = Arrow(blocks: 30)
    let start = [Double](repeating: 3, count: target.dimension)
    var informed = LBFGS()
    let curvature: ArrowCurvature = try #require(target.curvature)
    informed.curvature = curvature
    let first = informed.maximize(target, from: start)
    let blind = LBFGS().maximize(target, from: start)
    for optimum in [first, blind] {
      #expect(optimum.isConverged)
      // 1e-10 in log density is 1e-5 of a standard deviation, which is at most 1 here.
      for (found, wanted) in zip(optimum.position, target.center) {
        #expect(near(found, wanted, 1e-4))
      }
    }
    #expect(first.iterations <= 2)
    #expect(blind.iterations > 5 * first.iterations)
  }

  @Test("a block that is not positive definite is refused")
  func refusal() {
    #expect(CurvatureBlock([0, 1], curvature: [1, 2, 2, 1]) == nil)
    #expect(CurvatureBlock([3], curvature: [4]) != nil)
  }
}
