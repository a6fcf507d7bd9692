// SPDX-License-Identifier: MIT
//
// The sky from the border of the frame: median, scatter, number of pixels.

import Numerics
public import GalaxyModels

/// The sky as the border of the frame shows it.
public struct SkyEstimate: Sendable, Hashable, Codable {
  /// The median of the border's pixels, image units.
  public var median: Double

  /// The scatter of the border's pixels (biweight scale), image units.
  public var standardDeviation: Double

  /// The number of pixels used.
  public var count: Int

  /// The width of the border used, in pixels: wider than asked where the mask leaves too few.
  public var borderWidth: Int

  /// The standard error of the median, √(π/2) of that of the mean for Gaussian scatter.
  public var medianError: Double {
    count > 0 ? 1.2533 * standardDeviation / Double(count).squareRoot() : 0
  }
}

/// The fewest border pixels that give a scatter to some 15 %; the border is widened until it has them.
private let fewestBorderPixels = 20

/// Returns the sky of an image from the pixels of its border.
///
/// The border is widened where the mask leaves fewer than 20 of its pixels. A galaxy that fills the frame is in the
/// estimate: `SourceProperties` says when that is so.
///
/// - Parameters:
///   - image: The image.
///   - borderWidth: The width of the border, in pixels, at least 1.
///   - includingMasked: Whether masked pixels count too, as they do in pysersic; those without a number never do.
/// - Returns: The median, the scatter and the number of the border's pixels.
/// - Precondition: `borderWidth` is at least 1.
public func estimateSky(
  _ image: ObservedImage, borderWidth: Int = 5, includingMasked: Bool = false
) -> SkyEstimate {
  demand(borderWidth >= 1, "sky: expected a border of at least 1 pixel, got \(borderWidth)")
  let excluded = includingMasked ? image.isMissing : image.mask
  let widest = (max(image.width, image.height) + 1) / 2
  var width = min(borderWidth, widest)
  var values = borderValues(image, width: width, excluded: excluded)
  while values.count < fewestBorderPixels && width < widest {
    width += 1
    values = borderValues(image, width: width, excluded: excluded)
  }
  return SkyEstimate(
    median: median(values) ?? 0, standardDeviation: biweightScale(values), count: values.count,
    borderWidth: width)
}

/// Returns the pixels nearer than `width` to an edge of the frame that are not excluded.
private func borderValues(_ image: ObservedImage, width: Int, excluded: [Bool]) -> [Double] {
  var values: [Double] = []
  for y in 0..<image.height {
    let isEdgeRow = y < width || y >= image.height - width
    for x in 0..<image.width where isEdgeRow || x < width || x >= image.width - width {
      let i = y * image.width + x
      if !excluded[i] { values.append(image.science[i]) }
    }
  }
  return values
}
