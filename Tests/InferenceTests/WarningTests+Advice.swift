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
