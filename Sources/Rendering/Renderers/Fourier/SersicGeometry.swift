// SPDX-License-Identifier: MIT
//
// The shape of one component: quadratic forms in frequency and in space, and their derivatives by the parameters.

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Returns the cosine.
func cosine(_ x: Double) -> Double { cos(x) }

/// Returns the sine.
func sine(_ x: Double) -> Double { sin(x) }

/// A symmetric form a x² + 2 b x y + c y².
struct QuadraticForm {
  /// The coefficient of x².
  var xx: Double
  /// Half the coefficient of x y.
  var xy: Double
  /// The coefficient of y².
  var yy: Double
}

/// A Sérsic component's numbers, with what rendering derives from them.
struct SersicGeometry {
  /// The centre's column.
  let xc: Double
  /// The centre's row.
  let yc: Double
  /// The flux to infinity.
  let flux: Double
  /// The half-light radius on the major axis.
  let rEff: Double
  /// The Sérsic index.
  let n: Double
  /// The axis ratio 1 − ellip.
  let q: Double
  /// The cosine of theta.
  let cosTheta: Double
  /// The sine of theta.
  let sinTheta: Double

  /// Derives the numbers of a shape.
  init(_ shape: SersicShape) {
    xc = shape.xc
    yc = shape.yc
    flux = shape.flux
    rEff = shape.rEff
    n = shape.n
    q = 1 - shape.ellip
    cosTheta = cos(shape.theta)
    sinTheta = sin(shape.theta)
  }

  /// The form s = κ² in (kx, ky).
  var frequencyForm: QuadraticForm {
    let r2 = rEff * rEff
    let (s, c) = (sinTheta, cosTheta)
    return QuadraticForm(
      xx: r2 * (s * s + q * q * c * c), xy: -r2 * s * c * (1 - q * q),
      yy: r2 * (c * c + q * q * s * s))
  }

  /// The derivatives of `frequencyForm` by r_eff, ellip and theta.
  var frequencyFormSlopes: (rEff: QuadraticForm, ellip: QuadraticForm, theta: QuadraticForm) {
    let form = frequencyForm
    let r2 = rEff * rEff
    let (s, c) = (sinTheta, cosTheta)
    let byRadius = 2 / rEff
    let byRatio = -2 * q * r2
    let turn = r2 * (1 - q * q)
    return (
      QuadraticForm(xx: byRadius * form.xx, xy: byRadius * form.xy, yy: byRadius * form.yy),
      QuadraticForm(xx: byRatio * c * c, xy: byRatio * s * c, yy: byRatio * s * s),
      QuadraticForm(xx: 2 * turn * s * c, xy: -turn * (c * c - s * s), yy: -2 * turn * s * c)
    )
  }

  /// The form u = z² in (x − xc, y − yc).
  var spaceForm: QuadraticForm {
    let r2 = 1 / (rEff * rEff)
    let (s, c) = (sinTheta, cosTheta)
    let e = 1 / (q * q)
    return QuadraticForm(
      xx: r2 * (s * s + e * c * c), xy: r2 * s * c * (e - 1), yy: r2 * (c * c + e * s * s))
  }

  /// The derivatives of `spaceForm` by r_eff, ellip and theta.
  var spaceFormSlopes: (rEff: QuadraticForm, ellip: QuadraticForm, theta: QuadraticForm) {
    let form = spaceForm
    let r2 = 1 / (rEff * rEff)
    let (s, c) = (sinTheta, cosTheta)
    let byRadius = -2 / rEff
    let byRatio = 2 * r2 / (q * q * q)
    let turn = r2 * (1 / (q * q) - 1)
    return (
      QuadraticForm(xx: byRadius * form.xx, xy: byRadius * form.xy, yy: byRadius * form.yy),
      QuadraticForm(xx: byRatio * c * c, xy: byRatio * s * c, yy: byRatio * s * s),
      QuadraticForm(xx: -2 * turn * s * c, xy: turn * (c * c - s * s), yy: 2 * turn * s * c)
    )
  }
}
