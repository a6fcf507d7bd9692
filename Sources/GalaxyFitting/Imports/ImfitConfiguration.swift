// SPDX-License-Identifier: MIT
//
// Configurations of imfit (Erwin 2015, ApJ 799, 226), read as a scene: sets of functions with a common centre.

import Foundation
public import GalaxyModels
import Rendering

/// A configuration of imfit: functions with first values and limits, as they are written; files are not among it.
public struct ImfitConfiguration: Sendable, Hashable {
  /// A number with its limits.
  public struct Value: Sendable, Hashable {
    /// The number.
    public var value: Double
    /// Whether it is held.
    public var isFixed: Bool
    /// The range it may take; nil for any.
    public var limits: ClosedRange<Double>?
  }

  /// A function with its centre.
  public struct Function: Sendable, Hashable {
    /// The name, as in the file.
    public var name: String
    /// The parameters by name, X0 and Y0 included.
    public var values: [String: Value]
    /// The number of its set: functions of a set have one centre.
    public var set: Int
    /// The line of its name, for messages.
    public var line: Int
  }

  /// The functions, in order.
  public private(set) var functions: [Function] = []

  /// The options before the functions, such as GAIN, by name in capitals.
  public private(set) var options: [String: Double] = [:]

  /// The name of the file.
  private let name: String

  /// The parameters of each function that is understood.
  private static let parameters: [String: [String]] = [
    "SERSIC": ["PA", "ELL", "N", "I_E", "R_E"], "EXPONENTIAL": ["PA", "ELL", "I_0", "H"],
    "GAUSSIAN": ["PA", "ELL", "I_0", "SIGMA"], "MOFFAT": ["PA", "ELL", "I_0", "FWHM", "BETA"],
    "POINTSOURCE": ["I_TOT"], "FLATSKY": ["I_SKY"],
    "TILTEDSKYPLANE": ["I_0", "M_X", "M_Y"],
  ]

  /// Whether a text looks like a configuration of imfit rather than of GALFIT.
  public static func isLikely(_ text: String) -> Bool {
    numberedLines(text).contains { $0.text.uppercased().hasPrefix("FUNCTION") }
  }

  /// Reads a configuration.
  ///
  /// - Parameters:
  ///   - text: The text of the file.
  ///   - name: The name of the file, for messages.
  /// - Throws: ``OptionError`` that names the line, what was expected and what was found.
  public init(_ text: String, name: String) throws(OptionError) {
    self.name = name
    var center: [String: Value] = [:]
    var set = 0
    for line in numberedLines(text) {
      let place = "\(name), line \(line.number)"
      let words = line.text.split(whereSeparator: \.isWhitespace).map { String($0) }
      let key = words[0].uppercased()
      if key == "X0" || key == "Y0" {
        if key == "X0" { set += 1 }
        center[key] = try Self.value(words, place)
      } else if key == "FUNCTION" {
        let function = words.count > 1 ? words[1] : ""
        guard Self.parameters[function.uppercased()] != nil else {
          throw OptionError(
            place,
            "expected one of the functions Sersic, Exponential, Gaussian, Moffat, PointSource, FlatSky, TiltedSkyPlane, found \"\(function)\"; take it out, or write the model as a program"
          )
        }
        functions.append(Function(name: function, values: center, set: set, line: line.number))
      } else if functions.isEmpty {
        if words.count > 1, let number = Double(words[1]) { options[key] = number }
      } else {
        functions[functions.count - 1].values[key] = try Self.value(words, place)
      }
    }
    guard !functions.isEmpty else {
      throw OptionError(name, "expected an imfit configuration with functions, found none")
    }
    for function in functions {
      let wanted =
        (Self.parameters[function.name.uppercased()] ?? []) + (function.isSky ? [] : ["X0", "Y0"])
      let missing = wanted.filter { function.values[$0] == nil }
      guard missing.isEmpty else {
        throw OptionError(
          "\(name), line \(function.line)",
          "expected a value for each parameter of \(function.name), found none for \(missing.joined(separator: ", "))"
        )
      }
    }
  }

