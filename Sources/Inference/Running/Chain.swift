// SPDX-License-Identifier: MIT
//
// One chain of a run: all that its course depends on, and the draws that it has stored.

import Numerics

/// One chain: all that its course depends on, and the draws that it has stored.
struct Chain<K: Kernel, A: ChainAdaptation<K>>: Sendable {
  /// The number of the chain.
  let index: Int

  /// The kernel with its tuning.
  private(set) var kernel: K

  /// The adaptation.
  private var adaptation: A

  /// Where the chain is.
  private var state: K.State

  /// The number of steps done.
  private(set) var iteration = 0

  /// The stored sites, one column each, draw after draw; then the unconstrained vectors if they are kept.
  var columns: [[Double]]

  /// What the steps told.
  private(set) var steps = StepColumns()

  /// The steps since the last draw.
  private var sinceDraw = StepSummary()

  /// Whether the kernel has numbers of its own to be stored.
  private let hasExtras: Bool

  /// How these are read.
  private let extraReaders: [StepExtra<K.Info>]

  /// These numbers.
  private(set) var extras: ExtraColumns

  /// The energies of the steps after the warm-up, those between draws included.
  private(set) var energies = EnergyMoments()

  /// The number of gradients of the warm-up.
  private(set) var warmUpGradients = 0

  /// The number of divergences of the warm-up.
  private(set) var warmUpDivergences = 0

  /// The number of divergences after it.
  private(set) var divergences = 0

  /// The keys of the chain's parts.
  private let keys: Keys

  /// The keys of the parts of a chain.
  private struct Keys: Sendable {
    let steps: RandomKey
    let adaptation: RandomKey

    init(_ run: RandomKey, _ index: Int) {
      steps = run.folding(in: index)
      adaptation = steps.folding(in: "adaptation")
    }
  }

  /// Begins a chain.
  init(
    _ index: Int, _ plan: RunPlan, _ initial: K, _ initialAdaptation: A, at start: ChainStart,
    columns count: Int, _ target: some LogDensity
  ) {
    self.index = index
    keys = Keys(plan.key, index)
    kernel = Chain.seed(
      initial, start, learnsMetric: plan.warmUp > 0 && initialAdaptation.learnsMetric)
    adaptation = initialAdaptation
    state = kernel.start(at: start.position, target, key: keys.steps.folding(in: "begin"))
    columns = [[Double]](repeating: [], count: count)
    extraReaders = K.Info.extras
    hasExtras = !extraReaders.isEmpty
    extras = ExtraColumns(extraReaders.count)
    guard plan.warmUp > 0 else { return }
    adaptation.begin(
      &kernel, &state, target, iterations: plan.warmUp,
      key: keys.steps.folding(in: "begin adaptation"))
  }

  /// Returns a kernel with the metric of a start, if it can have one; a suggested one is for kernels without one that learn it.
  private static func seed(_ kernel: K, _ start: ChainStart, learnsMetric: Bool) -> K {
    guard let metric = start.metric, var tunable = kernel as? any TunableKernel,
      !start.isMetricSuggested || learnsMetric && tunable.metric.dimension == 0
    else { return kernel }
    tunable.metric = metric
    return tunable as? K ?? kernel
  }

  /// The number of stored draws.
  var draws: Int { steps.count }

  /// The step size to show.
  var stepSize: Double { kernel.shownStepSize }

  /// What the tuning could not do as it should, in words.
  var warnings: [String] { adaptation.warnings }

  /// Makes room for all draws, the numbers of elements of a draw being given for each column.
  mutating func reserve(_ plan: RunPlan, _ counts: [Int]) {
    steps.reserve(plan.draws)
    extras.reserve(plan.draws)
    // All chains are put together in the columns of the first; memory that is not touched costs nothing.
    let chains = index == 0 ? plan.chains : 1
    for (k, count) in counts.enumerated() {
      columns[k].reserveCapacity(plan.draws * count * chains)
    }
  }

