// SPDX-License-Identifier: MIT
//
// The search for starting points: every one has a finite log density and gradient, or the sites to blame are named.

import Distributions
public import Numerics
import PPL
import Tensors

/// Looks for points with a finite log density and gradient.
struct StartSearch<Evaluator: LogDensity> {
  /// The density.
  let evaluator: Evaluator

  /// The parts of the vector by name, for messages.
  let sites: [(name: String, range: Range<Int>)]

  /// Proposes a point for a chain by a strategy that the vector alone does not decide.
  let propose: (InitialStrategy, _ chain: Int, RandomKey) throws -> [Double]

  /// Where searches for a mode start unless the caller has another wish.
  var origin: () -> InitialStrategy = { .uniform(radius: 2) }

  /// Returns what is not finite at a point, site by site, with the first of them; nil where nothing is known of sites.
  var blame: (_ point: [Double]) -> (site: String, text: String)? = { _ in nil }

  /// Whether there is a model to propose points from.
  var hasModel = true

  /// How many points are tried.
  var attempts = 100

  /// Returns where each chain starts.
  func starts(
    _ strategy: InitialStrategy, chains: Int, key: RandomKey, progress: Progress,
    isCancelled: () -> Bool
  ) throws -> [ChainStart] {
    if case .modes(let searches, let origin, let otherwise) = strategy {
      return try starts(chains, byModes: searches, from: origin, key, progress, isCancelled)
        ?? starts(
          otherwise, chains: chains, key: key, progress: progress, isCancelled: isCancelled)
    }
    guard case .map(let origin, let jitter) = strategy else {
      return try (0..<chains).map { chain in
        ChainStart(
          position: try point(strategy, chain, key.folding(in: chain)), origin: strategy.words)
      }
    }
    return try starts(chains, around: origin, key, isCancelled) { mode in
      { key, shrinkage in
        mode.position.indices.map { k in
          mode.position[k] + shrinkage * jitter * key.normal(UInt64(k))
        }
      }
    }
  }

  /// Returns starts around the modes that searches find; nil where none of them is to be relied on.
  private func starts(
    _ chains: Int, byModes searches: Int, from origin: InitialStrategy, _ key: RandomKey,
    _ progress: Progress, _ isCancelled: () -> Bool
  ) throws -> [ChainStart]? {
    guard evaluator.dimension <= StartModes<Evaluator>.largestDimension else { return nil }
    let points = try (0..<searches).compactMap { turn -> [Double]? in
      do {
        return try point(
          origin, turn % chains, key.folding(in: "modes").folding(in: turn), turn: turn)
      } catch let error as ModelError
        where error.kind == .notFinite || error.kind == .outsideSupport
      {
        // A place at which nothing is finite is none to search from; others may be.
        return nil
      }
    }
    guard let first = points.first else { return nil }
    let modes = StartModes(evaluator: evaluator).modes(
      from: points, key: key.folding(in: "judge"), progress: progress, isCancelled: isCancelled)
    // A run that is cancelled makes no use of starts.
    if isCancelled() { return (0..<chains).map { _ in ChainStart(position: first) } }
    guard !modes.isEmpty else { return nil }
    let whose = modes.count == 1 ? "the mode" : "one of \(modes.count) modes"
    return try (0..<chains).map { chain in
      let key = key.folding(in: chain)
      let mode = StartModes<Evaluator>.choice(of: modes, key: key.folding(in: "mode"))
      return ChainStart(
        position: try nearby(key) { mode.draw($0, spread: 2 * $1) },
        metric: try? .dense(precision: mode.precision), isMetricSuggested: true,
        origin: "around \(whose) that \(searches) searches found")
    }
  }

