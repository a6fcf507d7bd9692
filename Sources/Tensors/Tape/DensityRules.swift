// SPDX-License-Identifier: MIT
//
// Log densities with their partial derivatives, the bodies of the fused density instructions.

/// The densities that a tape evaluates in one instruction, with the order of their parameters.
public enum DensityKind: UInt8, Sendable, CaseIterable {
  /// loc, scale.
  case normal
  /// loc, scale; of log x.
  case logNormal
  /// scale.
  case halfNormal
  /// dof, loc, scale.
  case studentT
  /// loc, scale.
  case cauchy
  /// scale.
  case halfCauchy
  /// shape, rate.
  case gamma
  /// shape, scale.
  case inverseGamma
  /// a, b.
  case beta
  /// rate.
  case exponential
  /// low, high.
  case uniform
  /// loc, scale.
  case laplace
  /// loc, scale.
  case logistic
  /// rate; x a whole number; without the term −log x!.
  case poisson
  /// logit; x 0 or 1.
  case bernoulliLogit
  /// log rate; x a whole number; without the term −log x!.
  case poissonLog
  /// count, logit; x a whole number; without the binomial coefficient.
  case binomialLogit
  /// count, a, b; x a whole number; without the binomial coefficient.
  case betaBinomial
  /// log mean, concentration; x a whole number; without the term −log x!.
  case negativeBinomialLog
  /// logit of a success; x the number of failures before it.
  case geometricLogit
  /// low, high: the probability that a standard logistic variable about x lies between them.
  case logisticInterval
  /// dof.
  case chiSquared
  /// dof, scale.
  case halfStudentT
  /// shape, scale.
  case weibull
  /// scale, shape.
  case pareto
  /// loc, scale.
  case gumbel
  /// a, b.
  case kumaraswamy
  /// loc, scale, shape.
  case skewNormal
  /// loc, scale, asymmetry.
  case asymmetricLaplace
  /// loc, concentration; x in radians.
  case vonMises
  /// count, probability; x a whole number; without the binomial coefficient.
  case binomial

  /// The number of parameters.
  public var parameterCount: Int {
    switch self {
    case .halfNormal, .halfCauchy, .exponential, .poisson, .bernoulliLogit, .poissonLog,
      .geometricLogit, .chiSquared:
      1
    case .studentT, .betaBinomial, .skewNormal, .asymmetricLaplace: 3
    default: 2
    }
  }
}

/// A log density with its derivatives in the value and in up to three parameters.
struct DensityTerm<T: TapeScalar> {
  var value: T
  var dx: T
  var d1: T
  var d2: T
  var d3: T

  /// Creates a term; derivatives left out are zero.
  @inline(__always)
  init(_ value: T, _ dx: T, _ d1: T, _ d2: T = T(0), _ d3: T = T(0)) {
    self.value = value
    self.dx = dx
    self.d1 = d1
    self.d2 = d2
    self.d3 = d3
  }

  /// The term outside the support: −∞, with zero derivatives, so that no NaN spreads.
  @inline(__always)
  static var outside: DensityTerm { DensityTerm(T(-.infinity), T(0), T(0)) }

  /// The term where a parameter is impossible: NaN, so that it is never taken for a density.
  @inline(__always)
  static var undefined: DensityTerm { DensityTerm(T(.nan), T(0), T(0)) }
}

extension DensityKind {
  /// Returns the log density at `x` with parameters `p`, `q`, `r`, and all partial derivatives.
  @inline(__always)
  func term<T: TapeScalar>(_ x: T, _ p: T, _ q: T, _ r: T) -> DensityTerm<T> {
    switch self {
    case .normal: normalTerm(x, p, q)
    case .logNormal: logNormalTerm(x, p, q)
    case .halfNormal: halfNormalTerm(x, p)
    case .studentT: studentTTerm(x, p, q, r)
    case .cauchy: cauchyTerm(x, p, q)
    case .halfCauchy: halfCauchyTerm(x, p)
    case .gamma: gammaTerm(x, p, q)
    case .inverseGamma: inverseGammaTerm(x, p, q)
    case .beta: betaTerm(x, p, q)
    case .exponential: exponentialTerm(x, p)
    case .uniform: uniformTerm(x, p, q)
    case .laplace: laplaceTerm(x, p, q)
    case .logistic: logisticTerm(x, p, q)
    case .poisson: poissonTerm(x, p)
    case .bernoulliLogit: bernoulliLogitTerm(x, p)
    case .poissonLog: poissonLogTerm(x, p)
    case .binomialLogit: binomialLogitTerm(x, p, q)
    case .betaBinomial: betaBinomialTerm(x, p, q, r)
    case .negativeBinomialLog: negativeBinomialLogTerm(x, p, q)
    case .geometricLogit: geometricLogitTerm(x, p)
    case .logisticInterval: logisticIntervalTerm(x, p, q)
    case .chiSquared: chiSquaredTerm(x, p)
    case .halfStudentT: halfStudentTTerm(x, p, q)
    case .weibull: weibullTerm(x, p, q)
    case .pareto: paretoTerm(x, p, q)
    case .gumbel: gumbelTerm(x, p, q)
    case .kumaraswamy: kumaraswamyTerm(x, p, q)
    case .skewNormal: skewNormalTerm(x, p, q, r)
    case .asymmetricLaplace: asymmetricLaplaceTerm(x, p, q, r)
    case .vonMises: vonMisesTerm(x, p, q)
    case .binomial: binomialTerm(x, p, q)
    }
  }
}

