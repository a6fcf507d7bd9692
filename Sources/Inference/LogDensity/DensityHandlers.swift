// SPDX-License-Identifier: MIT
//
// The handlers that turn a model into a function of one unconstrained vector.

import Distributions
import PPL
import Tensors

/// Finds the free latent sites of a model, and what forbids a fixed density.
struct Discovery: Handler {
  /// The latent sites, in order.
  private(set) var latents: [Site] = []

  /// The first reason why there is no density that can be followed by gradients.
  private(set) var problem: ModelError?

  /// The first reason why the density changes from one evaluation to the next.
  private(set) var variation: ModelError?

  /// Whether any data are to be predicted.
  private(set) var hasPredictions = false

  /// The latent sites to which a handler inside has given a value: they are fixed.
  private var fixed: Set<String> = []

  mutating func process(_ site: inout Site) {
    if site.isLatent && site.value != nil { fixed.insert(site.name) }
  }

  mutating func postprocess(_ site: inout Site) {
    if site.isPredicted { hasPredictions = true }
    if site.isLatent {
      if fixed.contains(site.name) { return }
      latents.append(site)
    }
    if problem == nil, site.isLatent, site.distribution?.support.isDiscrete ?? false {
      problem = ModelError(
        .discreteLatent, site: site.name, plates: site.plates.map(\.name),
        "expected a continuous latent variable, found \(site.distribution.map { "\($0)" } ?? "none"); observe it, or sum it out by hand in a factor"
      )
    }
    guard variation == nil else { return }
    if site.kind == .key {
      variation = ModelError(
        .noFixedDensity, site: site.name,
        "expected a model whose density depends on its latent sites alone, found a random key; draw with sample, or pass the key from outside"
      )
    } else if let plate = site.plates.first(where: { $0.subsampleSize < $0.size }) {
      variation = ModelError(
        .noFixedDensity, site: site.name, plates: site.plates.map(\.name),
        "expected full plates, found \"\(plate.name)\" subsampled to \(plate.subsampleSize) of \(plate.size): its density changes from one evaluation to the next; use the full plate here, or stochastic variational inference, which is made for subsamples"
      )
    }
  }
}

/// Gives latent sites the values of an unconstrained vector and adds up the log joint density.
struct DensityAccumulator: Handler {
  /// Which density is added up.
  enum Measure: Sendable {
    /// Of the unconstrained vector: with the Jacobian, of the sites that are sampled.
    case unconstrained
    /// Of the sites as their author wrote them: no Jacobian, reparameterisations undone.
    case authored
  }

  /// Which density is added up.
  let measure: Measure

  /// The unconstrained coordinates, by site.
  let coordinates: [String: Tensor]

  /// The angles that may lie anywhere.
  let broadAngles: Set<String>

  /// Whether data to be predicted are drawn; else they take a value that depends on no key.
  let drawsPredictions: Bool

  /// The coordinates that have found no site yet.
  private var unused: Set<String>

  /// Whether the run made a mistake, or had other latent sites than those of the coordinates.
  private var isBroken = false

  /// The terms so far that depend on the coordinates.
  private var terms: [Tensor] = []

  /// The sum of the other terms.
  private var constant = 0.0

  /// All sites that have a value, in order.
  private(set) var trace = Trace()

  /// The logarithms of the Jacobians from coordinates to values, one scalar for each site.
  private(set) var logJacobians: [Tensor] = []

  /// Creates the handler for given coordinates.
  init(
    _ measure: Measure, _ coordinates: [String: Tensor], broadAngles: Set<String> = [],
    drawsPredictions: Bool = false
  ) {
    self.measure = measure
    self.coordinates = coordinates
    self.broadAngles = broadAngles
    self.drawsPredictions = drawsPredictions
    unused = Set(coordinates.keys)
  }

