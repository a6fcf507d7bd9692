// SPDX-License-Identifier: MIT
//
// Random numbers on a tape: constants by default, drawn anew on request, never differentiated.

import AllocationCounter
import Numerics
import Tensors
import TestSupport
import Testing

@Suite("Noise slots")
struct NoiseTests {
  /// x₀ + x₁ · normal numbers, a uniform number, and rows picked at random: all kinds of numbers in one function.
  static func function(resamples: Bool, reading: Bool = false) -> CompiledFunction {
    CompiledFunction(at: [Tensor([0.5, 2])], resamples: resamples) { inputs in
      let x = inputs[0]
      let z = Tensor.standardNormal(key: 1, shape: [3])
      let u = Tensor.standardUniform(key: 2, shape: [])
      let picked = Tensor([1, 2, 4, 8, 16]).take(Tensor.subset(2, of: 5, key: 3))
      if reading { _ = x[0].item() }
      return [(x[0] + x[1] * z).sum() + u * square(x[1]) + (picked * x[0]).sum()]
    }
  }

  /// Returns the value and the gradient that the function has by its definition.
  static func expected(_ x: [Double], step: RandomKey?, mirrored: Bool = false) -> [Double] {
    let keys = [1, 2, 3].map { (k: RandomKey) in step.map { k.folding(key: $0) } ?? k }
    let sign = mirrored ? -1.0 : 1
    let z = keys[0].normals(3).reduce(0.0) { $0 + sign * $1 }
    let u = mirrored ? 1 - keys[1].uniform(0) : keys[1].uniform(0)
    let table: [Double] = [1, 2, 4, 8, 16]
    let picked = keys[2].subset(2, of: 5).reduce(0.0) { $0 + table[Int($1)] }
    return [
      3 * x[0] + x[1] * z + u * x[1] * x[1] + picked * x[0], 3 + picked, z + 2 * u * x[1],
    ]
  }

