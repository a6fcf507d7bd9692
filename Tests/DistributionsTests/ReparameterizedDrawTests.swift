// SPDX-License-Identifier: MIT
//
// Draws followed by gradients: each draw moves with the parameters so that averages have the gradient of the mean.

import Distributions
import Numerics
import Tensors
import TestSupport
import Testing

@Suite("Reparameterised draws")
struct ReparameterizedDrawTests {
  /// The parameters at which draws are looked at.
  static let points: [String: [Double]] = [
    "Normal": [2.3, 0.8], "LogNormal": [0.3, 0.8], "Gamma": [2.3, 0.8], "InverseGamma": [2.3, 0.8],
    "Uniform": [-0.7, 1.9], "Exponential": [1.3], "Laplace": [2.3, 0.8], "Logistic": [2.3, 0.8],
    "Cauchy": [2.3, 0.8], "HalfNormal": [1.3], "HalfCauchy": [0.8], "Beta": [0.6, 2.5],
    "StudentT": [12, 0.3, 1.4], "TruncatedNormal": [0.2, 1.1, -0.5, 2],
  ]

  /// Returns a distribution at its point, one parameter moved.
  static func distribution(_ name: String, moving k: Int = 0, by step: Double = 0) throws
    -> any Distribution
  {
    let make = try #require(makers[name])
    var parameters = try #require(points[name])
    parameters[k] += step
    return make(parameters.map { Tensor($0) })
  }

  /// Returns the derivative of a function of a step by differences.
  static func difference(_ h: Double, _ f: (Double) throws -> Double) rethrows -> Double {
    let near = try f(h) - f(-h)
    let far = try f(2 * h) - f(-2 * h)
    return (8 * near - far) / (12 * h)
  }

