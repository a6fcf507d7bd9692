// SPDX-License-Identifier: MIT
//
// GALFIT's numbers and ours: magnitudes and fluxes, pixels from 1 and from 0, degrees, b/a, scale lengths and widths.

import Foundation
public import GalaxyModels
public import Rendering
import Tensors

/// What GALFIT's numbers are relative to.
public struct GalfitFrame: Sendable, Hashable {
  /// The magnitude of one count per second.
  public var zeroPoint: Double
  /// The exposure time in seconds: EXPTIME in the image's header, 1 where it has none.
  public var exposure: Double
  /// The first pixel of our image in GALFIT's, counted from 0.
  public var origin: ImagePoint

  /// Creates a frame.
  public init(zeroPoint: Double, exposure: Double = 1, origin: ImagePoint = ImagePoint(x: 0, y: 0))
  {
    self.zeroPoint = zeroPoint
    self.exposure = exposure
    self.origin = origin
  }

  /// Returns the counts of a magnitude: m = zero point − 2.5 log10(counts / exposure).
  public func flux(_ magnitude: Double) -> Double {
    exposure * pow(10, -0.4 * (magnitude - zeroPoint))
  }

  /// Returns the magnitude of counts; NaN where they are not positive.
  public func magnitude(_ flux: Double) -> Double {
    flux > 0 ? zeroPoint - 2.5 * log10(flux / exposure) : .nan
  }
}

extension GalfitConfiguration.Kind {
  /// The profile; nil for a sky.
  var profile: ProfileKind? {
    switch self {
    case .sersic: .sersic
    case .expdisk: .exponential
    case .devauc: .deVaucouleurs
    case .gaussian: .gaussian
    case .moffat: .moffat
    case .psf: .pointSource
    case .sky: nil
    }
  }

  /// Returns r_eff over the radius that GALFIT gives; `beta` is a Moffat profile's exponent.
  func radiusRatio(beta: Double) -> Double {
    switch self {
    // b of a Sérsic profile with n = 1.
    case .expdisk: 1.678_346_990_016_660_5
    // The half-light radius of a Gaussian is that of its half maximum.
    case .gaussian: 0.5
    case .moffat: 0.5 * (expm1(log(2) / (beta - 1)) / expm1(log(2) / beta)).squareRoot()
    case .sersic, .devauc, .psf, .sky: 1
    }
  }
}

extension GalfitConfiguration.Parameter {
  /// Our site of the parameter, for a kind of component.
  func site(_ kind: GalfitConfiguration.Kind) -> String {
    switch self {
    case .x: GalaxySite.xc
    case .y: GalaxySite.yc
    case .magnitude: GalaxySite.flux
    case .radius: GalaxySite.rEff
    case .index: kind == .moffat ? ImportedScene.beta : GalaxySite.n
    case .axisRatio: GalaxySite.ellip
    case .positionAngle: GalaxySite.theta
    case .sky: GalaxySite.skyBack
    case .skyX: GalaxySite.skyXSl
    case .skyY: GalaxySite.skyYSl
    }
  }

  /// Returns our number for one of GALFIT's.
  func ours(_ value: Double, _ frame: GalfitFrame, radiusRatio: Double) -> Double {
    switch self {
    case .x: value - 1 - frame.origin.x
    case .y: value - 1 - frame.origin.y
    case .magnitude: frame.flux(value)
    case .radius: value * radiusRatio
    case .axisRatio: 1 - value
    // Both count from up (+y) to the left (−x).
    case .positionAngle: value * .pi / 180
    case .index, .sky, .skyX, .skyY: value
    }
  }

  /// Returns GALFIT's number for one of ours.
  func galfits(_ value: Double, _ frame: GalfitFrame, radiusRatio: Double) -> Double {
    switch self {
    case .x: value + 1 + frame.origin.x
    case .y: value + 1 + frame.origin.y
    case .magnitude: frame.magnitude(value)
    case .radius: value / radiusRatio
    case .axisRatio: 1 - value
    case .positionAngle: value * 180 / .pi
    case .index, .sky, .skyX, .skyY: value
    }
  }
}

