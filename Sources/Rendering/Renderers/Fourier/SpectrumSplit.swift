// SPDX-License-Identifier: MIT
//
// Sources of large frames in two parts: low frequencies on the frame's grid, high ones on a stamp around the source.

import CKernels
import Numerics
import Synchronization

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// How the spectra of a large frame's sources are cut in two, and which stamp a source needs.
///
/// The image of a source is the sum of two. One has the spectrum F(k) PSF(k) W(k) with a window W that is 1 below
/// `start` and 0 above `end`: it has the far wings, and is drawn on the frame's periodic grid, of which it takes the low
/// frequencies only. The other has F(k) PSF(k) (1 − W(k)): it ends a window's width and half a PSF from where the profile is not
/// smooth, which is its centre, and is drawn on a small periodic grid, a stamp around the source, and added to the frame. The
/// ringing of sharp PSFs is followed beyond the stamp.
///
/// What this misses is what the second part has outside its stamp. The stamp's side is chosen to keep it below 5e-6 of the
/// source's peak, from the PSF once (a star is drawn both ways) and from the source at each evaluation. Measured against all
/// frequencies it was 6e-6 at most, and 1e-6 for sources of a few pixels: n 0.3 to 10, r_eff 0.3 to 40, in, at and outside the frame,
/// with sharp, wide, lopsided and oversampled PSFs. The image jumps by as much where a source passes from pixel to pixel or from
/// side to side. Sources without such a stamp (thin and long ones, and profiles of one's own, of which it is not known where
/// they are smooth) are drawn on all frequencies of the frame, as are all sources where no stamp holds the PSF.
///
/// ### Source
///
/// The window is the integral of Kaiser & Schafer 1980's, whose transform ends fastest for its length; the second part's
/// decay follows from the nearest complex singularity of a profile in elliptical radius, as in Trefethen 2013, chapter 8.
final class SpectrumSplit: Sendable {
  /// The least number of pixels of a periodic grid whose sources are split: frames of some 250 × 250.
  private static let leastPixels = 100_000

  /// The largest share of the peak that the second part may have outside its stamp.
  private static let tolerance = 5e-6

  /// The limits of the window for stamps of `sides`, in radians per pixel.
  private static let limits = (start: 0.15, end: 1.05)

  /// The sides of stamps for these limits, in pixels.
  private static let sides = [64, 80, 96, 128, 160, 192, 256]

  /// The factors by which stamps can be larger, and the window's limits lower, in larger frames.
  private static let units = [1, 1.5, 2, 3, 4]

  /// The share of a source's peak below which a bound of its stamp's ringing has to lie for it to be left out.
  ///
  /// The bound has all frequencies of an edge in phase and the transform at its largest: what is left out is several times less.
  static let negligibleRinging = 1e-6

  /// The share of all frequencies above which splitting does not pay.
  private static let largestShare = 0.6

  /// The point-spread function.
  private let psf: PointSpreadFunction

  /// The PSF's variance along an axis, in squared pixels.
  private let spread: Double

  /// The effort of planning the stamps' transforms.
  private let planning: FFTPlanning

  /// The window.
  private let window: TaperedWindow

  /// Frequencies with the share that the second part takes of what a profile has around them.
  private let probes: [(frequency: Double, share: Double)]

  /// The second parts of round profiles at the edges of stamps of `sides`.
  private let tails: HighPassTails

  /// The sides of stamps that the PSF allows and that pay, in pixels, even.
  let sides: [Int]

  /// The grids of stamps, by their side's place in `sides`.
  private let stamps: Mutex<[FourierGrid?]>

  /// The low frequencies of the frame's grids, by level.
  private let lows: Mutex<[FourierGrid?]>

