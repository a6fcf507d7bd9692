// SPDX-License-Identifier: MIT
//
// Draws: their parts, selections, merged runs, derived quantities, and the summary table.

import Inference
import Numerics
import Tensors
import Testing

@Suite("Draws")
struct DrawsTests {
  /// Two chains of three draws of a scalar, a 2 × 2 array and an angle.
  static let draws = Draws(
    chains: 2, draws: 3,
    sites: [
      Draws.Site(name: "a", shape: [], values: [1, 2, 3, 4, 5, 6]),
      Draws.Site(name: "m", shape: [2, 2], values: (0..<24).map(Double.init)),
      Draws.Site(name: "theta", shape: [], period: 3, values: [0.1, 2.9, 0, 0.2, 2.8, 0]),
    ])

  @Test("sites are tensors of chains and draws, scalars have names with indices")
  func parts() {
    let draws = Self.draws
    #expect(draws.count == 6 && draws.names == ["a", "m", "theta"])
    #expect(draws["m"].shape == [2, 3, 2, 2])
    #expect(draws.scalars.map(\.name) == ["a", "m[0,0]", "m[0,1]", "m[1,0]", "m[1,1]", "theta"])
    #expect(draws.scalar("m[1,0]").values == [2, 6, 10, 14, 18, 22])
    #expect(draws.scalar("m[1, 0]").values == [2, 6, 10, 14, 18, 22])
    #expect(draws.scalar("theta").period == 3)
    #expect(draws.quantiles([0, 1])["a"] == [1, 6])
    #expect(draws.draw(chain: 1, 2)["m"].elements == [20, 21, 22, 23])
    #expect(draws.map { $0["a"].item() * 2 } == [2, 4, 6, 8, 10, 12])
    #expect(draws.map { $0.chain * 10 + $0.index } == [0, 1, 2, 10, 11, 12])
  }

  @Test("names that hold brackets themselves are found")
  func brackets() {
    let draws = Draws(
      chains: 1, draws: 2,
      sites: [
        Draws.Site(name: "x[0]", shape: [], values: [1, 2]),
        Draws.Site(name: "y[a]", shape: [2], values: [1, 2, 3, 4]),
      ])
    #expect(draws.scalar("x[0]").values == [1, 2])
    #expect(draws.scalar("y[a][1]").values == [2, 4])
  }

  @Test("a scalar or a site that does not exist stops the program")
  func missing() async {
    await #expect(processExitsWith: .failure) { _ = DrawsTests.draws["b"] }
    await #expect(processExitsWith: .failure) { _ = DrawsTests.draws.scalar("m") }
    await #expect(processExitsWith: .failure) { _ = DrawsTests.draws.scalar("m[2,0]") }
    await #expect(processExitsWith: .failure) { _ = DrawsTests.draws.chain(2) }
  }

  @Test("selections keep the order of draws")
  func selections() {
    let draws = Self.draws
    #expect(draws.thinned(by: 2)["a"].elements == [1, 3, 4, 6])
    #expect(draws.chain(1)["a"].elements == [4, 5, 6])
    #expect(draws.selecting(chains: [1, 0])["a"].elements == [4, 5, 6, 1, 2, 3])
    #expect(draws.selecting(draws: 1..<3)["m"].elements.prefix(5) == [4, 5, 6, 7, 8])
    let some = draws.selecting(["theta", "a"])
    #expect(some.names == ["theta", "a"] && some.site("theta")?.period == 3)
  }

  @Test("runs are merged chain after chain, with their statistics")
  func merged() throws {
    let merged = Draws.merging([Self.draws, Self.draws.chain(1)])
    #expect(merged.chains == 3 && merged["a"].elements == [1, 2, 3, 4, 5, 6, 4, 5, 6])
    let density = try line.logDensity()
    let run = try NUTS().run(density, chains: 2, warmUp: 30, draws: 20, key: 1)
    let both = Draws.merging([run, run])
    let statistics = try #require(both.statistics)
    #expect(statistics.acceptance.count == 80 && statistics.stepSizes.count == 4)
    let part = try #require(both.selecting(chains: [3]).thinned(by: 5).statistics)
    let whole = try #require(run.statistics)
    #expect(part.energy == [20, 25, 30, 35].map { whole.energy[$0] })
    #expect(part.stepSizes == [whole.stepSizes[1]])
  }

  @Test("a derived quantity is computed at every draw and may be an angle")
  func derived() {
    let more = Self.draws.deriving("sum") { $0["m"].sum() + $0["a"] }
    #expect(more.names == ["a", "m", "theta", "sum"])
    #expect(more["sum"].shape == [2, 3])
    #expect(more["sum"].elements == [7, 24, 41, 58, 75, 92])
    let turned = Self.draws.deriving("theta", period: 3) { $0["theta"].item() + 1 }
    #expect(turned.names == ["a", "m", "theta"] && turned.site("theta")?.period == 3)
  }

