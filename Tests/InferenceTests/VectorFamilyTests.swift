// SPDX-License-Identifier: MIT
//
// Families of guides: densities by the change of variables, derivatives against differences, structure of flows.

import Distributions
import Inference
import Numerics
import Tensors
import TestSupport
import Testing

@Suite("Families of guides")
struct VectorFamilyTests {
  /// The families under test, over three coordinates, with the values of their parameters moved from where they start.
  static func families() -> [(name: String, family: any VectorFamily, parameters: [Tensor])] {
    let location = [0.3, -1, 2]
    let families: [(String, any VectorFamily)] = [
      ("diagonal", DiagonalNormalFamily(location: location, scale: 0.7)),
      ("multivariate", MultivariateNormalFamily(location: location, scale: 0.7)),
      ("low rank", LowRankNormalFamily(location: location, scale: 0.7, rank: 2)),
      (
        "inverse autoregressive",
        InverseAutoregressiveFamily(
          location: location, scale: 0.7, layers: 2, hidden: [5, 4], key: 1)
      ),
      (
        "block autoregressive",
        BlockAutoregressiveFamily(
          location: location, scale: 0.7, layers: 2, factors: [3, 2], key: 1)
      ),
    ]
    return families.map { name, family in
      let key = RandomKey(0).folding(in: name)
      let moved = family.parameters.enumerated().map { k, parameter -> Tensor in
        let noise = Tensor(
          key.folding(in: k).normals(parameter.initial.count).map { 0.25 * $0 },
          shape: parameter.initial.shape)
        if case .positive = parameter.constraint { return parameter.initial * exp(noise) }
        return parameter.initial + noise
      }
      return (name, family, moved)
    }
  }

  /// Returns log |det A| of a matrix by elimination with pivots.
  static func logDeterminant(_ matrix: [[Double]]) -> Double {
    var a = matrix
    var total = 0.0
    for c in a.indices {
      let pivot = (c..<a.count).max { abs(a[$0][c]) < abs(a[$1][c]) } ?? c
      a.swapAt(c, pivot)
      total += plain(abs(a[c][c])) { log($0) }
      for r in (c + 1)..<max(a.count, c + 1) {
        let ratio = a[r][c] / a[c][c]
        for k in c..<a.count { a[r][k] -= ratio * a[c][k] }
      }
    }
    return total
  }

  @Test(
    "the density of a draw is that of its noise, divided by the determinant of the map",
    arguments: 0..<5)
  func changeOfVariables(index: Int) {
    let (name, family, p) = Self.families()[index]
    for draw in 0..<5 {
      let noise = Tensor(RandomKey(UInt64(draw)).normals(family.noiseCount))
      let result = family.transform(noise, p)
      let (value, logDensity) = (result.value, result.logDensity)
      #expect(value.shape == [3] && logDensity.shape == [])
      // Sums of a dozen terms; a triangular or a small symmetric system is solved for the second.
      if let direct = family.logDensity(of: value, p) {
        #expect(near(logDensity.item(), direct.item(), 1e-12), "\(name)")
      }
      guard family.noiseCount == 3 else { continue }
      let jacobian = (0..<3).map { k -> [Double] in
        var direction = [0.0, 0, 0]
        direction[k] = 1
        return jvp(at: noise, Tensor(direction)) { family.transform($0, p).value }.tangent.elements
      }
      let base = Normal(0, 1).expanded(to: [3]).logProbability(of: noise).sum().item()
      #expect(near(logDensity.item(), base - Self.logDeterminant(jacobian), 1e-12), "\(name)")
    }
  }

  @Test(
    "draws and densities have the derivatives of differences, in noise and parameters",
    arguments: 0..<5)
  func gradients(index: Int) {
    let (name, family, p) = Self.families()[index]
    let noise = Tensor(RandomKey(3).normals(family.noiseCount))
    checkGradient(name, at: [noise] + p) { inputs in
      let draw = family.transform(inputs[0], Array(inputs.dropFirst()))
      return Tensor.concatenate([draw.value, draw.logDensity.reshaped([1])])
    }
    guard family.logDensity(of: Tensor.zeros([3]), p) != nil else { return }
    checkGradient(name + ", density", at: [Tensor([0.5, -0.4, 1.7])] + p) { inputs in
      family.logDensity(of: inputs[0], Array(inputs.dropFirst())) ?? Tensor(.nan)
    }
  }

