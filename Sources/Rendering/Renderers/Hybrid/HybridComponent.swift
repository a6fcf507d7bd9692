// SPDX-License-Identifier: MIT
//
// One component of a hybrid rendering: its transform at every frequency, and its widest Gaussians in every pixel.

import CKernels
import Numerics

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A component with its memory, in pysersic's scheme.
final class HybridComponent {
  /// The sort of profile.
  let kind: ProfileKind

  /// The index of its first parameter.
  let start: Int

  /// The plan.
  private let plan: HybridRendererPlan

  /// The component's numbers.
  private var geometry = ProfileGeometry(.unit)

  /// The amplitudes of the Gaussians of a Sérsic profile, and their derivatives by n.
  private let amplitudes = FFTBuffer(count: GaussianSeries.count)
  /// The derivatives of the amplitudes.
  private let changes = FFTBuffer(count: GaussianSeries.count)

  /// F, dF/ds, dF/dp at every frequency of the half spectrum, one after the other.
  private let transform: FFTBuffer

  /// κ² at every frequency, and room for exponentials.
  private let squares, powers: FFTBuffer

  /// Phases along columns and rows: real parts, then imaginary parts.
  private let columnPhases, rowPhases: FFTBuffer

  /// Creates the memory of a component.
  init(kind: ProfileKind, start: Int, plan: HybridRendererPlan) {
    self.kind = kind
    self.start = start
    self.plan = plan
    let count = plan.kx.count * plan.ky.count
    transform = FFTBuffer(count: 3 * count)
    squares = FFTBuffer(count: count)
    powers = FFTBuffer(count: count)
    columnPhases = FFTBuffer(count: 2 * plan.kx.count)
    rowPhases = FFTBuffer(count: 2 * plan.ky.count)
    transform.pointer.update(repeating: 1, count: kind.isExtended ? 0 : count)
  }

  /// Whether the profile is made of Gaussians.
  private var isSeries: Bool { kind == .sersic || kind.fixedIndex != nil }

  /// Reads the parameters and computes the transform; returns whether they describe a profile.
  func prepare(_ parameters: UnsafeBufferPointer<Double>) -> Bool {
    guard let first = parameters.baseAddress.map({ $0 + start }) else { return false }
    let shape = ProfileShape(kind, first)
    guard shape.isFeasible, abs(shape.ellip) < 0.9999, (1e-6...1e9).contains(shape.rEff),
      abs(shape.xc) < 1e9, abs(shape.yc) < 1e9
    else { return false }
    geometry = ProfileGeometry(shape)
    setPhases()
    guard kind.isExtended else { return true }
    let form = geometry.frequencyForm
    let columns = plan.kx.count
    for (row, ky) in plan.ky.enumerated() {
      for (column, kx) in plan.kx.enumerated() {
        squares.pointer[row * columns + column] =
          form.xx * kx * kx + 2 * form.xy * kx * ky + form.yy * ky * ky
      }
    }
    let p = first[ProfileParameter.shape]
    return isSeries ? setSeries(n: kind.fixedIndex ?? p) : setSpergel(nu: p)
  }

  /// Sets the phases exp(−i (kx x + ky y)) along columns and rows.
  private func setPhases() {
    for (place, frequencies, phases) in [
      (geometry.xc, plan.kx, columnPhases), (geometry.yc, plan.ky, rowPhases),
    ] {
      for (i, k) in frequencies.enumerated() {
        phases.pointer[i] = cos(k * place)
        phases.pointer[frequencies.count + i] = -sin(k * place)
      }
    }
  }

  /// Sets the transform to that of the narrow Gaussians of a Sérsic profile.
  private func setSeries(n: Double) -> Bool {
    guard GaussianSeries.indices.contains(n) else { return false }
    let series = GaussianSeries.shared
    series.evaluate(n: n, amplitudes.pointer, changes.pointer)
    let count = squares.count
    let f = transform.pointer
    f.update(repeating: 0, count: 3 * count)
    for j in 0..<GaussianSeries.count - GaussianSeries.pixelCount {
      let half = -0.5 * series.widths[j] * series.widths[j]
      for i in 0..<count { powers.pointer[i] = half * squares.pointer[i] }
      VectorMath.exp(powers.pointer, into: powers.pointer, count: count)
      let amplitude = amplitudes.pointer[j]
      sersic_add_scaled(count, amplitude, powers.pointer, f)
      sersic_add_scaled(count, amplitude * half, powers.pointer, f + count)
      sersic_add_scaled(count, changes.pointer[j], powers.pointer, f + 2 * count)
    }
    return true
  }

