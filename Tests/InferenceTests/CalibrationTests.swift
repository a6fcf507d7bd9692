// SPDX-License-Identifier: MIT
//
// Simulation-based calibration: right algorithms pass, algorithms broken on purpose fail with the right words.

import Distributions
import Inference
import Numerics
import PPL
import Synchronization
import Tensors
import Testing

@Suite("Simulation-based calibration")
struct CalibrationTests {
  /// Returns the mean of a column of draws changed by a function of its value and its mean.
  private static func changed(
    _ draws: Draws, _ change: @Sendable (Double, Double) -> Double
  ) -> Draws {
    Draws(
      chains: draws.chains, draws: draws.draws,
      sites: draws.sites.map { site in
        let mean = site.values.reduce(0, +) / Double(site.values.count)
        return Draws.Site(
          name: site.name, shape: site.shape, period: site.period,
          values: site.values.map { change($0, mean) })
      })
  }

  /// Samples a density with a short run.
  @Sendable private static func sample(_ density: CompiledDensity, _ key: RandomKey) throws -> Draws
  {
    try NUTS().run(density, chains: 1, warmUp: 150, draws: 300, key: key, threads: 1)
  }

  @Test("NUTS is calibrated on a linear model with normal noise")
  func linear() throws {
    let result = try simulationBasedCalibration(line, key: 1, algorithm: Self.sample)
    #expect(result.replicates == 500 && result.failures.isEmpty)
    #expect(result.quantities.map(\.name) == ["slope", "height"])
    // Four tests at 0.001: a right sampler fails with one key in 250; the key is fixed.
    #expect(result.isCalibrated(), "\n\(result)")
    #expect(result.description.contains("no sign that the algorithm is wrong"))
    #expect(result.warnings.isEmpty, "\n\(result)")
  }

  @Test("NUTS is calibrated on non-centred eight schools")
  func eightSchools() throws {
    let result = try simulationBasedCalibration(noncentred, key: 2, algorithm: Self.sample)
    #expect(result.replicates == 500 && result.failures.isEmpty)
    #expect(result.quantities.map(\.name).prefix(3) == ["mu", "tau", "theta[0]"])
    // Twenty tests at 0.001: one key in fifty.
    #expect(result.isCalibrated(), "\n\(result)")
  }

  @Test(
    "draws that are too narrow, too wide, too low or too high fail, and are called so",
    arguments: [
      (0.75, 0.0, "too narrow"), (1.4, 0, "too wide"), (1, -0.4, "too low"), (1, 0.4, "too high"),
    ])
  func broken(factor: Double, shift: Double, word: String) throws {
    // Independent draws, so that nothing but the flaw is seen.
    let result = try simulationBasedCalibration(line, key: 3) { density, key in
      let draws = try LaplaceApproximation(density, from: [1, 0]).sample(200, key: key)
      return Self.changed(draws) { value, mean in mean + factor * (value - mean) + shift }
    }
    #expect(!result.isCalibrated(), "\n\(result)")
    let verdict = try #require(result["slope"]?.verdict(), "\n\(result)")
    #expect(verdict.contains(word), "\(verdict)\n\(result)")
    #expect(result["slope"]?.chiSquaredPValue ?? 1 < 1e-3)
    #expect(result["slope"]?.cumulativePValue ?? 1 < 1e-3)
    #expect(result.description.contains(word))
  }

  @Test("a sampler whose draws are shrunk by 0.8 fails")
  func shrunk() throws {
    let result = try simulationBasedCalibration(line, key: 4) { density, key in
      let draws = try Self.sample(density, key)
      return Self.changed(draws) { value, mean in mean + 0.8 * (value - mean) }
    }
    #expect(!result.isCalibrated(), "\n\(result)")
    #expect(result["slope"]?.verdict()?.contains("U shape") ?? false, "\n\(result)")
  }

