// SPDX-License-Identifier: MIT
//
// The guesses that pysersic makes, from photutils' `data_properties` and the border of the frame, masked or not.

internal import GalaxyModels

extension SourceProperties {
  /// Replaces the guesses by pysersic's: flux ± 2√flux, r_eff ± 2√r_eff, windowed centroid, sky ± 2 scatter/√count.
  ///
  /// pysersic's sky counts masked pixels, and its apertures hold them; so do these. Where a quantity cannot be
  /// measured that way, the default style's stays, and a finding says so.
  mutating func takeCatalogueGuesses(
    _ image: ObservedImage, position: ImagePoint?, borderWidth: Int
  ) {
    style = .pysersic
    let catalogue = KronPhotometry(image)
    let aboveSky = flux
    flux = max(catalogue.segmentFlux, 0)
    fluxError = 2 * abs(catalogue.segmentFlux).squareRoot()
    let center = position ?? catalogue.windowedCentroid
    if center.x.isFinite && center.y.isFinite {
      xc = center.x
      yc = center.y
    } else {
      substitute("the windowed centroid", image)
    }
    if catalogue.halfLightRadius.isFinite {
      rEff = catalogue.halfLightRadius
    } else {
      substitute("the half-light radius", image)
    }
    rEffError = 2 * rEff.squareRoot()
    let shape = catalogue.covariance
    if shape.majorVariance.isFinite {
      ellip = min(1 - (max(shape.minorVariance, 0) / shape.majorVariance).squareRoot(), 0.9)
      theta = shape.theta
    }
    let border = estimateSky(image, borderWidth: borderWidth, includingMasked: true)
    sky = border.median
    skyError = 2 * border.standardDeviation / Double(max(border.count, 1)).squareRoot()
    examineCatalogueGuesses(image, sum: catalogue.segmentFlux, aboveSky: aboveSky)
  }

  /// Adds the findings that hold for these guesses alone: the sky is in the flux, and its own prior is narrow.
  private mutating func examineCatalogueGuesses(
    _ image: ObservedImage, sum: Double, aboveSky: Double
  ) {
    // A sky that changes the sum by less than this share is within the flux prior of a typical image.
    if abs(sum - aboveSky) > 0.5 * abs(aboveSky) {
      findings.append(
        InputFinding(
          .warning, "flux-holds-sky", subject: image.names.science,
          "expected an image without sky for priors in pysersic's style, found \(shortened(sum)) in all pixels, of which "
            + "\(shortened(aboveSky)) is above the border's sky: the prior of the flux holds the sky. Subtract the sky "
            + "first, give a prior for the flux, or use the default style."))
    }
    for k in findings.indices where findings[k].code == "border-light" {
      findings[k].severity = .warning
    }
  }

  /// Adds the finding that a guess of the default style stands in for pysersic's.
  private mutating func substitute(_ quantity: String, _ image: ObservedImage) {
    findings.append(
      InputFinding(
        .warning, "catalogue-guess", subject: image.names.science,
        "\(quantity) cannot be measured as photutils does; the default style's guess is used. "
          + "Give the guess yourself."))
  }
}
