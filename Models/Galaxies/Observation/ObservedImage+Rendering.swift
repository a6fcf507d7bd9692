// SPDX-License-Identifier: MIT
//
// The image of a light on an observed image's grid, outside any model.

public import Rendering
import Tensors

extension ObservedImage {
  /// Returns a light as this image would show it, without sky and noise.
  ///
  /// - Parameters:
  ///   - light: The light, in the image's pixels and units; its parameters are numbers.
  ///   - method: How the light is rendered.
  /// - Returns: The pixels, row-major.
  /// - Throws: `RenderingError` or ``GalaxyModelError`` where the light cannot be drawn that way.
  public func rendered(
    _ light: some LightComponent, method: RenderingMethod = .fourier
  ) throws -> [Double] {
    let profile = light.lightProfile
    let renderer = try operators.renderer(profile.layout, method, for: self)
    return renderer(profile.parameterVector).elements
  }
}
