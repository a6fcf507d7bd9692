// SPDX-License-Identifier: MIT
//
// Quantities that follow from the parameters, at the maximum and at every draw: fluxes, magnitudes, surface brightnesses.

import FITS
import GalaxyModels
import Inference
import Rendering

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The quantities that follow from the parameters of a fit's sources and noise.
///
/// For each source reports list fluxes of components (`flux_1`, …), `magnitude` (with a zero point) and those of components
/// (`magnitude_1`, …), with a zero point the surface brightness at the half-light ellipse (`mu_eff`) and the mean within it
/// (`mu_mean`), in magnitudes per square arcsecond, or per pixel where the pixel scale is not known, and with a pixel scale
/// `r_eff_arcsec`, and with world coordinates the position on the sky, `ra` and `dec` (or `glon` and `glat`, `elon` and `elat`), in
/// degrees: a longitude lies within half a turn of that at the maximum. By name there are also the surface brightnesses in image units per pixel, `sb_eff` and `sb_mean`, and `b_t`, the
/// share of the first of two extended components, which is `f_1`. Names of components end in `_1`, `_2`; those of source 3 of a
/// scene in `_3` after that.
struct DerivedQuantities {
  /// The sources.
  let sources: [FitReport.Source]

  /// The parameters of the noise.
  let noise: [NoiseParameter]

  /// Zero point and pixel scale.
  let calibration: Calibration

  /// The sky behind the image; nil where it is not known.
  let sky: SkyFrame?

  /// One quantity.
  private struct Quantity {
    /// The name.
    let name: String
    /// The unit.
    let unit: String
    /// Whether reports list it: else it is there for those who ask for it by name.
    var isListed = true
    /// Returns the value, given those of the sites.
    let value: ((String) -> Double) -> Double
  }

  /// Whether a quantity is a flux of a component or a magnitude, which tables show first.
  static func isFlux(_ summary: ParameterSummary) -> Bool {
    summary.name.hasPrefix("flux_") || summary.name.hasPrefix("magnitude")
  }

  /// Returns the summaries of all quantities that have a value.
  ///
  /// - Parameters:
  ///   - values: The parameters at the maximum, fixed ones included.
  ///   - fixed: The parameters that are held.
  ///   - draws: The draws of the free parameters; nil without a posterior.
  ///   - isWhole: Whether those that reports do not list are among them.
  /// - Returns: Fluxes and magnitudes, then the noise, then the rest.
  func summaries(
    at values: [String: Double], fixed: Set<String>, _ draws: Draws?, all isWhole: Bool = false
  ) -> [ParameterSummary] {
    let sites = draws?.sites.filter(\.shape.isEmpty) ?? []
    let columns = Dictionary(sites.map { ($0.name, $0.values) }) { $1 }
    let count = draws?.count ?? 0
    /// Returns the summary of a quantity; nil where it has no finite value at the maximum.
    func summary(_ quantity: Quantity) -> ParameterSummary? {
      let map = quantity.value { values[$0] ?? .nan }
      guard map.isFinite else { return nil }
      guard let draws, count > 0 else {
        return ParameterSummary(name: quantity.name, unit: quantity.unit, map: map)
      }
      let drawn = (0..<count).map { k in
        quantity.value { columns[$0]?[k] ?? values[$0] ?? .nan }
      }
      // Negative fluxes have no magnitude: what is left would not be the posterior.
      guard drawn.allSatisfy(\.isFinite) else {
        return ParameterSummary(name: quantity.name, unit: quantity.unit, map: map)
      }
      return ParameterSummary(
        name: quantity.name, unit: quantity.unit, map: map,
        draws: ScalarDraws(name: quantity.name, chains: draws.chains, values: drawn),
        isSampled: draws.statistics != nil)
    }
    let all = sources.flatMap { source in
      quantities(of: source, near: values).filter { isWhole || $0.isListed }.compactMap(summary)
    }
    return all.filter(Self.isFlux)
      + noise.compactMap { noise in
        noise.derived.flatMap { derived in
          let name = derived.site
          guard let map = values[noise.site] else { return nil }
          guard !fixed.contains(noise.site) else {
            return ParameterSummary(
              name: name, unit: GalaxySite.unit(of: name), map: map * derived.factor, isFixed: true)
          }
          return summary(
            Quantity(name: name, unit: GalaxySite.unit(of: name)) {
              $0(noise.site) * derived.factor
            })
        }
      } + all.filter { !Self.isFlux($0) }
  }

