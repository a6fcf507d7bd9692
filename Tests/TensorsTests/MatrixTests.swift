// SPDX-License-Identifier: MIT
//
// Matrices in batches and large ones, their parts, and the ways to pick elements.

import Tensors
import TestSupport
import Testing

@Suite("Matrices")
struct MatrixTests {
  /// Returns a positive-definite matrix with given irregular elements.
  private static func definite(_ n: Int, seed: Double = 1.3) -> Tensor {
    let a = sin(Tensor.arange(n * n) * 1.7 + seed).reshaped([n, n])
    return a.matmul(a.transposed()) / Double(n) + Tensor.identity(n)
  }

  /// Two positive-definite matrices.
  static let pair = Tensor.stack([definite(3), definite(3, seed: 0.2)])

  @Test("factors and solves of a batch are those of its matrices, with their derivatives")
  func batches() {
    let factors = Self.pair.cholesky()
    let right = cos(Tensor.arange(12) * 2.1).reshaped([2, 3, 2])
    for k in 0..<2 {
      #expect(factors[k].elements == Self.pair[k].cholesky().elements)
      for transposed in [false, true] {
        let solutions = factors.triangularSolve(right, transposed: transposed)
        let one = factors[k].triangularSolve(right[k], transposed: transposed)
        #expect(solutions[k].elements == one.elements)
        let vectors = factors.triangularSolve(right[..., 0], transposed: transposed)
        #expect(vectors[k].elements == one[..., 0].elements)
      }
    }
    checkGradient("cholesky of a batch", at: [Self.pair]) { $0[0].cholesky() }
    for transposed in [false, true] {
      checkGradient("solves of a batch", at: [factors, right]) {
        $0[0].triangularSolve($0[1], transposed: transposed)
      }
      checkGradient("one factor, a batch of right sides", at: [factors[0], right]) {
        $0[0].triangularSolve($0[1], transposed: transposed)
      }
      checkGradient("a batch of vectors", at: [factors, right[..., 1]]) {
        $0[0].triangularSolve($0[1], transposed: transposed)
      }
    }
    checkGradient("log determinants", at: [Self.pair]) { $0[0].logDeterminant() }
    checkGradient("solve by a factor", at: [Self.pair[0], right[0]]) {
      $0[0].cholesky().choleskySolve($0[1])
    }
    let difference = Self.pair[1].matmul(factors[1].choleskySolve(right[1])) - right[1]
    #expect(abs(difference).max().item() < 1e-14)
  }

  @Test("large matrices, which LAPACK does, have the same factors and derivatives")
  func large() {
    // On both sides of the side from which on LAPACK is used.
    for n in [23, 24, 40] {
      let a = Self.definite(n)
      let l = a.cholesky()
      #expect(abs(l.matmul(l.transposed()) - a).max().item() < 1e-14)
      #expect(l.elements == l.lowerTriangle().elements)
      let b = cos(Tensor.arange(n) * 2.3)
      let solution = l.triangularSolve(l.triangularSolve(b), transposed: true)
      #expect(abs(a.matmul(solution) - b).max().item() < 1e-13)
      // The adjoint of the whole factor, also of its zeros, which must have no effect.
      checkGradient("cholesky of \(n)", at: [a], secondOrder: false) { inputs in
        let l = inputs[0].cholesky()
        return (l * sin(Tensor.arange(n * n)).reshaped([n, n])).sum() + log(l.diagonal()).sum()
      }
      checkGradient("solve of \(n)", at: [l, b], secondOrder: false) {
        $0[0].lowerTriangle().triangularSolve($0[1])
      }
    }
    let bad = Self.definite(30) - 3 * Tensor.identity(30)
    #expect(bad.cholesky().elements.allSatisfy { $0.isNaN })
    var broken = Self.definite(30).elements
    broken[5] = .nan
    broken[150] = .nan
    #expect(Tensor(broken, shape: [30, 30]).cholesky().elements.allSatisfy { $0.isNaN })
  }

