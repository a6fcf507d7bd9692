// SPDX-License-Identifier: MIT
//
// First guesses of a source's parameters from its image: what the default priors are made of.

import Numerics
public import GalaxyModels

/// Whose default priors, and so whose measurements.
public enum PriorStyle: String, Sendable, Hashable, Codable, CaseIterable {
  /// Ours: no guess depends on the unit of the image or on the sky under it.
  case `default`
  /// pysersic's, made of the numbers that photutils' `data_properties` gives.
  case pysersic
}

/// First guesses of the parameters of one source; every one can be set after it was measured.
///
/// Units and conventions are those of the parameters of the same name. `findings` says what makes a guess doubtful.
public struct SourceProperties: Sendable, Hashable, Codable {
  /// Whose measurements these are.
  public var style: PriorStyle

  /// The column of the centre, pixels, first pixel 0.
  public var xc: Double

  /// The row of the centre, pixels, first pixel 0.
  public var yc: Double

  /// The total flux, image units: above the sky in the default style, sky and all in pysersic's.
  public var flux: Double

  /// The error of the flux: from noise and sky in the default style, 2 √|flux| in pysersic's.
  public var fluxError: Double

  /// The half-light radius, pixels: on the major axis without the PSF in the default style, of a circle with it in pysersic's.
  public var rEff: Double

  /// The width of the guess of `rEff`, pixels: 0.7 `rEff` in the default style, 2 √`rEff` in pysersic's.
  public var rEffError: Double

  /// The ellipticity 1 − b/a, in [0, 0.9]; without the PSF in the default style.
  public var ellip: Double

  /// The angle of the major axis, radians from +y counter-clockwise, in [0, π).
  public var theta: Double

  /// The sky, image units: the median of the border.
  public var sky: Double

  /// The width of the guess of `sky`: the border's scatter in the default style, 2 scatter/√count in pysersic's.
  public var skyError: Double

  /// The flux inside the half-light ellipse over its error from noise and sky.
  public var signalToNoise: Double

  /// Whether a source was found; the guesses are those of a window otherwise.
  public var isDetected: Bool

  /// What makes the guesses doubtful.
  public var findings: [InputFinding]

  /// The findings that matter to the result.
  public var warnings: [InputFinding] { findings.filter { $0.severity >= .warning } }

  /// Measures the source of an image.
  ///
  /// - Parameters:
  ///   - image: The image.
  ///   - style: Whose measurements.
  ///   - position: Where the source is, roughly; the frame's centre unless given. In pysersic's style it is the guess.
  ///   - borderWidth: The width of the border that shows the sky, in pixels, at least 1.
  /// - Precondition: `borderWidth` is at least 1, and `position` is finite.
  public init(
    _ image: ObservedImage, style: PriorStyle = .default, position: ImagePoint? = nil,
    borderWidth: Int = 5
  ) {
    if let position {
      demand(
        position.x.isFinite && position.y.isFinite,
        "source: expected a finite position, got (\(position.x), \(position.y))")
    }
    let measured = SourceMeasurement(image, position: position, borderWidth: borderWidth)
    self = measured.properties()
    if style == .pysersic {
      self.takeCatalogueGuesses(image, position: position, borderWidth: borderWidth)
    }
  }

  /// Returns the guesses with some of them replaced; a width that is not given follows its guess as the style has it.
  ///
  /// - Parameters:
  ///   - xc: The column of the centre, pixels.
  ///   - yc: The row of the centre, pixels.
  ///   - flux: The total flux, image units.
  ///   - fluxError: Its error; 2 √|flux| in pysersic's style when only the flux is given.
  ///   - rEff: The half-light radius, pixels, positive.
  ///   - rEffError: Its width; 0.7 `rEff`, or 2 √`rEff` in pysersic's style, when only the radius is given.
  ///   - ellip: The ellipticity.
  ///   - theta: The angle of the major axis, radians.
  ///   - sky: The sky, image units.
  ///   - skyError: Its width.
  /// - Returns: The guesses.
  /// - Precondition: `rEff` is positive.
  public func setting(
    xc: Double? = nil, yc: Double? = nil, flux: Double? = nil, fluxError: Double? = nil,
    rEff: Double? = nil, rEffError: Double? = nil, ellip: Double? = nil, theta: Double? = nil,
    sky: Double? = nil, skyError: Double? = nil
  ) -> SourceProperties {
    var result = self
    result.xc = xc ?? self.xc
    result.yc = yc ?? self.yc
    if let flux {
      result.flux = flux
      if style == .pysersic { result.fluxError = 2 * abs(flux).squareRoot() }
    }
    if let rEff {
      demand(rEff > 0, "source: expected a positive half-light radius, got \(rEff)")
      result.rEff = rEff
      result.rEffError = style == .pysersic ? 2 * rEff.squareRoot() : 0.7 * rEff
    }
    result.fluxError = fluxError ?? result.fluxError
    result.rEffError = rEffError ?? result.rEffError
    result.ellip = ellip ?? self.ellip
    result.theta = theta ?? self.theta
    result.sky = sky ?? self.sky
    result.skyError = skyError ?? self.skyError
    return result
  }

  /// Creates properties from numbers alone.
  package init(
    center: ImagePoint, flux: Double, fluxError: Double, rEff: Double, ellip: Double, theta: Double,
    sky: Double, skyError: Double, signalToNoise: Double, isDetected: Bool,
    findings: [InputFinding]
  ) {
    style = .default
    xc = center.x
    yc = center.y
    self.flux = flux
    self.fluxError = fluxError
    self.rEff = rEff
    // DESIGN: log r_eff has a prior of width 0.7.
    rEffError = 0.7 * rEff
    self.ellip = ellip
    self.theta = theta
    self.sky = sky
    self.skyError = skyError
    self.signalToNoise = signalToNoise
    self.isDetected = isDetected
    self.findings = findings
  }
}
