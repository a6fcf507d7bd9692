// SPDX-License-Identifier: MIT
//
// A profile as a set of weighted points, fine near its centre and as coarse as the band of the image allows outside.

import CKernels
import Numerics

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The quadrature of one extended component: points with masses, whose sums with any function in the band |k| ≤ π are its
/// integrals with the profile.
///
/// In the coordinates w where the profile is round, smooth windows of ln |w| cut the plane into a core and rings. The core,
/// some 12 pixels large, has Gauss's rule in panels of half an octave towards the centre, and equidistant angles; what lies
/// within 1e-4 pixels of it is one point. Each ring has a lattice in w along the axes, a sixteenth of its inner radius
/// apart, until that is 0.7 pixels: the trapezoid rule on windows that are smooth on their own scale. No rule is
/// tied to a place in the image: it goes where the source is.
final class LightNodes {
  /// Where nodes go: a batch of them is full, or the last one is ready.
  private let plan: SampledRendererPlan

  /// The number of nodes of a batch.
  private static let batch = 1024

  /// The largest number of planes of masses: mass, mass times offset in x and in y, and derivatives by the shape.
  private let planes: Int

  /// Places in cells: x, then y.
  private let places = FFTBuffer(count: 2 * LightNodes.batch)

  /// Masses, plane by plane.
  private let masses: FFTBuffer

  /// Squared radii, densities, slopes, shares; and offsets in x and y.
  private let scratch = FFTBuffer(count: 6 * LightNodes.batch)

  /// The number of nodes in the batch.
  private var count = 0

  /// The rule of a panel of the core.
  private let rule = GaussRule(count: 14)

  /// The width of the windows in ln |w|, over √2.
  private static let windowScale = 0.35

  /// Where windows count as 0 or 1, in units of ln |w|: erfc(4.57)/2 = 5e-11.
  private static let windowReach = 1.6

  /// The core's radius in pixels, in the middle of its window.
  private static let coreRadius = 12.0

  /// The radius below which light is a point, in pixels.
  private static let pointRadius = 1e-4

  /// The largest spacing of a lattice, in pixels: 2π/0.7 − π is 5.8.
  private static let largestStep = 0.7

  /// The least inner radius of the last ring along the shorter axis, in pixels: what the lattice aliases has
  /// exp(−x²/0.35² − (5.8 · 10 e^(−x) · 0.35/2)²) of the light at most, 3e-10.
  private static let lastRadius = 10.0

  /// The canvases, one for each plane.
  private var canvases: UnsafeMutablePointer<Double>

  /// The component in pixels of the PSF.
  private var shape = ProfileShape.unit

  /// The axes' directions, major and minor, and the semi-axes at r_eff.
  private var axes = (major: (x: 0.0, y: 1.0), minor: (x: -1.0, y: 0.0), a: 1.0, b: 1.0)

  /// Creates memory for nodes of a form with some parameters.
  init(plan: SampledRendererPlan, shapeCount: Int, canvases: UnsafeMutablePointer<Double>) {
    self.plan = plan
    planes = 3 + shapeCount
    masses = FFTBuffer(count: planes * Self.batch)
    self.canvases = canvases
  }

  /// Adds the nodes of a component of unit flux, in pixels of the PSF, to the canvases.
  func add(_ shape: ProfileShape, _ form: any RadialForm) {
    self.shape = shape
    let (s, c) = (sin(shape.theta), cos(shape.theta))
    axes = ((-s, c), (-c, -s), shape.rEff, shape.rEff * (1 - shape.ellip))
    let longest = max(axes.a, axes.b)
    let shortest = min(axes.a, axes.b)
    let corner = farthest()
    let tables = (0..<max(1, form.shapeCount)).map {
      form.fluxTable(shape: $0, largestV: 1.1 * (corner / shortest) * (corner / shortest))
    }
    // Beyond this radius there is neither light nor region.
    var largest = corner / shortest
    while largest > 1e-6, form.outside(0.8 * largest).share < 1e-14 { largest *= 0.8 }
    let point = min(Self.pointRadius / longest, largest)
    addPoint(form, radius: point)
    let core = Self.coreRadius / longest
    addCore(tables, from: point, to: min(core * exp(Self.windowReach), largest), window: core)
    var inner = core
    while inner * exp(-Self.windowReach) < largest {
      let isLast = inner * shortest >= Self.lastRadius
      addRing(tables, inner, outer: isLast ? nil : 2 * inner, largest: largest)
      if isLast { break }
      inner *= 2
    }
    flush(tables)
  }

