// SPDX-License-Identifier: MIT
//
// Automatic guides by normalising flows, for posteriors that no normal distribution follows.

public import Numerics
public import PPL

/// A guide by an inverse autoregressive flow; params `auto_arn_0`, `auto_arn_1`, ….
///
/// Cheap, and good at curved posteriors. Start it with `.laplace`: the flow then has to learn only how the posterior
/// differs from a normal distribution.
public struct AutoIAF: VectorAutoGuide {
  public let core: VectorGuide

  /// Makes the guide of a model.
  ///
  /// - Parameters:
  ///   - model: The model.
  ///   - layers: The number of layers; the order of the coordinates is reversed between them.
  ///   - hidden: The hidden units of each layer's network; by default twice two times the number of coordinates.
  ///   - start: Where the guide starts; with `.laplace` near the Laplace approximation.
  ///   - scale: The deviation of every coordinate at the start; 1 with `.laplace`.
  ///   - key: The key of the search for a start and of the first weights.
  ///   - prefix: The name before those of the params.
  /// - Throws: `ModelError` if the model has no latent site, a discrete one or one in a subsampled plate, or no start is found.
  public init(
    _ model: Model<some Any>, layers: Int = 3, hidden: [Int]? = nil,
    start: InitialStrategy = .median(draws: 15), scale: Double = 0.1, key: RandomKey = 0,
    prefix: String = "auto"
  ) throws {
    core = try VectorGuide(model, start: start, scale: scale, key: key, prefix: prefix) {
      InverseAutoregressiveFamily(
        location: $0, scale: $1, layers: layers, hidden: hidden, key: key.folding(in: "flow"))
    }
  }

  /// Creates the guide over a space.
  init(_ space: GuideSpace, layers: Int, hidden: [Int]?, key: RandomKey, prefix: String = "auto") {
    core = VectorGuide(space, scale: 1, prefix: prefix) {
      InverseAutoregressiveFamily(
        location: $0, scale: $1, layers: layers, hidden: hidden, key: key)
    }
  }
}

/// A guide by a block neural autoregressive flow; params `auto_arn_0`, `auto_gate_0`, ….
///
/// One map is as flexible as several of ``AutoIAF``, and costs more.
public struct AutoBNAF: VectorAutoGuide {
  public let core: VectorGuide

  /// Makes the guide of a model.
  ///
  /// - Parameters:
  ///   - model: The model.
  ///   - layers: The number of maps; the order of the coordinates is reversed between them.
  ///   - factors: The hidden units for each coordinate, by hidden layer.
  ///   - start: Where the guide starts; with `.laplace` near the Laplace approximation.
  ///   - scale: The deviation of every coordinate at the start; 1 with `.laplace`.
  ///   - key: The key of the search for a start and of the first weights.
  ///   - prefix: The name before those of the params.
  /// - Throws: `ModelError` if the model has no latent site, a discrete one or one in a subsampled plate, or no start is found.
  public init(
    _ model: Model<some Any>, layers: Int = 1, factors: [Int] = [8, 8],
    start: InitialStrategy = .median(draws: 15), scale: Double = 0.1, key: RandomKey = 0,
    prefix: String = "auto"
  ) throws {
    core = try VectorGuide(model, start: start, scale: scale, key: key, prefix: prefix) {
      BlockAutoregressiveFamily(
        location: $0, scale: $1, layers: layers, factors: factors, key: key.folding(in: "flow"))
    }
  }
}
