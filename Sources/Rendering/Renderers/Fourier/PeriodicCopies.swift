// SPDX-License-Identifier: MIT
//
// The light of a source's periodic copies inside the frame, with its derivatives: what is subtracted from the periodic image.

import CKernels
import Numerics

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The copies of one extended component on a periodic grid, on Chebyshev nodes over the frame.
///
/// Three rings of copies (8, 16, 24) are summed one by one, all but the first on a coarser grid of nodes; the light of
/// further ones is taken as constant: what lies outside 7 × 7 periods, over the area of one. Six rings if that is much. Copies whose light in the
/// frame is below 1e-10 of the peak are left out. The number of nodes follows from where the profile, continued to complex
/// coordinates, is singular (Trefethen 2013, theorem 8.2).
final class PeriodicCopies {
  /// The share of the peak below which a copy is left out.
  private static let negligible = 1e-10

  /// The share of the peak that interpolation and the PSF's Taylor series may miss.
  private static let tolerance = 4e-7

  /// The share of the peak above which the light beyond three rings, known to some 2 %, is taken beyond six.
  private static let largestRemainder = 1e-4

  /// The plan.
  private let plan: RendererPlan

  /// The component's radial form.
  private let form: any RadialForm

  /// The density's look-up tables, one for each parameter of the shape, at least one.
  private let profiles: [SpaceSlice]

  /// Memory for their knots.
  private let knots: RadialScratch

  /// The offsets of the near copies, (x, y) pairs.
  private let near = FFTBuffer(count: 2 * (13 * 13 - 1))

  /// The offsets of the far copies, (x, y) pairs.
  private let far = FFTBuffer(count: 2 * (13 * 13 - 9))

  /// The number of near copies.
  private var nearCount = 0

  /// The number of far copies.
  private var farCount = 0

  /// The values on the near and the far nodes, and scratch.
  private let nearValues, farValues, scratch: FFTBuffer

  /// The place in the plan of the nodes in use.
  private var frameIndex = 0
  /// The nodes in use.
  private var frame: ChebyshevFrame
  /// The nodes of the far copies.
  private var farFrame: ChebyshevFrame

  /// The light beyond the rings per pixel and unit flux, and its derivatives by r_eff, shape, ellip and theta.
  private var remainder = Remainder()

  /// Minus one where the only copy is the source itself, far outside the frame: it is added, not subtracted.
  private var sign = 1.0

  /// The component.
  private var geometry = ProfileGeometry(.unit)

  /// The constant light of distant copies and its derivatives.
  private struct Remainder {
    /// The light per pixel and unit flux.
    var value = 0.0
    /// The derivative by r_eff.
    var rEff = 0.0
    /// The derivatives by the parameters of the shape.
    var shape = SIMD8<Double>()
    /// The derivative by the axis ratio.
    var ratio = 0.0
    /// The derivative by theta.
    var theta = 0.0
  }

  /// Creates memory for a form in a plan.
  init(plan: RendererPlan, form: any RadialForm, scratch: RadialScratch) {
    self.plan = plan
    self.form = form
    knots = scratch
    profiles = (0..<max(1, form.shapeCount)).map { _ in SpaceSlice() }
    frame = plan.frames[0]
    farFrame = plan.frames[0]
    let largest = ChebyshevFrame.counts.last ?? 0
    nearValues = FFTBuffer(count: largest * largest)
    farValues = FFTBuffer(count: largest * largest)
    self.scratch = FFTBuffer(count: largest * largest)
  }

  /// Whether there is anything to subtract.
  var isEmpty: Bool { nearCount == 0 && farCount == 0 && remainder.value == 0 }

  /// The area of the ellipse at r_eff over π.
  private var squaredRadius: Double { geometry.q * geometry.rEff * geometry.rEff }

  /// The surface brightness per unit flux where the table has 1.
  private var unitBrightness: Double { form.densityScale / squaredRadius }