  /// Returns a number with its limits: `12.5`, `12.5 fixed` or `12.5 0,20`.
  private static func value(_ words: [String], _ place: String) throws(OptionError) -> Value {
    guard words.count > 1, let number = Double(words[1]), number.isFinite else {
      throw OptionError(
        place, "expected a number after \(words[0]), found \"\(words.dropFirst().first ?? "")\"")
    }
    let rest = words.dropFirst(2).joined()
    if rest.isEmpty { return Value(value: number, isFixed: false, limits: nil) }
    if rest.lowercased() == "fixed" { return Value(value: number, isFixed: true, limits: nil) }
    let ends = rest.split(separator: ",").compactMap { Double($0) }
    guard ends.count == 2, ends[0] < ends[1] else {
      throw OptionError(place, "expected \"fixed\" or LOW,HIGH after the number, found \"\(rest)\"")
    }
    return Value(value: number, isFixed: false, limits: ends[0]...ends[1])
  }
}

extension ImfitConfiguration.Function {
  /// Whether the function is a sky.
  var isSky: Bool { ["FLATSKY", "TILTEDSKYPLANE"].contains(name.uppercased()) }

  /// Returns the number of a parameter.
  func number(_ key: String) -> Double { values[key]?.value ?? .nan }

  /// The kind of profile; nil for a sky.
  var profile: ProfileKind? {
    switch name.uppercased() {
    case "SERSIC": .sersic
    case "EXPONENTIAL": .exponential
    case "GAUSSIAN": .gaussian
    case "MOFFAT": .moffat
    case "POINTSOURCE": .pointSource
    default: nil
    }
  }

  /// The name of the radius, and r_eff over it.
  private var radius: (key: String, ratio: Double)? {
    switch name.uppercased() {
    case "SERSIC": ("R_E", 1)
    case "EXPONENTIAL": ("H", GalfitConfiguration.Kind.expdisk.radiusRatio(beta: 0))
    // √(2 ln 2).
    case "GAUSSIAN": ("SIGMA", (2 * log(2)).squareRoot())
    case "MOFFAT": ("FWHM", GalfitConfiguration.Kind.moffat.radiusRatio(beta: number("BETA")))
    default: nil
    }
  }

  /// The total flux of the first values: the integral of the profile over the plane.
  var flux: Double {
    let q = 1 - number("ELL")
    switch name.uppercased() {
    case "SERSIC":
      // The brightness at r_e of unit flux and radius, by the renderers' own constants.
      let form = ProfileKind.sersic.makeForm(indices: 0.1...20)
      guard let form, form.update([number("N")]) else { return .nan }
      return number("R_E") * number("R_E") * q * number("I_E") / exp(form.logDensity(1).value)
    case "EXPONENTIAL": return 2 * .pi * number("H") * number("H") * q * number("I_0")
    case "GAUSSIAN": return 2 * .pi * number("SIGMA") * number("SIGMA") * q * number("I_0")
    case "MOFFAT":
      // α² = (FWHM/2)² / (2^(1/β) − 1); the integral is π α² q I0 / (β − 1).
      let beta = number("BETA")
      let half = 0.5 * number("FWHM")
      return .pi * half * half / expm1(log(2) / beta) * q * number("I_0") / (beta - 1)
    default: return number("I_TOT")
    }
  }

