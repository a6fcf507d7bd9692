// SPDX-License-Identifier: MIT
//
// Draws from a posterior with any kernel: what users call.

public import Numerics
import PPL
import Tensors

extension Kernel {
  /// Draws from a posterior with several chains, each tuned by its own warm-up.
  ///
  /// A draw depends on the key, the chain and the iteration alone: the number of threads does not matter. What memory the run
  /// takes is decided by what it stores.
  ///
  /// - Parameters:
  ///   - target: A model's ``CompiledDensity``, or a density of one's own by a ``LogDensityFactory``.
  ///   - chains: The number of chains.
  ///   - warmUp: The iterations of each chain that tune the kernel, and are not kept.
  ///   - draws: The draws of each chain.
  ///   - thinning: The number of steps from one draw to the next; the steps between are not kept.
  ///   - key: The key of the run.
  ///   - initial: Where chains start.
  ///   - adaptation: What tunes the kernel during the warm-up; nil: what is usual for it.
  ///   - sites: The sites that are stored; by default all latent ones as their author wrote them.
  ///   - keepsUnconstrained: Whether the unconstrained vectors are kept, too, as ``Draws/unconstrained``.
  ///   - threads: The number of threads; nil: as many as there are processors.
  ///   - progress: Who is told how far the run is.
  ///   - checkpoint: A file in which the run is saved now and then, and from which it is resumed.
  ///   - isCancelled: Asked between steps, and within long ones of a model, from several threads; complete draws are kept.
  /// - Returns: The draws with the statistics of the sampler; ``SamplerStatistics/warnings`` says in words what to know.
  /// - Throws: `ModelError` if a site is unknown, a chain finds no starting point, the kernel's metric has another dimension
  ///   than the density, the adaptation cannot tune the kernel, a number of chains, draws, threads or steps is not positive,
  ///   `warmUp` is negative, or a name of the kernel's extras is taken; ``CheckpointError`` if the file is damaged, belongs to
  ///   another run or cannot be written.
  public func run(
    _ target: some SamplingTarget, chains: Int = 4, warmUp: Int = 1000, draws: Int = 1000,
    thinning: Int = 1, key: RandomKey = 0, initial: InitialStrategy = .usual,
    adaptation: Adaptation? = nil, sites: StoredSites = .latent, keepsUnconstrained: Bool = false,
    threads: Int? = nil, progress: Progress = .none, checkpoint: Checkpoint? = nil,
    isCancelled: @Sendable @escaping () -> Bool = { false }
  ) throws -> Draws {
    try run(
      target, chains: chains, warmUp: warmUp, draws: draws, thinning: thinning, key: key,
      initial: initial, adaptedBy: adaptation ?? self.adaptation, sites: sites,
      keepsUnconstrained: keepsUnconstrained, threads: threads, progress: progress,
      checkpoint: checkpoint, isCancelled: isCancelled)
  }

  /// Draws from a posterior with an adaptation of one's own: any ``ChainAdaptation`` of this kernel.
  ///
  /// - Parameters:
  ///   - target: A model's ``CompiledDensity``, or a density of one's own by a ``LogDensityFactory``.
  ///   - chains: The number of chains.
  ///   - warmUp: The iterations of each chain that tune the kernel, and are not kept.
  ///   - draws: The draws of each chain.
  ///   - thinning: The number of steps from one draw to the next; the steps between are not kept.
  ///   - key: The key of the run.
  ///   - initial: Where chains start.
  ///   - adaptation: What tunes the kernel during the warm-up.
  ///   - sites: The sites that are stored; by default all latent ones as their author wrote them.
  ///   - keepsUnconstrained: Whether the unconstrained vectors are kept, too.
  ///   - threads: The number of threads; nil: as many as there are processors.
  ///   - progress: Who is told how far the run is.
  ///   - checkpoint: A file in which the run is saved now and then, and from which it is resumed.
  ///   - isCancelled: Asked between steps, and within long ones of a model, from several threads; complete draws are kept.
  /// - Returns: The draws with the statistics of the sampler.
  /// - Throws: `ModelError` if a site is unknown, a chain finds no starting point, the kernel's metric has another dimension
  ///   than the density, the adaptation cannot tune the kernel, a number of chains, draws, threads or steps is not positive,
  ///   `warmUp` is negative, or a name of the kernel's extras is taken; ``CheckpointError`` if the file is damaged, belongs to
  ///   another run or cannot be written.
  public func run<Target: SamplingTarget, A: ChainAdaptation<Self>>(
    _ target: Target, chains: Int = 4, warmUp: Int = 1000, draws: Int = 1000, thinning: Int = 1,
    key: RandomKey = 0, initial: InitialStrategy = .usual,
    adaptedBy adaptation: A, sites: StoredSites = .latent, keepsUnconstrained: Bool = false,
    threads: Int? = nil, progress: Progress = .none, checkpoint: Checkpoint? = nil,
    isCancelled: @Sendable @escaping () -> Bool = { false }
  ) throws -> Draws {
    guard chains > 0 && warmUp >= 0 && draws > 0 && thinning > 0 && threads ?? 1 > 0 else {
      throw ModelError(
        .misuse,
        "expected chains > 0, warmUp ≥ 0, draws > 0, thinning > 0, threads > 0 for a run, found chains \(chains), warmUp \(warmUp), draws \(draws), thinning \(thinning)\(threads.map { ", threads \($0)" } ?? "")"
      )
    }
    if let size = (self as? any TunableKernel)?.metric.dimension, size > 0,
      size != target.dimension
    {
      throw ModelError(
        .misuse,
        "expected a metric of \(target.dimension) coordinates, as the density has, found one of \(size); give the kernel a metric of this density, or none"
      )
    }
    if let problem = ExtraColumns.problem(Info.extras.map { $0.name }) {
      throw ModelError(.misuse, problem)
    }
    if warmUp > 0 { try adaptation.validate() }
    let plan = RunPlan(
      chains: chains, warmUp: warmUp, draws: draws, thinning: thinning, key: key,
      initial: initial, sites: sites, keepsUnconstrained: keepsUnconstrained,
      threads: min(chains, threads ?? RunPlan.processors), progress: progress,
      checkpoint: checkpoint, isCancelled: isCancelled)
    return try Run(plan, target, self, adaptation).draws()
  }
}

