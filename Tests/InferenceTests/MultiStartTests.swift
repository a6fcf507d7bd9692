// SPDX-License-Identifier: MIT
//
// Searches from several starts: which maxima are found, by how many, the same for any number of threads.

import Inference
import Numerics
import Synchronization
import Tensors
import Testing

@Suite("Several starts")
struct MultiStartTests {
  /// Two normal hills, of weight 0.7 at (−3, 0) and 0.3 at (3, 1), with standard deviations of 1 and 0.5.
  @Sendable static func hills(_ x: Tensor) -> Tensor {
    let left = 0.7.logarithm - 0.5 * (square(x[0] + 3) + square(x[1]))
    let right = (0.3 * 4).logarithm - 2 * (square(x[0] - 3) + square(x[1] - 1))
    return logAddExp(left, right)
  }

  /// Starts in a square of half-width 6, from a key.
  static let starts = (0..<24).map { number in
    (0..<2).map { 12 * RandomKey(3).folding(in: number).uniform(UInt64($0)) - 6 }
  }

  /// The optimisers of these tests.
  static let optimizers: [any Optimizer] = [
    LBFGS(), LevenbergMarquardt(), NewtonTrustRegion(), StandardOptimizer(),
  ]

  /// Searches the hills with one optimiser.
  private static func search(
    _ optimizer: some Optimizer, roundSize: Int = 4, threads: Int = 4, joins: Bool = true
  ) -> SearchResult {
    var many = MultiStart(optimizer, roundSize: roundSize, threads: threads)
    many.joinsKnownMaxima = joins
    return many.search(from: starts) { Formula(2, hills) }
  }

  @Test("both hills are found, each once, highest first, and every start is counted")
  func twoHills() {
    for optimizer in Self.optimizers {
      let result = Self.search(optimizer)
      #expect(result.searches.count == Self.starts.count)
      #expect(result.modes.count == 2, "\(optimizer): \(result.modes)")
      guard result.modes.count == 2 else { continue }
      // 4 · 0.3 > 0.7: the narrow hill is the higher one. Each adds below e⁻¹⁰ to the other's top.
      let tops = [[3.0, 1], [-3, 0]]
      for (mode, top) in zip(result.modes, tops) {
        for (x, y) in zip(mode.optimum.position, top) { #expect(abs(x - y) < 2e-3) }
        // The square is divided near x = 0: each hill has a good share of 24 starts.
        #expect(mode.searches.count >= 5, "\(optimizer): \(mode.searches)")
      }
      #expect(result.modes[0].optimum.value > result.modes[1].optimum.value + 0.4)
      #expect(result.best.value == result.modes[0].optimum.value)
      let counted = result.modes.flatMap(\.searches)
      #expect(Set(counted).count == counted.count)
      let converged = result.searches.indices.filter {
        result.searches[$0].isConverged || result.searches[$0].reason == .merged
      }
      #expect(Set(counted) == Set(converged))
      #expect(converged.count == Self.starts.count)
    }
  }

  @Test("searches that join a known maximum save evaluations and change nothing else")
  func joining() {
    let (joined, alone) = (
      Self.search(LevenbergMarquardt()), Self.search(LevenbergMarquardt(), joins: false)
    )
    #expect(joined.searches.contains { $0.reason == .merged })
    #expect(alone.searches.allSatisfy { $0.isConverged })
    #expect(joined.evaluations < alone.evaluations)
    #expect(joined.modes.map(\.searches) == alone.modes.map(\.searches))
  }

  @Test("the number of threads does not matter", arguments: [1, 2, 3, 8])
  func threads(count: Int) {
    let reference = Self.search(StandardOptimizer(), threads: 1)
    let result = Self.search(StandardOptimizer(), threads: count)
    #expect(result.searches.map(\.position) == reference.searches.map(\.position))
    #expect(result.searches.map(\.evaluations) == reference.searches.map(\.evaluations))
    #expect(result.modes.map(\.searches) == reference.modes.map(\.searches))
    // On the calling thread the rounds are the same.
    let own = MultiStart(StandardOptimizer()).search(Formula(2, Self.hills), from: Self.starts)
    #expect(own.searches.map(\.position) == reference.searches.map(\.position))
  }

  @Test("a flat ridge is one maximum, starts outside the support are no obstacle")
  func ridge() {
    let ring = { @Sendable (x: Tensor) in log(x[0]) - x[0] - 0 * x[1] }
    let starts: [[Double]] = [[-1, 0], [0.5, 3], [0.2, -8], [.nan, 0], [4, 1]]
    let result = MultiStart(NewtonTrustRegion()).search(from: starts) { Formula(2, ring) }
    #expect(result.modes.count == 1 && result.modes.first?.searches == [1, 2, 4])
    #expect(result.searches[0].reason == .notFinite && result.searches[3].reason == .notFinite)
    #expect(result.best.isConverged && abs(result.best.value + 1) < 1e-9)
  }

  @Test("where no start has a density there is a result that says so")
  func nowhere() {
    let result = MultiStart(LBFGS()).search(from: [[-1], [-2]]) { Formula(1) { log($0[0]) } }
    #expect(result.modes.isEmpty && result.best.reason == .notFinite)
  }

  @Test("progress counts the searches, cancellation keeps the best so far")
  func cancellation() {
    let updates = Mutex<[ProgressUpdate]>([])
    let asked = Atomic<Int>(0)
    let many = MultiStart(LevenbergMarquardt(), roundSize: 3, threads: 2)
    let whole = many.search(
      from: Self.starts, progress: Progress { update in updates.withLock { $0.append(update) } }
    ) { Formula(2, Self.hills) }
    let seen = updates.withLock { $0 }
    #expect(seen.map(\.completed) == [1, 4, 7, 10, 13, 16, 19, 22, 24])
    #expect(seen.last?.isLast == true && seen.dropLast().allSatisfy { !$0.isLast })
    #expect(seen.last?.details.first { $0.name == "maxima" }?.value == 2)
    #expect(whole.searches.count == 24)
    // Stopped after some thirty steps of all searches together.
    let part = many.search(
      from: Self.starts,
      isCancelled: { asked.wrappingAdd(1, ordering: .relaxed).newValue > 30 }
    ) { Formula(2, Self.hills) }
    #expect(part.searches.count < 24 && !part.modes.isEmpty)
    #expect(part.searches.contains { $0.reason == .cancelled })
    #expect(part.best.value.isFinite)
    let none = many.search(from: Self.starts, isCancelled: { true }) { Formula(2, Self.hills) }
    #expect(none.searches.count == 1 && none.best.reason == .cancelled)
    #expect(none.best.position == Self.starts[0] && none.best.value.isFinite)
  }

  @Test("a search tells of its steps, and says when it is over")
  func searchProgress() {
    let updates = Mutex<[ProgressUpdate]>([])
    let best = LBFGS().maximize(
      Formula(2, Self.hills), from: [-5, 2],
      progress: Progress { update in updates.withLock { $0.append(update) } })
    let last = updates.withLock { $0 }.last
    #expect(last?.isLast == true && last?.completed == best.iterations)
    #expect(last?.details.first?.value == best.value)
  }
}

extension Double {
  /// The natural logarithm.
  fileprivate var logarithm: Double { plain(self) { log($0) } }
}
