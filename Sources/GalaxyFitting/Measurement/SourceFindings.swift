// SPDX-License-Identifier: MIT
//
// What makes the guesses of a source doubtful, as findings.

internal import GalaxyModels

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The findings about one measured source.
struct SourceFindings {
  /// A frame should reach this many half-light radii from the centre, or the sky and the flux are not determined.
  static let reachNeeded = 5.0

  /// A flux inside the half-light ellipse below this many of its errors is remarked on.
  static let leastSignalToNoise = 10.0

  /// Neighbours with more than this share of the source's flux are remarked on.
  static let neighbourShare = 0.05

  /// The findings, in order of importance.
  private(set) var all: [InputFinding] = []

  /// The measurement.
  private let measured: SourceMeasurement

  /// The guess of the half-light radius.
  private let rEff: Double

  /// Examines a measurement.
  init(_ measured: SourceMeasurement, rEff: Double) {
    self.measured = measured
    self.rEff = rEff
    examineDetection()
    examineFlux()
    examineFrame()
    examineNeighbours()
    examineSky()
  }

  /// Adds a finding about the science image.
  private mutating func add(
    _ severity: InputFinding.Severity, _ code: String, _ message: String, subject: String? = nil
  ) {
    all.append(
      InputFinding(
        severity, code, subject: subject ?? measured.image.names.science, message))
  }

  /// Remarks on a source that was not found, or that lies elsewhere, or whose peak is masked.
  private mutating func examineDetection() {
    let image = measured.image
    let position = measured.position
    if position.x < -0.5 || position.y < -0.5 || position.x > Double(image.width) - 0.5
      || position.y > Double(image.height) - 0.5
    {
      add(
        .warning, "position-outside",
        "the position \(text(position)) is outside the frame of \(image.width) × \(image.height) pixels; "
          + "the guesses are those of the nearest window. Give a position inside, or guesses.")
    } else if measured.segment == nil {
      add(
        .warning, "source-not-detected",
        "expected a source near \(text(position)), found none above the noise; flux and size are those of a window "
          + "there. Check the position and the mask, or give guesses.")
    }
    let distance = hypot(
      measured.center.x - measured.position.x, measured.center.y - measured.position.y)
    if measured.isFar {
      add(
        .warning, "source-elsewhere",
        "expected a source near \(text(measured.position)), the middle of the frame, found the nearest one at "
          + "\(text(measured.center)), \(shortened(distance)) pixels away: the fit is that of this one. If another was meant, "
          + "give its position.")
    } else if measured.segment != nil, distance > 3 + 2 * rEff {
      add(
        .note, "source-elsewhere",
        "the nearest source is at \(text(measured.center)), \(shortened(distance)) pixels from \(text(position)). "
          + "If another was meant, give its position.")
    }
    let x = measured.center.x.rounded()
    let y = measured.center.y.rounded()
    guard x >= 0, y >= 0, x < Double(image.width), y < Double(image.height) else { return }
    let pixel = Int(y) * image.width + Int(x)
    if image.isMissing[pixel] {
      add(
        .warning, FitFindingCode.peakMasked.rawValue,
        "the pixel at the source's centre \(text(measured.center)) has no number; its profile inside is not determined. "
          + "If the core is saturated, use a shorter exposure.")
    } else if image.mask[pixel] {
      add(
        .warning, FitFindingCode.peakMasked.rawValue,
        "the pixel at the source's centre \(text(measured.center)) is masked; its profile inside is not determined. "
          + "If the mask took the core for a star or a cosmic ray, unmask it.",
        subject: image.names.mask ?? image.names.noise)
    }
  }

  /// Remarks on a flux that is negative or hardly above its error.
  private mutating func examineFlux() {
    let flux = measured.growth.flux
    let error = measured.growth.fluxError
    // Where nothing was found the flux of a window is noise about 0, and not worth a second remark.
    if measured.segment == nil ? flux < -3 * error : flux <= 0 {
      add(
        .warning, "flux-not-positive",
        "expected a positive flux above the sky of \(shortened(measured.sky.median)), found \(shortened(flux)) ± "
          + "\(shortened(error)). Check the position and the sky.")
    } else if measured.segment != nil, measured.growth.signalToNoise < Self.leastSignalToNoise {
      add(
        .warning, "low-signal",
        "the flux in the half-light ellipse is "
          + "\(shortened(measured.growth.signalToNoise)) times its error; the priors will decide much "
          + "of the fit. Fix what you know, or use a simpler profile.")
    }
  }

