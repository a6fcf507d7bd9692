// SPDX-License-Identifier: MIT
//
// Further log densities of real numbers: lifetimes, tails, extremes, skewed and circular ones.

/// log Gamma(x; dof/2, ½).
@inline(__always)
func chiSquaredTerm<T: TapeScalar>(_ x: T, _ dof: T) -> DensityTerm<T> {
  let g = gammaTerm(x, T(0.5) * dof, T(0.5))
  return DensityTerm(g.value, g.dx, T(0.5) * g.d1)
}

/// log 2 Student-t(x; dof, 0, scale) for x ≥ 0.
@inline(__always)
func halfStudentTTerm<T: TapeScalar>(_ x: T, _ dof: T, _ scale: T) -> DensityTerm<T> {
  guard x.primal >= 0 else { return .outside }
  let t = studentTTerm(x, dof, T(0), scale)
  return DensityTerm(t.value + T(0.6931471805599453), t.dx, t.d1, t.d3)
}

/// log(k/s) + (k − 1) log(x/s) − (x/s)^k.
@inline(__always)
func weibullTerm<T: TapeScalar>(_ x: T, _ shape: T, _ scale: T) -> DensityTerm<T> {
  guard shape.primal > 0, scale.primal > 0 else { return .undefined }
  guard x.primal > 0 else {
    // At zero the density is finite only for shape 1, and infinite below.
    guard x.primal == 0, shape.primal <= 1 else { return .outside }
    guard shape.primal == 1 else { return DensityTerm(T(.infinity), T(0), T(0)) }
    return DensityTerm(-T.log(scale), T(-1) / scale, T(0), T(-1) / scale)
  }
  let logRatio = T.log(x / scale)
  let power = T.exp(shape * logRatio)
  let value = T.log(shape / scale) + (shape - T(1)) * logRatio - power
  return DensityTerm(
    value, (shape - T(1) - shape * power) / x, T(1) / shape + logRatio - logRatio * power,
    shape * (power - T(1)) / scale)
}

/// log α + α log m − (α + 1) log x for x ≥ m.
@inline(__always)
func paretoTerm<T: TapeScalar>(_ x: T, _ scale: T, _ shape: T) -> DensityTerm<T> {
  guard scale.primal > 0, shape.primal > 0 else { return .undefined }
  guard x.primal >= scale.primal else { return .outside }
  let logRatio = T.log(scale / x)
  return DensityTerm(
    T.log(shape) + shape * logRatio - T.log(x), -(shape + T(1)) / x, shape / scale,
    T(1) / shape + logRatio)
}

/// −z − e^−z − log s.
@inline(__always)
func gumbelTerm<T: TapeScalar>(_ x: T, _ loc: T, _ scale: T) -> DensityTerm<T> {
  guard scale.primal > 0 else { return .undefined }
  let inverse = T(1) / scale
  let z = (x - loc) * inverse
  let e = T.exp(-z)
  let slope = (e - T(1)) * inverse
  return DensityTerm(-z - e - T.log(scale), slope, -slope, (z - z * e - T(1)) * inverse)
}

/// log ab + (a − 1) log x + (b − 1) log(1 − x^a).
@inline(__always)
func kumaraswamyTerm<T: TapeScalar>(_ x: T, _ a: T, _ b: T) -> DensityTerm<T> {
  guard a.primal > 0, b.primal > 0 else { return .undefined }
  guard x.primal > 0, x.primal < 1 else { return .outside }
  let logX = T.log(x)
  // 1 − x^a without cancellation near 1.
  let rest = -T.expm1(a * logX)
  let logRest = T.log(rest)
  let odds = (T(1) - rest) / rest
  let value = T.log(a) + T.log(b) + (a - T(1)) * logX + (b - T(1)) * logRest
  return DensityTerm(
    value, (a - T(1) - (b - T(1)) * a * odds) / x, T(1) / a + logX - (b - T(1)) * odds * logX,
    T(1) / b + logRest)
}

/// log 2 + log φ(z) + log Φ(shape · z) − log s.
@inline(__always)
func skewNormalTerm<T: TapeScalar>(_ x: T, _ loc: T, _ scale: T, _ shape: T) -> DensityTerm<T> {
  guard scale.primal > 0 else { return .undefined }
  let inverse = T(1) / scale
  let z = (x - loc) * inverse
  let w = shape * z
  let logMass = T.logNormalCDF(w)
  let value =
    T(0.6931471805599453) - T(0.5) * z * z - T(halfLogTwoPi) + logMass - T.log(scale)
  let ratio = T.logNormalCDFSlope(w)
  let slope = (shape * ratio - z) * inverse
  return DensityTerm(value, slope, -slope, -slope * z - inverse, ratio * z)
}

/// −log(κ + 1/κ) − log s − |z| κ^(sign z), z = (x − loc)/s.
@inline(__always)
func asymmetricLaplaceTerm<T: TapeScalar>(_ x: T, _ loc: T, _ scale: T, _ kappa: T)
  -> DensityTerm<T>
{
  guard scale.primal > 0, kappa.primal > 0 else { return .undefined }
  let inverse = T(1) / scale
  let z = (x - loc) * inverse
  let reciprocal = T(1) / kappa
  let isUpper = z.primal >= 0
  let distance = isUpper ? z * kappa : -z * reciprocal
  let slope = (isUpper ? -kappa : reciprocal) * inverse
  let total = kappa + reciprocal
  let normalizer = (T(1) - reciprocal * reciprocal) / total
  return DensityTerm(
    -T.log(total) - T.log(scale) - distance, slope, -slope, (distance - T(1)) * inverse,
    (isUpper ? -z : -z * reciprocal * reciprocal) - normalizer)
}

/// κ cos(x − loc) − log 2π − log I₀(κ).
@inline(__always)
func vonMisesTerm<T: TapeScalar>(_ x: T, _ loc: T, _ kappa: T) -> DensityTerm<T> {
  guard kappa.primal >= 0 else { return .undefined }
  let (c, s) = (T.cos(x - loc), T.sin(x - loc))
  let slope = -kappa * s
  return DensityTerm(
    kappa * c - T(2 * halfLogTwoPi) - T.logBesselI0(kappa), slope, -slope,
    c - T.besselRatio(kappa))
}
