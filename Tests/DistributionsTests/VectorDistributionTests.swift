// SPDX-License-Identifier: MIT
//
// The laws of distributions of vectors, matrices and mixtures, and their golden log probabilities.

import Distributions
import Foundation
import Numerics
import Tensors
import TestSupport
import Testing

/// A lower triangular matrix that is no diagonal.
private let lower = Tensor([1.3, 0, 0, -0.4, 0.7, 0, 0.5, 0.2, 1.6], shape: [3, 3])

/// The covariance of which `lower` is the factor.
private let covariance = lower.matmul(lower.transposed())

/// A mean.
private let center = Tensor([0.5, -1, 2])

/// The distributions under test.
let vectorCases: [VectorCase] = [
  VectorCase("normal of a factor", [center, lower], event: [3]) {
    MultivariateNormal($0[0], cholesky: $0[1].lowerTriangle())
  },
  VectorCase("normal of a covariance", [center, covariance], event: [3]) {
    MultivariateNormal($0[0], covariance: ($0[1] + $0[1].transposed()) / 2)
  },
  VectorCase("normal of a precision", [center, covariance], event: [3]) {
    MultivariateNormal($0[0], precision: ($0[1] + $0[1].transposed()) / 2)
  },
  VectorCase("normal about one number", [Tensor(0.4), lower], event: [3]) {
    MultivariateNormal($0[0], cholesky: $0[1].lowerTriangle())
  },
  VectorCase(
    "low-rank normal",
    [center, Tensor([1, 0.2, -0.5, 0.8, 0.3, 1.1], shape: [3, 2]), Tensor([0.5, 1.2, 0.3])],
    event: [3]
  ) { LowRankMultivariateNormal($0[0], factor: $0[1], diagonal: $0[2]) },
  // Six degrees of freedom: the fourth moments that the errors of the checks need are finite.
  VectorCase("Student-t", [Tensor(6), center, lower], event: [3]) {
    MultivariateStudentT($0[0], $0[1], cholesky: $0[2].lowerTriangle())
  },
  VectorCase("Dirichlet", [Tensor([2, 0.8, 3.5])], event: [3]) { Dirichlet($0[0]) },
  VectorCase("flat Dirichlet", [Tensor(1)], event: [3]) { Dirichlet(Tensor.ones([3]) * $0[0]) },
  VectorCase("LKJ", [Tensor(1.7)], event: [4, 4]) { LKJCholesky(4, concentration: $0[0]) },
  VectorCase("LKJ of two", [Tensor(1)], event: [2, 2]) { LKJCholesky(2, concentration: $0[0]) },
  VectorCase("random walk", [Tensor(0.6)], event: [4]) { GaussianRandomWalk($0[0], steps: 4) },
  VectorCase("ordered normals", [Tensor(0.5), Tensor(2)], event: [3]) {
    Normal($0[0], $0[1]).expanded(to: [3]).restricted(to: .ordered)
  },
  VectorCase("joint normals", [center, Tensor(0.7)], event: [3]) {
    Normal($0[0], $0[1]).toEvent(1)
  },
  VectorCase(
    "mixture of vectors",
    [Tensor([0.4, -0.3]), Tensor([0, 1, 2, 3, -1, 0.5], shape: [2, 3]), lower],
    event: [3]
  ) {
    MixtureSameFamily(
      logWeights: $0[0].logSoftmax(),
      MultivariateNormal($0[1], cholesky: $0[2].lowerTriangle()))
  },
]

@Suite("Laws of vectors") struct VectorDistributionTests {
  @Test("each distribution keeps the laws", arguments: vectorCases)
  func laws(_ item: VectorCase) { checkVectors(item) }

  /// Returns tensors of given shapes from a row of numbers.
  private func parts(_ row: [Double], _ shapes: [Shape]) -> [Tensor] {
    var next = 0
    return shapes.map { shape in
      defer { next += shape.elementCount }
      return Tensor(Array(row[next..<(next + shape.elementCount)]), shape: shape)
    }
  }

