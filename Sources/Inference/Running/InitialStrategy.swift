// SPDX-License-Identifier: MIT
//
// Ways to choose where an algorithm starts.

import PPL
public import Tensors

/// A way to choose the point where an algorithm starts.
///
/// Each chain starts at a point of its own, at which log density and gradient are finite; chains that start far apart make
/// R-hat a test. The random starts are independent; those of `modes`, `map` and `laplace` lie around modes that searches have found, and
/// R-hat cannot tell of one that no search came to.
public indirect enum InitialStrategy: Sendable {
  /// Uniform in a cube of the unconstrained space, ±`radius` (Stan's choice, 2).
  case uniform(radius: Double)
  /// The point of the highest log density among several that another strategy proposes, for each chain its own.
  ///
  /// Of points in the unconstrained space some lie where the likelihood is hopeless, and a chain that begins there may end in a
  /// mode of no weight: on a mixture of two normals one chain in fifty does so from single points, in Stan as here.
  case best(of: Int, InitialStrategy)
  /// Several strategies in turn: a chain takes the one at its number, searches and candidates go round.
  ///
  /// Those that need a prior are left out for a log density that has no model.
  case alternating([InitialStrategy])
  /// Around the modes of the unconstrained density that searches from points of a strategy find, each chain around one of them by
  /// its probability, at draws from the normal approximation with deviations enlarged by 2; a kernel that has no metric and is to
  /// learn one begins with the covariance.
  ///
  /// Where the searches find no mode, or what is around it is far from normal, as in a hierarchy, or in more than 200 coordinates,
  /// chains start by another strategy.
  case modes(searches: Int = 8, from: InitialStrategy, otherwise: InitialStrategy)
  /// A draw from the prior.
  case prior
  /// The element-wise median of prior draws.
  case median(draws: Int)
  /// Given values, the same for all chains; the other sites by the median of prior draws.
  case values([String: any TensorConvertible])
  /// Given values for each chain; the other sites by the median of prior draws.
  case valuesByChain([[String: any TensorConvertible]])
  /// Unconstrained vectors, one for each chain, or one for all.
  case unconstrained([[Double]])
  /// Near the mode of the unconstrained density, the highest of four searches from points of a strategy (one from given
  /// points); each chain is moved by normal numbers times `jitter`.
  ///
  /// Without a strategy searches start at medians of prior draws, or where there is no prior to draw from uniformly in ±2.
  ///
  /// The density includes the Jacobian: its mode never lies at the bound of a site. A model whose density has no maximum,
  /// such as a centred hierarchy, is searched in vain: chains then start where the search began, and the result says so.
  case map(from: InitialStrategy? = nil, jitter: Double = 0.1)
  /// Draws from the Laplace approximation at that mode, with deviations enlarged by `spread`; its covariance becomes the
  /// kernel's metric.
  case laplace(from: InitialStrategy? = nil, spread: Double = 2)

  /// The name of the case.
  var name: String {
    switch self {
    case .uniform: "uniform"
    case .best: "best"
    case .alternating: "alternating"
    case .modes: "modes"
    case .prior: "prior"
    case .median: "median"
    case .values: "values"
    case .valuesByChain: "valuesByChain"
    case .unconstrained: "unconstrained"
    case .map: "map"
    case .laplace: "laplace"
    }
  }

  /// Whether a point that does not fit calls for another one, rather than being the caller's mistake.
  var isRandom: Bool {
    switch self {
    case .values, .valuesByChain, .unconstrained: false
    case .best(_, let strategy): strategy.isRandom
    case .alternating(let list): list.allSatisfy(\.isRandom)
    default: true
    }
  }

  /// Whether starts come from searches, which may be cut short.
  var searches: Bool {
    switch self {
    case .map, .laplace, .modes: true
    default: false
    }
  }

  /// Whether a model is needed to propose points.
  var needsModel: Bool {
    switch self {
    case .uniform, .unconstrained: false
    case .best(_, let strategy): strategy.needsModel
    case .alternating(let list): list.allSatisfy(\.needsModel)
    case .modes(_, let from, let otherwise): from.needsModel || otherwise.needsModel
    case .map(let from, _), .laplace(let from, _): from?.needsModel ?? false
    default: true
    }
  }

  /// The strategy in full, by which a checkpoint knows it.
  var text: String {
    switch self {
    case .uniform(let radius): "uniform(\(radius))"
    case .best(let count, let strategy): "best(of: \(count), \(strategy.text))"
    case .alternating(let list): "alternating(\(list.map(\.text).joined(separator: ", ")))"
    case .modes(let searches, let from, let otherwise):
      "modes(\(searches), \(from.text), \(otherwise.text))"
    case .prior: "prior"
    case .median(let draws): "median(\(draws))"
    case .values(let values): "values(\(InitialStrategy.text(values)))"
    case .valuesByChain(let chains):
      "valuesByChain(\(chains.map { InitialStrategy.text($0) }.joined(separator: " | ")))"
    case .unconstrained(let points): "unconstrained(\(points))"
    case .map(let from, let jitter): "map(\(from?.text ?? "nil"), \(jitter))"
    case .laplace(let from, let spread): "laplace(\(from?.text ?? "nil"), \(spread))"
    }
  }

  /// The strategy in words, for people.
  var words: String {
    switch self {
    case .uniform(let radius): "uniform in ±\(radius)"
    case .best(let count, let strategy): "the best of \(count): \(strategy.words)"
    case .alternating(let list): list.map(\.words).joined(separator: ", or ")
    case .prior: "a draw from the prior"
    case .median(let draws): "the median of \(draws) draws from the prior"
    case .values, .valuesByChain: "given values"
    case .unconstrained: "given points"
    case .modes, .map, .laplace: "around a mode"
    }
  }

  /// Returns values in full, by name.
  private static func text(_ values: [String: any TensorConvertible]) -> String {
    values.sorted { $0.key < $1.key }.map { "\($0.key) = \($0.value.tensor.elements)" }
      .joined(separator: ", ")
  }

  /// Checks that what is given for each chain is given for all of them.
  func check(chains: Int) throws {
    switch self {
    case .valuesByChain(let given) where given.count != chains:
      throw ModelError(
        .misuse,
        "expected initial values for \(chains) chains, found \(given.count); give one dictionary for each chain, or .values for all"
      )
    case .unconstrained(let given) where given.count != chains && given.count != 1:
      throw ModelError(
        .misuse,
        "expected initial points for \(chains) chains, or one for all, found \(given.count)")
    case .best(let count, _) where count < 1:
      throw ModelError(
        .misuse, "expected the best of at least one starting point, found best(of: \(count))")
    case .best(_, let strategy): try strategy.checkPoint(chains: chains)
    case .alternating(let list) where list.isEmpty:
      throw ModelError(.misuse, "expected at least one strategy, found alternating([])")
    case .alternating(let list): for strategy in list { try strategy.checkPoint(chains: chains) }
    case .modes(let searches, _, _) where searches < 1:
      throw ModelError(
        .misuse, "expected at least one search for modes, found modes(searches: \(searches))")
    case .modes(_, let from, let otherwise):
      try from.checkPoint(chains: chains)
      try otherwise.checkPoint(chains: chains)
    case .map(let from, _), .laplace(let from, _): try from?.checkPoint(chains: chains)
    default: break
    }
  }

  /// Checks a strategy that is to propose points for another one: searches do not.
  private func checkPoint(chains: Int) throws {
    guard !searches else {
      throw ModelError(
        .misuse,
        "expected a strategy that proposes single points within another one, found .\(name)")
    }
    try check(chains: chains)
  }

  /// Where chains start unless the caller has another wish: apart from each other, and not where the density is hopeless.
  ///
  /// Of the searches for modes half begin at points that know nothing of the model but that its coordinates are of order one, as Stan's
  /// chains do, and half at points that know the prior, which tells the scales but may be vague. Where they find nothing to rely on
  /// each chain begins at the best of ten points.
  public static var usual: InitialStrategy {
    .modes(
      from: .alternating([.uniform(radius: 2), .median(draws: 5)]),
      otherwise: .best(of: 10, .uniform(radius: 2)))
  }
}
