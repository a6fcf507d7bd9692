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

/// Where a component lies and how it is stretched, in image coordinates.
struct ProfileShape: Hashable {
  /// The centre's column.
  var xc: Double
  /// The centre's row.
  var yc: Double
  /// The flux to infinity.
  var flux: Double
  /// The half-light radius on the major axis, in pixels.
  var rEff: Double
  /// 1 − b/a.
  var ellip: Double
  /// The angle of the major axis from +y towards −x, in radians.
  var theta: Double

  /// A round component of unit flux and radius at the origin.
  static let unit = ProfileShape(xc: 0, yc: 0, flux: 1, rEff: 1, ellip: 0, theta: 0)

  /// Reads a component's parameters; those that a point source lacks are those of a round one of radius 1.
  init(_ kind: ProfileKind, _ p: UnsafePointer<Double>) {
    self = .unit
    xc = p[ProfileParameter.xc]
    yc = p[ProfileParameter.yc]
    flux = p[ProfileParameter.flux]
    guard kind.isExtended else { return }
    rEff = p[ProfileParameter.rEff]
    ellip = p[ProfileParameter.ellip(kind)]
    theta = p[ProfileParameter.theta(kind)]
  }

  /// Creates a shape from its numbers.
  init(xc: Double, yc: Double, flux: Double, rEff: Double, ellip: Double, theta: Double) {
    self.xc = xc
    self.yc = yc
    self.flux = flux
    self.rEff = rEff
    self.ellip = ellip
    self.theta = theta
  }

  /// Whether the numbers describe an ellipse; where not, the image is NaN.
  var isFeasible: Bool {
    xc.isFinite && yc.isFinite && flux.isFinite && rEff > 0 && rEff.isFinite && ellip < 1
      && ellip.isFinite && theta.isFinite
  }
}

/// A direction, or an adjoint, of a component's parameters.
struct ProfileDirection {
  /// Along the centre's column.
  var xc = 0.0
  /// Along the centre's row.
  var yc = 0.0
  /// Along the flux.
  var flux = 0.0
  /// Along the half-light radius.
  var rEff = 0.0
  /// Along the ellipticity.
  var ellip = 0.0
  /// Along the angle.
  var theta = 0.0
  /// Along the parameters of the shape: `RadialProfile.mostParameters` of them at most.
  var shape = SIMD8<Double>()

  /// Creates the direction that leaves all as it is.
  init() {}

  /// Reads a component's part of a direction of all parameters.
  init(_ kind: ProfileKind, _ d: UnsafePointer<Double>) {
    xc = d[ProfileParameter.xc]
    yc = d[ProfileParameter.yc]
    flux = d[ProfileParameter.flux]
    guard kind.isExtended else { return }
    rEff = d[ProfileParameter.rEff]
    for k in 0..<kind.shapeCount { shape[k] = d[ProfileParameter.shape + k] }
    ellip = d[ProfileParameter.ellip(kind)]
    theta = d[ProfileParameter.theta(kind)]
  }

  /// Adds the direction to a component's part of an adjoint of all parameters.
  func add(_ kind: ProfileKind, to out: UnsafeMutablePointer<Double>) {
    out[ProfileParameter.xc] += xc
    out[ProfileParameter.yc] += yc
    out[ProfileParameter.flux] += flux
    guard kind.isExtended else { return }
    out[ProfileParameter.rEff] += rEff
    for k in 0..<kind.shapeCount { out[ProfileParameter.shape + k] += shape[k] }
    out[ProfileParameter.ellip(kind)] += ellip
    out[ProfileParameter.theta(kind)] += theta
  }
}

/// A component's numbers, with what rendering derives from them.
struct ProfileGeometry {
  /// The centre's column.
  let xc: Double
  /// The centre's row.
  let yc: Double
  /// The flux to infinity.
  let flux: Double
  /// The half-light radius on the major axis.
  let rEff: Double
  /// The axis ratio 1 − ellip.
  let q: Double
  /// The cosine of theta.
  let cosTheta: Double
  /// The sine of theta.
  let sinTheta: Double

  /// Derives the numbers of a shape.
  init(_ shape: ProfileShape) {
    xc = shape.xc
    yc = shape.yc
    flux = shape.flux
    rEff = shape.rEff
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