  /// The shapes of value and parameters, and the makers, by their names in the golden file.
  static let golden: [String: ([Shape], @Sendable ([Tensor]) -> any Distribution)] = [
    "MultivariateNormal": ([[3], [3], [3, 3]], { MultivariateNormal($0[0], covariance: $0[1]) }),
    "LowRankMultivariateNormal": (
      [[3], [3], [3, 2], [3]],
      { LowRankMultivariateNormal($0[0], factor: $0[1], diagonal: $0[2]) }
    ),
    "MultivariateStudentT": (
      [[3], [], [3], [3, 3]], { MultivariateStudentT($0[0], $0[1], cholesky: $0[2]) }
    ),
    "Dirichlet": ([[3], [3]], { Dirichlet($0[0]) }),
    "LKJCholesky": ([[4, 4], []], { LKJCholesky(4, concentration: $0[0]) }),
    "GaussianRandomWalk": ([[3], []], { GaussianRandomWalk($0[0], steps: 3) }),
    "Multinomial": ([[3], [3]], { Multinomial(12, probabilities: $0[0]) }),
    "DirichletMultinomial": ([[3], [3]], { DirichletMultinomial(12, $0[0]) }),
    "Categorical": ([[], [3]], { Categorical(logits: $0[0]) }),
    "OrderedLogistic": ([[], [], [3]], { OrderedLogistic($0[0], $0[1]) }),
    "ZeroInflatedPoisson": ([[], [], []], { ZeroInflated(Poisson($0[1]), gate: $0[0]) }),
    "MixtureOfNormals": (
      [[], [3], [3], [3]], { MixtureSameFamily(weights: $0[0], Normal($0[1], $0[2])) }
    ),
    "TruncatedCauchy": (
      [[], [], [], [], []], { Cauchy($0[0], $0[1]).truncated(below: $0[2], above: $0[3]) }
    ),
    "TruncatedStudentT": (
      [[], [], [], [], []], { StudentT($0[0], $0[1], $0[2]).truncated(below: $0[3]) }
    ),
  ]

  @Test("log probabilities agree with SciPy and NumPyro", arguments: golden.keys.sorted())
  func goldenNumbers(_ name: String) throws {
    let (shapes, make) = try #require(Self.golden[name])
    for row in try GoldenFile("multivariate", in: .module).rows(name) {
      let all = parts(row, shapes + [[]])
      let d = make(Array(all[1..<(all.count - 1)]))
      let (found, wanted) = (d.logProbability(of: all[0]).item(), row[row.count - 1])
      #expect(abs(found - wanted) <= 1e-11 * max(1, abs(wanted)), "\(name) \(row): \(found)")
    }
  }

  @Test("covariance, precision and factor give one distribution")
  func parametrisations() {
    let x = Tensor([0.3, 1, -0.7, 2, 2, 2], shape: [2, 3])
    let byFactor = MultivariateNormal(center, cholesky: lower)
    // Σ⁻¹ = L⁻ᵀ L⁻¹.
    let inverse = lower.triangularSolve(Tensor.identity(3))
    let precision = inverse.transposed().matmul(inverse)
    let others = [
      MultivariateNormal(center, covariance: covariance),
      MultivariateNormal(center, precision: precision),
    ]
    for other in others {
      let difference = abs(other.logProbability(of: x) - byFactor.logProbability(of: x))
      #expect(difference.elements.allSatisfy { $0 < 1e-12 })
      let variances = zip(other.variance?.elements ?? [], byFactor.variance?.elements ?? [])
      #expect(variances.allSatisfy { abs($0 - $1) < 1e-12 })
    }
  }

