// SPDX-License-Identifier: MIT
//
// A run that is stopped on request keeps all complete draws and says so; progress tells how far it is.

import Distributions
import Inference
import Numerics
import PPL
import Synchronization
import Tensors
import Testing

@Suite("Cancellation")
struct CancellationTests {
  @Test(
    "a run that is cancelled while it draws keeps all complete draws, chains cut to the shortest")
  func whileDrawing() throws {
    let density = try noncentred.logDensity()
    let whole = try NUTS().run(density, chains: 6, warmUp: 100, draws: 5000, key: 3)
    let calls = Atomic(0)
    let part = try NUTS().run(density, chains: 6, warmUp: 100, draws: 5000, key: 3, threads: 2) {
      calls.add(1, ordering: .relaxed).newValue > 12_000
    }
    let statistics = try #require(part.statistics)
    #expect(statistics.wasCancelled && statistics.requestedDraws == 5000)
    // Six chains on two threads are kept abreast within a thousand steps: each has done 1000 of 2000 at least.
    #expect(part.draws > 800 && part.draws < 5000, "\(part.draws) draws")
    for chain in 0..<6 {
      let (some, all) = (part["mu"].elements, whole["mu"].elements)
      #expect(
        some[(chain * part.draws)..<((chain + 1) * part.draws)]
          == all[(chain * 5000)..<(chain * 5000 + part.draws)])
    }
    #expect(statistics.acceptance.count == 6 * part.draws && statistics.stepSizes.count == 6)
    #expect(statistics.warnings.count == 1)
    #expect(statistics.warnings[0].contains("after \(part.draws) of 5000 draws of each chain"))
    #expect(whole.statistics?.wasCancelled == false && whole.statistics?.warnings == [])
  }

  @Test("a run that is cancelled in its warm-up has no draws, says so, and can be summarised")
  func whileWarmingUp() throws {
    for limit in [0, 1, 30, 80] {
      let calls = Atomic(0)
      let draws = try NUTS().run(
        noncentred.logDensity(), chains: 3, warmUp: 1000, draws: 10, threads: 1
      ) { calls.add(1, ordering: .relaxed).newValue > limit }
      #expect(draws.draws == 0 && draws["theta"].shape == [3, 0, 8])
      let statistics = try #require(draws.statistics)
      #expect(statistics.wasCancelled && statistics.acceptance.isEmpty)
      #expect(statistics.stepSizes.count == 3 && statistics.divergences == 0)
      #expect(statistics.warnings.count == 1)
      #expect(statistics.warnings[0].contains("warm-up"), "\(statistics.warnings)")
      #expect(statistics.warnings[0].contains("no draws"))
      for scalar in draws.scalars {
        #expect(scalar.mean.isNaN && scalar.quantiles([0.5])[0].isNaN)
        _ = (scalar.standardDeviation, scalar.rHat, scalar.bulkESS, scalar.tailESS)
      }
      #expect(!draws.summary().description.isEmpty)
      #expect(draws.diagnostics.warnings.first?.code == .cancelled)
    }
  }

  @Test("a request that comes at the very end changes nothing")
  func atTheEnd() throws {
    let calls = Atomic(0)
    let draws = try NUTS().run(
      noncentred.logDensity(), chains: 1, warmUp: 20, draws: 20, initial: .uniform(radius: 2),
      threads: 1
    ) { calls.add(1, ordering: .relaxed).newValue > 40 }
    #expect(draws.draws == 20 && draws.statistics?.wasCancelled == false)
  }

  @Test("a long trajectory is interrupted, and the resumed run is not the poorer")
  func longTrajectory() throws {
    // A gradient of a few milliseconds, and a step size so small that each tree has 1023 of them.
    let matrix = Tensor.zeros([600, 600]) + 0.001
    let slow = Model<Void> { m in
      let x = m.plate("p", 600) { m.sample("x", Normal(0, 1)) }
      var y = x
      for _ in 0..<8 { y = matrix.matmul(y) }
      m.factor("f", -1e-6 * square(y).sum())
    }
    let density = try slow.logDensity()
    let clock = ContinuousClock()
    let begin = clock.now
    let evaluator = density.makeEvaluator()
    var gradient = [Double](repeating: 0, count: 600)
    for _ in 0..<5 { _ = evaluator.valueAndGradient(at: gradient, into: &gradient) }
    let perGradient = (clock.now - begin) / 5
    let kernel = NUTS(stepSize: 1e-5, maximumDepth: 9)
    let steps = Mutex(0)
    let requested = Mutex<ContinuousClock.Instant?>(nil)
    let draws = try kernel.run(
      density, chains: 1, warmUp: 0, draws: 50, threads: 1,
      progress: Progress { update in steps.withLock { count in count = update.completed } }
    ) {
      // Once a step is done, ask in the middle of the next: after half of its gradients.
      guard steps.withLock({ $0 }) > 0 else { return false }
      return requested.withLock { time in
        if let time { return clock.now - time > perGradient * 150 }
        time = clock.now
        return false
      }
    }
    let asked = try #require(requested.withLock { $0 })
    #expect(draws.draws < 50 && draws.draws > 0)
    // A whole tree takes 511 gradients; an interrupted one 150, and the steps around it.
    let waited: Double = (clock.now - asked) / perGradient
    #expect(waited < 450, "\(waited) gradients")
    #expect(draws.statistics?.divergences == 0)
  }
}

