// SPDX-License-Identifier: MIT
//
// Every rule of the tape against finite differences, at ordinary and at awkward points.

import Tensors
import TestSupport
import Testing

@Suite("Derivative rules")
struct GradientTests {
  static let unary: [(String, [Double], @Sendable (Tensor) -> Tensor)] = [
    ("negate", [-1, 0, 2], { -$0 }),
    ("exp", [-30, -1, 0, 2.5], { exp($0) }),
    ("log", [1e-3, 0.5, 1, 40], { log($0) }),
    ("log1p", [-0.9, -1e-9, 0, 1e-9, 3], { log1p($0) }),
    ("expm1", [-20, -1e-9, 0, 1e-9, 2], { expm1($0) }),
    ("sqrt", [1e-3, 1, 9], { sqrt($0) }),
    ("square", [-2, 0, 3], { square($0) }),
    ("reciprocal", [-2, 0.1, 3], { reciprocal($0) }),
    ("abs", [-2, 0.5, 3], { abs($0) }),
    ("sin", [-2, 0, 3], { sin($0) }),
    ("cos", [-2, 0, 3], { cos($0) }),
    ("tan", [-1.2, 0, 1], { tan($0) }),
    ("atan", [-20, 0, 1], { atan($0) }),
    ("tanh", [-3, 0, 1e-8, 1], { tanh($0) }),
    ("sigmoid", [-40, -1, 0, 30], { sigmoid($0) }),
    ("softplus", [-40, -1, 0, 30], { softplus($0) }),
    ("logGamma", [0.1, 1, 2, 7.5, 120], { logGamma($0) }),
    ("digamma", [0.3, 1, 2, 7.5, 120], { digamma($0) }),
    ("erf", [-2, 0, 0.3], { erf($0) }),
    ("erfc", [-2, 0, 3], { erfc($0) }),
    ("normalCDF", [-4, 0, 2], { normalCDF($0) }),
    ("logNormalCDF", [-30, -4, 0, 3], { logNormalCDF($0) }),
    ("inverseNormalCDF", [0.1, 0.3, 0.5, 0.85], { inverseNormalCDF($0) }),
    ("pow 3", [-2, 0, 1.5], { pow($0, 3) }),
    ("pow −1.5", [0.2, 1, 4], { pow($0, -1.5) }),
    ("pow 2", [-1, 0, 4], { pow($0, 2) }),
    ("clamped", [-3, 0.2, 0.7, 3], { $0.clamped(to: 0...1) }),
  ]

  @Test("functions of one operand, short and long arrays", arguments: unary.indices)
  func unaryRules(_ index: Int) {
    let (name, points, f) = Self.unary[index]
    for x in points { checkGradient("\(name) at \(x)", at: [Tensor(x)]) { f($0[0]) } }
    checkGradient(name, at: [Tensor(points + points + points)]) { f($0[0]) }
  }

  static let binary: [(String, [Double], [Double], @Sendable (Tensor, Tensor) -> Tensor)] = [
    ("add", [1, -2, 0.5, 0], [3, 0.2, 0, -1], { $0 + $1 }),
    ("subtract", [1, -2, 0.5, 0], [3, 0.2, 0, -1], { $0 - $1 }),
    ("multiply", [1, -2, 0.5, 0], [3, 0.2, 0, -1], { $0 * $1 }),
    ("divide", [1, -2, 0.5, 0], [3, 0.2, 4, -1], { $0 / $1 }),
    ("power", [1, 2, 0.5, 3], [3, 0.2, 1, -1], { pow($0, $1) }),
    ("maximum", [1, -2, 0.5, 0], [3, 0.2, 0, -1], { maximum($0, $1) }),
    ("minimum", [1, -2, 0.5, 0], [3, 0.2, 0, -1], { minimum($0, $1) }),
    ("atan2", [1, -2, 0.5, 0.3], [3, 0.2, -1, -1], { atan2($0, $1) }),
    ("logAddExp", [1, -30, 0.5, 7], [3, 0.2, 0.5, 6.9], { logAddExp($0, $1) }),
    (
      "select", [1, -2, 0.5, 0], [3, 0.2, 0, -1],
      { select($0.isLess(than: $1), $0 * 2, $1 * $1) }
    ),
  ]

