// SPDX-License-Identifier: MIT
//
// A model's log density as a compiled function of one unconstrained vector, with the way back to its sites.

import Distributions
import Numerics
public import PPL
import Synchronization
public import Tensors

extension Model {
  /// Returns the log density of the model's latent sites in unconstrained coordinates, compiled.
  ///
  /// A latent site to which a handler has given a value (`Model.substituting(_:)`) is fixed: it has no coordinates.
  /// If the model's control flow changes which latent sites there are, its density is NaN wherever they differ from those of
  /// its first run. Data to be predicted are left out. A `param` is no variable here: it stays at its initial value, unless a
  /// handler gives it another or makes it a latent site (`Model.lifted(_:)`).
  ///
  /// - Parameter broadAngles: The sites of circular support that the data may leave open. The two coordinates of an angle lie on a
  ///   ring, which is three times as wide for these: samplers take longer steps around it (two to three times as many effective draws for
  ///   the same work), where they lose a sixth on sharp angles.
  /// - Returns: The log density.
  /// - Throws: `ModelError` if the model makes a mistake, has no latent site or a discrete one, if its density is
  ///   not fixed (a subsampled plate, a random key, data to be predicted that other statements depend on), or if a broad angle is
  ///   none of its sites, or no angle.
  public func logDensity(broadAngles: Set<String> = []) throws -> CompiledDensity {
    try CompiledDensity(erased, broadAngles: broadAngles)
  }

  /// The model without its output.
  var erased: Model<Void> { Model<Void> { context in context.call(self) } }
}

/// The log density of a model: Sendable, one for all chains; each chain makes its own evaluator.
public struct CompiledDensity: Sendable {
  /// The model.
  public let model: Model<Void>

  /// The places of the latent sites.
  public let layout: ParameterLayout

  /// The angles whose coordinates lie on a wide ring.
  public let broadAngles: Set<String>

  /// The log density of the unconstrained vector, Jacobian included.
  public let function: CompiledFunction

  /// The compiled forms that are not always needed.
  private let later = Later()

  /// The forms of the model that are compiled when first asked for.
  private final class Later: Sendable {
    let authored = Mutex<CompiledFunction?>(nil)
    let sites = Mutex<[String: CompiledFunction]>([:])
  }

  /// Compiles the log density of a model.
  ///
  /// With `isEstimate` it need not be fixed: subsamples, random keys and predictions are those of one key, for algorithms that
  /// need the places of the sites and a point to start from, and take the density itself anew at each step.
  init(_ model: Model<Void>, isEstimate: Bool = false, broadAngles: Set<String> = []) throws {
    let discovery = try model.run(under: Discovery()).1
    if let problem = discovery.problem { throw problem }
    if let variation = discovery.variation, !isEstimate { throw variation }
    guard !discovery.latents.isEmpty else {
      throw ModelError(
        .noLatentSites,
        "expected at least one latent site, found none: nothing is left to infer; remove a condition or add a sample statement"
      )
    }
    self.model = model
    let layout = try CompiledDensity.layout(discovery.latents)
    self.layout = layout
    self.broadAngles = broadAngles
    try CompiledDensity.check(broadAngles, layout)
    let origin = Tensor.zeros([layout.dimension])
    if discovery.hasPredictions && !isEstimate {
      let totals = [RandomKey(0), RandomKey(1)].map { key in
        CompiledDensity.run(model, layout, origin, .unconstrained, predicting: key).total.item()
      }
      guard totals[0] == totals[1] || totals.allSatisfy(\.isNaN) else {
        throw ModelError(
          .noFixedDensity,
          "expected a density that depends on latent sites alone, found that it changes with the draw of data that are to be predicted; state those that others depend on with sample, or give their data"
        )
      }
    }
    function = CompiledFunction(at: [origin]) { inputs in
      [CompiledDensity.run(model, layout, inputs[0], .unconstrained, broadAngles).total]
    }
  }

  /// Throws where a broad angle is none of the sites, or no angle.
  private static func check(_ broadAngles: Set<String>, _ layout: ParameterLayout) throws {
    let angles = layout.entries.filter { entry in
      if case .circular = entry.constraint { true } else { false }
    }.map(\.name)
    let others = broadAngles.subtracting(angles).sorted()
    guard others.isEmpty else {
      throw ModelError(
        .unknownSites(others),
        "expected broad angles among the latent sites of circular support \(angles), found \(others)"
      )
    }
  }

