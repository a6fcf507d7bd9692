// SPDX-License-Identifier: MIT
//
// The LKJ distribution of correlation matrices, over their Cholesky factors.
//
// Source: Lewandowski, Kurowicka & Joe 2009, "Generating random correlation matrices based on vines and extended onion method".

public import Numerics
public import Tensors

/// The distribution of Cholesky factors L of correlation matrices R = L Lᵀ with density ∝ det(R)^(concentration − 1) in R.
///
/// In L: log p = Σ_{i ≥ 2} (n − i + 2 (concentration − 1)) log L_ii + constant. Concentration 1 is uniform over correlation
/// matrices, larger ones favour weak correlations.
///
/// ```swift
/// let correlation = m.sample("L", LKJCholesky(2, concentration: 2))
/// let effects = m.sample("u", MultivariateNormal(0, cholesky: scales.expandingAxis(-1) * correlation))
/// ```
public struct LKJCholesky: Distribution {
  /// The side n of the matrices.
  public let dimension: Int
  /// The concentration, `[…]`.
  public let concentration: Tensor
  public let batchShape: Shape
  public var eventShape: Shape { [dimension, dimension] }

  /// Creates the distribution; `dimension` is at least 2, `concentration` positive.
  public init(_ dimension: Int, concentration: some TensorConvertible) {
    demand(dimension >= 2, "LKJCholesky: expected dimension ≥ 2, got \(dimension)")
    require("LKJCholesky", "concentration", concentration.tensor, "> 0") { $0 > 0 }
    self.init(dimension, concentration.tensor, batchShape: concentration.tensor.shape)
  }

  /// Creates the distribution with a batch shape.
  private init(_ dimension: Int, _ concentration: Tensor, batchShape: Shape) {
    self.dimension = dimension
    self.concentration = concentration
    self.batchShape = batchShape
  }

  public var support: Constraint { .correlationCholesky }

  /// The logarithm of the integral of the unnormalised density.
  ///
  /// Row i (from 0) is a point w of the ball of R^i with density (1 − |w|²)^(b − 1), b = concentration + (n − 1 − i)/2, whose
  /// integral is π^(i/2) Γ(b) / Γ(b + i/2).
  private var logNormalizer: Tensor {
    (1..<dimension).reduce(Tensor(0)) { total, i in
      let b = concentration + Double(dimension - 1 - i) / 2
      let half = Double(i) / 2
      return total + logGamma(b) - logGamma(b + half) + half * logarithm(Double.pi)
    }
  }

  public func logProbability(of value: Tensor) -> Tensor {
    let diagonal = value.diagonal().sliced(1..<dimension, axis: -1)
    let base = Tensor((1..<dimension).map { Double(dimension - 1 - $0) })
    let powers = base + 2 * (concentration - 1).expandingAxis(-1)
    let inside = support.contains(value)
    let safe = select(inside.expandingAxis(-1), diagonal, Tensor(1))
    let density = (powers * log(safe)).sum(axis: -1) - logNormalizer
    return select(inside, density, Tensor(-.infinity)).broadcast(
      to: broadcastShape([Array(value.shape.dropLast(2)), batchShape]) ?? batchShape)
  }

  /// Draws row by row: the squared length of the part below the diagonal is a beta variable, its direction uniform.
  public func sample(key: RandomKey, sampleShape: Shape) -> Tensor {
    let leading = sampleShape + batchShape
    let n = dimension
    let z =
      standardNormal(key.folding(in: "direction"), leading + [n, n])
      * Tensor((0..<(n * n)).map { $0 % n < $0 / n ? 1 : 0 }, shape: [n, n])
    let rows = (1..<n).map { i -> Tensor in
      let half = Double(i) / 2
      let b = concentration + Double(n - 1 - i) / 2
      let own = key.folding(in: i)
      let x = logStandardGamma(own.folding(in: "a"), Tensor(half), leading)
      let y = logStandardGamma(own.folding(in: "b"), b, leading)
      return sigmoid(x - y)
    }
    let lengths = Tensor.stack([.zeros(leading)] + rows, axis: leading.count)
    let norms = maximum(sqrt(square(z).sum(axis: -1)), Double.leastNormalMagnitude)
    let below = z * (sqrt(lengths) / norms).expandingAxis(-1)
    return below + sqrt(1 - lengths).diagonalMatrix()
  }

  public func expanded(to batchShape: Shape) -> any Distribution {
    LKJCholesky(dimension, concentration, batchShape: batchShape)
  }

  public var description: String {
    "LKJCholesky(\(dimension), concentration: \(text(concentration)))"
  }
}
