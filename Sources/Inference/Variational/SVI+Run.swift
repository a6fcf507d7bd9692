// SPDX-License-Identifier: MIT
//
// The loop around the steps of a variational fit: rounds with falling step sizes, early stopping, averaged iterates.

public import Numerics

extension SVI {
  /// Fits the guide.
  ///
  /// - Parameters:
  ///   - steps: The largest number of steps of each round.
  ///   - rounds: The number of rounds; each begins where the last one ended, with a fresh optimiser.
  ///   - decay: What the step size is multiplied with from round to round.
  ///   - patience: A round ends when the mean loss over this many steps is no lower than over any earlier stretch of the
  ///     same length; steps that are skipped, since their loss is not finite, do not count; nil: never.
  ///   - averaging: The last share of a round's steps whose parameters are averaged at its end (Polyak & Juditsky 1992);
  ///     0: none. It takes out the noise that is left around the optimum, and little else.
  ///   - key: The key of all noise.
  ///   - state: A state to continue from, instead of `key` and the initial parameters.
  ///   - progress: Where progress goes.
  ///   - isCancelled: Asked between steps.
  /// - Returns: The parameters, the losses, and why the fit stopped.
  public func run(
    steps: Int = 2000, rounds: Int = 1, decay: Double = 0.1, patience: Int? = nil,
    averaging: Double = 0, key: RandomKey = 0, from state: SVIState? = nil,
    progress: Progress = .none, isCancelled: () -> Bool = { false }
  ) -> SVIResult {
    demand(
      steps > 0 && rounds > 0 && decay > 0 && (patience ?? 1) > 0 && (0...1).contains(averaging),
      "SVI: expected steps, rounds, decay and patience > 0, averaging in [0, 1], got \(steps), \(rounds), \(decay), \(patience ?? 1), \(averaging)"
    )
    let evaluator = makeEvaluator()
    var report = SVIReport(progress, total: steps * rounds)
    var state = state ?? start(key: key)
    var losses: [Double] = []
    losses.reserveCapacity(steps * rounds)
    var reason = SVIResult.Reason.steps
    var factor = 1.0
    rounds: for round in 0..<rounds {
      if round > 0 {
        factor *= decay
        state.optimizer = optimizer.start(dimension: objective.dimension)
      }
      let begin = losses.count
      var average = IterateAverage(steps: steps, share: averaging)
      var rest = Plateau(patience: patience)
      reason = .steps
      var (inARow, counted) = (0, 0)
      while losses.count - begin < steps {
        if isCancelled() {
          reason = .cancelled
          break rounds
        }
        let skipped = state.skipped
        let loss = update(&state, evaluator, factor: factor)
        losses.append(loss)
        let counts = state.skipped == skipped
        report.step(losses.count, loss, factor)
        inARow = counts ? 0 : inARow + 1
        if inARow >= Self.mostSkipped {
          reason = .notFinite
          break rounds
        }
        // A skipped step moved nothing, and its loss is no number.
        guard counts else { continue }
        counted += 1
        average.add(state.parameters)
        if rest.isReached(loss) {
          reason = .plateau
          break
        }
      }
      if let mean = average.mean(of: counted) { state.parameters = mean }
    }
    report.finish(losses.count)
    return SVIResult(
      objective: objective, state: state, losses: losses, reason: reason, seconds: report.seconds)
  }

  /// The number of steps in a row without a finite loss after which a fit gives up.
  private static let mostSkipped = 50
}

/// Averages of the iterates of a round, in blocks, of which the last ones are joined at its end.
struct IterateAverage {
  private let length: Int
  private let share: Double
  private var blocks: [[Double]] = []
  private var filled = 0

  /// Creates averages for a round of at most so many steps; a share of 0 keeps nothing.
  init(steps: Int, share: Double) {
    // Forty blocks: the share is met to 2.5 %.
    length = max(1, steps / 40)
    self.share = share
  }

  /// Adds an iterate.
  mutating func add(_ parameters: [Double]) {
    guard share > 0 else { return }
    if blocks.isEmpty || filled == length {
      blocks.append([Double](repeating: 0, count: parameters.count))
      filled = 0
    }
    let last = blocks.count - 1
    for k in parameters.indices { blocks[last][k] += parameters[k] }
    filled += 1
  }

  /// Returns the mean over the last share of a number of iterates; nil where none is wanted.
  func mean(of count: Int) -> [Double]? {
    guard let last = blocks.last else { return nil }
    let wanted = max(1, Int(share * Double(count)))
    var sum = last
    var steps = filled
    for block in blocks.dropLast().reversed() where steps < wanted {
      for k in sum.indices { sum[k] += block[k] }
      steps += length
    }
    return sum.map { $0 / Double(steps) }
  }
}

/// Notices when a noisy loss no longer falls.
struct Plateau {
  private let patience: Int?
  private var sum = 0.0
  private var count = 0
  private var best = Double.infinity

  /// Creates the watch; without patience it never ends a round.
  init(patience: Int?) { self.patience = patience }

  /// Takes a loss, and returns whether the mean over the last stretch is no lower than the best one before.
  mutating func isReached(_ loss: Double) -> Bool {
    guard let patience else { return false }
    sum += loss
    count += 1
    guard count == patience else { return false }
    let mean = sum / Double(count)
    (sum, count) = (0, 0)
    if mean < best {
      best = mean
      return false
    }
    return true
  }
}

/// What a fit tells while it runs, some ten times a second.
struct SVIReport {
  private let progress: Progress
  private let total: Int
  private let clock = ContinuousClock()
  private let begin: ContinuousClock.Instant
  private var last: ContinuousClock.Instant
  private var smooth = Double.nan

  /// Starts the clock.
  init(_ progress: Progress, total: Int) {
    self.progress = progress
    self.total = total
    begin = clock.now
    last = begin
  }

  /// The time since the beginning, in seconds.
  var seconds: Double { (clock.now - begin).inSeconds }

  /// Takes a step.
  mutating func step(_ done: Int, _ loss: Double, _ factor: Double) {
    guard let report = progress.report else { return }
    // A running mean over some 50 steps, so that the number can be read.
    smooth = smooth.isFinite ? smooth + 0.02 * (loss - smooth) : loss
    let now = clock.now
    guard now - last > .milliseconds(100) else { return }
    last = now
    report(
      ProgressUpdate(
        stage: "optimising", completed: done, total: total, seconds: (now - begin).inSeconds,
        details: [("ELBO", -smooth)]))
  }

  /// Sends the last update.
  func finish(_ done: Int) {
    progress.report?(
      ProgressUpdate(
        stage: "optimising", completed: done, total: total, seconds: seconds,
        details: [("ELBO", -smooth)], isLast: true))
  }
}

extension Duration {
  /// The duration in seconds.
  var inSeconds: Double {
    Double(components.seconds) + Double(components.attoseconds) * 1e-18
  }
}
