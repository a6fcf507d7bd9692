// SPDX-License-Identifier: MIT
//
// The measurement behind the default guesses: segment, centre, shape, growth curve, PSF taken off.

internal import GalaxyModels

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The measurement of the source nearest a position.
struct SourceMeasurement {
  /// The image.
  let image: ObservedImage

  /// Where the source was said to be.
  let position: ImagePoint

  /// The sky of the border.
  let sky: SkyEstimate

  /// The PSF's width and shape.
  let psf: PointSpreadShape

  /// How much larger the border's scatter is than its rms, at least 1.
  let noiseFactor: Double

  /// The source's segment, nil when nothing was found.
  private(set) var segment: LightSegment?

  /// The segments of the image, at the scale at which the source was found.
  private(set) var segmentation: Segmentation

  /// Whether no source is near the position, and the nearest one of the frame has been taken.
  let isFar: Bool

  /// The centre.
  private(set) var center: ImagePoint

  /// The shape of the light, PSF and all.
  private(set) var observedShape: SecondMoments

  /// The light in ellipses of that shape.
  private(set) var growth: GrowthCurve

  /// What makes the guesses doubtful.
  private(set) var findings: [InputFinding] = []

  /// Measures the source nearest a position, the frame's centre unless given.
  init(_ image: ObservedImage, position given: ImagePoint?, borderWidth: Int) {
    self.image = image
    position = given ?? image.center
    sky = estimateSky(image, borderWidth: borderWidth)
    psf = PointSpreadShape(image)
    let rms = median(zip(image.rms, image.mask).lazy.filter { !$0.1 }.map { $0.0 }) ?? 1
    noiseFactor = max(1, sky.standardDeviation / rms)
    (segmentation, segment, isFar) = Self.find(
      image, sky: sky, psf: psf, position: position, isGiven: given != nil)

    let segments = segmentation
    let own = segment?.label
    let isNeighbour = segments.labels.map { $0 >= 0 && $0 != own }
    let map = LightMap(image, sky: sky.median, excluding: isNeighbour)
    let inside = ImagePoint(
      x: min(max(position.x, 0), Double(image.width - 1)),
      y: min(max(position.y, 0), Double(image.height - 1)))
    let start = segment.map { Self.start(in: $0, segments, image) } ?? inside
    var radius =
      segment.flatMap { found in
        map.halfLightRadius(about: start) { segments.labels[$0] == found.label }
      } ?? max(2 * psf.halfLightRadius, 0.05 * Double(min(image.width, image.height)))
    let extent = segment.map { 1.3 * $0.radius } ?? 2.5 * radius
    // The error of the border's median is the same for all pixels.
    let skyError = sky.medianError

    center = segment == nil ? position : start
    observedShape = SecondMoments(xx: radius * radius, xy: 0, yy: radius * radius)
    growth = GrowthCurve(
      map, image: image, center: center, shape: observedShape, leastRadius: extent,
      skyError: skyError, noiseFactor: noiseFactor)
    guard segment != nil else { return }
    // The second round has the window of the whole light's half-light radius instead of the segment's.
    for _ in 0..<2 {
      guard let found = map.windowedShape(at: start, radius: radius) else { break }
      center = found.center
      observedShape = found.moments
      growth = GrowthCurve(
        map, image: image, center: center, shape: observedShape, leastRadius: extent,
        skyError: skyError, noiseFactor: noiseFactor)
      guard let half = growth.halfLightRadius else { break }
      let axisRatio = (found.moments.minorVariance / found.moments.majorVariance).squareRoot()
      // Wings that are all noise must not widen the window beyond the segment.
      radius = min(half * axisRatio.squareRoot(), max(2 * radius, psf.halfLightRadius))
    }
  }

