// SPDX-License-Identifier: MIT
//
// The Euclidean metric of Hamiltonian samplers: diagonal, dense or of low rank, given by the inverse mass matrix.

public import Numerics
import PPL

/// The metric of a Hamiltonian sampler, given by the inverse mass matrix M⁻¹, an estimate of the posterior's covariance.
///
/// A metric is positive definite by construction. It is what a warm-up finds out, and may be saved and given to another run.
public struct Metric: Sendable, Equatable {
  /// The number of coordinates.
  public let dimension: Int

  /// How M⁻¹ is given.
  let form: Form

  /// The forms of M⁻¹.
  enum Form: Sendable, Equatable {
    /// The variances.
    case diagonal([Double])
    /// The lower Cholesky factor, row-major.
    case dense([Double])
    /// diag(variances)^½ (I + Σ (λ − 1) u uᵀ) diag(variances)^½, with orthonormal directions u of variance λ.
    case lowRank([Double], [[Double]], [Double])
  }

  /// Creates a metric of a form that is known to be right.
  private init(_ dimension: Int, _ form: Form) {
    self.dimension = dimension
    self.form = form
  }

  // MARK: - Creation

  /// Returns the identity.
  public static func identity(_ n: Int) -> Metric {
    Metric(n, .diagonal([Double](repeating: 1, count: n)))
  }

  /// Returns a diagonal metric.
  ///
  /// - Parameter variances: The diagonal of M⁻¹, positive and finite.
  /// - Returns: The metric.
  public static func diagonal(_ variances: [Double]) -> Metric {
    if let problem = Metric.problem(variances) {
      stop("Metric.diagonal: \(problem)")
    }
    return Metric(variances.count, .diagonal(variances))
  }

  /// Returns a dense metric.
  ///
  /// - Parameters:
  ///   - covariance: M⁻¹, row-major and symmetric; the lower triangle is read.
  ///   - n: The number of coordinates.
  /// - Returns: The metric.
  /// - Throws: `ModelError` of kind `notFinite` if the matrix is not positive definite.
  public static func dense(_ covariance: [Double], dimension n: Int) throws -> Metric {
    demand(
      covariance.count == n * n,
      "Metric.dense: expected \(n * n) elements, got \(covariance.count)")
    guard let factor = CholeskyFactor(covariance, n) else {
      throw ModelError(
        .notFinite,
        "expected a positive definite covariance for the metric, found one that is not; estimate it from more draws, or add a share of its diagonal"
      )
    }
    return Metric(n, .dense(factor.lower))
  }

  /// Returns the dense metric whose mass matrix is that of a normal approximation: M is its precision.
  ///
  /// The covariance is never formed, whose rounding would spoil its narrow directions: a condition number of 10¹¹ costs nothing.
  ///
  /// - Parameter precision: The factor of the precision matrix, such as ``LaplaceApproximation/precision``.
  /// - Returns: The metric.
  /// - Throws: `ModelError` of kind `notFinite` if the precision is not positive definite to rounding.
  public static func dense(precision: CholeskyFactor) throws -> Metric {
    let n = precision.n
    // With P = U Uᵀ, U an upper triangle, M⁻¹ = U⁻ᵀ U⁻¹, and U⁻ᵀ is the lower factor. U is K with rows and columns in reverse,
    // where K Kᵀ is P in reverse.
    var reversed = [Double](repeating: 0, count: n * n)
    for r in 0..<n {
      for c in 0...r {
        let product = (0...c).reduce(0) {
          $0 + precision.lower[r * n + $1] * precision.lower[c * n + $1]
        }
        reversed[(n - 1 - c) * n + n - 1 - r] = product
      }
    }
    guard let factor = CholeskyFactor(reversed, n) else {
      throw ModelError(
        .notFinite,
        "expected a positive definite precision for the metric, found one that is not to rounding; rescale the parameters, or start without a metric"
      )
    }
    // Row k of U⁻ᵀ is column k of U⁻¹, which is K⁻¹ with rows and columns in reverse.
    var lower = [Double](repeating: 0, count: n * n)
    for k in 0..<n {
      var unit = [Double](repeating: 0, count: n)
      unit[n - 1 - k] = 1
      let column = factor.solveLower(unit)
      for r in 0...k { lower[k * n + r] = column[n - 1 - r] }
    }
    return Metric(n, .dense(lower))
  }