  /// Returns the draws of all quantities, as sites.
  func sites(_ draws: Draws, values: [String: Double]) -> [Draws.Site] {
    let own = draws.sites.filter(\.shape.isEmpty)
    let columns = Dictionary(own.map { ($0.name, $0.values) }) { $1 }
    let derivedNoise = noise.compactMap { noise in
      noise.derived.map { derived in
        Quantity(name: derived.site, unit: "") { $0(noise.site) * derived.factor }
      }
    }
    return (sources.flatMap { quantities(of: $0, near: values) } + derivedNoise).map { quantity in
      Draws.Site(
        name: quantity.name, shape: [],
        values: (0..<draws.count).map { k in
          quantity.value { columns[$0]?[k] ?? values[$0] ?? .nan }
        })
    }.filter { $0.values.allSatisfy(\.isFinite) }
  }

  /// The names of the quantities of the sources.
  var names: [String] { sources.flatMap { quantities(of: $0, near: [:]) }.map(\.name) }

  /// Returns the quantities of one source; longitudes lie near that at given values.
  private func quantities(
    of source: FitReport.Source, near values: [String: Double]
  ) -> [Quantity] {
    let components = source.profile.shapes
    var list: [Quantity] = []
    /// Adds a quantity of the source.
    func add(_ name: String, _ unit: String, _ value: @escaping ((String) -> Double) -> Double) {
      let isListed = name != "b_t" && !name.hasPrefix("sb_")
      list.append(
        Quantity(name: source.site(name), unit: unit, isListed: isListed) { get in
          value { get(source.site($0)) }
        })
    }
    let profile = source.profile
    for (k, name) in profile.fluxNames.enumerated() {
      add(name, "image units") { profile.fluxes($0)[k] }
    }
    if let zeroPoint = calibration.zeroPoint {
      add("magnitude", "mag") { zeroPoint - 2.5 * log10($0(GalaxySite.flux)) }
      for (k, name) in profile.fluxNames.enumerated() {
        add("magnitude" + name.dropFirst(4), "mag") {
          zeroPoint - 2.5 * log10(profile.fluxes($0)[k])
        }
      }
    }
    if profile.hasTwoRadii { add("b_t", "") { $0(GalaxySite.f1) } }
    for component in components { addBrightness(component, profile, add) }
    if let sky {
      addPosition(
        sky, x: values[source.site(GalaxySite.xc)], y: values[source.site(GalaxySite.yc)], add)
    }
    return list
  }

  /// Adds the position on the sky; longitudes on the branch around that of a pixel.
  private func addPosition(
    _ sky: SkyFrame, x: Double?, y: Double?,
    _ add: (String, String, @escaping ((String) -> Double) -> Double) -> Void
  ) {
    let center = sky.position(x: x ?? .nan, y: y ?? .nan)?.longitude ?? 180
    add(sky.names.longitude, "deg") { get in
      guard let found = sky.position(x: get(GalaxySite.xc), y: get(GalaxySite.yc)) else {
        return .nan
      }
      return center + (found.longitude - center).remainder(dividingBy: 360)
    }
    add(sky.names.latitude, "deg") { get in
      sky.position(x: get(GalaxySite.xc), y: get(GalaxySite.yc))?.latitude ?? .nan
    }
  }

