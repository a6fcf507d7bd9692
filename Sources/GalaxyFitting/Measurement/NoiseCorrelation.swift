// SPDX-License-Identifier: MIT
//
// The correlation of neighbouring pixels, as blank ones show it: of an image alone, or of what a fit leaves.

package import GalaxyModels

/// The correlation of blank pixels with their neighbours.
package struct NoiseCorrelation: Sendable {
  /// The correlation of a blank pixel with the next one in x and with the next one in y, averaged.
  package let value: Double

  /// The standard error of the correlation where there is none.
  package let error: Double

  /// The errors of sums over many pixels, over those of independent noise: the root of the sum of all correlations.
  package let errorFactor: Double

  /// The variance of a sum of squares, over that of independent noise: the sum of all squared correlations.
  let overlap: Double

  /// Fewer blank pixels than this do not give a scatter to 5 % and a correlation to 0.07.
  static let leastCount = 200

  /// Correlations below this change no error by more than a tenth.
  private static let tolerance = 0.04

  /// Residuals that scatter less than this, in units of the rms, are those of an image that was drawn, not of noise.
  private static let leastScatter = 0.1

  /// The side of the part of a large image that is looked at, in pixels: it gives a correlation to 0.003.
  private static let largestSide = 256

  /// The scatter of blank pixels in units of the rms.
  private let scatter: Double

  /// Takes numbers that are known.
  init(value: Double, error: Double, errorFactor: Double, scatter: Double) {
    self.value = value
    self.error = error
    self.errorFactor = errorFactor
    self.scatter = scatter
    overlap = 1
  }

  /// Measures blank pixels.
  init(_ blank: BlankPixels) {
    scatter = blank.scatter
    let correlations = blank.correlations()
    let nearest = correlations.filter { abs($0.dx) + abs($0.dy) == 1 }
    value = nearest.reduce(0) { $0 + $1.value } / Double(max(1, nearest.count))
    error =
      nearest.reduce(0) { $0 + $1.error * $1.error }.squareRoot() / Double(max(1, nearest.count))
    // Shifts whose correlation is chance would only add noise.
    let clear = correlations.filter { abs($0.value) > 3 * $0.error }
    errorFactor = max(0, 1 + 2 * clear.reduce(0) { $0 + $1.value }).squareRoot()
    overlap = 1 + 2 * clear.reduce(0) { $0 + $1.value * $1.value }
  }

  /// Measures what a fit leaves in blank pixels; nil where there are too few of them, or no noise in them.
  ///
  /// Blank are the pixels away from the source that show nothing to the eye either, so that what the model lacks of a source is not
  /// taken for noise. Of an image larger than 256 pixels the part around the source is looked at.
  ///
  /// - Parameters:
  ///   - image: The image.
  ///   - model: The model image with its sky, row-major, image units; nil for the image as it is, whose sources are left out.
  ///   - position: Where the source is; the frame's centre unless given.
  /// - Precondition: There are as many pixels in the model as in the image.
  package init?(_ image: ObservedImage, model: [Double]?, near position: ImagePoint? = nil) {
    let place = position ?? image.center
    let columns = Self.range(around: place.x, image.width)
    let rows = Self.range(around: place.y, image.height)
    var (part, light) = (image, model)
    if columns.count < image.width || rows.count < image.height {
      guard let stamp = try? image.stamp(columns: columns, rows: rows) else { return nil }
      part = stamp
      light = model.map { model in
        rows.flatMap { y in columns.map { x in model[y * image.width + x] } }
      }
    }
    let measured = SourceMeasurement(
      part,
      position: ImagePoint(
        x: place.x - Double(columns.lowerBound), y: place.y - Double(rows.lowerBound)),
      borderWidth: 5)
    let blank = light.map { BlankPixels(measured, model: $0) } ?? BlankPixels(measured)
    guard blank.count >= Self.leastCount, blank.scatter > Self.leastScatter else { return nil }
    self.init(blank)
  }

  /// Returns the pixels of an axis that are looked at.
  private static func range(around center: Double, _ size: Int) -> Range<Int> {
    let side = min(size, largestSide)
    let middle = min(max(center, 0), Double(size - 1))
    let start = min(max(Int(middle) - side / 2, 0), size - side)
    return start..<(start + side)
  }

  /// Whether neighbours are alike, beyond chance.
  var isPositive: Bool { value > NoiseDiagnostics.significance * error }

  /// Returns the warning that neighbours are correlated; nil where chance may be the reason, or it hardly matters.
  ///
  /// White noise has it once in 15 000 images: four standard errors, and more of them where there are many blank pixels.
  package func finding(subject: String) -> InputFinding? {
    guard abs(value) > Self.tolerance, abs(value) > NoiseDiagnostics.significance * error else {
      return nil
    }
    // An rms above the scatter of pixels may be there to make up for their correlation.
    let factor = errorFactor * min(scatter, 1)
    guard value < 0 || factor > 1.1 else { return nil }
    let effect =
      value > 0
      ? "errors of the fit are too small by a factor of about \(shortened(factor)): use an image that is not resampled, or multiply them (or the rms of a Gaussian loss) by it"
      : "errors of the fit are too large by a factor of about \(errorFactor > 0.1 ? shortened(1 / errorFactor) : "ten or more")"
    return InputFinding(
      .warning, FitFindingCode.noiseCorrelated.rawValue, subject: subject,
      "expected independent noise, found a correlation of \(shortened(value)) ± "
        + "\(shortened(error)) between adjacent pixels (resampled, smoothed or sharpened images have it, and a background that is not flat): "
        + "\(effect).")
  }
}