  /// Returns a metric of low rank: M⁻¹ = diag(variances)^½ (I + Σ (λ − 1) u uᵀ) diag(variances)^½.
  ///
  /// - Parameters:
  ///   - variances: The variances, positive and finite.
  ///   - directions: Orthonormal vectors u in coordinates scaled by √variances, at most as many as there are coordinates.
  ///   - eigenvalues: The variance λ along each direction, in the scaled coordinates; positive and finite.
  /// - Returns: The metric.
  /// - Complexity: A step of a sampler takes O(dimension · directions) for it.
  public static func lowRank(
    variances: [Double], directions: [[Double]], eigenvalues: [Double]
  ) -> Metric {
    if let problem = Metric.problem(variances) ?? Metric.problem(eigenvalues)
      ?? Metric.problem(directions, eigenvalues.count, variances.count)
    {
      stop("Metric.lowRank: \(problem)")
    }
    return Metric(variances.count, .lowRank(variances, directions, eigenvalues))
  }

  /// Returns what is wrong with variances, or nil.
  private static func problem(_ variances: [Double]) -> String? {
    variances.first { !($0 > 0 && $0.isFinite) }.map {
      "expected positive, finite variances, got \($0)"
    }
  }

  /// Returns what is wrong with directions, or nil.
  private static func problem(_ directions: [[Double]], _ count: Int, _ n: Int) -> String? {
    guard directions.count == count && count <= n && directions.allSatisfy({ $0.count == n }) else {
      return
        "expected \(count) directions, at most \(n), of \(n) elements, got \(directions.map(\.count))"
    }
    for (j, u) in directions.enumerated() {
      for k in 0...j {
        // Orthonormal to rounding of sums and of the eigenvectors' own iteration.
        let product = dot(u, directions[k])
        if !(abs(product - (k == j ? 1 : 0)) < 1e-8) {
          return "expected orthonormal directions, got the product \(product) of \(k) and \(j)"
        }
      }
    }
    return nil
  }

  // MARK: - Queries

  /// The diagonal of M⁻¹.
  public var variances: [Double] {
    switch form {
    case .diagonal(let variances): variances
    case .dense(let lower):
      (0..<dimension).map { row in
        (0...row).reduce(0) { $0 + lower[row * dimension + $1] * lower[row * dimension + $1] }
      }
    case .lowRank(let variances, let directions, let eigenvalues):
      variances.indices.map { k in
        variances[k]
          * zip(directions, eigenvalues).reduce(1) { $0 + ($1.1 - 1) * $1.0[k] * $1.0[k] }
      }
    }
  }

  /// M⁻¹ in full, row-major.
  public var covariance: [Double] {
    let n = dimension
    var matrix = [Double](repeating: 0, count: n * n)
    switch form {
    case .diagonal(let variances):
      for k in 0..<n { matrix[k * n + k] = variances[k] }
    case .dense(let lower):
      for r in 0..<n {
        for c in 0...r {
          let product = (0...c).reduce(0) { $0 + lower[r * n + $1] * lower[c * n + $1] }
          matrix[r * n + c] = product
          matrix[c * n + r] = product
        }
      }
    case .lowRank(let variances, let directions, let eigenvalues):
      let scales = variances.map { $0.squareRoot() }
      for r in 0..<n {
        for c in 0..<n {
          let extra = zip(directions, eigenvalues).reduce(0) {
            $0 + ($1.1 - 1) * $1.0[r] * $1.0[c]
          }
          matrix[r * n + c] = scales[r] * scales[c] * (extra + (r == c ? 1 : 0))
        }
      }
    }
    return matrix
  }

