// SPDX-License-Identifier: MIT
//
// The Laplace approximation: a normal distribution at the mode, with the curvature of the log density.

import Distributions
public import Numerics
import PPL
import Tensors

/// The normal approximation of a posterior at its mode in unconstrained space.
public struct LaplaceApproximation: Sendable {
  /// The density it approximates.
  public let density: CompiledDensity

  /// The mode of the unconstrained density (Jacobian included), and how it was found.
  public let mode: Optimum

  /// The factor of the precision matrix, −Hessian at the mode.
  public let precision: CholeskyFactor

  /// The covariance matrix in unconstrained space, row-major.
  public var covariance: [Double] { precision.inverse }

  /// The number of directions whose curvature was not negative, and was replaced by that of a unit normal.
  public let flatDirections: Int

  /// Finds the mode from a starting point and takes the curvature there.
  ///
  /// - Parameters:
  ///   - density: The log density.
  ///   - start: Where the search starts; the MAP is a good place.
  ///   - isCancelled: Asked between steps.
  /// - Throws: ``ModelError`` of kind `notFinite` if the curvature at the mode is not finite.
  public init(
    _ density: CompiledDensity, from start: [Double], isCancelled: () -> Bool = { false }
  ) throws {
    let evaluator = density.makeEvaluator()
    var optimizer = LevenbergMarquardt()
    optimizer.maximumIterations = 100
    var mode = optimizer.maximize(evaluator, from: start, isCancelled: isCancelled)
    // Gauss–Newton may stall where the likelihood is far from a sum of squares: finish with gradients.
    if !mode.isConverged && mode.reason != .cancelled {
      let second = LBFGS().maximize(evaluator, from: mode.position, isCancelled: isCancelled)
      if second.value >= mode.value { mode = second }
    }
    let n = density.dimension
    var hessian = evaluator.hessian(at: mode.position, curvature: .full).map { -$0 }
    for entry in density.layout.entries {
      guard case .circular = entry.constraint else { continue }
      // A direction that the density leaves flat gets the width of a whole turn, which wraps to uniform (to e^(−2π²));
      // for an angle with a standard deviation of 0.1 this changes it by a part in 10 000.
      for k in entry.range { hessian[k * n + k] += 1 / (4 * Double.pi * Double.pi) }
    }
    guard hessian.allSatisfy(\.isFinite) else {
      throw ModelError(
        .notFinite,
        "expected a finite Hessian at the mode, found NaN or infinity; start from another point, or use NUTS"
      )
    }
    self.density = density
    self.mode = mode
    if let factor = CholeskyFactor(hessian, n) {
      precision = factor
      flatDirections = 0
      return
    }
    // Not a maximum in every direction: keep the curved ones, let the others have unit variance in units of their own
    // coordinates' curvature, and say so. Scaling by the diagonal makes the verdict independent of units.
    let scales = (0..<n).map { k in
      let curvature = abs(hessian[k * n + k])
      return curvature > 0 ? curvature.squareRoot() : 1
    }
    var vectors = hessian
    for r in 0..<n {
      for c in 0..<n { vectors[r * n + c] /= scales[r] * scales[c] }
    }
    var values = [Double](repeating: 0, count: n)
    let isDone = vectors.withUnsafeMutableBufferPointer { vectors in
      values.withUnsafeMutableBufferPointer { values in
        guard let a = vectors.baseAddress, let w = values.baseAddress else { return false }
        return LinearAlgebra.symmetricEigen(a, n: n, values: w)
      }
    }
    var repaired = [Double](repeating: 0, count: n * n)
    var flat = 0
    for k in 0..<n {
      // Unit diagonal: eigenvalues below rounding of the differences behind the Hessian are noise.
      let isFlat = values[k] <= 1e-8
      if isFlat { flat += 1 }
      let value = isFlat ? 1 : values[k]
      for r in 0..<n {
        for c in 0..<n {
          repaired[r * n + c] +=
            value * vectors[k * n + r] * vectors[k * n + c] * scales[r] * scales[c]
        }
      }
    }
    guard isDone, let factor = CholeskyFactor(repaired, n) else {
      throw ModelError(
        .notFinite, "expected a curvature that can be inverted at the mode, found none; use NUTS")
    }
    precision = factor
    flatDirections = flat
  }

