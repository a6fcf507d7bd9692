// SPDX-License-Identifier: MIT
//
// The statement that a light profile has been observed as an image.

public import Distributions
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
  ///   - loss: The density of the pixels around the model image. Parameters of the noise that it has are sites, such as
  ///     "outlier_frac_base", and what they stand for is a deterministic site, "outlier_frac".
  ///   - lossPriors: Priors of parameters of the noise instead of the default ones, by site.
  ///   - lossValues: Values of parameters of the noise that are not drawn here, such as one that bands share, by site.
  ///   - method: How the light is rendered; images whose PSF lacks the pixel response, or that have none, are always
  ///     integrated over pixels.
  /// - Returns: The model image, shape `[ny, nx]`.
  @discardableResult
  public func observe(
    _ image: ObservedImage, _ light: some LightComponent, sky: Sky = .none,
    loss: ImageLoss = .gaussian, lossPriors: [String: any Distribution] = [:],
    lossValues: [String: any TensorConvertible] = [:], method: RenderingMethod = .fourier
  ) -> Tensor {
    let profile = light.lightProfile
    var layout = profile.layout
    layout.sky = sky.kind
    do {
      let renderer = try image.operators.renderer(layout, method, for: image)
      let parameters = Tensor.concatenate(
        [profile.parameterVector] + sky.parameters.map { $0.reshaped([1]) })
      let noiseParameters = noiseParameters(loss, image, lossPriors, lossValues)
      let model = deterministic(GalaxySite.model, renderer(parameters))
      let noise = try PixelNoise(image, model: model, loss: loss, parameters: noiseParameters)
      observe(GalaxySite.loss, noise, Tensor(image.science, shape: noise.eventShape))
      return model
    } catch {
      report(
        ModelError(
          .misuse, site: GalaxySite.loss, "\(image.names.science): \(error)", underlying: error))
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
  ///   - lossPriors: Priors of parameters of the noise instead of the default ones, by site.
  ///   - lossValues: Values of parameters of the noise that are not drawn here, by site.
  ///   - method: How the light is rendered.
  /// - Returns: The model image, shape `[ny, nx]`.
  @discardableResult
  public func observe(
    _ image: ObservedImage, _ light: some LightComponent, sky: Tensor,
    loss: ImageLoss = .gaussian, lossPriors: [String: any Distribution] = [:],
    lossValues: [String: any TensorConvertible] = [:], method: RenderingMethod = .fourier
  ) -> Tensor {
    observe(
      image, light, sky: .flat(sky), loss: loss, lossPriors: lossPriors, lossValues: lossValues,
      method: method)
  }

  /// Draws the parameters of the noise, or takes the values given, and names what they stand for.
  private func noiseParameters(
    _ loss: ImageLoss, _ image: ObservedImage, _ priors: [String: any Distribution],
    _ values: [String: any TensorConvertible]
  ) -> [Tensor] {
    let sites = loss.sites
    let unknown = Set(priors.keys).union(values.keys).subtracting(sites).sorted()
    if !unknown.isEmpty {
      report(
        ModelError(
          .misuse, site: GalaxySite.loss,
          "expected parameters of the loss \(loss) (\(sites.isEmpty ? "it has none" : sites.joined(separator: ", "))), found \(unknown.joined(separator: ", ")); remove or rename them"
        ))
    }
    return loss.parameters(for: image).map { parameter in
      let drawn =
        values[parameter.site]?.tensor
        ?? sample(parameter.site, distribution: priors[parameter.site] ?? parameter.prior)
      guard let derived = parameter.derived else { return drawn }
      return deterministic(derived.site, drawn * derived.factor)
    }
  }

  /// Draws a site from a distribution of any kind.
  private func sample(_ name: String, distribution: any Distribution) -> Tensor {
    sample(name, distribution)
  }
}
