// SPDX-License-Identifier: MIT
//
// Many galaxies fitted under one loss: bias, reported errors and coverage.

import Distributions
import Foundation
import GalaxyFitting
import GalaxyModels
import Inference
import Numerics
import Rendering

/// What a loss makes of many noisy images of galaxies with known parameters.
struct LossTrial {
  /// The noise of the images.
  enum Noise: Sendable {
    /// Normal noise of the rms.
    case clean
    /// The same, and one pixel in a hundred brighter by 10 to 100 times the rms (log-uniform).
    case outliers
    /// Normal noise of 1.3 times the rms.
    case wide
  }

  /// The parameters that are compared.
  static let sites = ["flux", "r_eff", "n", "sky_back"]

  /// Of each fit and each of `sites`: (mean of the posterior − truth) and its standard deviation.
  private(set) var deviations: [[(error: Double, sd: Double, isInside: Bool)]] = []

  /// The number of searches that did not converge.
  private(set) var failures = 0

  /// Fits `count` galaxies.
  init(_ loss: ImageLoss, _ noise: Noise, count: Int, side: Int = 61, sigma: Double = 0.05) throws {
    for k in 0..<count {
      let key = RandomKey(77).folding(in: k)
      let truth = Self.truth(key, side)
      let light = Sersic(
        xc: truth["xc"] ?? 0, yc: truth["yc"] ?? 0, flux: truth["flux"] ?? 0,
        rEff: truth["r_eff"] ?? 0, n: truth["n"] ?? 0, ellip: truth["ellip"] ?? 0,
        theta: truth["theta"] ?? 0)
      let clean = try FitSingleTests.clean(
        light.lightProfile, sky: .flat(0.2), width: side, height: side)
      let pixels = clean.enumerated().map {
        $1 + sigma * Self.noise(noise, key.folding(in: "pixels"), UInt64($0))
      }
      let image = try FitSingleTests.image(pixels, sigma: sigma, width: side, height: side)
      let fit = try FitSingle(image, prior: autoprior(image, .sersic, sky: .flat), loss: loss)
      let posterior = try fit.estimatePosterior(.laplace, draws: 1000, key: key)
      if !posterior.best.isConverged { failures += 1 }
      deviations.append(
        Self.sites.map { site in
          guard let scalar = posterior.draws.scalars.first(where: { $0.name == site }),
            let value = truth[site]
          else { return (.nan, .nan, false) }
          let q = scalar.quantiles([0.16, 0.84])
          return (
            scalar.mean - value, scalar.standardDeviation, (q[0]...q[1]).contains(value)
          )
        })
    }
  }

  /// Returns the parameters of a galaxy: signal to noise of some 100.
  private static func truth(_ key: RandomKey, _ side: Int) -> [String: Double] {
    let middle = Double(side - 1) / 2
    return [
      "xc": middle + 2 * key.uniform(0) - 1, "yc": middle + 2 * key.uniform(1) - 1,
      "flux": 100, "r_eff": 3 + 3 * key.uniform(2), "n": 0.8 + 2.4 * key.uniform(3),
      "ellip": 0.1 + 0.6 * key.uniform(4), "theta": Double.pi * key.uniform(5), "sky_back": 0.2,
    ]
  }

  /// Returns the noise of a pixel in units of the rms.
  private static func noise(_ noise: Noise, _ key: RandomKey, _ index: UInt64) -> Double {
    let normal = key.normal(index)
    switch noise {
    case .clean: return normal
    case .wide: return 1.3 * normal
    case .outliers:
      let hits = key.folding(in: "hits")
      guard hits.uniform(2 * index) < 0.01 else { return normal }
      return normal + 10 * pow(10, hits.uniform(2 * index + 1))
    }
  }

  /// Returns the mean error of a parameter, in units of given errors.
  func bias(_ site: Int, unit: [Double]) -> Double {
    zip(deviations, unit).reduce(0) { $0 + $1.0[site].error / $1.1 } / Double(deviations.count)
  }

  /// Returns the root mean square error of a parameter, in units of given errors.
  func scatter(_ site: Int, unit: [Double]) -> Double {
    (zip(deviations, unit).reduce(0) {
      let e = $1.0[site].error / $1.1
      return $0 + e * e
    } / Double(deviations.count)).squareRoot()
  }

  /// Returns the standard deviations that were reported for a parameter.
  func reported(_ site: Int) -> [Double] { deviations.map { $0[site].sd } }

  /// Returns the share of 68 % intervals that hold the truth, all parameters together.
  var coverage: Double {
    let all = deviations.flatMap { $0.map(\.isInside) }
    return Double(all.count { $0 }) / Double(all.count)
  }
}
