// SPDX-License-Identifier: MIT
//
// The maximum for several bands: the structure in the best band alone, fluxes in the others, then all together.

import Distributions
import GalaxyModels
import Inference
import Rendering
import Tensors

extension FitMultiBand {
  /// The number of maxima of the best band from which the joint search starts.
  private static let mostStarts = 2

  /// Finds the maximum of the joint density of the parameters of all bands.
  ///
  /// The band with the highest signal to noise is fitted by itself first, one source from several starts, a scene source by
  /// source. With the structure found there the fluxes in the other bands and their skies follow by least squares, and from
  /// there all are fitted together.
  public func findMAP(
    start: [String: Double] = [:], optimizer: MAPOptimizer = .levenbergMarquardt,
    isCancelled: @escaping @Sendable () -> Bool = { false }
  ) throws -> MAPFit {
    let clock = ContinuousClock()
    let begin = clock.now
    let given = try expanded(start)
    let (structures, cost) = try structures(given, isCancelled)
    let points = try structures.map { structure in
      try density.unconstrain(joint(structure).merging(given) { $1 })
    }
    let result = searchTogether(from: points, optimizer, isCancelled)
    return MAPFit(
      self, result.best, modes: result.modes, evaluations: cost + result.evaluations,
      seconds: (clock.now - begin).seconds)
  }

  /// Returns starting values by site, those of linked parameters for each of their sites.
  ///
  /// - Throws: `GalaxyModelError` that names those that are no free parameters.
  private func expanded(_ start: [String: Double]) throws -> [String: Double] {
    var result: [String: Double] = [:]
    var unknown: [String] = []
    for (name, value) in start {
      let free = prior.named(name).filter { density.layout[$0] != nil }
      if free.isEmpty { unknown.append(name) }
      for site in free where start[site] == nil || site == name { result[site] = value }
    }
    guard unknown.isEmpty else {
      throw GalaxyModelError(
        .unknownParameters(
          unknown.sorted(), known: prior.names.filter { prior.fixed[$0] == nil }, model: prior.name)
      )
    }
    return result
  }

  // MARK: - Structure

  /// A source's parameters in the joint frame, by sites of a single source; for each source one.
  private typealias Structure = [[String: Double]]

  /// Returns the structures that the best band shows by itself, best first, and the number of evaluations.
  private func structures(
    _ given: [String: Double], _ isCancelled: @escaping @Sendable () -> Bool
  ) throws -> ([Structure], Int) {
    if prior.isScene, bands[0].map == PlaneMap() {
      // A scene has its own search, source by source, on the pixels of one image.
      let scene = prior.alone(0).scene()
      let fit = try FitMulti(bands[0].image, prior: scene, loss: bands[0].loss, method: method)
      // The sites of the scene are those of the structure; a flux has lost the name of its band.
      var starts = translated(given, to: 0)
      for parameter in prior.parameters where parameter.quantity == GalaxySite.flux {
        starts[parameter.name] = starts.removeValue(forKey: parameter.sites[0])
      }
      let best = try fit.findMAP(start: starts, isCancelled: isCancelled)
      let values = best.values
      let structure = scene.sources.map { source in
        Dictionary(source.profile.sites.map { ($0, values[source.site($0)] ?? .nan) }) { $1 }
      }
      return ([structure], best.evaluations)
    }
    let lead = leadingBand()
    let own = prior.alone(lead)
    let part = try FitMultiBand(
      [bands[lead]], prior: own, maps: [maps[lead]], method: method)
    let points = try part.startingPoints(translated(given, to: lead)).map {
      try part.density.unconstrain($0)
    }
    let result = MultiStart(LevenbergMarquardt().fallingBack(on: LBFGS()), roundSize: 1).search(
      part.density.makeJointEvaluator(), from: points, isCancelled: isCancelled)
    let ends = [result.best] + result.modes.dropFirst().map(\.optimum)
    let near = ends.filter { result.best.value - $0.value < 8 }.prefix(Self.mostStarts)
    let structures = near.map { end -> Structure in
      let values = part.density.constrain(end.position, sites: own.freeSites)
      return own.profiles.indices.map { number in
        Dictionary(
          own.parameters(of: number).map { parameter in
            let site = parameter.sites[0]
            return (parameter.quantity, own.fixed[site] ?? values[site]?.item() ?? .nan)
          }
        ) { $1 }
      }
    }
    return (Array(structures), result.evaluations)
  }

