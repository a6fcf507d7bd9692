// SPDX-License-Identifier: MIT
//
// The runner: the same draws for any number of threads, what is stored, where chains start, what it reports.

import AllocationCounter
import Distributions
import Inference
import Numerics
import PPL
import Synchronization
import Tensors
import TestSupport
import Testing

@Suite("Runner")
struct RunnerTests {
  @Test("a metric of another dimension and impossible counts are refused, with what was found")
  func refusedSettings() throws {
    let density = try line.logDensity()
    for warmUp in [0, 100] {
      let wrong = mistake {
        _ = try NUTS(metric: .identity(3)).run(density, warmUp: warmUp, draws: 10)
      }
      #expect(wrong?.kind == .misuse, "\(warmUp)")
      #expect(wrong?.explanation.contains("2 coordinates") ?? false)
      #expect(wrong?.explanation.contains("one of 3") ?? false)
    }
    #expect(mistake { _ = try NUTS().run(density, chains: 0) }?.kind == .misuse)
    #expect(mistake { _ = try NUTS().run(density, warmUp: -1) }?.kind == .misuse)
    #expect(mistake { _ = try NUTS().run(density, draws: 0) }?.kind == .misuse)
    #expect(mistake { _ = try NUTS().run(density, thinning: 0) }?.kind == .misuse)
    #expect(mistake { _ = try NUTS().run(density, threads: 0) }?.kind == .misuse)
  }