extension ImportedScene {
  /// Creates the scene of a GALFIT configuration.
  ///
  /// Magnitudes become fluxes in the unit of the image. Constraints that hold offsets, ratios or ranges of one component are
  /// carried over as far as our parameters have them; what is not is in `findings`.
  ///
  /// - Parameters:
  ///   - configuration: The configuration.
  ///   - frame: What its numbers are relative to.
  /// - Throws: ``OptionError`` where there are two skies, or a constraint names a component that is not there or one twice, where
  ///   nothing is left of a range, and for magnitudes that are no fluxes.
  public init(
    _ configuration: GalfitConfiguration, _ frame: GalfitFrame
  ) throws(OptionError) {
    /// The index of each component of light, by its number in the file.
    var places: [Int: Int] = [:]
    for (number, component) in configuration.components.enumerated() {
      guard let kind = component.kind.profile else {
        try setSky(component)
        continue
      }
      places[number + 1] = components.count
      let ratio = component.kind.radiusRatio(beta: component.values[.index]?.value ?? 0)
      var values: [String: Double] = [:]
      var free: Set<String> = []
      for (parameter, value) in component.values {
        let site = parameter.site(component.kind)
        values[site] = parameter.ours(value.value, frame, radiusRatio: ratio)
        if value.isFree { free.insert(site) }
      }
      let magnitude = component.values[.magnitude]?.value ?? .nan
      guard let flux = values[GalaxySite.flux], flux > 0, flux.isFinite else {
        throw OptionError(
          "component \(number + 1), \(component.kind.rawValue)",
          "expected a magnitude whose flux is a finite number > 0, found \(shortened(magnitude)) at a zero point of \(shortened(frame.zeroPoint)); change line 3, or J)"
        )
      }
      let own = Component(kind: kind, values: values, free: free)
      try Self.checkValues(own, number + 1)
      components.append(own)
    }
    for constraint in configuration.constraints {
      try take(constraint, configuration, places, frame)
    }
    dropRangesOfTied(configuration, places)
    try checkRanges()
  }

  /// Drops the ranges of parameters that are tied to others, and says so.
  private mutating func dropRangesOfTied(
    _ configuration: GalfitConfiguration, _ places: [Int: Int]
  ) {
    for constraint in configuration.constraints {
      switch constraint.kind {
      case .range, .around: break
      case .offset, .ratio, .between: continue
      }
      guard let number = constraint.components.min(), let place = places[number] else { continue }
      let own = constraint.parameter.site(configuration.components[number - 1].kind)
      guard let tie = ties[Self.site(own, place)],
        components[place].bounds.removeValue(forKey: own) != nil
      else { continue }
      refuse(constraint, "the parameter is tied to \(tie.reference), whose range counts")
    }
  }

  /// Takes a component of sky.
  private mutating func setSky(_ component: GalfitConfiguration.Component) throws(OptionError) {
    guard sky == .none else {
      throw OptionError("sky", "expected one component of sky, found another; take one out")
    }
    let slopes = [GalfitConfiguration.Parameter.skyX, .skyY].compactMap { component.values[$0] }
    sky = slopes.contains { $0.isFree || $0.value != 0 } ? .tiltedPlane : .flat
    for (parameter, value) in component.values where sky.sites.contains(parameter.site(.sky)) {
      skyValues[parameter.site(.sky)] = value.value
      if value.isFree { freeSky.insert(parameter.site(.sky)) }
    }
  }

  /// Takes a constraint, or says why not.
  private mutating func take(
    _ constraint: GalfitConstraint, _ configuration: GalfitConfiguration, _ places: [Int: Int],
    _ frame: GalfitFrame
  ) throws(OptionError) {
    for number in constraint.components where number > configuration.components.count {
      throw OptionError(
        "constraints",
        "expected components from 1 to \(configuration.components.count), found \(number) in \"\(constraint.text)\""
      )
    }
    guard Set(constraint.components).count == constraint.components.count else {
      throw OptionError(
        "constraints", "expected components that differ, found one twice in \"\(constraint.text)\"")
    }
    let numbers = constraint.components.filter { places[$0] != nil }.sorted()
    let parameter = constraint.parameter
    guard let first = numbers.first, numbers.count == constraint.components.count,
      numbers.allSatisfy({
        configuration.components[$0 - 1].kind.parameters.contains(parameter)
      })
    else {
      refuse(constraint, "a component has no such parameter")
      return
    }
    switch constraint.kind {
    case .between:
      refuse(constraint, "differences and ratios of components within a range have no counterpart")
    case .offset, .ratio: tie(constraint, numbers, configuration, places)
    case .range(let range), .around(let range):
      let own = configuration.components[first - 1]
      var (low, high) = (range.lowerBound, range.upperBound)
      if case .around = constraint.kind, let value = own.values[parameter]?.value {
        (low, high) = (value + low, value + high)
      }
      guard parameter != .positionAngle else {
        refuse(constraint, "an angle has no bounds here: it runs around its circle")
        return
      }
      let ratio = own.kind.radiusRatio(beta: own.values[.index]?.value ?? 0)
      let ends = [low, high].map { parameter.ours($0, frame, radiusRatio: ratio) }
      guard let place = places[first] else { return }
      let site = parameter.site(own.kind)
      components[place].bounds[site] = min(ends[0], ends[1])...max(ends[0], ends[1])
    }
  }

