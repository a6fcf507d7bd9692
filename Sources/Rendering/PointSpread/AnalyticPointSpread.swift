// SPDX-License-Identifier: MIT
//
// Point-spread functions from formulas: Moffat 1969 (A&A 3, 455) and the Gaussian, sampled at pixel centres.

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

extension PointSpreadFunction {
  /// The share of the light that may lie outside the default array.
  private static let lostShare = 1e-4

  /// The largest default number of rows: wings beyond it are cut.
  private static let largestDefaultSize = 127

  /// Returns a Moffat function (1 + r²/α²)^(−beta), sampled at pixel centres, with sum 1.
  ///
  /// α = fwhm / (2 √(2^(1/beta) − 1)).
  ///
  /// ### Source
  ///
  /// Moffat 1969, A&A 3, 455, eq. 7.
  ///
  /// - Parameters:
  ///   - fwhm: The full width at half maximum, in pixels, > 0.
  ///   - beta: The exponent, > 1; 2.5–4.8 for the atmosphere.
  ///   - size: The number of rows and columns; by default odd and such that it holds 0.9999 of the light, 127 at most.
  /// - Returns: The function, centred on the middle of the array.
  /// - Throws: `RenderingError` with kind `invalidWidth` for numbers out of range.
  public static func moffat(fwhm: Double, beta: Double, size: Int? = nil)
    throws(RenderingError) -> PointSpreadFunction
  {
    guard beta > 1 && beta.isFinite else {
      throw RenderingError(
        .invalidWidth, expected: "a Moffat exponent beta > 1", found: "\(beta)",
        advice: "give a value such as 3")
    }
    // The share beyond r is (1 + r²/α²)^(1 − beta).
    let alpha = fwhm / (2 * (pow(2, 1 / beta) - 1).squareRoot())
    let reach = alpha * (pow(lostShare, 1 / (1 - beta)) - 1).squareRoot()
    return try sampled(fwhm: fwhm, reach: reach, size: size) {
      pow(1 + $0 / (alpha * alpha), -beta)
    }
  }

  /// Returns a Gaussian function, sampled at pixel centres, with sum 1.
  ///
  /// - Parameters:
  ///   - fwhm: The full width at half maximum, in pixels, > 0; σ = fwhm / (2 √(2 ln 2)).
  ///   - size: The number of rows and columns; by default odd and such that it holds 0.9999 of the light, 127 at most.
  /// - Returns: The function, centred on the middle of the array.
  /// - Throws: `RenderingError` with kind `invalidWidth` for numbers out of range.
  public static func gaussian(fwhm: Double, size: Int? = nil)
    throws(RenderingError) -> PointSpreadFunction
  {
    // The share beyond r is exp(−r²/2σ²).
    let sigma = fwhm / (2 * (2 * log(2.0)).squareRoot())
    let reach = sigma * (-2 * log(lostShare)).squareRoot()
    return try sampled(fwhm: fwhm, reach: reach, size: size) { exp(-$0 / (2 * sigma * sigma)) }
  }

  /// Returns a round function sampled at pixel centres, with sum 1, from its values at squared radii.
  private static func sampled(
    fwhm: Double, reach: Double, size: Int?, _ profile: (Double) -> Double
  ) throws(RenderingError) -> PointSpreadFunction {
    guard fwhm > 0 && fwhm.isFinite else {
      throw RenderingError(
        .invalidWidth, expected: "a full width at half maximum > 0 pixels", found: "\(fwhm)",
        advice: "give the width of a star, in pixels")
    }
    let fitting = 2 * Int(min(reach.rounded(.up), Double(largestDefaultSize))) + 1
    let count = size ?? max(3, min(fitting, largestDefaultSize))
    guard count > 0 else {
      throw RenderingError(
        .invalidWidth, expected: "a size of at least 1 pixel", found: "\(count)",
        advice: "leave the size out to have it chosen")
    }
    let center = Double(count - 1) / 2
    var values: [Double] = []
    values.reserveCapacity(count * count)
    for row in 0..<count {
      for column in 0..<count {
        let dx = Double(column) - center
        let dy = Double(row) - center
        values.append(profile(dx * dx + dy * dy))
      }
    }
    let sum = values.reduce(0, +)
    guard sum > 0 else {
      // An even-sized array can miss a very narrow function altogether.
      throw RenderingError(
        .invalidWidth, expected: "a width that pixels can sample", found: "\(fwhm) pixels",
        advice: "use an odd size, or a larger width")
    }
    return PointSpreadFunction(width: count, height: count, values: values.map { $0 / sum })
  }
}