  /// Adds a point source of unit flux, in pixels of the PSF, to the first canvas.
  func addPoint(_ shape: ProfileShape) {
    self.shape = shape
    masses.pointer[0] = plan.share(shape.xc, shape.yc)
    places.pointer[0] = 2 * (shape.xc - plan.origin.x)
    places.pointer[Self.batch] = 2 * (shape.yc - plan.origin.y)
    count = 1
    spread(planes: 1)
  }

  /// Returns the largest distance of the region from the centre.
  private func farthest() -> Double {
    func along(_ x: Double, _ range: ClosedRange<Double>) -> Double {
      max(abs(range.lowerBound - Self.margin - x), abs(range.upperBound + Self.margin - x))
    }
    let (x, y) = (along(shape.xc, plan.full.x), along(shape.yc, plan.full.y))
    return (x * x + y * y).squareRoot()
  }

  /// The width of the margin.
  private static let margin = SampledRendererPlan.fade

  /// Returns the window of a radius: 1 well inside it, 0 well outside.
  private static func window(_ logRatio: Double) -> Double {
    if logRatio < -windowReach { return 1 }
    return logRatio > windowReach ? 0 : 0.5 * erfc(logRatio / windowScale)
  }

  // MARK: - Parts

  /// Adds the light within a radius as a point.
  private func addPoint(_ form: any RadialForm, radius: Double) {
    let place = masses.pointer
    place[0] = 1 - form.outside(radius).share
    place[Self.batch] = 0
    place[2 * Self.batch] = 0
    for k in 0..<form.shapeCount {
      place[(3 + k) * Self.batch] = -form.outsideSlope(radius, shape: k)
    }
    let share = plan.share(shape.xc, shape.yc)
    for p in 0..<planes { place[p * Self.batch] *= share }
    places.pointer[0] = 2 * (shape.xc - plan.origin.x)
    places.pointer[Self.batch] = 2 * (shape.yc - plan.origin.y)
    count = 1
    spread(planes: planes)
  }

  /// Adds the core: rings of equidistant angles on radii of Gauss's rule.
  private func addCore(
    _ tables: [RadialFluxTable], from start: Double, to end: Double, window core: Double
  ) {
    let longest = max(axes.a, axes.b)
    var inner = start
    while inner < end {
      // Half an octave, and no more than 5 pixels: the phase of the band's corners turns by 11 either way.
      let outer = min(inner * 2.0.squareRoot(), inner + 5 / longest, end)
      for (t, weight) in zip(rule.nodes, rule.weights) {
        let z = 0.5 * (inner + outer) + 0.5 * (outer - inner) * t
        let phase = 2.0.squareRoot() * .pi * longest * z
        // Harmonics of order m have J_m(phase), which falls beyond m = phase.
        let angles = 2 * Int((0.5 * (phase + 5 * cbrt(phase)) + 11).rounded(.up))
        let mass =
          0.5 * (outer - inner) * weight * z * 2 * .pi / Double(angles)
          * Self.window(log(z / core))
        for k in 0..<angles {
          let phi = 2 * .pi * Double(k) / Double(angles)
          addNode(tables, z * cos(phi), z * sin(phi), z * z, mass)
        }
      }
      inner = outer
    }
  }

