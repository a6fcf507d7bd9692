// SPDX-License-Identifier: MIT
//
// The law of kernels: a step leaves a correlated normal invariant, depends on its key alone, and can be saved.

public import Inference
public import Numerics
public import Testing

/// A correlated normal of three coordinates with scales 1, 3 and 0.2, by its formula.
public final class CorrelatedNormal: LogDensity {
  public let dimension = 3

  /// The lower Cholesky factor of the covariance, row-major.
  public static let factor: [Double] = [
    1, 0, 0, 2.4, 1.8, 0, -0.06, 0.08, 0.1732050807568877,
  ]

  /// The covariance, row-major.
  public static var covariance: [Double] {
    var matrix = [Double](repeating: 0, count: 9)
    for r in 0..<3 {
      for c in 0..<3 {
        for k in 0..<3 { matrix[3 * r + c] += factor[3 * r + k] * factor[3 * c + k] }
      }
    }
    return matrix
  }

  /// Creates the density.
  public init() {}

  public func valueAndGradient(at q: [Double], into gradient: inout [Double]) -> Double {
    let l = Self.factor
    // x = L z, log density −½ z·z, gradient −L⁻ᵀ z.
    let z0 = q[0] / l[0]
    let z1 = (q[1] - l[3] * z0) / l[4]
    let z2 = (q[2] - l[6] * z0 - l[7] * z1) / l[8]
    gradient[2] = -z2 / l[8]
    gradient[1] = -(z1 + l[7] * gradient[2]) / l[4]
    gradient[0] = -(z0 + l[3] * gradient[1] + l[6] * gradient[2]) / l[0]
    return -0.5 * (z0 * z0 + z1 * z1 + z2 * z2)
  }

  /// Returns a draw.
  public static func draw(_ key: RandomKey) -> [Double] {
    let z = key.normals(3)
    var x = [0.0, 0, 0]
    for r in 0..<3 {
      for k in 0...r { x[r] += factor[3 * r + k] * z[k] }
    }
    return x
  }
}

/// Checks that a kernel is one for the correlated normal above, with the tuning that it has.
///
/// Checked: the same key gives the same step, after saving and reading kernel and state, too; the log density of the state is that of
/// its position; chains that begin at exact draws still are exact draws after some steps (means and products of all
/// coordinates); one step is reversible, if the kernel claims to be: E[f(x) g(x')] = E[g(x) f(x')].
///
/// - Parameters:
///   - name: The name in messages.
///   - kernel: The kernel.
///   - isReversible: Whether a step is reversible.
///   - steps: The steps after which moments are looked at.
///   - chains: The number of independent chains; the standard errors fall with its root.
///   - key: The key.
///   - sourceLocation: The place of the check.
/// - Throws: What saving a kernel throws.
public func checkKernel<K: Kernel>(
  _ name: String, _ kernel: K, isReversible: Bool = true, steps: Int = 3, chains: Int = 20_000,
  key: RandomKey = 11, sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let target = CorrelatedNormal()
  let copy = try saved(kernel)
  var moments = Moments()
  var exchange = Moments()
  for chain in 0..<chains {
    let own = key.folding(in: chain)
    let start = CorrelatedNormal.draw(own.folding(in: "draw"))
    var state = kernel.start(at: start, target, key: own.folding(in: "start"))
    for step in 0..<steps {
      let stepKey = own.folding(in: step)
      let before = state
      let info = kernel.step(&state, target, key: stepKey)
      if chain < 20 {
        var again = try saved(before)
        let sameInfo = copy.step(&again, target, key: stepKey)
        #expect(
          again.position == state.position && again.logDensity == state.logDensity
            && sameInfo.acceptance == info.acceptance,
          "\(name): the same key gives another step from a saved state",
          sourceLocation: sourceLocation)
        // The same formula, in another order where the kernel goes through its steps: rounding of a few operations.
        #expect(
          abs(target.value(at: state.position) - state.logDensity) < 1e-12 * 100,
          "\(name): the state's log density is not that of its position",
          sourceLocation: sourceLocation)
        #expect(
          info.acceptance >= 0 && info.acceptance <= 1, "\(name): acceptance \(info.acceptance)",
          sourceLocation: sourceLocation)
      }
      if step == 0 {
        // Antisymmetric in the two points, so zero on average for a reversible kernel.
        let (x, y) = (before.position, state.position)
        exchange.add([
          x[0] * y[1] - y[0] * x[1], x[0] * y[0] * (x[0] - y[0]),
          x[2] * x[2] * y[0] - y[2] * y[2] * x[0],
        ])
      }
    }
    let x = state.position
    var terms = x
    for r in 0..<3 {
      for c in 0...r { terms.append(x[r] * x[c] - CorrelatedNormal.covariance[r * 3 + c]) }
    }
    moments.add(terms)
  }
  // Nine and three standardised sums: beyond five the chance of a false failure is one in a hundred thousand.
  for (k, score) in moments.scores.enumerated() {
    #expect(
      abs(score) < 5, "\(name): moment \(k) is \(score) standard errors off",
      sourceLocation: sourceLocation)
  }
  guard isReversible else { return }
  for (k, score) in exchange.scores.enumerated() {
    #expect(
      abs(score) < 5, "\(name): exchange \(k) is \(score) standard errors off",
      sourceLocation: sourceLocation)
  }
}

/// Returns a value after it has been saved and read.
public func saved<Value: Codable>(_ value: Value) throws -> Value {
  var bytes: [UInt8] = []
  try Record(encoding: value).append(to: &bytes)
  var reader = RecordReader(bytes[...])
  let found = reader.record()
  let record = try #require(found)
  #expect(reader.isAtEnd)
  return try record.decode(Value.self)
}

/// Sums of terms whose expectation is zero, and of their squares.
private struct Moments {
  private var count = 0.0
  private var sums: [Double] = []
  private var squares: [Double] = []

  /// Adds terms.
  mutating func add(_ terms: [Double]) {
    if sums.isEmpty { (sums, squares) = (terms.map { _ in 0 }, terms.map { _ in 0 }) }
    count += 1
    for (k, term) in terms.enumerated() {
      sums[k] += term
      squares[k] += term * term
    }
  }

  /// The means in units of their standard errors.
  var scores: [Double] {
    zip(sums, squares).map { sum, square in sum / square.squareRoot() }
  }
}
