// SPDX-License-Identifier: MIT
//
// Gamma and Poisson draws from a key: rejection samplers, each on a stream of its own.

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

extension KeyedGenerator {
  /// Returns the logarithm of the next gamma draw of unit rate, which does not underflow for small shapes.
  ///
  /// ### Source
  ///
  /// Marsaglia & Tsang 2000; for a shape below 1, the draw of shape + 1 times U^(1/shape), in logarithms.
  ///
  /// - Parameter shape: The shape, positive.
  /// - Returns: The draw's logarithm; NaN for an impossible shape.
  public mutating func logGamma(shape: Double) -> Double {
    guard shape > 0, shape < .infinity else { return .nan }
    let boost = shape < 1 ? log(uniform()) / shape : 0
    let d = (shape < 1 ? shape + 1 : shape) - 1.0 / 3
    let c = 1 / (9 * d).squareRoot()
    while true {
      let x = normal()
      let root = 1 + c * x
      guard root > 0 else { continue }
      let v = root * root * root
      if log(uniform()) < 0.5 * x * x + d * (1 - v + log(v)) { return log(d * v) + boost }
    }
  }

  /// Returns the next gamma draw of unit rate.
  public mutating func gamma(shape: Double) -> Double { exp(logGamma(shape: shape)) }

  /// Returns the next Poisson draw.
  ///
  /// ### Source
  ///
  /// Small means by counting exponential gaps (Knuth); from 10 on by Hörmann's transformed rejection PTRS (1993).
  ///
  /// - Parameter mean: The mean, not negative and finite.
  /// - Returns: A whole number; NaN for an impossible mean.
  public mutating func poisson(mean: Double) -> Double {
    guard mean >= 0, mean < .infinity else { return .nan }
    guard mean >= 10 else {
      let limit = exp(-mean)
      var product = uniform()
      var count = 0.0
      while product > limit {
        product *= uniform()
        count += 1
      }
      return count
    }
    let logMean = log(mean)
    let b = 0.931 + 2.53 * mean.squareRoot()
    let a = -0.059 + 0.02483 * b
    let inverseAlpha = 1.1239 + 1.1328 / (b - 3.4)
    let vr = 0.9277 - 3.6224 / (b - 2)
    while true {
      let u = uniform() - 0.5
      let v = uniform()
      let us = 0.5 - abs(u)
      let k = ((2 * a / us + b) * u + mean + 0.43).rounded(.down)
      if us >= 0.07, v <= vr { return k }
      if k < 0 || (us < 0.013 && v > us) { continue }
      let left = log(v * inverseAlpha / (a / (us * us) + b))
      if left <= k * logMean - mean - Numerics.logGamma(k + 1) { return k }
    }
  }
}

extension RandomKey {
  /// Returns the gamma draw of unit rate with the given index.
  public func gamma(_ index: UInt64, shape: Double) -> Double {
    var generator = KeyedGenerator(folding(in: index))
    return generator.gamma(shape: shape)
  }

  /// Returns the logarithm of the gamma draw of unit rate with the given index.
  public func logGamma(_ index: UInt64, shape: Double) -> Double {
    var generator = KeyedGenerator(folding(in: index))
    return generator.logGamma(shape: shape)
  }

  /// Returns the Poisson draw with the given index.
  public func poisson(_ index: UInt64, mean: Double) -> Double {
    var generator = KeyedGenerator(folding(in: index))
    return generator.poisson(mean: mean)
  }
}
