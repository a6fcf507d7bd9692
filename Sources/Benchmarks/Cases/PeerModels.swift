// SPDX-License-Identifier: MIT
//
// Small models that are also written for other systems, in Scripts/peers, with the same data and the same priors.

import SwiftSersic

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A model of the comparison with other systems.
struct PeerModel: Sendable {
  /// The name, the same in Scripts/peers.
  let name: String

  /// The program.
  let model: Model<Void>

  /// The log density at ``probe(_:)`` as the other system computes it, which shows that both are the same model.
  let logDensity: Double

  /// The point of the comparison: 0.3 sin(1 + k).
  static func probe(_ dimension: Int) -> [Double] {
    (0..<dimension).map { 0.3 * sin(1 + Double($0)) }
  }

  /// Compiles the model and asserts that it is the other system's.
  func density() throws -> CompiledDensity {
    let density = try model.logDensity()
    let value = density.makeEvaluator().value(at: PeerModel.probe(density.dimension))
    // Sums of up to a thousand terms in another order.
    try require(
      abs(value - logDensity) < 1e-10 * abs(logDensity),
      "\(name): expected the log density \(logDensity) of the other system, found \(value)")
    return density
  }

  /// All of them.
  static let all = [eightSchools, linear, logistic, counties]

  /// Eight schools, non-centred; Rubin 1981.
  static let eightSchools = PeerModel(
    name: "eight schools",
    model: Model { m in
      let y: [Double] = [28, 8, -3, 7, -1, 1, 18, 12]
      let sigma: [Double] = [15, 10, 16, 11, 9, 11, 10, 18]
      let mu = m.sample("mu", Normal(0, 5))
      let tau = m.sample("tau", HalfCauchy(5))
      m.plate("schools", 8) {
        let z = m.sample("z", Normal(0, 1))
        m.observe("y", Normal(mu + tau * z, sigma), y)
      }
    }, logDensity: -43.232706343525514)

  /// A linear regression: 200 data, four slopes.
  static let linear = PeerModel(
    name: "linear regression",
    model: {
      let x = table(200, 4)
      let y = (0..<200).map { i in
        let slopes = [0.5, -1, 1.5, -2]
        return 1 + (0..<4).reduce(0) { $0 + slopes[$1] * x[4 * i + $1] } + 0.7 * noise(i)
      }
      let matrix = Tensor(x, shape: [200, 4])
      return Model { m in
        let height = m.sample("height", Normal(0, 10))
        let slopes = m.plate("columns", 4) { m.sample("slopes", Normal(0, 2)) }
        let sigma = m.sample("sigma", HalfCauchy(2))
        m.observe("y", Normal(height + matrix.matmul(slopes), sigma), y)
      }
    }(), logDensity: -702.2050714973102)

  /// A logistic regression: 500 data, ten slopes.
  static let logistic = PeerModel(
    name: "logistic regression",
    model: {
      let x = table(500, 10)
      let y = (0..<500).map { i -> Double in
        let logit = (0..<10).reduce(0.0) { $0 + sin(Double($1)) * x[10 * i + $1] }
        return logit + 2 * noise(i) > 0 ? 1 : 0
      }
      let matrix = Tensor(x, shape: [500, 10])
      return Model { m in
        let height = m.sample("height", Normal(0, 5))
        let slopes = m.plate("columns", 10) { m.sample("slopes", Normal(0, 2)) }
        m.observe("y", Bernoulli(logits: height + matrix.matmul(slopes)), y)
      }
    }(), logDensity: -420.99615178951893)

  /// A hierarchical regression: 919 houses in 85 counties, non-centred.
  static let counties = PeerModel(
    name: "counties",
    model: {
      let county = (0..<919).map { (37 * $0 + $0 / 7) % 85 }
      let floor = (0..<919).map { $0 % 3 == 0 ? 1.0 : 0 }
      let y = (0..<919).map {
        1.3 + 0.3 * sin(Double(county[$0])) - 0.7 * floor[$0] + 0.7 * noise($0)
      }
      return Model { m in
        let mu = m.sample("mu", Normal(0, 5))
        let tau = m.sample("tau", HalfNormal(1))
        let slope = m.sample("slope", Normal(0, 2))
        let sigma = m.sample("sigma", HalfNormal(2))
        let z = m.plate("counties", 85) { m.sample("z", Normal(0, 1)) }
        let height = (mu + tau * z).take(county)
        m.observe("y", Normal(height + slope * Tensor(floor), sigma), y)
      }
    }(), logDensity: -1520.935241616579)

  /// Returns a table of numbers that look random: sin(1.3 i + 2.1 j + 0.37 i j).
  private static func table(_ rows: Int, _ columns: Int) -> [Double] {
    (0..<(rows * columns)).map { k in
      let (i, j) = (Double(k / columns), Double(k % columns))
      return sin(1.3 * i + 2.1 * j + 0.37 * i * j)
    }
  }

  /// Returns a number that looks random: sin(7.77 i²).
  private static func noise(_ i: Int) -> Double { sin(7.77 * Double(i) * Double(i)) }
}