  /// Returns the component, in pixels of an image whose first pixel has a place in the parent.
  func component(origin: ImagePoint) -> ImportedScene.Component? {
    guard let profile else { return nil }
    typealias S = GalaxySite
    var entries: [(site: String, key: String, map: (Double) -> Double)] = [
      (S.xc, "X0", { $0 - 1 - origin.x }), (S.yc, "Y0", { $0 - 1 - origin.y }),
    ]
    if let radius { entries.append((S.rEff, radius.key, { $0 * radius.ratio })) }
    if profile == .sersic { entries.append((S.n, "N", { $0 })) }
    if profile == .moffat { entries.append((ImportedScene.beta, "BETA", { $0 })) }
    if profile.isExtended {
      entries.append((S.ellip, "ELL", { $0 }))
      // Counter-clockwise from +y, as ours.
      entries.append((S.theta, "PA", { $0 * .pi / 180 }))
    }
    var result = ImportedScene.Component(kind: profile, values: [S.flux: flux], free: [])
    for entry in entries {
      guard let value = values[entry.key] else { continue }
      result.values[entry.site] = entry.map(value.value)
      if !value.isFixed { result.free.insert(entry.site) }
      if let limits = value.limits, entry.site != S.theta {
        let (low, high) = (entry.map(limits.lowerBound), entry.map(limits.upperBound))
        // Not so without a number: the first value is none either then.
        if low <= high { result.bounds[entry.site] = low...high }
      }
    }
    if let intensity, values[intensity]?.isFixed == false { result.free.insert(S.flux) }
    return result
  }

  /// The name of the parameter that sets the flux.
  var intensity: String? { ["I_E", "I_0", "I_TOT"].first { values[$0] != nil } }
}

extension ImportedScene {
  /// Creates the scene of a configuration of imfit.
  ///
  /// Intensities become total fluxes; a limit of an intensity is none of a flux, and is in `findings`. A sky's plane is zero at
  /// its X0, Y0 where it has one.
  ///
  /// - Parameters:
  ///   - configuration: The configuration.
  ///   - image: The image.
  /// - Throws: ``OptionError`` where there are two skies, or nothing is left of a range.
  public init(
    _ configuration: ImfitConfiguration, _ image: ObservedImage
  ) throws(OptionError) {
    /// The first component of each set, counted from 0.
    var heads: [Int: Int] = [:]
    for function in configuration.functions {
      guard let component = function.component(origin: image.origin) else {
        guard sky == .none else {
          throw OptionError("sky", "expected one function of sky, found another; take one out")
        }
        setSky(function, image)
        continue
      }
      let index = components.count
      try Self.checkValues(component, index + 1)
      components.append(component)
      if let intensity = function.intensity, function.values[intensity]?.limits != nil {
        findings.append(
          InputFinding(
            .note, "limits", subject: Self.site(GalaxySite.flux, index),
            "the limits of \(intensity) of \(function.name) were not carried over: the flux depends on the other parameters too"
          ))
      }
      if function.values["PA"]?.limits != nil {
        findings.append(
          InputFinding(
            .note, "limits", subject: Self.site(GalaxySite.theta, index),
            "the limits of PA were not carried over: an angle runs around its circle"))
      }
      if let head = heads[function.set] {
        for site in [GalaxySite.xc, GalaxySite.yc] where component.free.contains(site) {
          ties[Self.site(site, index)] = Tie(reference: Self.site(site, head), offset: 0)
        }
      } else {
        heads[function.set] = index
      }
    }
    guard !components.isEmpty else {
      throw OptionError("scene", "expected a function of light, found skies only")
    }
    try checkRanges()
  }

  /// Takes a function of sky.
  private mutating func setSky(_ function: ImfitConfiguration.Function, _ image: ObservedImage) {
    let keys = [
      (GalaxySite.skyBack, ["I_SKY", "I_0"]), (GalaxySite.skyXSl, ["M_X"]),
      (GalaxySite.skyYSl, ["M_Y"]),
    ]
    sky = function.name.uppercased() == "FLATSKY" ? .flat : .tiltedPlane
    for (site, names) in keys where sky.sites.contains(site) {
      guard let value = names.compactMap({ function.values[$0] }).first else { continue }
      skyValues[site] = value.value
      if !value.isFixed { freeSky.insert(site) }
    }
    // The plane's level is that at X0, Y0; ours is that in the middle of the frame.
    guard sky == .tiltedPlane, let x0 = function.values["X0"], let y0 = function.values["Y0"] else {
      return
    }
    let (dx, dy) = (
      image.center.x - (x0.value - 1 - image.origin.x),
      image.center.y - (y0.value - 1 - image.origin.y)
    )
    skyValues[GalaxySite.skyBack, default: 0] +=
      function.number("M_X") * dx + function.number("M_Y") * dy
  }
}
