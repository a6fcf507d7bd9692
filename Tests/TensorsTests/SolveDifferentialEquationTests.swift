// SPDX-License-Identifier: MIT
//
// Differential equations with controlled errors: solutions against SciPy and formulas, derivatives, what is refused.

import AllocationCounter
import Foundation
import Numerics
import Synchronization
import Tensors
import TestSupport
import Testing

/// Equations that several tests solve.
private enum Equations {
  /// Hares and lynxes, with rates `[4]`.
  @Sendable static func lotkaVolterra(_ t: Tensor, _ y: Tensor, _ p: [Tensor]) -> Tensor {
    let (prey, predator, r) = (y[0], y[1], p[0])
    return Tensor.stack([(r[0] - r[1] * predator) * prey, (r[3] * prey - r[2]) * predator])
  }

  /// A damped oscillator, with frequency and damping.
  @Sendable static func oscillator(_ t: Tensor, _ y: Tensor, _ p: [Tensor]) -> Tensor {
    Tensor.stack([y[1], -square(p[0]) * y[0] - 2 * p[1] * y[1]])
  }

  /// Robertson's three reactions, with rates `[3]`.
  @Sendable static func robertson(_ t: Tensor, _ y: Tensor, _ p: [Tensor]) -> Tensor {
    let (a, b, c) = (p[0][0] * y[0], p[0][1] * y[1] * y[2], p[0][2] * square(y[1]))
    return Tensor.stack([b - a, a - b - c, c])
  }

  /// Van der Pol's oscillator with its strength.
  @Sendable static func vanDerPol(_ t: Tensor, _ y: Tensor, _ p: [Tensor]) -> Tensor {
    Tensor.stack([y[1], p[0] * (1 - square(y[0])) * y[1] - y[0]])
  }

  /// One compartment with absorption of first order, with its rate, greatest elimination and half-saturation.
  @Sendable static func oneCompartment(_ t: Tensor, _ y: Tensor, _ p: [Tensor]) -> Tensor {
    let (dose, volume) = (30.0, 2.0)
    return exp(-p[0] * t) * p[0] * (dose / volume) - p[1] / volume * y / (p[2] + y)
  }

  /// Returns the oscillator's path from (1, 0): x = e^(−dt) (cos wt + d/w sin wt), w² = frequency² − damping².
  @Sendable static func exactOscillator(_ times: [Double], _ p: [Tensor]) -> Tensor {
    let t = Tensor(times)
    let w = sqrt(square(p[0]) - square(p[1]))
    return exp(-p[1] * t) * (cos(w * t) + p[1] / w * sin(w * t))
  }
}

/// Returns the value and the gradient of a compiled scalar function.
private func valueAndGradient(_ evaluator: FunctionEvaluator, _ x: [Double]) -> (Double, [Double]) {
  var g = x
  let value = x.withUnsafeBufferPointer { x in
    g.withUnsafeMutableBufferPointer { evaluator.valueAndGradient(at: x, into: $0) }
  }
  return (value, g)
}

@Suite("Solutions of differential equations")
struct SolveDifferentialEquationTests {
  static let golden = Result { try GoldenFile("differential_equations", in: .module) }

  /// The damped oscillator's times, frequency and damping.
  static let (times, frequency, damping) = ([0, 0.3, 1, 4.5], 2.3, 0.4)

