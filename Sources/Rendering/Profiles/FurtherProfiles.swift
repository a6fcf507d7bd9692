// SPDX-License-Identifier: MIT
//
// Further profiles of light that a model author writes: Gaussian, Spergel 2010 (ApJS 191, 58), Moffat 1969 (A&A 3, 455).

public import Tensors

/// A Gaussian: I(z) ∝ exp(−ln 2 · z²), z the elliptical radius in units of r_eff; a Sérsic profile with n = 1/2.
///
/// Its full width at half maximum is 2 r_eff, its standard deviation r_eff / √(2 ln 2).
public struct Gaussian: LightComponent {
  /// The centre's column, first pixel 0.
  public let xc: Tensor
  /// The centre's row, first pixel 0.
  public let yc: Tensor
  /// The flux to infinity, in image units.
  public let flux: Tensor
  /// The half-light radius on the major axis, in pixels, > 0.
  public let rEff: Tensor
  /// The ellipticity 1 − b/a, < 1.
  public let ellip: Tensor
  /// The angle of the major axis from +y towards −x, in radians.
  public let theta: Tensor

  /// Creates a profile from scalars.
  public init(
    xc: some TensorConvertible, yc: some TensorConvertible, flux: some TensorConvertible,
    rEff: some TensorConvertible, ellip: some TensorConvertible, theta: some TensorConvertible
  ) {
    self.xc = xc.tensor
    self.yc = yc.tensor
    self.flux = flux.tensor
    self.rEff = rEff.tensor
    self.ellip = ellip.tensor
    self.theta = theta.tensor
  }

  /// Creates a Gaussian from its standard deviation on the major axis, in pixels.
  public init(
    xc: some TensorConvertible, yc: some TensorConvertible, flux: some TensorConvertible,
    sigma: some TensorConvertible, ellip: some TensorConvertible, theta: some TensorConvertible
  ) {
    // √(2 ln 2).
    self.init(
      xc: xc, yc: yc, flux: flux, rEff: 1.177_410_022_515_474_7 * sigma.tensor, ellip: ellip,
      theta: theta)
  }

  public var lightProfile: LightProfile {
    LightProfile([.init(.gaussian, [xc, yc, flux, rEff, ellip, theta])])
  }
}

/// A Spergel profile: I(z) ∝ (c z)^nu K_nu(c z), z the elliptical radius in units of r_eff; half the light lies in z < 1.
///
/// Its transform is (1 + (κ/c)²)^(−1−nu). nu = 1/2 is the exponential; −0.6 is close to de Vaucouleurs; below 0 the centre
/// is infinitely bright, at 0 logarithmically so.
///
/// ### Source
///
/// Spergel 2010, ApJS 191, 58, eqs. 2–4; c by our own root of K, to rounding.
public struct Spergel: LightComponent {
  /// The centre's column, first pixel 0.
  public let xc: Tensor
  /// The centre's row, first pixel 0.
  public let yc: Tensor
  /// The flux to infinity, in image units.
  public let flux: Tensor
  /// The half-light radius on the major axis, in pixels, > 0.
  public let rEff: Tensor
  /// The index, −0.9...10.
  public let nu: Tensor
  /// The ellipticity 1 − b/a, < 1.
  public let ellip: Tensor
  /// The angle of the major axis from +y towards −x, in radians.
  public let theta: Tensor

  /// Creates a profile from scalars.
  public init(
    xc: some TensorConvertible, yc: some TensorConvertible, flux: some TensorConvertible,
    rEff: some TensorConvertible, nu: some TensorConvertible, ellip: some TensorConvertible,
    theta: some TensorConvertible
  ) {
    self.xc = xc.tensor
    self.yc = yc.tensor
    self.flux = flux.tensor
    self.rEff = rEff.tensor
    self.nu = nu.tensor
    self.ellip = ellip.tensor
    self.theta = theta.tensor
  }

  public var lightProfile: LightProfile {
    LightProfile([.init(.spergel, [xc, yc, flux, rEff, nu, ellip, theta])])
  }
}

/// A Moffat profile: I(z) ∝ (1 + (z/α)²)^(−beta), z the elliptical radius in units of r_eff; half the light lies in z < 1.
///
/// ### Source
///
/// Moffat 1969, A&A 3, 455, eq. 7.
public struct Moffat: LightComponent {
  /// The centre's column, first pixel 0.
  public let xc: Tensor
  /// The centre's row, first pixel 0.
  public let yc: Tensor
  /// The flux to infinity, in image units.
  public let flux: Tensor
  /// The half-light radius on the major axis, in pixels, > 0.
  public let rEff: Tensor
  /// The exponent, 1.1...50.
  public let beta: Tensor
  /// The ellipticity 1 − b/a, < 1.
  public let ellip: Tensor
  /// The angle of the major axis from +y towards −x, in radians.
  public let theta: Tensor

  /// Creates a profile from scalars.
  public init(
    xc: some TensorConvertible, yc: some TensorConvertible, flux: some TensorConvertible,
    rEff: some TensorConvertible, beta: some TensorConvertible, ellip: some TensorConvertible,
    theta: some TensorConvertible
  ) {
    self.xc = xc.tensor
    self.yc = yc.tensor
    self.flux = flux.tensor
    self.rEff = rEff.tensor
    self.beta = beta.tensor
    self.ellip = ellip.tensor
    self.theta = theta.tensor
  }

  /// Creates a profile from its full width at half maximum on the major axis, in pixels.
  public init(
    xc: some TensorConvertible, yc: some TensorConvertible, flux: some TensorConvertible,
    fwhm: some TensorConvertible, beta: some TensorConvertible, ellip: some TensorConvertible,
    theta: some TensorConvertible
  ) {
    // Half of the maximum at α √(2^(1/β) − 1), half of the light at α √(2^(1/(β−1)) − 1).
    let beta = beta.tensor
    let log2 = 0.693_147_180_559_945_3
    let ratio = expm1(log2 / (beta - 1)) / expm1(log2 / beta)
    self.init(
      xc: xc, yc: yc, flux: flux, rEff: 0.5 * fwhm.tensor * sqrt(ratio), beta: beta, ellip: ellip,
      theta: theta)
  }

  public var lightProfile: LightProfile {
    LightProfile([.init(.moffat, [xc, yc, flux, rEff, beta, ellip, theta])])
  }
}
