// SPDX-License-Identifier: MIT
//
// A guide at given parameters as an approximation of the posterior: draws, weights, evidence bound.

import Distributions
public import Numerics
public import PPL
import Synchronization
public import Tensors

/// A guide with given parameters, standing for the posterior of its model.
public struct VariationalPosterior: Sendable {
  /// The objective that compares guide and model.
  public let objective: CompiledELBO

  /// The unconstrained parameters.
  public let vector: [Double]

  /// The compiled forms that are not always needed.
  private let later = Later()

  /// The forms that are compiled when first asked for.
  private final class Later: Sendable {
    let weights = Mutex<CompiledFunction?>(nil)
  }

  /// Creates the posterior of a guide at given unconstrained parameters.
  public init(_ objective: CompiledELBO, at vector: [Double]) {
    demand(
      vector.count == objective.dimension,
      "VariationalPosterior: expected \(objective.dimension) parameters, got \(vector.count)")
    self.objective = objective
    self.vector = vector
  }

  /// Compiles the posterior of a guide at the parameters that the programs give themselves.
  ///
  /// - Throws: `ModelError` where the two do not fit; see ``CompiledELBO``.
  public init(_ model: Model<some Any>, _ guide: Model<some Any>) throws {
    let objective = try CompiledELBO(model, guide)
    self.init(objective, at: objective.initial)
  }

  /// The constrained parameters, by site.
  public var parameters: [String: Tensor] { objective.constrain(vector) }

  /// The sites that draws have by default: the latent ones, as their author wrote them.
  public var siteNames: [String] { defaultSites().map(\.name) }

  /// Returns the latent sites as their author wrote them; none whose elements change from draw to draw.
  private func defaultSites() -> [Site] {
    guard let (_, model) = try? objective.pair.run(parameters) else { return [] }
    return model.trace.sites.filter { site in
      !site.isAuxiliary
        && ((site.isLatent && !model.fixed.contains(site.name)) || site.original != nil)
        && !site.plates.contains { $0.subsampleSize < $0.size }
    }
  }

  /// Returns draws of the model's sites from the guide.
  ///
  /// - Parameters:
  ///   - count: The number of draws; draw i depends on the key and i alone.
  ///   - key: Their key.
  ///   - names: The sites, latent or deterministic.
  /// - Returns: One chain of draws.
  /// - Throws: `ModelError` of kind `unknownSites` for a name that the model does not have.
  public func sample(_ count: Int = 1000, key: RandomKey = 0, sites names: [String]) throws -> Draws
  {
    let trace = try objective.pair.run(parameters).model.trace
    let known = trace.sites.filter {
      ($0.kind == .sample || $0.kind == .deterministic) && $0.value != nil
    }.map(\.name)
    let unknown = names.filter { !known.contains($0) }
    guard unknown.isEmpty else {
      throw ModelError(
        .unknownSites(unknown), "expected sites among \(known), found unknown \(unknown)")
    }
    return drawn(count, key, names)
  }

  /// Returns draws of the latent sites, as their author wrote them, from the guide.
  ///
  /// - Parameters:
  ///   - count: The number of draws; draw i depends on the key and i alone.
  ///   - key: Their key.
  /// - Returns: One chain of draws.
  public func sample(_ count: Int = 1000, key: RandomKey = 0) -> Draws {
    drawn(count, key, siteNames)
  }

  /// Returns draws of sites that the model has.
  private func drawn(_ count: Int, _ key: RandomKey, _ names: [String]) -> Draws {
    let pair = objective.pair
    let layout = objective.parameters
    let function = CompiledFunction(at: [Tensor(vector)], resamples: true) { inputs in
      let pass = try? pair.run(CompiledELBO.values(inputs[0], layout)).model
      return names.map { pass?.trace.site($0)?.value ?? Tensor(.nan) }
    }
    let evaluator = function.makeEvaluator()
    var columns = function.outputShapes.map { shape -> [Double] in
      var column: [Double] = []
      column.reserveCapacity(count * shape.elementCount)
      return column
    }
    for draw in 0..<count {
      evaluator.redraw(key: key.folding(in: draw))
      vector.withUnsafeBufferPointer { vector in
        evaluator.forEachOutput(at: vector) { columns[$0].append(contentsOf: $1) }
      }
    }
    let periods = Dictionary(
      (try? pair.run(parameters))?.model.trace.sites.compactMap { site in
        site.period.map { (site.name, $0) }
      } ?? []
    ) { $1 }
    return Draws(
      chains: 1, draws: count,
      sites: names.indices.map { k in
        Draws.Site(
          name: names[k], shape: function.outputShapes[k], period: periods[names[k]],
          values: columns[k])
      })
  }

  /// Returns log p(x, z) − log q(z) at draws of the guide, the same draws that ``sample(_:key:sites:)`` returns.
  ///
  /// The mean is the ELBO, the log of the mean of the exponentials an estimate of the log evidence. A point estimate has
  /// no density of its own: its values are those of the model.
  public func logWeights(_ count: Int = 1000, key: RandomKey = 0) -> [Double] {
    let function = later.weights.withLock { known in
      if let known { return known }
      let pair = objective.pair
      let layout = objective.parameters
      let made = CompiledFunction(at: [Tensor(vector)], resamples: true) { inputs in
        guard let run = try? pair.guidedRun(CompiledELBO.values(inputs[0], layout)) else {
          return [Tensor(.nan)]
        }
        return [TraceELBO().estimate(run).sum()]
      }
      known = made
      return made
    }
    let evaluator = function.makeEvaluator()
    return (0..<count).map { draw in
      evaluator.redraw(key: key.folding(in: draw))
      return vector.withUnsafeBufferPointer { evaluator.scalarValue(at: $0) }
    }
  }

  /// Returns the evidence lower bound and its Monte Carlo standard error.
  public func elbo(draws: Int = 1000, key: RandomKey = 0) -> (value: Double, error: Double) {
    demand(draws > 1, "elbo: expected at least two draws, got \(draws)")
    let terms = logWeights(draws, key: key)
    let mean = terms.reduce(0, +) / Double(draws)
    let squares = terms.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return (mean, (squares / Double(draws - 1) / Double(draws)).squareRoot())
  }
}

extension Site {
  /// The period of an angle; nil for other sites.
  var period: Double? {
    if case .circular(_, let period)? = (original ?? distribution)?.support { period } else { nil }
  }
}