  /// Adds a ring: a lattice between the windows of two radii, or of all outside one.
  private func addRing(
    _ tables: [RadialFluxTable], _ inner: Double, outer: Double?, largest: Double
  ) {
    let reach = exp(Self.windowReach)
    let least = inner / reach
    let most = min(outer.map { $0 * reach } ?? largest, largest)
    let step = (
      min(inner / 16, Self.largestStep / axes.a), min(inner / 16, Self.largestStep / axes.b)
    )
    /// Returns the lattice's range along an axis of the region as seen from the centre.
    func range(_ axis: (x: Double, y: Double), _ length: Double, _ step: Double)
      -> ClosedRange<Int>?
    {
      var (low, high) = (Double.infinity, -Double.infinity)
      for x in [plan.full.x.lowerBound - Self.margin, plan.full.x.upperBound + Self.margin] {
        for y in [plan.full.y.lowerBound - Self.margin, plan.full.y.upperBound + Self.margin] {
          let p = ((x - shape.xc) * axis.x + (y - shape.yc) * axis.y) / length
          (low, high) = (min(low, p), max(high, p))
        }
      }
      (low, high) = (max(low, -most), min(high, most))
      guard low <= high else { return nil }
      return Int((low / step).rounded(.down))...Int((high / step).rounded(.up))
    }
    guard let columns = range(axes.major, axes.a, step.0),
      let rows = range(axes.minor, axes.b, step.1)
    else { return }
    let area = step.0 * step.1
    for row in rows {
      let w2 = Double(row) * step.1
      for column in columns {
        let w1 = Double(column) * step.0
        let v = w1 * w1 + w2 * w2
        guard v > least * least, v < most * most else { continue }
        let logZ = 0.5 * log(v)
        let window =
          (outer.map { Self.window(logZ - log($0)) } ?? 1) - Self.window(logZ - log(inner))
        addNode(tables, w1, w2, v, area * window)
      }
    }
  }

  // MARK: - Batches

  /// Adds a node at w with a squared radius; its mass is that of unit density.
  @inline(__always)
  private func addNode(
    _ tables: [RadialFluxTable], _ w1: Double, _ w2: Double, _ v: Double, _ mass: Double
  ) {
    let dx = w1 * axes.a * axes.major.x + w2 * axes.b * axes.minor.x
    let dy = w1 * axes.a * axes.major.y + w2 * axes.b * axes.minor.y
    let share = plan.share(shape.xc + dx, shape.yc + dy)
    guard share > 1e-12, v > 0 else { return }
    let batch = Self.batch
    let s = scratch.pointer
    s[count] = v
    s[3 * batch + count] = share * mass
    s[4 * batch + count] = dx
    s[5 * batch + count] = dy
    places.pointer[count] = 2 * (shape.xc + dx - plan.origin.x)
    places.pointer[batch + count] = 2 * (shape.yc + dy - plan.origin.y)
    count += 1
    if count == batch { flush(tables) }
  }

  /// Turns the batch into masses and spreads them.
  private func flush(_ tables: [RadialFluxTable]) {
    guard count > 0 else { return }
    let batch = Self.batch
    let s = scratch.pointer
    let m = masses.pointer
    for (k, table) in tables.enumerated() {
      table.withKernelTable { sersic_radial_densities($0, count, s, s + batch, s + 2 * batch) }
      if k == 0 {
        for i in 0..<count {
          m[i] = s[batch + i] * s[3 * batch + i]
          m[batch + i] = m[i] * s[4 * batch + i]
          m[2 * batch + i] = m[i] * s[5 * batch + i]
        }
      }
      if planes > 3 {
        let slopes = m + (3 + k) * batch
        for i in 0..<count { slopes[i] = s[2 * batch + i] * s[3 * batch + i] }
      }
    }
    spread(planes: planes)
  }

  /// Spreads the batch's masses over the canvases.
  private func spread(planes: Int) {
    let batch = Self.batch
    plan.spread.polynomials.withUnsafeBufferPointer { polynomials in
      sersic_spread(
        count, places.pointer, places.pointer + batch, planes, masses.pointer, batch,
        polynomials.baseAddress, SpreadFunction.degree, plan.cells.x, plan.cells.y,
        plan.transforms.columns, plan.transforms.realCount, canvases)
    }
    count = 0
  }
}
