// SPDX-License-Identifier: MIT
//
// How a parameter depends on the wavelength: constant, free in each band, a polynomial, or a B-spline.

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// How a parameter of a joint model depends on the wavelength.
///
/// Polynomials and splines run on a scale without bounds, the logarithm of a positive parameter, the logit of one between two
/// bounds, so that no value leaves the support of the parameter's prior. Their sites are values of the parameter itself,
/// each with the given prior: of a polynomial of degree d those at the d + 1 Chebyshev points between the shortest and the
/// longest wavelength, both included; of a B-spline its control values, of which the first and the last are the values at
/// the ends.
public enum WavelengthLink: Sendable, Hashable, CustomStringConvertible {
  /// One value for all bands: one site, `n`.
  case constant
  /// A value for each band: sites `n_g`, `n_r`, ….
  case free
  /// A polynomial: sites `n_poly_0`, …, values at rising wavelengths.
  case polynomial(degree: Int)
  /// A B-spline with clamped ends and even knots: sites `bspl_w_n_0`, …, its control values.
  case bSpline(coefficients: Int, degree: Int = 2)

  /// As it is written in a configuration.
  public var description: String {
    switch self {
    case .constant: "constant"
    case .free: "free"
    case .polynomial(let degree): "polynomial:degree=\(degree)"
    case .bSpline(let count, let degree): "b-spline:coefficients=\(count),degree=\(degree)"
    }
  }

  /// Whether values exist at wavelengths between the bands.
  public var isContinuous: Bool { self != .free }

  /// Whether the wavelengths of the bands matter.
  public var needsWavelengths: Bool {
    switch self {
    case .constant, .free: false
    case .polynomial, .bSpline: true
    }
  }

  /// The number of values that the link has; nil for one in each band.
  var coefficientCount: Int? {
    switch self {
    case .constant: 1
    case .free: nil
    case .polynomial(let degree): degree + 1
    case .bSpline(let count, _): count
    }
  }

  /// Returns what keeps the link from being used with a number of bands, in words; nil where nothing does.
  func problem(bandCount: Int) -> String? {
    switch self {
    case .constant, .free: return nil
    case .polynomial(let degree):
      guard degree < 1 || degree >= bandCount else { return nil }
      return
        "expected a degree from 1 to one less than the number of bands (\(bandCount)), found \(degree); use constant, or free for a value in each band"
    case .bSpline(let count, let degree):
      guard degree < 1 || count <= degree || count > bandCount else { return nil }
      return
        "expected a degree from 1, and more coefficients than the degree but at most as many as bands (\(bandCount)), found \(count) coefficients of degree \(degree); use fewer, or free for a value in each band"
    }
  }

  // MARK: - Weights

  /// Returns the weights of the values in the parameter at a wavelength, on the scale of the link; they add up to 1.
  ///
  /// - Parameters:
  ///   - wavelength: The wavelength.
  ///   - range: The wavelengths of the bands, from the shortest to the longest.
  /// - Returns: One weight for each value; nil where the link has no value there: `free` anywhere, a spline outside.
  func weights(at wavelength: Double, in range: ClosedRange<Double>) -> [Double]? {
    switch self {
    case .constant: return [1]
    case .free: return nil
    case .polynomial(let degree):
      return Self.lagrange(Self.position(wavelength, range), nodes: Self.chebyshev(degree))
    case .bSpline(let count, let degree):
      let x = (Self.position(wavelength, range) + 1) / 2
      // A band at the end may be outside by rounding.
      guard (-1e-12...1 + 1e-12).contains(x) else { return nil }
      return Self.bSpline(min(max(x, 0), 1), count: count, degree: degree)
    }
  }

  /// Returns a wavelength as a number from −1 to 1 between the shortest and the longest.
  private static func position(_ wavelength: Double, _ range: ClosedRange<Double>) -> Double {
    let middle = (range.lowerBound + range.upperBound) / 2
    return (wavelength - middle) / ((range.upperBound - range.lowerBound) / 2)
  }

  /// Returns the Chebyshev points −cos(π j/d), both ends included.
  private static func chebyshev(_ degree: Int) -> [Double] {
    (0...degree).map { j in
      // sin(π (2j − d)/(2d)) is the same, exactly antisymmetric, and 0 in the middle.
      sin(Double.pi * Double(2 * j - degree) / Double(2 * degree))
    }
  }

  /// Returns the values at x of the polynomials that are 1 at one node and 0 at the others.
  private static func lagrange(_ x: Double, nodes: [Double]) -> [Double] {
    nodes.indices.map { j in
      nodes.indices.reduce(1) { product, k in
        k == j ? product : product * (x - nodes[k]) / (nodes[j] - nodes[k])
      }
    }
  }

  /// Returns the B-splines with even knots on [0, 1] and clamped ends at x, by the recursion of Cox and de Boor.
  private static func bSpline(_ x: Double, count: Int, degree: Int) -> [Double] {
    let intervals = count - degree
    let knots =
      Array(repeating: 0.0, count: degree) + (0...intervals).map { Double($0) / Double(intervals) }
      + Array(repeating: 1.0, count: degree)
    // The last interval is closed.
    let place = degree + min(Int(x * Double(intervals)), intervals - 1)
    var values = [Double](repeating: 0, count: count + degree)
    values[place] = 1
    for k in 1...degree {
      for i in 0..<(count + degree - k) {
        let (left, right) = (knots[i + k] - knots[i], knots[i + k + 1] - knots[i + 1])
        let rising = left > 0 ? (x - knots[i]) / left * values[i] : 0
        let falling = right > 0 ? (knots[i + k + 1] - x) / right * values[i + 1] : 0
        values[i] = rising + falling
      }
    }
    return Array(values.prefix(count))
  }
}
