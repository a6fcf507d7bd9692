// SPDX-License-Identifier: MIT
//
// The coordinates in which automatic guides live: those of the unconstrained vector, but an angle is one number.

import Distributions
import Tensors

/// A chart of the unconstrained space of a model for normal distributions and flows.
///
/// An angle has two coordinates of the unconstrained vector, on a narrow ring: no normal distribution in the plane follows
/// it further than a small arc. Here it is one number, the angle φ itself, which may run through any number of turns:
///
/// - The distance from the origin is dropped. It is independent of everything, with a density that is known.
/// - The number of turns k is an auxiliary variable. Given the angle it has the density that it has under a normal
///   distribution of φ, r(k | φ) = N(φ; c, s) / Σ_j N(φ + 2πj; c, s), so that with r the target is normalised on the whole
///   line, for any c and s. With those of the guide itself the bound is as tight as if the guide were wrapped: a sharp angle
///   does not notice, and one that is not determined has a normal distribution of more than a turn, which wraps to the
///   uniform one.
struct GuideCoordinates: Sendable {
  /// One site's place.
  struct Entry: Sendable {
    /// The site's place in the unconstrained vector.
    let site: LayoutEntry
    /// Its place in these coordinates.
    let range: Range<Int>
    /// Whether it is an angle.
    let isAngle: Bool
  }

  /// The sites, in the order of the model.
  let entries: [Entry]

  /// The number of coordinates.
  let dimension: Int

  /// The places of angles, and where they lie at the start.
  let angles: [(place: Int, center: Double)]

  /// Creates the chart around a point of the unconstrained space.
  init(_ layout: ParameterLayout, around point: [Double]) {
    var entries: [Entry] = []
    var angles: [(place: Int, center: Double)] = []
    var next = 0
    for site in layout.entries {
      var isAngle = false
      if case .circular = site.constraint { isAngle = true }
      let count = isAngle ? site.range.count / 2 : site.range.count
      entries.append(Entry(site: site, range: next..<(next + count), isAngle: isAngle))
      if isAngle {
        for k in 0..<count {
          let start = site.range.lowerBound + 2 * k
          angles.append((next + k, angleOf(point[start + 1], point[start])))
        }
      }
      next += count
    }
    self.entries = entries
    self.angles = angles
    dimension = next
  }

  /// Returns the coordinates of a point of the unconstrained space; angles within half a turn of the centre.
  func coordinates(of point: [Double]) -> [Double] {
    var y: [Double] = []
    for entry in entries {
      guard entry.isAngle else {
        y += point[entry.site.range]
        continue
      }
      for k in stride(from: entry.site.range.lowerBound, to: entry.site.range.upperBound, by: 2) {
        y.append(angleOf(point[k + 1], point[k]))
      }
    }
    for (place, center) in angles {
      let turns = ((y[place] - center) / (2 * Double.pi)).rounded()
      y[place] -= turns * 2 * Double.pi
    }
    return y
  }

  /// Returns the point of the unconstrained space at coordinates, angles at distance one from the origin.
  func point(_ y: [Double]) -> [Double] {
    var point: [Double] = []
    for entry in entries {
      for k in entry.range {
        point += entry.isAngle ? [cosine(y[k]), sine(y[k])] : [y[k]]
      }
    }
    return point
  }

  /// Returns the unconstrained coordinates of the sites, by name.
  func unconstrained(_ y: Tensor) -> [String: Tensor] {
    var result: [String: Tensor] = [:]
    for entry in entries {
      let part = y[entry.range]
      let u = entry.isAngle ? Tensor.stack([cos(part), sin(part)], axis: 1) : part
      result[entry.site.name] = u.reshaped(entry.site.unconstrainedShape)
    }
    return result
  }

  /// What is added to the log density of the unconstrained vector to give that of the coordinates, turns not distinguished.
  ///
  /// For each angle, less the density of log distance ~ Normal(0, s) at 0, which the unconstrained density holds.
  var logRadialCorrection: Double {
    Double(angles.count) * (logarithm(CircularBijector.narrowRadialScale) + halfLogTwoPi)
  }

  /// Returns Σ log r(k | φ), the log density of the turns of all angles.
  ///
  /// - Parameters:
  ///   - y: The coordinates.
  ///   - center: The centres c, one for each angle.
  ///   - scale: The scales s, one for each angle.
  /// - Returns: A scalar.
  func logTurns(_ y: Tensor, center: Tensor, scale: Tensor) -> Tensor {
    let phi = y.take(angles.map(\.place))
    let wrapped = WrappedNormal(center, scale, period: 2 * Double.pi)
    return Tensor.logDensity(.normal, phi, [center, scale], summed: true)
      - wrapped.logProbabilitySum(of: phi)
  }
}
