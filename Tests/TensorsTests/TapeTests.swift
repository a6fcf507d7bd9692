// SPDX-License-Identifier: MIT
//
// The tape itself: replay, folding, dead code, the dynamic fallback, allocation.

import AllocationCounter
import Synchronization
import Tensors
import TestSupport
import Testing

@Suite("Tape")
struct TapeTests {
  /// Returns value and gradient by an evaluator.
  static func derivative(_ evaluator: FunctionEvaluator, _ x: [Double]) -> (Double, [Double]) {
    var g = [Double](repeating: 0, count: x.count)
    let value = x.withUnsafeBufferPointer { x in
      g.withUnsafeMutableBufferPointer { evaluator.valueAndGradient(at: x, into: $0) }
    }
    return (value, g)
  }

  @Test("a program is recorded once and replayed at other points")
  func replay() {
    let runs = Atomic<Int>(0)
    let counter = { @Sendable in _ = runs.wrappingAdd(1, ordering: .relaxed) }
    let function = withCounter(counter)
    let evaluator = function.makeEvaluator()
    #expect(Self.derivative(evaluator, [3, 4]) == (3 * 3 * 4, [24, 9]))
    #expect(Self.derivative(evaluator, [1, -1]) == (-1, [-2, 1]))
    #expect(!function.isDynamic)
    #expect(runs.load(ordering: .relaxed) == 1)
  }

  /// Returns x² y, counting how often the body runs.
  private func withCounter(_ count: @escaping @Sendable () -> Void) -> CompiledFunction {
    CompiledFunction(at: [Tensor(1), Tensor(2)]) { inputs in
      count()
      return [inputs[0] * inputs[0] * inputs[1]]
    }
  }

  @Test("control flow on values is right everywhere, at the price of recording anew")
  func dynamic() {
    let function = CompiledFunction(at: [Tensor(1)]) { inputs in
      inputs[0].isGreater(than: 0).isTrue ? [square(inputs[0])] : [inputs[0] * -3]
    }
    #expect(function.isDynamic)
    let evaluator = function.makeEvaluator()
    #expect(Self.derivative(evaluator, [2]) == (4, [4]))
    #expect(Self.derivative(evaluator, [-2]) == (6, [-3]))
    #expect(Self.derivative(evaluator, [5]) == (25, [10]))
    #expect(evaluator.recordings == 3)
    var product = [0.0]
    for (x, expected) in [(2.0, 2.0), (-2.0, 0.0)] {
      _ = [x].withUnsafeBufferPointer { x in
        [1.0].withUnsafeBufferPointer { v in
          product.withUnsafeMutableBufferPointer {
            evaluator.hessianVectorProduct(at: x, v, into: $0)
          }
        }
      }
      #expect(product == [expected])
    }
  }

  @Test("loops whose length depends on a value are differentiated")
  func dynamicLoop() {
    let function = CompiledFunction(at: [Tensor(3.2)]) { inputs in
      var y = Tensor(1)
      for _ in 0..<Int(inputs[0].item()) { y = y * inputs[0] }
      return [y]
    }
    let evaluator = function.makeEvaluator()
    #expect(Self.derivative(evaluator, [3.5]).0 == 3.5 * 3.5 * 3.5)
    #expect(Self.derivative(evaluator, [5.5]).1[0] == 5 * 5.5 * 5.5 * 5.5 * 5.5)
  }

  @Test("constants are folded and dead code is dropped")
  func folding() {
    let function = CompiledFunction(at: [Tensor(1)]) { inputs in
      let c = exp(Tensor([1, 2, 3]).sum()) * 2
      _ = sin(inputs[0]) * 5
      return [inputs[0] * c]
    }
    #expect(function.instructionCount == 1)
  }

  @Test("an output that does not depend on the inputs has gradient zero")
  func constantOutput() {
    let evaluator = CompiledFunction(at: [Tensor(1)]) { _ in [Tensor(7)] }.makeEvaluator()
    #expect(Self.derivative(evaluator, [2]) == (7, [0]))
  }