  mutating func process(_ site: inout Site) {
    if site.isPredicted && site.value == nil && !drawsPredictions {
      site.value = site.distribution?.feasibleValue
    }
    guard site.isLatent, site.value == nil else { return }
    guard let u = coordinates[site.name], let support = site.distribution?.support,
      let map = bijector(to: support, isBroad: broadAngles.contains(site.name))
    else {
      isBroken = true
      return
    }
    unused.remove(site.name)
    let x = map.forward(u)
    site.value = x
    guard measure == .unconstrained else { return }
    let logJacobian = map.logAbsDetJacobian(u, x).sum()
    logJacobians.append(logJacobian)
    add(logJacobian)
  }

  mutating func postprocess(_ site: inout Site) {
    trace.append(site)
    switch (site.kind, measure) {
    case (.factor, _):
      // A factor that a reparameterisation has made is a Jacobian.
      if measure == .unconstrained || !site.isAuxiliary { add(site.logProbability) }
    case (.sample, .unconstrained) where !site.isPredicted: add(site.logProbability)
    case (.sample, .authored) where !site.isPredicted:
      add(site.originalLogProbability)
    case (.deterministic, .authored) where site.original != nil:
      add(site.originalLogProbability)
    default: break
    }
  }

  /// Adds a term; constants are summed at once, so that they cost no instruction.
  private mutating func add(_ term: Tensor) {
    if let elements = term.constantElements {
      constant += elements.reduce(0, +)
    } else {
      terms.append(term)
    }
  }

  /// Makes the density NaN.
  mutating func fail() { isBroken = true }

  /// Whether the run made no mistake, and its latent sites were those of the coordinates.
  var isComplete: Bool { !isBroken && unused.isEmpty }

  /// The log density; NaN where the model's latent sites are not those of the coordinates.
  var total: Tensor {
    guard isComplete else { return Tensor(.nan) }
    guard let first = terms.first else { return Tensor(constant) }
    let sum = terms.dropFirst().reduce(first) { $0 + $1 }
    return constant == 0 ? sum : sum + constant
  }
}

/// Gives latent sites given values, or those of given coordinates, and finds the coordinates of all.
struct Placement: Handler {
  /// The values, by site; a reparameterised site's under its own name or that of its base.
  let values: [String: Tensor]

  /// The unconstrained coordinates of the other sites.
  let coordinates: [String: Tensor]

  /// The unconstrained coordinates of all sites.
  private(set) var found: [String: [Double]] = [:]

  /// The first value that does not fit its site.
  private(set) var problem: ModelError?

  /// Creates the handler.
  init(values: [String: Tensor], coordinates: [String: Tensor]) {
    self.values = values
    self.coordinates = coordinates
  }

  mutating func process(_ site: inout Site) {
    guard site.isLatent, site.value == nil, let distribution = site.distribution,
      let map = bijector(to: distribution.support)
    else { return }
    if let u = coordinates[site.name] {
      found[site.name] = u.elements
      site.value = map.forward(u)
      return
    }
    let shape = distribution.batchShape + distribution.eventShape
    var given = values[site.name]
    var expected = shape
    if given == nil, let origin = site.origin {
      given = values[origin.name]
      expected = origin.shape
      if given?.shape == expected { given = given.map(origin.inverse) }
    }
    guard let given else { return }
    let name = values[site.name] == nil ? site.origin?.name ?? site.name : site.name
    guard given.shape == shape else {
      fail(
        ModelError(
          .shapeMismatch(expected: expected, found: given.shape), site: name,
          plates: site.plates.map(\.name),
          "expected a value of shape \(expected), found \(given.shape)"))
      return
    }
    let u = map.inverse(given).elements
    guard u.allSatisfy(\.isFinite), distribution.support.contains(given).isTrue else {
      fail(
        ModelError(
          .outsideSupport, site: name, plates: site.plates.map(\.name),
          "expected a value inside the support of \(distribution), found \(given); move it inside"
        ))
      return
    }
    found[site.name] = u
    site.value = given
  }

  /// Keeps the first mistake.
  private mutating func fail(_ error: ModelError) { problem = problem ?? error }
}
