// SPDX-License-Identifier: MIT
//
// Divergences between families of one number, within a family and across some.
//
// Sources: Penny 2001, "KL-divergences of normal, gamma, Dirichlet and Wishart densities"; the rest follow from
// E_q[log q] − E_q[log p] and the moments named at each.

public import Tensors

extension Normal: KullbackLeibler {
  public func divergence(to other: any Distribution) -> Tensor? {
    guard let p = other as? Normal else { return nil }
    return normalDivergence(parameters, p.parameters)
  }
}

/// Returns ½ (r² + d² − 1) − log r with r = σ_q / σ_p and d = (μ_q − μ_p) / σ_p.
private func normalDivergence(_ q: [Tensor], _ p: [Tensor]) -> Tensor {
  let ratio = q[1] / p[1]
  let shift = (q[0] - p[0]) / p[1]
  return 0.5 * (square(ratio) + square(shift) - 1) - log(ratio)
}

extension LogNormal: KullbackLeibler {
  public func divergence(to other: any Distribution) -> Tensor? {
    let (loc, scale) = (parameters[0], parameters[1])
    // E[log x] = μ, E[x] = e^{μ + σ²/2}, E[1/x] = e^{−μ + σ²/2}.
    let negativeEntropy = -(loc + log(scale) + 0.5 + halfLogTwoPi)
    let halfSquare = 0.5 * square(scale)
    switch other {
    case let p as LogNormal: return normalDivergence(parameters, p.parameters)
    case let p as Gamma:
      let (a, b) = (p.parameters[0], p.parameters[1])
      return negativeEntropy - a * log(b) + logGamma(a) - (a - 1) * loc + b * exp(loc + halfSquare)
    case let p as InverseGamma:
      let (a, b) = (p.parameters[0], p.parameters[1])
      return negativeEntropy - a * log(b) + logGamma(a) + (a + 1) * loc
        + b * exp(halfSquare - loc)
    case let p as Exponential:
      return negativeEntropy - log(p.parameters[0]) + p.parameters[0] * exp(loc + halfSquare)
    default: return nil
    }
  }
}

extension HalfNormal: KullbackLeibler {
  public func divergence(to other: any Distribution) -> Tensor? {
    guard let p = other as? HalfNormal else { return nil }
    // Half of a normal on both sides: the factors 2 cancel.
    let ratio = parameters[0] / p.parameters[0]
    return 0.5 * (square(ratio) - 1) - log(ratio)
  }
}

/// Returns the divergence of gamma distributions with shapes and rates: E[log x] = ψ(a) − log b, E[x] = a / b.
private func gammaDivergence(_ q: [Tensor], _ p: [Tensor]) -> Tensor {
  let shapes = (q[0] - p[0]) * digamma(q[0]) - logGamma(q[0]) + logGamma(p[0])
  return shapes + p[0] * (log(q[1]) - log(p[1])) + q[0] * (p[1] / q[1] - 1)
}

extension Gamma: KullbackLeibler {
  public func divergence(to other: any Distribution) -> Tensor? {
    switch other {
    case let p as Gamma: gammaDivergence(parameters, p.parameters)
    case let p as Exponential: gammaDivergence(parameters, [Tensor(1), p.parameters[0]])
    default: nil
    }
  }
}

extension InverseGamma: KullbackLeibler {
  public func divergence(to other: any Distribution) -> Tensor? {
    // 1/x is gamma distributed, with the scale as rate; a divergence does not change under a common map.
    (other as? InverseGamma).map { gammaDivergence(parameters, $0.parameters) }
  }
}

extension Exponential: KullbackLeibler {
  public func divergence(to other: any Distribution) -> Tensor? {
    switch other {
    case let p as Exponential:
      let ratio = p.parameters[0] / parameters[0]
      return ratio - 1 - log(ratio)
    case let p as Gamma: return gammaDivergence([Tensor(1), parameters[0]], p.parameters)
    default: return nil
    }
  }
}

extension Beta: KullbackLeibler {
  public func divergence(to other: any Distribution) -> Tensor? {
    guard let p = other as? Beta else { return nil }
    let (a, b, c, d) = (parameters[0], parameters[1], p.parameters[0], p.parameters[1])
    // E[log x] = ψ(a) − ψ(a + b), and likewise for 1 − x.
    let normalization =
      logGamma(a + b) - logGamma(a) - logGamma(b) - logGamma(c + d) + logGamma(c) + logGamma(d)
    let slopes = (a - c) * digamma(a) + (b - d) * digamma(b)
    return normalization + slopes + (c + d - a - b) * digamma(a + b)
  }
}

extension Laplace: KullbackLeibler {
  public func divergence(to other: any Distribution) -> Tensor? {
    guard let p = other as? Laplace else { return nil }
    // E|x − μ_p| = |d| + b e^{−|d|/b}.
    let distance = abs(parameters[0] - p.parameters[0])
    let spread = distance + parameters[1] * exp(-distance / parameters[1])
    return log(p.parameters[1] / parameters[1]) - 1 + spread / p.parameters[1]
  }
}

extension Uniform: KullbackLeibler {
  public func divergence(to other: any Distribution) -> Tensor? {
    guard let p = other as? Uniform else { return nil }
    let (low, high) = (parameters[0], parameters[1])
    let isInside =
      low.isGreaterOrEqual(to: p.parameters[0]) * high.isLessOrEqual(to: p.parameters[1])
    let ratio = (p.parameters[1] - p.parameters[0]) / (high - low)
    return select(isInside, log(ratio), Tensor(.infinity))
  }
}

extension Bernoulli: KullbackLeibler {
  public func divergence(to other: any Distribution) -> Tensor? {
    guard let p = other as? Bernoulli else { return nil }
    let (x, y) = (logits, p.logits)
    // log q(1) = −softplus(−x), log q(0) = −softplus(x).
    return sigmoid(x) * (softplus(-y) - softplus(-x)) + sigmoid(-x) * (softplus(y) - softplus(x))
  }
}

extension Poisson: KullbackLeibler {
  public func divergence(to other: any Distribution) -> Tensor? {
    guard let p = other as? Poisson else { return nil }
    let (x, y) = (rate, p.rate)
    // 0 · log 0 is 0.
    let safe = select(x.isGreater(than: 0), x, Tensor(1))
    let logX = density == .poisson ? log(safe) : parameters[0]
    let logY = p.density == .poisson ? log(y) : p.parameters[0]
    return select(x.isGreater(than: 0), x * (logX - logY), Tensor(0)) + y - x
  }
}
