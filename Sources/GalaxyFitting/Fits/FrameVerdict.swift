// SPDX-License-Identifier: MIT
//
// What a frame can say of the sources that were fitted: light at the border, frames that end too near, masked centres.

import GalaxyModels
import Rendering

/// What the frame lacks for the sources as they were fitted; guesses before a fit are judged by `SourceFindings`.
struct FrameVerdict {
  /// What makes the result doubtful, or is worth knowing about it.
  private(set) var findings: [InputFinding] = []

  /// A frame should reach this many half-light radii from the centre, or sky, index and flux trade with each other.
  private static let reachNeeded = 5.0

  /// A component with less than this share of the light has no say in how far a frame must reach.
  private static let leastShare = 0.1

  /// The width of the border that shows the sky, pixels.
  private static let borderWidth = 5

  /// The sources named in one finding; of more only the number is said.
  private static let mostNamed = 4

  /// Examines the sources at the maximum.
  ///
  /// - Parameters:
  ///   - fit: The fit.
  ///   - values: The parameters at the maximum, by site.
  ///   - light: The model image without sky, row-major; empty where there is none.
  init(_ fit: any GalaxyFit, _ values: [String: Double], light: [Double]) {
    examinePlaces(fit, values)
    examineReach(fit, values)
    examineCentres(fit, values)
    examineBorder(fit, light)
  }

  /// Adds a finding.
  private mutating func add(
    _ severity: InputFinding.Severity, _ code: FitFindingCode, _ subject: String, _ message: String
  ) {
    findings.append(InputFinding(severity, code.rawValue, subject: subject, message))
  }

  /// Returns whether a place lies on a pixel of an image.
  private static func isInside(_ image: ObservedImage, _ x: Double, _ y: Double) -> Bool {
    x >= -0.5 && y >= -0.5 && x < Double(image.width) - 0.5 && y < Double(image.height) - 0.5
  }

  /// The distance below which two sources lie at the same place, pixels.
  private static let sameDistance = 1.0

  /// Warns of sources outside of the frame, of two at the same place, and of fluxes below zero.
  private mutating func examinePlaces(_ fit: any GalaxyFit, _ values: [String: Double]) {
    var outside: [String] = []
    var together: [String] = []
    var negative: [String] = []
    var places: [(name: String, x: Double, y: Double)] = []
    for source in fit.sources {
      /// Returns the value of a site of the source.
      func value(_ site: String) -> Double {
        values[source.site(site)] ?? fit.prior.fixed[source.site(site)] ?? .nan
      }
      let (x, y, flux) = (value(GalaxySite.xc), value(GalaxySite.yc), value(GalaxySite.flux))
      let name = source.number.map { "source \($0)" } ?? "the source"
      if x.isFinite, y.isFinite, !Self.isInside(fit.image, x, y) {
        outside.append("\(name) at (\(shortened(x)), \(shortened(y)))")
      }
      if flux < 0 { negative.append("\(source.site(GalaxySite.flux)) = \(shortened(flux))") }
      let others = fit.listsComponents ? [] : places
      for other in others
      where (x - other.x) * (x - other.x) + (y - other.y) * (y - other.y)
        < Self.sameDistance * Self.sameDistance
      {
        together.append("\(other.name) and \(name) at (\(shortened(x)), \(shortened(y)))")
      }
      places.append((name, x, y))
    }
    let image = fit.image.names.science
    if !outside.isEmpty {
      add(
        .warning, .sourceOutside, image,
        "expected sources on the frame of \(fit.image.width) × \(fit.image.height) pixels, found \(Self.list(outside)): what is said of them is their prior; remove them from the catalogue, or use a larger cutout"
      )
    }
    if !together.isEmpty {
      add(
        .warning, .sourcesCoincide, image,
        "expected sources a pixel apart or more, found \(Self.list(together)): only the sum of their light is determined; if one galaxy is listed twice remove an entry, and for two components of one use a profile that has both"
      )
    }
    if !negative.isEmpty {
      add(
        .warning, .fluxNegative, image,
        "expected light, found \(Self.list(negative)): the sky is too high, a neighbour takes the light, or there is no source; look at the residuals"
      )
    }
  }

