// SPDX-License-Identifier: MIT
//
// What is unusual about a point-spread function, as numbers and as findings with advice.

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The measured properties of a point-spread function that decide whether it can be trusted.
public struct PointSpreadDiagnostics: Sendable, Hashable {
  /// The sum of the finite pixels; 1 for a normalised function.
  public let sum: Double

  /// The centroid minus the nominal centre in x, in array pixels; NaN where the sum is not positive.
  public let centroidOffsetX: Double

  /// The centroid minus the nominal centre in y, in array pixels; NaN where the sum is not positive.
  public let centroidOffsetY: Double

  /// The number of pixels that are NaN or infinite.
  public let nonFiniteCount: Int

  /// The sum of the negative pixels' moduli over the sum of all moduli, 0...1.
  public let negativeFraction: Double

  /// Whether the number of columns or rows is even, so that the nominal centre lies between pixels.
  public let isEvenSized: Bool

  /// The largest modulus of the transform on the edge of the frequency band, over the modulus at zero.
  ///
  /// The edge is the Nyquist frequency of the array's own pixels; NaN where the sum is not positive.
  public let nyquistModulus: Double

  /// Something about a point-spread function that its user should know.
  public enum Finding: String, Sendable, Hashable, CaseIterable {
    /// Some pixels are NaN or infinite.
    case nonFinite
    /// The sum is zero or negative.
    case noFlux
    /// The sum differs from 1 by more than 1 %.
    case notNormalized
    /// The centroid lies more than 0.1 array pixels from the nominal centre.
    case offCenter
    /// The number of columns or rows is even.
    case evenSized
    /// More than 1 % of the light is negative.
    case negative
    /// The transform exceeds 1 % at the edge of the band.
    case undersampled
    /// The array is larger than the image.
    case largerThanImage
  }

  /// The limit of |sum − 1|, of the negative share and of the transform at the band's edge.
  static let tolerance = 0.01

  /// The limit of the centroid's offset, in array pixels.
  static let offsetTolerance = 0.1

  /// Measures a point-spread function.
  init(_ psf: PointSpreadFunction) {
    var sum = 0.0
    var negative = 0.0
    var modulus = 0.0
    var momentX = 0.0
    var momentY = 0.0
    var nonFinite = 0
    for row in 0..<psf.height {
      for column in 0..<psf.width {
        let value = psf.values[row * psf.width + column]
        guard value.isFinite else {
          nonFinite += 1
          continue
        }
        sum += value
        modulus += abs(value)
        if value < 0 { negative -= value }
        momentX += value * (Double(column) - psf.centerX)
        momentY += value * (Double(row) - psf.centerY)
      }
    }
    self.sum = sum
    nonFiniteCount = nonFinite
    negativeFraction = modulus > 0 ? negative / modulus : 0
    isEvenSized = psf.width % 2 == 0 || psf.height % 2 == 0
    centroidOffsetX = sum > 0 ? momentX / sum : .nan
    centroidOffsetY = sum > 0 ? momentY / sum : .nan
    nyquistModulus = sum > 0 ? PointSpreadDiagnostics.bandEdgeModulus(psf) / sum : .nan
  }

  /// Returns the largest modulus of the transform where one frequency is at Nyquist, 0 for arrays of one pixel a side.
  private static func bandEdgeModulus(_ psf: PointSpreadFunction) -> Double {
    var byRow = [Double](repeating: 0, count: psf.height)
    var byColumn = [Double](repeating: 0, count: psf.width)
    for row in 0..<psf.height {
      for column in 0..<psf.width {
        let value = psf.values[row * psf.width + column]
        guard value.isFinite else { continue }
        byRow[row] += column % 2 == 0 ? value : -value
        byColumn[column] += row % 2 == 0 ? value : -value
      }
    }
    return max(largestModulus(byRow), largestModulus(byColumn))
  }