  /// Remarks on a frame that ends near the source.
  private mutating func examineFrame() {
    let image = measured.image
    let reach = nearestEdge()
    guard measured.segment != nil, reach < Self.reachNeeded * rEff else { return }
    add(
      .warning, FitFindingCode.frameSmall.rawValue,
      "expected the frame to reach \(shortened(Self.reachNeeded)) half-light radii (\(shortened(rEff)) pixels each) "
        + "from the source, found \(shortened(max(0, reach))) pixels to the nearest edge of \(image.width) × "
        + "\(image.height). Use a larger cutout, or fix the sky.")
  }

  /// Returns the distance from the centre to the nearest edge, pixels, negative outside.
  private func nearestEdge() -> Double {
    let center = measured.center
    return min(
      min(center.x, Double(measured.image.width - 1) - center.x),
      min(center.y, Double(measured.image.height - 1) - center.y))
  }

  /// Remarks on unmasked neighbours with much light.
  private mutating func examineNeighbours() {
    let segments = measured.segmentation.segments.values
    let neighbours = segments.filter { $0.label != measured.segment?.label }
    guard let own = measured.segment?.flux, own > 0, !neighbours.isEmpty else { return }
    let share = neighbours.reduce(0) { $0 + max($1.flux, 0) } / own
    guard share > Self.neighbourShare else { return }
    let brightest = neighbours.max { ($0.flux, $0.label) < ($1.flux, $1.label) }
    add(
      .warning, "neighbours-unmasked",
      "\(neighbours.count) unmasked neighbours have \(shortened(100 * share)) % of the source's light, the brightest "
        + "at \(brightest.map { text($0.peak) } ?? "?"). Mask them, or fit them too.")
  }

  // MARK: - Sky

  /// Remarks on a border that shows no sky: because it is masked, or because the source still falls there.
  private mutating func examineSky() {
    let sky = measured.sky
    if sky.count < 20 {
      add(
        .warning, "border-masked",
        "expected 20 or more unmasked pixels that show the sky, found \(sky.count). Give a prior for the sky."
      )
    } else if sky.borderWidth > min(measured.image.width, measured.image.height) / 4 {
      add(
        .warning, "border-wide",
        "the border is masked, or the frame small: the sky is that of \(sky.borderWidth) pixels along each edge. "
          + "Give a prior for the sky, or a larger cutout.")
    }
    if let fall = fallAtBorder() {
      // The default prior of the sky is as wide as the border's scatter: a fitted sky makes good what is less.
      add(
        fall > sky.standardDeviation ? .warning : .note, FitFindingCode.borderLight.rawValue,
        "expected level light near the border, found it \(shortened(fall)) brighter at two thirds of the way there "
          + "(one pixel's scatter is \(shortened(sky.standardDeviation))): the border's median, "
          + "\(shortened(sky.median)), is above the sky. Let the sky be fitted, or use a larger cutout."
      )
    }
  }

  /// Returns the drop of the mean light over the outer third of the frame where it is significant.
  ///
  /// Rings from 0.6 to 0.75 and from 0.85 to 1 of the way to the nearest edge are compared. A drop counts where it
  /// is above five errors and above a fifth of the border's scatter; less than this is lost in the sky's own error.
  private func fallAtBorder() -> Double? {
    let reach = nearestEdge()
    guard measured.segment != nil, reach > 3 else { return nil }
    let rings = measured.growth.rings
    func mean(_ low: Double, _ high: Double) -> (value: Double, error: Double)? {
      var sum = 0.0
      var area = 0.0
      var variance = 0.0
      for ring in rings where ring.outer > low * reach && ring.inner < high * reach {
        sum += ring.sum
        area += ring.area
        variance += ring.variance
      }
      guard area > 0 else { return nil }
      return (sum / area, measured.noiseFactor * variance.squareRoot() / area)
    }
    guard let inner = mean(0.6, 0.75), let outer = mean(0.85, 1) else { return nil }
    let drop = inner.value - outer.value
    guard drop > 5 * hypot(inner.error, outer.error), drop > 0.2 * measured.sky.standardDeviation
    else { return nil }
    return drop
  }

  /// Returns a position as text.
  private func text(_ point: ImagePoint) -> String {
    "(\(shortened(point.x)), \(shortened(point.y)))"
  }
}