  @Test(
    "a draw stays at its probability: dx/dθ = −(∂F/∂θ) / p",
    arguments: [
      "Normal", "LogNormal", "Gamma", "InverseGamma", "Uniform", "Exponential", "Logistic",
      "Cauchy", "HalfNormal", "HalfCauchy", "TruncatedNormal",
    ])
  func implicit(name: String) throws {
    let make = try #require(makers[name])
    let parameters = try #require(Self.points[name])
    for seed in 1...3 {
      let key = RandomKey(UInt64(seed))
      let x = try Self.distribution(name).sample(key: key)
      let slopes = gradient(at: Tensor(parameters)) { p in
        make((0..<p.count).map { p[$0] }).sample(key: key)
      }.elements
      let logDensity = try Self.distribution(name).logProbability(of: x)
      for k in parameters.indices {
        let change = try Self.difference(1e-4) { step in
          let moved = try Self.distribution(name, moving: k, by: step)
          return try #require(moved.cumulative(x)).item()
        }
        let expected = -change / exp(logDensity).item()
        // Differences of step 1e-4 of a function good to 1e-15: 1e-11, divided by a density above 1e-2.
        #expect(
          abs(slopes[k] - expected) <= 1e-8 * max(1, abs(expected)),
          "\(name) \(k): \(slopes[k]), \(expected)")
      }
    }
  }

  /// Returns the raw moment of order 1 or 2 at the point, one parameter moved.
  static func moment(_ name: String, _ power: Int, _ k: Int, _ step: Double) throws -> Double {
    let d = try distribution(name, moving: k, by: step)
    let mean = try #require(d.mean).item()
    return power == 1 ? mean : try #require(d.variance).item() + mean * mean
  }

  @Test(
    "averages over draws have the gradient of the expectation",
    arguments: ["Beta", "StudentT", "Laplace"], [1, 2])
  func expectations(name: String, power: Int) throws {
    let make = try #require(makers[name])
    let parameters = try #require(Self.points[name])
    let count = 20_000
    // One row of slopes for each block of draws, so that their scatter gives the error of the average.
    let rows = (0..<20).map { block -> [Double] in
      let key = RandomKey(UInt64(block))
      return gradient(at: Tensor(parameters)) { p in
        let x = make((0..<p.count).map { p[$0] }).sample(key: key, sampleShape: [count])
        return (power == 1 ? x : square(x)).mean()
      }.elements
    }
    for k in parameters.indices {
      let expected = try Self.difference(1e-3) { try Self.moment(name, power, k, $0) }
      let column = rows.map { $0[k] }
      let mean = column.reduce(0, +) / 20
      let squares = column.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
      let error = (squares / (19 * 20)).squareRoot()
      // Student's t with 19 degrees of freedom exceeds 6.5 once in 3 · 10⁵; 1e-7 for the differences.
      #expect(
        abs(mean - expected) < 6.5 * error + 1e-7,
        "\(name) \(k), power \(power): \(mean) ± \(error), expected \(expected)")
    }
  }

  /// Returns the logarithm of a gamma quantile.
  static func logQuantile(_ a: Double, _ p: Double) -> Double {
    log(Tensor(inverseRegularizedGammaP(a, p))).item()
  }

  @Test("the derivative of a gamma quantile by its shape is that of the quantile function")
  func quantileDerivative() {
    // Not a gradient check by differences of a draw: a rejection sampler jumps.
    for a in [0.3, 1, 2.7, 40] {
      let slope = Self.difference(1e-3 * a) { Self.logQuantile(a + $0, 0.3) }
      let value = logGammaQuantileShapeDerivative(a, logX: Self.logQuantile(a, 0.3))
      #expect(abs(value - slope) <= 1e-9 * abs(slope), "\(a): \(value), \(slope)")
    }
  }

  @Test("gamma draws have tangents and second derivatives, for one shape parameter or many")
  func gammaDerivatives() {
    let function = CompiledFunction(at: [Tensor([1.4, 3])]) { inputs in
      let many = Gamma(inputs[0], 1).sample(key: 5)
      let one = Gamma(inputs[0][0], 1).sample(key: 6, sampleShape: [4])
      return [log(many).sum() + log(one).sum()]
    }
    #expect(!function.isDynamic)
    let x = [1.4, 3.0]
    let direction = [0.7, -0.4]
    var value = 0.0
    var (slopes, curvatures) = ([0.0, 0], [0.0, 0])
    for (key, index, owner) in [(5, 0, 0), (5, 1, 1), (6, 0, 0), (6, 1, 0), (6, 2, 0), (6, 3, 0)] {
      let a = x[owner]
      let logX = RandomKey(UInt64(key)).logGamma(UInt64(index), shape: a)
      value += logX
      slopes[owner] += logGammaQuantileShapeDerivative(a, logX: logX)
      // The quantile of the draw's own probability, at shapes next to it.
      let p = regularizedGammaP(a, exp(Tensor(logX)).item())
      curvatures[owner] +=
        direction[owner]
        * Self.difference(1e-3 * a) {
          logGammaQuantileShapeDerivative(a + $0, logX: Self.logQuantile(a + $0, p))
        }
    }
    let evaluator = function.makeEvaluator()
    var (product, gradient) = ([0.0, 0], [0.0, 0])
    var (found, tangent) = (0.0, 0.0)
    x.withUnsafeBufferPointer { x in
      direction.withUnsafeBufferPointer { v in
        product.withUnsafeMutableBufferPointer { product in
          gradient.withUnsafeMutableBufferPointer { gradient in
            found = evaluator.hessianVectorProduct(at: x, v, into: product, gradient: gradient)
          }
        }
        tangent = evaluator.jacobianVectorProduct(at: x, v).tangent[0]
      }
    }
    #expect(abs(found - value) < 1e-13)
    for k in 0..<2 {
      #expect(abs(gradient[k] - slopes[k]) < 1e-13)
      // Second differences along the quantile against those of the quantile function, good to 1e-9.
      #expect(abs(product[k] - curvatures[k]) < 1e-7 * abs(curvatures[k]))
    }
    #expect(abs(tangent - (slopes[0] * 0.7 - slopes[1] * 0.4)) < 1e-13)
  }

  @Test("draws of a function that resamples are those of the folded key, traced or not")
  func resampled() {
    let function = CompiledFunction(at: [Tensor(1.4)], resamples: true) { inputs in
      [
        Gamma(inputs[0], 2).sample(key: 5, sampleShape: [3]), Beta(0.5, 2).sample(key: 6),
        Poisson(inputs[0]).sample(key: 7), Bernoulli(probability: 0.4).sample(key: 8),
      ]
    }
    let evaluator = function.makeEvaluator()
    for step in [0, 3] as [RandomKey] {
      evaluator.redraw(key: step)
      let values = [1.4].withUnsafeBufferPointer { evaluator.values(at: $0) }
      // Compound draws fold names in before the step's key does.
      let a = RandomKey(6).folding(in: "a").folding(key: step).logGamma(0, shape: 0.5)
      let b = RandomKey(6).folding(in: "b").folding(key: step).logGamma(0, shape: 2)
      #expect(
        values[0]
          == Gamma(1.4, 2).sample(key: RandomKey(5).folding(key: step), sampleShape: [3])
          .elements)
      #expect(abs(values[1][0] - sigmoid(Tensor(a - b)).item()) < 1e-15)
      #expect(values[2][0] == Poisson(1.4).sample(key: RandomKey(7).folding(key: step)).item())
      #expect(
        values[3][0]
          == Bernoulli(probability: 0.4).sample(key: RandomKey(8).folding(key: step)).item())
    }
  }
}
