// SPDX-License-Identifier: MIT
//
// The enclosed flux of a profile and its derivative in one parameter, tabulated for the line integrals of the pixel renderer.

import CKernels

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The enclosed flux F, its derivative dF/dp at fixed radius, and the density g, as polynomials in panels of v = z².
///
/// z is the elliptical radius in units of r_eff, and the flux to infinity is 1: dF/dv = π g. For Sérsic profiles p = n,
/// ln g = 2n ln b − ln Γ(2n) − ln n − ln 2π − b v^(1/2n), and F is the incomplete gamma function P(2n, b z^(1/n)).
///
/// A panel is one eighth of an octave of v, found from the leading bits of v without a logarithm. The functions are analytic
/// in v but at 0, which is 17 half-panels away: ten Chebyshev nodes leave 34^(−10) = 5e-16.
package struct RadialFluxTable: Sendable {
  /// The polynomials of all panels: groups of four values (F, dF/dp, g, dg/dp) for each power.
  private let coefficients: [Double]

  /// The leading bits of the first panel.
  private let first: Int

  /// The number of panels.
  private let panels: Int

  /// Below the first panel ln g = peak − b v^power.
  private let peak, b, power: Double

  /// The flux below the first panel, and its derivative.
  private let core: (flux: Double, slope: Double)

  /// −ln of the flux that is left out below the first panel and above the last.
  private static let omitted = 50.0

  /// The number of samples in a panel.
  private static let nodes = 10

  /// The bits of a Double below those that count panels: all but three of its mantissa's 52.
  private static let placeBits: UInt64 = 49

  /// The number of values a panel takes.
  private static let panelSize = 4 * Int(SERSIC_RADIAL_TERMS)

  /// Chebyshev's nodes in [−1, 1], and the matrix from samples there to coefficients of powers, row by row of the power.
  private static let interpolation = interpolation(count: nodes)

  /// Tabulates a Sérsic profile up to a given v, or to where all flux is enclosed if that is less.
  init(_ constant: HalfLightConstant, largestV: Double) {
    let n = constant.n
    let a = 2 * n
    let logB = log(constant.b)
    let peak = a * logB - constant.logGamma - log(n) - log(2 * Double.pi)
    // F ≈ x^2n / Γ(2n + 1) at the lower end; 1 − F ≈ x^(2n − 1) e^(−x) / Γ(2n) at the upper, found by iteration.
    let logLowest = (constant.logGamma + log(a) - RadialFluxTable.omitted) / a
    let lowestV = max(exp(a * (logLowest - logB)), 1e-290)
    var highest = a + RadialFluxTable.omitted
    for _ in 0..<40 { highest = a * log(highest) - constant.logGamma + RadialFluxTable.omitted }
    let highestV = max(min(exp(a * (log(highest) - logB)), largestV, 1e290), 2 * lowestV)
    self.init(
      range: lowestV...highestV, below: (peak, constant.b, 0.5 / n), core: (0, 0)
    ) { v, density, change in
      for i in 0..<RadialFluxTable.nodes {
        let logZ = 0.5 * log(v[i])
        let logX = logB + logZ / n
        let x = exp(logX)
        density[i] = exp(peak - x)
        // d ln g/dn at fixed z, with ln x = ln b + ln z / n.
        change[i] =
          density[i]
          * (2 * logX - 1 / n - 2 * constant.digamma
            + (a - x) * (constant.slope / constant.b - logZ / (n * n)))
      }
    }
  }

  /// Tabulates a form, its derivative by the k-th parameter of the shape, up to a given v, or to where all flux is enclosed.
  ///
  /// Below 2^−106, where z is far smaller than any distance of an edge from the centre, the flux is taken as that of a point.
  init(_ form: some RadialForm, shape k: Int, largestV: Double) {
    var lowestV = 1.0
    let least = -RadialFluxTable.omitted
    while lowestV > 0x1p-106, form.logDensity(lowestV).value + log(.pi * lowestV) > least {
      lowestV /= 16
    }
    let wanted = max(largestV, 2 * lowestV)
    var highestV = max(1, 2 * lowestV)
    while highestV < min(wanted, 1e290), form.outside(highestV.squareRoot()).share > exp(least) {
      highestV *= 4
    }
    highestV = max(min(highestV, wanted.nextUp), 2 * lowestV)
    // The centre of the first panel's first interval: where the sum of panels begins.
    let start = Double(
      bitPattern: (lowestV.bitPattern >> RadialFluxTable.placeBits) << RadialFluxTable.placeBits)
    let z = start.squareRoot()
    let shapes = form.shapeCount
    self.init(
      range: start...highestV, below: (form.logDensity(start).value, 0, 1),
      core: (1 - form.outside(z).share, shapes > 0 ? -form.outsideSlope(z, shape: k) : 0)
    ) { v, density, change in
      withUnsafeTemporaryAllocation(of: Double.self, capacity: 4 * RadialFluxTable.nodes) {
        groups in
        guard let groups = groups.baseAddress else { return }
        form.density(at: v, count: RadialFluxTable.nodes, shape: k, into: groups)
        for i in 0..<RadialFluxTable.nodes {
          density[i] = groups[4 * i]
          change[i] = groups[4 * i + 2]
        }
      }
    }
  }

  /// Tabulates a density, given by its values and their derivatives at the nodes of a panel.
  private init(
    range: ClosedRange<Double>, below: (peak: Double, b: Double, power: Double),
    core: (flux: Double, slope: Double),
    _ evaluate: (
      UnsafePointer<Double>, UnsafeMutablePointer<Double>, UnsafeMutablePointer<Double>
    ) -> Void
  ) {
    (peak, b, power) = below
    self.core = core
    let firstPanel = range.lowerBound.bitPattern >> RadialFluxTable.placeBits
    let lastPanel = range.upperBound.bitPattern >> RadialFluxTable.placeBits
    first = Int(firstPanel)
    panels = Int(lastPanel - firstPanel) + 1

    let count = RadialFluxTable.nodes
    let (nodes, matrix) = RadialFluxTable.interpolation
    var coefficients = [Double](repeating: 0, count: panels * RadialFluxTable.panelSize)
    var places = [Double](repeating: 0, count: count)
    var density = [Double](repeating: 0, count: count)
    var change = [Double](repeating: 0, count: count)
    var flux = core.flux
    var slope = core.slope
    for panel in 0..<panels {
      let start = Double(bitPattern: (firstPanel + UInt64(panel)) << RadialFluxTable.placeBits)
      let end = Double(bitPattern: (firstPanel + UInt64(panel) + 1) << RadialFluxTable.placeBits)
      let half = (end - start) / 2
      for i in 0..<count { places[i] = start + half * (1 + nodes[i]) }
      evaluate(places, &density, &change)
      let base = panel * RadialFluxTable.panelSize
      let scale = Double.pi * half
      var fluxAtStart = 0.0
      var slopeAtStart = 0.0
      var fluxAtEnd = 0.0
      var slopeAtEnd = 0.0
      for power in 0..<count {
        var g = 0.0
        var dg = 0.0
        for i in 0..<count {
          g += matrix[power * count + i] * density[i]
          dg += matrix[power * count + i] * change[i]
        }
        let integrated = base + 4 * (power + 1)
        coefficients[base + 4 * power + 2] = g
        coefficients[base + 4 * power + 3] = dg
        coefficients[integrated] = scale * g / Double(power + 1)
        coefficients[integrated + 1] = scale * dg / Double(power + 1)
        let sign = power % 2 == 0 ? -1.0 : 1.0
        fluxAtStart += sign * coefficients[integrated]
        slopeAtStart += sign * coefficients[integrated + 1]
        fluxAtEnd += coefficients[integrated]
        slopeAtEnd += coefficients[integrated + 1]
      }
      coefficients[base] = flux - fluxAtStart
      coefficients[base + 1] = slope - slopeAtStart
      flux += fluxAtEnd - fluxAtStart
      slope += slopeAtEnd - slopeAtStart
    }
    self.coefficients = coefficients
  }

  /// Calls `body` with the table as the kernels take it.
  func withKernelTable<Result>(_ body: (UnsafePointer<sersic_radial_table>) -> Result) -> Result {
    coefficients.withUnsafeBufferPointer { buffer in
      var table = sersic_radial_table(
        coefficients: buffer.baseAddress, panels: panels, first: first, peak: peak, b: b,
        power: power, core: core.flux, core_slope: core.slope)
      return withUnsafePointer(to: &table, body)
    }
  }

  /// Returns Chebyshev's nodes and the matrix from samples to powers, by way of Chebyshev coefficients.
  static func interpolation(count: Int) -> (nodes: [Double], matrix: [Double]) {
    let angles = (0..<count).map { Double.pi * (Double($0) + 0.5) / Double(count) }
    var matrix = [Double](repeating: 0, count: count * count)
    // The powers of T_k by the recurrence T_k+1 = 2 x T_k − T_k−1.
    var previous = [Double](repeating: 0, count: count)
    var current = [Double](repeating: 0, count: count)
    current[0] = 1
    for k in 0..<count {
      for (i, angle) in angles.enumerated() {
        let coefficient = (k == 0 ? 1.0 : 2.0) / Double(count) * cos(Double(k) * angle)
        for power in 0...k { matrix[power * count + i] += coefficient * current[power] }
      }
      var next = [Double](repeating: 0, count: count)
      for power in 0..<count {
        let raised = power > 0 ? current[power - 1] : 0
        next[power] = (k == 0 ? 1 : 2) * raised - previous[power]
      }
      previous = current
      current = next
    }
    return (angles.map { cos($0) }, matrix)
  }
}