  /// Returns the variance of a PSF along an axis, in squared pixels.
  static func spread(_ moments: PointSpreadMoments) -> Double {
    max(0.5 * (moments.xx + moments.yy) / moments.sum, 0.1)
  }

  /// Returns a lower estimate of the peak per unit flux of a source with the area π `squaredRadius` of the half-light ellipse.
  static func peak(squaredRadius: Double, spread: Double) -> Double {
    0.5 / (.pi * (squaredRadius + 2 * spread))
  }

  // MARK: - Choice of copies and nodes

  /// Chooses the copies of a component; returns false where a larger grid is needed for them to be smooth.
  ///
  /// - Parameters:
  ///   - geometry: The component.
  ///   - period: The periods along x and y; nil: the source itself, which is far outside the frame.
  /// - Returns: Whether copies can be subtracted to the tolerance.
  func prepare(_ geometry: ProfileGeometry, period: (x: Int, y: Int)?) -> Bool {
    self.geometry = geometry
    nearCount = 0
    farCount = 0
    remainder = Remainder()
    sign = period == nil ? -1 : 1
    let peak = Self.peak(squaredRadius: squaredRadius, spread: Self.spread(plan.moments))
    // As a density where the component is round.
    let logPeak = log(peak * squaredRadius)
    let largestAxis = geometry.rEff * max(1, geometry.q)
    let smallestAxis = geometry.rEff * min(1, geometry.q)
    var range = (smallest: Double.infinity, largest: 0.0)
    let thinness = smallestAxis / largestAxis
    var needed = 0.0
    var blur = 0.0
    var rings = 0
    if let period {
      rings = 3
      setRemainder(period, rings: rings, peak: peak)
      if remainder.value > Self.largestRemainder * peak {
        rings = 6
        setRemainder(period, rings: rings, peak: peak)
      }
    }
    for j in -rings...rings {
      for i in -rings...rings {
        let ring = max(abs(i), abs(j))
        if ring == 0 && period != nil { continue }
        let dx = Double(i * (period?.x ?? 0))
        let dy = Double(j * (period?.y ?? 0))
        let x = geometry.xc + dx
        let y = geometry.yc + dy
        let nearest = distance(x, y)
        // The least z in the frame is not below this one's.
        let least = max(nearest.least / largestAxis, 1e-8)
        let logLight = form.logDensity(least * least).value
        guard logLight > log(Self.negligible) + logPeak else { continue }
        range.smallest = min(range.smallest, least)
        range.largest = max(range.largest, nearest.greatest / smallestAxis)
        // Far copies of thin sources can be ridges, too narrow for the coarser nodes.
        let isNear = ring <= 1 || thinness < 0.35
        let demand =
          isNear ? smoothness(x, y, logPeak: logPeak) : (nodes: 0, blur: 0)
        if ring <= 1 || demand.nodes > Double(ChebyshevFrame.counts[0]) {
          near.pointer[2 * nearCount] = x
          near.pointer[2 * nearCount + 1] = y
          nearCount += 1
          needed = max(needed, demand.nodes)
          blur = max(blur, demand.blur)
        } else {
          far.pointer[2 * farCount] = x
          far.pointer[2 * farCount + 1] = y
          farCount += 1
        }
      }
    }
    guard nearCount > 0 || farCount > 0 else {
      remainder = Remainder()
      return true
    }
    let counts = ChebyshevFrame.counts
    let choice = counts.firstIndex { Double($0) >= needed }
    frameIndex = choice ?? counts.count - 1
    frame = plan.frames[frameIndex]
    farFrame = plan.frames[counts.firstIndex(of: frame.coarserCount) ?? 0]
    let places = range.smallest * range.smallest * 0.999...range.largest * range.largest * 1.001
    for (k, profile) in profiles.enumerated() {
      form.fillDensity(profile, shape: k, range: places, scratch: knots)
    }
    return choice != nil && blur < 3 * Self.tolerance
  }

