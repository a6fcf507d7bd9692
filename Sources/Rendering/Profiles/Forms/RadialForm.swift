// SPDX-License-Identifier: MIT
//
// What renderers ask of the radial form of a component: transform, density, and enclosed light, with derivatives.

import CKernels
import Numerics

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The radial form of one component at its present shape, in the views that renderers take of it.
///
/// z is the elliptical radius over r_eff, u = z²; ρ(u) is the density of unit flux where the profile is round: ∫ ρ d²z = 1.
/// F(s) is its transform at s = κ², κ = r_eff |k|. Derivatives by the k-th parameter of the shape are at fixed u or s.
package protocol RadialForm: AnyObject {
  /// The number of parameters of the shape.
  var shapeCount: Int { get }

  /// Takes the parameters of the shape; returns whether there is such a profile.
  func update(_ shape: UnsafePointer<Double>) -> Bool

  /// Sets groups of four (F, dF/ds, dF/dp, d²F/ds dp), p the k-th parameter, at `count` values s ≥ 0.
  func transform(
    at s: UnsafePointer<Double>, count: Int, shape k: Int, into out: UnsafeMutablePointer<Double>)

  /// Sets groups of four (ρ, dρ/du, dρ/dp, d²ρ/du dp), p the k-th parameter, at `count` values u > 0.
  func density(
    at u: UnsafePointer<Double>, count: Int, shape k: Int, into out: UnsafeMutablePointer<Double>)

  /// Returns ln ρ and its derivative by u at u > 0.
  func logDensity(_ u: Double) -> (value: Double, slope: Double)

  /// Returns the share of the light outside z > 0, and its derivative by ln z.
  func outside(_ z: Double) -> (share: Double, byLogZ: Double)

  /// Returns the derivative of the share of the light outside z > 0 by the k-th parameter.
  func outsideSlope(_ z: Double, shape k: Int) -> Double

  /// Sets the intervals of a transform slice that hold κ = 0 and the s of a range; the rest is left alone.
  func fillTransform(
    _ slice: UnsafeMutablePointer<Double>, shape k: Int, range: ClosedRange<Double>,
    scratch: RadialScratch)

  /// Fills a slice of the density over `densityScale` for u in a range.
  func fillDensity(
    _ slice: SpaceSlice, shape k: Int, range: ClosedRange<Double>, scratch: RadialScratch)

  /// The density in units of that in the slices.
  var densityScale: Double { get }

  /// The derivative of ln `densityScale` by the only parameter of the shape.
  var logDensityScaleSlope: Double { get }

  /// Returns the table of enclosed light for the pixel renderer, whose F′ is by the k-th parameter.
  ///
  /// - Parameters:
  ///   - k: The parameter of the shape; 0 where there is none.
  ///   - largestV: The largest u that will be asked for.
  /// - Returns: The table.
  func fluxTable(shape k: Int, largestV: Double) -> RadialFluxTable

  /// How sharply the density falls: 1 as an exponential or slower, 1/2 as a Gaussian; sets the nodes of integrals.
  var sharpness: Double { get }
}

extension RadialForm {
  package func fillTransform(
    _ slice: UnsafeMutablePointer<Double>, shape k: Int, range: ClosedRange<Double>,
    scratch: RadialScratch
  ) {
    let first = SersicTable.interval(range.lowerBound)
    let last = SersicTable.interval(range.upperBound)
    var start = 0
    var end = 1
    // The interval of κ = 0, then those of the range.
    for _ in 0..<2 {
      let knots = end - start + 1
      for i in 0..<knots { scratch.places[i] = SersicTable.place(start + i) - SersicTable.offset }
      transform(at: scratch.places, count: knots, shape: k, into: scratch.knots)
      for i in 0..<knots - 1 {
        RadialScratch.cubic(
          scratch.knots + 4 * i, scratch.places[i + 1] - scratch.places[i],
          slice + 8 * (start + i))
      }
      start = max(first, 1)
      end = max(last, start) + 1
    }
  }

  package func fillDensity(
    _ slice: SpaceSlice, shape k: Int, range: ClosedRange<Double>, scratch: RadialScratch
  ) {
    slice.fill(self, shape: k, range: range, scratch: scratch)
  }

  package var densityScale: Double { 1 }

  package var logDensityScaleSlope: Double { 0 }

  package var sharpness: Double { 0.5 }

  package func fluxTable(shape k: Int, largestV: Double) -> RadialFluxTable {
    RadialFluxTable(self, shape: k, largestV: largestV)
  }
}

/// Memory for the knots of slices.
package final class RadialScratch {
  /// The knots' arguments.
  private let arguments = FFTBuffer(count: SersicTable.intervalCount + 1)

  /// Groups of four at the knots.
  private let groups = FFTBuffer(count: 4 * (SersicTable.intervalCount + 1))

  /// The knots' arguments.
  var places: UnsafeMutablePointer<Double> { arguments.pointer }

  /// Groups of four at the knots.
  var knots: UnsafeMutablePointer<Double> { groups.pointer }

  /// Sets the coefficients of two cubics on [0, 1] from the groups of four at both ends of an interval.
  @inline(__always)
  static func cubic(
    _ knots: UnsafePointer<Double>, _ width: Double, _ out: UnsafeMutablePointer<Double>
  ) {
    for j in 0..<2 {
      let (f0, f1) = (knots[2 * j], knots[4 + 2 * j])
      let (m0, m1) = (width * knots[2 * j + 1], width * knots[5 + 2 * j])
      out[4 * j] = f0
      out[4 * j + 1] = m0
      out[4 * j + 2] = 3 * (f1 - f0) - 2 * m0 - m1
      out[4 * j + 3] = m0 + m1 - 2 * (f1 - f0)
    }
  }
}

extension ProfileKind {
  /// Returns a new form of this kind; nil for a point source.
  ///
  /// - Parameter indices: The Sérsic indices that are allowed.
  /// - Returns: The form.
  package func makeForm(indices: ClosedRange<Double>) -> (any RadialForm)? {
    switch self {
    case .sersic, .exponential, .deVaucouleurs, .gaussian:
      SersicForm(fixed: fixedIndex, indices: indices)
    case .spergel: SpergelForm()
    case .moffat: MoffatForm()
    case .radial(let profile): TabulatedForm(profile)
    case .pointSource: nil
    }
  }
}
