// SPDX-License-Identifier: MIT
//
// The loops around a kernel: warm-up, draws, chains on threads, cancellation.

import Dispatch
public import Numerics
import PPL
import Synchronization

/// What the steps of a run told, chain after chain.
public struct SamplerStatistics: Sendable {
  /// The acceptance of each step after the warm-up.
  public internal(set) var acceptance: [Double] = []
  /// Whether each step diverged.
  public internal(set) var diverged: [Bool] = []
  /// The number of gradients of each step.
  public internal(set) var gradients: [Int] = []
  /// The depth of each trajectory.
  public internal(set) var treeDepth: [Int] = []
  /// The energy at the start of each step.
  public internal(set) var energy: [Double] = []
  /// The step size of each chain after its warm-up.
  public internal(set) var stepSizes: [Double] = []
  /// The number of gradients of all warm-ups.
  public internal(set) var warmUpGradients = 0

  /// The number of divergences after the warm-up.
  public var divergences: Int { diverged.count { $0 } }
}

extension Kernel {
  /// Draws from a posterior with several chains, each tuned by its own warm-up.
  ///
  /// A draw depends on the key, the chain and the iteration alone: the number of threads does not matter.
  ///
  /// - Parameters:
  ///   - density: The log density.
  ///   - chains: The number of chains.
  ///   - warmUp: The iterations of each chain that tune step size and metric, and are not kept.
  ///   - draws: The draws of each chain.
  ///   - key: The key of the run.
  ///   - initial: Where chains start.
  ///   - adaptation: What tunes the kernel during the warm-up; nil: what is usual for it.
  ///   - sites: The sites that are kept; by default all latent ones.
  ///   - isCancelled: Asked between steps, from several threads; complete draws are kept.
  /// - Returns: The draws with the statistics of the sampler.
  /// - Throws: `ModelError` if no chain finds a starting point.
  public func run(
    _ density: CompiledDensity, chains: Int = 4, warmUp: Int = 1000, draws: Int = 1000,
    key: RandomKey = 0, initial: InitialStrategy = .uniform(radius: 2),
    adaptation: Adaptation? = nil, sites: [String]? = nil,
    isCancelled: @Sendable @escaping () -> Bool = { false }
  ) throws -> Draws {
    precondition(
      chains > 0 && warmUp >= 0 && draws > 0,
      "run: expected chains > 0, warmUp ≥ 0, draws > 0, got \(chains), \(warmUp), \(draws)")
    let starts = try (0..<chains).map {
      try density.initialPoint(initial, key: key.folding(in: $0).folding(in: "start"))
    }
    let results = Mutex([Int: Chain](minimumCapacity: chains))
    DispatchQueue.concurrentPerform(iterations: chains) { index in
      var chain = Chain()
      chain.run(
        self, density.makeEvaluator(), from: starts[index], key: key.folding(in: index), warmUp,
        draws, adaptation ?? self.adaptation, isCancelled)
      results.withLock { $0[index] = chain }
    }
    let done = results.withLock { found in (0..<chains).compactMap { found[$0] } }
    // After a cancellation chains differ in length: all are cut to the shortest.
    let count = done.map(\.positions.count).min() ?? 0
    var statistics = SamplerStatistics()
    for chain in done { statistics.append(chain, count) }
    var result = density.draws(
      done.flatMap { $0.positions.prefix(count) }, chains: chains, sites: sites)
    result.statistics = statistics
    return result
  }
}

extension SamplerStatistics {
  /// Adds the first steps of a chain.
  fileprivate mutating func append(_ chain: Chain, _ count: Int) {
    acceptance += chain.acceptance.prefix(count)
    diverged += chain.diverged.prefix(count)
    gradients += chain.gradients.prefix(count)
    treeDepth += chain.treeDepth.prefix(count)
    energy += chain.energy.prefix(count)
    stepSizes.append(chain.stepSize)
    warmUpGradients += chain.warmUpGradients
  }
}

/// One chain's draws and statistics.
private struct Chain: Sendable {
  var positions: [[Double]] = []
  var acceptance: [Double] = []
  var diverged: [Bool] = []
  var gradients: [Int] = []
  var treeDepth: [Int] = []
  var energy: [Double] = []
  var stepSize = 0.0
  var warmUpGradients = 0

  /// Tunes a kernel and draws with it.
  mutating func run<K: Kernel, A: ChainAdaptation<K>>(
    _ initial: K, _ target: DensityEvaluator, from start: [Double], key: RandomKey, _ warmUp: Int,
    _ draws: Int, _ initialAdaptation: A, _ isCancelled: () -> Bool
  ) {
    var kernel = initial
    var state = kernel.start(at: start, target, key: key.folding(in: "begin"))
    var adaptation = initialAdaptation
    if warmUp > 0 {
      adaptation.begin(
        &kernel, &state, target, iterations: warmUp, key: key.folding(in: "begin adaptation"))
    }
    let adaptationKey = key.folding(in: "adaptation")
    for iteration in 0..<warmUp {
      if isCancelled() { return }
      let info = kernel.step(&state, target, key: key.folding(in: UInt64(iteration)))
      warmUpGradients += info.gradients
      adaptation.update(
        &kernel, &state, info, iteration: iteration, target, key: adaptationKey)
    }
    if warmUp > 0 { adaptation.end(&kernel) }
    stepSize = (kernel as? any TunableKernel)?.stepSize ?? .nan
    positions.reserveCapacity(draws)
    for iteration in 0..<draws {
      if isCancelled() { return }
      let info = kernel.step(&state, target, key: key.folding(in: UInt64(warmUp + iteration)))
      positions.append(state.position)
      acceptance.append(info.acceptance)
      diverged.append(info.diverged)
      gradients.append(info.gradients)
      treeDepth.append(info.treeDepth)
      energy.append(info.energy)
    }
  }
}