  @Test("a replayed gradient allocates nothing", .enabled(if: allocation_count() >= 0))
  func allocations() {
    let y = Tensor([28, 8, -3, 7, -1, 1, 18, 12])
    let sigma = Tensor([15, 10, 16, 11, 9, 11, 10, 18])
    let function = CompiledFunction(at: [Tensor.zeros([10])]) { inputs in
      let q = inputs[0]
      let tau = exp(q[1])
      let theta = q[0] + tau * q[2..<10]
      return [
        Tensor.logDensity(.normal, q[0], [Tensor(0), Tensor(5)], summed: true)
          + Tensor.logDensity(.halfCauchy, tau, [Tensor(5)], summed: true) + q[1]
          + Tensor.logDensity(.normal, q[2..<10], [Tensor(0), Tensor(1)], summed: true)
          + Tensor.logDensity(.normal, y, [theta, sigma], summed: true)
      ]
    }
    let evaluator = function.makeEvaluator()
    let point = [Double](repeating: 0.1, count: 10)
    var g = point
    let (made, noticed) = point.withUnsafeBufferPointer { point in
      g.withUnsafeMutableBufferPointer { g in
        _ = evaluator.valueAndGradient(at: point, into: g)
        let before = allocation_count()
        for _ in 0..<1000 { _ = evaluator.valueAndGradient(at: point, into: g) }
        let after = allocation_count()
        // The counter itself works: an allocation of this thread is seen.
        UnsafeMutablePointer<Double>.allocate(capacity: 100).deallocate()
        return (after - before, allocation_count() - after)
      }
    }
    #expect(made == 0)
    #expect(noticed == 1)
  }

  @Test("NaN and infinity pass through as in plain arithmetic")
  func nonFinite() {
    let evaluator = CompiledFunction(at: [Tensor(1)]) { [log($0[0]) + 1 / $0[0]] }.makeEvaluator()
    #expect(Self.derivative(evaluator, [-1]).0.isNaN)
    #expect(Self.derivative(evaluator, [0]).0.isNaN)
    let normal = CompiledFunction(at: [Tensor(1)]) {
      [Tensor.logDensity(.exponential, $0[0], [Tensor(2)], summed: true)]
    }.makeEvaluator()
    #expect(Self.derivative(normal, [-1]) == (-.infinity, [0]))
  }

  @Test("a traced tensor used outside its recording stops the program with a message")
  func foreign() async {
    await #expect(processExitsWith: .failure) {
      let kept = Mutex<Tensor?>(nil)
      _ = CompiledFunction(at: [Tensor(1)]) { inputs in
        kept.withLock { $0 = inputs[0] }
        return [inputs[0]]
      }
      _ = kept.withLock { $0 }.map { $0 + 1 }
    }
  }

  @Test("shapes that do not fit stop the program with a message")
  func shapes() async {
    await #expect(processExitsWith: .failure) {
      _ = Tensor([1, 2, 3]) + Tensor([1, 2])
    }
  }

  @Test("gradients of a function of one tensor come in one call")
  func oneCall() {
    let x = Tensor([1, 2, 3])
    #expect(gradient(at: x) { ($0 * $0).sum() }.elements == [2, 4, 6])
    #expect(
      Tensors.hessian(at: x) { ($0 * $0 * $0).sum() }.elements == [6, 0, 0, 0, 12, 0, 0, 0, 18])
    #expect(jvp(at: x, Tensor([1, 0, -1])) { $0 * $0 }.tangent.elements == [2, 0, -6])
    #expect(vjp(at: x, Tensor([1, 0, -1])) { $0 * $0 }.product.elements == [2, 0, -6])
    #expect(
      hessianVectorProduct(at: x, Tensor([1, 0, -1])) { ($0 * $0).sum() }.elements == [2, 0, -2])
  }
}