  @Test("batches of means, of factors and of both have the densities of their elements")
  func batches() {
    let factors = Tensor.stack([lower, 2 * lower])
    let means = Tensor.stack([center, -center])
    let x = Tensor.stack([Tensor([1, 0, -1]), Tensor([0.2, 0.4, 3])])
    let cases: [(Tensor, Tensor)] = [(means, lower), (center, factors), (means, factors)]
    for isPrecision in [false, true] {
      for (loc, factor) in cases {
        let matrices =
          factor.rank == 2
          ? factor.matmul(factor.transposed()) : factor.matmul(factor.transposed([0, 2, 1]))
        let d =
          isPrecision
          ? MultivariateNormal(loc, precision: matrices)
          : MultivariateNormal(loc, covariance: matrices)
        #expect(d.batchShape == [2] && d.eventShape == [3])
        let together = d.logProbability(of: x)
        for k in 0..<2 {
          let mean = loc.rank == 2 ? loc[k] : loc
          let matrix = matrices.rank == 3 ? matrices[k] : matrices
          let one =
            isPrecision
            ? MultivariateNormal(mean, precision: matrix)
            : MultivariateNormal(mean, covariance: matrix)
          #expect(abs(together[k].item() - one.logProbability(of: x[k]).item()) < 1e-12)
        }
        #expect(abs(d.logProbabilitySum(of: x).item() - together.sum().item()) < 1e-12)
        #expect(d.sample(key: 1, sampleShape: [4]).shape == [4, 2, 3])
        checkGradient("batch", at: [loc, matrices]) { p in
          let symmetric = (p[1] + p[1].transposed(p[1].rank == 2 ? [1, 0] : [0, 2, 1])) / 2
          let d =
            isPrecision
            ? MultivariateNormal(p[0], precision: symmetric)
            : MultivariateNormal(p[0], covariance: symmetric)
          return d.logProbability(of: x)
        }
      }
    }
  }

  @Test("a matrix that is not positive definite gives no density, and no trap, inside a model")
  func notPositiveDefinite() {
    let value = valueAndGradient(at: Tensor(2)) { a in
      let matrix = Tensor.stack([Tensor.stack([Tensor(1), a]), Tensor.stack([a, Tensor(1)])])
      return MultivariateNormal(0, covariance: matrix).logProbability(of: Tensor([0, 1]))
    }.value
    #expect(!(value > -.infinity))
  }

  @Test("the parts of a normal vector are an affine map of standard normal ones")
  func transformedParts() throws {
    for d in [
      MultivariateNormal(center, cholesky: lower),
      MultivariateNormal(center, precision: covariance),
    ] {
      let (base, map) = try #require(d.transformed)
      let z = Tensor([0.3, -1, 0.8])
      let x = map.forward(z)
      let difference =
        d.logProbability(of: x) - base.logProbability(of: z)
        + map.logAbsDetJacobian(z, x)
      #expect(abs(difference.item()) < 1e-12)
      #expect(zip(map.inverse(x).elements, z.elements).allSatisfy { abs($0 - $1) < 1e-12 })
      // Draws are made by that map.
      let same = map.forward(base.sample(key: 4)).elements
      #expect(zip(same, d.sample(key: 4).elements).allSatisfy { abs($0 - $1) < 1e-12 })
    }
    let walk = try #require(GaussianRandomWalk(0.5, steps: 4).transformed)
    #expect(walk.transform.forward(Tensor([1, 2, 3, 4])).elements == [1, 3, 6, 10])
    #expect(walk.transform.inverse(Tensor([1, 3, 6, 10])).elements == [1, 2, 3, 4])
  }

  @Test("correlations of the LKJ distribution have their marginal distribution")
  func correlations() {
    // Each correlation is 2 Beta(b, b) − 1 with b = concentration + (n − 2)/2: variance 1/(2 b + 1).
    let factors = LKJCholesky(4, concentration: 1.5).sample(key: 3, sampleShape: [20_000])
    let matrices = factors.matmul(factors.transposed([0, 2, 1]))
    for (i, j) in [(1, 0), (2, 1), (3, 0), (3, 2)] {
      let r = matrices[..., j][..., i]
      // Bounded variables of sd 0.41: standard errors 0.003 and below 0.0015.
      #expect(abs(r.mean().item()) < 0.015)
      #expect(abs(r.variance().item() - 1 / 6.0) < 0.0075)
    }
  }
}
