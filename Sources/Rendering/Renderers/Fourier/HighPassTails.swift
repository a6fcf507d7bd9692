// SPDX-License-Identifier: MIT
//
// How far the high frequencies of round profiles reach: their inverse Hankel transforms at the edges of stamps.

import CKernels
import Numerics

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The sums that give the high-passed image of a round profile at the edges of stamps from its transform.
///
/// f(R) = 1/2π ∫ F(k) P(k) (1 − W(k)) J0(k R) k dk by the midpoint rule, P a Gaussian with the PSF's variance that is led to
/// zero within the band, since ringing is not asked for. With `count` points the sums also hold f at 2π/step − R, which is far
/// outside. Without window and at R = 0 the integral is the peak.
struct HighPassTails: Sendable {
  /// The number of frequencies.
  private static let count = 64

  /// The number of doubles that `reach` needs.
  static let scratchCount = 3 * count

  /// The distances from the edge at which the image is taken, in shares of a wavelength in the window's middle.
  private static let phases = [0.0, 0.25, 0.5]

  /// The frequencies, in radians per pixel.
  private let frequencies: [Double]

  /// The weights of the transform in the peak, [count].
  private let peakWeights: [Double]

  /// The weights of the transform in images, [sides, phases, count].
  private let weights: [Double]

  /// The number of sides.
  private let sideCount: Int

  /// Computes the weights.
  ///
  /// - Parameters:
  ///   - sides: The stamps' sides, in pixels.
  ///   - window: The low-pass window.
  ///   - spread: The PSF's variance along an axis, in squared pixels.
  init(sides: [Int], _ window: TaperedWindow, spread: Double) {
    let step = 3 * window.end / Double(Self.count)
    let k = (0..<Self.count).map { step * (Double($0) + 0.5) }
    let length = 4 * Double.pi / (window.start + window.end)
    frequencies = k
    sideCount = sides.count
    let band = TaperedWindow(from: window.end, to: 3 * window.end)
    peakWeights = k.map { (k: Double) -> Double in
      step / (2 * .pi) * k * band(k) * exp(-0.5 * spread * k * k)
    }
    let shares = zip(k, peakWeights).map { (1 - window($0)) * $1 }
    var weights: [Double] = []
    for side in sides {
      for phase in Self.phases {
        let distance = Double(side) / 2 + phase * length
        for (k, share) in zip(k, shares) { weights.append(share * j0(k * distance)) }
      }
    }
    self.weights = weights
  }

  /// Returns the peak of a round profile of unit flux, and the first side beyond which its image stays below a share of a peak.
  ///
  /// The side is given by its place; it is the number of sides if there is none.
  ///
  /// - Parameters:
  ///   - radius: The half-light radius, in pixels.
  ///   - slice: The transform of the profile in units of its radius.
  ///   - share: The share of the peak.
  ///   - peak: The peak that counts; nil: the profile's own.
  ///   - f: Memory for `scratchCount` numbers.
  /// - Returns: The peak, per pixel, and the place.
  func reach(
    radius: Double, _ slice: inout sersic_slice, share: Double, ofPeak peak: Double? = nil,
    scratch f: UnsafeMutablePointer<Double>
  ) -> (peak: Double, side: Int) {
    let count = Self.count
    sersic_lookup_row(
      &slice, count, frequencies, 0, radius, 0, 0, SersicTable.offset, f, f + count, f + 2 * count)
    let peak = peak ?? sersic_dot(count, peakWeights, f)
    let side = weights.withUnsafeBufferPointer { weights in
      guard let weights = weights.baseAddress else { return sideCount }
      return (0..<sideCount).first { side in
        Self.phases.indices.allSatisfy { phase in
          let at = (side * Self.phases.count + phase) * count
          return abs(sersic_dot(count, weights + at, f)) < share * peak
        }
      } ?? sideCount
    }
    return (peak, side)
  }
}
