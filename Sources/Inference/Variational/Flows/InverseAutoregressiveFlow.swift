// SPDX-License-Identifier: MIT
//
// Inverse autoregressive flows: each element is scaled and shifted by a function of the noise before it.
//
// Source: Kingma, Salimans, Jozefowicz, Chen, Sutskever & Welling 2016, "Improved variational inference with inverse
// autoregressive flow", eq. 10 and 11.

public import Numerics
public import Tensors

/// A chain of layers y = m(x) + x ⊙ e^{s(x)}, with m and s from masked networks, and the order reversed between layers.
///
/// A layer's Jacobian is triangular with e^s on its diagonal: drawing and the density of one's own draws are one pass. The
/// density elsewhere would need the inverse, element after element, and is not offered.
public struct InverseAutoregressiveFamily: VectorFamily {
  public let dimension: Int
  public let parameters: [FamilyParameter]
  public var noiseCount: Int { dimension }

  /// The networks of the layers, all of one shape.
  private let network: MaskedNetwork

  /// The number of layers.
  public let layers: Int

  /// The location and the scale that the last layer's result is moved by.
  private let location: [Double]
  private let scale: Double

  /// The bound of log scales: s = bound · tanh(s₀ / bound), so that no scale overflows on the way.
  private static let bound = 4.0

  /// Creates the family, to start near independent normal elements of one scale at a location.
  public init(
    location: [Double], scale: Double, layers: Int = 3, hidden: [Int]? = nil, key: RandomKey = 0
  ) {
    demand(
      scale > 0 && layers > 0 && !location.isEmpty,
      "InverseAutoregressiveFamily: expected scale, layers and dimension > 0, got \(scale), \(layers), \(location.count)"
    )
    let n = location.count
    let network = MaskedNetwork(dimension: n, hidden: hidden ?? [2 * n, 2 * n])
    dimension = n
    self.network = network
    self.layers = layers
    self.location = location
    self.scale = scale
    parameters = (0..<layers).map { layer in
      FamilyParameter(
        "arn_\(layer)", Tensor(network.initialParameters(key: key.folding(in: layer))))
    }
  }

  public func transform(_ noise: Tensor, _ p: [Tensor]) -> FamilyDraw {
    var x = noise
    var logDensity = -0.5 * square(noise).sum() - Double(dimension) * halfLogTwoPi
    var score = -noise
    for (layer, parameters) in p.enumerated() {
      if layer > 0 { (x, score) = (x.reversed(), score.reversed()) }
      let output = network(x, parameters)
      let unit = tanh(output.logScale / Self.bound)
      let logScale = Self.bound * unit
      let factor = exp(logScale)
      score = pushed(score, output, x, unit, factor)
      x = output.shift + x * factor
      logDensity -= logScale.sum()
    }
    if layers % 2 == 0 { (x, score) = (x.reversed(), score.reversed()) }
    let constant = Double(dimension) * logarithm(scale)
    return FamilyDraw(
      Tensor(location) + scale * x, logDensity: logDensity - constant, score: score / scale)
  }

  /// Returns the score of a layer's result from that of its input.
  ///
  /// log q(y) = log q(x) − Σ s(x) and y = f(x) give ∇_y log q = J⁻ᵀ (∇_x log q − ∇_x Σ s), with the triangular
  /// J = diag(e^s) + ∂m/∂x + diag(x e^s) ∂s/∂x (Vaitl, Nicoli, Nakajima & Kessel 2022, "Gradients should stay on path", eq. 14).
  private func pushed(
    _ score: Tensor, _ output: MaskedNetwork.Output, _ x: Tensor, _ unit: Tensor, _ factor: Tensor
  ) -> Tensor {
    let n = dimension
    let (x, unit, factor) = (
      x.stoppingGradient(), unit.stoppingGradient(), factor.stoppingGradient()
    )
    // ds = (1 − tanh²) ds₀.
    let slopes = (1 - square(unit)).reshaped([n, 1]) * output.logScaleJacobian
    let jacobian =
      output.shiftJacobian + (x * factor).reshaped([n, 1]) * slopes
      + factor.reshaped([n, 1]) * Tensor.identity(n)
    return jacobian.triangularSolve(score - slopes.sum(axis: 0), transposed: true)
  }
}