  /// Adds the surface brightnesses of a component, and its radius in arcseconds.
  private func addBrightness(
    _ component: ComponentShape, _ profile: SourceProfile,
    _ add: (String, String, @escaping ((String) -> Double) -> Double) -> Void
  ) {
    let suffix = component.suffix
    let form = component.kind.makeForm(indices: 0.1...20)
    let brightness = { (get: (String) -> Double, isMean: Bool) -> Double in
      component.brightness(profile, isMean ? nil : form, get)
    }
    add("sb_eff\(suffix)", "image units / pixel") { brightness($0, false) }
    add("sb_mean\(suffix)", "image units / pixel") { brightness($0, true) }
    if let zeroPoint = calibration.zeroPoint {
      // An area in pixels is as many square arcseconds as the scale squared.
      let area = calibration.pixelScale.map { 5 * log10($0) } ?? 0
      let unit = calibration.pixelScale == nil ? "mag / pixel" : "mag / arcsec²"
      for (name, isMean) in [("mu_eff", false), ("mu_mean", true)] {
        add(name + suffix, unit) { zeroPoint - 2.5 * log10(brightness($0, isMean)) + area }
      }
    }
    if let scale = calibration.pixelScale {
      add(component.radius + "_arcsec", "arcsec") { $0(component.radius) * scale }
    }
  }
}

/// An extended component of a profile: which of the profile's sites are its own.
struct ComponentShape: Sendable {
  /// The radial form.
  let kind: ProfileKind

  /// The place of its flux among those of the components; nil where it is the only one.
  let place: Int?

  /// The site of its half-light radius.
  let radius: String

  /// The site of its index; nil where it has none.
  let index: String?

  /// The site of its ellipticity.
  let ellip: String

  /// What follows the names of its quantities.
  var suffix: String { radius == GalaxySite.rEff1 ? "_1" : radius == GalaxySite.rEff2 ? "_2" : "" }

  /// Returns the surface brightness at the half-light ellipse, or without a form the mean within it, in image units per pixel.
  ///
  /// I(r_eff) = flux ρ(1) / (r_eff² (1 − ellip)), ρ the density of unit flux with unit half-light radius; the mean within is
  /// flux / (2 π r_eff² (1 − ellip)).
  func brightness(
    _ profile: SourceProfile, _ form: (any RadialForm)?, _ value: (String) -> Double
  ) -> Double {
    let flux = place.map { profile.fluxes(value)[$0] } ?? value(GalaxySite.flux)
    let area = value(radius) * value(radius) * (1 - value(ellip))
    guard let form else { return flux / (2 * .pi * area) }
    // A form without shape does not look at it.
    let shape: [Double] = [index.map(value) ?? 0]
    let isDefined = shape.withUnsafeBufferPointer { shape in
      shape.baseAddress.map { form.update($0) } ?? false
    }
    guard isDefined else { return .nan }
    return flux * exp(form.logDensity(1).value) / area
  }
}

extension GalaxyProfile {
  /// The extended components, in the order of the model's light.
  var shapes: [ComponentShape] {
    typealias S = GalaxySite
    /// Returns the only extended component.
    func one(_ kind: ProfileKind, _ index: String?, place: Int? = nil) -> ComponentShape {
      ComponentShape(kind: kind, place: place, radius: S.rEff, index: index, ellip: S.ellip)
    }
    switch self {
    case .sersic: return [one(.sersic, S.n)]
    case .exp: return [one(.exponential, nil)]
    case .dev: return [one(.deVaucouleurs, nil)]
    case .spergel: return [one(.spergel, S.nu)]
    case .sersicPointsource: return [one(.sersic, S.n, place: 0)]
    case .pointsource: return []
    case .doublesersic:
      return [
        ComponentShape(kind: .sersic, place: 0, radius: S.rEff1, index: S.n1, ellip: S.ellip1),
        ComponentShape(kind: .sersic, place: 1, radius: S.rEff2, index: S.n2, ellip: S.ellip2),
      ]
    case .sersicExp:
      return [
        ComponentShape(kind: .sersic, place: 0, radius: S.rEff1, index: S.n, ellip: S.ellip1),
        ComponentShape(kind: .exponential, place: 1, radius: S.rEff2, index: nil, ellip: S.ellip2),
      ]
    }
  }
}
