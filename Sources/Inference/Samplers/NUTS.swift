// SPDX-License-Identifier: MIT
//
// The no-U-turn sampler: multinomial sampling of a trajectory that stops before it turns back.
//
// Source: Hoffman and Gelman 2014, JMLR 15, 1593; Betancourt 2017, arXiv 1701.02434, appendix A; the checks across
// subtrees are those that Stan added in version 2.21.

public import Numerics

/// The no-U-turn sampler.
///
/// Multinomial weights within a trajectory, biased progressive sampling between its two halves, and the generalised
/// U-turn criterion with extra checks across subtrees.
public struct NUTS: TunableKernel {
  /// The step size of the leapfrog integrator.
  public var stepSize: Double

  /// The metric; of dimension 0 stands for the identity.
  public var metric: Metric { didSet { prepared = PreparedMetric(metric) } }

  /// The acceptance that the step size is tuned to.
  public var targetAcceptance: Double

  /// The largest depth of the tree: at most 2^depth leapfrog steps.
  public var maximumDepth: Int

  /// The energy error beyond which a trajectory has diverged.
  public var divergenceThreshold: Double

  /// The metric made ready.
  private var prepared: PreparedMetric

  /// Creates the sampler; step size and metric are where a warm-up begins.
  public init(
    stepSize: Double = 0.1, metric: Metric = .diagonal([]), targetAcceptance: Double = 0.8,
    maximumDepth: Int = 10, divergenceThreshold: Double = 1000
  ) {
    self.stepSize = stepSize
    self.metric = metric
    self.targetAcceptance = targetAcceptance
    self.maximumDepth = maximumDepth
    self.divergenceThreshold = divergenceThreshold
    prepared = PreparedMetric(metric)
  }

  /// The parts that are saved; the prepared metric is made anew.
  private enum CodingKeys: String, CodingKey {
    case stepSize, metric, targetAcceptance, maximumDepth, divergenceThreshold
  }

  public init(from decoder: any Decoder) throws {
    let parts = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      stepSize: try parts.decode(Double.self, forKey: .stepSize),
      metric: try parts.decode(Metric.self, forKey: .metric),
      targetAcceptance: try parts.decode(Double.self, forKey: .targetAcceptance),
      maximumDepth: try parts.decode(Int.self, forKey: .maximumDepth),
      divergenceThreshold: try parts.decode(Double.self, forKey: .divergenceThreshold))
  }

  /// What a Hamiltonian chain carries.
  public struct State: ChainState {
    public var position: [Double]
    /// The gradient of the log density.
    public var gradient: [Double]
    public var logDensity: Double
  }

  /// What a step tells.
  public struct Info: StepInfo {
    public var acceptance: Double
    public var diverged: Bool
    public var gradients: Int
    public var treeDepth: Int
    public var energy: Double
  }

  public func start(at q: [Double], _ target: some LogDensity, key: RandomKey) -> State {
    var gradient = q
    let value = target.valueAndGradient(at: q, into: &gradient)
    return State(position: q, gradient: gradient, logDensity: value)
  }

  /// Doubles or halves the step size until one leapfrog step crosses an acceptance of 0.8 (Hoffman and Gelman, algorithm 4).
  public func reasonableStepSize(_ state: State, _ target: some LogDensity, key: RandomKey)
    -> Double
  {
    let n = state.position.count
    let metric = prepared.dimension == n ? prepared : PreparedMetric(.identity(n))
    let memory = target.workspace(vectors: 4)
    // The point holds addresses in the memory only.
    defer { withExtendedLifetime(memory) {} }
    var z = PhasePoint(memory, 0)
    var size = stepSize
    var direction = 0.0
    for attempt in 0..<100 {
      for k in 0..<n {
        z.q[k] = state.position[k]
        z.g[k] = state.gradient[k]
      }
      z.logDensity = state.logDensity
      metric.drawMomentum(z.p, key.folding(in: UInt64(attempt)))
      metric.velocity(z.p, z.v)
      let before = z.energy
      z.leapfrog(size, metric, target)
      // The threshold is log 0.8, as in Stan.
      let isGood = before - z.energy > -0.2231435513142097
      if direction == 0 { direction = isGood ? 1 : -1 }
      if isGood != (direction > 0) || !size.isFinite || size < 1e-300 { break }
      size *= direction > 0 ? 2 : 0.5
    }
    return size
  }

  public func step(_ state: inout State, _ target: some LogDensity, key: RandomKey) -> Info {
    let n = state.position.count
    let metric = prepared.dimension == n ? prepared : PreparedMetric(.identity(n))
    var tree = Trajectory(target, metric, stepSize, maximumDepth, divergenceThreshold, key)
    return tree.run(&state)
  }
}

