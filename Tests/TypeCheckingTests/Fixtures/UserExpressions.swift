// SPDX-License-Identifier: MIT
//
// Expressions as users write them. Not part of any target: the type checker is timed on them, one by one.

import Distributions
import Inference
import PPL
import Tensors

// MARK: - Tensors with numbers

func totalFlux(_ flux: Tensor, _ bulgeToTotal: Tensor) -> Tensor {
  let disk = flux * (1 - bulgeToTotal)
  let bulge = flux * bulgeToTotal
  return disk + bulge
}

func magnitudes(_ x: Tensor, _ y: Tensor, zeroPoint: Double) -> Tensor {
  let m1 = 2.5 * log(x / y) + 25
  let m2 = -2.5 * log(x / y) / 2.302585 + zeroPoint
  let m3 = zeroPoint - 2.5 * log(x) / log(Tensor(10)) + 0.1 * (y - 1.2)
  return m1 + m2 - m3
}

func ratios(_ x: Tensor, _ y: Tensor) -> Tensor {
  let a = (x - 0.5) * 3 / (1 + y * y)
  let b = (1 - x) * (1 + x) / (2 * y) - 3 * x * y + 1 / (1 + x)
  let c = 1 / (1 + exp(-(x - 2) / 0.5))
  let d = (x + 1) * (x + 2) * (x + 3) * (x + 4)
  return a + b * c - d
}

func distances(_ x: Tensor, _ y: Tensor, _ xc: Tensor, _ yc: Tensor, _ q: Tensor, _ theta: Tensor)
  -> Tensor
{
  let dx = x - xc
  let dy = y - yc
  let r = sqrt((x - xc) * (x - xc) + (y - yc) * (y - yc))
  let u = dx * cos(theta) + dy * sin(theta)
  let v = (-dx * sin(theta) + dy * cos(theta)) / q
  let elliptical = sqrt(u * u + v * v / (q * q))
  let both = sqrt(
    square(dx * cos(theta) + dy * sin(theta))
      + square((dy * cos(theta) - dx * sin(theta)) / (1 - q)))
  return r + elliptical + both
}

func sersic(_ r: Tensor, _ rEff: Tensor, _ n: Tensor, _ flux: Tensor) -> Tensor {
  let bn = 2 * n - 1 / 3 + 4 / (405 * n) + 46 / (25515 * n * n)
  let profile = flux * exp(-bn * (pow(r / rEff, 1 / n) - 1))
  return profile / (2 * Double.pi * n * rEff * rEff)
}

func fiveProducts(_ a: Tensor, _ b: Tensor, _ c: Tensor, _ d: Tensor, _ e: Tensor) -> Tensor {
  let sum = a * b + b * c + c * d + d * e + e * a
  let weighted = 0.1 * a + 0.2 * b + 0.3 * c + 0.25 * d + 0.15 * e
  let polynomial = 1 + 2 * a + 3 * a * a + 4 * a * a * a + 5 * a * a * a * a
  return sum + weighted * polynomial
}

func densities(_ x: Tensor, _ mu: Tensor, _ sigma: Tensor, _ k: Double) -> Tensor {
  let normal = -0.5 * square((x - mu) / sigma) - log(sigma) - 0.5 * log(2 * Tensor(Double.pi))
  let student = -0.5 * (k + 1) * log1p(square((x - mu) / sigma) / k) - log(sigma)
  let mixture = logAddExp(log(1 - sigma) + normal, log(sigma) - 0.5 * square(x / 10))
  return normal + student + mixture
}

func integers(_ x: Tensor, _ n: Int) -> Tensor {
  let half = (Double(n) - 1) / 2
  let grid = (Tensor.arange(n) - half) / Double(n) * 2 - x * 3
  return grid + x[0] * 2 - x[1] / 3 + 1
}

// MARK: - Plain numbers

func plainNumbers(_ x: Double, _ y: Double, _ n: Int) -> Double {
  let a = (x - 0.5) * 3 / (1 + y * y)
  let b = (1 - x) * (1 + x) / (2 * y) - 3 * x * y + 1 / (1 + x)
  let c = 2.5 * (x / y) + 25 - 0.4 * (x - 20) * (y - 1)
  let d = x * y + y * x + x * x + y * y + 2 * x * y
  let e = 0.1 * x + 0.2 * y + 0.3 * x + 0.25 * y + 0.15 * x
  let f = Double(n) * 0.5 + Double(n * n) / 3 - (Double(n) - 1) / 2
  let g = ((x - 1) * (x - 1) + (y - 2) * (y - 2)).squareRoot() / (2 * Double.pi)
  let h = 1 + 2 * x + 3 * x * x + 4 * x * x * x + 5 * x * x * x * x
  let i = -(x - y) * 2 + 3 * -x - 4 / -y
  return a + b + c + d + e + f + g + h + i
}

// Closures have their types written: without them Swift itself, with none of our modules, gives up on the first two.
func plainArrays(_ values: [Double], _ n: Int) -> [Double] {
  let centered = values.map { (x: Double) -> Double in (x - 0.5) * 2 / (1 + x * x) }
  let grid = (0..<n).map { (k: Int) -> Double in 0.1 * Double(k) + 2 * Double(k) * Double(k) - 1 }
  var sum = 0.0
  for (x, y) in zip(centered, grid) { sum += x * y - 0.5 * (x - y) }
  return [sum, sum / 2 + 1, -sum * 3 + 2 * sum - 4]
}

