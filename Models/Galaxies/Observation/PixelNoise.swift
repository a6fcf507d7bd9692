// SPDX-License-Identifier: MIT
//
// The distribution of an observed image around a model image.

public import Distributions
public import Numerics
import Rendering
public import Tensors

/// The distribution of all pixels of an image around a model: one event of shape `[ny, nx]`.
public struct PixelNoise: Distribution {
  /// The observed image, which brings the rms and the mask.
  public let image: ObservedImage

  /// The model image, shape `[ny, nx]`.
  public let model: Tensor

  /// The density of a pixel.
  public let loss: ImageLoss

  /// The parameters of the noise that the loss has: the fraction, or the systematic in image units; then the share of outliers.
  public let parameters: [Tensor]

  /// The fused likelihood of the image's own data.
  private let likelihood: any ImageLikelihood

  /// Creates the distribution.
  ///
  /// - Parameters:
  ///   - image: The observed image.
  ///   - model: The model image, shape `[ny, nx]`.
  ///   - loss: The density of a pixel.
  ///   - parameters: The parameters of the noise, scalars, in the order of the loss's sites.
  /// - Throws: `RenderingError` if the loss cannot have the options it has, or not with this image.
  /// - Precondition: There are as many parameters as the loss has sites.
  public init(
    _ image: ObservedImage, model: Tensor, loss: ImageLoss, parameters: [Tensor] = []
  ) throws {
    demand(
      parameters.count == loss.sites.count,
      "PixelNoise: expected the parameters \(loss.sites), got \(parameters.count)")
    self.image = image
    self.model = model
    self.loss = loss
    self.parameters = parameters
    likelihood = try image.operators.likelihood(loss, for: image)
  }

  public var batchShape: Shape { [] }
  public var eventShape: Shape { [image.height, image.width] }
  public var support: Constraint { .real }

  public func logProbability(of value: Tensor) -> Tensor {
    if let data = value.constantElements {
      if data == image.science { return likelihood.apply([model] + parameters) }
      // Data that the loss refuses, such as negative counts, cannot be.
      return likelihood(of: data)?.apply([model] + parameters) ?? Tensor(-.infinity)
    }
    if case .poisson(let gain, let sky) = loss.form {
      return poisson(counts: gain * (value + sky), mean: gain * (model + sky))
    }
    // Traced data: subtract them from the model, and compare with zero data.
    let zeros = [Double](repeating: 0, count: image.science.count)
    return likelihood(of: zeros)?.apply([model - value] + parameters) ?? Tensor(.nan)
  }

  /// Returns the fused likelihood of other data under the loss; nil where it refuses them.
  private func likelihood(of data: [Double]) -> (any ImageLikelihood)? {
    try? loss.likelihood(
      width: image.width, height: image.height, data: data, rms: image.rms, mask: image.mask)
  }

  /// 1 for good pixels, 0 for bad ones, shape `[ny, nx]`.
  private var isGood: Tensor { Tensor(image.mask.map { $0 ? 0 : 1 }, shape: eventShape) }

  /// Returns the mean of the counts that the loss takes, positive for every model.
  private func positive(_ mean: Tensor) -> Tensor {
    let floor = PoissonImageLikelihood.floor
    let low = minimum(mean, floor)
    return select(mean.isLess(than: floor), floor * floor / (2 * floor - low), mean)
  }

  /// Returns the log probability of traced counts.
  private func poisson(counts: Tensor, mean: Tensor) -> Tensor {
    let mean = positive(mean)
    return (isGood * (counts * log(mean) - mean - logGamma(counts + 1))).sum()
  }

  // MARK: - Draws

  public func sample(key: RandomKey, sampleShape: Shape) -> Tensor {
    let shape = sampleShape + eventShape
    switch loss.form {
    case .poisson(let gain, let sky):
      return Poisson(positive(gain * (model + sky))).sample(key: key, sampleShape: sampleShape)
        / gain - sky
    case .scaled(let density, let free):
      let rms = Tensor(image.rms, shape: eventShape)
      let scale: Tensor =
        switch free {
        case nil: rms
        case .fraction: (1 + parameters[0]) * rms
        case .systematic: sqrt(square(rms) + square(parameters[0]))
        }
      guard case .mixture(let outlierScale) = density else {
        return model + scale * residuals(density, key: key, shape)
      }
      let normal = Normal(0, 1).sample(key: key.folding(in: "normal"), sampleShape: shape)
      let chance = Uniform(0, 1).sample(key: key.folding(in: "outlier"), sampleShape: shape)
      let isOutlier = chance.isLess(than: parameters[parameters.count - 1])
      return model + select(isOutlier, outlierScale * rms, scale) * normal
    }
  }

  /// Returns draws of residuals in units of the scale, outliers aside.
  private func residuals(_ density: PixelDensity, key: RandomKey, _ shape: Shape) -> Tensor {
    switch density {
    case .gaussian, .mixture: return Normal(0, 1).sample(key: key, sampleShape: shape)
    case .studentT(let dof, _):
      return density.scale * StudentT(dof, 0, 1).sample(key: key, sampleShape: shape)
    case .pseudoHuber:
      let key = key.folding(in: "hyperbolic")
      let values = (0..<shape.reduce(1, *)).map {
        density.hyperbolicResidual(key.folding(in: $0))
      }
      return Tensor(values, shape: shape)
    }
  }

  public func expanded(to batchShape: Shape) -> any Distribution {
    demand(
      batchShape.elementCount == 1,
      "PixelNoise: expected no plate around an observed image, got \(batchShape)")
    return self
  }

  public var description: String { "PixelNoise(\(loss), \(image.names.science))" }
}