  @Test("products of matrices with vectors by BLAS have the derivatives of the loops")
  func matrixVector() {
    let a = sin(Tensor.arange(900) * 1.7).reshaped([90, 10])
    let (x, y) = (cos(Tensor.arange(10)), cos(Tensor.arange(90)))
    checkGradient("A x", at: [a, x], secondOrder: false) { $0[0].matmul($0[1]) }
    checkGradient("y A", at: [y, a], secondOrder: false) { $0[0].matmul($0[1]) }
    let direct = (0..<90).map { (a[$0] * x).sum().item() }
    #expect(zip(a.matmul(x).elements, direct).allSatisfy { abs($0 - $1) < 1e-14 })
    let left = (0..<10).map { (a[..., $0] * y).sum().item() }
    #expect(zip(y.matmul(a).elements, left).allSatisfy { abs($0 - $1) < 1e-13 })
  }

  @Test("products take any number of equal leading axes")
  func leadingAxes() {
    let a = sin(Tensor.arange(48)).reshaped([2, 2, 3, 4])
    let b = cos(Tensor.arange(32)).reshaped([2, 2, 4, 2])
    let product = a.matmul(b)
    #expect(product.shape == [2, 2, 3, 2])
    #expect(product[1, 0].elements == a[1, 0].matmul(b[1, 0]).elements)
    #expect(a.matmul(b[0, 1])[1, 1].elements == a[1, 1].matmul(b[0, 1]).elements)
    checkGradient("leading axes", at: [a, b]) { $0[0].matmul($0[1]) }
  }

  @Test("parts of matrices and outer products")
  func parts() {
    let m = Tensor.arange(9).reshaped([3, 3])
    #expect(m.diagonal().elements == [0, 4, 8])
    #expect(Tensor.stack([m, m + 1]).diagonal().elements == [0, 4, 8, 1, 5, 9])
    #expect(m.lowerTriangle().elements == [0, 0, 0, 3, 4, 0, 6, 7, 8])
    #expect(Tensor([1, 2]).diagonalMatrix().elements == [1, 0, 0, 2])
    #expect(Tensor([1, 2, 3, 4], shape: [2, 2]).diagonalMatrix()[1].elements == [3, 0, 0, 4])
    #expect(Tensor([1, 2]).outer(Tensor([3, 4, 5])).elements == [3, 4, 5, 6, 8, 10])
    checkGradient("outer", at: [Tensor([1, 2]), Tensor([3.0, 4, 5])]) { $0[0].outer($0[1]) }
    checkGradient("diagonals", at: [Self.pair]) { $0[0].diagonal() * 2 }
    checkGradient("lower triangles", at: [Self.pair]) { $0[0].lowerTriangle() }
  }

  @Test("rows, columns and blocks are picked as in NumPy")
  func picking() {
    let x = Tensor.arange(12).reshaped([3, 4])
    #expect(x[1...].elements == Array(4..<12).map(Double.init))
    #expect(x[..<1].shape == [1, 4])
    #expect(x[..., 2].elements == [2, 6, 10])
    #expect(x[..., 1..<3].shape == [3, 2])
    #expect(x[1..., 2].elements == [6, 10])
    #expect(x[0, 1...].elements == [1, 2, 3])
    #expect(x[1..<3, ...2].elements == [4, 5, 6, 8, 9, 10])
    #expect(x.take(rows: [0, 2, 2], columns: [3, 0, 3]).elements == [3, 8, 11])
    #expect(x.takeLast(Tensor([1, 0, 3])).elements == [1, 4, 11])
    let pairs = Tensor([1, 0, 3, 3], shape: [2, 2])
    #expect(x[0].takeLast(pairs).elements == [1, 0, 3, 3])
    #expect(x.takeLast(Tensor(2)).elements == [2, 6, 10])
    #expect(x.expandingAxis(1).takeLast(Tensor([0, 1])).elements == [0, 1, 4, 5, 8, 9])
    #expect(x.differences().elements == [Double](repeating: 1, count: 9))
    #expect(x.differences(axis: 0).shape == [2, 4])
    let picks: [@Sendable (Tensor) -> Tensor] = [
      { $0[..., 2] }, { $0[1..., 2] }, { $0[1..<3, 1...] }, { $0.takeLast(Tensor([1, 0, 3])) },
      { $0.take(rows: [0, 2, 2], columns: [3, 0, 3]) }, { $0.differences(axis: 0) },
    ]
    for pick in picks { checkGradient("picking", at: [x]) { square(pick($0[0])) } }
    // An index that is computed on the tape.
    checkGradient("index on the tape", at: [x, Tensor([0.2, 1.4, 3.7])], secondOrder: false) {
      $0[0].takeLast(floor($0[1])) * 2
    }
  }