// MARK: - Matrices and vectors

func kernels(_ x: Tensor, _ rho: Tensor, _ alpha: Tensor, _ sigma: Tensor, _ n: Int) -> Tensor {
  let distances = square(x.expandingAxis(1) - x)
  let smooth = square(alpha) * exp(distances * (-0.5 / square(rho)))
  let periodic = square(alpha) * exp(-2 * square(sin(sqrt(distances) * Double.pi / 1.5) / rho))
  let factor = (smooth + periodic + (square(sigma) + 1e-9) * Tensor.identity(n)).cholesky()
  return factor.triangularSolve(x[1...] - x[..<(n - 1)]).sum() + 2 * log(factor.diagonal()).sum()
}

func slices(_ x: Tensor, _ beta: Tensor, _ group: [Int]) -> Tensor {
  let columns = x[..., 0] * beta[0] + x[..., 1] * beta[1] + x[1..<4, 2] * 0.5 - x[0, 1...].sum()
  let picked = beta.take(group) + x.take(rows: [0, 1], columns: [1, 0]) * 2
  return columns.sum() + picked.sum() + x[0, 1] * x[1, 0] - 1
}

func predatorAndPrey(_ y: Tensor, _ r: Tensor) -> Tensor {
  let path = rungeKutta(from: y, times: [0, 1, 2], stepsPerInterval: 4) { t, s in
    Tensor.stack([(r[0] - r[1] * s[1]) * s[0], (r[3] * s[0] - r[2]) * s[1] + 0.1 * t])
  }
  return log(path).sum()
}

func absorption(_ start: Tensor, _ rates: [Tensor]) -> Tensor {
  let path = solveDifferentialEquation(
    from: start, times: [0, 1, 2], parameters: rates, method: .kennedyCarpenter,
    relativeTolerance: 1e-6
  ) { t, y, p in exp(-p[0] * t) * p[0] * 15 - p[1] / 2 * y / (p[2] + y) }
  return log(path[1...]).sum()
}

func forward(_ a: Tensor, _ transition: Tensor, _ emission: Tensor) -> Tensor {
  var state = a + emission[0]
  for t in 1..<10 {
    state = (state.expandingAxis(1) + log(transition)).logSumExp(axis: 0) + emission[t] - 0.5
  }
  return state.logSumExp()
}

// MARK: - Models

func regression(design: Tensor, group: [Int], y: [Double]) -> Model<Void> {
  Model { m in
    let beta = m.sample("beta", ImproperUniform(.real, [3]))
    let sigma = m.sample("sigma", Normal(0, 10).truncated(below: 0))
    let tau = m.sample("tau", StudentT(3, 0, 2.5).restricted(to: .positive))
    let a = m.sample("a", Uniform(0, 1)), b = m.sample("b", ImproperUniform(.between(0, 1 - a)))
    let alpha = m.plate("groups", 4) { m.sample("alpha", Normal(beta[0] + 0.5 * a, tau)) }
    let eta = design.matmul(beta) + alpha.take(group) * (1 - b) + 0.1 * square(design[..., 1])
    m.observe("y", Normal(eta, sigma * sqrt(1 + square(a / (1 + b)))), y)
    m.observe("k", Poisson(logRate: eta - 0.5 * square(sigma)), y)
    m.observe(
      "mix", MixtureSameFamily(weights: [a, 1 - a], Normal([-1, 1], Tensor.stack([sigma, tau]))), y)
  }
}

let sigmas: [Double] = [15, 10, 16, 11]

let schools = Model { m in
  let mu = m.sample("mu", Normal(0, 5))
  let tau = m.sample("tau", HalfCauchy(5))
  m.plate("schools", 4) {
    let theta = m.sample("theta", Normal(mu, tau))
    m.observe("y", Normal(theta, sigmas), [28.0, 8, -3, 7])
  }
}

let conditioned = schools.conditioned(on: ["mu": 3, "tau": 2.5]).reparameterized([
  "theta": LocScale()
])

func galaxy(width: Int, data: [Double]) -> Model<Tensor> {
  Model { m in
    let xc = m.sample("xc", Normal(Double(width - 1) / 2, 2)), yc = m.sample("yc", Normal(30, 2))
    let flux = m.sample("flux", LogNormal(7, 1)), bulgeToTotal = m.sample("b_t", Beta(1, 3))
    let n = m.sample("n", Uniform(0.3, 8)),
      rEff = m.sample("r_eff", TruncatedNormal(3, 2, low: 0.5))
    let disk = flux * (1 - bulgeToTotal) / (2 * Double.pi * rEff * rEff)
    let bulge = flux * bulgeToTotal * exp(-2 * n + 1 / 3) / (rEff * rEff * 0.25)
    let offset = sqrt((xc - 30) * (xc - 30) + (yc - 30) * (yc - 30))
    m.deterministic("mag", -2.5 * log(flux) / 2.302585 + 25)
    m.factor("prior", -0.5 * square((log(rEff) - 1) / 0.7) - log(rEff))
    m.observe("data", StudentT(5, disk + bulge + 0.1 * offset, 0.5), data)
    return disk + bulge
  }
}