  @Test(
    "hares and lynxes are SciPy's, derivatives by start and rates too",
    arguments: DifferentialEquationMethod.allCases)
  func lotkaVolterra(_ method: DifferentialEquationMethod) throws {
    let rows = try Self.golden.get().rows("LotkaVolterra")
    let times = rows.map { $0[0] }
    let point = [33.96, 5.949, 0.545, 0.02803, 0.803, 0.02415]
    let function = CompiledFunction(at: [Tensor(point)]) { x in
      [
        solveDifferentialEquation(
          from: x[0][..<2], times: times, parameters: [x[0][2...]], method: method,
          relativeTolerance: 1e-11, absoluteTolerance: 1e-11, Equations.lotkaVolterra)
      ]
    }
    let evaluator = function.makeEvaluator()
    let path = point.withUnsafeBufferPointer { evaluator.value(at: $0) }
    // 100 times the tolerance: some hundred steps, and the growth of errors over two periods.
    for (k, row) in rows.enumerated() {
      for i in 0..<2 { #expect(abs(path[2 * k + i] / row[1 + i] - 1) < 1e-9) }
    }
    for (k, row) in rows.enumerated() {
      for i in 0..<2 {
        var (unit, product) = ([Double](repeating: 0, count: path.count), point)
        unit[2 * k + i] = 1
        _ = point.withUnsafeBufferPointer { point in
          unit.withUnsafeBufferPointer { unit in
            product.withUnsafeMutableBufferPointer {
              evaluator.vectorJacobianProduct(at: point, unit, into: $0)
            }
          }
        }
        let expected = Array(row[(3 + 6 * i)..<(9 + 6 * i)])
        // Derivatives of the rates of lynxes reach some thousand; by start they are of order 1.
        for (j, (a, b)) in zip(product, expected).enumerated() {
          #expect(abs(a - b) < (j < 2 ? 1e-8 : 1e-5), "row \(k), state \(i), derivative \(j)")
        }
      }
    }
  }

  @Test(
    "the error follows the tolerance; forwards, backwards, for any shape of state",
    arguments: DifferentialEquationMethod.allCases)
  func tolerance(_ method: DifferentialEquationMethod) {
    let parameters = [Tensor(Self.frequency), Tensor(Self.damping)]
    let exact = Equations.exactOscillator(Self.times, parameters)
    for tolerance in [1e-4, 1e-6, 1e-8, 1e-10] {
      let path = solveDifferentialEquation(
        from: Tensor([1, 0]), times: Self.times, parameters: parameters, method: method,
        relativeTolerance: tolerance, absoluteTolerance: tolerance, Equations.oscillator)
      #expect(path.shape == [4, 2])
      #expect(abs(path[..., 0] - exact).max().item() < 20 * tolerance)
      let back = solveDifferentialEquation(
        from: path[3], times: Self.times.reversed(), parameters: parameters, method: method,
        relativeTolerance: tolerance, absoluteTolerance: tolerance, Equations.oscillator)
      // Backwards damping is growth, by e^(2 · 0.4 · 4.5) = 37 at most.
      #expect(abs(back - path.reversed()).max().item() < 500 * tolerance)
      let rates = Tensor([1, 2, 3, 4, 5, 6], shape: [3, 2])
      let decay = solveDifferentialEquation(
        from: Tensor.ones([3, 2]), times: [1, 2], parameters: [rates], method: method,
        relativeTolerance: tolerance, absoluteTolerance: tolerance
      ) { _, y, p in -p[0] * y }
      #expect(decay.shape == [2, 3, 2])
      #expect(abs(decay[1] - exp(-rates)).max().item() < 10 * tolerance)
    }
  }

  @Test(
    "one compartment is SciPy's for slow and fast absorption",
    arguments: DifferentialEquationMethod.allCases)
  func oneCompartment(_ method: DifferentialEquationMethod) throws {
    let rows = try Self.golden.get().rows("OneCompartment")
    for ka in Set(rows.map { $0[0] }) {
      let own = rows.filter { $0[0] == ka }
      let path = solveDifferentialEquation(
        from: Tensor(0), times: own.map { $0[1] }, parameters: [ka, 0.9, 0.4].map { Tensor($0) },
        method: method, relativeTolerance: 1e-9, absoluteTolerance: 1e-9, Equations.oneCompartment)
      // Some twenty times what a step may be wrong by, 1e-9 of 15: errors add up while the drug is absorbed.
      for (y, row) in zip(path.elements, own) {
        #expect(abs(y - row[2]) < 3e-7, "ka \(ka), time \(row[1])")
      }
      checkGradient(
        "one compartment, ka \(ka)", at: [ka, 0.9, 0.4].map { Tensor($0) }, tolerance: 1e-6
      ) {
        solveDifferentialEquation(
          from: Tensor(0), times: [0, 0.1, 1, 10, 20], parameters: $0, method: method,
          relativeTolerance: 1e-11, absoluteTolerance: 1e-11, Equations.oneCompartment)
      }
    }
  }

  @Test("stiff equations are SciPy's")
  func stiff() throws {
    let golden = try Self.golden.get()
    let robertson = golden.rows("Robertson")
    let path = solveDifferentialEquation(
      from: Tensor([1, 0, 0]), times: robertson.map { $0[0] },
      parameters: [Tensor([0.04, 1e4, 3e7])], method: .kennedyCarpenter, relativeTolerance: 1e-9,
      absoluteTolerance: 1e-15, Equations.robertson)
    for (k, row) in robertson.enumerated() {
      // Late concentrations are some 1e-4 of the start: relative errors of many steps add up.
      for i in 0..<3 { #expect(abs(path[k, i].item() - row[1 + i]) <= 2e-7 * row[1 + i]) }
    }
    let vanDerPol = golden.rows("VanDerPol")
    let orbit = solveDifferentialEquation(
      from: Tensor([2, 0]), times: vanDerPol.map { $0[0] }, parameters: [Tensor(1000)],
      method: .kennedyCarpenter, relativeTolerance: 1e-9, absoluteTolerance: 1e-9,
      Equations.vanDerPol)
    for (k, row) in vanDerPol.enumerated() {
      #expect(abs(orbit[k, 0].item() - row[1]) < 1e-6, "time \(row[0])")
    }
  }

  // MARK: - Derivatives

  @Test(
    "derivatives are those of the exact solution", arguments: DifferentialEquationMethod.allCases)
  func exactDerivatives(_ method: DifferentialEquationMethod) {
    let weights = Tensor([0.3, -1.2, 0.7, 2.1])
    let scalar: @Sendable (Tensor) -> Tensor = { path in (path * weights).sum() }
    let solved = CompiledFunction(at: [Tensor(2.3), Tensor(0.4)]) { p in
      [
        scalar(
          solveDifferentialEquation(
            from: Tensor([1, 0]), times: Self.times, parameters: p, method: method,
            relativeTolerance: 1e-10, absoluteTolerance: 1e-10, Equations.oscillator)[..., 0])
      ]
    }
    let exact = CompiledFunction(at: [Tensor(2.3), Tensor(0.4)]) { p in
      [scalar(Equations.exactOscillator(Self.times, p))]
    }
    for point in [[2.3, 0.4], [5.0, 0.1], [0.9, 0.05]] {
      let (a, b) = (solved.makeEvaluator(), exact.makeEvaluator())
      let (value, expected) = (valueAndGradient(a, point), valueAndGradient(b, point))
      #expect(abs(value.0 - expected.0) < 1e-8)
      for (x, y) in zip(value.1, expected.1) { #expect(abs(x - y) < 1e-7) }
      // The second derivatives are of the solution with its steps held constant: of the tolerance's accuracy, too.
      for (x, y) in zip(a.hessian(at: point), b.hessian(at: point)) { #expect(abs(x - y) < 1e-5) }
    }
  }

  @Test(
    "gradient, tangent and Hessian agree with differences",
    arguments: DifferentialEquationMethod.allCases)
  func differences(_ method: DifferentialEquationMethod) {
    // Differences see the steps adapt, which derivatives do not: an effect of the size of the tolerance.
    let solve: @Sendable (Tensor, [Double], [Tensor]) -> Tensor = { start, times, rates in
      solveDifferentialEquation(
        from: start, times: times, parameters: rates, method: method, relativeTolerance: 1e-12,
        absoluteTolerance: 1e-12, Equations.lotkaVolterra)
    }
    let rates = Tensor([0.545, 0.028, 0.803, 0.024])
    checkGradient("start and rates", at: [Tensor([30, 4]), rates], tolerance: 1e-6) {
      solve($0[0], [0, 1.5, 4], [$0[1]])
    }
    checkGradient("start alone", at: [Tensor([30, 4])], tolerance: 1e-6) {
      solve($0[0], [0, 1.5, 4], [rates])
    }
    checkGradient("rates alone", at: [rates], tolerance: 1e-6) {
      solve(Tensor([30, 4]), [0, 1.5, 4], $0)
    }
    checkGradient("backwards", at: [Tensor([30, 4]), rates], tolerance: 1e-6) {
      solve($0[0], [4, 1.5, 0], [$0[1]])
    }
    checkGradient("two solutions", at: [Tensor([30, 4]), rates], tolerance: 1e-6) { inputs in
      let first = solve(inputs[0], [0, 1], [inputs[1]])
      return solve(first[1] + Tensor([5, 0]), [1, 2], [inputs[1] * 1.1]) + first
    }
    checkGradient("no steps", at: [Tensor([30, 4]), rates]) { solve($0[0], [3], [$0[1]]) }
  }

  @Test("gradients of stiff equations agree with differences")
  func stiffDerivatives() {
    // Rates of one size, by factors, so that differences by each are as good as by others.
    checkGradient("Robertson", at: [Tensor([1, 1, 1])], tolerance: 3e-6) {
      solveDifferentialEquation(
        from: Tensor([1, 0, 0]), times: [0, 0.4, 40, 4e4],
        parameters: [$0[0] * Tensor([0.04, 1e4, 3e7])], method: .kennedyCarpenter,
        relativeTolerance: 1e-11, absoluteTolerance: 1e-16, Equations.robertson)
        * Tensor([1, 1e5, 1])
    }
    checkGradient("van der Pol", at: [Tensor([2, 0]), Tensor(1000)], tolerance: 3e-6) {
      solveDifferentialEquation(
        from: $0[0], times: [0, 1, 500], parameters: [$0[1]], method: .kennedyCarpenter,
        relativeTolerance: 1e-11, absoluteTolerance: 1e-11, Equations.vanDerPol)[..., 0]
    }
  }

  // MARK: - Programs

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
