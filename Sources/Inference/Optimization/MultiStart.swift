// SPDX-License-Identifier: MIT
//
// Searches from several starts: which maxima there are, how high, and how many starts lead to each.

import Numerics
import Dispatch
import Synchronization

/// Searches from several starts with one optimiser.
///
/// A search ends early where it comes to a maximum that an earlier one has found: within two standard deviations of it and
/// less than 4 below it in log density. Starts are taken in rounds; the searches of a round do not know of each other, so
/// the result depends on ``roundSize`` and not on the number of threads.
public struct MultiStart<Base: Optimizer>: Sendable {
  /// The optimiser of each search.
  public var optimizer: Base

  /// The number of searches of a round, which run at the same time; in the first round there is one.
  public var roundSize: Int

  /// The number of threads; the result does not depend on it.
  public var threads: Int

  /// Whether a search ends where it comes to a maximum that is known.
  public var joinsKnownMaxima = true

  /// Creates the searches of an optimiser.
  public init(_ optimizer: Base, roundSize: Int = 4, threads: Int = 4) {
    demand(
      roundSize > 0 && threads > 0,
      "MultiStart: expected roundSize > 0 and threads > 0, got \(roundSize) and \(threads)")
    self.optimizer = optimizer
    self.roundSize = roundSize
    self.threads = threads
  }

  /// Searches from several starts, the searches of a round on several threads.
  ///
  /// - Parameters:
  ///   - starts: The starting points, best guess first.
  ///   - progress: Told of each round that has ended.
  ///   - isCancelled: Asked between steps, from several threads; what the searches have found so far is returned.
  ///   - makeTarget: Makes the log density, one for each thread.
  /// - Returns: What the searches found.
  /// - Precondition: There is at least one start.
  public func search(
    from starts: [[Double]], progress: Progress = .none,
    isCancelled: @escaping @Sendable () -> Bool = { false },
    _ makeTarget: @Sendable () -> any LogDensity
  ) -> SearchResult {
    let own = makeTarget()
    return rounds(starts, own, progress, isCancelled) { round, known in
      min(threads, round.count) == 1
        ? round.map { run(own, starts[$0], known, SearchControl(isCancelled: isCancelled)) }
        : inParallel(starts[round], known, isCancelled, makeTarget)
    }
  }

  /// Searches from several starts, one after the other, on the calling thread; the result is the same.
  ///
  /// - Parameters:
  ///   - target: The log density.
  ///   - starts: The starting points, best guess first.
  ///   - progress: Told of each round that has ended.
  ///   - isCancelled: Asked between steps; what the searches have found so far is returned.
  /// - Returns: What the searches found.
  /// - Precondition: There is at least one start.
  public func search(
    _ target: some LogDensity, from starts: [[Double]], progress: Progress = .none,
    isCancelled: () -> Bool = { false }
  ) -> SearchResult {
    withoutActuallyEscaping(isCancelled) { isCancelled in
      rounds(starts, target, progress, isCancelled) { round, known in
        round.map { run(target, starts[$0], known, SearchControl(isCancelled: isCancelled)) }
      }
    }
  }

  /// Runs round after round and takes down what is found.
  private func rounds(
    _ starts: [[Double]], _ own: some LogDensity, _ progress: Progress,
    _ isCancelled: () -> Bool, _ run: (Range<Int>, [KnownMaximum]) -> [SearchEnd]
  ) -> SearchResult {
    demand(!starts.isEmpty, "MultiStart: expected at least one start, got none")
    var census = Census()
    let clock = ContinuousClock()
    let begin = clock.now
    var next = 0
    // A search that is asked to stop at once still evaluates its start, so that there always is a result.
    while next < starts.count && (next == 0 || !isCancelled()) {
      let round = next..<min(starts.count, next == 0 ? 1 : next + roundSize)
      for end in run(round, joinsKnownMaxima ? census.maxima : []) { census.add(end, own) }
      next = round.upperBound
      progress.report?(
        ProgressUpdate(
          stage: "searching", completed: next, total: starts.count,
          seconds: (clock.now - begin) / .seconds(1), unit: "searches",
          details: [("log density", census.height), ("maxima", Double(census.maxima.count))],
          isLast: next == starts.count))
    }
    return census.result
  }

