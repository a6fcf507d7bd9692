// SPDX-License-Identifier: MIT
//
// The noise of the source's own photons, measured: how the scatter of fine structure grows with the light under it.

internal import GalaxyModels

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The growth of the noise on a source beyond its rms.
///
/// A filter takes smooth light away, and what is left on the source is compared with what is left in blank pixels. With a model
/// of the light the filter is the Laplacian of image less model, so that only what the model lacks, and sharply, comes
/// through. Without one it is the second difference along x of that along y, which answers to fourth derivatives, and pixels are
/// not used where the same filter answers to the smoothed image.
public struct PhotonNoise: Sendable, Hashable, Codable {
  /// The variance beyond rms², in units of the blank rms², for light of one blank rms: 1 / (gain · rms).
  public var slope: Double

  /// The standard error of the slope without such noise.
  public var error: Double

  /// The number of pixels used.
  public var count: Int

  /// The slope in units of its error.
  public var significance: Double { slope / error }

  /// Light below this, in rms, adds nothing but its own noise.
  private static let leastSignal = 3.0

  /// The filter's answer to the smoothed image must be below this, in rms, where there is no model.
  private static let leak = 0.05

  /// Fewer pixels than this do not tell.
  private static let leastCount = 40

  /// Squares above this, in units of their mean, are cosmic rays and edges.
  private static let outlier = 15.0

  /// Weights grow with the light up to this, in rms: the brightest pixels must not decide alone.
  private static let largestWeight = 30.0

  /// Neighbours on the source may be more alike by this than those beside it: a correlation of chance where few pixels are used.
  private static let largestLikeness = 0.25

  /// Returns the correlation of residuals, in units of the rms, with the next ones in x and y.
  ///
  /// Pixels count where their `signal`, the light in units of the rms, is known and tells something.
  private static func likeness(
    _ residual: [Double], _ image: ObservedImage, _ level: Double, _ signal: (Int) -> Double?
  ) -> Double {
    let (width, height) = (image.width, image.height)
    /// Returns the residual of a pixel that is used.
    func value(_ i: Int) -> Double? {
      guard !image.mask[i], let light = signal(i), light > leastSignal else { return nil }
      return (residual[i] - level) / image.rms[i]
    }
    var (product, square) = (0.0, 0.0)
    for y in 0..<height {
      for x in 0..<width {
        let i = y * width + x
        guard let here = value(i) else { continue }
        for next in [x + 1 < width ? i + 1 : nil, y + 1 < height ? i + width : nil] {
          guard let next, let there = value(next) else { continue }
          product += here * there
          square += 0.5 * (here * here + there * there)
        }
      }
    }
    return square > 0 ? product / square : 0
  }

  /// Rounds of clipping: a slope that is far too small grows up to tenfold in one, and settles in two more.
  private static let rounds = 20

  /// A filter of three by three pixels.
  private struct Filter {
    /// The weights, row by row; their squares sum to one.
    let weights: [Double]
    /// The variance of a sum of squared answers over that of independent ones: the sum of their squared correlations.
    let overlap: Double

    /// The Laplacian.
    static let laplacian = Filter(
      weights: [0, -1, 0, -1, 4, -1, 0, -1, 0].map { $0 / 20.0.squareRoot() }, overlap: 1.69)

    /// The second difference along x of that along y.
    static let fourth = Filter(
      weights: [1, -2, 1, -2, 4, -2, 1, -2, 1].map { $0 / 6 }, overlap: 3.7809)

    /// Returns the answer at a pixel, with the noise of one pixel; nil where a neighbour is masked.
    func callAsFunction(_ values: [Double], at i: Int, _ width: Int, mask: [Bool]) -> Double? {
      var sum = 0.0
      for k in 0..<9 {
        let j = i + (k / 3 - 1) * width + k % 3 - 1
        if mask[j] { return nil }
        sum += weights[k] * values[j]
      }
      return sum
    }
  }

  /// Measures the noise on a source; nil where too few pixels can be used, or the model misses a part of its light.
  ///
  /// - Parameters:
  ///   - measured: The source.
  ///   - blank: The pixels without it.
  ///   - model: A model of the light above the sky, row-major; nil for none.
  init?(_ measured: SourceMeasurement, blank: BlankPixels, model: [Double]?) {
    let image = measured.image
    let filter = model == nil ? Filter.fourth : .laplacian
    let light = model ?? measured.segmentation.smoothed
    let residual = model.map { zip(image.science, $0).map { $0 - $1 } } ?? image.science
    let unit = median(
      blank.residuals.indices.compactMap { blank.isBlank($0) ? image.rms[$0] : nil })
    guard let unit, unit > 0 else { return nil }
    var reference: [Double] = []
    var pixels: [(signal: Double, square: Double)] = []
    let (width, height) = (image.width, image.height)
    guard width > 2, height > 2 else { return nil }
    for y in 1..<(height - 1) {
      for x in 1..<(width - 1) {
        let i = y * width + x
        guard let answer = filter(residual, at: i, width, mask: image.mask) else {
          continue
        }
        let h = answer / image.rms[i]
        if blank.isBlank(i) {
          reference.append(h)
          continue
        }
        let signal = light[i] / unit
        guard signal > Self.leastSignal else { continue }
        if model == nil {
          guard let sharp = filter(light, at: i, width, mask: image.mask),
            abs(sharp) < Self.leak * image.rms[i]
          else { continue }
        }
        pixels.append((signal, h * h))
      }
    }
    // A model that misses a part of the galaxy leaves light, which neighbours share; photons come one by one.
    let level = measured.sky.median
    let likeness = Self.likeness(residual, image, level) {
      blank.isBlank($0) ? nil : light[$0] / unit
    }
    let chance = Self.likeness(residual, image, level) { blank.isBlank($0) ? .infinity : nil }
    if model != nil, likeness - chance > Self.largestLikeness { return nil }
    let scale = 1.4826 * medianAbsoluteDeviation(reference, from: 0)
    guard pixels.count >= Self.leastCount, reference.count >= 200, scale > 0 else { return nil }
    let weights = pixels.map { min($0.signal, Self.largestWeight) }
    let lever = zip(weights, pixels).reduce(0) { $0 + $1.0 * $1.1.signal }
    let squares = weights.reduce(0) { $0 + $1 * $1 }
    // What counts as an outlier depends on the slope, which grows to its value from below.
    var slope = 0.0
    for _ in 0..<Self.rounds {
      let excess = zip(weights, pixels).reduce(0) { sum, pixel in
        let expected = 1 + max(0, slope) * pixel.1.signal
        let square = min(pixel.1.square / (scale * scale), Self.outlier * expected)
        return sum + pixel.0 * (square - 1)
      }
      slope = excess / lever
    }
    self.slope = slope
    error = (2 * filter.overlap * squares).squareRoot() / lever
    count = pixels.count
  }
}
