// SPDX-License-Identifier: MIT
//
// The pixels of a frame that show no source, in units of their rms: level, scatter, autocorrelation.

internal import GalaxyModels

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The pixels that are unmasked, in no segment, and away from the source: (value − sky)/rms, or (value − model)/rms where there is a
/// model, a plane taken off.
struct BlankPixels {
  /// The number of columns.
  let width: Int

  /// The number of rows.
  let height: Int

  /// The residual of each blank pixel; NaN elsewhere.
  private(set) var residuals: [Double]

  /// The number of blank pixels.
  let count: Int

  /// Their scatter (biweight scale).
  private(set) var scatter = 0.0

  /// Residuals beyond this many scatters are outliers, which neither level nor correlation counts.
  private static let clip = 4.0

  /// Autocorrelations are measured up to this many pixels in x and in y.
  static let reach = 3

  /// Gathers the blank pixels around a measured source.
  ///
  /// - Parameters:
  ///   - measured: The source.
  ///   - model: A model of the whole image with its sky, row-major, image units; nil for none.
  init(_ measured: SourceMeasurement, model: [Double]? = nil) {
    let image = measured.image
    width = image.width
    height = image.height
    let unit = measured.observedShape.scaled(by: 1 / measured.observedShape.majorVariance)
    // Light beyond the end of the growth curve is below its errors; small frames leave the outer part at least.
    let reach = min(measured.growth.outerRadius, 0.4 * Double(min(image.width, image.height)))
    residuals = image.science.indices.map { i in
      guard !image.mask[i], measured.segmentation.labels[i] < 0 else { return .nan }
      let r = unit.radius(
        x: Double(i % image.width) - measured.center.x,
        y: Double(i / image.width) - measured.center.y)
      guard r > reach else { return .nan }
      return (image.science[i] - (model?[i] ?? measured.sky.median)) / image.rms[i]
    }
    count = residuals.count { !$0.isNaN }
    guard count > 0 else { return }
    // The first plane is fitted with a clip that sources and slopes have widened; the second is not. A model has neither.
    for _ in 0..<(model == nil ? 2 : 1) {
      subtractPlane()
      scatter = biweightScale(residuals.filter { !$0.isNaN })
    }
  }

  /// Whether a pixel is blank.
  func isBlank(_ index: Int) -> Bool { !residuals[index].isNaN }

  /// Subtracts the plane that fits the residuals best, outliers aside: a sloping sky is no noise.
  private mutating func subtractPlane() {
    let values = residuals.filter { !$0.isNaN }
    guard let level = median(values) else { return }
    let limit = Self.clip * biweightScale(values)
    let (cx, cy) = (0.5 * Double(width - 1), 0.5 * Double(height - 1))
    // Normal equations of 1, x, y.
    var sums = (
      count: 0.0, x: 0.0, y: 0.0, xx: 0.0, xy: 0.0, yy: 0.0, value: 0.0, xValue: 0.0, yValue: 0.0
    )
    for i in residuals.indices where abs(residuals[i] - level) <= limit {
      let (x, y, value) = (Double(i % width) - cx, Double(i / width) - cy, residuals[i] - level)
      sums.count += 1
      sums.x += x
      sums.y += y
      sums.xx += x * x
      sums.xy += x * y
      sums.yy += y * y
      sums.value += value
      sums.xValue += x * value
      sums.yValue += y * value
    }
    let a = [sums.count, sums.x, sums.y, sums.x, sums.xx, sums.xy, sums.y, sums.xy, sums.yy]
    guard let plane = Self.solve(a, [sums.value, sums.xValue, sums.yValue]) else {
      for i in residuals.indices { residuals[i] -= level }
      return
    }
    for i in residuals.indices {
      residuals[i] -=
        level + plane[0] + plane[1] * (Double(i % width) - cx)
        + plane[2] * (Double(i / width) - cy)
    }
  }

  /// Returns the solution of three symmetric equations; nil where they do not determine it.
  private static func solve(_ a: [Double], _ b: [Double]) -> [Double]? {
    /// Returns the determinant of the matrix with one column replaced by `b`, or as it is.
    func determinant(_ replaced: Int?) -> Double {
      var m = a
      if let replaced { for r in 0..<3 { m[3 * r + replaced] = b[r] } }
      return m[0] * (m[4] * m[8] - m[5] * m[7]) - m[1] * (m[3] * m[8] - m[5] * m[6])
        + m[2] * (m[3] * m[7] - m[4] * m[6])
    }
    let d = determinant(nil)
    // Blank pixels in one column leave a determinant of rounding.
    guard d > 1e-9 * a[0] * a[4] * a[8] else { return nil }
    return (0..<3).map { determinant($0) / d }
  }

  // MARK: - Correlation

  /// The autocorrelation at one shift.
  struct Correlation {
    /// The shift, in pixels.
    let dx, dy: Int
    /// The correlation coefficient.
    let value: Double
    /// Its standard error for independent noise, from the number of pairs.
    let error: Double
  }

  /// Returns the autocorrelation at all shifts of half a square around zero, those without pairs left out.
  func correlations() -> [Correlation] {
    let limit = Self.clip * scatter
    let values = residuals.map { abs($0) <= limit ? $0 : .nan }
    var (squares, number) = (0.0, 0)
    for value in values where !value.isNaN {
      squares += value * value
      number += 1
    }
    guard number > 0, squares > 0 else { return [] }
    let variance = squares / Double(number)
    var result: [Correlation] = []
    for dy in 0...Self.reach {
      for dx in (dy == 0 ? 1 : -Self.reach)...Self.reach {
        var (products, pairs) = (0.0, 0)
        for y in 0..<max(0, height - dy) {
          for x in max(0, -dx)..<max(max(0, -dx), min(width, width - dx)) {
            let product = values[y * width + x] * values[(y + dy) * width + x + dx]
            if !product.isNaN {
              products += product
              pairs += 1
            }
          }
        }
        guard pairs > 0 else { continue }
        result.append(
          Correlation(
            dx: dx, dy: dy, value: products / Double(pairs) / variance,
            error: 1 / Double(pairs).squareRoot()))
      }
    }
    return result
  }
}
