// SPDX-License-Identifier: MIT
//
// One image of a fit with what belongs to it alone: the only one, or that of one band.

public import GalaxyModels

/// One image of a fit and its loss.
public struct Exposure: Sendable {
  /// The name of the band; nil where there is only one image.
  public let band: String?

  /// The image.
  public let image: ObservedImage

  /// The density of the pixels around the model image.
  public let loss: ImageLoss

  /// Creates an exposure.
  init(_ image: ObservedImage, loss: ImageLoss, band: String? = nil) {
    self.image = image
    self.loss = loss
    self.band = band
  }

  /// Returns the site of the whole model for one of this image alone: `model_g` for `model` of band g.
  public func site(_ name: String) -> String { name + (band.map { "_\($0)" } ?? "") }

  /// Returns Σ ((data − model) / rms)² over the good pixels.
  public func chiSquared(of model: [Double]) -> Double {
    var sum = 0.0
    for k in model.indices where !image.mask[k] {
      let r = (image.science[k] - model[k]) / image.rms[k]
      sum += r * r
    }
    return sum
  }
}