  @Test("logarithms of sums keep their limits, in rows and in columns")
  func logSums() {
    let x = Tensor([-.infinity, -.infinity, 0, -.infinity, 700, 710], shape: [3, 2])
    #expect(x.logSumExp(axis: 1).elements[0] == -.infinity)
    #expect(x.logSumExp(axis: 1).elements[1] == 0)
    let g = gradient(at: x) { minimum($0.logSumExp(axis: 1), 1e6).sum() }
    #expect(g.elements.prefix(4) == [0, 0, 1, 0])
    #expect(abs(g.elements[4] + g.elements[5] - 1) < 1e-15)
    #expect(logAddExp(x[..., 0], x[..., 1]).elements[0] == -.infinity)
    let h = gradient(at: x) { logAddExp($0[..., 0], $0[..., 1]).sum() }
    #expect(zip(h.elements, g.elements).allSatisfy { abs($0 - $1) < 1e-15 })
    let wide = sin(Tensor.arange(24)).reshaped([2, 4, 3]) * 3
    for axis in 0..<3 {
      checkGradient("logSumExp \(axis)", at: [wide]) { $0[0].logSumExp(axis: axis) }
      checkGradient("logSoftmax \(axis)", at: [wide]) { $0[0].logSoftmax(axis: axis) }
    }
    checkGradient("long logAddExp", at: [wide[0], wide[1]]) { logAddExp($0[0], $0[1]) }
    let long = wide[0].flattened()
    checkGradient("logAddExp with a number", at: [long, Tensor(0.3)]) { logAddExp($0[0], $0[1]) }
    for f in [
      { @Sendable in logSigmoid($0) }, { @Sendable in logit(sigmoid($0)) },
      { @Sendable in log1mexp(exp($0)) },
    ]
      as [@Sendable (Tensor) -> Tensor]
    {
      checkGradient("composed", at: [long]) { f($0[0]) }
    }
    #expect(abs(logSigmoid(Tensor(-800)).item() + 800) == 0)
  }
}

@Suite("Differential equations")
struct DifferentialEquationTests {
  /// An oscillator of given frequency, as a system of first order.
  @Sendable private static func oscillator(_ frequency: Tensor, _ steps: Int) -> Tensor {
    rungeKutta(from: Tensor([1, 0]), times: [0, 0.4, 1, 2.5], stepsPerInterval: steps) { _, y in
      Tensor.stack([y[1], -square(frequency) * y[0]])
    }
  }

  @Test("the error falls with the fourth power of the step")
  func order() {
    let exact = cos(Tensor([0, 0.4, 1, 2.5]) * 1.7)
    let errors = [8, 16, 32].map { steps in
      abs(Self.oscillator(Tensor(1.7), steps)[..., 0] - exact).max().item()
    }
    // 16 for vanishing steps.
    #expect(errors[0] / errors[1] > 14 && errors[0] / errors[1] < 18)
    #expect(errors[1] / errors[2] > 15 && errors[1] / errors[2] < 17)
    #expect(errors[2] < 1e-6)
  }

  @Test("time enters the equation, and derivatives are those of the computed solution")
  func derivatives() {
    // dy/dt = a t: y = a t²/2, exact for a method of fourth order.
    let solution = rungeKutta(from: Tensor(2), times: [1, 3], stepsPerInterval: 1) { t, _ in
      Tensor(0.5 * t)
    }
    #expect(abs(solution[1].item() - 4) < 1e-15)
    checkGradient("oscillator", at: [Tensor(1.3)]) { Self.oscillator($0[0], 4) }
  }
}