  /// Ties parameters of several components to that of the first.
  private mutating func tie(
    _ constraint: GalfitConstraint, _ numbers: [Int], _ configuration: GalfitConfiguration,
    _ places: [Int: Int]
  ) {
    let parameter = constraint.parameter
    let kinds = numbers.map { configuration.components[$0 - 1].kind }
    // Ratios of radii and of fluxes are ours too; so are differences of magnitudes, as ratios of fluxes.
    let isRatio: Bool
    switch (constraint.kind, parameter) {
    case (.offset, .magnitude), (.ratio, .radius), (.ratio, .index): isRatio = true
    case (.offset, .x), (.offset, .y), (.offset, .index), (.offset, .positionAngle):
      isRatio = false
    case (.offset, .radius) where Set(kinds).count == 1 && kinds[0] != .moffat: isRatio = false
    case (.offset, .axisRatio): isRatio = false
    default:
      refuse(constraint, "such a tie has no counterpart")
      return
    }
    guard !(parameter == .radius && kinds.contains(.moffat)) else {
      refuse(constraint, "the width of a Moffat profile is no fixed multiple of its r_eff")
      return
    }
    guard let first = places[numbers[0]] else { return }
    let site = parameter.site(kinds[0])
    for (number, kind) in zip(numbers, kinds).dropFirst() {
      let own = parameter.site(kind)
      guard let place = places[number], components[place].free.contains(own) else { continue }
      let (a, b) = (
        components[first].values[site] ?? .nan, components[place].values[own] ?? .nan
      )
      let tie = Tie(
        reference: Self.site(site, first), offset: isRatio ? nil : b - a,
        ratio: isRatio ? b / a : 1)
      let tied = Self.site(own, place)
      if let other = ties[tied], other != tie {
        refuse(constraint, "\(tied) is tied to \(other.reference) already")
        continue
      }
      ties[tied] = tie
    }
  }

  /// Notes a constraint that is not carried over.
  private mutating func refuse(_ constraint: GalfitConstraint, _ reason: String) {
    findings.append(
      InputFinding(
        .warning, "constraint", subject: "constraints",
        "\"\(constraint.text)\" was not carried over: \(reason)"))
  }
}

extension GalfitConfiguration {
  /// Returns the configuration with other values: those of a fit in place of the first ones; flags stay.
  ///
  /// - Parameters:
  ///   - values: Values of all sites, as ``ImportedScene`` names them.
  ///   - frame: What GALFIT's numbers are relative to.
  /// - Returns: The configuration.
  public func updated(_ values: [String: Double], _ frame: GalfitFrame) -> GalfitConfiguration {
    var result = self
    var place = 0
    for k in components.indices {
      let kind = components[k].kind
      let isSky = kind == .sky
      let beta = values[ImportedScene.site(ImportedScene.beta, place)] ?? 0
      for parameter in kind.parameters {
        let site = parameter.site(kind)
        guard let value = values[isSky ? site : ImportedScene.site(site, place)] else { continue }
        result.components[k].values[parameter]?.value = parameter.galfits(
          value, frame, radiusRatio: kind.radiusRatio(beta: beta))
      }
      if !isSky { place += 1 }
    }
    return result
  }

  /// Creates the configuration of a light over a sky, all of it free.
  ///
  /// - Parameters:
  ///   - light: The light, in the image's pixels; its parameters are numbers.
  ///   - sky: The parameters of the sky: none, its level, or its level and slopes.
  ///   - frame: What GALFIT's numbers are relative to.
  /// - Throws: ``OptionError`` for a profile that GALFIT does not have.
  public init(
    _ light: LightProfile, sky: [Double] = [], _ frame: GalfitFrame
  ) throws(OptionError) {
    self.init()
    zeroPoint = frame.zeroPoint
    for component in light.components {
      guard let kind = Kind.allCases.first(where: { $0.profile == component.kind }) else {
        throw OptionError(
          component.kind.name,
          "expected a profile that GALFIT has (sersic, exp, dev, gaussian, moffat, pointsource), found \(component.kind.name)"
        )
      }
      let names = component.kind.parameterNames
      let numbers = Dictionary(
        zip(names, component.parameters.map { $0.item() }), uniquingKeysWith: { $1 })
      let ratio = kind.radiusRatio(beta: numbers[ImportedScene.beta] ?? 0)
      var values: [Parameter: Value] = [:]
      for parameter in kind.parameters {
        values[parameter] = Value(
          parameter.galfits(
            numbers[parameter.site(kind)] ?? .nan, frame, radiusRatio: ratio))
      }
      components.append(Component(kind, values))
    }
    guard !sky.isEmpty else { return }
    var values: [Parameter: Value] = [:]
    for (k, parameter) in Kind.sky.parameters.enumerated() {
      values[parameter] = Value(sky.count > k ? sky[k] : 0, isFree: sky.count > k)
    }
    components.append(Component(.sky, values))
  }
}
