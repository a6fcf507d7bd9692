// SPDX-License-Identifier: MIT
//
// One structure on the sky seen in several bands, as a probabilistic program: copy it to start a joint model of your own.

public import PPL
public import Rendering
import Distributions
package import Tensors

/// Returns the joint model of several bands: sources, linked over the bands, drawn on the pixels of each over its own sky.
///
/// Sites: those of ``BandsPrior``, and in each band the computed `model_NAME` and the observed `loss_NAME`.
///
/// - Parameters:
///   - bands: The bands, as the priors were made of.
///   - maps: For each band and each source the map from the joint frame to the band's pixels around the source.
///   - prior: The priors.
///   - method: How the scene is rendered.
/// - Returns: The model; its output is the light on the pixels of the first band.
public func bandsModel(
  _ bands: [Band], maps: [[PlaneMap]], prior: BandsPrior, method: RenderingMethod = .fourier
) -> Model<LightProfile> {
  let structure = structureModel(prior)
  let offsets = offsetsModel(prior)
  let model = Model<LightProfile> { m in
    let sources = m.call(structure)
    let displacements = m.call(offsets)
    let lights = bands.indices.map { b in
      LightProfile(
        zip(sources, maps[b]).flatMap { source, map in
          map.project(source[b].displaced(displacements[b])).components
        })
    }
    for (b, band) in bands.enumerated() {
      let own = prior.background(of: b)
      m.scope(suffix: "_\(band.name)") {
        m.observe(
          band.image, lights[b], sky: m.call(skyModel(own)), loss: band.loss,
          lossPriors: own.noise, method: method)
      }
    }
    return lights[0]
  }
  // A fixed parameter is an intervention: it has no density and is no site of the posterior.
  return model.intervened(on: prior.fixed)
}

/// Returns the model of the sources: for each source its light in each band, in the joint frame.
private func structureModel(_ prior: BandsPrior) -> Model<[[LightProfile]]> {
  Model { m in
    prior.profiles.indices.map { number in
      var drawn: [String: [Tensor]] = [:]
      for parameter in prior.parameters(of: number) {
        drawn[parameter.quantity] = parameter.sites.indices.map { k in
          let own = prior.table.distribution(parameter.sites[k])
          guard prior.isConfined(parameter.sites[k]) else {
            return m.sample(parameter.sites[k], distribution: own)
          }
          let first = prior.firstRadius(number, drawn[GalaxySite.rEff1] ?? [], k, parameter)
          return m.sample(parameter.sites[k], distribution: own.truncated(below: first))
        }
      }
      let source = prior.profiles[number].model(GalaxyPrior.blank(prior.profiles[number]))
      return prior.bandIndices.map { b in
        var values: [String: any TensorConvertible] = [:]
        for parameter in prior.parameters(of: number) {
          values[parameter.quantity] = prior.value(
            of: parameter, drawn[parameter.quantity] ?? [], band: b)
        }
        return m.light(of: source, values)
      }
    }
  }
}

/// Returns the model of the displacements of the bands, in the joint frame; none for the first.
private func offsetsModel(_ prior: BandsPrior) -> Model<[(x: Tensor, y: Tensor)?]> {
  Model { m in
    prior.bandIndices.map { b in
      guard prior.hasOffsets, b > 0 else { return nil }
      let (x, y) = prior.offsetSites(of: b)
      return (
        m.sample(x, distribution: prior.table.distribution(x)),
        m.sample(y, distribution: prior.table.distribution(y))
      )
    }
  }
}

extension ModelContext {
  /// Returns the light of a stock source all of whose parameters are given: it draws nothing, and has no sites here.
  fileprivate func light(
    of source: Model<LightProfile>, _ values: [String: any TensorConvertible]
  ) -> LightProfile {
    do {
      return try source.intervened(on: values)()
    } catch {
      report(ModelError(.misuse, site: GalaxySite.model, "\(error)"))
      return LightProfile([])
    }
  }