  /// Returns the segments at the finest scale at which one is near the position, and that one.
  ///
  /// The scales are the PSF's and two and four times as wide: faint large sources only show on wide ones. Where none is near the middle
  /// of the frame, and no position was given, it is the nearest one at the finest scale.
  private static func find(
    _ image: ObservedImage, sky: SkyEstimate, psf: PointSpreadShape, position: ImagePoint,
    isGiven: Bool
  ) -> (Segmentation, LightSegment?, isFar: Bool) {
    let finest = min(max(psf.halfLightRadius / gaussianHalfLight, 0.8), 4)  // pixels
    let first = Segmentation(image, sky: sky, sigma: finest)
    if let segment = first.segment(near: position) { return (first, segment, false) }
    for factor in [2.0, 4.0] {
      let wider = Segmentation(image, sky: sky, sigma: factor * finest)
      if let segment = wider.segment(near: position) { return (wider, segment, false) }
    }
    // At a position that was given there is nothing; the middle of the frame was nobody's wish.
    let far = isGiven ? nil : first.segment(near: position, within: .infinity)
    return (first, far, far != nil)
  }

  /// Returns where to start in a segment: its peak, or its centre of light where the peak is beside a hole.
  private static func start(
    in segment: LightSegment, _ segments: Segmentation, _ image: ObservedImage
  ) -> ImagePoint {
    var sum = 0.0
    var x = 0.0
    var y = 0.0
    var isBesideHole = false
    for i in segments.labels.indices where segments.labels[i] == segment.label {
      let light = segments.smoothed[i]
      sum += light
      x += light * Double(i % image.width)
      y += light * Double(i / image.width)
    }
    for v in -2...2 {
      for u in -2...2 {
        let column = Int(segment.peak.x) + u
        let row = Int(segment.peak.y) + v
        guard column >= 0, row >= 0, column < image.width, row < image.height else { continue }
        if image.mask[row * image.width + column] { isBesideHole = true }
      }
    }
    return isBesideHole ? ImagePoint(x: x / sum, y: y / sum) : segment.peak
  }

  // MARK: - Results

  /// Returns the guesses, with what makes them doubtful.
  func properties() -> SourceProperties {
    let intrinsic = intrinsicShape()
    let axisRatio = (intrinsic.minorVariance / intrinsic.majorVariance).squareRoot()
    let rEff = gaussianHalfLight * intrinsic.majorVariance.squareRoot()
    let rms = median(image.rms) ?? 1
    var result = SourceProperties(
      center: center, flux: growth.flux, fluxError: growth.fluxError, rEff: rEff,
      ellip: segment == nil ? 0 : min(max(1 - axisRatio, 0), 0.9),
      theta: segment == nil ? 0 : intrinsic.theta,
      sky: sky.median, skyError: sky.standardDeviation > 0 ? sky.standardDeviation : rms,
      signalToNoise: growth.signalToNoise, isDetected: segment != nil, findings: [])
    result.findings = SourceFindings(self, rEff: rEff).all
    return result
  }

  /// Returns the moments of a Gaussian with the source's half-light ellipse, less those of the PSF.
  ///
  /// Exact for Gaussians; the axes stay positive: a source is at least a quarter of the PSF wide, and of axis ratio
  /// 0.1 or more.
  private func intrinsicShape() -> SecondMoments {
    let half =
      growth.halfLightRadius
      ?? max(
        segment.map(\.radius) ?? 0, 2 * psf.halfLightRadius,
        segment == nil ? 0.05 * Double(min(image.width, image.height)) : 0)
    let sigma = half / gaussianHalfLight
    let observed = observedShape.scaled(by: sigma * sigma / observedShape.majorVariance)
    let source = SecondMoments(
      xx: observed.xx - psf.moments.xx, xy: observed.xy - psf.moments.xy,
      yy: observed.yy - psf.moments.yy)
    let least = max(psf.moments.majorVariance / 16, 0.01)  // square pixels
    let major = max(source.majorVariance, least)
    let minor = min(max(source.minorVariance, 0.01 * major), major)
    // The angle of what is hardly wider than the PSF is noise, but it is the best there is.
    return SecondMoments(
      majorVariance: major, minorVariance: max(minor, min(least / 4, major)),
      majorAngle: source.majorAngle)
  }
}
