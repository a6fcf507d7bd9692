// SPDX-License-Identifier: MIT
//
// One run of a guide, and of a model whose latent sites take the guide's draws.

import Distributions
import Numerics
public import PPL
public import Tensors

/// One run of a guide and of its model: what an ELBO is computed from.
public struct GuidedRun {
  /// The sites of the guide.
  public let guide: Trace

  /// The sites of the model, its latent ones with the values of the guide.
  public let model: Trace

  /// Returns the sites of the guide at the same draws, their densities with parameters through which no derivative flows.
  let detached: () -> Trace?

  /// The log density of the guide at its draws, as a function of the draws alone: "sticking the landing".
  ///
  /// Its own parameters' contribution to the gradient, whose expectation is zero, is left out; what is left vanishes with
  /// every single draw when the guide is the posterior (Roeder, Wu & Duvenaud 2017).
  public var detachedGuideDensity: Tensor {
    guard let again = detached() else { return Tensor(.nan) }
    // A flow's density is known as a function of its noise only; how it changes along the draws, a site of its own tells.
    return guide.sites.reduce(again.logJoint) { total, site in
      site.isGuidePath ? total + (site.value ?? Tensor(.nan)) : total
    }
  }
}

extension Site {
  /// The hint that marks a guide's site of which the model knows nothing, because the guide's own factors answer for it.
  static let auxiliaryHint = ["auxiliary": "guide"]

  /// The hint of such a site whose draws, as they are, say nothing of the guide's density: it is known at the noise only.
  static let noiseHint = ["auxiliary": "noise"]

  /// The hint of a site that is zero, with the derivative of a flow's log density along its draws.
  static let pathHint = ["auxiliary": "path"]

  /// Whether a guide's site is marked as holding a derivative along the draws.
  var isGuidePath: Bool { hints["auxiliary"] == "path" }

  /// Whether a guide's site is marked as the noise of a flow.
  var isGuideNoise: Bool { hints["auxiliary"] == "noise" }

  /// Whether a guide's site is marked as one that the model does not have.
  var isGuideAuxiliary: Bool { hints["auxiliary"] != nil }

  /// Whether the value is given by a point mass.
  var isPointMass: Bool {
    var distribution = distribution
    while let joint = distribution as? Independent { distribution = joint.base }
    return distribution is Delta
  }
}

/// Gives params, latent sites and plates given values, and keeps all sites: the handler around a guide and around a model.
struct GuidancePass: Handler {
  /// The values of params.
  let parameters: [String: Tensor]

  /// The values of latent sites; nil for a guide, which draws them.
  let latents: [String: Tensor]?

  /// The indices of plates.
  let plates: [String: Tensor]

  /// All sites that have a value, in order.
  private(set) var trace = Trace()

  /// The indices of the plates that were run, by name.
  private(set) var indices: [String: Tensor] = [:]

  /// The latent sites that no value was given for.
  private(set) var missing: [Site] = []

  /// The first draw of the guide that the model cannot have.
  private(set) var problem: ModelError?

  /// The latent sites to which a handler inside has given a value.
  private(set) var fixed: Set<String> = []

  /// Creates the handler.
  init(
    parameters: [String: Tensor], latents: [String: Tensor]? = nil, plates: [String: Tensor] = [:]
  ) {
    self.parameters = parameters
    self.latents = latents
    self.plates = plates
  }

  mutating func process(_ site: inout Site) {
    switch site.kind {
    case .param: site.value = parameters[site.name] ?? site.value
    case .plate: site.value = plates[site.name] ?? site.value
    case .sample where site.isLatent:
      if site.value != nil {
        fixed.insert(site.name)
      } else if let latents {
        site.value = latents[site.name]
        if site.value == nil { missing.append(site) }
        confine(&site)
      }
    default: break
    }
  }

  /// Replaces a plain value outside the support, which the model's own statements may not bear, and keeps the mistake.
  private mutating func confine(_ site: inout Site) {
    guard let distribution = site.distribution, let value = site.value, !value.isTraced,
      value.shape == distribution.batchShape + distribution.eventShape,
      !distribution.support.contains(value).isTrue
    else { return }
    site.value = distribution.feasibleValue
    problem =
      problem
      ?? ModelError(
        .outsideSupport, site: site.name, plates: site.plates.map(\.name),
        "expected a guide whose draws lie in the support of \(distribution), found \(value); choose a distribution with the support of the prior"
      )
  }

  mutating func postprocess(_ site: inout Site) {
    switch site.kind {
    case .plate: indices[site.name] = site.value
    case .key: break
    default: trace.append(site)
    }
  }

  func provides(_ site: Site) -> Bool { site.isLatent && latents?[site.name] != nil }

  /// The values of the latent sites, those the model does not know left out.
  var draws: [String: Tensor] {
    Dictionary(
      trace.sites.compactMap { site in
        guard site.isLatent, !site.isGuideAuxiliary else { return nil }
        return site.value.map { (site.name, $0) }
      }
    ) { $1 }
  }
}

/// A guide with its model.
struct GuidedPair: Sendable {
  /// The model.
  let model: Model<Void>

  /// The guide.
  let guide: Model<Void>

  /// The key of the guide's draws; a resampling tape folds that of each evaluation in.
  private static let guideKey = RandomKey(0).folding(in: "guide")

  /// The key of what the model draws itself: its own subsamples, and data to be predicted.
  private static let modelKey = RandomKey(0).folding(in: "model")

  /// Runs guide and model at given values of the params.
  func run(_ parameters: [String: Tensor]) throws -> (
    guide: GuidancePass, model: GuidancePass
  ) {
    let first = try guide.run(under: GuidancePass(parameters: parameters), key: Self.guideKey).1
    let pass = GuidancePass(parameters: parameters, latents: first.draws, plates: first.indices)
    return (first, try model.run(under: pass, key: Self.modelKey).1)
  }

  /// Runs guide and model, and says how to run the guide again at the same draws.
  func guidedRun(_ parameters: [String: Tensor]) throws -> GuidedRun {
    let (first, second) = try run(parameters)
    return GuidedRun(guide: first.trace, model: second.trace) {
      // Point masses follow from the other draws. Given as values they would be compared with themselves, computed once more,
      // and a last bit that differs would be a draw outside the support.
      let all = Dictionary(
        first.trace.sites.compactMap { site in
          site.isLatent && !site.isPointMass ? site.value.map { (site.name, $0) } : nil
        }
      ) { $1 }
      let pass = GuidancePass(
        parameters: parameters.mapValues { $0.stoppingGradient() }, latents: all,
        plates: first.indices)
      return try? guide.run(under: pass, key: Self.guideKey).1.trace
    }
  }
}
