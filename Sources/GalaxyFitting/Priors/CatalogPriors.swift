// SPDX-License-Identifier: MIT
//
// Priors of several sources from a catalogue and their image.

public import GalaxyModels
public import Rendering
import Distributions

extension SourceCatalog {
  /// Returns the default priors of all sources of the catalogue, and of the sky under them.
  ///
  /// They are those of ``SourceProperties/prior(_:sky:)`` around the numbers of the catalogue; radii are taken to be those of
  /// the light as the image shows it, and the PSF's width is taken off them in the default style. The sky comes from the
  /// frame's border.
  ///
  /// - Parameters:
  ///   - image: The image.
  ///   - sky: The sky under the sources.
  ///   - style: Whose default priors.
  /// - Returns: The priors, with starting values from the same numbers.
  public func prior(
    in image: ObservedImage, sky: SkyKind = .flat, style: PriorStyle = .default
  ) -> ScenePrior {
    let border = estimateSky(image)
    let blur = PointSpreadShape(image)
    let parts = sources.map { source in
      properties(of: source, in: image, border: border, blur: blur, style: style)
    }
    var prior = ScenePrior(
      zip(sources, parts).map { source, properties in
        properties.prior(source.profile, sky: .none)
      }, sky: sky)
    // A sky has one prior: its slopes are measured in the radius of the largest source.
    guard let widest = parts.max(by: { $0.rEff < $1.rEff }) else { return prior }
    let background = widest.prior(.sersic, sky: sky)
    for site in sky.sites {
      prior[site] = background[site]
      prior.guesses[site] = background.guesses[site]
    }
    return prior
  }

  /// Returns the guesses for one source.
  private func properties(
    of source: CatalogSource, in image: ObservedImage, border: SkyEstimate,
    blur: PointSpreadShape, style: PriorStyle
  ) -> SourceProperties {
    let rms = median(zip(image.rms, image.mask).lazy.filter { !$0.1 }.map { $0.0 }) ?? 1
    let ellip = min(max(source.ellip ?? 0, 0), 0.9)
    let area = Double.pi * source.radius * source.radius * (1 - ellip)
    // The noise of the half-light ellipse, and of the sky under it.
    let noise = rms * area.squareRoot() + border.medianError * area
    let own = gaussianHalfLight * blur.moments.majorVariance.squareRoot()
    let intrinsic = (source.radius * source.radius - own * own)
    // As for a source that is measured here: at least a quarter of the PSF wide, or a tenth of a pixel.
    let radius =
      style == .pysersic
      ? source.radius : max(intrinsic, own * own / 16, 0.01).squareRoot()
    var result = SourceProperties(
      center: ImagePoint(x: source.x, y: source.y), flux: source.flux,
      fluxError: style == .pysersic ? 2 * abs(source.flux).squareRoot() : noise, rEff: radius,
      ellip: ellip, theta: source.theta ?? 0, sky: border.median,
      skyError: border.standardDeviation > 0 ? border.standardDeviation : rms,
      signalToNoise: noise > 0 ? 0.5 * source.flux / noise : 0, isDetected: true, findings: [])
    if style == .pysersic {
      result = result.inPysersicStyle(border)
    }
    return result
  }
}

extension SourceProperties {
  /// Returns the guesses with the widths that pysersic gives them.
  fileprivate func inPysersicStyle(_ border: SkyEstimate) -> SourceProperties {
    var result = self
    result.style = .pysersic
    result.rEffError = 2 * rEff.squareRoot()
    result.skyError =
      border.count > 0 ? 2 * border.standardDeviation / Double(border.count).squareRoot() : skyError
    return result
  }
}
