// SPDX-License-Identifier: MIT
//
// Values at the bounds of their supports: found, named, and brought back inside.

public import Distributions
import PPL
import Tensors

/// A value that lies at a bound of its support.
public struct BoundValue: Sendable {
  /// The site.
  public let site: String

  /// The element of the site's value, row-major.
  public let element: Int

  /// The value.
  public let value: Double

  /// The bound.
  public let bound: Double
}

extension Constraint {
  /// Returns the bound that a scalar value lies at; nil where it lies inside.
  ///
  /// - Parameters:
  ///   - value: The value.
  ///   - scale: The distance from a single bound that counts as far; nil where none is known.
  /// - Returns: The bound from which the value is no further than 1e-4 of the interval's width, or of the scale.
  public func bound(at value: Double, scale: Double? = nil) -> Double? {
    edges([]).bound(at: value, element: 0, scale: scale)
  }

  /// Returns the bounds of each element of a value of given shape.
  fileprivate func edges(_ shape: Shape) -> Edges {
    /// Returns one bound for each element.
    func spread(_ bound: Tensor) -> [Double] { bound.broadcast(to: shape).elements }
    return switch self {
    case .interval(let low, let high): Edges(low: spread(low), high: spread(high))
    case .unitInterval: Edges(low: spread(Tensor(0)), high: spread(Tensor(1)))
    case .positive: Edges(low: spread(Tensor(0)), high: nil)
    case .greaterThan(let low): Edges(low: spread(low), high: nil)
    case .lessThan(let high): Edges(low: nil, high: spread(high))
    case .real, .circular, .simplex, .ordered, .positiveOrdered, .lowerCholesky,
      .correlationCholesky, .boolean, .nonNegativeInteger, .integerInterval:
      Edges(low: nil, high: nil)
    }
  }
}

/// The bounds of the elements of a value; nil where there is none on that side.
private struct Edges {
  let low: [Double]?
  let high: [Double]?

  /// The share of the width, or of the scale, within which a value counts as at its bound.
  ///
  /// There the coordinate is beyond ±9.2: a search was still on its way to the wall.
  private static let near = 1e-4

  /// Returns the bound that an element lies at; nil where it lies inside.
  func bound(at value: Double, element k: Int, scale: Double?) -> Double? {
    switch (low, high) {
    case (let low?, let high?):
      let margin = Edges.near * (high[k] - low[k])
      return value < low[k] + margin ? low[k] : value > high[k] - margin ? high[k] : nil
    case (let low?, nil): return scale.flatMap { value < low[k] + Edges.near * $0 ? low[k] : nil }
    case (nil, let high?):
      return scale.flatMap { value > high[k] - Edges.near * $0 ? high[k] : nil }
    case (nil, nil): return nil
    }
  }

  /// Returns the distance of an element from the only bound; nil where there are two or none.
  func distance(of value: Double, element k: Int) -> Double? {
    switch (low, high) {
    case (let low?, nil): value - low[k]
    case (nil, let high?): high[k] - value
    default: nil
    }
  }
}

extension CompiledDensity {
  /// Returns the values that lie at a bound of their support.
  ///
  /// Bounds that depend on other sites are those at the point. How far is far from a single bound is told by the point of
  /// reference: its own distance. Vectors on a simplex and ordered vectors are not examined.
  ///
  /// - Parameters:
  ///   - q: The unconstrained vector.
  ///   - reference: A point in the middle of the prior; nil: values near single bounds are not found.
  /// - Returns: The values, in the order of the model.
  public func boundValues(at q: [Double], reference: [Double]? = nil) -> [BoundValue] {
    let here = trace(at: q)
    let middle = reference.map { trace(at: $0) }
    return layout.entries.flatMap { entry -> [BoundValue] in
      guard let site = here.site(entry.name), let support = site.distribution?.support,
        let value = site.value
      else { return [] }
      let edges = support.edges(value.shape)
      let other = middle?.site(entry.name)
      let far = other.flatMap { other in
        other.distribution.flatMap { $0.support.edges(value.shape) }
      }
      let center = other?.value?.elements
      return value.elements.enumerated().compactMap { k, x in
        let scale = center.flatMap { far?.distance(of: $0[k], element: k) }
        return edges.bound(at: x, element: k, scale: scale).map {
          BoundValue(site: entry.name, element: k, value: x, bound: $0)
        }
      }
    }
  }

  /// Returns a point with coordinates of bounded values brought back from their walls, and angles at radius one.
  ///
  /// The Laplace approximation and samplers start from it, not from a maximum at a wall, where the Jacobian has no slope
  /// that leads back.
  ///
  /// - Parameters:
  ///   - q: The unconstrained vector.
  ///   - reference: A point in the middle of the prior, from which single walls are told; nil: they are left alone.
  /// - Returns: The point inside.
  public func pulledInside(_ q: [Double], reference: [Double]? = nil) -> [Double] {
    var point = q
    for entry in layout.entries {
      switch entry.constraint {
      case .interval, .unitInterval:
        // Beyond ±5 the logistic map is within 0.7 % of its wall, where the Jacobian alone decides.
        for k in entry.range { point[k] = min(max(point[k], -5), 5) }
      case .positive, .greaterThan, .lessThan:
        // All three are bound ± eᵘ: 9.2 below the reference counts as at the bound, 5 below is 0.7 % of the way from it.
        guard let reference else { break }
        for k in entry.range where point[k] < reference[k] - 9.2 { point[k] = reference[k] - 5 }
      case .circular:
        for k in stride(from: entry.range.lowerBound, to: entry.range.upperBound, by: 2) {
          let radius = (point[k] * point[k] + point[k + 1] * point[k + 1]).squareRoot()
          guard radius > 0 else { continue }
          point[k] /= radius
          point[k + 1] /= radius
        }
      default: break
      }
    }
    return point
  }
}
