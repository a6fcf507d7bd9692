// SPDX-License-Identifier: MIT
//
// The chains of a run on threads: who moves which chain when, cancellation, checkpoints.

import Dispatch
import Numerics
import Synchronization
import Tensors

/// A chain in a place of its own, so that it changes hands without being copied.
///
/// Proof that sending it is safe: a seat is taken out of ``ChainRunner`` under its lock by the one thread that moves the chain, and put back
/// under that lock; nobody else reads or writes the chain meanwhile.
final class Seat<K: Kernel, A: ChainAdaptation<K>>: @unchecked Sendable {
  /// The chain.
  var chain: Chain<K, A>

  /// Seats a chain.
  init(_ chain: Chain<K, A>) { self.chain = chain }
}

/// Moves the chains of a run on a number of threads.
///
/// A thread takes the chain that has come least far, moves it for a short while and puts it back: a few threads keep many
/// chains abreast, so that a cancelled run has draws of all of them. Evaluators belong to threads, and all that a chain's
/// course depends on lies in the chain, so the draws do not depend on who moved it.
final class ChainRunner<K: Kernel, A: ChainAdaptation<K>, Target: SamplingTarget>: Sendable {
  /// The place of a chain.
  enum Place: Sendable {
    /// It has not begun.
    case waiting
    /// Nobody moves it.
    case idle(Seat<K, A>)
    /// A thread moves it.
    case running
  }

  /// What is being done about a checkpoint.
  private enum Saving {
    case nothing
    case collecting
    case writing
  }

  /// What the threads share.
  private struct Shared: Sendable {
    /// The places of the chains.
    var places: [Place]
    /// The steps that each chain had done when it was last seen.
    var iterations: [Int]
    /// The saved chains of a checkpoint that is being collected; empty while none is.
    var sections: [Int: Result<[UInt8], CheckpointFile.Failure>] = [:]
    /// What is being done about a checkpoint: one at a time, so that draws are in memory twice at most.
    var saving = Saving.nothing
    /// When the last checkpoint was begun, in nanoseconds.
    var lastSaving: UInt64
  }

  /// How long a thread keeps a chain, in nanoseconds: short against a user's patience, long against a lock.
  private static var slice: UInt64 { 20_000_000 }

  /// The most steps for which a thread keeps a chain, so that chains of fast steps stay abreast, too.
  private static var sliceSteps: Int { 1000 }

  /// A step that lasts longer than this is worth interrupting, in nanoseconds.
  private static var longStep: UInt64 { 50_000_000 }

  /// The settings.
  let plan: RunPlan
  private let target: Target
  private let kernel: K
  private let adaptation: A
  private let drawColumns: [DrawColumn]
  private let starts: [Int: ChainStart]
  private let fingerprint: Fingerprint?
  private let shared: Mutex<Shared>
  private let isStopped: Atomic<Bool>
  private let monitor: RunMonitor
  private let savings: Mutex<CheckpointSavings>

  /// Prepares a run.
  ///
  /// - Parameters:
  ///   - plan: The settings.
  ///   - target: The density.
  ///   - kernel: The kernel that each chain begins with.
  ///   - adaptation: The adaptation that each chain begins with.
  ///   - drawColumns: The sites that are stored.
  ///   - saved: The chains of a checkpoint, by number.
  ///   - starts: Where the other chains start, by number.
  ///   - fingerprint: What the checkpoint knows its run by; nil without a checkpoint.
  ///   - began: When the run began, in nanoseconds.
  ///   - isStopped: Whether it was cancelled already.
  init(
    _ plan: RunPlan, _ target: Target, _ kernel: K, _ adaptation: A,
    _ drawColumns: [DrawColumn], saved: [Int: Chain<K, A>], starts: [Int: ChainStart],
    _ fingerprint: Fingerprint?, began: UInt64, isStopped: Bool
  ) {
    self.plan = plan
    self.isStopped = Atomic(isStopped)
    self.target = target
    self.kernel = kernel
    self.adaptation = adaptation
    self.drawColumns = drawColumns
    self.starts = starts
    self.fingerprint = fingerprint
    let places = (0..<plan.chains).map { saved[$0].map { Place.idle(Seat($0)) } ?? .waiting }
    let iterations = (0..<plan.chains).map { saved[$0]?.iteration ?? 0 }
    shared = Mutex(Shared(places: places, iterations: iterations, lastSaving: began))
    monitor = RunMonitor(plan, began: began, iterations: iterations)
    savings = Mutex(CheckpointSavings())
  }

