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
  /// - Throws: ``ModelError`` if the model makes a mistake, has no latent site or a discrete one, or if its density is
  ///   not fixed (a subsampled plate, a random key).
  public func logDensity() throws -> CompiledDensity {
    try CompiledDensity(handled(by: Block { _ in false }).erased)
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
  init(_ model: Model<Void>) throws {
    let discovery = try model.run(under: Discovery()).1
    if let problem = discovery.problem { throw problem }
    guard !discovery.latents.isEmpty else {
      throw ModelError(
        .noLatentSites,
        "expected at least one latent site, found none: nothing is left to infer; remove a condition or add a sample statement"
      )
    }
    self.model = model
    layout = try CompiledDensity.layout(discovery.latents)
    function = CompiledFunction(at: [.zeros([layout.dimension])]) {
      [layout = self.layout] inputs in
      [CompiledDensity.run(model, layout, inputs[0], .unconstrained).total]
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
          constraint: distribution.support, isAuxiliary: site.isAuxiliary)
      })
  }

  /// Runs the model at an unconstrained vector.
  private static func run(
    _ model: Model<Void>, _ layout: ParameterLayout, _ q: Tensor,
    _ measure: DensityAccumulator.Measure
  ) -> DensityAccumulator {
    let coordinates = layout.entries.map { entry in
      (entry.name, q[entry.range].reshaped(entry.unconstrainedShape))
    }
    let handler = DensityAccumulator(measure, Dictionary(coordinates) { $1 })
    // The model ran without a mistake when it was compiled; what it does wrong only at some values gives NaN here.
    guard let (_, final) = try? model.run(under: handler) else {
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

  /// Returns an evaluator of the log joint density of the sites as their author wrote them, as a function of the
  /// unconstrained vector: no Jacobian, reparameterisations undone. This is what MAP maximises.
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

  /// Returns a function from unconstrained vectors to the values of sites; one to each thread.
  public func makeConstrainer(sites names: [String]? = nil) -> Constrainer {
    let names = names ?? authoredNames
    let key = names.joined(separator: "\u{0}")
    let compiled = later.sites.withLock { known in
      if let known = known[key] { return known }
      let made = CompiledFunction(at: [.zeros([dimension])]) { [model, layout] inputs in
        let trace = CompiledDensity.run(model, layout, inputs[0], .authored).trace
        return names.map { trace.site($0)?.value ?? Tensor(.nan) }
      }
      known[key] = made
      return made
    }
    return Constrainer(names, compiled)
  }

  /// The names of the latent sites as their author wrote them: reparameterised ones under their own name.
  public var authoredNames: [String] {
    let trace = CompiledDensity.run(model, layout, .zeros([dimension]), .authored).trace
    return trace.sites.filter {
      ($0.isLatent && !$0.isAuxiliary) || ($0.kind == .deterministic && $0.original != nil)
    }.map(\.name)
  }

  /// The names of all deterministic sites.
  public var deterministicNames: [String] {
    let trace = CompiledDensity.run(model, layout, .zeros([dimension]), .authored).trace
    return trace.sites.filter { $0.kind == .deterministic && $0.original == nil }.map(\.name)
  }

  /// Returns the unconstrained vector at which the latent sites have given values.
  ///
  /// - Parameter values: A value for each latent site; shapes must match.
  /// - Throws: ``ModelError`` if a site is missing or unknown, a shape differs, or a value lies outside its support.
  public func unconstrain(_ values: [String: any TensorConvertible]) throws -> [Double] {
    let unknown = values.keys.filter { layout[$0] == nil }.sorted()
    let missing = layout.names.filter { values[$0] == nil }
    guard unknown.isEmpty && missing.isEmpty else {
      throw ModelError(
        .unknownSites(unknown.isEmpty ? missing : unknown),
        "expected values for the sites \(layout.names), found unknown \(unknown), missing \(missing)"
      )
    }
    // Supports may depend on other sites, so the model runs at the values themselves.
    let trace = try model.run(
      under: Substituting(values: values.mapValues(\.tensor))
    ).1.trace
    var q = [Double](repeating: 0, count: dimension)
    for entry in layout.entries {
      guard let site = trace.site(entry.name), let value = values[entry.name]?.tensor,
        let support = site.distribution?.support, let map = bijector(to: support)
      else { continue }
      guard value.shape == entry.shape else {
        throw ModelError(
          .shapeMismatch(expected: entry.shape, found: value.shape), site: entry.name,
          "expected a value of shape \(entry.shape), found \(value.shape)")
      }
      let u = map.inverse(value).elements
      guard u.allSatisfy(\.isFinite), support.contains(value).isTrue else {
        throw ModelError(
          .outsideSupport, site: entry.name,
          "expected a value inside the support of \(site.distribution.map { "\($0)" } ?? ""), found \(value); move it inside"
        )
      }
      q.replaceSubrange(entry.range, with: u)
    }
    return q
  }
}

/// Sets latent sites to values and keeps all sites.
private struct Substituting: Handler {
  let values: [String: Tensor]
  private(set) var trace = Trace()

  /// Creates the handler.
  init(values: [String: Tensor]) { self.values = values }

  mutating func process(_ site: inout Site) {
    if site.isLatent, let value = values[site.name] { site.value = value }
  }

  mutating func postprocess(_ site: inout Site) { trace.append(site) }
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
