// SPDX-License-Identifier: MIT
//
// Differential equations inside programs: what is recorded, what is allocated, what fails and how.

import AllocationCounter
import Tensors
import Testing

@Suite("Differential equations in programs")
struct DifferentialEquationProgramTests {
  @Test("a right-hand side that reads numbers is recorded anew, the program around it is not")
  func dynamic() {
    let solve: @Sendable (Tensor) -> Tensor = { rate in
      solveDifferentialEquation(
        from: Tensor(1), times: [0, 1], parameters: [rate], relativeTolerance: 1e-10,
        absoluteTolerance: 1e-10
      ) { t, y, p in t.item() < 0.5 ? -p[0] * y : -2 * p[0] * y }
    }
    let function = CompiledFunction(at: [Tensor(0.7)]) { [solve($0[0])[1]] }
    #expect(!function.isDynamic)
    // The jump in the right-hand side costs small steps, not accuracy.
    let (value, gradient) = valueAndGradient(function.makeEvaluator(), [0.7])
    #expect(abs(value - exp(Tensor(-1.05)).item()) < 1e-8)
    #expect(abs(gradient[0] + 1.5 * exp(Tensor(-1.05)).item()) < 1e-7)
  }

  @Test("replays allocate nothing", .enabled(if: allocation_count() >= 0))
  func allocations() {
    for method in DifferentialEquationMethod.allCases {
      let evaluator = CompiledFunction(at: [Tensor([30, 4]), Tensor([0.5, 0.03, 0.8, 0.02])]) {
        [
          solveDifferentialEquation(
            from: $0[0], times: [0, 1, 2], parameters: [$0[1]], method: method,
            Equations.lotkaVolterra
          ).sum()
        ]
      }.makeEvaluator()
      let point = [30, 4, 0.5, 0.03, 0.8, 0.02]
      var g = point
      let made = point.withUnsafeBufferPointer { point in
        g.withUnsafeMutableBufferPointer { g in
          _ = evaluator.valueAndGradient(at: point, into: g)
          let before = allocation_count()
          for _ in 0..<20 { _ = evaluator.valueAndGradient(at: point, into: g) }
          return allocation_count() - before
        }
      }
      #expect(made == 0)
    }
  }

  // MARK: - What fails

  @Test(
    "a solution that cannot go on is NaN from there, and so are its derivatives",
    arguments: DifferentialEquationMethod.allCases)
  func failures(_ method: DifferentialEquationMethod) {
    // y = 1 / (1 − t) leaves every bound at t = 1.
    let explosion = CompiledFunction(at: [Tensor(1)]) {
      [
        solveDifferentialEquation(from: $0[0], times: [0, 0.5, 2, 3], method: method) { _, y, _ in
          square(y)
        }
      ]
    }
    let evaluator = explosion.makeEvaluator()
    let one = [1.0]
    let path = one.withUnsafeBufferPointer { evaluator.value(at: $0) }
    #expect(abs(path[1] - 2) < 1e-5 && path[2].isNaN && path[3].isNaN)
    for (weights, expected) in [([0, 1, 0, 0], 4.0), ([0, 0, 1, 0], .nan)] as [([Double], Double)] {
      var product = [0.0]
      _ = one.withUnsafeBufferPointer { one in
        weights.withUnsafeBufferPointer { weights in
          product.withUnsafeMutableBufferPointer {
            evaluator.vectorJacobianProduct(at: one, weights, into: $0)
          }
        }
      }
      #expect(abs(product[0] - expected) < 1e-4 || product[0].isNaN && expected.isNaN)
    }
    let tangent = one.withUnsafeBufferPointer { one in
      evaluator.jacobianVectorProduct(at: one, one).tangent
    }
    #expect(abs(tangent[1] - 4) < 1e-4 && tangent[2].isNaN)
    let root = CompiledFunction(at: [Tensor(1)]) {
      [
        solveDifferentialEquation(from: $0[0], times: [0, 1], method: method) { _, y, _ in
          sqrt(y - 2)
        }.sum()
      ]
    }.makeEvaluator()
    for start in [1, Double.nan, .infinity, -.infinity] {
      let (value, gradient) = valueAndGradient(root, [start])
      #expect(value.isNaN && gradient[0].isNaN)
    }
    // It recovers at the next point.
    #expect(valueAndGradient(root, [3]).0.isFinite)
    let short = solveDifferentialEquation(
      from: Tensor([30, 4]), times: [0, 100], parameters: [Tensor([0.5, 0.03, 0.8, 0.02])],
      method: method, maximumSteps: 10, Equations.lotkaVolterra)
    #expect(short[0].elements == [30, 4] && short[1, 0].item().isNaN && short[1, 1].item().isNaN)
  }

  @Test("a stiff equation by the explicit method ends, with an answer or NaN")
  func stiffByExplicit() {
    let path = solveDifferentialEquation(
      from: Tensor([2, 0]), times: [0, 2000], parameters: [Tensor(1000)], maximumSteps: 5000,
      Equations.vanDerPol)
    #expect(path[1, 0].item().isNaN && path[1, 1].item().isNaN)
  }

  @Test("mistakes of the caller stop the program with a message")
  func mistakes() async throws {
    await #expect(processExitsWith: .failure) {
      _ = solveDifferentialEquation(from: Tensor(1), times: []) { _, y, _ in y }
    }
    await #expect(processExitsWith: .failure) {
      _ = solveDifferentialEquation(from: Tensor(1), times: [0, 2, 1]) { _, y, _ in y }
    }
    await #expect(processExitsWith: .failure) {
      _ = solveDifferentialEquation(from: Tensor(1), times: [0, 1, 1]) { _, y, _ in y }
    }
    await #expect(processExitsWith: .failure) {
      _ = solveDifferentialEquation(from: Tensor(1), times: [0, .infinity]) { _, y, _ in y }
    }
    await #expect(processExitsWith: .failure) {
      _ = solveDifferentialEquation(from: Tensor(1), times: [0, 1], relativeTolerance: 0) {
        _, y, _ in y
      }
    }
    await #expect(processExitsWith: .failure) {
      _ = solveDifferentialEquation(from: Tensor(1), times: [0, 1], absoluteTolerance: -1) {
        _, y, _ in y
      }
    }
    await #expect(processExitsWith: .failure) {
      _ = solveDifferentialEquation(from: Tensor([1, 2]), times: [0, 1]) { _, y, _ in y[0] }
    }
  }

  @Test("a traced tensor from outside the right-hand side stops the program, with the remedy")
  func captured() async throws {
    let used = try await #require(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) {
      _ = CompiledFunction(at: [Tensor(1)]) { x in
        let rate = x[0]
        return [solveDifferentialEquation(from: Tensor(1), times: [0, 1]) { _, y, _ in rate * y }]
      }
    }
    let returned = try await #require(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) {
      _ = CompiledFunction(at: [Tensor(1)]) { x in
        let rate = x[0]
        return [solveDifferentialEquation(from: Tensor(1), times: [0, 1]) { _, _, _ in rate }]
      }
    }
    for result in [used, returned] {
      let message = String(decoding: result.standardErrorContent, as: UTF8.self)
      #expect(message.contains("pass the tensor as one of its parameters"))
    }
  }
}
