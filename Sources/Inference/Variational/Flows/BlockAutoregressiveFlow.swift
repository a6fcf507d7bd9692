// SPDX-License-Identifier: MIT
//
// Block neural autoregressive flows: monotone networks in each element, whose weights form blocks.
//
// Source: De Cao, Aziz & Titov 2019, "Block neural autoregressive flow", eq. 6 to 9; the gated residual connection is that of
// section 3.1, here in every layer, so that each is onto; weights are not normalised.

public import Numerics
public import Tensors

/// A chain of maps y = g x + (1 − g) B(x), with B a network of tanh units that rises with x_k in its k-th output and sees the
/// earlier elements freely; the order is reversed between maps.
///
/// The diagonal of the Jacobian is a product of small positive matrices, one for each element, taken along.
public struct BlockAutoregressiveFamily: VectorFamily {
  public let dimension: Int
  public let parameters: [FamilyParameter]
  public var noiseCount: Int { dimension }

  /// The number of maps.
  public let layers: Int

  /// The hidden units for each element, by hidden layer.
  public let factors: [Int]

  /// The networks' layers.
  private let blocks: [BlockLayer]

  /// The location and the scale that the last map's result is moved by.
  private let location: [Double]
  private let scale: Double

  /// Creates the family, to start near independent normal elements of one scale at a location.
  public init(
    location: [Double], scale: Double, layers: Int = 1, factors: [Int] = [8, 8],
    key: RandomKey = 0
  ) {
    demand(
      scale > 0 && layers > 0 && !location.isEmpty && factors.allSatisfy { $0 > 0 },
      "BlockAutoregressiveFamily: expected scale, layers, dimension and factors > 0, got \(scale), \(layers), \(location.count), \(factors)"
    )
    let n = location.count
    let widths = [1] + factors + [1]
    let blocks = (1..<widths.count).map {
      BlockLayer(dimension: n, inputs: widths[$0 - 1], outputs: widths[$0])
    }
    dimension = n
    self.layers = layers
    self.factors = factors
    self.blocks = blocks
    self.location = location
    self.scale = scale
    parameters = (0..<layers).flatMap { layer -> [FamilyParameter] in
      let own = key.folding(in: layer)
      let weights = blocks.enumerated().flatMap { k, block in
        block.initialParameters(key: own.folding(in: k))
      }
      // g = 0.88: near the identity, and a gradient for the network.
      return [
        FamilyParameter("arn_\(layer)", Tensor(weights)),
        FamilyParameter("gate_\(layer)", Tensor(2)),
      ]
    }
  }

  public func transform(_ noise: Tensor, _ p: [Tensor]) -> FamilyDraw {
    var x = noise
    var logDensity = -0.5 * square(noise).sum() - Double(dimension) * halfLogTwoPi
    for layer in 0..<layers {
      if layer > 0 { x = x.reversed() }
      let (y, slopes) = network(x, p[2 * layer])
      let gate = sigmoid(p[2 * layer + 1])
      let rest = sigmoid(-p[2 * layer + 1])
      x = gate * x + rest * y
      logDensity -= log(gate + rest * slopes).sum()
    }
    if layers % 2 == 0 { x = x.reversed() }
    let constant = Double(dimension) * logarithm(scale)
    return FamilyDraw(Tensor(location) + scale * x, logDensity: logDensity - constant)
  }

  /// Returns B(x) and its derivatives ∂B_k/∂x_k, each of shape `[dimension]`.
  private func network(_ input: Tensor, _ parameters: Tensor) -> (Tensor, Tensor) {
    var x = input
    var slopes = Tensor.ones([dimension, 1, 1])
    var next = 0
    for (k, block) in blocks.enumerated() {
      let part = parameters[next..<(next + block.parameterCount)]
      next += block.parameterCount
      let (y, diagonal) = block(x, part)
      slopes = diagonal.matmul(slopes)
      x = y
      if k < blocks.count - 1 {
        x = tanh(x)
        slopes = slopes * (1 - square(x)).reshaped([dimension, block.outputs, 1])
      }
    }
    return (x, slopes.reshaped([dimension]))
  }
}

/// A linear layer whose weights form blocks: positive on the diagonal, free below it, none above.
struct BlockLayer: Sendable {
  /// The number of blocks on the diagonal.
  let dimension: Int
  /// The columns of a block.
  let inputs: Int
  /// The rows of a block.
  let outputs: Int

  /// Where the elements of the matrix lie in the list [0, diagonal blocks, blocks below].
  private let places: [Int]

  /// The number of elements of all diagonal blocks, and of those below.
  private let counts: (diagonal: Int, below: Int)

  /// Creates a layer.
  init(dimension n: Int, inputs: Int, outputs: Int) {
    dimension = n
    self.inputs = inputs
    self.outputs = outputs
    let size = inputs * outputs
    counts = (n * size, n * (n - 1) / 2 * size)
    var places: [Int] = []
    for row in 0..<(n * outputs) {
      let (i, r) = (row / outputs, row % outputs)
      for column in 0..<(n * inputs) {
        let (j, c) = (column / inputs, column % inputs)
        if j == i {
          places.append(1 + i * size + r * inputs + c)
        } else if j < i {
          places.append(1 + n * size + (i * (i - 1) / 2 + j) * size + r * inputs + c)
        } else {
          places.append(0)
        }
      }
    }
    self.places = places
  }

  /// The number of weights and biases.
  var parameterCount: Int { counts.diagonal + counts.below + dimension * outputs }

  /// Returns weights to start from: rows of the diagonal that add up to one, small ones below, biases that spread the units.
  func initialParameters(key: RandomKey) -> [Double] {
    let logs = key.folding(in: "diagonal").normals(counts.diagonal).map {
      0.3 * $0 - logarithm(Double(inputs))
    }
    let deviation = 0.1 / Double(max(1, dimension * inputs)).squareRoot()
    let below = key.folding(in: "below").normals(counts.below).map { deviation * $0 }
    let biases = key.folding(in: "bias").normals(dimension * outputs).map { 0.5 * $0 }
    return logs + below + biases
  }

  /// Returns the layer's result and its diagonal blocks, `[dimension, outputs, inputs]`.
  func callAsFunction(_ x: Tensor, _ parameters: Tensor) -> (Tensor, Tensor) {
    let diagonal = exp(parameters[0..<counts.diagonal])
    let below = parameters[counts.diagonal..<(counts.diagonal + counts.below)]
    let biases = parameters[(counts.diagonal + counts.below)..<parameterCount]
    let weights = Tensor.concatenate([Tensor([0]), diagonal, below]).take(places)
      .reshaped([dimension * outputs, dimension * inputs])
    return (weights.matmul(x) + biases, diagonal.reshaped([dimension, outputs, inputs]))
  }
}