  /// Returns the places of latent sites.
  private static func layout(_ latents: [Site]) throws -> ParameterLayout {
    var start = 0
    return ParameterLayout(
      latents.compactMap { site in
        guard let distribution = site.distribution, let map = bijector(to: distribution.support)
        else { return nil }
        let shape = distribution.batchShape + distribution.eventShape
        let coordinates = map.unconstrainedShape(shape)
        let range = start..<(start + coordinates.elementCount)
        start = range.upperBound
        return LayoutEntry(
          name: site.name, range: range, unconstrainedShape: coordinates, shape: shape,
          constraint: distribution.support, origin: site.origin?.name)
      })
  }

  /// Runs the model at an unconstrained vector.
  private static func run(
    _ model: Model<Void>, _ layout: ParameterLayout, _ q: Tensor,
    _ measure: DensityAccumulator.Measure, _ broadAngles: Set<String> = [],
    predicting key: RandomKey? = nil
  ) -> DensityAccumulator {
    let coordinates = layout.entries.map { entry in
      (entry.name, q[entry.range].reshaped(entry.unconstrainedShape))
    }
    return run(model, Dictionary(coordinates) { $1 }, measure, broadAngles, predicting: key)
  }

  /// Runs a model at unconstrained coordinates of its sites.
  static func run(
    _ model: Model<Void>, _ coordinates: [String: Tensor],
    _ measure: DensityAccumulator.Measure, _ broadAngles: Set<String> = [],
    predicting key: RandomKey? = nil
  ) -> DensityAccumulator {
    let handler = DensityAccumulator(
      measure, coordinates, broadAngles: broadAngles, drawsPredictions: key != nil)
    // The model ran without a mistake when it was compiled; what it does wrong only at some values gives NaN here.
    guard let (_, final) = try? model.run(under: handler, key: key ?? 0) else {
      var broken = handler
      broken.fail()
      return broken
    }
    return final
  }

  /// The length of the unconstrained vector.
  public var dimension: Int { layout.dimension }

  /// Whether the model is run anew at each evaluation, because its control flow depends on values.
  public var isDynamic: Bool { function.isDynamic }

  // MARK: - Evaluation

  /// Returns an evaluator of the log density of the unconstrained vector.
  public func makeEvaluator() -> DensityEvaluator { DensityEvaluator(function) }

  /// Returns an evaluator of the log joint density of the sites as their author wrote them: what MAP maximises.
  ///
  /// A function of the unconstrained vector, with no Jacobian and reparameterisations undone.
  public func makeJointEvaluator() -> DensityEvaluator {
    let compiled = later.authored.withLock { known in
      if let known { return known }
      let made = CompiledFunction(at: [.zeros([dimension])]) { [model, layout] inputs in
        [CompiledDensity.run(model, layout, inputs[0], .authored).total]
      }
      known = made
      return made
    }
    return DensityEvaluator(compiled)
  }

  // MARK: - Sites

  /// Returns the values of sites at an unconstrained vector.
  ///
  /// - Parameters:
  ///   - q: The vector.
  ///   - names: The sites, latent or deterministic; by default all latent ones, as their author wrote them.
  /// - Returns: The values by name.
  public func constrain(_ q: [Double], sites names: [String]? = nil) -> [String: Tensor] {
    makeConstrainer(sites: names).callAsFunction(q)
  }

  /// Returns a function from unconstrained vectors to the values of sites, NaN for those it does not know; one to each thread.
  public func makeConstrainer(sites names: [String]? = nil) -> Constrainer {
    let names = names ?? authoredNames
    let key = names.joined(separator: "\u{0}")
    let compiled = later.sites.withLock { known in
      if let known = known[key] { return known }
      let made = CompiledFunction(at: [.zeros([dimension])]) { [model, layout] inputs in
        let trace = CompiledDensity.run(model, layout, inputs[0], .authored).trace
        return names.map { name in
          trace.site(name).flatMap { $0.isPredicted ? nil : $0.value } ?? Tensor(.nan)
        }
      }
      known[key] = made
      return made
    }
    return Constrainer(names, compiled)
  }

  /// Returns the sites of the model at an unconstrained vector.
  func trace(at q: [Double]) -> Trace {
    CompiledDensity.run(model, layout, Tensor(q), .authored).trace
  }

  /// The names of the latent sites as their author wrote them: reparameterised ones under their own name.
  public var authoredNames: [String] {
    let trace = trace(at: [Double](repeating: 0, count: dimension))
    return trace.sites.filter {
      !$0.isAuxiliary && (layout[$0.name] != nil || $0.original != nil)
    }.map(\.name)
  }