  /// Searches from one point; returns the end, and which known maximum it joined.
  private func run(
    _ target: some LogDensity, _ start: [Double], _ known: [KnownMaximum], _ control: SearchControl
  ) -> SearchEnd {
    let joined = Joined()
    var control = control
    control.joins = { point, value in
      joined.index = known.firstIndex { $0.isReached(by: point, value) }
      return joined.index != nil
    }
    let optimum = optimizer.maximize(target, from: start, control: control)
    return SearchEnd(optimum: optimum, joined: optimum.reason == .merged ? joined.index : nil)
  }

  /// Runs the searches of a round on several threads.
  private func inParallel(
    _ starts: ArraySlice<[Double]>, _ known: [KnownMaximum],
    _ isCancelled: @escaping @Sendable () -> Bool, _ makeTarget: @Sendable () -> any LogDensity
  ) -> [SearchEnd] {
    let workers = min(threads, starts.count)
    let ends = Mutex([Int: SearchEnd](minimumCapacity: starts.count))
    DispatchQueue.concurrentPerform(iterations: workers) { worker in
      let target = makeTarget()
      for index in stride(from: starts.startIndex + worker, to: starts.endIndex, by: workers) {
        let end = run(target, starts[index], known, SearchControl(isCancelled: isCancelled))
        ends.withLock { $0[index] = end }
      }
    }
    return ends.withLock { ends in starts.indices.compactMap { ends[$0] } }
  }
}

/// The known maximum that a search joined; belongs to the thread of the search.
private final class Joined {
  var index: Int?
}

/// The end of one search, and the known maximum that it joined.
private struct SearchEnd: Sendable {
  let optimum: Optimum
  let joined: Int?
}

/// The maxima found so far, and who found them.
private struct Census {
  /// The distinct maxima, in the order in which they were found.
  private(set) var maxima: [KnownMaximum] = []

  /// The numbers of the searches that lead to each maximum.
  private var searches: [[Int]] = []

  /// The ends of all searches.
  private var ends: [Optimum] = []

  /// The highest log density so far; −∞ before there is one.
  var height: Double { ends.reduce(-.infinity) { max($0, $1.value.isNaN ? -.infinity : $1.value) } }

  /// Takes the end of a search.
  mutating func add(_ end: SearchEnd, _ target: some LogDensity) {
    ends.append(end.optimum)
    let number = ends.count - 1
    if let joined = end.joined {
      searches[joined].append(number)
    } else if end.optimum.isConverged {
      if let same = maxima.firstIndex(where: { $0.isSame(as: end.optimum) }) {
        searches[same].append(number)
        maxima[same].improve(with: end.optimum)
      } else {
        maxima.append(KnownMaximum(end.optimum, target))
        searches.append([number])
      }
    }
  }

  /// What the searches found, highest maximum first.
  var result: SearchResult {
    let modes = zip(maxima, searches).map { maximum, numbers in
      SearchResult.Mode(optimum: maximum.optimum, searches: numbers)
    }
    return SearchResult(
      searches: ends,
      modes: modes.sorted { $0.optimum.value > $1.optimum.value })
  }
}

/// What searches from several starts found.
public struct SearchResult: Sendable {
  /// A maximum, and the searches that lead to it.
  public struct Mode: Sendable {
    /// The search that came highest on it.
    public let optimum: Optimum

    /// The numbers of the searches that lead there, as those of their starts.
    public let searches: [Int]

    /// Creates a maximum.
    public init(optimum: Optimum, searches: [Int]) {
      self.optimum = optimum
      self.searches = searches
    }
  }

  /// The ends of the searches, in the order of their starts; after a cancellation some starts have none.
  public let searches: [Optimum]

  /// The distinct maxima, highest first; empty where no search converged.
  public let modes: [Mode]

  /// The end of the search that came highest, converged or not; NaN never does.
  ///
  /// - Precondition: There was at least one search.
  public var best: Optimum {
    // A search that joined a known maximum is no higher than it, but for rounding.
    let own = searches.filter { $0.reason != .merged }
    let height = { (optimum: Optimum) in optimum.value.isNaN ? -.infinity : optimum.value }
    return own.dropFirst().reduce(own[0]) { best, next in
      height(next) > height(best) ? next : best
    }
  }

  /// The number of evaluations of the log density, all searches together.
  public var evaluations: Int { searches.reduce(0) { $0 + $1.evaluations } }
}