  /// Returns draws from the normal approximation in unconstrained space.
  public func unconstrainedDraws(_ count: Int, key: RandomKey) -> [[Double]] {
    (0..<count).map { unconstrainedDraw(key.folding(in: UInt64($0))) }
  }

  /// Returns one draw in unconstrained space, its deviation from the mode enlarged by a factor.
  func unconstrainedDraw(_ key: RandomKey, spread: Double = 1) -> [Double] {
    let z = (0..<density.dimension).map { spread * key.normal(UInt64($0)) }
    return moved(by: precision.solveTransposed(z))
  }

  /// Returns the mode moved by a step; the part of the step that turns an angle is taken along the arc.
  ///
  /// On the tangent itself an angle that is hardly determined would pile up a quarter period to either side; along the
  /// arc it wraps around the circle and becomes uniform. For a sharp angle both are the same.
  private func moved(by step: [Double]) -> [Double] {
    var point = zip(mode.position, step).map { $0 + $1 }
    for entry in density.layout.entries {
      guard case .circular = entry.constraint else { continue }
      for k in stride(from: entry.range.lowerBound, to: entry.range.upperBound, by: 2) {
        let (u, v) = (mode.position[k], mode.position[k + 1])
        let radius = (u * u + v * v).squareRoot()
        guard radius > 0 else { continue }
        let outward = (u * step[k] + v * step[k + 1]) / radius
        let turn = (u * step[k + 1] - v * step[k]) / (radius * radius)
        let angle = angleOf(v, u) + turn.truncatingRemainder(dividingBy: 2 * Double.pi)
        let reach = max(radius + outward, 1e-3 * radius)
        point[k] = reach * cosine(angle)
        point[k + 1] = reach * sine(angle)
      }
    }
    return point
  }

  /// Draws sites from the approximation.
  ///
  /// - Parameters:
  ///   - count: The number of draws.
  ///   - key: Their key.
  ///   - sites: The sites; by default all latent ones.
  /// - Returns: One chain of draws.
  public func sample(_ count: Int = 10_000, key: RandomKey = 0, sites: [String]? = nil) -> Draws {
    density.draws(unconstrainedDraws(count, key: key), chains: 1, sites: sites)
  }

  /// The log of the evidence, by Laplace's formula.
  public var logEvidence: Double {
    let n = density.dimension
    let logDet = (0..<n).reduce(0.0) { $0 + logarithm(precision.lower[$1 * n + $1]) }
    return mode.value + 0.5 * Double(n) * 1.8378770664093453 - logDet
  }
}

extension CompiledDensity {
  /// Returns the sites at unconstrained draws, chain after chain.
  public func draws(_ points: [[Double]], chains: Int, sites names: [String]? = nil) -> Draws {
    let constrainer = makeConstrainer(sites: names)
    var columns = constrainer.shapes.map { shape -> [Double] in
      var column: [Double] = []
      column.reserveCapacity(points.count * shape.elementCount)
      return column
    }
    for q in points {
      for (k, part) in constrainer.elements(q).enumerated() { columns[k] += part }
    }
    let sites = constrainer.names.indices.map { k in
      Draws.Site(
        name: constrainer.names[k], shape: constrainer.shapes[k],
        period: period(of: constrainer.names[k]), values: columns[k])
    }
    return Draws(chains: chains, draws: points.count / max(1, chains), sites: sites)
  }

  /// Returns the period of a latent angle; nil for other sites.
  public func period(of site: String) -> Double? {
    if case .circular(_, let period)? = layout[site]?.constraint { period } else { nil }
  }
}
