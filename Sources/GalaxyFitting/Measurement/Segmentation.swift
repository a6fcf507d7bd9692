// SPDX-License-Identifier: MIT
//
// Segments of a smoothed image: pixels above a threshold, parted where two peaks stand clear of the saddle between.
//
// Goals, in order: 1 the segment of the source meant, also beside a brighter one; 2 faint sources; 3 few spurious
// segments. The parting is a watershed in order of brightness whose basins merge by the prominence of the lower peak
// (Edelsbrunner, Letscher & Zomorodian 2002, persistence of components).

internal import GalaxyModels

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A connected patch of light with one dominant peak.
struct LightSegment {
  /// Its number in `Segmentation.labels`.
  var label: Int
  /// The number of its pixels.
  var area: Int
  /// The pixel of its peak.
  var peak: ImagePoint
  /// The smoothed value at its peak, above the sky.
  var height: Double
  /// The sum of its smoothed pixels, above the sky.
  var flux: Double

  /// The radius of a circle of its area.
  var radius: Double { (Double(area) / .pi).squareRoot() }
}

/// The segments of an image, smoothed by a Gaussian, above the sky.
struct Segmentation {
  /// The threshold, in the smoothed image's sky scatter.
  static let threshold = 2.0

  /// A peak lower than this, in the smoothed scatter, is noise: the highest of a thousand is at 3.3.
  static let peakThreshold = 4.5

  /// A peak is parted from a higher one when it stands this far above the saddle, in its own noise.
  static let prominence = 5.0

  /// It must also stand by this share of its own height: spiral arms and knots stay with their galaxy.
  static let contrast = 0.2

  /// The fewest pixels of a segment.
  static let leastArea = 5

  /// The number of columns.
  let width: Int

  /// The number of rows.
  let height: Int

  /// The label of each pixel, −1 for none.
  private(set) var labels: [Int]

  /// The segments, by label.
  private(set) var segments: [Int: LightSegment] = [:]

  /// The image smoothed over its good pixels, sky-subtracted; 0 where there are too few.
  let smoothed: [Double]

  /// Segments an image, smoothed by a Gaussian of standard deviation `sigma` pixels.
  init(_ image: ObservedImage, sky: SkyEstimate, sigma: Double) {
    width = image.width
    height = image.height
    let smooth = MaskedSmoothing(image, sky: sky.median, sigma: sigma)
    smoothed = smooth.values
    labels = [Int](repeating: -1, count: width * height)
    // The border's own scatter is right also where the noise is correlated or the rms is wrong.
    var scatter = Self.borderRatio(smooth, image: image, width: sky.borderWidth)
    if !(scatter > 0) { scatter = 1 }
    let noise = smooth.rms.map { $0 * scatter }
    flood(noise: noise, isUsable: smooth.isUsable)
  }

  /// Returns the segment meant by a position: near in pixels, and near beside its own size; nil when none is near.
  ///
  /// The distance to the peak is divided by the root of the radius: a speck on the position does not win against a
  /// galaxy around it, nor a bright galaxy aside against a small one at the position.
  ///
  /// - Parameters:
  ///   - position: The position.
  ///   - reach: How far a peak may lie from the position, in pixels, or within the segment's own radius; by default a quarter of the
  ///     frame's shorter side.
  /// - Returns: The segment.
  func segment(near position: ImagePoint, within reach: Double? = nil) -> LightSegment? {
    let reach = reach ?? 0.25 * Double(min(width, height))
    let candidates = segments.values.map { segment -> (score: Double, segment: LightSegment) in
      let distance = hypot(segment.peak.x - position.x, segment.peak.y - position.y)
      let isNear = distance <= max(reach, segment.radius)
      return (isNear ? distance / (segment.radius + 1).squareRoot() : .infinity, segment)
    }
    let best = candidates.min { ($0.score, $0.segment.label) < ($1.score, $1.segment.label) }
    guard let best, best.score.isFinite else { return nil }
    return best.segment
  }

  /// Returns the scatter of the border's smoothed pixels over the one that the rms predicts.
  private static func borderRatio(
    _ smooth: MaskedSmoothing, image: ObservedImage, width border: Int
  ) -> Double {
    var ratios: [Double] = []
    for y in 0..<image.height {
      let isEdgeRow = y < border || y >= image.height - border
      for x in 0..<image.width where isEdgeRow || x < border || x >= image.width - border {
        let i = y * image.width + x
        if smooth.isUsable[i] && !image.mask[i] { ratios.append(smooth.values[i] / smooth.rms[i]) }
      }
    }
    guard let center = median(ratios) else { return 1 }
    // 1.4826 turns the median deviation of Gaussian numbers into their standard deviation.
    return 1.4826 * medianAbsoluteDeviation(ratios, from: center)
  }

