// SPDX-License-Identifier: MIT
//
// Frozen tapes are rewritten, dynamic ones are not: on programs made at random both have the same values and derivatives.

import Numerics
import Tensors
import Testing

@Suite("Tape rewriter") struct TapeRewriterTests {
  /// A random program: sums, differences, products, concatenations and pieces of what came before, of random numbers too.
  private static func program(_ seed: UInt64, isDynamic: Bool) -> CompiledFunction {
    let point = (0..<6).map { Tensor(0.4 + 0.2 * Double($0)) } + [Tensor([0.5, -0.3, 0.9])]
    return CompiledFunction(at: point, resamples: true) { inputs in
      // Reading a number makes the program dynamic: it is then recorded at each evaluation, and run as recorded.
      if isDynamic { _ = inputs[0].item() }
      let key = RandomKey(seed)
      // Random numbers are neither constants nor differentiated.
      let noise = [
        Tensor.standardNormal(key: 1, shape: [3]), Tensor.standardNormal(key: 2, shape: []),
      ]
      var values = inputs + noise
      var step: UInt64 = 0
      func pick(_ count: Int) -> Int {
        step += 1
        return Int(key.uniform(step) * Double(count))
      }
      for _ in 0..<40 {
        let (a, b) = (values[pick(values.count)], values[pick(values.count)])
        let isFitting = a.shape == b.shape || a.count == 1 || b.count == 1
        switch pick(10) {
        case 0 where isFitting, 1 where isFitting: values.append(a + b)
        case 2 where isFitting: values.append(a - b)
        case 3 where isFitting, 4 where isFitting: values.append(0.7 * tanh(a) * b)
        case 5:
          // Long sums of numbers, some of which are used again.
          var total = a.sum()
          for _ in 0..<5 {
            total = pick(2) == 0 ? total + values[pick(values.count)].sum() : 0.1 - total
          }
          values.append(total)
        case 6:
          let parts = (0..<4).map { _ in values[pick(values.count)].flattened() }
          values.append(tanh(Tensor.concatenate(parts)))
        case 7 where a.count > 2 && a.rank == 1: values.append(a[1..<(a.count - 1)] + a[0])
        case 8: values.append(Tensor.logDensity(.normal, a, [b.sum(), Tensor(1.5)], summed: true))
        case 9: values.append(a.stoppingGradient())
        default: values.append(sin(a))
        }
        if values[values.count - 1].count > 40 { values.removeLast() }
      }
      // Not all of them are read: dead code is dropped; one is read as a whole, another is a second output.
      let kept = values.enumerated().filter { $0.offset % 3 != 1 }.map { $0.element.sum() }
      return [Tensor.stack(kept).sum() + 0.1 * square(values[values.count - 1]).sum(), values[10]]
    }
  }

  /// Returns value, gradient and Hessian-vector product.
  private func derivatives(_ function: CompiledFunction, _ x: [Double]) -> [Double] {
    let evaluator = function.makeEvaluator()
    evaluator.redraw(key: 8)
    var (g, h) = ([Double](repeating: 0, count: x.count), [Double](repeating: 0, count: x.count))
    let direction = x.indices.map { 0.4 - 0.23 * Double(($0 * 5) % 4) }
    var value = 0.0
    x.withUnsafeBufferPointer { x in
      value = g.withUnsafeMutableBufferPointer { evaluator.valueAndGradient(at: x, into: $0) }
      direction.withUnsafeBufferPointer { direction in
        _ = h.withUnsafeMutableBufferPointer {
          evaluator.hessianVectorProduct(at: x, direction, into: $0)
        }
      }
      // Once more: what a first evaluation leaves behind must not show.
      let again = g.withUnsafeMutableBufferPointer { evaluator.valueAndGradient(at: x, into: $0) }
      #expect(again == value)
    }
    return [value] + g + h
  }

  @Test("random programs keep their values and derivatives", arguments: 0..<200 as Range<UInt64>)
  func random(_ seed: UInt64) {
    let (frozen, plain) = (
      Self.program(seed, isDynamic: false), Self.program(seed, isDynamic: true)
    )
    #expect(!frozen.isDynamic && plain.isDynamic)
    let x = (0..<9).map { 0.3 + 0.15 * Double(($0 * 4) % 7) }
    let (a, b) = (derivatives(frozen, x), derivatives(plain, x))
    let scale = b.map(abs).max() ?? 1
    // Programs of some hundred operations, their derivatives at most `scale`: rounding, and no more.
    for (k, (p, q)) in zip(a, b).enumerated() {
      #expect(abs(p - q) <= 1e-12 * max(scale, 1), "seed \(seed), number \(k): \(p), \(q)")
    }
  }

  @Test("a chain of a hundred thousand sums is one instruction, made without deep recursion")
  func longChain() {
    let count = 100_000
    let function = CompiledFunction(at: [Tensor([0.5, 2])]) { inputs in
      let (x, y) = (inputs[0][0], inputs[0][1])
      var total = x
      for k in 0..<count { total = total + (k % 2 == 0 ? x : y) }
      return [total]
    }
    #expect(function.instructionCount < 10)
    let (value, gradient) = TapeTests.derivative(function.makeEvaluator(), [0.5, 2])
    #expect(value == 0.5 + 50_000 * 2.5 && gradient == [50_001, 50_000])
  }

  @Test("a loop over a series leaves an instruction or two for each step")
  func loop() {
    let y = (0..<100).map { Double($0 % 7) }
    let function = CompiledFunction(at: [Tensor(0.3), Tensor(0.2)]) { inputs in
      var errors = [y[0] - inputs[0]]
      for t in 1..<100 { errors.append(y[t] - inputs[0] - inputs[1] * errors[t - 1]) }
      return [square(Tensor.stack(errors)).sum()]
    }
    // Two a step and a few around the loop; as recorded it is four a step.
    #expect(function.instructionCount < 220, "\(function.instructionCount)")
  }
}