  /// Warns where a frame ends within five half-light radii of a source.
  private mutating func examineReach(_ fit: any GalaxyFit, _ values: [String: Double]) {
    let image = fit.image
    var short: [(site: String, text: String)] = []
    for source in fit.sources {
      /// Returns the value of a site of the source.
      func value(_ site: String) -> Double { values[source.site(site)] ?? .nan }
      let (x, y) = (value(GalaxySite.xc), value(GalaxySite.yc))
      guard Self.isInside(fit.image, x, y) else { continue }
      let reach = min(min(x, Double(image.width - 1) - x), min(y, Double(image.height - 1) - y))
      let fluxes = source.profile.fluxes(value)
      let total = value(GalaxySite.flux)
      let shapes = source.profile.shapes.filter { shape in
        shape.place.map { abs(fluxes[$0]) >= Self.leastShare * abs(total) } ?? true
      }
      guard let widest = shapes.max(by: { value($0.radius) < value($1.radius) }) else { continue }
      let radius = value(widest.radius)
      guard reach < Self.reachNeeded * radius else { continue }
      short.append(
        (
          source.site(widest.radius),
          "\(shortened(reach)) pixels for \(source.site(widest.radius)) = \(shortened(radius))"
        ))
    }
    guard let first = short.first else { return }
    add(
      .warning, .frameSmall, first.site,
      "expected the frame to reach \(shortened(Self.reachNeeded)) half-light radii from the centre, found \(Self.list(short.map(\.text))): sky, index and flux trade with each other; use a larger cutout, or fix the sky"
    )
  }

  /// Warns where the pixel at the centre of a source is masked, or has no number.
  private mutating func examineCentres(_ fit: any GalaxyFit, _ values: [String: Double]) {
    let image = fit.image
    var masked: [String] = []
    var missing: [String] = []
    for source in fit.sources {
      let x = (values[source.site(GalaxySite.xc)] ?? .nan).rounded()
      let y = (values[source.site(GalaxySite.yc)] ?? .nan).rounded()
      guard x >= 0, y >= 0, x < Double(image.width), y < Double(image.height) else { continue }
      let pixel = Int(y) * image.width + Int(x)
      guard image.mask[pixel] else { continue }
      let place =
        "(\(source.site(GalaxySite.xc)), \(source.site(GalaxySite.yc))) = (\(shortened(x)), \(shortened(y)))"
      if image.isMissing[pixel] { missing.append(place) } else { masked.append(place) }
    }
    let expected = "expected the pixel at the centre of a source to be good"
    if !missing.isEmpty {
      add(
        .warning, .peakMasked, image.names.science,
        "\(expected), found no number at \(Self.list(missing)): the profile inside is not determined; if the core is saturated, use a shorter exposure"
      )
    }
    if !masked.isEmpty {
      add(
        .warning, .peakMasked, image.names.mask ?? image.names.noise,
        "\(expected), found it masked at \(Self.list(masked)): the profile inside is not determined; if the mask took the core for a star or a cosmic ray, unmask it"
      )
    }
  }

  /// Remarks on light of the sources at the border, where the sky is free.
  private mutating func examineBorder(_ fit: any GalaxyFit, _ light: [Double]) {
    let image = fit.image
    guard !light.isEmpty,
      fit.prior.sky.sites.contains(where: { fit.prior.fixed[$0] == nil })
    else { return }
    let (width, height) = (image.width, image.height)
    let border = min(Self.borderWidth, min(width, height) / 2)
    var sum = (light: 0.0, rms: 0.0, count: 0.0)
    for k in light.indices where !image.mask[k] {
      let (x, y) = (k % width, k / width)
      guard min(min(x, width - 1 - x), min(y, height - 1 - y)) < border else { continue }
      sum.light += light[k]
      sum.rms += image.rms[k]
      sum.count += 1
    }
    guard sum.count > 0, sum.rms > 0 else { return }
    // The mean light in units of the mean rms. Below a fifth it is lost in what the sky's own prior allows.
    let ratio = sum.light / sum.rms
    guard ratio > 0.2 else { return }
    add(
      ratio > 1 ? .warning : .note, .borderLight, fit.prior.sky.sites.first ?? "",
      "expected sky at the border of the frame, found light of the fitted sources of \(shortened(ratio)) times the rms of a pixel on average: the sky is determined by the shape of the profile alone; use a larger cutout, or fix the sky"
    )
  }

  /// Returns the first of a list of texts, and how many more there are.
  private static func list(_ texts: [String]) -> String {
    let shown = texts.prefix(mostNamed).joined(separator: "; ")
    return texts.count > mostNamed ? "\(shown); and \(texts.count - mostNamed) more" : shown
  }
}