  /// Returns the least and the greatest distance of the frame's pixels from a place.
  private func distance(_ x: Double, _ y: Double) -> (least: Double, greatest: Double) {
    func along(_ x: Double, _ pixels: Int) -> (Double, Double) {
      let last = Double(pixels) - 0.5
      return (max(-0.5 - x, x - last, 0), max(abs(x + 0.5), abs(x - last)))
    }
    let a = along(x, plan.width)
    let b = along(y, plan.height)
    return ((a.0 * a.0 + b.0 * b.0).squareRoot(), (a.1 * a.1 + b.1 * b.1).squareRoot())
  }

  /// Returns the number of nodes that a copy needs, and the share of the peak that the PSF's Taylor series misses.
  private func smoothness(_ x: Double, _ y: Double, logPeak: Double) -> (
    nodes: Double, blur: Double
  ) {
    let ellipse = geometry.spaceForm
    let root = max(ellipse.xx * ellipse.yy - ellipse.xy * ellipse.xy, 0).squareRoot()
    var nodes = 0.0
    var blur = 0.0
    for axis in 0..<2 {
      let pixels = axis == 0 ? plan.width : plan.height
      let across = axis == 0 ? plan.height : plan.width
      let center = axis == 0 ? x : y
      let other = axis == 0 ? y : x
      let a = axis == 0 ? ellipse.xx : ellipse.yy
      let c = axis == 0 ? ellipse.yy : ellipse.xx
      let half = 0.5 * Double(pixels)
      for sample in 0..<5 {
        let offset = -0.5 + 0.25 * Double(sample) * Double(across) - other
        // The singularities of the profile on this line, in units where the frame is −1 … 1.
        let re = (center - offset * ellipse.xy / a - half + 0.5) / half
        let im = abs(offset) * root / a / half
        let nearest = min(max(re, -1), 1)
        let d = nearest * half + half - 0.5 - center
        let u = max(d * (a * d + 2 * ellipse.xy * offset) + c * offset * offset, 1e-12)
        let light = form.logDensity(u)
        let amplitude = light.value - logPeak
        let sum =
          (((re - 1) * (re - 1) + im * im).squareRoot()
            + ((re + 1) * (re + 1) + im * im).squareRoot()) / 2
        let rate = log(sum + max(sum * sum - 1, 0).squareRoot())
        let excess = amplitude - log(Self.tolerance)
        if excess > 0 { nodes = max(nodes, rate > 1e-3 ? excess / rate : 1e3) }
        let gap = half * ((re - nearest) * (re - nearest) + im * im).squareRoot()
        // As for a power of the distance: slope (slope + 1/gap) (slope + 2/gap) (slope + 3/gap) is the fourth derivative.
        let gradientX = a * d + ellipse.xy * offset
        let gradientY = ellipse.xy * d + c * offset
        let slope =
          2 * abs(light.slope) * (gradientX * gradientX + gradientY * gradientY).squareRoot()
        let inverse = 1 / max(gap, 0.1)
        let fourth =
          slope * (slope + inverse) * (slope + 2 * inverse) * (slope + 3 * inverse)
        blur = max(blur, plan.moments.fourth / 24 * fourth * exp(min(amplitude, 50)))
      }
    }
    return (nodes, blur)
  }

  // MARK: - The remainder