@Suite("Progress")
struct ProgressTests {
  @Test("updates tell stage, count, step size and divergences, and end with the last")
  func updates() throws {
    let updates = Mutex<[ProgressUpdate]>([])
    let draws = try NUTS().run(
      eightSchools.logDensity(), chains: 3, warmUp: 3000, draws: 6000, thinning: 2, key: 7,
      threads: 2, progress: Progress { update in updates.withLock { $0.append(update) } })
    let list = updates.withLock { $0 }
    let last = try #require(list.last)
    #expect(list.count >= 3)
    #expect(list.filter(\.isLast).count == 1 && last.isLast)
    #expect(list[0].completed == 0 && list[0].stage == "warm-up" && list[0].seconds == 0)
    #expect(list.allSatisfy { $0.total == 3 * 15_000 })
    #expect(last.completed == last.total && last.stage == "sampling" && last.unit == "steps")
    #expect(zip(list, list.dropFirst()).allSatisfy { $0.completed <= $1.completed })
    #expect(zip(list, list.dropFirst()).allSatisfy { $0.seconds <= $1.seconds })
    let sizes = try #require(draws.statistics).stepSizes
    #expect(last.details.map(\.name) == ["step size", "divergences"])
    // A mean of the same three numbers.
    #expect(abs(last.details[0].value / (sizes.reduce(0, +) / 3) - 1) < 1e-12)
    // Each diverging step counts, also where two of them make one draw.
    let divergences = try #require(draws.statistics).divergences
    #expect(Int(last.details[1].value) >= divergences && divergences > 0)
  }

  /// Returns what a meter writes for a run of some seconds, with ten updates a second.
  private func lines(
    _ seconds: Double, isTerminal: Bool, width: Int = 120, rate: Int = 100
  ) -> [String] {
    let text = Mutex<[String]>([])
    let meter = ProgressMeter(isTerminal: isTerminal) {
      width
    } write: { line in
      text.withLock { $0.append(line) }
    }
    let total = Int(seconds * Double(rate))
    for tick in 0...Int(seconds * 10) {
      let now = Double(tick) / 10
      meter.take(
        ProgressUpdate(
          stage: "sampling", completed: Int(now * Double(rate)), total: total, seconds: now,
          unit: "draws", details: [("step size", 0.34567), ("divergences", 3)]))
    }
    meter.take(
      ProgressUpdate(
        stage: "sampling", completed: total, total: total, seconds: seconds, unit: "draws",
        details: [("step size", 0.34567), ("divergences", 3)], isLast: true))
    return text.withLock { $0 }
  }

  @Test("work of less than two seconds writes nothing")
  func short() {
    #expect(lines(1.9, isTerminal: true).isEmpty && lines(1.9, isTerminal: false).isEmpty)
  }

  @Test("a terminal gets one line that is drawn anew, with bar, rate, time left and numbers")
  func terminal() {
    let drawn = lines(10, isTerminal: true)
    #expect(drawn.count > 50)
    #expect(drawn.allSatisfy { $0.hasPrefix("\r") && $0.contains("\u{1B}[K") })
    #expect(drawn.dropLast().allSatisfy { !$0.contains("\n") })
    #expect(drawn.last?.hasSuffix("\n") ?? false)
    let middle = drawn.first { $0.contains("500/1000 draws") } ?? ""
    #expect(
      middle
        == "\rsampling  [##########..........]  50 %  500/1000 draws  100 draws/s  0:05 left  step size 0.346  divergences 3\u{1B}[K"
    )
    // A line that is as wide as the terminal would wrap, and the next could not be drawn over it.
    let narrow = lines(3, isTerminal: true, width: 40)
    #expect(narrow.allSatisfy { $0.count <= 39 + 1 + 3 + 1 })
    // In the usual width nothing that matters is cut off.
    let usual = lines(10, isTerminal: true, width: 80).first { $0.contains(" 50 %") } ?? ""
    #expect(usual.contains("divergences 3\u{1B}") && usual.contains("0:05 left"), "\(usual)")
  }

  @Test("a pipe gets plain lines at widening intervals, and a last one")
  func pipe() {
    let written = lines(700, isTerminal: false)
    // At 2, 5, 10, 20, 40, 60, 120, 300 and 600 seconds, and at the end.
    #expect(written.count == 10)
    #expect(
      written.allSatisfy { $0.hasSuffix("\n") && !$0.contains("\r") && !$0.contains("\u{1B}") })
    #expect(written[0].contains("200/70000 draws") && written[8].contains("60000/70000 draws"))
    #expect(written[9].contains("100 %") && written[9].contains("in 11:40"))
    // Beyond half an hour every half an hour: 1200, 1800, 3600, 5400, 7200 s.
    #expect(lines(7300, isTerminal: false).count == 9 + 5 + 1)
  }

  @Test("the rate is that of the last seconds, and a new stage measures its own")
  func rate() {
    let text = Mutex<[String]>([])
    let meter = ProgressMeter(isTerminal: true) {
      120
    } write: { line in
      text.withLock { $0.append(line) }
    }
    for tick in 0..<600 {
      let now = Double(tick) / 10
      let done = now < 30 ? 10 * now : 300 + 50 * (now - 30)
      meter.take(
        ProgressUpdate(
          stage: now < 30 ? "warm-up" : "sampling", completed: Int(done), total: 3000,
          seconds: now))
    }
    let drawn = text.withLock { $0 }
    #expect(
      drawn.first { $0.contains("warm-up") && $0.contains("200/") }?.contains("10 steps/s") ?? false
    )
    #expect(drawn.last?.contains("50 steps/s") ?? false, "\(drawn.last ?? "")")
  }
}
