// SPDX-License-Identifier: MIT
//
// The priors of one band of a joint model by itself, and those of one source or of a scene in it.

extension BandsPrior {
  /// Returns the priors of one band by itself: all parameters but the fluxes are constant.
  package func alone(_ band: Int) -> BandsPrior {
    var own = BandsPrior(
      profiles: profiles, isOrdered: isOrdered, isScene: isScene, bands: [bands[band]])
    for (parameter, single) in zip(parameters, own.parameters) {
      own.take(single.sites[0], from: self, site(of: parameter, in: band))
    }
    for site in bands[band].sites {
      let name = "\(site)_\(bands[band].name)"
      own.take(name, from: self, name)
    }
    return own
  }

  /// Returns the site that shows a parameter in a band best: that of the band, or the first of a link.
  package func site(of parameter: LinkedParameter, in band: Int) -> String {
    parameter.link == .free ? parameter.sites[band] : parameter.sites[0]
  }

  /// Takes over prior, value and guess of a site of other priors.
  private mutating func take(_ site: String, from other: BandsPrior, _ name: String) {
    table[site] = other.table[name]
    table.fixed[site] = other.table.fixed[name]
    table.guesses[site] = other.table.guesses[name]
  }

  /// Returns the priors of one source, by sites of a single source, as the first band has them.
  package func structure(of source: Int) -> GalaxyPrior {
    var structure = GalaxyPrior(profiles[source])
    structure.isOrdered = isOrdered[source]
    for parameter in parameters(of: source) {
      let site = site(of: parameter, in: 0)
      structure[parameter.quantity] = table[site]
      structure.table.fixed[parameter.quantity] = table.fixed[site]
      structure.table.guesses[parameter.quantity] = table.guesses[site]
    }
    return structure
  }

  /// Returns the priors of all sources and of the sky and the noise under them, as the first band has them.
  package func scene() -> ScenePrior {
    var scene = ScenePrior(profiles.indices.map { structure(of: $0) }, sky: bands[0].sky)
    let background = background(of: 0)
    scene.include(bands[0].loss)
    for site in bands[0].sites {
      scene[site] = background[site]
      scene.table.fixed[site] = background.fixed[site]
      scene.table.guesses[site] = background.guesses[site]
    }
    return scene
  }
}
