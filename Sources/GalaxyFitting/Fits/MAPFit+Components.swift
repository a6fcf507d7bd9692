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
  public func light() throws -> LightProfile { try fit.prior.profile.light(values) }

  /// Returns the components of the light at the maximum, in the order of the model.
  ///
  /// - Throws: `RenderingError` or `GalaxyModelError` where they cannot be drawn.
  public func components() throws -> [Component] {
    let profile = fit.prior.profile
    let names = profile.componentNames
    guard names.count > 1 else {
      let image = zip(modelImage, skyImage).map { $0 - $1 }
      return [Component(name: names[0], flux: values[GalaxySite.flux] ?? .nan, image: image)]
    }
    let fluxes = profile.fluxes { values[$0] ?? .nan }
    return try zip(light().components, zip(names, fluxes)).map { component, name in
      Component(
        name: name.0, flux: name.1,
        image: try fit.image.rendered(LightProfile([component]), method: fit.method))
    }
  }
}
