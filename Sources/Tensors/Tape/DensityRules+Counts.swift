// SPDX-License-Identifier: MIT
//
// Log densities of whole numbers, and what they share: ratios of gamma functions that do not cancel.
//
// Terms that depend on the data alone (log x!, binomial coefficients) are left out: they are constants of a program, and the
// distributions add them once.

/// log Γ(a + k) − log Γ(a) with its derivatives in `a` and in `k`.
///
/// From 64 on by Stirling's series with the large parts cancelled by hand, as the difference of two log-gammas of 1e10 would be
/// good to 1e-5 only; the first term left out is below 2e-16 there.
struct RisingFactorial<T: TapeScalar> {
  var value: T
  var dA: T
  var dK: T

  /// Computes the ratio for a > 0, k ≥ 0.
  init(_ a: T, _ k: T) {
    let top = a + k
    guard a.primal >= 64 else {
      value = T.logGamma(top) - T.logGamma(a)
      dK = T.digamma(top)
      dA = dK - T.digamma(a)
      return
    }
    let (u, w) = (T(1) / a, T(1) / top)
    let (u2, w2) = (u * u, w * w)
    let logRatio = T.log1p(k * u)
    let series = RisingFactorial.stirling(w, w2) - RisingFactorial.stirling(u, u2)
    value = (top - T(0.5)) * logRatio + k * T.log(a) - k + series
    dA =
      logRatio - T(0.5) * (w - u) - T(1.0 / 12) * (w2 - u2) + T(1.0 / 120) * (w2 * w2 - u2 * u2)
    dK = T.digamma(top)
  }

  /// Returns 1/(12 x) − 1/(360 x³) + 1/(1260 x⁵) for y = 1/x.
  private static func stirling(_ y: T, _ square: T) -> T {
    y * (T(1.0 / 12) - square * (T(1.0 / 360) - square * T(1.0 / 1260)))
  }
}

/// Whether a number can be a count.
@inline(__always)
private func isCount(_ x: Double) -> Bool { x >= 0 && x == x.rounded() }

/// k log rate − rate.
@inline(__always)
func poissonLogTerm<T: TapeScalar>(_ k: T, _ logRate: T) -> DensityTerm<T> {
  guard isCount(k.primal) else { return .outside }
  let rate = T.exp(logRate)
  guard k.primal > 0 else { return DensityTerm(-rate, T(0), -rate) }
  return DensityTerm(k * logRate - rate, T(0), k - rate)
}

/// k log σ(logit) + (n − k) log σ(−logit).
@inline(__always)
func binomialLogitTerm<T: TapeScalar>(_ k: T, _ n: T, _ logit: T) -> DensityTerm<T> {
  guard isCount(k.primal), k.primal <= n.primal else { return .outside }
  let failures = n - k
  // 0 · log 0 is 0: an impossible outcome that did not occur costs nothing.
  let yes = k.primal == 0 ? T(0) : k * T.softplus(-logit)
  let no = failures.primal == 0 ? T(0) : failures * T.softplus(logit)
  return DensityTerm(
    -yes - no, T(0), -T.softplus(logit), k - n * T.sigmoid(logit))
}

/// k log p + (n − k) log(1 − p).
///
/// Not by the logit of p: at p = 1 its derivative is infinite, while that of k log p is not; a model may well say that what
/// happened had to happen.
@inline(__always)
func binomialTerm<T: TapeScalar>(_ k: T, _ n: T, _ p: T) -> DensityTerm<T> {
  guard p.primal >= 0, p.primal <= 1 else { return .undefined }
  guard isCount(k.primal), k.primal <= n.primal else { return .outside }
  let failures = n - k
  // 0 · log 0 is 0: an impossible outcome that did not occur costs nothing.
  let yes = k.primal == 0 ? T(0) : k * T.log(p)
  let no = failures.primal == 0 ? T(0) : failures * T.log1p(-p)
  guard (yes + no).primal > -.infinity else { return .outside }
  let up = k.primal == 0 ? T(0) : k / p
  let down = failures.primal == 0 ? T(0) : failures / (T(1) - p)
  return DensityTerm(yes + no, T(0), T.log1p(-p), up - down)
}

/// log B(k + a, n − k + b) − log B(a, b) = R(a, k) + R(b, n − k) − R(a + b, n), R the rising factorials.
@inline(__always)
func betaBinomialTerm<T: TapeScalar>(_ k: T, _ n: T, _ a: T, _ b: T) -> DensityTerm<T> {
  guard a.primal > 0, b.primal > 0 else { return .undefined }
  guard isCount(k.primal), k.primal <= n.primal else { return .outside }
  let success = RisingFactorial(a, k)
  let failure = RisingFactorial(b, n - k)
  let all = RisingFactorial(a + b, n)
  return DensityTerm(
    success.value + failure.value - all.value, T(0), failure.dK - all.dK, success.dA - all.dA,
    failure.dA - all.dA)
}

/// R(φ, k) + k log σ(η) + φ log σ(−η), η = log mean − log φ.
@inline(__always)
func negativeBinomialLogTerm<T: TapeScalar>(_ k: T, _ logMean: T, _ phi: T) -> DensityTerm<T> {
  guard phi.primal > 0 else { return .undefined }
  guard isCount(k.primal) else { return .outside }
  let eta = logMean - T.log(phi)
  let ratio = RisingFactorial(phi, k)
  let yes = k.primal == 0 ? T(0) : k * T.softplus(-eta)
  let no = T.softplus(eta)
  let dEta = k - (k + phi) * T.sigmoid(eta)
  return DensityTerm(
    ratio.value - yes - phi * no, T(0), dEta, ratio.dA - no - dEta / phi)
}

/// k log σ(−logit) + log σ(logit).
@inline(__always)
func geometricLogitTerm<T: TapeScalar>(_ k: T, _ logit: T) -> DensityTerm<T> {
  guard isCount(k.primal) else { return .outside }
  let failures = k.primal == 0 ? T(0) : k * T.softplus(logit)
  return DensityTerm(
    -failures - T.softplus(-logit), T(0), T(1) - (k + T(1)) * T.sigmoid(logit))
}

/// log(σ(high − x) − σ(low − x)) = log σ(high − x) + log σ(x − low) + log(1 − e^(low − high)).
@inline(__always)
func logisticIntervalTerm<T: TapeScalar>(_ x: T, _ low: T, _ high: T) -> DensityTerm<T> {
  guard low.primal < high.primal else { return .undefined }
  var value = T(0)
  var (dLow, dHigh) = (T(0), T(0))
  if high.primal < .infinity {
    value = value - T.softplus(x - high)
    dHigh = T.sigmoid(x - high)
  }
  if low.primal > -.infinity {
    value = value - T.softplus(low - x)
    dLow = -T.sigmoid(low - x)
  }
  let dx = -dHigh - dLow
  if high.primal < .infinity && low.primal > -.infinity {
    let mass = -T.expm1(low - high)
    value += T.log(mass)
    // d log(1 − e^−w) / dw = e^−w / (1 − e^−w), w = high − low.
    let slope = (T(1) - mass) / mass
    dHigh += slope
    dLow = dLow - slope
  }
  return DensityTerm(value, dx, dLow, dHigh)
}
