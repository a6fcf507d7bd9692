// SPDX-License-Identifier: MIT
//
// The radial form of Sérsic profiles: its transform from the table of this process, all else in closed form.

import CKernels
import Numerics

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A Sérsic profile: ρ ∝ exp(−b u^(1/2n)), n free or fixed.
package final class SersicForm: RadialForm {
  package let shapeCount: Int

  /// The indices that are allowed.
  private let indices: ClosedRange<Double>

  /// The constants of the profile.
  private var constant: HalfLightConstant

  /// The constants of profiles with n a little larger and smaller; nil until they are needed.
  private var neighbours: (above: HalfLightConstant, below: HalfLightConstant)?

  /// The relative step of n to the neighbours.
  private static let step = 1e-4

  /// Creates a form with a fixed index, or a free one.
  init(fixed: Double?, indices: ClosedRange<Double>) {
    shapeCount = fixed == nil ? 1 : 0
    self.indices = indices
    constant = HalfLightConstant(n: fixed ?? 1)
  }

  package func update(_ shape: UnsafePointer<Double>) -> Bool {
    guard shapeCount == 1 else { return true }
    guard indices.contains(shape[0]) else { return false }
    if constant.n != shape[0] {
      constant = HalfLightConstant(n: shape[0])
      neighbours = nil
    }
    return true
  }

  package func transform(
    at s: UnsafePointer<Double>, count: Int, shape k: Int, into out: UnsafeMutablePointer<Double>
  ) {
    let transform = SersicTransform(n: constant.n)
    for i in 0..<count {
      let values = transform.values(at: s[i])
      out[4 * i] = values.value
      out[4 * i + 1] = values.slope
      out[4 * i + 2] = values.byIndex
      out[4 * i + 3] = values.slopeByIndex
    }
  }

  package func density(
    at u: UnsafePointer<Double>, count: Int, shape k: Int, into out: UnsafeMutablePointer<Double>
  ) {
    let scale = densityScale
    let p = 0.5 / constant.n
    for i in 0..<count {
      let logU = log(u[i])
      let x = constant.b * exp(p * logU)
      let value = scale * exp(-x)
      // d ln x/dn.
      let byN = constant.slope / constant.b - p / constant.n * logU
      let slope = -value * x * p / u[i]
      out[4 * i] = value
      out[4 * i + 1] = slope
      out[4 * i + 2] = value * (logDensityScaleSlope - x * byN)
      out[4 * i + 3] =
        slope * (logDensityScaleSlope + byN * (1 - x) - 1 / constant.n)
    }
  }

  package func logDensity(_ u: Double) -> (value: Double, slope: Double) {
    let x = constant.b * pow(u, 0.5 / constant.n)
    return (log(densityScale) - x, -0.5 * x / (constant.n * u))
  }

  package func outside(_ z: Double) -> (share: Double, byLogZ: Double) {
    let n = constant.n
    let x = constant.b * pow(z, 1 / n)
    return (regularizedGammaQ(2 * n, x), -gammaDensityLog(2 * n, x) / n)
  }

  package func outsideSlope(_ z: Double, shape k: Int) -> Double {
    let step = Self.step * constant.n
    let (above, below) =
      neighbours
      ?? (HalfLightConstant(n: constant.n + step), HalfLightConstant(n: constant.n - step))
    neighbours = (above, below)
    let upper = regularizedGammaQ(2 * above.n, above.b * pow(z, 1 / above.n))
    let lower = regularizedGammaQ(2 * below.n, below.b * pow(z, 1 / below.n))
    return (upper - lower) / (2 * step)
  }

  package func fillTransform(
    _ slice: UnsafeMutablePointer<Double>, shape k: Int, range: ClosedRange<Double>,
    scratch: RadialScratch
  ) {
    SersicTable.shared.makeSlice(n: constant.n, range: range, into: slice)
  }

  package func fillDensity(
    _ slice: SpaceSlice, shape k: Int, range: ClosedRange<Double>, scratch: RadialScratch
  ) {
    slice.fill(constant, range: range)
  }

  package var densityScale: Double {
    let n = constant.n
    return exp(2 * n * log(constant.b) - constant.logGamma) / (2 * .pi * n)
  }

  package var logDensityScaleSlope: Double {
    let n = constant.n
    return 2 * log(constant.b) + 2 * n * constant.slope / constant.b - 1 / n - 2 * constant.digamma
  }

  package func fluxTable(shape k: Int, largestV: Double) -> RadialFluxTable {
    RadialFluxTable(constant, largestV: largestV)
  }

  package var sharpness: Double { min(1, constant.n) }
}
