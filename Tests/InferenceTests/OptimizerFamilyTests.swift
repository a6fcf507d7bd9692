// SPDX-License-Identifier: MIT
//
// One table of functions with known maxima, hard ones among them, and every optimiser on each, within a budget.

import Inference
import Numerics
import Tensors
import Testing

/// An optimiser of the table.
enum Method: String, CaseIterable {
  case lbfgs, marquardt, exact, krylov, standard

  /// The optimiser.
  var optimizer: any Optimizer {
    switch self {
    case .lbfgs: return LBFGS()
    case .marquardt: return LevenbergMarquardt()
    case .exact: return NewtonTrustRegion()
    case .krylov:
      var region = NewtonTrustRegion()
      region.subproblem = .conjugateGradient
      return region
    case .standard: return StandardOptimizer()
    }
  }
}

/// A function with a known maximum.
struct Summit: Sendable, CustomTestStringConvertible {
  /// The name.
  let name: String

  /// The starting point.
  let start: [Double]

  /// The function.
  let f: @Sendable (Tensor) -> Tensor

  /// The maximum; nil where it is not a point.
  let top: [Double]?

  /// How far from it a search may end: the distance at which 1e-9 of log density is lost, along the flattest direction.
  let distance: Double

  /// The value at the maximum.
  let height: Double

  /// The largest number of gradients, and the largest number of Hessian-vector products of those that use them.
  ///
  /// A third above what they need today: counts do not depend on the machine, and a rule that costs more shows here.
  let budget: [Method: (gradients: Int, products: Int)]

  var testDescription: String { name }

  /// All functions.
  static let all: [Summit] = [
    Summit(
      name: "Rosenbrock", start: [-1.2, 1],
      f: { x in -(square(1 - x[0]) + 100 * square(x[1] - square(x[0]))) },
      top: [1, 1], distance: 1e-4, height: 0,
      budget: [.lbfgs: (60, 0), .marquardt: (55, 64), .exact: (43, 67), .krylov: (43, 60)]),
    Summit(
      // The chained form: every coordinate is tied to both neighbours.
      name: "Rosenbrock in 20 dimensions", start: [Double](repeating: 0, count: 20),
      f: { x in
        let (a, b) = (x[0..<19], x[1..<20])
        return -(square(1 - a) + 100 * square(b - square(a))).sum()
      },
      top: [Double](repeating: 1, count: 20), distance: 1e-3, height: 0,
      budget: [.lbfgs: (170, 0), .marquardt: (110, 1170), .exact: (96, 1360), .krylov: (99, 525)]),
    Summit(
      // The Hessian is singular at the maximum: two of four curvatures vanish there.
      name: "Powell's singular function", start: [3, -1, 0, 1],
      f: { x in
        let pairs = square(x[0] + 10 * x[1]) + 5 * square(x[2] - x[3])
        return -(pairs + square(square(x[1] - 2 * x[2])) + 10 * square(square(x[0] - x[3])))
      },
      top: [0, 0, 0, 0], distance: 0.05, height: 0,
      budget: [.lbfgs: (43, 0), .marquardt: (26, 102), .exact: (27, 107), .krylov: (26, 100)]),
    Summit(
      name: "Beale", start: [1, 1],
      f: { x in
        let y = x[1]
        return
          -(square(1.5 - x[0] + x[0] * y) + square(2.25 - x[0] + x[0] * square(y))
          + square(2.625 - x[0] + x[0] * square(y) * y))
      },
      top: [3, 0.5], distance: 1e-3, height: 0,
      budget: [.lbfgs: (22, 0), .marquardt: (15, 30), .exact: (18, 30), .krylov: (11, 24)]),
    Summit(
      name: "banana", start: [-4, 20],
      f: { x in -0.005 * square(x[0]) - 0.5 * square((x[1] + 0.3 * square(x[0]) - 30) / 0.5) },
      top: [0, 30], distance: 1e-2, height: 0,
      budget: [.lbfgs: (79, 0), .marquardt: (75, 86), .exact: (99, 110), .krylov: (92, 102)]),
    Summit(
      // Student errors with two outliers: the Hessian is indefinite between the points.
      name: "Student-t with outliers", start: [20, 3],
      f: { x in
        let r = (Tensor([0.1, -0.3, 0.2, 0.4, -0.1, 15, -12]) - x[0]) * exp(-x[1])
        return -(2.5 * log1p(square(r) / 4)).sum() - 7 * x[1] - 0.01 * square(x[1])
      },
      top: nil, distance: 0, height: .nan,
      budget: [.lbfgs: (23, 0), .marquardt: (11, 22), .exact: (15, 24), .krylov: (18, 30)]),
    Summit(
      name: "a wall", start: [8, 3],
      f: { x in 0.02 * log(x[0]) - 50 * square(x[0] - 0.01) + log(4 - x[1]) - 0.5 * square(x[1]) },
      // 0.02 / x = 100 (x − 0.01); 1 / (4 − y) = −y: y = 2 − √5.
      top: [0.02, -0.2360679774997897], distance: 1e-4, height: .nan,
      budget: [.lbfgs: (18, 0), .marquardt: (7, 14), .exact: (11, 22), .krylov: (11, 19)]),
    Summit(
      name: "one dimension", start: [9],
      f: { x in -cosh(x[0] - 2) },
      top: [2], distance: 1e-4, height: -1,
      budget: [.lbfgs: (20, 0), .marquardt: (14, 14), .exact: (16, 16), .krylov: (14, 15)]),
  ]

  /// Returns (eˣ + e⁻ˣ) / 2.
  private static func cosh(_ x: Tensor) -> Tensor { 0.5 * (exp(x) + exp(-x)) }
}

@Suite("Family of optimisers")
struct OptimizerFamilyTests {
  @Test("every optimiser reaches every summit within its budget", arguments: Summit.all)
  func summits(_ summit: Summit) {
    let n = summit.start.count
    var heights: [Double] = []
    for method in Method.allCases {
      let target = Formula(n, summit.f)
      let best = method.optimizer.maximize(target, from: summit.start)
      let name = "\(summit.name), \(method)"
      #expect(best.isConverged, "\(name): \(best.explanation) at \(best.position)")
      if let top = summit.top {
        let distance = zip(best.position, top).reduce(0) { max($0, abs($1.0 - $1.1)) }
        #expect(distance < summit.distance, "\(name): \(distance)")
      }
      // The tolerance of a search is 1e-10; three decades more where gradients have to guess a singular curvature.
      if summit.height.isFinite { #expect(best.value > summit.height - 1e-7, "\(name)") }
      heights.append(best.value)
      if let budget = summit.budget[method] {
        let used = (best.gradientEvaluations, best.hessianProducts)
        #expect(used.0 <= budget.gradients && used.1 <= budget.products, "\(name): \(used)")
      }
      #expect(best.value == target.value(at: best.position))
      #expect(best.gradient.allSatisfy { $0.isFinite })
    }
    for height in heights { #expect(abs(height - heights[0]) < 1e-7) }
  }
}