  /// Floods the image from its brightest pixel down, and keeps the basins that count.
  private mutating func flood(noise: [Double], isUsable: [Bool]) {
    let order = smoothed.indices
      .filter { isUsable[$0] && smoothed[$0] > Self.threshold * noise[$0] }
      .sorted { smoothed[$0] > smoothed[$1] || (smoothed[$0] == smoothed[$1] && $0 < $1) }
    // A basin is named by its peak's pixel; `parent` leads from a merged basin to the one that took it.
    var parent = Array(smoothed.indices)
    func root(_ basin: Int) -> Int {
      var basin = basin
      while parent[basin] != basin { basin = parent[basin] }
      return basin
    }
    for i in order {
      var highestNeighbour: Int?
      var basins: [Int] = []
      forEachNeighbour(of: i) { j in
        guard labels[j] >= 0 else { return }
        if highestNeighbour.map({ smoothed[j] > smoothed[$0] }) ?? true { highestNeighbour = j }
        let basin = root(labels[j])
        if !basins.contains(basin) { basins.append(basin) }
      }
      guard let highestNeighbour else {
        labels[i] = i
        continue
      }
      labels[i] = root(labels[highestNeighbour])
      guard basins.count > 1 else { continue }
      basins.sort { (smoothed[$0], $1) > (smoothed[$1], $0) }
      for lower in basins.dropFirst() {
        let needed = max(Self.prominence * noise[lower], Self.contrast * smoothed[lower])
        if smoothed[lower] - smoothed[i] < needed { parent[lower] = basins[0] }
      }
    }
    for i in order { labels[i] = root(labels[i]) }
    collect(order: order, noise: noise)
  }

  /// Calls `body` with each of the up to eight neighbours of a pixel.
  private func forEachNeighbour(of i: Int, _ body: (Int) -> Void) {
    let x = i % width
    let y = i / width
    for v in max(0, y - 1)...min(height - 1, y + 1) {
      for u in max(0, x - 1)...min(width - 1, x + 1) where u != x || v != y { body(v * width + u) }
    }
  }

  /// Sums the basins, and drops those too small or too low.
  private mutating func collect(order: [Int], noise: [Double]) {
    for i in order {
      let label = labels[i]
      let peak = ImagePoint(x: Double(label % width), y: Double(label / width))
      segments[
        label,
        default: LightSegment(
          label: label, area: 0, peak: peak, height: smoothed[label], flux: 0)
      ].area += 1
      segments[label]?.flux += smoothed[i]
    }
    segments = segments.filter { label, segment in
      segment.area >= Self.leastArea && segment.height >= Self.peakThreshold * noise[label]
    }
    for i in order where segments[labels[i]] == nil { labels[i] = -1 }
  }
}

/// An image smoothed by a Gaussian over its good pixels, with the rms that follows.
struct MaskedSmoothing {
  /// The smoothed values above the sky, 0 where unusable.
  private(set) var values: [Double]

  /// The rms of the smoothed values for uncorrelated noise.
  private(set) var rms: [Double]

  /// True where good pixels carry a quarter of the kernel or more.
  private(set) var isUsable: [Bool]

  /// Smooths an image by a Gaussian of standard deviation `sigma` pixels.
  init(_ image: ObservedImage, sky: Double, sigma: Double) {
    let reach = max(1, Int((3 * sigma).rounded(.up)))
    let kernel = (-reach...reach).map { exp(-Double($0 * $0) / (2 * sigma * sigma)) }
    let total = kernel.reduce(0, +)
    let unit = kernel.map { $0 / total }
    let squared = unit.map { $0 * $0 }
    // Variances in units of the largest rms neither overflow nor vanish for any unit of the image.
    let largest = image.rms.max() ?? 1
    let light = image.science.indices.map { image.mask[$0] ? 0 : image.science[$0] - sky }
    let weight = image.mask.map { $0 ? 0.0 : 1.0 }
    let variance = image.rms.indices.map { i -> Double in
      let relative = image.rms[i] / largest
      return image.mask[i] ? 0 : relative * relative
    }
    let w = image.width
    let h = image.height
    let sums = separable(light, unit, w, h)
    let weights = separable(weight, unit, w, h)
    let variances = separable(variance, squared, w, h)
    isUsable = weights.map { $0 >= 0.25 }
    values = sums.indices.map { weights[$0] >= 0.25 ? sums[$0] / weights[$0] : 0 }
    rms = sums.indices.map { i in
      weights[i] >= 0.25 ? largest * variances[i].squareRoot() / weights[i] : largest
    }
  }
}

/// Returns an image convolved with the same odd kernel along x and along y; nothing lies outside the frame.
private func separable(
  _ image: [Double], _ kernel: [Double], _ width: Int, _ height: Int
) -> [Double] {
  let reach = kernel.count / 2
  var rows = [Double](repeating: 0, count: image.count)
  for y in 0..<height {
    for x in 0..<width {
      var sum = 0.0
      for u in max(0, x - reach)...min(width - 1, x + reach) {
        sum += image[y * width + u] * kernel[u - x + reach]
      }
      rows[y * width + x] = sum
    }
  }
  var result = [Double](repeating: 0, count: image.count)
  for y in 0..<height {
    for v in max(0, y - reach)...min(height - 1, y + reach) {
      let factor = kernel[v - y + reach]
      for x in 0..<width { result[y * width + x] += rows[v * width + x] * factor }
    }
  }
  return result
}
