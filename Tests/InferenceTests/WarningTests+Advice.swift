// SPDX-License-Identifier: MIT
//
// Warnings that must not be withheld, advice that must not be given, and what is no reason to warn.

import Distributions
import Inference
import Numerics
import PPL
import Tensors
import Testing

@Suite("What warnings say, and what they leave out")
struct WarningAdviceTests {
  @Test("arrays of any size are judged", arguments: [1000, 1001])
  func large(elements: Int) throws {
    let (chains, draws) = (4, 100)
    var values: [Double] = []
    for chain in 0..<chains {
      for draw in 0..<draws {
        values += RandomKey(1).folding(in: chain).folding(in: draw).normals(elements)
        // One element of many lies elsewhere in each chain.
        values[values.count - 7] += 10 * Double(chain)
      }
    }
    let site = Draws.Site(name: "x", shape: [elements], values: values)
    let diagnostics = Draws(chains: chains, draws: draws, sites: [site]).diagnostics
    #expect(diagnostics.scalars.count == elements)
    #expect(!diagnostics.isGood && diagnostics.worstRHat?.name == "x[\(elements - 7)]")
  }

  @Test("sorting once gives the numbers of sorting each time", arguments: [100, 101, 3, 1])
  func sortedOnce(draws: Int) {
    let normal = RandomKey(3).normals(4 * draws)
    let kinds: [(String, [Double], Double?)] = [
      ("normal", normal, nil), ("ties", normal.map { (2 * $0).rounded() }, nil),
      ("constant", normal.map { _ in 2.5 }, nil),
      ("infinite", normal.map { $0 > 1 ? .infinity : $0 }, nil),
      ("sharp angle", normal.map { 0.1 * $0 + 1 }, Double.pi),
      ("wide angle", RandomKey(4).uniforms(4 * draws).map { $0 * Double.pi }, Double.pi),
    ]
    for (name, values, period) in kinds {
      let scalar = ScalarDraws(name: name, chains: 4, values: values, period: period)
      let site = Draws.Site(name: name, shape: [], period: period, values: values)
      let all = Draws(chains: 4, draws: draws, sites: [site])
      let known = [scalar.rHat, scalar.bulkESS, scalar.tailESS]
      let judged = all.diagnostics.scalars.map { [$0.rHat, $0.bulkESS, $0.tailESS] }[0]
      let row = all.summary().rows.map { [$0.rHat, $0.bulkESS, $0.tailESS] }[0]
      for found in [judged, row] {
        // The same operations in the same order: equal to the bit.
        #expect(
          zip(found, known).allSatisfy { $0 == $1 || $0.isNaN && $1.isNaN },
          "\(name): \(found), one by one \(known)")
      }
    }
  }

  @Test("a chain that came late to the posterior is named, one that was there is not")
  func lateChain() throws {
    /// The standard normal density.
    final class Hill: LogDensity {
      let dimension = 1
      func valueAndGradient(at q: [Double], into gradient: inout [Double]) -> Double {
        gradient[0] = -q[0]
        return -0.5 * q[0] * q[0]
      }
    }
    // Small steps from 60 standard deviations: some hundred draws on the way.
    let draws = try RandomWalkMetropolis(scale: 0.5).run(
      LogDensityFactory(dimension: 1) { Hill() }, chains: 2, warmUp: 0, draws: 4000, key: 1,
      initial: .unconstrained([[0], [60]]))
    let late = draws.diagnostics.warnings.filter { $0.code == .lateChain }
    #expect(late.map(\.subject) == ["chain 1"])
    #expect(late.first?.message.contains("draws.selecting(chains: [0])") ?? false)
    let there = try RandomWalkMetropolis(scale: 0.5).run(
      LogDensityFactory(dimension: 1) { Hill() }, chains: 2, warmUp: 0, draws: 4000, key: 1,
      initial: .unconstrained([[0], [1]]))
    #expect(!there.diagnostics.warnings.contains { $0.code == .lateChain })
  }

  @Test("divergences advise a non-centred form of the sites that have one, and of no others")
  func noncentring() throws {
    /// Returns what is said of divergences.
    func advice(_ model: Model<Void>) throws -> String {
      let draws = try NUTS(targetAcceptance: 0.5).run(
        model.logDensity(), warmUp: 300, draws: 500, key: 1)
      return draws.diagnostics.warnings.first { $0.code == .divergences }?.message ?? "none"
    }
    let centred = try advice(eightSchools)
    #expect(centred.contains("\"theta\": LocScale()"), "\(centred)")
    // A corner without a hierarchy: half of a normal density, cut off where it is highest.
    let corner = try advice(
      Model { m in
        let x = m.plate("p", 4) { m.sample("x", Normal(0, 1)) }
        m.factor("wall", select(x.isGreater(than: 0), Tensor(0), Tensor(-500.0)).sum())
      })
    #expect(corner.contains("Raise the acceptance") && !corner.contains("LocScale"), "\(corner)")
  }

  @Test("elements that a support fixes are no reason to warn; a matrix that does not move is")
  func fixedElements() throws {
    let model = Model { m in
      m.sample("L", LKJCholesky(3, concentration: 2))
    }
    let draws = try NUTS().run(model.logDensity(), key: 1)
    #expect(!draws.diagnostics.warnings.contains { $0.code == .constant }, "\(draws.diagnostics)")
    let still = Draws.Site(
      name: "L", shape: [2, 2], values: (0..<400).flatMap { _ in [1, 0, 0.6, 0.8] })
    let frozen = Draws(chains: 4, draws: 100, sites: [still]).diagnostics
    #expect(frozen.warnings.contains { $0.code == .constant })
  }

  @Test("draws of chains that disagree are not called right, and more of them are not advised")
  func disagreement() throws {
    // The sum of a and b alone is known: with flat priors their difference drifts.
    let improper = Model { m in
      let a = m.sample("a", ImproperUniform(.real))
      let b = m.sample("b", ImproperUniform(.real))
      m.observe("y", Normal(a + b, 1), 0)
    }
    let draws = try NUTS(maximumDepth: 5).run(
      improper.logDensity(), warmUp: 200, draws: 200, key: 1)
    let found = draws.diagnostics.warnings
    let depth = try #require(found.first { $0.code == .treeDepth }, "\(found)")
    #expect(!depth.message.contains("the result is right"))
    #expect(depth.message.contains("the prior of a, b is flat"), "\(depth)")
    for word in [".lowRank", ".laplace()"] { #expect(depth.message.contains(word)) }
    let few = try #require(found.first { $0.code == .lowBulkESS })
    #expect(!few.message.contains("times as many"), "\(few)")
  }
}