  /// Draws a site from a distribution of any kind.
  fileprivate func sample(_ name: String, distribution: any Distribution) -> Tensor {
    sample(name, distribution)
  }
}

extension LightProfile {
  /// Returns the light moved by a displacement.
  fileprivate func displaced(_ displacement: (x: Tensor, y: Tensor)?) -> LightProfile {
    guard let displacement else { return self }
    return LightProfile(
      components.map { component in
        var p = component.parameters
        p[0] = p[0] + displacement.x
        p[1] = p[1] + displacement.y
        return Component(component.kind, p)
      })
  }
}

extension GalaxyPrior {
  /// Returns the priors of a source whose parameters are all given from outside.
  fileprivate static func blank(_ profile: GalaxyProfile) -> GalaxyPrior {
    var prior = GalaxyPrior(profile)
    for site in profile.sites { prior.fix(site, at: .nan) }
    return prior
  }
}

// MARK: - Parts of the priors

extension BandsPrior {
  /// The numbers of the bands.
  package var bandIndices: Range<Int> { bands.indices }

  /// Returns a band in words: its name, its sky, its loss.
  package func bandDescription(_ band: Int) -> String {
    "\(bands[band].name) (sky \(bands[band].sky.rawValue), loss \(bands[band].loss))"
  }

  /// Returns the parameters of a source, in order.
  package func parameters(of source: Int) -> [LinkedParameter] {
    parameters.filter { ($0.source ?? 0) == source }
  }

  /// Returns the sites of the displacement of a band.
  package func offsetSites(of band: Int) -> (x: String, y: String) {
    ("\(GalaxySite.dx)_\(bands[band].name)", "\(GalaxySite.dy)_\(bands[band].name)")
  }

  /// Returns the priors of sky and noise of a band, by sites without its name; their profile means nothing.
  package func background(of band: Int) -> GalaxyPrior {
    let part = bands[band]
    var own = GalaxyPrior(.pointsource, sky: part.sky)
    own.include(part.loss)
    for site in part.sites {
      let name = "\(site)_\(part.name)"
      own[site] = table[name]
      own.table.fixed[site] = table.fixed[name]
      own.table.guesses[site] = table.guesses[name]
    }
    return own
  }

  /// The support on whose scale a parameter is linked: that of the prior of its sites.
  private func support(of parameter: LinkedParameter) -> Constraint {
    parameter.sites.lazy.compactMap { self.table[$0] }.first?.support ?? .real
  }

  /// Returns a parameter in a band, of the values of its sites in order, element by element.
  package func value(of parameter: LinkedParameter, _ values: [Tensor], band: Int) -> Tensor {
    parameter.value(values, band: band, support: support(of: parameter))
  }

  /// Returns a parameter at a wavelength, of the values of its sites in order; nil where it has no value there.
  package func value(
    of parameter: LinkedParameter, _ values: [Tensor], wavelength: Double
  ) -> Tensor? {
    parameter.value(values, wavelength: wavelength, support: support(of: parameter))
  }

  /// Returns whether a parameter has a value at a wavelength.
  package func hasValue(_ parameter: LinkedParameter, wavelength: Double) -> Bool {
    let probe = parameter.sites.map { _ in Tensor(0.5) }
    return wavelength.isFinite && value(of: parameter, probe, wavelength: wavelength) != nil
  }

  /// Returns the first radius above which the k-th site of the second one lies.
  ///
  /// Where both are linked in the same way that is the first one's site of the same place; the largest first radius
  /// otherwise, so that the order holds in every band.
  fileprivate func firstRadius(
    _ source: Int, _ first: [Tensor], _ k: Int, _ second: LinkedParameter
  ) -> Tensor {
    let own = parameters(of: source).first { $0.quantity == GalaxySite.rEff1 }
    if own?.link == second.link { return first[k] }
    return first.dropFirst().reduce(first[0]) { maximum($0, $1) }
  }
}
