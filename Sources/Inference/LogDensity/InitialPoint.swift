// SPDX-License-Identifier: MIT
//
// Where an algorithm starts: strategies, and the search for a point with a finite density and gradient.

public import Numerics
import PPL
public import Tensors

/// A way to choose the point where an algorithm starts.
public enum InitialStrategy: Sendable {
  /// Uniform in a cube of the unconstrained space, ±`radius` (Stan's choice, 2).
  case uniform(radius: Double)
  /// A draw from the prior.
  case prior
  /// The element-wise median of prior draws.
  case median(draws: Int)
  /// Given values, the other sites by the median of prior draws.
  case values([String: Tensor])
}

extension CompiledDensity {
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
    let evaluator = makeEvaluator()
    var gradient = [Double](repeating: 0, count: dimension)
    var value = Double.nan
    for attempt in 0..<attempts {
      let q = try propose(strategy, key.folding(in: UInt64(attempt)))
      value = evaluator.valueAndGradient(at: q, into: &gradient)
      if value.isFinite && gradient.allSatisfy(\.isFinite) { return q }
    }
    let bad = layout.entries.filter { entry in
      !gradient[entry.range].allSatisfy(\.isFinite)
    }.map(\.name)
    throw ModelError(
      .notFinite,
      "expected a finite log density and gradient at one of \(attempts) starting points, found \(value)\(bad.isEmpty ? "" : ", with no finite derivative in \(bad)"); give starting values, or check priors and data"
    )
  }

  /// Returns one proposal.
  private func propose(_ strategy: InitialStrategy, _ key: RandomKey) throws -> [Double] {
    switch strategy {
    case .uniform(let radius):
      return (0..<dimension).map { radius * (2 * key.uniform(UInt64($0)) - 1) }
    case .prior: return try unconstrain(priorDraw(key))
    case .median(let draws): return try median(draws, key)
    case .values(let values):
      let unknown = values.keys.filter { layout[$0] == nil }.sorted()
      guard unknown.isEmpty else {
        throw ModelError(
          .unknownSites(unknown),
          "expected starting values for some of \(layout.names), found \(unknown)")
      }
      let rest = try constrainLatents(median(15, key))
      return try unconstrain(rest.merging(values) { $1 })
    }
  }

  /// Returns the latent sites' values at a vector, auxiliary ones included.
  private func constrainLatents(_ q: [Double]) -> [String: Tensor] {
    makeConstrainer(sites: layout.names).callAsFunction(q)
  }

  /// Returns a draw of all latent sites from the prior.
  private func priorDraw(_ key: RandomKey) throws -> [String: Tensor] {
    let values = try model.trace(key: key).values
    return values.filter { layout[$0.key] != nil }
  }

  /// Returns the element-wise median of prior draws in unconstrained coordinates.
  private func median(_ draws: Int, _ key: RandomKey) throws -> [Double] {
    let points = try (0..<draws).map {
      try unconstrain(priorDraw(key.folding(in: UInt64($0))))
    }
    return (0..<dimension).map { k in points.map { $0[k] }.sorted()[draws / 2] }
  }
}