  /// Sets the light beyond the rings from the share of the flux outside their rectangle.
  private func setRemainder(_ period: (x: Int, y: Int), rings: Int, peak: Double) {
    remainder = Remainder()
    let points = 16
    let area = Double(period.x * period.y)
    let (s, c, q, r) = (geometry.sinTheta, geometry.cosTheta, geometry.q, geometry.rEff)
    let sides = (
      (Double(rings) + 0.5) * Double(period.x), (Double(rings) + 0.5) * Double(period.y)
    )
    let nearest = min(sides.0, sides.1) / (r * max(1, q))
    guard form.outside(nearest).share > Self.negligible * peak * area else { return }
    for k in 0..<points {
      let phi = .pi * (Double(k) + 0.5) / Double(points)
      let (a, b) = (cos(phi), sin(phi))
      let ex = -s * a + q * c * b
      let ey = c * a + q * s * b
      // The ray leaves through a side parallel to y, or to x.
      let throughY = sides.0 * abs(ey) < sides.1 * abs(ex)
      let e = throughY ? ex : ey
      let byRatio = throughY ? c * b : s * b
      let byTheta = throughY ? -c * a - q * s * b : -s * a + q * c * b
      let z = (throughY ? sides.0 : sides.1) / (r * abs(e))
      let share = 1 / (Double(points) * area)
      let light = form.outside(z)
      remainder.value += share * light.share
      let byLogZ = share * light.byLogZ
      remainder.rEff -= byLogZ / r
      remainder.ratio -= byLogZ * byRatio / e
      remainder.theta -= byLogZ * byTheta / e
      for k in 0..<form.shapeCount {
        remainder.shape[k] += share * form.outsideSlope(z, shape: k)
      }
    }
  }

  // MARK: - Values and derivatives

  /// Seven coefficients or sums of `sersic_copies`.
  private typealias Seven = (Double, Double, Double, Double, Double, Double, Double)

  /// Subtracts the copies' light from a sum over components.
  func subtract(from light: CopyLight) {
    guard !isEmpty else { return }
    let c: Seven = (geometry.flux * unitBrightness, 0, 0, 0, 0, 0, 0)
    subtract(c, geometry.flux * remainder.value, light, changes: SIMD8())
  }

  /// Subtracts the change of the copies' light along a direction from a sum over components.
  func subtractTangent(_ d: ProfileDirection, from light: CopyLight) {
    guard !isEmpty else { return }
    let unit = unitBrightness
    let total = geometry.flux * unit
    let ellipse = geometry.spaceForm
    let slopes = geometry.spaceFormSlopes
    let byLog =
      -2 * d.rEff / geometry.rEff + d.ellip / geometry.q + form.logDensityScaleSlope * d.shape[0]
    let c: Seven = (
      unit * d.flux + total * byLog,
      -2 * total * (ellipse.xx * d.xc + ellipse.xy * d.yc),
      -2 * total * (ellipse.xy * d.xc + ellipse.yy * d.yc),
      total * (slopes.rEff.xx * d.rEff + slopes.ellip.xx * d.ellip + slopes.theta.xx * d.theta),
      2 * total * (slopes.rEff.xy * d.rEff + slopes.ellip.xy * d.ellip + slopes.theta.xy * d.theta),
      total * (slopes.rEff.yy * d.rEff + slopes.ellip.yy * d.ellip + slopes.theta.yy * d.theta),
      total * d.shape[0]
    )
    var byShape = 0.0
    for k in 0..<form.shapeCount { byShape += d.shape[k] * remainder.shape[k] }
    let constant =
      d.flux * remainder.value
      + geometry.flux
      * (d.rEff * remainder.rEff + byShape - d.ellip * remainder.ratio
        + d.theta * remainder.theta)
    subtract(c, constant, light, changes: total * d.shape)
  }

  /// Subtracts the sum of copies with given coefficients of `sersic_copies`, and a constant, from a sum over components.
  ///
  /// - Parameters:
  ///   - c: The coefficients, with the first parameter of the shape.
  ///   - constant: The constant.
  ///   - light: The sum over components.
  ///   - changes: The coefficients of the shape; from the second on they count.
  private func subtract(
    _ c: Seven, _ constant: Double, _ light: CopyLight, changes: SIMD8<Double>
  ) {
    nearValues.pointer.update(repeating: constant, count: frame.count * frame.count)
    farValues.pointer.update(repeating: 0, count: farFrame.count * farFrame.count)
    addCopies(c, 0)
    for k in profiles.indices.dropFirst() where changes[k] != 0 {
      addCopies((0, 0, 0, 0, 0, 0, changes[k]), k)
    }
    if farCount > 0 {
      frame.addCoarser(farValues.pointer, to: nearValues.pointer, scratch: scratch.pointer)
    }
    light.add(-sign, nearValues.pointer, grid: frameIndex)
  }