  @Test("highest-density intervals are those of ArviZ", arguments: DiagnosticCase.all)
  func interval(item: DiagnosticCase) throws {
    guard let low = item.expected["hdi_low"], let high = item.expected["hdi_high"] else { return }
    // Order statistics themselves: nothing is computed but differences.
    let ours = item.draws.highestDensityInterval(0.94)
    #expect(ours.low == low && ours.high == high, "\(ours), ArviZ \(low ?? .nan) \(high ?? .nan)")
  }

  @Test(
    "the interval of an angle is the shortest arc, also across the cut and the end of the branch")
  func arc() {
    // 90 of 100 draws lie within 0.1 of π, the others spread over the rest: naively the interval would be most of [0, π).
    let values = (0..<90).map { k -> Double in
      let x = Double.pi - 0.1 + 0.2 * Double(k) / 89
      return x < Double.pi ? x : x - Double.pi
    }
    let spread = (0..<10).map { 0.5 + 0.2 * Double($0) }
    let angle = ScalarDraws(name: "theta", values: values + spread, period: Double.pi)
    let arc = angle.highestDensityInterval(0.89)
    #expect(near(arc.high - arc.low, 0.2, 1e-9), "\(arc)")
    let middle = 0.5 * (arc.low + arc.high)
    #expect(abs(middle - angle.mean) < 0.5 * Double.pi)
    // Two clusters either side of the end of the branch, which is opposite the mean direction.
    let pair = ScalarDraws(
      name: "theta", values: [0.0, 0.001, 0.002, 1.4, 1.41, 1.72, 1.73], period: Double.pi)
    let around = pair.highestDensityInterval(0.43)
    #expect(near(around.high - around.low, 0.33, 1e-9), "\(around)")
  }

  @Test("the energy fraction is ArviZ's", arguments: DiagnosticCase.all)
  func energy(item: DiagnosticCase) throws {
    guard let first = item.expected["bfmi_first"], let last = item.expected["bfmi_last"] else {
      return
    }
    let ours = energyFractions(item.values, chains: item.chains)
    for (value, known) in [(ours[0], first), (ours[item.chains - 1], last)] {
      guard let known else {
        #expect(value.isNaN)
        continue
      }
      // Far from zero the variance loses half the digits in neither.
      #expect(near(value, known, 1e-9), "\(value), ArviZ \(known)")
    }
  }
}

@Suite("Summary table")
struct SummaryTests {
  @Test("the table has ArviZ's columns, a row to each scalar, and digits by the deviation")
  func table() throws {
    let item = try #require(DiagnosticCase.all.first { $0.name == "autocorrelated" })
    let large = item.values.map { 1909.8 + 87 * ($0 - 3) / 0.2 }
    let tiny = item.values.map { $0 * 1e-19 }
    let draws = Draws(
      chains: item.chains, draws: item.values.count / item.chains,
      sites: [
        Draws.Site(name: "n", shape: [], values: item.values),
        Draws.Site(name: "flux", shape: [], values: large),
        Draws.Site(name: "unit", shape: [1], values: tiny),
        Draws.Site(name: "fixed", shape: [], values: item.values.map { _ in 2.5 }),
      ])
    let summary = draws.summary()
    #expect(
      summary.columns == [
        "mean", "sd", "hdi_3%", "hdi_97%", "mcse_mean", "mcse_sd", "ess_bulk", "ess_tail", "r_hat",
      ])
    #expect(
      summary.description == """
                     mean       sd    hdi_3%   hdi_97%  mcse_mean  mcse_sd  ess_bulk  ess_tail  r_hat
        n            2.97     0.21      2.58      3.36      0.038    0.016        31        78  1.085
        flux         1899       90      1728      2068         16      6.9        31        78  1.085
        unit[0]  2.97e-19  2.1e-20  2.58e-19  3.36e-19    3.8e-21  1.6e-21        31        78  1.085
        fixed       2.500        0     2.500     2.500          0      nan      1000      1000    nan
        """, "\n\(summary)")
    let row = try #require(summary["n"])
    #expect(row.mean == draws.scalar("n").mean && row.rHat == draws.scalar("n").rHat)
    #expect(summary.column("ess_bulk")?.count == 4 && summary.column("nonsense") == nil)
    let quantiles = draws.summary(sites: ["n"], interval: .quantiles([0.05, 0.5, 0.975]))
    #expect(quantiles.intervalNames == ["q5", "q50", "q97.5"] && quantiles.rows.count == 1)
    #expect(quantiles.column("q50") == [draws.scalar("n").quantiles([0.5])[0]])
  }

  @Test("an image among the sites is left out of the table, and the table says so")
  func image() {
    let draws = Draws(
      chains: 1, draws: 4,
      sites: [
        Draws.Site(name: "a", shape: [], values: [1, 2, 3, 4]),
        Draws.Site(name: "model", shape: [40, 40], values: .init(repeating: 0, count: 6400)),
      ])
    let summary = draws.summary()
    #expect(summary.rows.map(\.name) == ["a"])
    #expect(summary.omitted.map(\.name) == ["model"])
    #expect(
      summary.description.hasSuffix(
        "model: 1600 elements, not shown; name it in summary(sites:) to see them"))
    #expect(draws.summary(sites: ["model"]).rows.count == 1600)
  }
}