  /// Chooses the window and the stamps; nil where the frame is too small or no stamp holds the PSF's second part.
  ///
  /// - Parameters:
  ///   - grid: The frame's smallest grid.
  ///   - psf: The point-spread function.
  ///   - moments: Its moments.
  ///   - planning: The effort of planning the stamps' transforms.
  init?(
    _ grid: FourierGrid, psf: PointSpreadFunction, moments: PointSpreadMoments,
    planning: FFTPlanning
  ) {
    let pixels = grid.columns * grid.rows
    guard pixels >= Self.leastPixels else { return nil }
    self.psf = psf
    self.planning = planning
    spread = PeriodicCopies.spread(moments)
    /// Returns the number of frequencies of a source: of the window's, and of a stamp for each way of a transform.
    func cost(_ unit: Double, side: Int) -> Double {
      let share = Self.limits.end / unit / (2 * .pi)
      let bands = Double(psf.oversampling)
      return .pi * share * share * Double(pixels) / 2
        + bands * bands * Double(side * side) / 2 + Double(side * side) / 2
    }
    var best = Self.units[0]
    for unit in Self.units
    where cost(unit, side: Int(80 * unit)) < cost(best, side: Int(80 * best)) {
      best = unit
    }
    let window = TaperedWindow(from: Self.limits.start / best, to: Self.limits.end / best)
    self.window = window
    probes = (0..<8).map {
      let k = window.start + (window.end - window.start) * (Double($0) + 0.5) / 8
      return (k, 1 - window(k))
    }
    let offered = Self.sides.map { Int(Double($0) * best) }
      .filter { cost(best, side: $0) < Self.largestShare * Double(grid.frequencyCount) }
    let peak = PeriodicCopies.peak(squaredRadius: 0, spread: spread)
    let least = offered.firstIndex { Self.error($0, psf, window) < Self.tolerance * peak }
    guard let least else { return nil }
    sides = Array(offered[least...])
    tails = HighPassTails(sides: sides, window, spread: spread)
    stamps = Mutex([FourierGrid?](repeating: nil, count: sides.count))
    lows = Mutex([FourierGrid?](repeating: nil, count: RendererPlan.levels))
  }

  /// Returns the largest error of the second part of a star by a stamp, on a frame of twice its side.
  ///
  /// The star lies on a pixel and in the middle between four, where a sharp PSF rings most.
  private static func error(
    _ side: Int, _ psf: PointSpreadFunction, _ window: TaperedWindow
  ) -> Double {
    let frame = 2 * side
    // Without ringing, what lies beyond the frame is wrapped, and counts all the same.
    let grids = [frame, side].map {
      FourierGrid(columns: $0, rows: $0, psf: psf, planning: .estimate) { 1 - window($0) }
    }
    let pixel = 1 / Double(psf.oversampling)
    let canvas = PeriodicCanvas()
    for grid in grids { canvas.reserve(grid) }
    let ringing = EdgeRinging(width: frame, height: frame)
    let star = ComponentSpectrum(kind: .pointSource, slopes: 1, psf: psf)
    return [0, 0.5].reduce(0.0) { largest, shift in
      /// Returns the pixel in the middle, plus the PSF's fraction of a pixel and the shift.
      func place(_ center: Double) -> Double {
        Double(side) + center * pixel - (center * pixel).rounded(.down) + shift
      }
      let geometry = ProfileGeometry(
        ProfileShape(
          xc: place(psf.centerX), yc: place(psf.centerY), flux: 1, rEff: 1, ellip: 0, theta: 0))
      let images = grids.map { grid -> [Double] in
        var image = [Double](repeating: 0, count: frame * frame)
        let place =
          grid.columns == frame
          ? EdgeRinging.Place(width: frame, height: frame)
          : EdgeRinging.Place(around: geometry, grid, width: frame, height: frame)
        image.withUnsafeMutableBufferPointer { image in
          guard let image = image.baseAddress else { return }
          star.prepare(grid, geometry, origin: place.origin, slices: [])
          star.write(grid, to: canvas.spectrum.pointer, adds: false)
          canvas.add(grid, place, to: image, width: frame)
          star.subtract(ringing, grid, place, from: image)
        }
        return image
      }
      return zip(images[0], images[1]).reduce(largest) { max($0, abs($1.0 - $1.1)) }
    }
  }

