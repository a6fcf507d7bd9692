// SPDX-License-Identifier: MIT
//
// Draws from a Laplace approximation: keyed normal numbers, one triangular solve for a block of draws.

import Distributions
public import Numerics
import PPL
import Tensors

extension LaplaceApproximation {
  /// The number of draws that are solved for together.
  ///
  /// Always as many, padded if need be, so that a draw is the same to the bit however many are asked for.
  private static let block = 64

  /// Returns draws from the normal approximation in unconstrained space.
  public func unconstrainedDraws(_ count: Int, key: RandomKey) -> [[Double]] {
    let n = density.dimension
    let flat = flatDraws(count, key)
    return (0..<count).map { Array(flat[($0 * n)..<(($0 + 1) * n)]) }
  }

  /// Returns one draw in unconstrained space, its deviation from the centre enlarged by a factor.
  func unconstrainedDraw(_ key: RandomKey, spread: Double = 1) -> [Double] {
    let step = precision.solveTransposed(key.normals(density.dimension))
    var point = zip(center, step).map { $0 + spread * $1 }
    turn(&point, 1)
    return point
  }

  /// Draws sites from the approximation.
  ///
  /// - Parameters:
  ///   - count: The number of draws.
  ///   - key: Their key.
  ///   - sites: The sites, latent or deterministic.
  /// - Returns: One chain of draws.
  /// - Throws: `ModelError` of kind `unknownSites` for a name that the model does not have.
  public func sample(_ count: Int = 10_000, key: RandomKey = 0, sites: [String]) throws -> Draws {
    density.draws(
      flat: flatDraws(count, key), chains: 1, sites: try density.names(of: .named(sites)))
  }

  /// Draws all latent sites from the approximation.
  ///
  /// - Parameters:
  ///   - count: The number of draws.
  ///   - key: Their key.
  /// - Returns: One chain of draws.
  public func sample(_ count: Int = 10_000, key: RandomKey = 0) -> Draws {
    density.draws(flat: flatDraws(count, key), chains: 1)
  }

  /// Returns draws in unconstrained space, one after the other.
  private func flatDraws(_ count: Int, _ key: RandomKey) -> [Double] {
    let n = density.dimension
    let block = LaplaceApproximation.block
    var points: [Double] = []
    points.reserveCapacity((count + block) * n)
    var normals = [Double](repeating: 0, count: block * n)
    for first in stride(from: 0, to: count, by: block) {
      normals.withUnsafeMutableBufferPointer { normals in
        for row in 0..<block {
          key.folding(in: UInt64(first + row)).fillNormal(
            UnsafeMutableBufferPointer(rebasing: normals[(row * n)..<((row + 1) * n)]))
        }
      }
      let steps = precision.solveTransposed(rows: normals)
      for row in 0..<min(block, count - first) {
        for k in 0..<n { points.append(center[k] + steps[row * n + k]) }
      }
    }
    turn(&points, count)
    return points
  }

  /// Takes the part of each step that turns an angle along the arc.
  ///
  /// On the tangent itself an angle that is hardly determined would pile up a quarter period to either side; along the
  /// arc it wraps around the circle and becomes uniform. For a sharp angle both are the same.
  func turn(_ points: inout [Double], _ count: Int) {
    let n = density.dimension
    for k in density.anglePairs {
      let (u, v) = (center[k], center[k + 1])
      let radius = (u * u + v * v).squareRoot()
      guard radius > 0 else { continue }
      let center = angleOf(v, u)
      for draw in 0..<count {
        let place = draw * n + k
        let (du, dv) = (points[place] - u, points[place + 1] - v)
        let outward = (u * du + v * dv) / radius
        let turn = (u * dv - v * du) / (radius * radius)
        let angle = center + turn.truncatingRemainder(dividingBy: 2 * Double.pi)
        let reach = max(radius + outward, 1e-3 * radius)
        points[place] = reach * cosine(angle)
        points[place + 1] = reach * sine(angle)
      }
    }
  }
}

extension CompiledDensity {
  /// Returns the latent sites at unconstrained draws, chain after chain.
  public func draws(_ points: [[Double]], chains: Int) -> Draws {
    draws(flat: points.flatMap { $0 }, chains: chains)
  }

  /// Returns sites at unconstrained draws, chain after chain.
  ///
  /// - Throws: `ModelError` of kind `unknownSites` for a name that the model does not have.
  public func draws(_ points: [[Double]], chains: Int, sites: [String]) throws -> Draws {
    draws(flat: points.flatMap { $0 }, chains: chains, sites: try names(of: .named(sites)))
  }

  /// Returns the sites at unconstrained draws that lie one after the other, chain after chain.
  func draws(flat points: [Double], chains: Int, sites names: [String]? = nil) -> Draws {
    let constrainer = makeConstrainer(sites: names)
    let count = dimension > 0 ? points.count / dimension : 0
    var columns = constrainer.shapes.map { shape -> [Double] in
      var column: [Double] = []
      column.reserveCapacity(count * shape.elementCount)
      return column
    }
    points.withUnsafeBufferPointer { points in
      for draw in 0..<count {
        constrainer.append(
          UnsafeBufferPointer(rebasing: points[(draw * dimension)..<((draw + 1) * dimension)]),
          to: &columns)
      }
    }
    let sites = constrainer.names.indices.map { k in
      Draws.Site(
        name: constrainer.names[k], shape: constrainer.shapes[k],
        period: period(of: constrainer.names[k]), values: columns[k])
    }
    return Draws(chains: chains, draws: count / max(1, chains), sites: sites)
  }

  /// Returns the period of a latent angle, also of one that a reparameterisation has replaced; nil for other sites.
  public func period(of site: String) -> Double? {
    if let entry = layout[site] {
      if case .circular(_, let period) = entry.constraint { return period }
      return nil
    }
    return trace(at: [Double](repeating: 0, count: dimension)).site(site)?.period
  }
}
