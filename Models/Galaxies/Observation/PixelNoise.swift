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

  /// The fused likelihood of the image's own data.
  private let likelihood: any ImageLikelihood

  /// Creates the distribution.
  ///
  /// - Throws: `RenderingError` if the loss cannot have the options it has.
  public init(_ image: ObservedImage, model: Tensor, loss: ImageLoss) throws {
    self.image = image
    self.model = model
    self.loss = loss
    likelihood = try image.operators.likelihood(loss, for: image)
  }

  public var batchShape: Shape { [] }
  public var eventShape: Shape { [image.height, image.width] }
  public var support: Constraint { .real }

  public func logProbability(of value: Tensor) -> Tensor {
    guard let data = value.constantElements else {
      // Traced data: subtract them from the model, and compare with zero data.
      return zeroLikelihood(model - value)
    }
    if data == image.science { return likelihood(model) }
    guard
      let other = try? loss.likelihood(
        width: image.width, height: image.height, data: data, rms: image.rms, mask: image.mask)
    else { return Tensor(.nan) }
    return other(model)
  }

  /// Returns the log density of given residuals.
  private func zeroLikelihood(_ residual: Tensor) -> Tensor {
    let zeros = [Double](repeating: 0, count: image.science.count)
    guard
      let other = try? loss.likelihood(
        width: image.width, height: image.height, data: zeros, rms: image.rms, mask: image.mask)
    else { return Tensor(.nan) }
    return other(residual)
  }

  public func sample(key: RandomKey, sampleShape: Shape) -> Tensor {
    let rms = Tensor(image.rms, shape: eventShape)
    let parent: any Distribution =
      switch loss {
      case .gaussian: Normal(model, rms)
      case .studentT(let dof, let scale):
        StudentT(dof, model, rms * (scale ?? (dof > 2 ? ((dof - 2) / dof).squareRoot() : 1)))
      }
    return parent.sample(key: key, sampleShape: sampleShape)
  }

  public func expanded(to batchShape: Shape) -> any Distribution {
    precondition(
      batchShape.elementCount == 1,
      "PixelNoise: expected no plate around an observed image, got \(batchShape)")
    return self
  }

  public var description: String { "PixelNoise(\(loss), \(image.names.science))" }
}