  /// The present time in nanoseconds.
  static var now: UInt64 { DispatchTime.now().uptimeNanoseconds }

  /// Moves all chains to their ends, or until the run is cancelled.
  ///
  /// - Returns: The seats of the chains in order, nil for those that did not begin; whether the run was cancelled; warnings.
  func run() -> (seats: [Seat<K, A>?], wasCancelled: Bool, warnings: [String]) {
    monitor.begin()
    DispatchQueue.concurrentPerform(iterations: plan.threads) { _ in self.work() }
    // No checkpoint is left half collected: the last one holds all chains.
    if plan.checkpoint != nil { saveAll() }
    let seats = shared.withLock { shared in
      shared.places.map { place -> Seat<K, A>? in
        if case .idle(let seat) = place { seat } else { nil }
      }
    }
    monitor.end(seats.compactMap { $0 })
    return (
      seats, isStopped.load(ordering: .relaxed),
      savings.withLock { $0.warning(plan.checkpoint?.path) }.map { [$0] } ?? []
    )
  }

  // MARK: - Threads

  /// What a thread moves chains with.
  private struct Tools {
    let evaluator: Target.Evaluator
    let recorder: Target.Recorder
    /// Whether the last step took so long that the next is worth interrupting.
    var isSlow = false
  }

  /// Moves chains until none is left: what each thread does.
  private func work() {
    var known: Tools?
    while let (index, place) = take() {
      var tools =
        known
        ?? Tools(evaluator: target.makeEvaluator(), recorder: target.makeRecorder(drawColumns))
      let seat = begin(index, place, tools.evaluator)
      move(&seat.chain, &tools)
      put(seat)
      known = tools
    }
  }

  /// Takes the chain that has come least far among those that nobody moves; nil if there is none to move.
  private func take() -> (index: Int, place: Place)? {
    if isStopped.load(ordering: .relaxed) { return nil }
    return shared.withLock { shared in
      var best: Int?
      for (index, place) in shared.places.enumerated() {
        if case .running = place { continue }
        let isLess = best.map { shared.iterations[index] < shared.iterations[$0] } ?? true
        if shared.iterations[index] < plan.iterations && isLess { best = index }
      }
      guard let best else { return nil }
      let place = shared.places[best]
      shared.places[best] = .running
      return (best, place)
    }
  }

  /// Returns the seat of a chain that is taken, begun if it has not been.
  private func begin(
    _ index: Int, _ place: Place, _ evaluator: Target.Evaluator
  ) -> Seat<K, A> {
    if case .idle(let seat) = place { return seat }
    var chain = Chain(
      index, plan, kernel, adaptation,
      at: starts[index] ?? ChainStart(position: [Double](repeating: 0, count: target.dimension)),
      columns: drawColumns.count + (plan.keepsUnconstrained ? 1 : 0), evaluator)
    chain.reserve(plan, elementCounts)
    return Seat(chain)
  }

  /// The number of elements of one draw in each column.
  var elementCounts: [Int] {
    drawColumns.map(\.shape.elementCount) + (plan.keepsUnconstrained ? [target.dimension] : [])
  }

  /// Puts a chain back, and saves it where a checkpoint is due.
  private func put(_ seat: Seat<K, A>) {
    let complete = shared.withLock { shared -> [Result<[UInt8], CheckpointFile.Failure>]? in
      let index = seat.chain.index
      shared.iterations[index] = seat.chain.iteration
      if shared.saving == .collecting && shared.sections[index] == nil {
        shared.sections[index] = saved(seat)
      }
      shared.places[index] = .idle(seat)
      return collect(&shared)
    }
    guard let complete else { return }
    write(complete.count) { complete[$0] }
    shared.withLock { $0.saving = .nothing }
  }

