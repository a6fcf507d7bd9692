// SPDX-License-Identifier: MIT
//
// Eight schools, non-centred: the cost of the tape and of nothing else.

import SwiftSersic

/// The model of eight schools; Rubin 1981, "Estimation in parallel randomized experiments".
private let eightSchools = Model { m in
  let y: [Double] = [28, 8, -3, 7, -1, 1, 18, 12]
  let sigma: [Double] = [15, 10, 16, 11, 9, 11, 10, 18]
  let mu = m.sample("mu", Normal(0, 5))
  let tau = m.sample("tau", HalfCauchy(5))
  m.plate("schools", 8) {
    let theta = m.sample("theta", Normal(mu, tau))
    m.observe("y", Normal(theta, sigma), y)
  }
}

/// Returns the log density of the non-centred model.
func eightSchoolsDensity() throws -> CompiledDensity {
  try eightSchools.reparameterized(["theta": LocScale()]).logDensity()
}

/// The benchmarks of the language.
let eightSchoolsBenchmarks = [
  Benchmark("eight schools: value and gradient", runs: 200) {
    let density = try eightSchoolsDensity()
    // A point away from all symmetries.
    let position = (0..<density.dimension).map { 0.3 - 0.11 * Double($0) }
    return DensityCase(density, at: position).work
  },
  Benchmark("eight schools: compilation", runs: 50) {
    var dimension = 0
    return Work(
      asserted: "ten coordinates",
      body: {
        dimension = try eightSchools.reparameterized(["theta": LocScale()]).logDensity().dimension
      }, check: { try require(dimension == 10, "expected 10 coordinates, found \(dimension)") })
  },
]