  /// Sets the transform to Spergel's, with pysersic's fit of its constant.
  private func setSpergel(nu: Double) -> Bool {
    guard nu > -0.99, nu < 100 else { return false }
    let c = 0.80882865 + 0.18703458 * nu + 1.1386762 * log(1.4785621 + nu)
    let cSlope = 0.18703458 + 1.1386762 / (1.4785621 + nu)
    let count = squares.count
    let f = transform.pointer
    for i in 0..<count {
      let x = squares.pointer[i] / (c * c)
      let logBase = log1p(x)
      f[i] = exp(-(1 + nu) * logBase)
      f[count + i] = -(1 + nu) * f[i] / ((1 + x) * c * c)
      f[2 * count + i] = f[i] * (-logBase + 2 * (1 + nu) * x / (1 + x) * cSlope / c)
    }
    return true
  }

  // MARK: - Fourier space

  /// Calls `body` with the place of every row of the spectrum.
  private func forEachRow(
    _ body: (
      _ at: Int, _ row: Int, _ psfRe: UnsafePointer<Double>, _ psfIm: UnsafePointer<Double>
    ) -> Void
  ) {
    plan.psfRe.withUnsafeBufferPointer { psfRe in
      plan.psfIm.withUnsafeBufferPointer { psfIm in
        guard let psfRe = psfRe.baseAddress, let psfIm = psfIm.baseAddress else { return }
        for row in plan.ky.indices {
          let at = row * plan.kx.count
          body(at, row, psfRe + at, psfIm + at)
        }
      }
    }
  }

  /// Sets a half spectrum to the component's, or adds it.
  func writeSpectrum(to spectrum: UnsafeMutablePointer<Double>, adds: Bool) {
    let columns = plan.kx.count
    let rows = rowPhases.pointer
    forEachRow { at, row, psfRe, psfIm in
      sersic_spectrum_row(
        columns, transform.pointer + at, geometry.flux * rows[row],
        geometry.flux * rows[plan.ky.count + row], columnPhases.pointer,
        columnPhases.pointer + columns, psfRe, psfIm, adds ? 1 : 0, spectrum + 2 * at)
    }
  }

  /// Sets a half spectrum to the change of the component along a direction, or adds it.
  func writeTangent(
    _ d: ProfileDirection, to spectrum: UnsafeMutablePointer<Double>, adds: Bool
  ) {
    let columns = plan.kx.count
    let count = squares.count
    let rows = rowPhases.pointer
    let f = transform.pointer
    let flux = geometry.flux
    let slopes = geometry.frequencyFormSlopes
    let isExtended = kind.isExtended
    func along(_ a: Double, _ b: Double, _ c: Double) -> Double {
      isExtended ? flux * (a * d.rEff + b * d.ellip + c * d.theta) : 0
    }
    let form = QuadraticForm(
      xx: along(slopes.rEff.xx, slopes.ellip.xx, slopes.theta.xx),
      xy: along(slopes.rEff.xy, slopes.ellip.xy, slopes.theta.xy),
      yy: along(slopes.rEff.yy, slopes.ellip.yy, slopes.theta.yy))
    forEachRow { at, row, psfRe, psfIm in
      let ky = plan.ky[row]
      var c = (
        d.flux, form.yy * ky * ky, 2 * form.xy * ky, form.xx,
        kind.shapeCount > 0 ? flux * d.shape[0] : 0, flux * ky * d.yc, flux * d.xc
      )
      withUnsafeBytes(of: &c) { c in
        sersic_tangent_row(
          columns, f + at, f + count + at, f + 2 * count + at, plan.kx,
          c.assumingMemoryBound(to: Double.self).baseAddress, rows[row],
          rows[plan.ky.count + row], columnPhases.pointer, columnPhases.pointer + columns, psfRe,
          psfIm, adds ? 1 : 0, spectrum + 2 * at)
      }
    }
  }

  /// Returns the adjoint of the parameters for an image adjoint and its half spectrum.
  func adjoint(
    _ spectrum: UnsafePointer<Double>, _ image: UnsafePointer<Double>
  ) -> ProfileDirection {
    let columns = plan.kx.count
    let count = squares.count
    let rows = rowPhases.pointer
    let f = transform.pointer
    let flux = geometry.flux
    var out = ProfileDirection()
    var moments = QuadraticForm(xx: 0, xy: 0, yy: 0)
    forEachRow { at, row, psfRe, psfIm in
      var sums = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
      withUnsafeMutableBytes(of: &sums) { sums in
        sersic_reduce_row(
          columns, spectrum + 2 * at, f + at, f + count + at, f + 2 * count + at, plan.kx,
          plan.weights, rows[row], rows[plan.ky.count + row], columnPhases.pointer,
          columnPhases.pointer + columns, psfRe, psfIm,
          sums.assumingMemoryBound(to: Double.self).baseAddress)
      }
      let ky = plan.ky[row]
      out.flux += sums.0
      out.xc += flux * sums.2
      out.yc += flux * ky * sums.1
      moments.yy += ky * ky * sums.3
      moments.xy += ky * sums.4
      moments.xx += sums.5
      out.shape[0] += flux * sums.6
    }
    guard kind.isExtended else { return out }
    let slopes = geometry.frequencyFormSlopes
    func contract(_ form: QuadraticForm) -> Double {
      flux * (form.xx * moments.xx + 2 * form.xy * moments.xy + form.yy * moments.yy)
    }
    out.rEff = contract(slopes.rEff)
    out.ellip = contract(slopes.ellip)
    out.theta = contract(slopes.theta)
    addPixelsAdjoint(image, to: &out)
    return out
  }