  @Test(
    "angles are ranked on the circle: right draws pass at the cut, shifted and shrunk ones fail")
  func angles() throws {
    // The direction of a point that is measured with noise: most posteriors are sharp, some go round the circle.
    let model = Model<Void> { m in
      let theta = m.sample("theta", CircularUniform(period: Double.pi))
      m.observe("u", Normal(cos(2 * theta), 0.8), 0)
      m.observe("v", Normal(sin(2 * theta), 0.8), 0)
    }
    /// Returns draws by inversion on a grid, exact to its step: 1/400 of the circle.
    let exact: @Sendable (CompiledDensity, RandomKey, Double, Double) throws -> Draws = {
      density, key, factor, shift in
      let evaluator = density.makeJointEvaluator()
      // The two coordinates of an angle are a point in its direction.
      let grid = (0..<400).map { (Double($0) + 0.5) * Double.pi / 400 }
      let logs = grid.map { angle in
        evaluator.value(at: [plain(2 * angle) { cos($0) }, plain(2 * angle) { sin($0) }])
      }
      let largest = logs.max() ?? 0
      var sums: [Double] = []
      for value in logs { sums.append((sums.last ?? 0) + plain(value - largest) { exp($0) }) }
      let values = (0..<200).map { draw -> Double in
        let target = key.uniform(UInt64(draw)) * (sums.last ?? 1)
        let place = sums.firstIndex { $0 >= target } ?? 0
        return grid[place] + (key.uniform(UInt64(draw + 1000)) - 0.5) * Double.pi / 400
      }
      let center = ScalarDraws(name: "theta", values: values, period: Double.pi)
      let changed = center.unwrapped.map { center.mean + factor * ($0 - center.mean) + shift }
      return Draws(
        chains: 1, draws: 200,
        sites: [
          Draws.Site(
            name: "theta", shape: [], period: Double.pi,
            values: changed.map { $0 - Double.pi * ($0 / Double.pi).rounded(.down) })
        ])
    }
    for (factor, shift, isRight) in [(1, 0, true), (0.7, 0, false), (1, 0.15, false)]
      as [(Double, Double, Bool)]
    {
      let result = try simulationBasedCalibration(model, replicates: 300, key: 5) { density, key in
        try exact(density, key, factor, shift)
      }
      #expect(result.isCalibrated() == isRight, "\(factor) \(shift)\n\(result)")
    }
  }

  @Test("further quantities are ranked too")
  func quantities() throws {
    let result = try simulationBasedCalibration(
      line, replicates: 200, key: 6,
      quantities: { draws in draws.deriving("product") { $0["slope"] * $0["height"] } }
    ) { density, key in
      try LaplaceApproximation(density, from: [1, 0]).sample(200, key: key)
    }
    #expect(result.quantities.map(\.name) == ["slope", "height", "product"])
    #expect(result.isCalibrated(), "\n\(result)")
  }

  @Test("ties are broken fairly: a discrete posterior passes")
  func ties() throws {
    // The prior is on a grid of eleven values, the draws are exact ones of the prior, as the data say nothing.
    let model = Model<Void> { m in
      let x = m.sample("x", Uniform(0, 1))
      m.observe("y", Normal(0 * x, 1), 0)
    }
    let result = try simulationBasedCalibration(
      model, key: 7,
      quantities: { draws in
        draws.deriving("coarse") { ($0["x"].item() * 3).rounded(.down) }
      }
    ) { _, key in
      Draws(
        chains: 1, draws: 200, sites: [Draws.Site(name: "x", shape: [], values: key.uniforms(200))])
    }
    #expect(result.isCalibrated(), "\n\(result)")
    let coarse = try #require(result["coarse"])
    #expect(Set(coarse.ranks).count > 60)
  }

  @Test("replicates that fail are kept apart, with the first reason")
  func failures() throws {
    struct Refusal: Error {}
    let calls = Mutex(0)
    let result = try simulationBasedCalibration(line, replicates: 40, key: 8) { density, key in
      let number = calls.withLock { count in
        count += 1
        return count
      }
      if number % 4 == 0 { throw Refusal() }
      return try LaplaceApproximation(density, from: [1, 0]).sample(200, key: key)
    }
    #expect(result.failures.count == 10 && result.replicates == 30)
    #expect(result.warnings.contains { $0.contains("10 of 40") && $0.contains("Refusal") })
    let empty = try simulationBasedCalibration(line, replicates: 3) { _, _ in throw Refusal() }
    #expect(empty.replicates == 0 && !empty.isCalibrated() && empty.quantities.isEmpty)
  }

  @Test("ranks do not depend on the number of threads; progress and cancellation work")
  func threads() throws {
    let updates = Mutex([Int]())
    let runs = try [1, 4].map { threads in
      try simulationBasedCalibration(
        line, replicates: 60, key: 9, threads: threads,
        progress: Progress { update in updates.withLock { $0.append(update.completed) } },
        algorithm: { try LaplaceApproximation($0, from: [1, 0]).sample(100, key: $1) })
    }
    #expect(runs[0].quantities.map(\.uniforms) == runs[1].quantities.map(\.uniforms))
    #expect(updates.withLock { $0.last } == 60)
    let started = Mutex(0)
    let part = try simulationBasedCalibration(
      line, replicates: 60, threads: 1, isCancelled: { started.withLock { $0 >= 7 } }
    ) { density, key in
      started.withLock { $0 += 1 }
      return try LaplaceApproximation(density, from: [1, 0]).sample(100, key: key)
    }
    #expect(part.wasCancelled && part.replicates == 7)
  }