  @Test("without resampling draws are constants of the key, and a redraw changes nothing")
  func constants() {
    let evaluator = Self.function(resamples: false).makeEvaluator()
    let expected = Self.expected([1, 3], step: nil)
    for _ in 0..<2 {
      let (value, g) = TapeTests.derivative(evaluator, [1, 3])
      for (a, b) in zip([value] + g, expected) { #expect(abs(a - b) <= 1e-14 * abs(b)) }
      evaluator.redraw(key: 9)
    }
  }

  @Test("with resampling each key gives its own numbers, on every evaluator; the first is key 0")
  func redrawn() {
    let function = Self.function(resamples: true)
    #expect(!function.isDynamic && function.resamples)
    let (evaluator, other) = (function.makeEvaluator(), function.makeEvaluator())
    let first = TapeTests.derivative(evaluator, [1, 3])
    #expect(abs(first.0 - Self.expected([1, 3], step: 0)[0]) <= 1e-13)
    var values: Set<Double> = []
    for step in [0, 1, 2, 7] as [RandomKey] {
      for mirrored in [false, true] {
        evaluator.redraw(key: step, isMirrored: mirrored)
        let (value, g) = TapeTests.derivative(evaluator, [1, 3])
        let expected = Self.expected([1, 3], step: step, mirrored: mirrored)
        for (a, b) in zip([value] + g, expected) { #expect(abs(a - b) <= 1e-13 * max(1, abs(b))) }
        values.insert(value)
        other.redraw(key: step, isMirrored: mirrored)
        #expect(TapeTests.derivative(other, [1, 3]) == (value, g))
      }
    }
    #expect(values.count == 8)
    evaluator.redraw(key: 0)
    #expect(TapeTests.derivative(evaluator, [1, 3]) == first)
  }

  @Test("a function that reads a number is recorded anew with the numbers of the latest redraw")
  func dynamic() {
    let function = Self.function(resamples: true, reading: true)
    #expect(function.isDynamic)
    let evaluator = function.makeEvaluator()
    for step in [4, 5] as [RandomKey] {
      evaluator.redraw(key: step)
      let (value, g) = TapeTests.derivative(evaluator, [1, 3])
      for (a, b) in zip([value] + g, Self.expected([1, 3], step: step)) {
        #expect(abs(a - b) <= 1e-13 * max(1, abs(b)))
      }
    }
  }

  @Test("draws by plain numbers make a resampling function dynamic, and change with the key")
  func plainNumbers() {
    let function = CompiledFunction(at: [Tensor(1)], resamples: true) {
      [$0[0] * RandomKey(6).ofThisEvaluation.uniform(0)]
    }
    #expect(function.isDynamic)
    let evaluator = function.makeEvaluator()
    for step in [0, 1] as [RandomKey] {
      evaluator.redraw(key: step)
      let expected = RandomKey(6).folding(key: step).uniform(0)
      #expect(TapeTests.derivative(evaluator, [2]) == (2 * expected, [expected]))
    }
    #expect(RandomKey(6).ofThisEvaluation == 6)
    let frozen = CompiledFunction(at: [Tensor(1)]) {
      [$0[0] * RandomKey(6).ofThisEvaluation.uniform(0)]
    }
    #expect(!frozen.isDynamic)
  }

  @Test("Hessian-vector products and tangents see the same numbers as the gradient")
  func secondOrder() {
    let evaluator = Self.function(resamples: true).makeEvaluator()
    evaluator.redraw(key: 3)
    let (value, g) = TapeTests.derivative(evaluator, [1, 3])
    let u = RandomKey(2).folding(key: 3).uniform(0)
    var (product, gradient) = ([0.0, 0], [0.0, 0])
    let dual = [1.0, 3].withUnsafeBufferPointer { x in
      [0.0, 1].withUnsafeBufferPointer { v in
        product.withUnsafeMutableBufferPointer { product in
          gradient.withUnsafeMutableBufferPointer {
            evaluator.hessianVectorProduct(at: x, v, into: product, gradient: $0)
          }
        }
      }
    }
    #expect(dual == value && gradient == g)
    #expect(product == [0, 2 * u])
  }

  @Test("numbers that no output depends on are not drawn, those that are outputs themselves are")
  func liveness() {
    let function = CompiledFunction(at: [Tensor(1)], resamples: true) { inputs in
      _ = Tensor.standardNormal(key: 1, shape: [1000]) * inputs[0]
      return [Tensor.standardNormal(key: 2, shape: [2])]
    }
    let evaluator = function.makeEvaluator()
    evaluator.redraw(key: 8)
    let values = [1.0].withUnsafeBufferPointer { evaluator.value(at: $0) }
    #expect(values == RandomKey(2).folding(key: 8).normals(2))
    #expect(function.instructionCount == 0)
  }

  @Test("what follows from random numbers alone is left out of the reverse pass, mixtures are not")
  func inactive() {
    let function = CompiledFunction(at: [Tensor([0.5, 2])], resamples: true) { inputs in
      let x = inputs[0]
      let z = Tensor.standardNormal(key: 1, shape: [2])
      let noise = exp(z) * 3
      let stopped = square(x.stoppingGradient())
      // The first element of a mixture has no derivative, the others have.
      let mixture = Tensor.concatenate([noise, x, stopped])
      let part = mixture.sliced(1..<5, axis: 0)  // z, x₀, x₁, stopped
      return [(square(part) * Tensor([1, 2, 3, 4])).sum() + (stopped * noise).sum()]
    }
    let evaluator = function.makeEvaluator()
    evaluator.redraw(key: 5)
    let (_, g) = TapeTests.derivative(evaluator, [0.5, 2])
    // 1 · z² + 2 · x₀² + 3 · x₁² + 4 · stopped.
    #expect(g == [2, 12])
  }

  @Test("a redraw and a replay allocate nothing", .enabled(if: allocation_count() >= 0))
  func allocations() {
    let function = CompiledFunction(at: [Tensor([0.5, 2])], resamples: true) { inputs in
      let x = inputs[0]
      let z = Tensor.standardNormal(key: 1, shape: [40])
      let picked = Tensor.arange(500).take(Tensor.subset(100, of: 500, key: 3))
      return [(x[0] + x[1] * z).sum() + (picked * x[0]).sum()]
    }
    let evaluator = function.makeEvaluator()
    let x = [1.0, 3]
    var g = [0.0, 0]
    x.withUnsafeBufferPointer { x in
      g.withUnsafeMutableBufferPointer { g in
        _ = evaluator.valueAndGradient(at: x, into: g)
        let before = allocation_count()
        for step in 0..<20 {
          evaluator.redraw(key: RandomKey(UInt64(step)))
          _ = evaluator.valueAndGradient(at: x, into: g)
        }
        #expect(allocation_count() - before == 0)
      }
    }
  }
}