  /// The names of all deterministic sites.
  public var deterministicNames: [String] {
    let trace = trace(at: [Double](repeating: 0, count: dimension))
    return trace.sites.filter { $0.kind == .deterministic && $0.original == nil }.map(\.name)
  }

  /// The names of all sites whose values follow from the unconstrained vector, data included.
  var followingNames: Set<String> {
    let trace = CompiledDensity.run(model, layout, .zeros([dimension]), .authored).trace
    return Set(trace.sites.filter { !$0.isPredicted && $0.value != nil }.map(\.name))
  }

  /// Returns the unconstrained vector at which the latent sites have given values.
  ///
  /// - Parameters:
  ///   - values: A value for each latent site, a reparameterised one under its own name or that of its base.
  ///   - others: The vector from which sites without a value take their coordinates; nil: there must be none.
  /// - Returns: The unconstrained vector.
  /// - Throws: `ModelError` if a site is missing or unknown, a shape differs, or a value lies outside its support.
  public func unconstrain(
    _ values: [String: any TensorConvertible], others: [Double]? = nil
  ) throws -> [Double] {
    let known = Set(layout.entries.flatMap { [$0.name, $0.origin ?? $0.name] })
    let unknown = values.keys.filter { !known.contains($0) }.sorted()
    let missing = layout.entries.filter {
      values[$0.name] == nil && values[$0.origin ?? $0.name] == nil
    }.map(\.name)
    guard unknown.isEmpty && (missing.isEmpty || others != nil) else {
      throw ModelError(
        .unknownSites(unknown.isEmpty ? missing : unknown),
        "expected values for the sites \(layout.names), found unknown \(unknown), missing \(missing)"
      )
    }
    var coordinates: [String: Tensor] = [:]
    for entry in layout.entries where missing.contains(entry.name) {
      guard let others else { break }
      coordinates[entry.name] = Tensor(
        Array(others[entry.range]), shape: entry.unconstrainedShape)
    }
    // Supports may depend on other sites, so the model runs at the values themselves.
    let placement = Placement(values: values.mapValues(\.tensor), coordinates: coordinates)
    let (_, final) = try model.run(under: placement)
    if let problem = final.problem { throw problem }
    var q = [Double](repeating: 0, count: dimension)
    for entry in layout.entries {
      guard let u = final.found[entry.name], u.count == entry.range.count else { continue }
      q.replaceSubrange(entry.range, with: u)
    }
    return q
  }
}

/// A compiled function from unconstrained vectors to the values of sites; belongs to one thread.
public final class Constrainer {
  /// The sites, in order.
  public let names: [String]

  /// The shapes of the values.
  public let shapes: [Shape]

  private let evaluator: FunctionEvaluator

  /// Creates the function.
  init(_ names: [String], _ function: CompiledFunction) {
    self.names = names
    shapes = function.outputShapes
    evaluator = function.makeEvaluator()
  }

  /// Returns the elements of the sites at a vector, in the order of the names.
  public func elements(_ q: [Double]) -> [[Double]] {
    q.withUnsafeBufferPointer { evaluator.values(at: $0) }
  }

  /// Appends the elements of the sites at a vector to columns, one for each site; NaN where a site has changed its shape.
  ///
  /// Nothing is allocated where the columns have room, unless the model is dynamic.
  ///
  /// - Parameters:
  ///   - q: The vector.
  ///   - columns: The columns of the sites, in the order of the names; further ones are left alone.
  public func append(_ q: [Double], to columns: inout [[Double]]) {
    q.withUnsafeBufferPointer { append($0, to: &columns) }
  }

  /// Appends the elements of the sites at a vector in plain memory.
  func append(_ q: UnsafeBufferPointer<Double>, to columns: inout [[Double]]) {
    evaluator.forEachOutput(at: q) { site, elements in
      let count = shapes[site].elementCount
      if elements.count == count {
        columns[site].append(contentsOf: elements)
      } else {
        columns[site].append(contentsOf: repeatElement(.nan, count: count))
      }
    }
  }

  /// Returns the values of the sites at a vector, by name.
  public func callAsFunction(_ q: [Double]) -> [String: Tensor] {
    let parts = elements(q)
    return Dictionary(
      zip(names, zip(parts, shapes).map { Tensor($0, shape: $1) })
    ) { $1 }
  }

  /// Returns the derivative of one site's elements along a direction of the vector.
  public func tangent(_ q: [Double], _ direction: [Double], site: Int) -> [Double] {
    q.withUnsafeBufferPointer { q in
      direction.withUnsafeBufferPointer {
        evaluator.jacobianVectorProduct(at: q, $0, output: site).tangent
      }
    }
  }
}
