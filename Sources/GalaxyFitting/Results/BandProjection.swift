// SPDX-License-Identifier: MIT
//
// What one band of a joint fit shows: the sources in its own pixels, as if it had been fitted by itself.

import Distributions
import GalaxyModels
import Inference
import Rendering
import Tensors

/// The parameters of one band in its own pixels, made of those of the joint model.
struct BandProjection {
  /// The joint fit.
  let fit: FitMultiBand

  /// The number of the band.
  let number: Int

  /// The band.
  private var band: Band { fit.bands[number] }

  /// Returns the parameters of the band from those of the joint model, by the sites of a fit of the band alone.
  ///
  /// - Parameter value: Returns the value of a site: of rank 0 where it is held, else one element for each draw.
  /// - Returns: The values; of rank 0 where nothing free has to do with them.
  func values(_ value: (String) -> Tensor) -> [String: Tensor] {
    let prior = fit.prior
    var result: [String: Tensor] = [:]
    for (source, profile) in prior.profiles.enumerated() {
      var own: [String: Tensor] = [:]
      for parameter in prior.parameters(of: source) {
        own[parameter.quantity] = prior.value(
          of: parameter, parameter.sites.map(value), band: number)
      }
      if prior.hasOffsets, number > 0 {
        let sites = prior.offsetSites(of: number)
        own[GalaxySite.xc] = own[GalaxySite.xc].map { $0 + value(sites.x) }
        own[GalaxySite.yc] = own[GalaxySite.yc].map { $0 + value(sites.y) }
      }
      project(&own, profile, by: fit.maps[number][source])
      let suffix = prior.isScene ? "_\(source)" : ""
      for (site, value) in own { result[site + suffix] = value }
    }
    for site in band.sky.sites + band.loss.sites { result[site] = value("\(site)_\(band.name)") }
    return result
  }

  /// Maps position, radii, ellipticities and angle of a source to the pixels of the band.
  private func project(
    _ own: inout [String: Tensor], _ profile: GalaxyProfile, by map: PlaneMap
  ) {
    if let x = own[GalaxySite.xc], let y = own[GalaxySite.yc] {
      (own[GalaxySite.xc], own[GalaxySite.yc]) = map.center(x, y)
    }
    let ellipses = [
      (GalaxySite.rEff, GalaxySite.ellip), (GalaxySite.rEff1, GalaxySite.ellip1),
      (GalaxySite.rEff2, GalaxySite.ellip2),
    ]
    guard let theta = own[GalaxySite.theta] else { return }
    var turned: Tensor?
    for (radius, ellip) in ellipses {
      guard let a = own[radius], let e = own[ellip] else { continue }
      let (major, flattening, angle) = map.ellipse(a, e, theta)
      own[radius] = major
      own[ellip] = flattening
      // Both components of the stock profiles have one angle.
      if turned == nil { turned = angle }
    }
    own[GalaxySite.theta] = turned.map { $0 - Double.pi * floor($0 / Double.pi) }
  }

  // MARK: - The band by itself

  /// Returns a flat density on the values that a site may have: no prior of its own.
  private func flat(_ site: String, _ quantity: String) -> any Distribution {
    switch GalaxySite.quantity(of: quantity) {
    case GalaxySite.theta: return CircularUniform(period: Double.pi)
    case GalaxySite.rEff: return ImproperUniform(.positive)
    case GalaxySite.n, GalaxySite.nu, GalaxySite.ellip:
      let range = meaningfulRange(of: quantity) ?? 0...1
      return ImproperUniform(.between(range.lowerBound, range.upperBound))
    case GalaxySite.f1, GalaxySite.fPs: return ImproperUniform(.unitInterval)
    default:
      let support = band.loss.sites.contains(quantity) ? fit.prior[site]?.support : nil
      return ImproperUniform(support ?? .real)
    }
  }