  /// Returns the place in `sides` of the stamp that a source needs; nil where it is to be drawn on all frequencies.
  ///
  /// - Parameters:
  ///   - geometry: The source.
  ///   - kind: The sort of profile.
  ///   - form: The radial form; nil for a point source.
  ///   - slice: The form's transform.
  ///   - memory: Scratch memory.
  /// - Returns: The place.
  func stamp(
    for geometry: ProfileGeometry, _ kind: ProfileKind, _ form: (any RadialForm)?,
    _ slice: sersic_slice?, _ memory: RadialScratch
  ) -> Int? {
    guard let form, var slice else { return 0 }
    if case .radial = kind { return nil }
    let q = abs(geometry.q)
    let squaredRadius = q * geometry.rEff * geometry.rEff
    let scratch = memory.knots
    let mean = tails.reach(
      radius: squaredRadius.squareRoot(), &slice, share: Self.tolerance, scratch: scratch)
    let peak = mean.peak
    // A long profile is as smooth along its axes as round ones of their sizes.
    let narrow = tails.reach(
      radius: geometry.rEff * min(q, 1), &slice, share: Self.tolerance, ofPeak: peak,
      scratch: scratch)
    let wide = tails.reach(
      radius: geometry.rEff * max(q, 1), &slice, share: Self.tolerance, ofPeak: peak,
      scratch: scratch)
    let least = max(mean.side, narrow.side, wide.side)
    return sides.indices.dropFirst(least).first {
      ridge(geometry, form, side: sides[$0], logPeak: log(peak * squaredRadius)) < Self.tolerance
    }
  }

  /// Returns the share of the peak that the second part of a profile may have where its major axis meets a stamp's edge.
  ///
  /// At the elliptical radius z the part of a profile ρ at the frequency k is at most ρ at the complex radius z + i y times
  /// exp(−k q r y), for all y up to z, where ρ may be singular. With L = ln ρ, ρ(z + i y) is some exp(L + c y²/2), c = −L″
  /// along the radius and −L′/z across it.
  private func ridge(
    _ geometry: ProfileGeometry, _ form: any RadialForm, side: Int, logPeak: Double
  ) -> Double {
    let ellipse = geometry.frequencyForm
    // The least z on the stamp's edge, for a centre half a pixel from the stamp's.
    let z = (Double(side) / 2 - 1) / max(ellipse.xx, ellipse.yy).squareRoot()
    let u = z * z
    let light = form.logDensity(u)
    let bend = (form.logDensity(1.01 * u).slope - light.slope) / (0.01 * u)
    let c = max(-2 * light.slope, -2 * light.slope - 4 * u * bend, 1e-9)
    return probes.reduce(0.0) { sum, probe in
      let rate = probe.frequency * geometry.rEff * min(1, abs(geometry.q))
      let y = min(rate / c, z)
      return sum + probe.share * exp(min(light.value - logPeak + y * (0.5 * c * y - rate), 50))
    }
  }

  /// Returns the grid of a stamp, made at first use.
  func stampGrid(_ place: Int) -> FourierGrid {
    stamps.withLock { stamps in
      if let known = stamps[place] { return known }
      let window = window
      let grid = FourierGrid(
        columns: sides[place], rows: sides[place], psf: psf, planning: planning,
        window: { 1 - window($0) })
      stamps[place] = grid
      return grid
    }
  }

  /// Returns the low frequencies of the frame's grid of a level, made at first use.
  func lowGrid(_ grid: FourierGrid, level: Int) -> FourierGrid {
    lows.withLock { lows in
      if let known = lows[level] { return known }
      let window = window
      let low = FourierGrid(grid, below: window.end) { window($0) }
      lows[level] = low
      return low
    }
  }
}