/// A run from its preparation to its draws.
private struct Run<K: Kernel, A: ChainAdaptation<K>, Target: SamplingTarget> {
  private let plan: RunPlan
  private let target: Target
  private let kernel: K
  private let adaptation: A
  private let columns: [DrawColumn]

  /// Prepares a run.
  init(_ plan: RunPlan, _ target: Target, _ kernel: K, _ adaptation: A) throws {
    self.plan = plan
    self.target = target
    self.kernel = kernel
    self.adaptation = adaptation
    columns = try target.columns(plan.sites)
  }

  /// The chains of a checkpoint.
  private struct Saved {
    /// The chains, by number.
    var chains: [Int: Chain<K, A>] = [:]
    /// The seconds that they took.
    var seconds = 0.0
    /// What there is to say about resuming.
    var warning: String?
  }

  /// Returns the draws of the run.
  func draws() throws -> Draws {
    let began = ChainRunner<K, A, Target>.now
    let fingerprint = try plan.checkpoint.map { _ in
      try Fingerprint(plan, kernel, adaptation, columns, target)
    }
    let saved = try fingerprint.map { try load($0) } ?? Saved()
    // A path that cannot be written is worth knowing before a long run, not after it.
    if let path = plan.checkpoint?.path {
      do throws(CheckpointFile.Failure) {
        try CheckpointFile.probe(path)
      } catch {
        throw CheckpointError(
          kind: .unwritable, path: path,
          explanation:
            "expected a path that can be written, found: \(error.text); create the folder, free space or choose another path"
        )
      }
    }
    var statistics = SamplerStatistics()
    statistics.improperSites = target.improperSites
    statistics.hierarchicalSites = target.hierarchicalSites
    var starts: [Int: ChainStart] = [:]
    var isStopped = false
    // The search for starting points may be long, and chains that have begun need none.
    if saved.chains.count < plan.chains {
      // A search that was cut short leads elsewhere than a whole one: no chain begins there, and a resumed run searches again.
      let found = try target.starts(
        plan.initial, chains: plan.chains, key: plan.key.folding(in: "start"),
        progress: plan.progress.forLongWork
      ) {
        isStopped = isStopped || plan.isCancelled()
        return isStopped
      }
      for (index, start) in found.enumerated() { starts[index] = start }
      // A search that was cut short has found nothing.
      statistics.starts = (0..<plan.chains).map {
        isStopped || saved.chains[$0] != nil ? "" : found[$0].origin
      }
      statistics.warnings += found.flatMap(\.warnings)
    }
    let runner = ChainRunner(
      plan, target, kernel, adaptation, columns, saved: saved.chains, starts: starts, fingerprint,
      began: began, isStopped: isStopped)
    let result = runner.run()
    let count = result.seats.map { min($0?.chain.draws ?? 0, plan.draws) }.min() ?? 0
    statistics.warmUp = plan.warmUp
    statistics.requestedDraws = plan.draws
    statistics.thinning = plan.thinning
    statistics.maximumTreeDepth = kernel.maximumTreeDepth
    if result.wasCancelled && count < plan.draws {
      statistics.cancellation = cancellation(result.seats, count)
    }
    statistics.seconds = saved.seconds + Double(ChainRunner<K, A, Target>.now - began) * 1e-9
    statistics.resumedDraws =
      saved.chains.isEmpty
      ? [] : (0..<plan.chains).map { min(saved.chains[$0]?.draws ?? 0, count) }
    let extras = K.Info.extras.map { $0.name }
    for name in extras { statistics.extras[name] = [] }
    if let warning = saved.warning { statistics.warnings.append(warning) }
    statistics.warnings += [statistics.cancellation].compactMap { $0 } + result.warnings
    for (index, seat) in result.seats.enumerated() {
      statistics.stepSizes.append(seat?.chain.stepSize ?? .nan)
      statistics.energyFractions.append(seat?.chain.energies.fraction ?? .nan)
      guard let chain = seat?.chain else { continue }
      statistics.append(chain.steps, count)
      statistics.append(chain.extras, named: extras, count)
      statistics.warmUpGradients += chain.warmUpGradients
      statistics.warmUpDivergences += chain.warmUpDivergences
      statistics.warnings += chain.warnings.map {
        "chain \(index), counted from 0: \($0)"
      }
      if let metric = (chain.kernel as? any TunableKernel)?.metric {
        statistics.metrics.append(metric)
      }
    }
    // Chains that have not begun have no metric.
    if statistics.metrics.count < plan.chains { statistics.metrics = [] }
    let values = Run.together(result.seats, count, runner.elementCounts)
    var draws = Draws(
      chains: plan.chains, draws: count,
      sites: columns.enumerated().map { k, column in
        Draws.Site(
          name: column.name, shape: column.shape, period: column.period, values: values[k])
      })
    draws.statistics = statistics
    if plan.keepsUnconstrained {
      draws.unconstrained = Tensor(
        values[columns.count], shape: [plan.chains, count, target.dimension])
    }
    return draws
  }

