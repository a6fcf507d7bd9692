// SPDX-License-Identifier: MIT
//
// The latent sites of a model as one vector for an automatic guide: where it starts, and how its draws become sites.

import Distributions
import Numerics
import PPL
import Tensors

/// The space of a model's latent sites that an automatic guide covers.
struct GuideSpace: Sendable {
  /// The model's density; of a model that subsamples an estimate at one key.
  let density: CompiledDensity

  /// The chart of the unconstrained space.
  let coordinates: GuideCoordinates

  /// Where the guide starts.
  let origin: [Double]

  /// The curvature at the mode, where the start asked for it; the guide's own vector is then a whitened one.
  let whitening: Whitening?

  /// Prepares the space of a model's latent sites.
  ///
  /// - Throws: `ModelError` if there is no latent site, a discrete one or one inside a subsampled plate, or no point to start.
  init(
    _ model: Model<Void>, start: InitialStrategy, key: RandomKey,
    isCancelled: () -> Bool = { false }
  ) throws {
    let discovery = try model.run(under: Discovery()).1
    for site in discovery.latents {
      guard let plate = site.plates.first(where: { $0.subsampleSize < $0.size }) else { continue }
      throw ModelError(
        .misuse, site: site.name, plates: site.plates.map(\.name),
        "expected latent sites that every step sees, found one in \"\(plate.name)\", subsampled to \(plate.subsampleSize) of \(plate.size); write a guide by hand, with a param of all \(plate.size) elements of which it takes the indices of the plate"
      )
    }
    let density = try CompiledDensity(model, isEstimate: true)
    var strategy = start
    var isWhitened = false
    if case .laplace(let from, _) = start {
      (strategy, isWhitened) = (.map(from: from, jitter: 0), true)
    }
    let point = try density.initialPoint(strategy, key: key)
    try self.init(density, at: point, isWhitened: isWhitened, isCancelled: isCancelled)
  }

  /// Prepares the space of a density around a point, or around the mode that a search from there finds.
  init(
    _ density: CompiledDensity, at point: [Double], isWhitened: Bool,
    isCancelled: () -> Bool = { false }
  ) throws {
    self.density = density
    coordinates = GuideCoordinates(density.layout, around: point)
    let start = coordinates.coordinates(of: point)
    guard isWhitened else {
      origin = start
      whitening = nil
      return
    }
    let found = try Whitening(
      Self.evaluator(density, coordinates), from: start, angles: coordinates.angles.map(\.place),
      isCancelled: isCancelled)
    origin = found.location
    whitening = found
  }

  /// Prepares the space with a whitening that is known.
  init(_ density: CompiledDensity, _ coordinates: GuideCoordinates, _ whitening: Whitening) {
    self.density = density
    self.coordinates = coordinates
    origin = whitening.location
    self.whitening = whitening
  }

  /// The number of coordinates.
  var dimension: Int { coordinates.dimension }

  /// Returns an evaluator of a log density in a chart, the turns of angles not distinguished.
  private static func evaluator(_ density: CompiledDensity, _ chart: GuideCoordinates)
    -> DensityEvaluator
  {
    let model = density.model
    let zero = Tensor.zeros([chart.dimension])
    return DensityEvaluator(
      CompiledFunction(at: [zero]) { inputs in
        let pass = CompiledDensity.run(model, chart.unconstrained(inputs[0]), .unconstrained)
        return [pass.total + chart.logRadialCorrection]
      })
  }

  /// Returns the name of the factor that makes a guide's density that of the sites.
  static func densityName(_ prefix: String) -> String { "\(prefix)_density" }

  /// Returns the name of the site that holds a guide's density as a function of its draws alone.
  static func pathName(_ prefix: String) -> String { "\(prefix)_path" }

  /// States the latent sites at given coordinates: point masses, and a factor that makes the guide's density that of the sites.
  ///
  /// - Parameters:
  ///   - y: The coordinates.
  ///   - logDensity: What the statements so far lack of log q(y).
  ///   - turns: The log density of the turns of angles.
  ///   - path: A scalar whose derivative by the draw is that of log q(y) at fixed parameters; nil where it is not known.
  ///   - m: The guide's context.
  ///   - prefix: The name before those of the sites stated besides.
  func place(
    _ y: Tensor, logDensity: Tensor, turns: Tensor = Tensor(0), path: Tensor? = nil,
    in m: ModelContext, _ prefix: String
  ) {
    // Supports may depend on other sites: the model runs, and only the values of the sites are used; what it computes
    // besides is dead code on the tape.
    let pass = CompiledDensity.run(density.model, coordinates.unconstrained(y), .unconstrained)
    for entry in coordinates.entries {
      guard let value = pass.trace.site(entry.site.name)?.value else { continue }
      m.sample(entry.site.name, Delta(value).toEvent(value.rank))
    }
    guard pass.isComplete else {
      m.factor(Self.densityName(prefix), Tensor(.nan))
      return
    }
    let jacobian = pass.logJacobians.reduce(turns + coordinates.logRadialCorrection) { $0 + $1 }
    m.factor(Self.densityName(prefix), logDensity - jacobian)
    if let path {
      let along = path - jacobian
      m.deterministic(Self.pathName(prefix), along - along.stoppingGradient())
    }
  }
}