/// The vectors of the workspace, by use; frames of the recursion follow.
private enum Slot {
  static let present = 0
  static let forward = 4
  static let backward = 8
  static let sample = 12
  static let proposal = 14
  static let forwardEnd = 16
  static let forwardStart = 18
  static let backwardStart = 20
  static let backwardEnd = 22
  static let total = 24
  static let forwardTotal = 25
  static let backwardTotal = 26
  static let extra = 27
  static let frames = 28
  static let perFrame = 8
}

/// One trajectory of the no-U-turn sampler on a workspace.
private struct Trajectory<Target: LogDensity> {
  private let target: Target
  private let metric: PreparedMetric
  private let stepSize: Double
  private let maximumDepth: Int
  private let threshold: Double
  private let key: RandomKey
  private let memory: Workspace
  private let n: Int
  private var z: PhasePoint
  private var startEnergy = 0.0
  private var leapfrogs = 0
  private var acceptanceSum = 0.0
  private var diverged = false
  private var draws: UInt64 = 0

  init(
    _ target: Target, _ metric: PreparedMetric, _ stepSize: Double, _ maximumDepth: Int,
    _ threshold: Double, _ key: RandomKey
  ) {
    self.target = target
    self.metric = metric
    self.stepSize = stepSize
    self.maximumDepth = maximumDepth
    self.threshold = threshold
    self.key = key
    n = target.dimension
    memory = target.workspace(vectors: Slot.frames + Slot.perFrame * maximumDepth)
    z = PhasePoint(memory, Slot.present)
  }

  /// Returns the next uniform number of the step.
  @inline(__always)
  private mutating func uniform() -> Double {
    draws += 1
    return key.uniform(UInt64(1) << 32 + draws)
  }

  /// A momentum and its velocity: two neighbouring vectors of the workspace.
  @inline(__always)
  private func copyMomentum(to slot: Int) {
    memory[slot].update(from: z.p, count: n)
    memory[slot + 1].update(from: z.v, count: n)
  }

  /// Copies a momentum with its velocity.
  @inline(__always)
  private func copy(_ from: Int, to slot: Int) {
    memory[slot].update(from: memory[from], count: n)
    memory[slot + 1].update(from: memory[from + 1], count: n)
  }

  /// Runs the trajectory and moves the state to the point it selects.
  mutating func run(_ state: inout NUTS.State) -> NUTS.Info {
    for k in 0..<n {
      z.q[k] = state.position[k]
      z.g[k] = state.gradient[k]
    }
    z.logDensity = state.logDensity
    metric.drawMomentum(z.p, key)
    metric.velocity(z.p, z.v)
    startEnergy = z.energy
    var forward = PhasePoint(memory, Slot.forward)
    var backward = PhasePoint(memory, Slot.backward)
    forward.copy(z)
    backward.copy(z)
    for slot in [Slot.forwardEnd, Slot.forwardStart, Slot.backwardStart, Slot.backwardEnd] {
      copyMomentum(to: slot)
    }
    let total = memory[Slot.total]
    total.update(from: z.p, count: n)
    var sampleValue = state.logDensity
    var moved = false
    var logWeight = 0.0
    var depth = 0
    while depth < maximumDepth {
      let goesForward = uniform() > 0.5
      let (half, rest) =
        goesForward
        ? (Slot.forwardTotal, Slot.backwardTotal) : (Slot.backwardTotal, Slot.forwardTotal)
      memory[rest].update(from: total, count: n)
      memory[half].update(repeating: 0, count: n)
      var subtreeWeight = -Double.infinity
      var proposalValue = 0.0
      let isValid: Bool
      if goesForward {
        z.copy(forward)
        copy(Slot.forwardEnd, to: Slot.backwardStart)
        isValid = build(
          depth, 1, Slot.proposal, Slot.forwardStart, Slot.forwardEnd, half, &subtreeWeight,
          &proposalValue)
        forward.copy(z)
      } else {
        z.copy(backward)
        copy(Slot.backwardEnd, to: Slot.forwardStart)
        isValid = build(
          depth, -1, Slot.proposal, Slot.backwardStart, Slot.backwardEnd, half, &subtreeWeight,
          &proposalValue)
        backward.copy(z)
      }
      if !isValid { break }
      depth += 1
      if subtreeWeight > logWeight || uniform() < exponential(subtreeWeight - logWeight) {
        memory[Slot.sample].update(from: memory[Slot.proposal], count: n)
        memory[Slot.sample + 1].update(from: memory[Slot.proposal + 1], count: n)
        sampleValue = proposalValue
        moved = true
      }
      logWeight = logAddExp(logWeight, subtreeWeight)
      let (f, b, extra) = (
        memory[Slot.forwardTotal], memory[Slot.backwardTotal], memory[Slot.extra]
      )
      for k in 0..<n { total[k] = f[k] + b[k] }
      guard goesOn(Slot.backwardEnd, Slot.forwardEnd, total) else { break }
      let (fp, bp) = (memory[Slot.forwardStart], memory[Slot.backwardStart])
      for k in 0..<n { extra[k] = b[k] + fp[k] }
      guard goesOn(Slot.backwardEnd, Slot.forwardStart, extra) else { break }
      for k in 0..<n { extra[k] = f[k] + bp[k] }
      guard goesOn(Slot.backwardStart, Slot.forwardEnd, extra) else { break }
    }
    if moved {
      let (q, g) = (memory[Slot.sample], memory[Slot.sample + 1])
      for k in 0..<n {
        state.position[k] = q[k]
        state.gradient[k] = g[k]
      }
      state.logDensity = sampleValue
    }
    return NUTS.Info(
      acceptance: acceptanceSum / Double(max(1, leapfrogs)), diverged: diverged,
      gradients: leapfrogs, treeDepth: depth, energy: startEnergy)
  }