  /// Returns what a cancelled run says.
  private func cancellation(_ seats: [Seat<K, A>?], _ count: Int) -> String {
    let least = seats.map { $0?.chain.iteration ?? 0 }.min() ?? 0
    let resume =
      plan.checkpoint.map {
        "; the same run with the checkpoint \"\($0.path)\" goes on from here"
      } ?? ""
    if least < plan.warmUp {
      return
        "stopped on request during the warm-up, after \(least) of \(plan.warmUp) iterations: there are no draws\(resume)"
    }
    return
      "stopped on request after \(count) of \(plan.draws) draws of each chain: complete draws are kept, chains cut to the shortest\(resume)"
  }

  /// Returns the columns of all chains, one after the other; those of the chains are emptied as they are copied.
  private static func together(
    _ seats: [Seat<K, A>?], _ count: Int, _ elementCounts: [Int]
  ) -> [[Double]] {
    elementCounts.enumerated().map { k, elements in
      var column: [Double] = []
      for (index, seat) in seats.enumerated() {
        guard let seat else { continue }
        // Taken out, so that it is held once; the first has room for all.
        var own: [Double] = []
        swap(&own, &seat.chain.columns[k])
        own.removeLast(max(0, own.count - count * elements))
        if index == 0 { column = consume own } else { column.append(contentsOf: own) }
      }
      return column
    }
  }

  /// Reads the chains of the checkpoint, if there is one to resume.
  private func load(_ fingerprint: Fingerprint) throws -> Saved {
    var saved = Saved()
    guard let checkpoint = plan.checkpoint, checkpoint.resume else { return saved }
    let path = checkpoint.path
    let damaged = CheckpointError(
      kind: .damaged, path: path,
      explanation:
        "expected the state of a run, found something else; remove the file, or replace it by a run with resume: false"
    )
    let counts =
      columns.map(\.shape.elementCount) + (plan.keepsUnconstrained ? [target.dimension] : [])
    _ = try CheckpointFile.read(path) { index, bytes in
      if index > 0 {
        guard var chain = try? Chain<K, A>(bytes, plan), chain.index < plan.chains,
          chain.columns.map(\.count) == counts.map({ $0 * chain.draws })
        else { throw damaged }
        chain.reserve(plan, counts)
        saved.chains[chain.index] = consume chain
        return
      }
      var reader = RecordReader(bytes)
      guard let header = reader.record(), let record = header["fingerprint"],
        let found = Fingerprint(record), case .double(let seconds)? = header["seconds"]
      else { throw damaged }
      saved.seconds = seconds
      saved.warning = try Fingerprint.compare(file: found, run: fingerprint, path: path)
    }
    return saved
  }
}