  /// Returns a fit of the band alone with flat priors, parameters that do not vary being held.
  ///
  /// - Parameter values: The parameters, of rank 0 where they do not vary.
  /// - Returns: The fit.
  /// - Throws: `ModelError` or `GalaxyModelError` where there is no such fit.
  private func bandFit(_ values: [String: Tensor]) throws -> any GalaxyFit {
    let prior = fit.prior
    let held = values.filter { $0.value.shape.isEmpty }.mapValues { $0.item() }
    let allHeld = held.count == values.count
    var structures = prior.profiles.enumerated().map { source, profile in
      var own = GalaxyPrior(profile, sky: prior.isScene ? .none : band.sky)
      own.isOrdered = false
      for site in profile.sites {
        let name = prior.isScene ? "\(site)_\(source)" : site
        if let value = held[name], !(allHeld && source == 0 && site == GalaxySite.flux) {
          own.fix(site, at: value)
        } else {
          own[site] = flat(name, site)
        }
      }
      return own
    }
    /// Sets the priors of sky and noise.
    func setBackground(_ own: inout some ModelPrior) {
      own.include(band.loss)
      for site in band.sky.sites + band.loss.sites {
        own[site] = flat("\(site)_\(band.name)", site)
        if let value = held[site] { own.fix(site, at: value) }
      }
    }
    guard prior.isScene else {
      setBackground(&structures[0])
      return try FitSingle(band.image, prior: structures[0], loss: band.loss, method: fit.method)
    }
    var scene = ScenePrior(structures, sky: band.sky)
    setBackground(&scene)
    return try FitMulti(band.image, prior: scene, loss: band.loss, method: fit.method)
  }

  /// Returns the maximum of the joint fit as the band shows it.
  ///
  /// Its log posterior is the logarithm of the likelihood of the band.
  ///
  /// - Throws: `ModelError` or `GalaxyModelError` where the band has no such fit.
  func maximum(_ best: MAPFit) throws -> MAPFit {
    let values = best.values
    let fixed = fit.prior.fixed
    let own = self.values { site in
      let value = values[site] ?? .nan
      return fixed[site] == nil ? Tensor([value]) : Tensor(value)
    }
    return try maximum(best, bandFit(own), own.mapValues { $0.elements[0] })
  }

  /// Returns the maximum at given parameters of the band.
  private func maximum(
    _ best: MAPFit, _ alone: some GalaxyFit, _ values: [String: Double]
  ) throws -> MAPFit {
    var point: [String: Double] = [:]
    for site in alone.prior.freeSites {
      point[site] = inside(alone.prior[site]?.support, values[site] ?? .nan)
    }
    let position = try alone.density.unconstrain(point)
    var gradient = position
    let value = alone.density.makeJointEvaluator().valueAndGradient(
      at: position, into: &gradient)
    let optimum = Optimum(
      position: position, value: value, gradient: gradient, reason: best.optimum.reason,
      iterations: best.optimum.iterations,
      gradientEvaluations: best.optimum.gradientEvaluations,
      hessianProducts: best.optimum.hessianProducts)
    return MAPFit(
      alone, optimum, modes: [], evaluations: best.evaluations, seconds: best.seconds)
  }

  /// Returns a value moved off the wall of an interval, where it would have no coordinate, by a part in 1e9 of it.
  private func inside(_ support: Constraint?, _ value: Double) -> Double {
    let (low, high): (Double, Double)
    switch support {
    case .interval(let lowest, let highest): (low, high) = (lowest.item(), highest.item())
    case .unitInterval: (low, high) = (0, 1)
    default: return value
    }
    let margin = 1e-9 * (high - low)
    return min(max(value, low + margin), high - margin)
  }

  /// Returns the posterior of the joint fit as the band shows it, around its maximum there.
  func posterior(_ joint: PosteriorFit, _ best: MAPFit) -> PosteriorFit {
    let fixed = fit.prior.fixed
    let draws = joint.draws
    let own = values { site in
      fixed[site].map { Tensor($0) } ?? Tensor(draws.site(site)?.values ?? [])
    }
    let sites = best.fit.prior.freeSites.compactMap { site -> Draws.Site? in
      guard let value = own[site] else { return nil }
      let period = best.fit.prior.parameter(site) == GalaxySite.theta ? Double.pi : nil
      return Draws.Site(
        name: site, shape: [], period: period,
        values: value.broadcast(to: [draws.count]).elements)
    }
    return PosteriorFit(
      best: best, method: joint.method, draws: draws.replacingSites(sites), approximation: nil,
      weighting: joint.weighting, seconds: joint.seconds)
  }
}