  /// Does one step, unless the run is cancelled while it lasts; stores a draw where one is due.
  ///
  /// - Parameters:
  ///   - plan: The settings.
  ///   - target: The density.
  ///   - recorder: Stores the sites.
  ///   - interruptible: The density if a step is long enough to be interrupted; else nil.
  ///   - isCancelled: Whether the run is cancelled.
  /// - Returns: Whether the step was done.
  mutating func advance(
    _ plan: RunPlan, _ target: some LogDensity, _ recorder: some DrawRecorder,
    interruptible: DensityEvaluator?, _ isCancelled: @escaping () -> Bool
  ) -> Bool {
    let key = keys.steps.folding(in: UInt64(iteration))
    let info: K.Info
    if let interruptible {
      let before = state
      // In the step alone: what the adaptation sees of the density must be true.
      interruptible.interruption = isCancelled
      info = kernel.step(&state, target, key: key)
      interruptible.interruption = nil
      if isCancelled() {
        state = before
        return false
      }
    } else {
      info = kernel.step(&state, target, key: key)
    }
    if iteration < plan.warmUp {
      warmUpGradients += info.gradients
      if info.diverged { warmUpDivergences += 1 }
      adaptation.update(
        &kernel, &state, info, iteration: iteration, target, key: keys.adaptation)
      if iteration == plan.warmUp - 1 { adaptation.end(&kernel) }
    } else {
      if info.diverged { divergences += 1 }
      sinceDraw.add(info)
      energies.add(info.energy)
      if hasExtras { extras.add(info, extraReaders) }
      if (iteration - plan.warmUp + 1) % plan.thinning == 0 {
        recorder.append(state.position, to: &columns)
        if plan.keepsUnconstrained { columns[columns.count - 1].append(contentsOf: state.position) }
        steps.append(sinceDraw, logDensity: state.logDensity)
        if hasExtras { extras.endDraw() }
        sinceDraw = StepSummary()
      }
    }
    iteration += 1
    return true
  }
}

// MARK: - Saving

extension Chain {
  /// What is saved of a chain.
  private struct Saved: Codable {
    let index: Int
    let kernel: K
    let adaptation: A
    let state: K.State
    let iteration: Int
    let columns: [[Double]]
    let steps: StepColumns
    let sinceDraw: StepSummary
    let energies: EnergyMoments
    let warmUpGradients: Int
    let warmUpDivergences: Int
    let divergences: Int
    /// Nil for a kernel that has none.
    let extras: ExtraColumns?
  }

  /// The bytes of the chain.
  func bytes() throws -> [UInt8] {
    let saved = Saved(
      index: index, kernel: kernel, adaptation: adaptation, state: state, iteration: iteration,
      columns: columns, steps: steps, sinceDraw: sinceDraw, energies: energies,
      warmUpGradients: warmUpGradients, warmUpDivergences: warmUpDivergences,
      divergences: divergences, extras: hasExtras ? extras : nil)
    let record = try Record(encoding: saved)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(record.byteCount)
    record.append(to: &bytes)
    return bytes
  }

  /// Reads a chain.
  ///
  /// - Throws: `DecodingError` if the bytes are those of something else.
  init(_ bytes: ArraySlice<UInt8>, _ plan: RunPlan) throws {
    var reader = RecordReader(bytes)
    guard let record = reader.record(), reader.isAtEnd else {
      throw DecodingError.dataCorrupted(
        .init(codingPath: [], debugDescription: "expected the record of a chain"))
    }
    let saved = try record.decode(Saved.self)
    index = saved.index
    kernel = saved.kernel
    adaptation = saved.adaptation
    state = saved.state
    iteration = saved.iteration
    columns = saved.columns
    steps = saved.steps
    sinceDraw = saved.sinceDraw
    energies = saved.energies
    warmUpGradients = saved.warmUpGradients
    warmUpDivergences = saved.warmUpDivergences
    divergences = saved.divergences
    extraReaders = K.Info.extras
    hasExtras = !extraReaders.isEmpty
    extras = saved.extras ?? ExtraColumns(0)
    guard extras.holds(extraReaders.count, draws: saved.steps.count) else {
      throw DecodingError.dataCorrupted(
        .init(codingPath: [], debugDescription: "expected a column of each of a step's extras"))
    }
    keys = Keys(plan.key, saved.index)
  }
}