  /// Returns the largest modulus of a sequence's transform, over twice as many frequencies as it has elements.
  private static func largestModulus(_ sequence: [Double]) -> Double {
    var largest = 0.0
    for k in 0...sequence.count {
      let step = Double.pi * Double(k) / Double(sequence.count)
      var real = 0.0
      var imaginary = 0.0
      for (i, value) in sequence.enumerated() {
        real += value * cos(step * Double(i))
        imaginary += value * sin(step * Double(i))
      }
      largest = max(largest, (real * real + imaginary * imaginary).squareRoot())
    }
    return largest
  }

  /// Returns what is unusual, worst first; give the image's size to have it compared.
  ///
  /// - Parameters:
  ///   - psf: The function that was measured.
  ///   - imageWidth: Columns of the image, in image pixels; nil: not compared.
  ///   - imageHeight: Rows of the image, in image pixels; nil: not compared.
  /// - Returns: The findings, empty where all is well.
  func findings(
    for psf: PointSpreadFunction, imageWidth: Int?, imageHeight: Int?
  ) -> [Finding] {
    var result: [Finding] = []
    if nonFiniteCount > 0 { result.append(.nonFinite) }
    if !(sum > 0) { result.append(.noFlux) }
    if sum > 0 && abs(sum - 1) > Self.tolerance { result.append(.notNormalized) }
    if max(abs(centroidOffsetX), abs(centroidOffsetY)) > Self.offsetTolerance {
      result.append(.offCenter)
    }
    if isEvenSized { result.append(.evenSized) }
    if negativeFraction > Self.tolerance { result.append(.negative) }
    if nyquistModulus > Self.tolerance { result.append(.undersampled) }
    let scale = psf.oversampling
    if let imageWidth, psf.width > imageWidth * scale {
      result.append(.largerThanImage)
    } else if let imageHeight, psf.height > imageHeight * scale {
      result.append(.largerThanImage)
    }
    return result
  }

  /// Returns one sentence on a finding: what was expected, what was found, what to do.
  public func describe(_ finding: Finding) -> String {
    switch finding {
    case .nonFinite:
      "PSF: expected finite pixels, found \(nonFiniteCount) that are NaN or infinite: "
        + "replace them, by 0 if they are far from the centre"
    case .noFlux:
      "PSF: expected a positive sum, found \(sum): check that this is the image of a star, "
        + "with its background subtracted"
    case .notNormalized:
      "PSF: expected a sum of 1, found \(sum): fluxes come out divided by it; "
        + "normalise the PSF, unless this is meant"
    case .offCenter:
      "PSF: expected the centroid at the nominal centre, found it \(rounded(centroidOffsetX)) pixels off in x "
        + "and \(rounded(centroidOffsetY)) in y: positions shift by as much; give the star's position as the centre"
    case .evenSized:
      "PSF: expected odd numbers of columns and rows, found an even one: the centre is taken to be "
        + "between two pixels; give the star's position if it is elsewhere"
    case .negative:
      "PSF: expected no negative light, found \(rounded(100 * negativeFraction)) % of it: "
        + "check the background that was subtracted"
    case .undersampled:
      "PSF: expected a transform below 1 % at the Nyquist frequency, found "
        + "\(rounded(100 * nyquistModulus)) %: undersampled; use a PSF on a finer grid (oversampling)"
    case .largerThanImage:
      "PSF: expected an array no larger than the image, found a larger one: "
        + "check that the files are not swapped, or cut the PSF"
    }
  }
}

/// Returns a number with three significant figures, for a message.
private func rounded(_ x: Double) -> Double {
  guard x != 0, x.isFinite else { return x }
  var unit = 1.0
  while abs(x) / unit >= 1000 { unit *= 10 }
  while abs(x) / unit < 100 { unit /= 10 }
  // A power of ten below one is not exact: divide by its inverse, which is.
  let inverse = (1 / unit).rounded()
  return unit < 1 ? (x * inverse).rounded() / inverse : (x / unit).rounded() * unit
}
