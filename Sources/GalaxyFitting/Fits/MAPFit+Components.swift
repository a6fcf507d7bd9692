// SPDX-License-Identifier: MIT
//
// The components of the light at the maximum: their names, their fluxes, their images.

import GalaxyModels
public import Rendering

extension MAPFit {
  /// One component of the light at the maximum.
  public struct Component: Sendable {
    /// The name: that of the profile, or with a number where there are several.
    public let name: String

    /// The flux to infinity, in image units.
    public let flux: Double

    /// The image without sky, row-major, in image units.
    public let image: [Double]
  }

  /// Returns the light at the maximum.
  ///
  /// - Throws: `GalaxyModelError` or `ModelError` where it has no numbers.
  public func light() throws -> LightProfile {
    LightProfile(try fit.sources.flatMap { try light(of: $0).components })
  }

  /// Returns the light of one source at the maximum.
  func light(of source: FitReport.Source) throws -> LightProfile {
    let values = values
    var own: [String: Double] = [:]
    for site in source.profile.sites { own[site] = values[source.site(site)] }
    return try source.profile.light(own)
  }

  /// Returns the components of the light at the maximum, in the order of the model; those of source 2 end in `_2`.
  ///
  /// - Throws: `RenderingError` or `GalaxyModelError` where they cannot be drawn.
  public func components() throws -> [Component] {
    let sources = fit.sources
    if sources.count == 1, let only = sources.first, only.profile.componentNames.count == 1 {
      let image = zip(modelImage, skyImage).map { $0 - $1 }
      return [
        Component(
          name: only.site(only.profile.componentNames[0]),
          flux: values[only.site(GalaxySite.flux)] ?? .nan, image: image)
      ]
    }
    return try sources.flatMap { try components(of: $0) }
  }

  /// Returns the components of one source.
  func components(of source: FitReport.Source) throws -> [Component] {
    let values = values
    let profile = source.profile
    let several = profile.fluxes { values[source.site($0)] ?? .nan }
    let fluxes = several.isEmpty ? [values[source.site(GalaxySite.flux)] ?? .nan] : several
    return try zip(light(of: source).components, zip(profile.componentNames, fluxes)).map {
      component, named in
      Component(
        name: source.site(named.0), flux: named.1,
        image: try fit.image.rendered(LightProfile([component]), method: fit.method))
    }
  }
}