  /// Adds the sum of copies with given coefficients of `sersic_copies`, from the k-th table, at the nodes.
  private func addCopies(_ c: Seven, _ k: Int) {
    var slice = profiles[k].slice
    var c = c
    withUnsafeBytes(of: geometry.spaceForm) { bytes in
      let ellipse = bytes.assumingMemoryBound(to: Double.self).baseAddress
      withUnsafeBytes(of: &c) { c in
        let c = c.assumingMemoryBound(to: Double.self).baseAddress
        sersic_copies(
          &slice, nearCount, near.pointer, ellipse, c, frame.count * frame.count, frame.nodeX,
          frame.nodeY, nearValues.pointer)
        guard farCount > 0 else { return }
        sersic_copies(
          &slice, farCount, far.pointer, ellipse, c, farFrame.count * farFrame.count,
          farFrame.nodeX, farFrame.nodeY, farValues.pointer)
      }
    }
  }

  /// Subtracts the copies' part of the parameter adjoint for an image adjoint, whose adjoints at nodes components share.
  func subtractAdjoint(
    _ imageAdjoint: UnsafePointer<Double>, _ light: CopyLight, from out: inout ProfileDirection
  ) {
    guard !isEmpty else { return }
    let shared = light.adjoint(imageAdjoint, grid: frameIndex)
    for i in 0..<frame.count * frame.count { nearValues.pointer[i] = -sign * shared[i] }
    if farCount > 0 {
      frame.coarserAdjoint(nearValues.pointer, into: farValues.pointer, scratch: scratch.pointer)
    }
    var total = 0.0
    for i in 0..<frame.count * frame.count { total += nearValues.pointer[i] }
    let ellipse = geometry.spaceForm
    let sums = copySums(0)
    let unit = unitBrightness
    let flux = geometry.flux
    let bright = flux * unit
    let slopes = geometry.spaceFormSlopes
    func contract(_ f: QuadraticForm) -> Double {
      bright * (f.xx * sums.3 + 2 * f.xy * sums.4 + f.yy * sums.5)
    }
    out.flux += unit * sums.0 + remainder.value * total
    out.xc -= 2 * bright * (ellipse.xx * sums.1 + ellipse.xy * sums.2)
    out.yc -= 2 * bright * (ellipse.xy * sums.1 + ellipse.yy * sums.2)
    out.rEff +=
      contract(slopes.rEff) - 2 / geometry.rEff * bright * sums.0
      + flux * remainder.rEff * total
    out.ellip +=
      contract(slopes.ellip) + bright * sums.0 / geometry.q - flux * remainder.ratio * total
    out.theta += contract(slopes.theta) + flux * remainder.theta * total
    for k in 0..<form.shapeCount {
      let byShape =
        k == 0 ? form.logDensityScaleSlope * sums.0 + sums.6 : copySums(k).6
      out.shape[k] += bright * byShape + flux * remainder.shape[k] * total
    }
  }

  /// Returns the sums of the adjoint of `sersic_copies` over the nodes' adjoints, from the k-th table.
  private func copySums(_ k: Int) -> Seven {
    var slice = profiles[k].slice
    var sums: Seven = (0, 0, 0, 0, 0, 0, 0)
    withUnsafeMutableBytes(of: &sums) { bytes in
      let sums = bytes.assumingMemoryBound(to: Double.self).baseAddress
      withUnsafeBytes(of: geometry.spaceForm) { bytes in
        let ellipse = bytes.assumingMemoryBound(to: Double.self).baseAddress
        sersic_copies_adjoint(
          &slice, nearCount, near.pointer, ellipse, frame.count * frame.count, frame.nodeX,
          frame.nodeY, nearValues.pointer, sums)
        guard farCount > 0 else { return }
        sersic_copies_adjoint(
          &slice, farCount, far.pointer, ellipse, farFrame.count * farFrame.count, farFrame.nodeX,
          farFrame.nodeY, farValues.pointer, sums)
      }
    }
    return sums
  }
}