  /// Returns the number of the band in which the guessed fluxes stand out most.
  private func leadingBand() -> Int {
    /// Returns the signal to noise of the guessed light of all sources.
    func signal(_ band: Int) -> Double {
      let image = bands[band].image
      let light = try? structureGuess().enumerated().map { number, guess in
        var guess = guess
        let flux = prior.parameters(of: number).first { $0.quantity == GalaxySite.flux }
        guess[GalaxySite.flux] = flux.map { value(ofSite: $0.sites[band]) } ?? 1
        return maps[band][number].project(try prior.profiles[number].light(guess))
      }
      guard let light,
        let drawn = try? image.rendered(LightProfile(light.flatMap(\.components)), method: method)
      else { return 0 }
      return drawn.indices.reduce(0) { sum, k in
        image.mask[k] ? sum : sum + (drawn[k] / image.rms[k]) * (drawn[k] / image.rms[k])
      }
    }
    guard bands.count > 1 else { return 0 }
    let signals = bands.indices.map(signal)
    return signals.indices.max { signals[$0] < signals[$1] } ?? 0
  }

  /// Returns the guesses of all sources in the joint frame.
  private func structureGuess() -> Structure {
    prior.profiles.indices.map { number in
      Dictionary(
        prior.parameters(of: number).map { ($0.quantity, value(ofSite: $0.sites[0])) }
      ) { $1 }
    }
  }

  /// Returns where a site starts: its fixed value, its guess, or the median of its prior.
  private func value(ofSite site: String) -> Double {
    prior.fixed[site]
      ?? feasible(prior.guesses[site] ?? prior[site]?.median?.item(), under: prior[site])
  }

  /// Returns the starting values that bear on a band by itself, under its names.
  private func translated(_ given: [String: Double], to band: Int) -> [String: Double] {
    var result: [String: Double] = [:]
    for (parameter, single) in zip(prior.parameters, prior.alone(band).parameters) {
      result[single.sites[0]] = given[prior.site(of: parameter, in: band)]
    }
    return result
  }

  /// Returns the points from which one band alone is searched, by site; no variant changes the values given.
  private func startingPoints(_ given: [String: Double]) -> [[String: Double]] {
    let variants = prior.profiles.indices.map { number in
      var own: [String: Double] = [:]
      for parameter in prior.parameters(of: number) {
        own[parameter.quantity] = given[parameter.sites[0]]
      }
      return StartingPoints(prior.structure(of: number), given: own).points
    }
    // All sources vary together: of a scene each has its guess first.
    let count = variants.map(\.count).max() ?? 1
    return (0..<count).map { k in
      var point: [String: Double] = [:]
      for (number, own) in variants.enumerated() {
        let values = own[min(k, own.count - 1)]
        for parameter in prior.parameters(of: number) {
          guard let value = values[parameter.quantity] else { continue }
          for site in parameter.sites where prior.fixed[site] == nil { point[site] = value }
        }
      }
      for site in prior.freeSites where point[site] == nil { point[site] = value(ofSite: site) }
      return point
    }
  }

  // MARK: - All bands

  /// Returns a point of the joint density from a structure: constant over the bands, with fluxes and skies by least squares.
  private func joint(_ structure: Structure) -> [String: Double] {
    var point: [String: Double] = [:]
    for (number, values) in structure.enumerated() {
      for parameter in prior.parameters(of: number) where parameter.quantity != GalaxySite.flux {
        for site in parameter.sites where prior.fixed[site] == nil {
          point[site] = feasible(values[parameter.quantity], under: prior[site])
        }
      }
    }
    for (b, band) in bands.enumerated() {
      guard let photometry = photometry(b, structure) else { continue }
      for number in structure.indices {
        let flux = prior.parameters(of: number).first { $0.quantity == GalaxySite.flux }
        guard let site = flux?.sites[b], photometry.errors[number].isFinite else { continue }
        point[site] = feasible(photometry.fluxes[number], under: prior[site])
      }
      for (site, value) in zip(band.sky.sites, photometry.sky) {
        let name = "\(site)_\(band.name)"
        point[name] = feasible(value, under: prior[name])
      }
    }
    var result: [String: Double] = [:]
    for site in prior.freeSites { result[site] = point[site] ?? value(ofSite: site) }
    return result
  }

  /// Returns the fluxes of sources of a given structure in a band; nil where they cannot be drawn.
  private func photometry(_ band: Int, _ structure: Structure) -> ForcedPhotometry? {
    let image = bands[band].image
    let shapes = try? structure.enumerated().map { number, values in
      var unit = values
      unit[GalaxySite.flux] = 1
      let light = maps[band][number].project(try prior.profiles[number].light(unit))
      return try image.rendered(light, method: method)
    }
    guard let shapes, shapes.allSatisfy({ $0.allSatisfy(\.isFinite) }) else { return nil }
    return ForcedPhotometry(image, shapes: shapes, sky: bands[band].sky)
  }
}