  /// Whether a stretch with given ends and total momentum has not turned back.
  @inline(__always)
  private func goesOn(_ first: Int, _ last: Int, _ total: UnsafeMutablePointer<Double>) -> Bool {
    let (a, b) = (memory[first + 1], memory[last + 1])
    var (x, y) = (0.0, 0.0)
    for k in 0..<n {
      x += a[k] * total[k]
      y += b[k] * total[k]
    }
    return x > 0 && y > 0
  }

  /// Extends the trajectory by 2^depth steps; false where it diverged or turned back.
  ///
  /// - Parameters:
  ///   - depth: The depth of the subtree.
  ///   - sign: The direction of time.
  ///   - proposal: Where position and gradient of the subtree's sample go.
  ///   - first: Where momentum and velocity of its first point go.
  ///   - last: Where those of its last point go.
  ///   - total: The vector to which its momenta are added.
  ///   - logWeight: Its log weight, added to.
  ///   - value: The log density of its sample.
  /// - Returns: Whether the trajectory may go on.
  private mutating func build(
    _ depth: Int, _ sign: Double, _ proposal: Int, _ first: Int, _ last: Int, _ total: Int,
    _ logWeight: inout Double, _ value: inout Double
  ) -> Bool {
    if depth == 0 {
      z.leapfrog(sign * stepSize, metric, target)
      leapfrogs += 1
      let error = z.energy - startEnergy
      if !(error <= threshold) { diverged = true }
      logWeight = logAddExp(logWeight, -error)
      acceptanceSum += error > 0 ? exponential(-error) : 1
      memory[proposal].update(from: z.q, count: n)
      memory[proposal + 1].update(from: z.g, count: n)
      value = z.logDensity
      let sum = memory[total]
      for k in 0..<n { sum[k] += z.p[k] }
      copyMomentum(to: first)
      copyMomentum(to: last)
      return !diverged
    }
    let frame = Slot.frames + Slot.perFrame * (depth - 1)
    let (firstTotal, secondTotal) = (frame, frame + 1)
    let (middleLeft, middleRight, second) = (frame + 2, frame + 4, frame + 6)
    memory[firstTotal].update(repeating: 0, count: n)
    var firstWeight = -Double.infinity
    guard
      build(depth - 1, sign, proposal, first, middleLeft, firstTotal, &firstWeight, &value)
    else { return false }
    memory[secondTotal].update(repeating: 0, count: n)
    var secondWeight = -Double.infinity
    var secondValue = 0.0
    guard
      build(
        depth - 1, sign, second, middleRight, last, secondTotal, &secondWeight, &secondValue)
    else { return false }
    let weight = logAddExp(firstWeight, secondWeight)
    logWeight = logAddExp(logWeight, weight)
    if uniform() < exponential(secondWeight - weight) {
      memory[proposal].update(from: memory[second], count: n)
      memory[proposal + 1].update(from: memory[second + 1], count: n)
      value = secondValue
    }
    let (a, b, sum, extra) = (
      memory[firstTotal], memory[secondTotal], memory[total], memory[Slot.extra]
    )
    for k in 0..<n {
      extra[k] = a[k] + b[k]
      sum[k] += extra[k]
    }
    guard goesOn(first, last, extra) else { return false }
    let (left, right) = (memory[middleLeft], memory[middleRight])
    for k in 0..<n { extra[k] = a[k] + right[k] }
    guard goesOn(first, middleRight, extra) else { return false }
    for k in 0..<n { extra[k] = b[k] + left[k] }
    return goesOn(middleLeft, last, extra)
  }
}
