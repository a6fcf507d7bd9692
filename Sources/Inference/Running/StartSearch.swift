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

  /// How many points are tried.
  var attempts = 100

  /// Returns where each chain starts.
  func starts(
    _ strategy: InitialStrategy, chains: Int, key: RandomKey, isCancelled: () -> Bool
  ) throws -> [ChainStart] {
    guard case .map(let origin, let jitter) = strategy else {
      return try (0..<chains).map { chain in
        ChainStart(position: try point(strategy, chain, key.folding(in: chain)))
      }
    }
    let start = try point(origin, 0, key.folding(in: "origin"))
    let optimum = LBFGS().maximize(evaluator, from: start, isCancelled: isCancelled)
    let warning =
      optimum.isConverged || optimum.reason == .cancelled
      ? nil
      : "the search for a starting point \(optimum.explanation); it may lie far from where most of the probability is: try another initial strategy, or look at the chains' first draws"
    return try (0..<chains).map { chain in
      let position = try nearby(key.folding(in: chain)) { key, shrinkage in
        optimum.position.indices.map { k in
          optimum.position[k] + shrinkage * jitter * key.normal(UInt64(k))
        }
      }
      return ChainStart(position: position, warning: chain == 0 ? warning : nil)
    }
  }

  /// Returns a point by a strategy.
  func point(_ strategy: InitialStrategy, _ chain: Int, _ key: RandomKey) throws -> [Double] {
    // A draw that rounds to a bound calls for another draw; a given value outside its support is the caller's mistake.
    try search { attempt in
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
    for attempt in 0..<attempts {
      guard let q = try proposal(attempt) else { continue }
      value = evaluator.valueAndGradient(at: q, into: &gradient)
      if value.isFinite && gradient.allSatisfy(\.isFinite) { return q }
    }
    let bad = sites.filter { !gradient[$0.range].allSatisfy(\.isFinite) }.map(\.name)
    throw ModelError(
      .notFinite,
      "expected a finite log density and gradient at one of \(attempts) starting points, found \(value)\(bad.isEmpty ? "" : ", with no finite derivative in \(bad)"); give starting values, or check priors and data"
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
          "chain \(chain): expected an initial point of \(n) coordinates, found \(point.count)")
      }
      return point
    default: return try propose(strategy, chain, key)
    }
  }
}

extension CompiledDensity {
  public func starts(
    _ strategy: InitialStrategy, chains: Int, key: RandomKey, isCancelled: () -> Bool
  ) throws -> [ChainStart] {
    try strategy.check(chains: chains)
    let search = startSearch()
    guard case .laplace(let origin, let spread) = strategy else {
      return try search.starts(strategy, chains: chains, key: key, isCancelled: isCancelled)
    }
    let start = try search.point(origin, 0, key.folding(in: "origin"))
    let laplace = try LaplaceApproximation(self, from: start, isCancelled: isCancelled)
    var doubts: [String] = []
    if !laplace.mode.isConverged && laplace.mode.reason != .cancelled {
      doubts.append("the search for its mode \(laplace.mode.explanation)")
    }
    if laplace.flatDirections > 0 {
      doubts.append("\(laplace.flatDirections) directions have no curvature there")
    }
    let metric = Metric.dense(laplace.covariance, dimension: dimension)
    return try (0..<chains).map { chain in
      let position = try search.nearby(key.folding(in: chain)) { key, shrinkage in
        laplace.unconstrainedDraw(key, spread: shrinkage * spread)
      }
      return ChainStart(
        position: position, metric: metric,
        warning: chain > 0 || doubts.isEmpty
          ? nil
          : "the Laplace approximation that chains start from is doubtful: \(doubts.joined(separator: ", ")); try another initial strategy"
      )
    }
  }

  /// Returns a point at which the log density and its gradient are finite.
  ///
  /// - Parameters:
  ///   - strategy: How points are proposed.
  ///   - key: The key of the proposals.
  ///   - attempts: How many points are tried.
  /// - Returns: The unconstrained vector.
  /// - Throws: ``ModelError`` of kind `notFinite` with the sites that are to blame at the last point.
  public func initialPoint(
    _ strategy: InitialStrategy = .uniform(radius: 2), key: RandomKey = 0, attempts: Int = 100
  ) throws -> [Double] {
    switch strategy {
    case .map, .laplace:
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
      propose: propose, attempts: attempts)
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
          "initial values of chain \(chain): \(error.explanation)")
      }
    case .map, .laplace:
      throw ModelError(
        .misuse, "expected a start for the search of .map or .laplace, found .\(strategy.name)")
    case .uniform, .unconstrained: preconditionFailure("propose: .\(strategy.name) needs no model")
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
