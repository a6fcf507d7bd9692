// SPDX-License-Identifier: MIT
//
// Warnings: silence when all is well, and the right words for each way in which draws can be wrong.

import Distributions
import Inference
import Numerics
import PPL
import Tensors
import Testing

@Suite("Warnings about draws")
struct WarningTests {
  /// Returns chains of independent normal draws.
  private func normal(
    _ chains: Int = 4, _ draws: Int = 500, key: RandomKey = 1, _ name: String = "x",
    _ change: (Int, Int, Double) -> Double = { $2 }
  ) -> Draws {
    let values = (0..<chains).flatMap { chain in
      (0..<draws).map { draw in
        change(chain, draw, key.folding(in: name).folding(in: chain).normal(UInt64(draw)))
      }
    }
    return Draws(
      chains: chains, draws: draws, sites: [Draws.Site(name: name, shape: [], values: values)])
  }

  /// Returns the codes of the warnings about draws.
  private func codes(_ draws: Draws) -> [DiagnosticWarning.Code] {
    draws.diagnostics.warnings.map(\.code)
  }

  @Test("good draws give no warning, whatever their number of scalars")
  func silence() throws {
    #expect(normal().diagnostics.isGood)
    let density = try noncentred.logDensity()
    let draws = try NUTS(targetAcceptance: 0.95).run(density, chains: 4, key: 4)
    let diagnostics = draws.diagnostics
    #expect(diagnostics.warnings == [], "\(diagnostics)")
    #expect(diagnostics.scalars.count == 10 && diagnostics.divergences == 0)
    #expect(diagnostics.energyFractions.allSatisfy { $0 > 0.5 })
    #expect(diagnostics.description.hasPrefix("The chains agree; no warning."))
  }

  @Test("a chain that stays apart is named, with the places")
  func stuck() throws {
    let draws = normal { chain, _, x in chain == 2 ? 40 + x : x }
    let warning = try #require(draws.diagnostics.warnings.first)
    #expect(codes(draws).filter { $0 == .rHat }.isEmpty)
    #expect(warning.code == .stuckChain && warning.subject == "chain 2", "\(warning)")
    #expect(warning.message.contains("chain 2 of 4, counted from 0"), "\(warning)")
    #expect(warning.message.contains("40.") || warning.message.contains("39."), "\(warning)")
    #expect(draws.diagnostics["x"]?.rHat ?? 0 > 1.5)
  }

  @Test("two groups of chains are called modes")
  func modes() throws {
    let draws = normal { chain, _, x in chain % 2 == 1 ? 40 + x : x }
    let warning = try #require(draws.diagnostics.warnings.first)
    #expect(warning.code == .separateModes && warning.subject == "chains 0, 2", "\(warning)")
    let pair = normal(2) { chain, _, x in chain == 1 ? 40 + x : x }
    #expect(codes(pair).first == .separateModes)
  }

  @Test(
    "an angle stuck at the opposite direction is named, though its mean on the branch is the same")
  func stuckAngle() throws {
    let values = normal { chain, _, x in
      let y = 0.05 * x + (chain == 3 ? 0.5 * Double.pi : 0)
      return y - Double.pi * (y / Double.pi).rounded(.down)
    }.sites[0].values
    let draws = Draws(
      chains: 4, draws: 500,
      sites: [Draws.Site(name: "theta", shape: [], period: Double.pi, values: values)])
    let warning = try #require(draws.diagnostics.warnings.first)
    #expect(warning.code == .stuckChain && warning.subject == "chain 3", "\(warning)")
    #expect(warning.message.contains("1.5"), "\(warning)")
  }

  @Test("chains that drift have a bad R-hat and few effective draws, but no modes")
  func drift() {
    let draws = normal { _, draw, x in x + Double(draw) / 100 }
    let found = codes(draws)
    #expect(found.contains(.rHat) && found.contains(.lowBulkESS))
    #expect(!found.contains(.stuckChain) && !found.contains(.separateModes))
  }

  @Test("a chain that does not move is named")
  func frozen() throws {
    let draws = normal { chain, _, x in chain == 1 ? 0.3 : x }
    let found = draws.diagnostics.warnings
    #expect(found.first?.code == .frozenChain && found.first?.subject == "chain 1", "\(found)")
  }

  @Test("a quantity that never changes is told apart from one that does not converge")
  func constant() {
    let draws = normal().adding(constant: "k")
    #expect(codes(draws) == [.constant])
  }

  @Test("an angle of which nothing is known is said to be undetermined, and nothing else")
  func undetermined() {
    let values = RandomKey(3).uniforms(2000).map { $0 * Double.pi }
    let draws = Draws(
      chains: 4, draws: 500,
      sites: [Draws.Site(name: "theta", shape: [], period: Double.pi, values: values)])
    #expect(codes(draws) == [.angleUndetermined])
  }