/// log N(x; loc, scale) = −z²/2 − log scale − ½ log 2π, z = (x − loc)/scale.
@inline(__always)
func normalTerm<T: TapeScalar>(_ x: T, _ loc: T, _ scale: T) -> DensityTerm<T> {
  guard scale.primal > 0 else { return .undefined }
  let inverse = T(1) / scale
  let z = (x - loc) * inverse
  let value = T(-0.5) * z * z - T.log(scale) - T(halfLogTwoPi)
  let slope = -z * inverse
  return DensityTerm(value, slope, -slope, (z * z - T(1)) * inverse)
}

/// log N(log x; loc, scale) − log x.
@inline(__always)
private func logNormalTerm<T: TapeScalar>(_ x: T, _ loc: T, _ scale: T) -> DensityTerm<T> {
  guard x.primal > 0 else { return .outside }
  let log = T.log(x)
  let n = normalTerm(log, loc, scale)
  return DensityTerm(n.value - log, (n.dx - T(1)) / x, n.d1, n.d2)
}

/// log 2 N(x; 0, scale) for x ≥ 0.
@inline(__always)
private func halfNormalTerm<T: TapeScalar>(_ x: T, _ scale: T) -> DensityTerm<T> {
  guard x.primal >= 0 else { return .outside }
  let n = normalTerm(x, T(0), scale)
  return DensityTerm(n.value + T(0.6931471805599453), n.dx, n.d2)
}

/// Student's t: log Γ((ν+1)/2) − log Γ(ν/2) − ½ log(πν) − log s − (ν+1)/2 log(1 + z²/ν).
@inline(__always)
func studentTTerm<T: TapeScalar>(_ x: T, _ dof: T, _ loc: T, _ scale: T)
  -> DensityTerm<T>
{
  guard scale.primal > 0, dof.primal > 0 else { return .undefined }
  let inverse = T(1) / scale
  let z = (x - loc) * inverse
  let t = z * z / dof
  let half = T(0.5)
  let l = T.log1p(t)
  let up = half * (dof + T(1))
  let ratio = RisingFactorial(half * dof, half)
  let constant = ratio.value - half * T.log(T(Double.pi) * dof) - T.log(scale)
  let weight = (dof + T(1)) / (dof * (T(1) + t))
  let slope = -weight * z * inverse
  let dDof =
    half * (ratio.dA - T(1) / dof - l + weight * z * z / dof)
  return DensityTerm(
    constant - up * l, slope, dDof, -slope, (weight * z * z - T(1)) * inverse)
}

/// log Cauchy: −log π − log s − log(1 + z²).
@inline(__always)
private func cauchyTerm<T: TapeScalar>(_ x: T, _ loc: T, _ scale: T) -> DensityTerm<T> {
  guard scale.primal > 0 else { return .undefined }
  let inverse = T(1) / scale
  let z = (x - loc) * inverse
  // Beside constants of order 1 nothing is lost to 1 + z², whose logarithm is that of fewer branches.
  let sum = T(1) + z * z
  let w = T(2) * z / sum
  let value = T(-1.1447298858494002) - T.log(scale) - T.log(sum)
  return DensityTerm(value, -w * inverse, w * inverse, (w * z - T(1)) * inverse)
}

/// log 2 Cauchy(x; 0, scale) for x ≥ 0.
@inline(__always)
private func halfCauchyTerm<T: TapeScalar>(_ x: T, _ scale: T) -> DensityTerm<T> {
  guard x.primal >= 0 else { return .outside }
  let c = cauchyTerm(x, T(0), scale)
  return DensityTerm(c.value + T(0.6931471805599453), c.dx, c.d2)
}

/// a log b − log Γ(a) + (a − 1) log x − b x.
@inline(__always)
func gammaTerm<T: TapeScalar>(_ x: T, _ shape: T, _ rate: T) -> DensityTerm<T> {
  guard shape.primal > 0, rate.primal > 0 else { return .undefined }
  guard x.primal > 0 else {
    // At zero the density is finite only for shape 1, and infinite below.
    guard x.primal == 0, shape.primal <= 1 else { return .outside }
    return shape.primal == 1
      ? DensityTerm(T.log(rate), -rate, T(0), T(1) / rate)
      : DensityTerm(T(.infinity), T(0), T(0))
  }
  let log = T.log(x)
  let logRate = T.log(rate)
  let value = shape * logRate - T.logGamma(shape) + (shape - T(1)) * log - rate * x
  return DensityTerm(
    value, (shape - T(1)) / x - rate, logRate - T.digamma(shape) + log, shape / rate - x)
}

