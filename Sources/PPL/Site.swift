// SPDX-License-Identifier: MIT
//
// A site: one probabilistic statement of a model on its way through the handlers.

public import Distributions
public import Numerics
public import Tensors

/// One statement of a model: what it is, and what the handlers have made of it so far.
///
/// A site starts at the statement, passes the handlers from the innermost to the outermost, is given a value if none of
/// them gave one, and passes them again on the way back.
public struct Site: Sendable {
  /// The statements a model can make.
  public enum Kind: String, Sendable, Hashable {
    /// A random variable, latent or observed.
    case sample
    /// A parameter to be optimised.
    case param
    /// A computed value that is worth a name.
    case deterministic
    /// A term of the log density.
    case factor
    /// The indices of a plate.
    case plate
    /// A random key of the model's own.
    case key
  }

  /// What the statement is.
  public let kind: Kind

  /// The name, prefixed by the scopes it has passed.
  public var name: String

  /// The distribution of a `sample` site, with the batch shape of its plates.
  public var distribution: (any Distribution)?

  /// The value, of a `factor` its log density; nil until a handler, the data or the default gives one.
  public var value: Tensor?

  /// Whether the value is data.
  public var isObserved = false

  /// Whether the data of the site were given by a handler, where its author wrote a latent variable.
  public internal(set) var wasLatent = false

  /// Whether the site has no value because its data are to be predicted.
  public var isPredicted = false

  /// What the log density is multiplied with.
  public var scale = Tensor(1)

  /// Where the log density counts (not zero); nil for everywhere.
  ///
  /// Broadcasts with the batch shape.
  public var mask: Tensor?

  /// The plates the statement stands in, outermost first.
  public var plates: [PlateFrame] = []

  /// The key from which the default value is drawn.
  public var key: RandomKey?

  /// The constraint of a `param` site.
  public var constraint: Constraint?

  /// The distribution the author wrote, where a reparameterisation has replaced it.
  public var original: (any Distribution)?

  /// The site that this one was made in place of, by a reparameterisation.
  public internal(set) var origin: SiteOrigin?

  /// Hints for inference algorithms, set by ``InferConfig``.
  public var hints: [String: String] = [:]

  /// Whether outer handlers do not see the site.
  public var isStopped = false

  /// Creates a site.
  init(_ kind: Kind, _ name: String) {
    self.kind = kind
    self.name = name
  }

  /// Whether the site is a latent random variable.
  public var isLatent: Bool { kind == .sample && !isObserved && !isPredicted }

  /// Whether the site was made by a reparameterisation, in place of another site.
  public var isAuxiliary: Bool { origin != nil }

  /// Whether scales and masks matter to the site: it has a density, or had one before it was reparameterised.
  public var isWeighted: Bool { kind == .sample || kind == .factor || original != nil }

  /// The log density of the site: scale × masked log probability, summed; zero for sites without a density.
  ///
  /// Masked elements are replaced by a feasible value before the density is taken, so they cannot poison a gradient.
  public var logProbability: Tensor { logProbability(under: distribution) }

  /// The log density of the site's value under the distribution its author wrote.
  public var originalLogProbability: Tensor {
    isAuxiliary ? Tensor(0) : logProbability(under: original ?? distribution)
  }

  /// Returns scale × masked log density of the value under a distribution.
  private func logProbability(under distribution: (any Distribution)?) -> Tensor {
    guard let value, !isPredicted else { return Tensor(0) }
    var total: Tensor
    switch kind {
    case .factor:
      total = (mask.map { select($0, value, Tensor(0)) } ?? value).sum()
    case .sample, .deterministic:
      guard let distribution else { return Tensor(0) }
      guard let mask else {
        total = distribution.logProbabilitySum(of: value)
        break
      }
      let feasible = distribution.feasibleValue
      let event = mask.reshaped(
        mask.shape + [Int](repeating: 1, count: distribution.eventShape.count))
      let safe = select(event, value, feasible)
      total = select(mask, distribution.logProbability(of: safe), Tensor(0)).sum()
    default: return Tensor(0)
    }
    if let factor = scale.constantScalar, factor == 1 { return total }
    return total * scale
  }
}

extension Tensor {
  /// The value of a constant scalar; nil for a traced tensor or an array.
  var constantScalar: Double? { isTraced || count != 1 ? nil : item() }
}

/// The site that a reparameterisation has replaced, as its author wrote it.
public struct SiteOrigin: Sendable {
  /// Its name.
  public internal(set) var name: String

  /// The shape of its value.
  public let shape: Shape

  /// Returns the value of the site that replaces it, for a value of the original one.
  public let inverse: @Sendable (Tensor) -> Tensor
}

/// A plate that a statement stands in.
public struct PlateFrame: Sendable, Hashable {
  /// The name of the plate.
  public let name: String

  /// The number of independent elements.
  public let size: Int

  /// The number of elements in use: `size`, or fewer when subsampled.
  public let subsampleSize: Int

  /// The axis of the batch shape, counted from the back: −1 is the last.
  public let axis: Int

  /// Draws the indices in use, without replacement and in random order; all of them, in order, of a full plate.
  func indices(key: RandomKey) -> Tensor {
    subsampleSize < size ? .subset(subsampleSize, of: size, key: key) : .arange(size)
  }
}