  @Test("draws that are no numbers are counted")
  func notFinite() throws {
    let draws = normal { chain, draw, x in
      chain == 0 && draw < 7 ? .nan : chain == 1 && draw == 0 ? .infinity : x
    }
    let warning = try #require(draws.diagnostics.warnings.first)
    #expect(warning.code == .notFinite && warning.message.contains("8 of 2000"), "\(warning)")
  }

  @Test("few draws are said to be few, and none at all need no more words")
  func few() {
    #expect(codes(normal(4, 3)) == [.fewDraws])
    #expect(codes(normal(4, 50)).contains(.fewDraws))
    #expect(codes(normal(4, 0)) == [.fewDraws])
  }

  @Test("slow chains are told how much longer to run")
  func slow() throws {
    let values = DiagnosticsTests.autoregressive(0.95, chains: 4, draws: 1000, key: 5).values
    let draws = Draws(
      chains: 4, draws: 1000, sites: [Draws.Site(name: "x", shape: [], values: values)])
    let warning = try #require(draws.diagnostics.warnings.first { $0.code == .lowBulkESS })
    // 4000 draws with a correlation time of 39 are worth a hundred: four times as many are wanted, or a little more.
    #expect(warning.message.contains(" times as many"), "\(warning)")
  }

  @Test("divergences are counted, with the place where they gather")
  func divergences() throws {
    let draws = try NUTS().run(eightSchools.logDensity(), chains: 4, key: 7)
    let found = draws.diagnostics.warnings
    let warning = try #require(found.first { $0.code == .divergences })
    #expect(warning.message.contains("mostly where tau is small"), "\(warning)")
    #expect(warning.message.contains("non-centred"))
    #expect(!draws.diagnostics.isGood && draws.diagnostics.description.contains("divergences"))
  }

  @Test("one Markov chain is told that it is alone; independent draws are not")
  func alone() throws {
    let density = try line.logDensity()
    #expect(
      codes(try NUTS().run(density, chains: 1, warmUp: 200, draws: 500, key: 1)) == [.oneChain])
    #expect(codes(normal(1, 2000)) == [])
  }

  @Test("a chain that is stuck in a worse place is told by its log density, and the others to keep")
  func worse() throws {
    // A well a million times deeper than the other, with a wall between them that no chain crosses.
    let density = try model(1) { x in
      let (near, far) = (-0.5 * square((x - 10) / 0.1), -0.5 * square((x + 10) / 0.1) - 20)
      return Tensor.stack([near.sum(), far.sum()]).logSumExp(axis: 0)
    }.logDensity()
    let starts = [[10.0], [10], [-10], [10]]
    let draws = try NUTS().run(
      density, chains: 4, warmUp: 200, draws: 300, key: 1, initial: .unconstrained(starts))
    let warning = try #require(draws.diagnostics.warnings.first)
    #expect(warning.code == .stuckChain && warning.subject == "chain 2", "\(warning)")
    #expect(warning.message.contains("lower by 20 in chain 2"), "\(warning)")
    #expect(warning.message.contains("[0, 1, 3]"), "\(warning)")
  }

  @Test("trajectories that are cut off are counted")
  func depths() throws {
    // Scales of 1 and 300 with an identity metric need trajectories of some 300 steps; three doublings are not enough.
    let density = try Model<Void> { m in
      m.sample("x", Normal(0, 1))
      m.sample("y", Normal(0, 300))
    }.logDensity()
    let draws = try NUTS(maximumDepth: 3).run(
      density, chains: 2, warmUp: 20, draws: 200, key: 1, adaptation: .stepSizeOnly)
    let warning = try #require(draws.diagnostics.warnings.first { $0.code == .treeDepth })
    #expect(warning.message.contains("at the largest depth, 3"), "\(warning)")
    #expect(draws.logDensity?.shape == [2, 200])
  }

  @Test("slow energies are named")
  func energies() throws {
    // Neal's funnel: the scale of x runs over many decades, and momenta explore the energies slowly.
    let funnel = Model<Void> { m in
      let v = m.sample("v", Normal(0, 3))
      m.plate("p", 9) { m.sample("x", Normal(0, exp(0.5 * v))) }
    }
    let draws = try NUTS().run(funnel.logDensity(), chains: 4, warmUp: 500, draws: 500, key: 2)
    #expect(codes(draws).contains(.lowEnergyFraction), "\(draws.diagnostics)")
  }
}

extension Draws {
  /// Returns the draws with a site that is 1 at every draw.
  fileprivate func adding(constant name: String) -> Draws { deriving(name) { _ in 1.0 } }
}
