// SPDX-License-Identifier: MIT
//
// Steps over many elements, by vector kernels, against the same steps one element at a time; NaN and infinities too.

import Tensors
import TestSupport
import Testing

/// Lengths below, at and beyond the blocks of 4, 8 and 16 that kernels work in.
private let lengths = [1, 7, 8, 9, 15, 16, 17, 20, 33, 130, 257]

@Suite("Vector steps") struct VectorStepTests {
  /// Numbers away from zero and from symmetries.
  private static func numbers(_ count: Int, _ a: Double) -> Tensor {
    1.3 + 0.7 * sin(Tensor.arange(count) * a + 0.4)
  }

  /// Functions of a vector, another, and a number, each of which ends in one instruction over many elements.
  private static let functions: [(String, @Sendable (Tensor, Tensor, Tensor) -> Tensor)] = [
    ("x + y", { x, y, _ in x + y }), ("x + c", { x, _, c in x + c }),
    ("c + x", { x, _, c in c + x }),
    ("x − y", { x, y, _ in x - y }), ("x − c", { x, _, c in x - c }),
    ("c − x", { x, _, c in c - x }),
    ("x y", { x, y, _ in x * y }), ("x c", { x, _, c in x * c }), ("c x", { x, _, c in c * x }),
    ("x x", { x, _, _ in x * x }), ("x + x", { x, _, _ in x + x }),
    ("x / y", { x, y, _ in x / y }), ("x / c", { x, _, c in x / c }),
    ("c / x", { x, _, c in c / x }),
    ("x y + c", { x, y, c in x * y + c }), ("x y − c", { x, y, c in x * y - c }),
    ("c − x y", { x, y, c in c - x * y }), ("y − x c", { x, y, c in y - x * c }),
    ("x c + y", { x, y, c in x * c + y }), ("x + x y", { x, y, _ in x + x * y }),
    ("e^x", { x, _, _ in exp(x) }), ("log x", { x, _, _ in log(x) }),
    ("x²", { x, _, _ in square(x) }),
  ]

  @Test("derivatives agree with differences for every length", arguments: lengths)
  func gradients(_ n: Int) {
    let (x, y) = (Self.numbers(n, 1.1), Self.numbers(n, 2.3))
    for (name, f) in Self.functions {
      checkGradient("\(name), \(n)", at: [x, y, Tensor(0.8)]) { f($0[0], $0[1], $0[2]) }
    }
    checkGradient("sum, \(n)", at: [x]) { square($0[0].sum()) }
  }

  /// Returns the value of a function and its gradient, with the weight 1.5 for each element of the result.
  private func evaluate(
    _ inputs: [Tensor], _ f: @escaping @Sendable ([Tensor]) -> Tensor
  ) -> (values: [Double], gradient: [Double]) {
    let function = CompiledFunction(at: inputs) { [f($0)] }
    let evaluator = function.makeEvaluator()
    let x = inputs.flatMap(\.elements)
    var gradient = [Double](repeating: 0, count: x.count)
    let weights = [Double](repeating: 1.5, count: f(inputs).count)
    let values = x.withUnsafeBufferPointer { x in
      weights.withUnsafeBufferPointer { weights in
        gradient.withUnsafeMutableBufferPointer {
          evaluator.vectorJacobianProduct(at: x, weights, into: $0)
        }
      }
    }
    return (values, gradient)
  }

  /// Whether two numbers are the same, or differ by rounding: a product may be added unrounded.
  private func agree(_ x: Double, _ y: Double, _ tolerance: Double = 1e-15) -> Bool {
    x.isNaN ? y.isNaN : x == y || abs(x - y) <= tolerance * max(abs(x), abs(y), 1)
  }

  /// Numbers at which arithmetic is special.
  private static let special: [Double] = [
    0, -0.0, 1, -2, .infinity, -.infinity, .nan, .leastNormalMagnitude / 4, 1e308, -1e308,
    .leastNonzeroMagnitude,
  ]

