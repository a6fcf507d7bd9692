// SPDX-License-Identifier: MIT
//
// Where an algorithm starts: strategies, and the search for a point with a finite density and gradient.

import Distributions
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
    // A draw that rounds to a bound calls for another draw; a given value outside its support is the caller's mistake.
    let isRandom = if case .values = strategy { false } else { true }
    for attempt in 0..<attempts {
      let q: [Double]
      do {
        q = try propose(strategy, key.folding(in: UInt64(attempt)))
      } catch let error as ModelError where error.kind == .outsideSupport && isRandom {
        continue
      }
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
    case .prior: return try priorDraw(key)
    case .median(let draws): return try median(draws, key)
    case .values(let values): return try unconstrain(values, others: median(15, key))
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
