// SPDX-License-Identifier: MIT
//
// The statement that a light profile has been observed as an image.

public import PPL
public import Rendering
public import Tensors

extension ModelContext {
  /// States that a light profile, over a sky, has been observed as an image: sites "model" and "loss".
  ///
  /// - Parameters:
  ///   - image: The observed image with its rms, mask and PSF.
  ///   - light: The light, in the image's pixels and units.
  ///   - sky: The sky under it.
  ///   - loss: The density of the pixels around the model image.
  ///   - method: How the light is rendered; images whose PSF lacks the pixel response, or that have none, are always
  ///     integrated over pixels.
  /// - Returns: The model image, shape `[ny, nx]`.
  @discardableResult
  public func observe(
    _ image: ObservedImage, _ light: some LightComponent, sky: Sky = .none,
    loss: ImageLoss = .gaussian, method: RenderingMethod = .fourier
  ) -> Tensor {
    let profile = light.lightProfile
    var layout = profile.layout
    layout.sky = sky.kind
    do {
      let renderer = try image.operators.renderer(layout, method, for: image)
      let parameters = Tensor.concatenate(
        [profile.parameterVector] + sky.parameters.map { $0.reshaped([1]) })
      let model = deterministic(GalaxySite.model, renderer(parameters))
      let noise = try PixelNoise(image, model: model, loss: loss)
      observe(GalaxySite.loss, noise, Tensor(image.science, shape: noise.eventShape))
      return model
    } catch {
      report(ModelError(.misuse, site: GalaxySite.loss, "\(error)"))
      return .zeros([image.height, image.width])
    }
  }

  /// States that a light profile, over a flat sky, has been observed as an image: sites "model" and "loss".
  ///
  /// - Parameters:
  ///   - image: The observed image with its rms, mask and PSF.
  ///   - light: The light, in the image's pixels and units.
  ///   - sky: The sky under it, in image units per pixel.
  ///   - loss: The density of the pixels around the model image.
  ///   - method: How the light is rendered.
  /// - Returns: The model image, shape `[ny, nx]`.
  @discardableResult
  public func observe(
    _ image: ObservedImage, _ light: some LightComponent, sky: Tensor,
    loss: ImageLoss = .gaussian, method: RenderingMethod = .fourier
  ) -> Tensor {
    observe(image, light, sky: .flat(sky), loss: loss, method: method)
  }
}