  @Test("functions of two operands with every pattern of broadcasting", arguments: binary.indices)
  func binaryRules(_ index: Int) {
    let (name, a, b, f) = Self.binary[index]
    let (x, y) = (Tensor(a), Tensor(b))
    let check = { (pattern: String, x: Tensor, y: Tensor) in
      checkGradient("\(name) \(pattern)", at: [x, y]) { f($0[0], $0[1]) }
    }
    check("same shape", x, y)
    check("scalars", Tensor(a[1] < 0 && name == "power" ? 2 : a[1]), Tensor(b[1]))
    check("scalar on the left", Tensor(1.3), y)
    check("scalar on the right", x, Tensor(0.7))
    check("[2, 1, 2] and [3, 1]", x.reshaped([2, 1, 2]), Tensor([0.7, 1.9, 0.3], shape: [3, 1]))
    checkGradient("\(name) constant left", at: [y]) { f(x, $0[0]) }
    checkGradient("\(name) constant right", at: [x]) { f($0[0], y) }
    if name != "power" { checkGradient("\(name) of itself", at: [x + 3]) { f($0[0], $0[0]) } }
  }

  static let matrix = Tensor(
    [0.4, 1.85, 3.3, 1.03, 2.48, 0.21, 1.66, 3.11, 0.84, 2.29, 0.02, 1.47], shape: [2, 3, 2])

  static let structural: [(String, @Sendable (Tensor) -> Tensor)] = [
    ("sum", { $0.sum() }),
    ("sum of axis 0", { $0.sum(axis: 0) }),
    ("sum of axis 1", { $0.sum(axis: 1, keepingAxis: true) }),
    ("sum of axis −1", { $0.sum(axis: -1) }),
    ("product", { $0.product() }),
    ("product of axis 1", { $0.product(axis: 1) }),
    ("mean", { $0.mean(axis: 1) }),
    ("variance", { $0.variance(axis: 0) }),
    ("max", { $0.max(axis: 1) }),
    ("min", { $0.min() }),
    ("logSumExp", { $0.logSumExp() }),
    ("logSumExp of axis 1", { $0.logSumExp(axis: 1, keepingAxis: true) }),
    ("softmax", { $0.softmax(axis: 1) }),
    ("cumulativeSum", { $0.cumulativeSum(axis: 1) }),
    ("reshaped", { $0.reshaped([3, -1]) * $0.reshaped([3, 4]) }),
    ("transposed", { $0.transposed() }),
    ("transposed 1 0 2", { $0.transposed([1, 0, 2]) * 2 }),
    ("broadcast", { $0[0].sum(axis: 0).broadcast(to: [3, 2]) }),
    ("index", { $0[1] * $0[0][2] }),
    ("slice of axis 1", { $0.sliced(1..<3, axis: 1) }),
    ("slice of axis 0", { $0[1..<2] * 3 }),
    ("take", { $0.take([2, 0, 2], axis: 1) }),
    ("take by tensor", { $0.take(Tensor([1, 1, 0])) }),
    ("reversed", { $0.reversed(axis: 2) }),
    ("concatenate 0", { Tensor.concatenate([$0, $0 * 2]) }),
    ("concatenate 2", { Tensor.concatenate([$0, square($0)], axis: 2) }),
    ("stack", { Tensor.stack([$0[0], $0[1], $0[0]], axis: 1) }),
    ("diagonal", { $0.reshaped([3, 4]).sliced(0..<3, axis: 1).diagonal() }),
    ("matmul", { $0[0].matmul($0[1].transposed()) }),
    ("matmul of vectors", { $0[0].matmul($0[1][0]) }),
    ("matmul batch", { $0.matmul(square($0).transposed([0, 2, 1])) }),
    ("matmul broadcast batch", { $0.matmul($0[0].transposed()) }),
    ("dot", { $0[0].flattened().dot($0[1].flattened()) }),
  ]