  /// Returns the lower Cholesky factor of M⁻¹, row-major.
  ///
  /// - Throws: ``ModelError`` of kind `notFinite` if a metric of low rank is not positive definite to rounding.
  func lowerFactor() throws -> [Double] {
    if case .dense(let lower) = form { return lower }
    guard case .dense(let lower) = try Metric.dense(covariance, dimension: dimension).form else {
      return []
    }
    return lower
  }

  /// The number of directions that a metric of low rank treats apart; 0 for a diagonal one, all for a dense one.
  public var rank: Int {
    switch form {
    case .diagonal: 0
    case .dense: dimension
    case .lowRank(_, let directions, _): directions.count
    }
  }

  /// Returns the velocity M⁻¹ p of a momentum; loops use a ``PreparedMetric``, which takes no memory at each call.
  public func velocity(_ momentum: [Double]) -> [Double] {
    var velocity = [Double](repeating: 0, count: dimension)
    PreparedMetric(self).velocity(of: momentum, into: &velocity, workspace)
    return velocity
  }

  /// Returns a momentum drawn from N(0, M).
  public func momentum(key: RandomKey) -> [Double] { momentum(whitened: key.normals(dimension)) }

  /// Returns the momentum p with Fᵀ p = r, where F Fᵀ = M⁻¹: of standard normal numbers r a draw from N(0, M).
  package func momentum(whitened r: [Double]) -> [Double] {
    var momentum = [Double](repeating: 0, count: dimension)
    PreparedMetric(self).momentum(whitened: r, into: &momentum, workspace)
    return momentum
  }

  /// New memory for a product.
  private var workspace: Workspace {
    Workspace(dimension: dimension, vectors: PreparedMetric.scratchVectors)
  }
}

extension Metric: Codable {
  /// The names under which the parts of a metric are saved.
  private enum CodingKeys: String, CodingKey {
    case variances, lowerFactor, directions, eigenvalues
  }

  /// Reads a metric.
  ///
  /// - Throws: `DecodingError` if the numbers are not those of a positive definite matrix.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    /// Returns the error of numbers that make no metric.
    func corrupted(_ problem: String) -> DecodingError {
      .dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: "metric: \(problem)"))
    }
    if let lower = try values.decodeIfPresent([Double].self, forKey: .lowerFactor) {
      let n = Int(Double(lower.count).squareRoot().rounded())
      guard n * n == lower.count else { throw corrupted("expected a square factor") }
      if let problem = Metric.problem((0..<n).map { lower[$0 * n + $0] }) {
        throw corrupted(problem)
      }
      self.init(n, .dense(lower))
      return
    }
    let variances = try values.decode([Double].self, forKey: .variances)
    let directions = try values.decodeIfPresent([[Double]].self, forKey: .directions)
    let eigenvalues = try values.decodeIfPresent([Double].self, forKey: .eigenvalues) ?? []
    if let problem = Metric.problem(variances) ?? Metric.problem(eigenvalues)
      ?? Metric.problem(directions ?? [], eigenvalues.count, variances.count)
    {
      throw corrupted(problem)
    }
    self.init(
      variances.count,
      directions.map { .lowRank(variances, $0, eigenvalues) } ?? .diagonal(variances))
  }

  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    switch form {
    case .diagonal(let variances): try values.encode(variances, forKey: .variances)
    case .dense(let lower): try values.encode(lower, forKey: .lowerFactor)
    case .lowRank(let variances, let directions, let eigenvalues):
      try values.encode(variances, forKey: .variances)
      try values.encode(directions, forKey: .directions)
      try values.encode(eigenvalues, forKey: .eigenvalues)
    }
  }
}