  @Test("a model that cannot be simulated is refused")
  func refused() {
    let factor = Model<Void> { m in
      let x = m.sample("x", Normal(0, 1))
      m.observe("y", Normal(x, 1), 0)
      m.factor("f", x)
    }
    let bare = Model<Void> { m in m.sample("x", Normal(0, 1)) }
    let flat = Model<Void> { m in
      m.observe("y", Normal(m.sample("x", ImproperUniform(.real)), 1), 0)
    }
    for (model, sites) in [(factor, nil), (bare, nil), (bare, ["z"]), (flat, nil)]
      as [(Model<Void>, [String]?)]
    {
      let error = mistake {
        _ = try simulationBasedCalibration(model, data: sites) { density, _ in
          density.draws([], chains: 1)
        }
      }
      #expect(error != nil)
    }
  }

  @Test(
    "a restriction whose mass depends on other sites is refused, and one without draws; rising vectors are not"
  )
  func restrictions() throws {
    /// Returns a model with a variable that is restricted, given another one.
    func confined(_ make: @escaping @Sendable (Tensor) -> Restricted) -> Model<Void> {
      Model { m in
        let mu = m.sample("mu", Normal(0, 1))
        let x = m.sample("x", make(mu))
        m.observe("y", Normal(x, 1), [Double](repeating: 0, count: x.count))
      }
    }
    let refused = [
      confined { Normal($0 * Tensor.ones([1]), 1).restricted(to: .positive) },
      confined { Normal(Tensor([0]), 1).restricted(to: .above($0)) },
      confined { Normal($0 * Tensor([0, 1]), 1).restricted(to: .ordered) },
      confined { _ in Normal(Tensor([0]), 1).restricted(to: .above(50)) },
    ]
    for (k, model) in refused.enumerated() {
      let error = mistake {
        _ = try simulationBasedCalibration(model) { density, _ in density.draws([], chains: 1) }
      }
      #expect(error?.kind == .misuse && error?.site == "x", "\(k): \(String(describing: error))")
    }
    // Seven numbers rise in 1 of 5040 orders, whatever their mean.
    let rising = confined { Normal($0, 1).expanded(to: [7]).restricted(to: .ordered) }
    let result = try simulationBasedCalibration(rising, replicates: 200, key: 10) { density, key in
      try NUTS().run(density, chains: 1, warmUp: 300, draws: 300, key: key, threads: 1)
    }
    #expect(result.replicates == 200 && result.failures.isEmpty)
    // Sixteen tests at 0.001: one key in sixty.
    #expect(result.isCalibrated(), "\n\(result)")
  }

  @Test(
    "the exact test of a distribution rejects as often as it says, and its band holds uniform ranks as often"
  )
  func exactness() throws {
    // 200 samples of 60 uniform numbers by way of a calibration whose draws are those of the prior.
    let model = Model<Void> { m in
      let x = m.sample("x", Uniform(0, 1))
      m.observe("y", Normal(0 * x, 1), 0)
    }
    var (rejected, squared, outside) = (0, 0, 0)
    for run in 0..<200 {
      let result = try simulationBasedCalibration(
        model, replicates: 60, draws: 20, key: RandomKey(UInt64(run)), threads: 1
      ) { _, key in
        Draws(
          chains: 1, draws: 60, sites: [Draws.Site(name: "x", shape: [], values: key.uniforms(60))])
      }
      let x = try #require(result["x"])
      // Five ranks to a bin, where there are too few for twenty bins.
      let squares = x.histogram(bins: 12).map { Double(($0 - 5) * ($0 - 5)) / 5 }
      #expect(abs(x.chiSquared - squares.reduce(0, +)) < 1e-9)
      if x.cumulativePValue < 0.1 { rejected += 1 }
      if x.chiSquaredPValue < 0.1 { squared += 1 }
      let leaves = x.cumulativeDifference(probability: 0.9).contains {
        $0.difference < $0.low || $0.difference > $0.high
      }
      if leaves { outside += 1 }
    }
    // Twenty expected, with four standard deviations of 17. Counts are discrete, so a little fewer are right too.
    for count in [rejected, squared, outside] { #expect(count > 3 && count < 37, "\(count)") }
  }
}