  /// Returns starts around the mode; where none is found those from which it was searched, with a warning.
  ///
  /// - Parameters:
  ///   - chains: The number of chains.
  ///   - origin: Where searches start.
  ///   - key: The key.
  ///   - isCancelled: Asked between steps.
  ///   - proposals: Returns the proposals around a mode, as ``nearby(_:_:)`` takes them.
  /// - Returns: A start for each chain.
  /// - Throws: ``ModelError`` if no point has a finite density.
  func starts(
    _ chains: Int, around origin: InitialStrategy?, _ key: RandomKey,
    _ isCancelled: () -> Bool,
    _ proposals: (Optimum) throws -> (RandomKey, _ shrinkage: Double) -> [Double]
  ) throws -> [ChainStart] {
    let origin = origin ?? self.origin()
    let points = try (0..<(origin.isRandom ? max(Self.searches, chains) : chains)).map {
      try point(origin, $0, key.folding(in: "origin").folding(in: $0))
    }
    let result = MultiStart(StandardOptimizer()).search(
      evaluator, from: Array(points.prefix(origin.isRandom ? Self.searches : chains)),
      isCancelled: isCancelled)
    let best = result.best
    guard best.isConverged else {
      let doubt =
        "the search for a mode \(best.explanation); chains start where it began instead, and without a metric from it. The density may have no maximum: start with .uniform(radius: 2)"
      return points.prefix(chains).enumerated().map {
        ChainStart(
          position: $1, origin: origin.words,
          warnings: $0 > 0 || best.reason == .cancelled ? [] : [doubt])
      }
    }
    var doubts: [String] = []
    if result.modes.count > 1 {
      let below = result.modes[0].optimum.value - result.modes[1].optimum.value
      doubts.append(
        "the searches for a mode found \(result.modes.count) maxima, and all chains start at the highest, \((below * 10).rounded() / 10) above the next in log density: start with .uniform(radius: 2) to see whether the others matter"
      )
    }
    let proposal = try proposals(best)
    return try (0..<chains).map { chain in
      ChainStart(
        position: try nearby(key.folding(in: chain), proposal), origin: "around the mode",
        warnings: chain == 0 ? doubts : [])
    }
  }

  /// The number of searches for a mode from random points.
  private static var searches: Int { 4 }

  /// Returns a point by a strategy.
  ///
  /// - Parameters:
  ///   - strategy: The strategy.
  ///   - chain: The chain.
  ///   - key: The key.
  ///   - turn: Whose turn it is of strategies that alternate; nil: that of the chain.
  /// - Returns: The point.
  /// - Throws: ``ModelError`` if no point has a finite density.
  func point(
    _ strategy: InitialStrategy, _ chain: Int, _ key: RandomKey, turn: Int? = nil
  ) throws -> [Double] {
    if case .best(let count, let strategy) = strategy {
      let candidates = try (0..<count).map {
        try point(strategy, chain, key.folding(in: $0), turn: $0)
      }
      let values = candidates.map { evaluator.value(at: $0) }
      guard let best = values.indices.max(by: { values[$0] < values[$1] }) else {
        return try point(strategy, chain, key)
      }
      return candidates[best]
    }
    if case .alternating(let list) = strategy {
      let able = hasModel ? list : list.filter { !$0.needsModel }
      let choice = able.isEmpty ? list : able
      let place = turn ?? chain
      return try point(
        choice[place % choice.count], chain, key, turn: turn.map { $0 / choice.count })
    }
    // A draw that rounds to a bound calls for another draw; a given value outside its support is the caller's mistake.
    return try search { attempt in
      do {
        return try proposal(strategy, chain, key.folding(in: UInt64(attempt)))
      } catch let error as ModelError where error.kind == .outsideSupport && strategy.isRandom {
        return nil
      }
    }
  }

  /// Returns a point near another: proposals draw nearer with each failure.
  func nearby(
    _ key: RandomKey, _ proposal: (RandomKey, _ shrinkage: Double) -> [Double]
  ) throws -> [Double] {
    try search { attempt in
      // Halved every fourth time: after a hundred attempts the distance is 10⁻⁸ of the first.
      let shrinkage = exponential(-0.6931471805599453 * Double(attempt / 4))
      return proposal(key.folding(in: UInt64(attempt)), shrinkage)
    }
  }

  /// Returns the first proposal with a finite log density and gradient.
  private func search(_ proposal: (_ attempt: Int) throws -> [Double]?) throws -> [Double] {
    var gradient = [Double](repeating: 0, count: evaluator.dimension)
    var value = Double.nan
    var last: [Double]?
    for attempt in 0..<attempts {
      guard let q = try proposal(attempt) else { continue }
      last = q
      value = evaluator.valueAndGradient(at: q, into: &gradient)
      if value.isFinite && gradient.allSatisfy(\.isFinite) { return q }
    }
    let bad = sites.filter { !gradient[$0.range].allSatisfy(\.isFinite) }.map(\.name)
    let found =
      "expected a finite log density and gradient at one of \(attempts) starting points, found \(value)"
    if let (site, text) = last.flatMap(blame) {
      throw ModelError(.notFinite, site: site, "\(found); \(text)")
    }
    throw ModelError(
      .notFinite,
      "\(found)\(bad.isEmpty ? "" : ", with no finite derivative in \(bad)"); give starting values, or check priors and data"
    )
  }

  /// Returns one proposal.
  private func proposal(
    _ strategy: InitialStrategy, _ chain: Int, _ key: RandomKey
  ) throws -> [Double] {
    let n = evaluator.dimension
    switch strategy {
    case .uniform(let radius):
      return (0..<n).map { radius * (2 * key.uniform(UInt64($0)) - 1) }
    case .unconstrained(let points):
      let point = points[points.count == 1 ? 0 : chain]
      guard point.count == n else {
        throw ModelError(
          .misuse,
          "chain \(chain), counted from 0: expected an initial point of \(n) coordinates, found \(point.count)"
        )
      }
      return point
    default: return try propose(strategy, chain, key)
    }
  }
}

