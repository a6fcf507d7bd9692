// SPDX-License-Identifier: MIT
//
// One band of a joint model: an image, and where the joint frame lies on it.

public import Distributions
import PPL
public import Rendering
import Tensors

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
}

/// One band of a joint model.
public struct Band: Sendable {
  /// The name, used as a scope: sites are `NAME/flux`, ….
  public let name: String

  /// The image.
  public let image: ObservedImage

  /// The prior of the flux in this band.
  public let fluxPrior: any Distribution

  /// Where the joint frame lies on the band's pixels.
  public let map: PlaneMap

  /// Creates a band.
  ///
  /// - Parameters:
  ///   - name: The name of the band, a scope of the joint model.
  ///   - image: The image of the band.
  ///   - fluxPrior: The prior of the flux, in the band's image units.
  ///   - map: From the joint frame to the band's pixels; the same pixels by default.
  public init(
    _ name: String, _ image: ObservedImage, fluxPrior: any Distribution, map: PlaneMap = PlaneMap()
  ) {
    precondition(
      map.determinant != 0, "Band \(name): expected a map with a determinant ≠ 0, got \(map)")
    self.name = name
    self.image = image
    self.fluxPrior = fluxPrior
    self.map = map
  }

  /// Returns a light of the joint frame in the band's pixels: centre, r_eff, ellip and theta are mapped, flux is kept.
  public func project(_ light: some LightComponent) -> LightProfile {
    LightProfile(light.lightProfile.components.map { project($0) })
  }

  /// Returns one component in the band's pixels.
  private func project(_ component: LightProfile.Component) -> LightProfile.Component {
    var p = component.parameters
    let (x, y) = (p[0], p[1])
    p[0] = map.xx * x + map.xy * y + map.x0
    p[1] = map.yx * x + map.yy * y + map.y0
    guard component.kind.isExtended else { return LightProfile.Component(component.kind, p) }
    let radius = ProfileParameter.rEff
    let ellip = ProfileParameter.ellip(component.kind)
    let theta = ProfileParameter.theta(component.kind)
    (p[radius], p[ellip], p[theta]) = ellipse(p[radius], p[ellip], p[theta])
    return LightProfile.Component(component.kind, p)
  }

  /// Returns semi-major axis, ellipticity and angle of a mapped ellipse.
  private func ellipse(_ a: Tensor, _ ellip: Tensor, _ theta: Tensor) -> (Tensor, Tensor, Tensor) {
    // The major axis points along (−sin θ, cos θ).
    let scale = abs(map.determinant).squareRoot()
    let mirror = map.determinant < 0 ? -1.0 : 1.0
    let isSimilarity =
      abs(map.xx - mirror * map.yy) + abs(map.xy + mirror * map.yx) < 1e-12 * scale
    if isSimilarity {
      // +y of the joint frame goes to (xy, yy): its angle from the band's +y towards −x is the turn.
      let turn = directionAngle(x: map.xy, y: map.yy)
      return (a * scale, ellip, mirror * theta + turn)
    }
    // The ellipse's matrix M = a² u uᵀ + b² v vᵀ goes to A M Aᵀ; its larger eigenvalue is a′².
    let (s, c) = (sin(theta), cos(theta))
    let b = a * (1 - ellip)
    let (ux, uy) = (map.xy * c - map.xx * s, map.yy * c - map.yx * s)
    let (vx, vy) = (map.xx * c + map.xy * s, map.yx * c + map.yy * s)
    let (a2, b2) = (square(a), square(b))
    let mxx = a2 * square(ux) + b2 * square(vx)
    let myy = a2 * square(uy) + b2 * square(vy)
    let mxy = a2 * ux * uy + b2 * vx * vy
    let half = (myy - mxx) / 2
    let spread = sqrt(square(half) + square(mxy))
    let major2 = (mxx + myy) / 2 + spread
    let minor = a * b * Swift.abs(map.determinant) / sqrt(major2)
    let major = sqrt(major2)
    return (major, 1 - minor / major, atan2(-mxy, half) / 2)
  }

  /// Returns the angle of a direction from +y towards −x.
  private func directionAngle(x: Double, y: Double) -> Double {
    atan2(Tensor(-x), Tensor(y)).item()
  }
}