  @Test("reductions, movement and products", arguments: structural.indices)
  func structuralRules(_ index: Int) {
    let (name, f) = Self.structural[index]
    checkGradient(name, at: [Self.matrix]) { f($0[0]) }
  }

  @Test("a product with one or two zeros has the right derivative")
  func productOfZeros() {
    checkGradient("one zero", at: [Tensor([2.0, 0, -3])]) { $0[0].product() }
    checkGradient("two zeros", at: [Tensor([0.0, 0, -3])]) { $0[0].product() }
  }

  @Test("large matrix products, which BLAS does, have the same derivative")
  func largeProduct() {
    let a = sin(Tensor.arange(120) * 1.7).reshaped([12, 10])
    let b = cos(Tensor.arange(90) * 2.3).reshaped([10, 9])
    checkGradient("large matmul", at: [a, b]) { $0[0].matmul($0[1]) }
  }

  @Test("Cholesky factors and triangular solves")
  func cholesky() {
    let root = Tensor([1.2, 0.3, -0.5, 0.9, 0.1, 2, 0.4, -1, 0.7], shape: [3, 3])
    checkGradient("cholesky", at: [root]) { inputs in
      let m = inputs[0]
      return (m.matmul(m.transposed()) + Tensor.identity(3)).cholesky()
    }
    let lower = Tensor([1.5, 0, 0, 0.2, 0.8, 0, -0.4, 0.6, 1.1], shape: [3, 3])
    let b = Tensor([1.0, 2, -1, 0.5, 0.3, 0.9], shape: [3, 2])
    for transposed in [false, true] {
      checkGradient("solve, transposed: \(transposed)", at: [lower, b]) {
        $0[0].triangularSolve($0[1], transposed: transposed)
      }
      checkGradient("solve for a vector", at: [lower, b.flattened()[0..<3]]) {
        $0[0].triangularSolve($0[1], transposed: transposed)
      }
    }
    checkGradient("log determinant", at: [root]) { inputs in
      let m = inputs[0]
      return log((m.matmul(m.transposed()) + Tensor.identity(3)).cholesky().diagonal()).sum()
    }
  }

  static let densities: [(DensityKind, [Double], [[Double]])] = [
    (.normal, [-1, 0, 40], [[0.3, 0.1, 2], [0.5, 1, 3]]),
    (.logNormal, [1e-3, 1, 40], [[0.3, 0.1, 2], [0.5, 1, 3]]),
    (.halfNormal, [0.1, 1, 5], [[0.5, 1, 3]]),
    (.studentT, [-10, 0, 5], [[1.5, 5, 30], [0.3, 0.1, 2], [0.5, 1, 3]]),
    (.cauchy, [-10, 0, 5], [[0.3, 0.1, 2], [0.5, 1, 3]]),
    (.halfCauchy, [0.1, 1, 50], [[0.5, 1, 3]]),
    (.gamma, [0.1, 1, 5], [[0.5, 1, 3], [0.3, 1, 2]]),
    (.inverseGamma, [0.1, 1, 5], [[0.5, 1, 3], [0.3, 1, 2]]),
    (.beta, [0.1, 0.5, 0.9], [[0.5, 1, 3], [0.3, 1, 2]]),
    (.exponential, [0.1, 1, 5], [[0.5, 1, 3]]),
    (.uniform, [0.1, 1, 5], [[0, 0.5, 3], [1, 2, 7]]),
    (.laplace, [-1, 0.4, 5], [[0.3, 0.1, 2], [0.5, 1, 3]]),
    (.logistic, [-10, 0.4, 5], [[0.3, 0.1, 2], [0.5, 1, 3]]),
    (.logisticInterval, [-3, 0.4, 5], [[-1, 0.1, 2], [0.5, 1, 3]]),
    (.chiSquared, [0.1, 1, 5], [[0.5, 1, 3]]),
    (.halfStudentT, [0.1, 1, 5], [[1.5, 5, 30], [0.5, 1, 3]]),
    (.weibull, [0.1, 1, 5], [[0.5, 1, 3], [0.3, 1, 2]]),
    (.pareto, [0.4, 2, 5], [[0.3, 0.1, 2], [0.5, 1, 3]]),
    (.gumbel, [-1, 0.4, 5], [[0.3, 0.1, 2], [0.5, 1, 3]]),
    (.kumaraswamy, [0.1, 0.5, 0.9], [[0.5, 1, 3], [0.3, 1, 2]]),
    (.skewNormal, [-1, 0.4, 5], [[0.3, 0.1, 2], [0.5, 1, 3], [-2, 0, 4]]),
    (.asymmetricLaplace, [-1, 0.4, 5], [[0.3, 0.1, 2], [0.5, 1, 3], [0.6, 1, 2]]),
    (.vonMises, [-1, 0.4, 3], [[0.3, 0.1, 2], [0.1, 1, 40]]),
  ]