  @Test("thinning does not change the energy fraction, whenever it is done")
  func thinnedEnergies() throws {
    let density = try noncentred.logDensity()
    let whole = try NUTS().run(density, chains: 2, warmUp: 200, draws: 400, key: 1)
    let thin = try NUTS().run(density, chains: 2, warmUp: 200, draws: 40, thinning: 10, key: 1)
    let known = whole.diagnostics.energyFractions
    #expect(known.count == 2 && known.allSatisfy { $0 > 0.5 && $0 < 1.5 })
    #expect(thin.diagnostics.energyFractions == known)
    let after = whole.thinned(by: 10)
    #expect(after.diagnostics.energyFractions == known && after.statistics?.thinning == 10)
    #expect(after.selecting(chains: [1]).diagnostics.energyFractions == [known[1]])
    // A stretch of draws is judged anew, by the formula.
    let half = whole.selecting(draws: 100..<300)
    #expect(
      half.diagnostics.energyFractions
        == energyFractions(half.statistics?.energy ?? [], chains: 2))
    // Sums in one pass and in two agree to rounding.
    let direct = energyFractions(whole.statistics?.energy ?? [], chains: 2)
    #expect(zip(direct, known).allSatisfy { near($0, $1, 1e-10) })
  }

  /// A model with a deterministic image of 150 × 150 pixels.
  static let image = Model<Void> { m in
    let height = m.sample("height", LogNormal(0, 1))
    let slope = m.sample("slope", Normal(0, 1))
    let x = Tensor((0..<22_500).map { Double($0 % 150) / 150 }, shape: [150, 150])
    m.deterministic("image", height * exp(slope * x))
    m.observe("y", Normal(height, 0.1), 1.3)
  }

  /// Returns all stored numbers of a run.
  static func numbers(_ draws: Draws) -> [[Double]] { draws.sites.map(\.values) }

  @Test("any number of threads gives the same draws", arguments: [1, 2, 3, 5, 16])
  func threads(count: Int) throws {
    let density = try noncentred.logDensity()
    let alone = try NUTS().run(density, chains: 5, warmUp: 150, draws: 100, key: 4, threads: 1)
    let several = try NUTS().run(
      density, chains: 5, warmUp: 150, draws: 100, key: 4, threads: count)
    #expect(Self.numbers(alone) == Self.numbers(several))
    #expect(alone.statistics?.energy == several.statistics?.energy)
    #expect(alone.statistics?.stepSizes == several.statistics?.stepSizes)
    #expect(alone.statistics?.warmUpGradients == several.statistics?.warmUpGradients)
  }

  @Test("a chain's draws do not depend on how many other chains there are")
  func chains() throws {
    let density = try noncentred.logDensity()
    let two = try NUTS().run(density, chains: 2, warmUp: 50, draws: 40, key: 4)
    let five = try NUTS().run(density, chains: 5, warmUp: 50, draws: 40, key: 4)
    #expect(two["mu"].elements == Array(five["mu"].elements.prefix(80)))
  }

  @Test("thinned draws are every third of the others, and their statistics those of all steps")
  func thinning() throws {
    let density = try noncentred.logDensity()
    let all = try NUTS().run(density, chains: 2, warmUp: 60, draws: 90, key: 4)
    let thin = try NUTS().run(density, chains: 2, warmUp: 60, draws: 30, thinning: 3, key: 4)
    let (every, third) = (all["mu"].elements, thin["mu"].elements)
    for chain in 0..<2 {
      for k in 0..<30 { #expect(third[chain * 30 + k] == every[chain * 90 + 3 * k + 2]) }
    }
    let (before, after) = (try #require(all.statistics), try #require(thin.statistics))
    #expect(before.gradients.reduce(0, +) == after.gradients.reduce(0, +))
    #expect(after.diverged.count == 60 && after.thinning == 3)
    let mean = { (x: [Double]) in x.reduce(0, +) / Double(x.count) }
    // The same numbers added in another order.
    #expect(abs(mean(before.acceptance) - mean(after.acceptance)) < 1e-12)
    #expect(after.energy[0] == before.energy[2])
  }

  @Test("the sites that are asked for are stored, in the order of the wish")
  func sites() throws {
    let model = Model<Void> { m in
      let a = m.sample("a", Normal(0, 1))
      let b = m.plate("p", 3) { m.sample("b", Normal(a, 1)) }
      m.deterministic("twice", 2 * b)
      m.deterministic("sum", b.sum())
      m.sample("angle", CircularUniform(period: 1))
    }.reparameterized(["b": LocScale()])
    let density = try model.logDensity()
    let run = { (sites: StoredSites) in
      try NUTS().run(density, chains: 2, warmUp: 20, draws: 10, sites: sites)
    }
    #expect(try run(.latent).names == ["a", "b", "angle"])
    let all = try run(.all)
    #expect(all.names == ["a", "b", "angle", "twice", "sum"])
    #expect(all["twice"].shape == [2, 10, 3] && all["sum"].shape == [2, 10])
    #expect((all["twice"] - 2 * all["b"]).elements.allSatisfy { $0 == 0 })
    #expect(all.sites.map(\.period) == [nil, nil, 1, nil, nil])
    let some = try run(["sum", "b_base", "sum"])
    #expect(some.names == ["sum", "b_base"])
    #expect(some["sum"].elements == all["sum"].elements)
    #expect(try run([]).names == [])
    let unknown = mistake { _ = try run(["summ", "a"]) }
    #expect(unknown?.kind == .unknownSites(["summ"]))
    #expect(unknown?.explanation.contains("\"twice\"") ?? false)
  }

  @Test("unconstrained vectors are kept on request, and belong to the stored sites")
  func unconstrained() throws {
    let density = try noncentred.logDensity()
    let draws = try NUTS().run(
      density, chains: 2, warmUp: 20, draws: 10, keepsUnconstrained: true)
    let vectors = try #require(draws.unconstrained)
    #expect(vectors.shape == [2, 10, 10])
    for place in [0, 13, 19] {
      let q = Array(vectors.elements[(place * 10)..<(place * 10 + 10)])
      #expect(density.constrain(q)["tau"]?.item() == draws["tau"].elements[place])
      #expect(density.makeEvaluator().value(at: q) == draws.statistics?.logDensity[place])
    }
    let chosen = draws.selecting(chains: [1])
    #expect(chosen.unconstrained?.elements == Array(vectors.elements.suffix(100)))
    #expect(try NUTS().run(density, chains: 1, warmUp: 5, draws: 5).unconstrained == nil)
  }

  @Test("each chain can start at values of its own, and mistakes in them name chain and site")
  func initialValues() throws {
    let density = try eightSchools.logDensity()
    let values: [[String: any TensorConvertible]] = [
      ["mu": 3, "tau": 0.5], ["mu": -20.0, "tau": 70, "theta": [Double](repeating: 1, count: 8)],
    ]
    // A step of size zero goes nowhere: the draws are the starting points.
    let still = RandomWalkMetropolis(scale: 1e-300)
    let draws = try still.run(
      density, chains: 2, warmUp: 0, draws: 2, initial: .valuesByChain(values))
    // Through the logarithm and back.
    #expect(zip(draws["mu"].elements, [3, 3, -20, -20]).allSatisfy { near($0, $1) })
    #expect(zip(draws["tau"].elements, [0.5, 0.5, 70, 70]).allSatisfy { near($0, $1) })
    #expect(draws["theta"].elements.suffix(8).allSatisfy { near($0, 1) })
    let same = try still.run(
      density, chains: 3, warmUp: 0, draws: 1, initial: .values(["mu": 3, "tau": 2]))
    #expect(same["tau"].elements.allSatisfy { near($0, 2) })

    /// Returns the mistake of a run from some values.
    func wrong(_ second: [String: any TensorConvertible]) -> ModelError? {
      mistake {
        _ = try still.run(
          density, chains: 2, warmUp: 0, draws: 1, initial: .valuesByChain([["mu": 1], second]))
      }
    }
    let outside = wrong(["tau": -1])
    #expect(outside?.kind == .outsideSupport && outside?.site == "tau")
    #expect(outside?.explanation.contains("chain 1") ?? false)
    let shape = wrong(["theta": [1.0, 2]])
    #expect(shape?.kind == .shapeMismatch(expected: [8], found: [2]) && shape?.site == "theta")
    #expect(wrong(["teta": 1])?.kind == .unknownSites(["teta"]))
    let number = mistake {
      _ = try still.run(density, chains: 3, initial: .valuesByChain(values))
    }
    #expect(number?.explanation.contains("3 chains, found 2") ?? false)
    let length = mistake {
      _ = try still.run(density, chains: 1, initial: .unconstrained([[1, 2]]))
    }
    #expect(length?.explanation.contains("10 coordinates, found 2") ?? false)
  }

  @Test("chains start near the mode, or at draws of the Laplace approximation with its metric")
  func searchedStarts() throws {
    let density = try line.logDensity()
    let still = RandomWalkMetropolis(scale: 1e-300)
    let exact = try LaplaceApproximation(density, from: [0, 0])
    let near = try still.run(
      density, chains: 50, warmUp: 0, draws: 1, initial: .map(jitter: 0.01))
    for (k, scalar) in near.scalars.enumerated() {
      // Deviations of a normal number: 50 of them stay within 5 sigma, and are not all alike.
      #expect(scalar.values.allSatisfy { abs($0 - exact.mode.position[k]) < 0.05 })
      #expect(scalar.standardDeviation > 0.005)
    }
    #expect(near.statistics?.warnings == [])
    let wide = try still.run(
      density, chains: 400, warmUp: 0, draws: 1, initial: .laplace(spread: 2))
    for (k, scalar) in wide.scalars.enumerated() {
      let expected = 2 * exact.covariance[3 * k].squareRoot()
      // 400 independent draws know a deviation to 3.5 %: five of these.
      #expect(abs(scalar.standardDeviation / expected - 1) < 0.18)
    }
    let draws = try NUTS().run(
      density, chains: 2, warmUp: 100, draws: 10, initial: .laplace(),
      adaptation: .stepSizeOnly)
    let metrics = try #require(draws.statistics).metrics
    #expect(metrics.count == 2 && metrics[0] == metrics[1])
    #expect(metrics[0].rank == density.dimension)
    for (x, y) in zip(metrics[0].covariance, exact.covariance) {
      // The search stops within 1e-5 of the mode, and the density is normal: its curvature is the same everywhere.
      #expect(abs(x - y) < 1e-9)
    }
  }

  @Test("a density without a mode is started all the same, with a warning")
  func noMode() throws {
    // The scale of a normal variable without data: its density rises without end towards scale 0.
    let draws = try NUTS().run(
      eightSchools.logDensity(), chains: 2, warmUp: 10, draws: 5, initial: .map())
    let warnings = try #require(draws.statistics).warnings
    #expect(warnings.contains { $0.contains("search for a mode") }, "\(warnings)")
  }

  @Test("a second maximum is told of")
  func twoModes() throws {
    // A mixture of two normal distributions, e¹ apart in height.
    let density = try model(1) { x in
      let (near, far) = (-0.5 * square(x - 4).sum() + 1, -0.5 * square(x + 4).sum())
      return maximum(near, far) + log1p(exp(-abs(near - far)))
    }.logDensity()
    let draws = try NUTS().run(
      density, chains: 2, warmUp: 100, draws: 50, key: 3,
      initial: .map(from: .uniform(radius: 6), jitter: 0.1))
    #expect(draws["x"].elements.allSatisfy { $0 > 0 })
    let warnings = try #require(draws.statistics).warnings
    #expect(warnings.count == 1 && warnings[0].contains("2 maxima"), "\(warnings)")
    #expect(warnings.first?.contains("1.0 above the next") ?? false)
    #expect(draws.diagnostics.warnings.first?.code == .run)
  }

  @Test("a run allocates nothing in its steps but what it stores")
  func allocations() throws {
    try #require(allocation_count() >= 0, "no allocation counter on this system")
    let density = try noncentred.logDensity()
    /// Returns the allocations of a run.
    func count(_ draws: Int, _ sites: StoredSites) throws -> Int {
      // The first run compiles what is compiled once.
      _ = try Still().run(density, chains: 3, warmUp: 0, draws: 1, sites: sites, threads: 1)
      let before = allocation_count()
      _ = try Still().run(density, chains: 3, warmUp: 0, draws: draws, sites: sites, threads: 1)
      return allocation_count() - before
    }
    let few = try count(10, .latent)
    let many = try count(50_000, .latent)
    // A slice of time takes some allocations of its own, and 150 000 steps take a few slices.
    #expect(many - few < 1000, "\(few) allocations for 10 draws, \(many) for 50 000")
  }

  /// A kernel that does nothing, and so allocates nothing.
  struct Still: Kernel {
    struct State: ChainState {
      var position: [Double]
      var logDensity: Double
    }

    struct Info: StepInfo {
      var acceptance: Double { 1 }
      var diverged: Bool { false }
    }

    func start(at q: [Double], _ target: some LogDensity, key: RandomKey) -> State {
      State(position: q, logDensity: 0)
    }

    func step(_ state: inout State, _ target: some LogDensity, key: RandomKey) -> Info { Info() }
  }

  @Test("4000 draws of a model with a large image stay small, and a stored image is held once")
  func memory() async {
    await #expect(processExitsWith: .success) {
      let density = try RunnerTests.image.logDensity()
      // What is compiled once, threads and arenas are not the draws' doing.
      _ = try NUTS().run(density, chains: 4, warmUp: 10, draws: 10, sites: .all)
      let before = try #require(peakMemory())
      let draws = try NUTS().run(density, chains: 4, warmUp: 100, draws: 1000, key: 1)
      let after = try #require(peakMemory())
      // Two sites and six statistics of 4000 draws are 0.3 MB; the image would be 720 MB. The allocator's rounding and
      // the evaluators of other threads remain.
      try #require(after - before < 20, "\(before) MB before, \(after) MB after \(draws.names)")
      try #require(after < 100, "\(after) MB in all")
      let images = try NUTS().run(
        density, chains: 4, warmUp: 20, draws: 250, key: 1, sites: ["image"])
      let stored = Double(images.sites[0].values.count * 8) / 1e6
      let most = try #require(peakMemory())
      // 180 MB, and one chain's share while chains are put together.
      try #require(stored == 180 && most - after < 1.4 * stored, "\(after) MB before, \(most) MB")
    }
  }

  @Test("a run without draws or chains is the caller's mistake")
  func preconditions() async {
    await #expect(processExitsWith: .failure) {
      _ = try NUTS().run(line.logDensity(), draws: 0)
    }
    await #expect(processExitsWith: .failure) {
      _ = try NUTS().run(line.logDensity(), threads: 0)
    }
  }
}