  @Test("NaN, infinities and zeros come out as they do one element at a time")
  func specialNumbers() {
    // All pairs: 121 elements.
    let x = Self.special.flatMap { a in Self.special.map { _ in a } }
    let y = Self.special.flatMap { _ in Self.special }
    for c in Self.special {
      for (name, f) in Self.functions {
        let all = evaluate([Tensor(x), Tensor(y), Tensor(c)]) { f($0[0], $0[1], $0[2]) }
        var byC = 0.0
        for k in x.indices {
          let one = evaluate([Tensor([x[k]]), Tensor([y[k]]), Tensor(c)]) { f($0[0], $0[1], $0[2]) }
          let place = "\(name) at \(x[k]), \(y[k]), \(c)"
          // c e308 and the like: unrounded products overflow later than rounded ones, and cancel where those do not.
          let isExtreme = max(abs(x[k]), abs(y[k])) >= 1e308 && name.contains("y")
          #expect(agree(all.values[k], one.values[0]) || isExtreme, "\(place)")
          #expect(agree(all.gradient[k], one.gradient[0]) || isExtreme, "\(place): by x")
          #expect(
            agree(all.gradient[x.count + k], one.gradient[1]) || isExtreme, "\(place): by y")
          byC += one.gradient[2]
        }
        // A sum of numbers of any size in another order: NaN is NaN, what is not finite stays so.
        #expect(
          all.gradient[2 * x.count].isNaN == byC.isNaN || !byC.isFinite, "\(name), \(c): by c")
      }
    }
  }

  // MARK: - Normal densities

  /// Operands of a normal density of n elements: value, location and scale, each one for all or one for each.
  private static func operands(_ n: Int, _ pattern: Int) -> [Tensor] {
    (0..<3).map { k in
      pattern & (1 << k) != 0 ? numbers(n, 0.9 + 0.7 * Double(k)) : Tensor(0.9 + 0.2 * Double(k))
    }
  }

  @Test(
    "normal densities have the derivatives of their formula, whichever operands vary",
    arguments: lengths)
  func normal(_ n: Int) {
    for pattern in 1..<8 {
      let operands = Self.operands(n, pattern)
      // Each subset of the operands is active, the others are data.
      for active in 1..<8 {
        let chosen = (0..<3).filter { active & (1 << $0) != 0 }
        checkGradient("normal \(pattern), \(active), \(n)", at: chosen.map { operands[$0] }) {
          inputs in
          var full = operands
          for (k, place) in chosen.enumerated() { full[place] = inputs[k] }
          return Tensor.logDensity(
            .normal, full[0].broadcast(to: [n]), [full[1], full[2]], summed: true)
        }
        checkGradient("normal \(pattern), \(active), \(n), each", at: chosen.map { operands[$0] }) {
          inputs in
          var full = operands
          for (k, place) in chosen.enumerated() { full[place] = inputs[k] }
          return Tensor.logDensity(.normal, full[0], [full[1], full[2]])
        }
      }
    }
  }

  @Test("normal densities of special numbers are those of one element at a time")
  func specialNormals() {
    let values: [Double] = [0, 1.5, -2, .infinity, -.infinity, .nan, 1e200]
    let scales: [Double] = [1, 0.5, 0, -1, .infinity, .nan, 1e-300, 1e300]
    let n = 19
    for x in values {
      for scale in scales {
        for isEach in [false, true] {
          // One element in eight is special.
          let data = (0..<n).map { $0 % 8 == 3 ? x : 0.1 * Double($0) }
          let widths = isEach ? (0..<n).map { $0 % 8 == 3 ? scale : 1 } : [scale]
          let given = isEach ? Tensor(widths) : Tensor(scale)
          let location = Tensor((0..<n).map { 0.2 * Double($0) })
          let all = evaluate([Tensor(data), location, given]) {
            Tensor.logDensity(.normal, $0[0], [$0[1], $0[2]], summed: true)
          }
          var total = 0.0
          for k in 0..<n {
            let one = evaluate([Tensor(data[k]), location[k], Tensor(widths[isEach ? k : 0])]) {
              Tensor.logDensity(.normal, $0[0], [$0[1], $0[2]])
            }
            total += one.values[0]
            let place = "\(x), \(scale), \(isEach): \(k)"
            // Reciprocals are taken once, then multiplied: two more roundings.
            #expect(agree(all.gradient[k], one.gradient[0], 1e-14), "\(place), by x")
            #expect(agree(all.gradient[n + k], one.gradient[1], 1e-14), "\(place), by location")
            if isEach {
              #expect(agree(all.gradient[2 * n + k], one.gradient[2], 1e-14), "\(place), by scale")
            }
          }
          #expect(
            agree(all.values[0], total, 1e-13),
            "\(x), \(scale), \(isEach): \(all.values[0]), \(total)")
        }
      }
    }
  }

  // MARK: - Products with constant matrices

  @Test("products of a constant matrix with a vector have the derivatives of their definition")
  func matrices() {
    for rows in [1, 8, 9, 15, 16, 33, 100] {
      for columns in [1, 2, 3, 4, 5, 7, 8, 13] {
        let matrix = Self.numbers(rows * columns, 1.7).reshaped([rows, columns])
        let x = Self.numbers(columns, 0.6)
        checkGradient("\(rows) × \(columns)", at: [x]) { sin(matrix.matmul($0[0])) }
        // Twice the same matrix, once more by its rows.
        checkGradient("\(rows) × \(columns), again", at: [x]) {
          matrix.matmul(sin($0[0])) * matrix.matmul($0[0]) + matrix.sum(axis: 1)
            + matrix.matmul($0[0].expandingAxis(1)).flattened()
        }
      }
    }
    let infinite = Tensor((0..<24).map { $0 == 7 ? .infinity : 1 }, shape: [12, 2])
    let product = evaluate([Tensor([0.0, 0])]) { infinite.matmul($0[0]) }
    #expect(product.values[3].isNaN && product.values[2] == 0 && product.values[4] == 0)
    #expect(product.gradient == [18, .infinity])
  }
}
