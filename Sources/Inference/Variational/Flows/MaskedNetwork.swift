// SPDX-License-Identifier: MIT
//
// MADE: a small network whose k-th outputs see the first k − 1 inputs only.
//
// Source: Germain, Gregor, Murray & Larochelle 2015, "MADE: masked autoencoder for distribution estimation".

import Numerics
import Tensors

/// A network with masked weights that gives a shift and a log scale for every element of its input.
///
/// Hidden layers of tanh units; a linear path from the inputs to the shifts, masked likewise, so that the shifts can be any
/// linear map of the earlier inputs. All weights lie in one vector.
struct MaskedNetwork: Sendable {
  /// The number of inputs.
  let dimension: Int

  /// The numbers of hidden units.
  let hidden: [Int]

  /// The masks of the weights into each layer, `[units, inputs]`, the last into shifts and log scales.
  private let masks: [Tensor]

  /// The mask of the linear path.
  private let linear: Tensor

  /// Creates a network.
  init(dimension: Int, hidden: [Int]) {
    self.dimension = dimension
    self.hidden = hidden
    // A unit of degree d sees inputs 1…d; degrees of hidden units go around 1…n − 1.
    let inputs = Array(1...max(1, dimension))
    var before = inputs
    var masks: [Tensor] = []
    for count in hidden {
      let degrees = (0..<count).map { 1 + $0 % max(1, dimension - 1) }
      masks.append(Self.mask(degrees, before) { $0 >= $1 })
      before = degrees
    }
    masks.append(Self.mask(inputs + inputs, before) { $0 > $1 })
    self.masks = masks
    linear = Self.mask(inputs, inputs) { $0 > $1 }
  }

  /// Returns ones where a unit of a degree sees one of the layer before, else zeros.
  private static func mask(_ units: [Int], _ before: [Int], _ sees: (Int, Int) -> Bool) -> Tensor {
    Tensor(
      units.flatMap { unit in before.map { sees(unit, $0) ? 1.0 : 0 } },
      shape: [units.count, before.count])
  }

  /// The number of weights and biases.
  var parameterCount: Int {
    masks.reduce(linear.count) { $0 + $1.count + $1.shape[0] }
  }

  /// Returns weights to start from: hidden units at random, outputs nearly zero.
  func initialParameters(key: RandomKey) -> [Double] {
    var values: [Double] = []
    for (layer, mask) in masks.enumerated() {
      let own = key.folding(in: layer)
      // The last layer starts small: the flow is then near the identity, yet the layers before it have a gradient.
      let size = layer == masks.count - 1 ? 0.01 : 1
      let deviation = size / Double(mask.shape[1]).squareRoot()
      values += own.normals(mask.count).map { deviation * $0 }
      values += [Double](repeating: 0, count: mask.shape[0])
    }
    return values + [Double](repeating: 0, count: linear.count)
  }

  /// What the network gives for an input.
  struct Output {
    /// The shifts, shape `[dimension]`.
    var shift: Tensor
    /// The log scales, shape `[dimension]`.
    var logScale: Tensor
    /// The derivatives of the shifts by the input, `[dimension, dimension]`; no derivative flows through them.
    var shiftJacobian: Tensor
    /// The derivatives of the log scales by the input.
    var logScaleJacobian: Tensor
  }

  /// Returns shifts and log scales for an input, with their derivatives.
  func callAsFunction(_ input: Tensor, _ parameters: Tensor) -> Output {
    var next = 0
    /// Returns the next part of the parameters.
    func take(_ count: Int) -> Tensor {
      defer { next += count }
      return parameters[next..<(next + count)]
    }
    var x = input
    // The tangents of the units along each input.
    var tangents = Tensor.identity(dimension)
    for (layer, mask) in masks.enumerated() {
      let weights = take(mask.count).reshaped(mask.shape) * mask
      x = weights.matmul(x) + take(mask.shape[0])
      tangents = weights.stoppingGradient().matmul(tangents)
      guard layer < masks.count - 1 else { break }
      x = tanh(x)
      tangents = (1 - square(x.stoppingGradient())).reshaped([mask.shape[0], 1]) * tangents
    }
    let weights = take(linear.count).reshaped(linear.shape) * linear
    let n = dimension
    return Output(
      shift: x[0..<n] + weights.matmul(input), logScale: x[n..<(2 * n)],
      shiftJacobian: tangents[0..<n] + weights.stoppingGradient(),
      logScaleJacobian: tangents[n..<(2 * n)])
  }
}