extension CompiledDensity {
  public func starts(
    _ strategy: InitialStrategy, chains: Int, key: RandomKey, progress: Progress,
    isCancelled: () -> Bool
  ) throws -> [ChainStart] {
    try strategy.check(chains: chains)
    let search = startSearch()
    guard case .laplace(let origin, let spread) = strategy else {
      return try search.starts(
        strategy, chains: chains, key: key, progress: progress, isCancelled: isCancelled)
    }
    var laplace: LaplaceApproximation?
    var starts = try search.starts(chains, around: origin, key, isCancelled) { mode in
      let approximation = try LaplaceApproximation(self, at: mode)
      laplace = approximation
      return { key, shrinkage in approximation.unconstrainedDraw(key, spread: shrinkage * spread) }
    }
    guard let laplace else { return starts }
    let metric = try Metric.dense(precision: laplace.precision)
    for chain in starts.indices { starts[chain].metric = metric }
    starts[0].warnings += laplace.warnings.map(\.message)
    return starts
  }

  /// Returns a point at which the log density and its gradient are finite.
  ///
  /// - Parameters:
  ///   - strategy: How points are proposed.
  ///   - key: The key of the proposals.
  ///   - attempts: How many points are tried.
  /// - Returns: The unconstrained vector.
  /// - Throws: `ModelError` of kind `notFinite` with the sites that are to blame at the last point.
  public func initialPoint(
    _ strategy: InitialStrategy = .uniform(radius: 2), key: RandomKey = 0, attempts: Int = 100
  ) throws -> [Double] {
    switch strategy {
    case .map, .laplace, .modes:
      return try starts(strategy, chains: 1, key: key) { false }[0].position
    default:
      try strategy.check(chains: 1)
      return try startSearch(attempts: attempts).point(strategy, 0, key)
    }
  }

  /// Returns the search for starting points of this density.
  private func startSearch(attempts: Int = 100) -> StartSearch<DensityEvaluator> {
    StartSearch(
      evaluator: makeEvaluator(), sites: layout.entries.map { ($0.name, $0.range) },
      propose: propose,
      // An improper prior has no draws.
      origin: { (try? priorDraw(0)) == nil ? .uniform(radius: 2) : .median(draws: 15) },
      blame: blame, attempts: attempts)
  }

  /// Returns one proposal.
  private func propose(
    _ strategy: InitialStrategy, _ chain: Int, _ key: RandomKey
  ) throws -> [Double] {
    switch strategy {
    case .prior: return try priorDraw(key)
    case .median(let draws): return try median(draws, key)
    case .values(let values): return try unconstrain(values, others: median(15, key))
    case .valuesByChain(let chains):
      do {
        return try unconstrain(chains[chain], others: median(15, key))
      } catch let error as ModelError {
        throw ModelError(
          error.kind, site: error.site, plates: error.plates,
          "initial values of chain \(chain), counted from 0: \(error.explanation)")
      }
    case .map, .laplace, .modes:
      throw ModelError(
        .misuse, "expected a single point to start from, found .\(strategy.name)")
    case .uniform, .unconstrained, .best, .alternating:
      stop("propose: .\(strategy.name) needs no model")
    }
  }

  /// Returns a draw of all latent sites from the prior, in unconstrained coordinates.
  private func priorDraw(_ key: RandomKey) throws -> [Double] {
    let values = try model.trace(key: key).values
    return try unconstrain(values.filter { layout[$0.key] != nil })
  }

  /// Returns the element-wise median of prior draws in unconstrained coordinates.
  private func median(_ draws: Int, _ key: RandomKey) throws -> [Double] {
    // A draw may round to a bound, where it has no coordinates: it is then left out.
    let points = (0..<max(1, draws)).compactMap { draw in
      try? priorDraw(key.folding(in: UInt64(draw)))
    }
    guard let first = points.first else { return try priorDraw(key) }
    var q = first.indices.map { k in points.map { $0[k] }.sorted()[points.count / 2] }
    for entry in layout.entries {
      guard case .circular = entry.constraint else { continue }
      // The medians of two coordinates of an angle may meet near the origin, which is no place to start from.
      for k in stride(from: entry.range.lowerBound, to: entry.range.upperBound, by: 2) {
        let radius = (q[k] * q[k] + q[k + 1] * q[k + 1]).squareRoot()
        if radius > 0 {
          q[k] /= radius
          q[k + 1] /= radius
        } else {
          (q[k], q[k + 1]) = (1, 0)
        }
      }
    }
    return q
  }
}
