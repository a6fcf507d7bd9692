// SPDX-License-Identifier: MIT
//
// Priors of joint models of several bands, guessed from their images.

import Distributions
public import GalaxyModels
import Rendering
import Tensors

/// Returns priors for a joint model of one source in several bands, guessed from their images.
///
/// Each band is measured by itself; the structure is guessed in the one with the highest signal to noise, and all parameters but
/// the flux are constant until `BandsPrior.link(_:_:)` says otherwise.
///
/// - Parameters:
///   - bands: The bands; positions, radii and angles are those on the pixels of the first.
///   - profile: The profile of the source.
///   - style: Whose default priors.
///   - position: Where the source is, roughly, on the first band; the middle of its frame unless given.
/// - Returns: The priors, with starting values from the same guesses.
/// - Throws: `GalaxyModelError` or `FITSError` where nothing says how the bands lie on each other.
public func autoprior(
  _ bands: [Band], _ profile: GalaxyProfile, style: PriorStyle = .default,
  position: ImagePoint? = nil
) throws -> BandsPrior {
  guard let first = bands.first else {
    throw GalaxyModelError(.invalidBands("expected at least one band, found none; give some"))
  }
  let frames = try BandFrames(bands)
  let place = position ?? first.map.inverse(first.image.center)
  let maps = try bands.indices.map { try frames.map(to: $0, around: place) }
  let measured = zip(bands, maps).map { band, map in
    SourceProperties(
      band.image, style: style, position: position.map { _ in map(place) })
  }
  let lead = measured.indices.max { measured[$0].signalToNoise < measured[$1].signalToNoise } ?? 0
  let guess = try measured[lead].projected(by: maps[lead].inverse)
  var prior = BandsPrior(guess.prior(profile, sky: .none), bands: bands)
  for (b, band) in bands.enumerated() {
    let own =
      b == lead
      ? measured[b]
      : try measured[b].forced(band, measured[lead].projected(by: maps[lead].inverse), maps[b])
    prior.setBand(band, source: nil, from: own)
  }
  return prior
}

extension SourceCatalog {
  /// Returns priors for a joint model of all sources of the catalogue in several bands.
  ///
  /// - Parameters:
  ///   - bands: The bands; the catalogue's positions, radii, angles and fluxes are those on the first.
  ///   - style: Whose default priors.
  /// - Returns: The priors, with starting values from the same numbers; fluxes in other bands come from their images.
  /// - Throws: `GalaxyModelError` or `FITSError` where nothing says how the bands lie on each other.
  public func prior(in bands: [Band], style: PriorStyle = .default) throws -> BandsPrior {
    guard let first = bands.first else {
      throw GalaxyModelError(.invalidBands("expected at least one band, found none; give some"))
    }
    let structure = prior(in: first.image, sky: first.sky, style: style)
    var prior = BandsPrior(structure, bands: bands)
    let frames = try BandFrames(bands)
    let maps = try frames.maps(around: sources.map { ImagePoint(x: $0.x, y: $0.y) })
    let lights = try structure.sources.map { source in
      var guess = source.prior.guesses.merging(source.prior.fixed) { $1 }
      guess[GalaxySite.flux] = 1
      return try source.profile.light(guess)
    }
    for (b, band) in bands.enumerated() {
      let background = SourceProperties(band.image, style: style)
      let shapes = try zip(lights, maps[b]).map { try band.image.rendered($1.project($0)) }
      let photometry = ForcedPhotometry(band.image, shapes: shapes, sky: band.sky)
      for source in sources.indices {
        var own = background
        let isKnown = b == 0
        own.flux = isKnown ? sources[source].flux : photometry.fluxes[source]
        let error = photometry.errors[source]
        own.fluxError =
          style == .pysersic
          ? 2 * abs(own.flux).squareRoot()
          : error.isFinite ? error : background.fluxError
        prior.setBand(band, source: source, from: own)
      }
    }
    return prior
  }
}

extension BandsPrior {
  /// Sets the priors that belong to a band: those of a flux, and of the sky.
  fileprivate mutating func setBand(
    _ band: Band, source: Int?, from properties: SourceProperties
  ) {
    let own = properties.prior(.pointsource, sky: band.sky)
    let flux = GalaxySite.flux + (source.map { "_\($0)" } ?? "") + "_" + band.name
    self[flux] = own[GalaxySite.flux]
    guess(flux, own.guesses[GalaxySite.flux])
    for site in band.sky.sites {
      self["\(site)_\(band.name)"] = own[site]
      guess("\(site)_\(band.name)", own.guesses[site])
    }
  }
}

extension SourceProperties {
  /// The signal to noise below which a source's shape in a band says less than that in the best band.
  private static let leastSignalToNoise = 5.0

  /// Returns the guesses on other pixels: position, radius, ellipticity and angle are mapped.
  fileprivate func projected(by map: PlaneMap) throws -> SourceProperties {
    let light = map.project(
      Sersic(xc: xc, yc: yc, flux: flux, rEff: rEff, n: 2, ellip: ellip, theta: theta))
    let p = light.components[0].parameters.map { $0.item() }
    var result = self
    (result.xc, result.yc) = (p[0], p[1])
    result.rEff = p[3]
    result.rEffError = rEffError * p[3] / rEff
    result.ellip = min(max(p[5], 0), 0.9)
    result.theta = p[6] - Double.pi * (p[6] / Double.pi).rounded(.down)
    return result
  }

  /// Returns the guesses with the flux of a shape that was measured elsewhere, where the source is too faint here.
  ///
  /// - Parameters:
  ///   - band: The band of this image.
  ///   - shape: The guesses in the joint frame.
  ///   - map: From the joint frame to this image.
  /// - Returns: The guesses.
  /// - Throws: `RenderingError` where the shape cannot be drawn.
  fileprivate func forced(
    _ band: Band, _ shape: SourceProperties, _ map: PlaneMap
  ) throws -> SourceProperties {
    guard style == .default, !isDetected || signalToNoise < Self.leastSignalToNoise else {
      return self
    }
    let light = map.project(
      Sersic(
        xc: shape.xc, yc: shape.yc, flux: 1, rEff: shape.rEff, n: 2, ellip: shape.ellip,
        theta: shape.theta))
    let photometry = ForcedPhotometry(
      band.image, shapes: [try band.image.rendered(light)], sky: band.sky)
    guard photometry.errors[0].isFinite else { return self }
    var result = self
    result.flux = photometry.fluxes[0]
    result.fluxError = photometry.errors[0]
    return result
  }
}
