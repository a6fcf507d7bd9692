// SPDX-License-Identifier: MIT
//
// The Laplace approximation: a normal distribution at the mode, with the curvature of the log density.

public import Numerics
import Distributions
import PPL
import Tensors

/// The normal approximation of a posterior at its mode in unconstrained space.
///
/// Exact where the posterior is normal in these coordinates; ``warnings`` says where it cannot be trusted.
public struct LaplaceApproximation: Sendable {
  /// The density it approximates.
  public let density: CompiledDensity

  /// The mode of the unconstrained density (Jacobian included), and how it was found.
  public let mode: Optimum

  /// The centre of the normal distribution: the mode, or after ``skewCorrected(_:)`` the mean to the next order.
  public internal(set) var center: [Double]

  /// The factor of the precision matrix, −Hessian at the mode.
  public let precision: CholeskyFactor

  /// The covariance matrix in unconstrained space, row-major.
  public var covariance: [Double] { precision.inverse }

  /// The number of directions whose curvature was not negative, and was replaced by that of a unit normal.
  public let flatDirections: Int

  /// The sites that take the largest part in the flat directions, in the order of the model.
  public let flatSites: [String]

  /// Finds the mode from a starting point and takes the curvature there.
  ///
  /// - Parameters:
  ///   - density: The log density.
  ///   - start: Where the search starts; the MAP, pulled inside its bounds, is a good place.
  ///   - optimizer: The optimiser of the search.
  ///   - progress: Told of the search.
  ///   - isCancelled: Asked between steps.
  /// - Throws: `ModelError` of kind `notFinite` if the curvature at the mode is not finite.
  public init(
    _ density: CompiledDensity, from start: [Double],
    optimizer: some Optimizer = ModeSearch(), progress: Progress = .none,
    isCancelled: () -> Bool = { false }
  ) throws {
    let mode = optimizer.maximize(
      density.makeEvaluator(), from: start, progress: progress, isCancelled: isCancelled)
    try self.init(density, at: mode)
  }

  /// Takes the curvature at a mode that is known.
  ///
  /// - Parameters:
  ///   - density: The log density.
  ///   - mode: A maximum of the unconstrained density.
  /// - Throws: `ModelError` of kind `notFinite` if the curvature at the mode is not finite.
  public init(_ density: CompiledDensity, at mode: Optimum) throws {
    let n = density.dimension
    var hessian = density.makeEvaluator().hessian(at: mode.position, curvature: .full).map { -$0 }
    for k in density.anglePairs.flatMap({ [$0, $0 + 1] }) {
      // A direction that the density leaves flat gets the width of a whole turn, which wraps to uniform (to e^(−2π²));
      // for an angle with a standard deviation of 0.1 this changes it by a part in 10 000.
      hessian[k * n + k] += 1 / (4 * Double.pi * Double.pi)
    }
    guard hessian.allSatisfy(\.isFinite) else {
      throw ModelError(
        .notFinite,
        "expected a finite Hessian at the mode, found NaN or infinity; start from another point, or use NUTS"
      )
    }
    let repaired = try LaplaceApproximation.factorize(hessian, n)
    self.density = density
    self.mode = mode
    center = mode.position
    precision = repaired.factor
    flatDirections = repaired.flat.count
    flatSites = density.layout.entries.filter { entry in
      repaired.flat.contains { direction in
        // A unit vector has a part this large in at least one coordinate.
        entry.range.contains { abs(direction[$0]) >= 0.5 / Double(n).squareRoot() }
      }
    }.map { $0.origin ?? $0.name }
  }

  /// Returns the factor of a precision matrix, its flat directions given unit variance, and those directions.
  ///
  /// Units of each coordinate's own curvature make the verdict independent of units.
  static func factorize(_ hessian: [Double], _ n: Int) throws
    -> (factor: CholeskyFactor, flat: [[Double]])
  {
    let scales = (0..<n).map { k in
      let curvature = abs(hessian[k * n + k])
      return curvature > 0 ? curvature.squareRoot() : 1
    }
    // Rounding may let the factor of a singular matrix pass, with a last pivot made of nothing else.
    let rounding = 10 * Double(n) * Double.ulpOfOne
    var smallest = 1e-8
    if let factor = CholeskyFactor(hessian, n) {
      let isSound = (0..<n).allSatisfy { k in
        let pivot = factor.lower[k * n + k] / scales[k]
        return pivot * pivot > rounding
      }
      if isSound { return (factor, []) }
      smallest = rounding
    }
    var matrix = hessian
    for r in 0..<n {
      for c in 0..<n { matrix[r * n + c] /= scales[r] * scales[c] }
    }
    var flat: [[Double]] = []
    if let spectrum = SymmetricEigen(matrix, n) {
      var repaired = [Double](repeating: 0, count: n * n)
      for k in 0..<n {
        let direction = Array(spectrum.vectors[(k * n)..<((k + 1) * n)])
        // Unit diagonal: eigenvalues below the rounding of the differences behind a Hessian are noise; where the matrix
        // has a factor only those below the rounding of the factor, since a condition of 10¹¹ may be real.
        let isFlat = spectrum.values[k] <= smallest
        if isFlat { flat.append(direction) }
        let value = isFlat ? 1 : spectrum.values[k]
        for r in 0..<n {
          let weight = value * direction[r] * scales[r]
          for c in 0..<n { repaired[r * n + c] += weight * direction[c] * scales[c] }
        }
      }
      if let factor = CholeskyFactor(repaired, n) { return (factor, flat) }
    }
    throw ModelError(
      .notFinite, "expected a curvature that can be inverted at the mode, found none; use NUTS")
  }

  /// The log of the evidence, by Laplace's formula: exact for a normal posterior.
  ///
  /// It means nothing where directions are flat, or where the search for the mode did not converge.
  public var logEvidence: Double { mode.logEvidence(precision) }

  /// What makes the approximation doubtful, in words, with what to do; empty where nothing does.
  public var warnings: [DiagnosticWarning] {
    var list: [DiagnosticWarning] = []
    if !mode.isConverged {
      list.append(
        DiagnosticWarning(.notConverged, "mode", "the search for the mode \(mode.explanation)"))
    }
    if flatDirections > 0 {
      list.append(
        DiagnosticWarning(
          .flat, flatSites.joined(separator: ", "),
          "the log density does not curve down in \(flatDirections) direction(s) at the mode, mostly of \(flatSites.joined(separator: ", ")); the normal approximation cannot be trusted there, sample the posterior instead"
        ))
    }
    return list
  }
}

extension CompiledDensity {
  /// The first of the two neighbouring coordinates of each angle.
  package var anglePairs: [Int] {
    layout.entries.flatMap { entry -> [Int] in
      guard case .circular = entry.constraint else { return [] }
      return Array(stride(from: entry.range.lowerBound, to: entry.range.upperBound, by: 2))
    }
  }
}

extension Optimum {
  /// Returns the log of the evidence by Laplace's formula, given the factor of the precision matrix at the maximum.
  func logEvidence(_ precision: CholeskyFactor) -> Double {
    let logTwoPi = 1.8378770664093453
    return value + 0.5 * Double(position.count) * logTwoPi - 0.5 * precision.logDeterminant
  }
}
