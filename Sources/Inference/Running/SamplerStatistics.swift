// SPDX-License-Identifier: MIT
//
// What the steps of a run told, and what the run has to say about itself.

/// What the steps of a run told, chain after chain: one entry for each stored draw.
///
/// A draw of a thinned run stands for all its steps: acceptances are averaged, gradients added, and it counts as diverged if
/// one of them was; depth is the largest, energy that of the last. Extras are averaged: a flag becomes a share, and a count
/// times ``thinning`` is that of all steps.
public struct SamplerStatistics: Sendable {
  /// The acceptance of each draw.
  public internal(set) var acceptance: [Double] = []
  /// Whether each draw diverged.
  public internal(set) var diverged: [Bool] = []
  /// The number of gradients of each draw.
  public internal(set) var gradients: [Int] = []
  /// The depth of each trajectory.
  public internal(set) var treeDepth: [Int] = []
  /// The energy at the start of each step.
  public internal(set) var energy: [Double] = []
  /// The numbers of each draw that only its kernel knows, by the names that ``StepInfo/extras`` gives them; empty for most kernels.
  public internal(set) var extras: [String: [Double]] = [:]
  /// The E-BFMI of each chain, of the energies of all its steps, also those between draws; empty where it is not known.
  public internal(set) var energyFractions: [Double] = []
  /// The log density of each draw, in unconstrained space.
  public internal(set) var logDensity: [Double] = []
  /// How the start of each chain was found, in words, as "around the mode that 8 searches found"; empty for chains that went on from
  /// a checkpoint, and where nothing is known.
  public internal(set) var starts: [String] = []
  /// The step size of each chain after its warm-up; NaN for kernels without one.
  public internal(set) var stepSizes: [Double] = []
  /// The metric of each chain after its warm-up; empty for kernels without one.
  public internal(set) var metrics: [Metric] = []
  /// The depth at which trajectories are cut off; nil for kernels without one.
  public internal(set) var maximumTreeDepth: Int?
  /// The number of gradients of all warm-ups.
  public internal(set) var warmUpGradients = 0
  /// The number of divergences of all warm-ups.
  public internal(set) var warmUpDivergences = 0
  /// The iterations of the warm-up of each chain.
  public internal(set) var warmUp = 0
  /// The number of draws of each chain that were asked for.
  public internal(set) var requestedDraws = 0
  /// The number of steps from one draw to the next.
  public internal(set) var thinning = 1
  /// In words that the run was stopped on request before it was complete, and what there is; nil if it was not.
  public internal(set) var cancellation: String?
  /// The draws of each chain that came from a checkpoint.
  public internal(set) var resumedDraws: [Int] = []
  /// The time of the run in seconds, that before a checkpoint included.
  public internal(set) var seconds = 0.0
  /// What the run has to say in words: its ``cancellation``, a checkpoint that could not be written, a doubtful start or tuning;
  /// chains count from 0.
  public internal(set) var warnings: [String] = []

  /// The sites of the model whose prior is flat and has no integral, so that the data alone must make the posterior proper.
  public internal(set) var improperSites: [String] = []

  /// The latent sites whose scale changes with other sites, and that ``LocScale`` can non-centre.
  public internal(set) var hierarchicalSites: [String] = []

  /// Whether the run was stopped on request before it was complete.
  public var wasCancelled: Bool { cancellation != nil }

  /// The number of divergences after the warm-up.
  public var divergences: Int { diverged.count { $0 } }

  /// Takes the first draws of a chain's columns.
  mutating func append(_ columns: StepColumns, _ count: Int) {
    acceptance += columns.acceptance.prefix(count)
    diverged += columns.diverged.prefix(count)
    gradients += columns.gradients.prefix(count)
    treeDepth += columns.treeDepth.prefix(count)
    energy += columns.energy.prefix(count)
    logDensity += columns.logDensity.prefix(count)
  }

  /// Takes the first draws of a chain's extras.
  mutating func append(_ columns: ExtraColumns, named names: [String], _ count: Int) {
    for (name, column) in zip(names, columns.columns) {
      extras[name, default: []] += column.prefix(count)
    }
  }
}

/// What the steps of one chain told, one entry for each of its draws.
struct StepColumns: Sendable, Codable {
  private(set) var acceptance: [Double] = []
  private(set) var diverged: [Bool] = []
  private(set) var gradients: [Int] = []
  private(set) var treeDepth: [Int] = []
  private(set) var energy: [Double] = []
  private(set) var logDensity: [Double] = []

  /// The number of draws.
  var count: Int { acceptance.count }

  /// Makes room for a number of draws.
  mutating func reserve(_ draws: Int) {
    acceptance.reserveCapacity(draws)
    diverged.reserveCapacity(draws)
    gradients.reserveCapacity(draws)
    treeDepth.reserveCapacity(draws)
    energy.reserveCapacity(draws)
    logDensity.reserveCapacity(draws)
  }

  /// Adds a draw.
  mutating func append(_ steps: StepSummary, logDensity value: Double) {
    acceptance.append(steps.acceptance / Double(max(1, steps.count)))
    diverged.append(steps.diverged)
    gradients.append(steps.gradients)
    treeDepth.append(steps.treeDepth)
    energy.append(steps.energy)
    logDensity.append(value)
  }
}

/// The steps since the last draw, taken together.
struct StepSummary: Sendable, Codable {
  /// The number of steps.
  private(set) var count = 0
  /// The sum of their acceptances.
  private(set) var acceptance = 0.0
  /// Whether one of them diverged.
  private(set) var diverged = false
  /// The number of their gradients.
  private(set) var gradients = 0
  /// The largest depth.
  private(set) var treeDepth = 0
  /// The energy of the last.
  private(set) var energy = Double.nan

  /// Adds a step.
  mutating func add(_ info: some StepInfo) {
    count += 1
    acceptance += info.acceptance
    diverged = diverged || info.diverged
    gradients += info.gradients
    treeDepth = max(treeDepth, info.treeDepth)
    energy = info.energy
  }
}
