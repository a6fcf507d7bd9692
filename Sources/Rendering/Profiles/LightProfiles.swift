// SPDX-License-Identifier: MIT
//
// The profiles of light that a model author writes, with tensors as parameters.

public import Tensors

/// A Sérsic profile: I(z) ∝ exp(−b z^(1/n)), z the elliptical radius in units of r_eff.
public struct Sersic: LightComponent {
  /// The centre's column, first pixel 0.
  public let xc: Tensor
  /// The centre's row, first pixel 0.
  public let yc: Tensor
  /// The flux to infinity, in image units.
  public let flux: Tensor
  /// The half-light radius on the major axis, in pixels, > 0.
  public let rEff: Tensor
  /// The Sérsic index, 0.3...10.
  public let n: Tensor
  /// The ellipticity 1 − b/a, < 1.
  public let ellip: Tensor
  /// The angle of the major axis from +y towards −x, in radians.
  public let theta: Tensor

  /// Creates a profile from scalars.
  public init(
    xc: some TensorConvertible, yc: some TensorConvertible, flux: some TensorConvertible,
    rEff: some TensorConvertible, n: some TensorConvertible, ellip: some TensorConvertible,
    theta: some TensorConvertible
  ) {
    self.xc = xc.tensor
    self.yc = yc.tensor
    self.flux = flux.tensor
    self.rEff = rEff.tensor
    self.n = n.tensor
    self.ellip = ellip.tensor
    self.theta = theta.tensor
  }

  public var lightProfile: LightProfile {
    LightProfile([.init(.sersic, [xc, yc, flux, rEff, n, ellip, theta])])
  }
}

/// An exponential profile: a Sérsic profile with n = 1, the disk of a galaxy.
public struct Exponential: LightComponent {
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

  public var lightProfile: LightProfile {
    LightProfile([.init(.exponential, [xc, yc, flux, rEff, ellip, theta])])
  }
}

/// A de Vaucouleurs profile: a Sérsic profile with n = 4, an elliptical galaxy or a classical bulge.
public struct DeVaucouleurs: LightComponent {
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

  public var lightProfile: LightProfile {
    LightProfile([.init(.deVaucouleurs, [xc, yc, flux, rEff, ellip, theta])])
  }
}

/// A point of light: a star or an active nucleus.
public struct PointSource: LightComponent {
  /// The place's column, first pixel 0.
  public let xc: Tensor
  /// The place's row, first pixel 0.
  public let yc: Tensor
  /// The flux, in image units.
  public let flux: Tensor

  /// Creates a point from scalars.
  public init(xc: some TensorConvertible, yc: some TensorConvertible, flux: some TensorConvertible)
  {
    self.xc = xc.tensor
    self.yc = yc.tensor
    self.flux = flux.tensor
  }

  public var lightProfile: LightProfile { LightProfile([.init(.pointSource, [xc, yc, flux])]) }
}