  // MARK: - Pixels

  /// One wide Gaussian with the PSF's width added: amplitude and its change by n, variances along the axes, width squared.
  private struct WideGaussian {
    let amplitude, change, major, minor, square: Double
  }

  /// The wide Gaussians.
  private var wide: [WideGaussian] {
    guard isSeries else { return [] }
    let spread = plan.psfWidth * plan.psfWidth
    return (GaussianSeries.count - GaussianSeries.pixelCount..<GaussianSeries.count).map { j in
      let width = geometry.rEff * GaussianSeries.shared.widths[j]
      return WideGaussian(
        amplitude: amplitudes.pointer[j], change: changes.pointer[j],
        major: width * width + spread, minor: geometry.q * geometry.q * width * width + spread,
        square: width * width)
    }
  }

  /// Calls `body` for every pixel: its index, and its offsets along the major and the minor axis.
  private func forEachPixel(_ body: (Int, Double, Double) -> Void) {
    for y in 0..<plan.height {
      let dy = Double(y) - geometry.yc
      for x in 0..<plan.width {
        let dx = Double(x) - geometry.xc
        body(
          y * plan.width + x, -dx * geometry.sinTheta + dy * geometry.cosTheta,
          -dx * geometry.cosTheta - dy * geometry.sinTheta)
      }
    }
  }

  /// Adds the wide Gaussians, sampled at pixel centres, to an image.
  func addPixels(to image: UnsafeMutablePointer<Double>) {
    for g in wide {
      let unit = geometry.flux * g.amplitude / (2 * .pi * (g.major * g.minor).squareRoot())
      forEachPixel { i, u, v in
        image[i] += unit * exp(-0.5 * (u * u / g.major + v * v / g.minor))
      }
    }
  }

  /// The derivatives of one wide Gaussian's logarithm in a pixel.
  private func logSlopes(_ g: WideGaussian, _ u: Double, _ v: Double) -> ProfileDirection {
    var d = ProfileDirection()
    let (s, c) = (geometry.sinTheta, geometry.cosTheta)
    let (a, b) = (u / g.major, v / g.minor)
    // u falls by −sin θ dx + cos θ dy as the centre moves, v by −cos θ dx − sin θ dy; θ turns u into v and v into −u.
    d.xc = -a * s - b * c
    d.yc = a * c - b * s
    let byMajor = 0.5 * (a * a - 1 / g.major)
    let byMinor = 0.5 * (b * b - 1 / g.minor)
    let growth = 2 * g.square / geometry.rEff
    d.rEff = growth * (byMajor + geometry.q * geometry.q * byMinor)
    d.ellip = -2 * geometry.q * g.square * byMinor
    d.theta = -a * v + b * u
    return d
  }

  /// Adds the change of the wide Gaussians along a direction to an image.
  func addPixelsTangent(_ d: ProfileDirection, to image: UnsafeMutablePointer<Double>) {
    for g in wide {
      let unit = 1 / (2 * .pi * (g.major * g.minor).squareRoot())
      let flux = geometry.flux
      let byAmplitude =
        g.amplitude * d.flux + (kind.shapeCount > 0 ? flux * g.change * d.shape[0] : 0)
      forEachPixel { i, u, v in
        let slopes = logSlopes(g, u, v)
        let byPlace = slopes.xc * d.xc + slopes.yc * d.yc
        let byShape = slopes.rEff * d.rEff + slopes.ellip * d.ellip + slopes.theta * d.theta
        image[i] +=
          unit * exp(-0.5 * (u * u / g.major + v * v / g.minor))
          * (byAmplitude + flux * g.amplitude * (byPlace + byShape))
      }
    }
  }

  /// Adds the wide Gaussians' part of the adjoint.
  private func addPixelsAdjoint(_ image: UnsafePointer<Double>, to out: inout ProfileDirection) {
    for g in wide {
      let unit = 1 / (2 * .pi * (g.major * g.minor).squareRoot())
      let flux = geometry.flux
      var sum = ProfileDirection()
      forEachPixel { i, u, v in
        let slopes = logSlopes(g, u, v)
        let value = image[i] * unit * exp(-0.5 * (u * u / g.major + v * v / g.minor))
        sum.flux += value
        sum.xc += value * slopes.xc
        sum.yc += value * slopes.yc
        sum.rEff += value * slopes.rEff
        sum.ellip += value * slopes.ellip
        sum.theta += value * slopes.theta
      }
      let light = flux * g.amplitude
      out.flux += g.amplitude * sum.flux
      out.shape[0] += flux * g.change * sum.flux
      out.xc += light * sum.xc
      out.yc += light * sum.yc
      out.rEff += light * sum.rEff
      out.ellip += light * sum.ellip
      out.theta += light * sum.theta
    }
  }
}
