// SPDX-License-Identifier: MIT
//
// The exact share of a pixel inside a circle or an ellipse: Green's theorem edge by edge.

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// An ellipse about the origin whose overlap with pixels is wanted.
package struct EllipticalAperture {
  /// The map that takes the ellipse to the unit circle, row-major.
  private let xx, xy, yx, yy: Double

  /// The area of the ellipse that the unit circle stands for, over π.
  private let scale: Double

  /// No point of a pixel is farther from its centre than this, in the metric of the ellipse.
  private let reach: Double

  /// Creates an ellipse with semi-axes a and b, in pixels; `angle` is from +x to the first, counter-clockwise.
  package init(a: Double, b: Double, angle: Double) {
    let c = cos(angle)
    let s = sin(angle)
    xx = c / a
    xy = s / a
    yx = -s / b
    yy = c / b
    scale = a * b
    let u = hypot(xx + xy, yx + yy)
    let v = hypot(xx - xy, yx - yy)
    reach = max(u, v) / 2
  }

  /// Returns the share, 0 to 1, of the unit pixel centred at (x, y) that is inside.
  package func share(x: Double, y: Double) -> Double {
    let centerX = xx * x + xy * y
    let centerY = yx * x + yy * y
    let distance = hypot(centerX, centerY)
    if distance + reach <= 1 { return 1 }
    if distance - reach >= 1 { return 0 }
    var area = 0.0
    var from = corner(x - 0.5, y - 0.5)
    for (dx, dy) in [(0.5, -0.5), (0.5, 0.5), (-0.5, 0.5), (-0.5, -0.5)] {
      let to = corner(x + dx, y + dy)
      area += unitCircleArea(from: from, to: to)
      from = to
    }
    return min(max(area * scale, 0), 1)
  }

  /// Returns a point in the metric of the ellipse.
  private func corner(_ x: Double, _ y: Double) -> (x: Double, y: Double) {
    (xx * x + xy * y, yx * x + yy * y)
  }
}

/// Returns the signed area of the triangle (origin, `from`, `to`) inside the unit circle.
///
/// The edge is cut where it meets the circle; inside, a piece spans a triangle, outside a sector.
private func unitCircleArea(
  from p: (x: Double, y: Double), to q: (x: Double, y: Double)
) -> Double {
  let dx = q.x - p.x
  let dy = q.y - p.y
  let a = dx * dx + dy * dy
  let b = p.x * dx + p.y * dy
  let c = p.x * p.x + p.y * p.y - 1
  let discriminant = b * b - a * c
  guard a > 0 else { return 0 }
  guard discriminant > 0 else { return sector(p, q) }
  let root = discriminant.squareRoot()
  let enter = max((-b - root) / a, 0)
  let leave = min((-b + root) / a, 1)
  guard enter < leave else { return sector(p, q) }
  let first = (x: p.x + enter * dx, y: p.y + enter * dy)
  let last = (x: p.x + leave * dx, y: p.y + leave * dy)
  let triangle = (first.x * last.y - first.y * last.x) / 2
  return (enter > 0 ? sector(p, first) : 0) + triangle + (leave < 1 ? sector(last, q) : 0)
}

/// Returns the signed area of the sector of the unit circle between two directions.
private func sector(_ p: (x: Double, y: Double), _ q: (x: Double, y: Double)) -> Double {
  atan2(p.x * q.y - p.y * q.x, p.x * q.x + p.y * q.y) / 2
}
