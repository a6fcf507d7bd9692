// SPDX-License-Identifier: MIT
//
// Each rule of stochastic descent takes the steps of optax, or those of its formula; states can be stored.

import Foundation
import Inference
import TestSupport
import Testing

@Suite("Stochastic optimisers")
struct StochasticOptimizerTests {
  /// The golden sequences.
  let golden: GoldenFile

  /// Reads the golden sequences.
  init() throws { golden = try GoldenFile("optimizers", in: .module) }

  /// The gradient of the golden script: it depends on position and step.
  static func gradient(_ t: Int, _ x: [Double]) -> [Double] {
    let t = Double(t)
    return [
      x[0] + 0.5 * Foundation.cos(t), 3 * x[1] - 1, 40 * Foundation.sin(3 * t) * x[2],
    ]
  }

  /// The rules under test, by their names in the golden file.
  static let rules: [String: any StochasticOptimizer] = [
    "sgd": SGD(0.05), "momentum": SGD(0.05, momentum: 0.8),
    "nesterov": SGD(0.05, momentum: 0.8, isNesterov: true), "adam": Adam(0.1),
    "adamExponential": Adam(.exponential(initial: 0.1, rate: 0.5, steps: 4)),
    "clippedAdam": Adam(0.1, clip: 2), "adagrad": Adagrad(0.1), "rmsProp": RMSProp(0.01),
  ]

  @Test("steps are those of optax or of the formula", arguments: rules.keys.sorted())
  func sequence(name: String) throws {
    let rule = try #require(Self.rules[name])
    var x = [1.0, -2, 0.3]
    var state = rule.start(dimension: 3)
    for (t, expected) in golden.rows(name).enumerated() {
      rule.step(&x, against: Self.gradient(t, x), &state, factor: 1)
      for k in 0..<3 { #expect(near(x[k], expected[k]), "\(name), step \(t): \(x), \(expected)") }
      // A state survives storage without a change.
      state = try JSONDecoder().decode(OptimizerState.self, from: JSONEncoder().encode(state))
    }
    #expect(state.steps == golden.rows(name).count)
  }

  @Test("a factor multiplies the step size")
  func factor() {
    for rule in Self.rules.values {
      var moves: [[Double]] = []
      for factor in [1.0, 0.25] {
        var x = [1.0, -2, 0.3]
        var state = rule.start(dimension: 3)
        rule.step(&x, against: [0.5, -1, 2], &state, factor: factor)
        moves.append(zip(x, [1.0, -2, 0.3]).map { $0 - $1 })
      }
      for k in 0..<3 { #expect(near(moves[0][k], 4 * moves[1][k])) }
    }
  }

  @Test("schedules follow their formulas")
  func schedules() {
    let exponential = Schedule.exponential(initial: 0.1, rate: 0.5, steps: 4)
    for (t, value) in golden.rows("exponentialSchedule")[0].enumerated() {
      #expect(near(exponential(t), value))
    }
    let cosine = Schedule.cosine(initial: 0.2, final: 0.05, steps: 8)
    for (t, value) in golden.rows("cosineSchedule")[0].enumerated() {
      #expect(near(cosine(t), value))
    }
    let pieces = Schedule.piecewise(
      initial: 1, [.init(from: 3, value: 0.5), .init(from: 5, value: 0.1)])
    #expect((0..<7).map { pieces($0) } == [1, 1, 1, 0.5, 0.5, 0.1, 0.1])
    let warm = Schedule.warmUp(steps: 3, then: pieces)
    #expect((0..<9).map { warm($0) } == [0.25, 0.5, 0.75, 1, 1, 1, 0.5, 0.5, 0.1])
    let constant: Schedule = 0.3
    #expect(constant(0) == 0.3 && constant(1000) == 0.3)
    #expect(Schedule.cosine(initial: 1, final: 0, steps: 10)(500) == 0)
  }

  @Test("impossible settings stop the program")
  func impossible() async {
    await #expect(processExitsWith: .failure) { _ = Adam(0.1, beta1: 1) }
    await #expect(processExitsWith: .failure) { _ = SGD(0.1, momentum: -0.1) }
  }
}