  /// Moves a chain until its time is over, it is complete or the run is cancelled.
  private func move(_ chain: inout Chain<K, A>, _ tools: inout Tools) {
    let density = tools.evaluator as? DensityEvaluator
    var last = Self.now
    let end = last + Self.slice
    // The clock is read once in a number of steps, which doubles while these take less than a millisecond.
    var (stride, sinceReading) = (1, 0)
    let stop = min(plan.iterations, chain.iteration + Self.sliceSteps)
    while chain.iteration < stop {
      if isCancelled() { return }
      let isDone = chain.advance(
        plan, tools.evaluator, tools.recorder, interruptible: tools.isSlow ? density : nil,
        isCancelled)
      if !isDone { return }
      sinceReading += 1
      if sinceReading < stride { continue }
      sinceReading = 0
      let now = Self.now
      let elapsed = now - last
      last = now
      tools.isSlow = stride == 1 && elapsed > Self.longStep
      if elapsed < 1_000_000 {
        stride = min(1024, 2 * stride)
      } else if elapsed > 4_000_000 {
        stride = max(1, stride / 4)
      }
      monitor.update(chain, now)
      if now >= end { return }
    }
  }

  /// Whether the run is cancelled.
  private func isCancelled() -> Bool {
    if isStopped.load(ordering: .relaxed) { return true }
    guard plan.isCancelled() else { return false }
    isStopped.store(true, ordering: .relaxed)
    return true
  }
}

// MARK: - Checkpoints

extension ChainRunner {
  /// Returns the bytes of a chain.
  private func saved(_ seat: Seat<K, A>) -> Result<[UInt8], CheckpointFile.Failure> {
    do {
      return .success(try seat.chain.bytes())
    } catch {
      return .failure(CheckpointFile.Failure(text: "\(error)"))
    }
  }

  /// Begins a checkpoint where one is due, and returns its sections once all chains are in it.
  private func collect(
    _ shared: inout Shared
  ) -> [Result<[UInt8], CheckpointFile.Failure>]? {
    guard let checkpoint = plan.checkpoint else { return nil }
    let now = Self.now
    switch shared.saving {
    case .writing: return nil
    case .collecting: break
    case .nothing:
      guard Double(now - shared.lastSaving) >= checkpoint.interval * 1e9 else { return nil }
      shared.saving = .collecting
      shared.lastSaving = now
      for (index, place) in shared.places.enumerated() {
        if case .idle(let seat) = place { shared.sections[index] = saved(seat) }
      }
    }
    // A chain that has not begun has nothing to be saved.
    for (index, place) in shared.places.enumerated() {
      if case .running = place, shared.sections[index] == nil { return nil }
    }
    shared.saving = .writing
    defer { shared.sections = [:] }
    return shared.sections.sorted { $0.key < $1.key }.map(\.value)
  }

  /// Saves all chains when no thread moves them any more, one after the other.
  private func saveAll() {
    let seats = shared.withLock { shared in
      shared.places.compactMap { place -> Seat<K, A>? in
        if case .idle(let seat) = place { seat } else { nil }
      }
    }
    write(seats.count) { self.saved(seats[$0]) }
  }

  /// Writes the chains of a checkpoint; a failure is noted, and the run goes on.
  private func write(
    _ count: Int, _ section: (Int) -> Result<[UInt8], CheckpointFile.Failure>
  ) {
    guard let checkpoint = plan.checkpoint, let fingerprint else { return }
    var header: [UInt8] = []
    Record.fields([("fingerprint", fingerprint.record), ("seconds", .double(monitor.seconds))])
      .append(to: &header)
    savings.withLock { savings in
      do throws(CheckpointFile.Failure) {
        try CheckpointFile.write(count + 1, to: checkpoint.path) {
          index throws(CheckpointFile.Failure) in
          index == 0 ? header : try section(index - 1).get()
        }
        savings.succeeded()
      } catch {
        savings.failed(error.text)
      }
    }
  }
}

/// How the checkpoints of a run went.
struct CheckpointSavings: Sendable {
  private var written = 0
  private var failures = 0
  private var firstFailure: String?
  private var lastFailed = false

  /// Notes a checkpoint that was written.
  mutating func succeeded() {
    written += 1
    lastFailed = false
  }

  /// Notes one that was not.
  mutating func failed(_ reason: String) {
    failures += 1
    firstFailure = firstFailure ?? reason
    lastFailed = true
  }

  /// Returns what there is to say; nil if all is well.
  func warning(_ path: String?) -> String? {
    guard let path, let firstFailure else { return nil }
    let state =
      lastFailed
      ? (written > 0
        ? "the file holds an earlier state of the run" : "there is no file to resume the run from")
      : "the last one was written"
    return
      "\(failures) of \(failures + written) checkpoints could not be written to \"\(path)\" (\(firstFailure)); \(state). The draws are complete; free space or choose another path"
  }
}