  @Test("moments of linear functions are those of draws", arguments: 0..<3)
  func moments(index: Int) throws {
    let (name, family, p) = Self.families()[index]
    let directions = Tensor([1, 0, 0, 0.3, -0.8, 1.2], shape: [2, 3])
    let (mean, deviation) = try #require(family.moments(directions, p))
    let draws = (0..<4000).map { k -> [Double] in
      let noise = Tensor(RandomKey(9).folding(in: k).normals(family.noiseCount))
      return directions.matmul(family.transform(noise, p).value).elements
    }
    for row in 0..<2 {
      let column = draws.map { $0[row] }
      let average = column.reduce(0, +) / 4000
      let square = column.reduce(0) { $0 + ($1 - average) * ($1 - average) } / 4000
      let sd = deviation.elements[row]
      // Five standard errors: sd/√4000 and sd/√8000.
      #expect(abs(average - mean.elements[row]) < 5 * 0.0158 * sd, "\(name)")
      #expect(abs(square.squareRoot() / sd - 1) < 5 * 0.0112, "\(name)")
    }
  }

  @Test("the score of a flow is the gradient of its log density by the draw")
  func score() throws {
    let (_, family, p) = Self.families()[3]
    let noise = Tensor(RandomKey(4).normals(3))
    let draw = family.transform(noise, p)
    let score = try #require(draw.score)
    // ∇_ε log q(y(ε)) = Jᵀ ∇_y log q.
    let byNoise = gradient(at: noise) { family.transform($0, p).logDensity }
    for k in 0..<3 {
      var direction = [0.0, 0, 0]
      direction[k] = 1
      let column = jvp(at: noise, Tensor(direction)) { family.transform($0, p).value }.tangent
      #expect(near(column.dot(score).item(), byNoise.elements[k], 1e-12))
    }
  }

  @Test("the density of low rank is that of its covariance")
  func lowRank() {
    let (_, family, p) = Self.families()[2]
    let scale = p[1].reshaped([3, 1]) * p[2]
    let noise = Tensor.identity(3) * square(p[1])
    let covariance = scale.matmul(scale.transposed()) + noise
    let factor = covariance.cholesky()
    let x = Tensor([0.5, -0.4, 1.7])
    let z = factor.triangularSolve(x - p[0])
    let expected =
      -0.5 * square(z).sum() - log(factor.diagonal()).sum() - 3 * 0.9189385332046727
    let found = family.logDensity(of: x, p) ?? Tensor(.nan)
    #expect(near(found.item(), expected.item(), 1e-12))
  }

  @Test(
    "one layer of an autoregressive flow is triangular, with a positive diagonal",
    arguments: [false, true])
  func triangular(isBlock: Bool) {
    let family: any VectorFamily =
      isBlock
      ? BlockAutoregressiveFamily(
        location: [0, 0, 0, 0], scale: 1, layers: 1, factors: [4, 3], key: 2)
      : InverseAutoregressiveFamily(
        location: [0, 0, 0, 0], scale: 1, layers: 1, hidden: [9, 9], key: 2)
    let p = family.parameters.enumerated().map { k, parameter in
      parameter.initial
        + Tensor(
          RandomKey(UInt64(k)).normals(parameter.initial.count).map { 0.4 * $0 },
          shape: parameter.initial.shape)
    }
    let noise = Tensor([0.3, -0.7, 1.1, 0.2])
    var below = 0.0
    for k in 0..<4 {
      var direction = [0.0, 0, 0, 0]
      direction[k] = 1
      let column = jvp(at: noise, Tensor(direction)) { family.transform($0, p).value }.tangent
        .elements
      for i in 0..<k { #expect(column[i] == 0) }
      #expect(column[k] > 0)
      below += column[(k + 1)...].reduce(0) { $0 + abs($1) }
    }
    // The free part is there.
    #expect(below > 0.1)
  }

  @Test("flows start near the identity, in one dimension too")
  func start() {
    for n in [1, 2, 6] {
      let location = [Double](repeating: 0, count: n)
      let noise = Tensor(RandomKey(5).normals(n))
      let flows: [(any VectorFamily, Double)] = [
        (InverseAutoregressiveFamily(location: location, scale: 1, key: 1), 0.2),
        (BlockAutoregressiveFamily(location: location, scale: 1, key: 1), 0.5),
      ]
      for (family, tolerance) in flows {
        let value = family.transform(noise, family.parameters.map(\.initial)).value
        for (x, z) in zip(value.elements, noise.elements) { #expect(abs(x - z) < tolerance) }
      }
    }
  }
}