/// a log b − log Γ(a) − (a + 1) log x − b / x.
@inline(__always)
private func inverseGammaTerm<T: TapeScalar>(_ x: T, _ shape: T, _ scale: T) -> DensityTerm<T> {
  guard shape.primal > 0, scale.primal > 0 else { return .undefined }
  guard x.primal > 0 else { return .outside }
  let log = T.log(x)
  let logScale = T.log(scale)
  let ratio = scale / x
  let value = shape * logScale - T.logGamma(shape) - (shape + T(1)) * log - ratio
  return DensityTerm(
    value, (ratio - shape - T(1)) / x, logScale - T.digamma(shape) - log,
    shape / scale - T(1) / x)
}

/// (a − 1) log x + (b − 1) log(1 − x) − log B(a, b); at the ends the limits of the density.
@inline(__always)
private func betaTerm<T: TapeScalar>(_ x: T, _ a: T, _ b: T) -> DensityTerm<T> {
  guard a.primal > 0, b.primal > 0 else { return .undefined }
  guard x.primal >= 0, x.primal <= 1 else { return .outside }
  let constant = T.logGamma(a + b) - T.logGamma(a) - T.logGamma(b)
  let common = T.digamma(a + b)
  // 0 · log 0 is 0 here: the factor x^(a − 1) is 1 for a = 1 at x = 0.
  let flatLow = x.primal == 0 && a.primal == 1
  let flatHigh = x.primal == 1 && b.primal == 1
  let logX = flatLow ? T(0) : T.log(x)
  let logY = flatHigh ? T(0) : T.log1p(-x)
  let slopeLow = flatLow ? T(0) : (a - T(1)) / x
  let slopeHigh = flatHigh ? T(0) : (b - T(1)) / (T(1) - x)
  let value = constant + (a - T(1)) * logX + (b - T(1)) * logY
  guard value.primal.isFinite else { return DensityTerm(value, T(0), T(0)) }
  return DensityTerm(
    value, slopeLow - slopeHigh, common - T.digamma(a) + logX, common - T.digamma(b) + logY)
}

/// log rate − rate · x.
@inline(__always)
private func exponentialTerm<T: TapeScalar>(_ x: T, _ rate: T) -> DensityTerm<T> {
  guard rate.primal > 0 else { return .undefined }
  guard x.primal >= 0 else { return .outside }
  return DensityTerm(T.log(rate) - rate * x, -rate, T(1) / rate - x)
}

/// −log(high − low) inside the closed interval.
@inline(__always)
private func uniformTerm<T: TapeScalar>(_ x: T, _ low: T, _ high: T) -> DensityTerm<T> {
  guard low.primal < high.primal else { return .undefined }
  guard x.primal >= low.primal, x.primal <= high.primal else { return .outside }
  let width = high - low
  let inverse = T(1) / width
  return DensityTerm(-T.log(width), T(0), inverse, -inverse)
}

/// −log 2s − |x − loc|/s.
@inline(__always)
private func laplaceTerm<T: TapeScalar>(_ x: T, _ loc: T, _ scale: T) -> DensityTerm<T> {
  guard scale.primal > 0 else { return .undefined }
  let inverse = T(1) / scale
  let z = (x - loc) * inverse
  let side = z.primal > 0 ? 1.0 : z.primal < 0 ? -1.0 : 0.0
  let distance = T(side) * z
  let slope = T(-side) * inverse
  return DensityTerm(
    -T.log(T(2) * scale) - distance, slope, -slope, (distance - T(1)) * inverse)
}

/// −z − 2 log(1 + e^−z) − log s, symmetric in z.
@inline(__always)
private func logisticTerm<T: TapeScalar>(_ x: T, _ loc: T, _ scale: T) -> DensityTerm<T> {
  guard scale.primal > 0 else { return .undefined }
  let inverse = T(1) / scale
  let z = (x - loc) * inverse
  let t = T(2) * T.sigmoid(z) - T(1)
  let value = -z - T(2) * T.softplus(-z) - T.log(scale)
  return DensityTerm(value, -t * inverse, t * inverse, (t * z - T(1)) * inverse)
}

/// k log rate − rate, with 0 log 0 = 0.
@inline(__always)
private func poissonTerm<T: TapeScalar>(_ k: T, _ rate: T) -> DensityTerm<T> {
  guard rate.primal >= 0 else { return .undefined }
  guard k.primal >= 0, k.primal == k.primal.rounded() else { return .outside }
  guard rate.primal > 0 else {
    return k.primal == 0 ? DensityTerm(-rate, T(0), T(-1)) : .outside
  }
  return DensityTerm(k * T.log(rate) - rate, T(0), k / rate - T(1))
}

/// x · logit − log(1 + e^logit).
@inline(__always)
private func bernoulliLogitTerm<T: TapeScalar>(_ x: T, _ logit: T) -> DensityTerm<T> {
  guard x.primal == 0 || x.primal == 1 else { return .outside }
  return x.primal == 1
    ? DensityTerm(-T.softplus(-logit), T(0), T.sigmoid(-logit))
    : DensityTerm(-T.softplus(logit), T(0), -T.sigmoid(logit))
}