  @Test("fused densities, summed and not, arrays and scalars", arguments: densities.indices)
  func fusedDensities(_ index: Int) {
    let (kind, x, parameters) = Self.densities[index]
    let inputs = [Tensor(x)] + parameters.map { Tensor($0) }
    for summed in [false, true] {
      checkGradient("\(kind), summed \(summed)", at: inputs) {
        Tensor.logDensity(kind, $0[0], Array($0.dropFirst()), summed: summed)
      }
      let scalars = [Tensor(x)] + parameters.map { Tensor($0[0]) }
      if kind != .uniform && kind != .pareto {
        checkGradient("\(kind), scalar parameters, summed \(summed)", at: scalars) {
          Tensor.logDensity(kind, $0[0], Array($0.dropFirst()), summed: summed)
        }
      }
      checkGradient("\(kind), constant parameters, summed \(summed)", at: [Tensor(x)]) {
        Tensor.logDensity(kind, $0[0], parameters.map { Tensor($0) }, summed: summed)
      }
    }
  }

  @Test("discrete densities have derivatives in their parameters")
  func discreteDensities() {
    checkGradient("poisson", at: [Tensor([0.3, 2, 9])]) {
      Tensor.logDensity(.poisson, Tensor([0.0, 3, 7]), [$0[0]])
    }
    checkGradient("poisson log", at: [Tensor([-0.3, 2, 1])]) {
      Tensor.logDensity(.poissonLog, Tensor([0.0, 3, 7]), [$0[0]])
    }
    checkGradient("binomial", at: [Tensor([-0.3, 2, 1])]) {
      Tensor.logDensity(.binomialLogit, Tensor([0.0, 3, 7]), [Tensor(7), $0[0]])
    }
    // Both forms of the ratios of gamma functions.
    let concentrations = Tensor([0.3, 20, 1e3])
    checkGradient("beta-binomial", at: [concentrations, concentrations * 2]) {
      Tensor.logDensity(.betaBinomial, Tensor([0.0, 3, 7]), [Tensor(7), $0[0], $0[1]])
    }
    checkGradient("negative binomial", at: [Tensor([-0.3, 2, 1]), concentrations]) {
      Tensor.logDensity(.negativeBinomialLog, Tensor([0.0, 3, 7]), [$0[0], $0[1]])
    }
    checkGradient("geometric", at: [Tensor([-0.3, 2, 1])]) {
      Tensor.logDensity(.geometricLogit, Tensor([0.0, 3, 7]), [$0[0]])
    }
    checkGradient("bernoulli", at: [Tensor([-30.0, 0.2, 40])]) {
      Tensor.logDensity(.bernoulliLogit, Tensor([0.0, 1, 1]), [$0[0]], summed: true)
    }
  }
}
