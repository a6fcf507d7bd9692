// SPDX-License-Identifier: MIT
//
// Linear maps of the plane: where the frame of a joint model lies on the pixels of a band, and what becomes of a light.

import Numerics
public import Rendering
package import Tensors

/// A linear map of the plane: (x, y) ↦ (xx·x + xy·y + x0, yx·x + yy·y + y0).
public struct PlaneMap: Sendable, Hashable {
  /// ∂x′/∂x.
  public var xx: Double
  /// ∂x′/∂y.
  public var xy: Double
  /// ∂y′/∂x.
  public var yx: Double
  /// ∂y′/∂y.
  public var yy: Double
  /// The image of the origin: x′.
  public var x0: Double
  /// The image of the origin: y′.
  public var y0: Double

  /// Creates a map from its coefficients.
  public init(
    xx: Double = 1, xy: Double = 0, yx: Double = 0, yy: Double = 1, x0: Double = 0, y0: Double = 0
  ) {
    self.xx = xx
    self.xy = xy
    self.yx = yx
    self.yy = yy
    self.x0 = x0
    self.y0 = y0
  }

  /// The determinant: areas in the band per area in the joint frame; negative for a mirrored band.
  public var determinant: Double { xx * yy - xy * yx }

  /// The geometric mean of the factors by which lengths grow: pixels of the band per unit of the joint frame.
  public var scale: Double { abs(determinant).squareRoot() }

  /// How far the map is from a turn with one scale: 0 where circles stay circles, else about the ellipticity they get.
  public var shear: Double {
    let mirror = determinant < 0 ? -1.0 : 1.0
    return (abs(xx - mirror * yy) + abs(xy + mirror * yx)) / scale
  }

  /// Returns where a point goes.
  public func callAsFunction(_ point: ImagePoint) -> ImagePoint {
    ImagePoint(x: xx * point.x + xy * point.y + x0, y: yx * point.x + yy * point.y + y0)
  }

  /// The map that leads back.
  ///
  /// - Precondition: The determinant is not 0.
  public var inverse: PlaneMap {
    let d = determinant
    demand(d != 0, "PlaneMap: expected a map with a determinant ≠ 0, got \(self)")
    return PlaneMap(
      xx: yy / d, xy: -xy / d, yx: -yx / d, yy: xx / d, x0: (xy * y0 - yy * x0) / d,
      y0: (yx * x0 - xx * y0) / d)
  }

  // MARK: - Lights

  /// Returns a light in the pixels that the map leads to: centre, r_eff, ellip and theta are mapped, flux is kept.
  public func project(_ light: some LightComponent) -> LightProfile {
    LightProfile(light.lightProfile.components.map { project($0) })
  }

  /// Returns one component in the pixels that the map leads to.
  private func project(_ component: LightProfile.Component) -> LightProfile.Component {
    var p = component.parameters
    (p[0], p[1]) = center(p[0], p[1])
    guard component.kind.isExtended else { return LightProfile.Component(component.kind, p) }
    let radius = ProfileParameter.rEff
    let ellip = ProfileParameter.ellip(component.kind)
    let theta = ProfileParameter.theta(component.kind)
    (p[radius], p[ellip], p[theta]) = ellipse(p[radius], p[ellip], p[theta])
    return LightProfile.Component(component.kind, p)
  }

  /// Returns where centres go, element by element.
  package func center(_ x: Tensor, _ y: Tensor) -> (Tensor, Tensor) {
    (xx * x + xy * y + x0, yx * x + yy * y + y0)
  }

  /// Returns semi-major axis, ellipticity and angle of mapped ellipses, element by element.
  package func ellipse(
    _ a: Tensor, _ ellip: Tensor, _ theta: Tensor
  ) -> (Tensor, Tensor, Tensor) {
    // The major axis points along (−sin θ, cos θ).
    let mirror = determinant < 0 ? -1.0 : 1.0
    if shear < 1e-12 {
      // +y of the joint frame goes to (xy, yy): its angle from the band's +y towards −x is the turn.
      let turn = directionAngle(x: xy, y: yy)
      return (a * scale, ellip, mirror * theta + turn)
    }
    // The ellipse's matrix M = a² u uᵀ + b² v vᵀ goes to A M Aᵀ; its larger eigenvalue is a′².
    let (s, c) = (sin(theta), cos(theta))
    let b = a * (1 - ellip)
    let (ux, uy) = (xy * c - xx * s, yy * c - yx * s)
    let (vx, vy) = (xx * c + xy * s, yx * c + yy * s)
    let (a2, b2) = (square(a), square(b))
    let mxx = a2 * square(ux) + b2 * square(vx)
    let myy = a2 * square(uy) + b2 * square(vy)
    let mxy = a2 * ux * uy + b2 * vx * vy
    let half = (myy - mxx) / 2
    let spread = sqrt(square(half) + square(mxy))
    let major2 = (mxx + myy) / 2 + spread
    let minor = a * b * abs(determinant) / sqrt(major2)
    let major = sqrt(major2)
    return (major, 1 - minor / major, atan2(-mxy, half) / 2)
  }

  /// Returns the angle of a direction from +y towards −x.
  private func directionAngle(x: Double, y: Double) -> Double {
    atan2(Tensor(-x), Tensor(y)).item()
  }
}
