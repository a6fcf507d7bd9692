// SPDX-License-Identifier: MIT
//
// A scene that another program's configuration describes: components with first values, what is free, bounds and ties.

public import Distributions
public import GalaxyModels
public import PPL
public import Rendering
import Tensors

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Components of light and a sky, with first values in our numbers: pixels of the image from 0, fluxes, radians, r_eff, ellip.
///
/// Sites carry the number of their component, from 1: `xc_1`, `flux_2`. It becomes a model by ``model(_:loss:method:)``.
public struct ImportedScene: Sendable {
  /// The exponent of a Moffat profile: its site, and parameter.
  static let beta = "beta"

  /// A component.
  public struct Component: Sendable {
    /// The kind of profile.
    public var kind: ProfileKind
    /// The first values, by site without number.
    public var values: [String: Double]
    /// The parameters that are not held at their first value.
    public var free: Set<String>
    /// Ranges of free parameters.
    public var bounds: [String: ClosedRange<Double>] = [:]

    /// The sites without number, in the order of the model.
    public var sites: [String] { kind.parameterNames }
  }

  /// A parameter that follows from that of another component.
  public struct Tie: Sendable, Hashable {
    /// The site of the other component.
    public var reference: String
    /// What is added to its value; nil for a ratio.
    public var offset: Double?
    /// The ratio to its value.
    public var ratio = 1.0

    /// Returns the value that follows from that of the other component; of an angle, whose period is given, within [0, period).
    func value(of reference: Double, period: Double? = nil) -> Double {
      let value = offset.map { reference + $0 } ?? reference * ratio
      return period.map { value - $0 * (value / $0).rounded(.down) } ?? value
    }
  }

  /// The components.
  public var components: [Component] = []
  /// The form of the sky.
  public var sky = SkyKind.none
  /// The first values of the sky.
  public var skyValues: [String: Double] = [:]
  /// The parameters of the sky that are free.
  public var freeSky: Set<String> = []
  /// Parameters that follow from others, by site.
  public var ties: [String: Tie] = [:]
  /// What could not be carried over.
  public var findings: [InputFinding] = []

  /// Returns the site of a parameter of a component, counted from 0.
  public static func site(_ parameter: String, _ index: Int) -> String {
    "\(parameter)_\(index + 1)"
  }

  /// All sites with their first values, in the order of the model.
  public var firstValues: [(site: String, value: Double)] {
    components.enumerated().flatMap { k, component in
      component.sites.map { (Self.site($0, k), component.values[$0] ?? .nan) }
    } + sky.sites.map { ($0, skyValues[$0] ?? 0) }
  }

  /// The sites that a fit determines, in order.
  public var freeSites: [String] {
    components.enumerated().flatMap { k, component in
      component.sites.filter { component.free.contains($0) }.map { Self.site($0, k) }
    }.filter { ties[$0] == nil } + sky.sites.filter { freeSky.contains($0) }
  }

  // MARK: - Model

  /// Returns the priors of the free parameters: wide ones around the first values, or around the end of a range beyond which these lie,
  /// within the bounds.
  ///
  /// xc, yc ~ Normal(first, max(2, r_eff/2)); flux ~ LogNormal(log first, 1.5); r_eff ~ LogNormal(log first, 1); n ~
  /// Uniform(0.3, 10); beta ~ Uniform(1.2, 20); ellip ~ Uniform(0, 0.95); theta uniform on the circle; sky ~ Normal(first, scatter
  /// of the border + distance of its median from the first value), slopes ~ Normal(first, a tenth of it).
  ///
  /// - Parameter image: The image.
  /// - Returns: A distribution for each free site.
  public func priors(_ image: ObservedImage) -> [String: any Distribution] {
    let border = SourceProperties(image)
    var priors: [String: any Distribution] = [:]
    for (k, component) in components.enumerated() {
      for site in component.sites
      where component.free.contains(site) && ties[Self.site(site, k)] == nil {
        let own = prior(site, component)
        priors[Self.site(site, k)] = component.bounds[site].map { bounded(own, site, $0) } ?? own
      }
    }
    let first = skyValues[GalaxySite.skyBack] ?? 0
    let width = max(
      border.skyError + abs(first - border.sky), Double.leastNormalMagnitude)
    for site in sky.sites where freeSky.contains(site) {
      priors[site] =
        site == GalaxySite.skyBack
        ? Normal(first, width) : Normal(skyValues[site] ?? 0, 0.1 * width)
    }
    return priors
  }

  /// Returns the prior of a parameter without bounds.
  private func prior(_ site: String, _ component: Component) -> any Distribution {
    let value = component.values[site] ?? 0
    // A prior far from its range would leave no mass there.
    let first =
      component.bounds[site].map { min(max(value, $0.lowerBound), $0.upperBound) } ?? value
    switch site {
    case GalaxySite.xc, GalaxySite.yc:
      return Normal(first, max(2, 0.5 * (component.values[GalaxySite.rEff] ?? 0)))
    case GalaxySite.flux: return LogNormal(log(first), 1.5)
    case GalaxySite.rEff: return LogNormal(log(first), 1)
    case GalaxySite.n: return Uniform(0.3, 10)
    case Self.beta: return Uniform(1.2, 20)
    case GalaxySite.ellip: return Uniform(0, 0.95)
    default: return CircularUniform(period: Double.pi)
    }
  }

  /// Returns a prior confined to the part of a range that is permitted; ``checkRanges()`` has seen to it that there is one.
  private func bounded(
    _ prior: any Distribution, _ site: String, _ range: ClosedRange<Double>
  ) -> any Distribution {
    let permitted = Self.permitted(site)
    switch site {
    case GalaxySite.n, Self.beta, GalaxySite.ellip:
      return Uniform(
        max(range.lowerBound, permitted.lowerBound), min(range.upperBound, permitted.upperBound))
    case GalaxySite.theta: return prior
    default:
      // An open end is no bound; neither is one beyond what the parameter can be.
      let low = range.lowerBound > permitted.lowerBound ? range.lowerBound : nil
      let high = range.upperBound < permitted.upperBound ? range.upperBound : nil
      guard low != nil || high != nil else { return prior }
      return prior.truncated(below: low, above: high)
    }
  }

  /// Returns the range in which a parameter can be, whatever a configuration says.
  private static func permitted(_ site: String) -> ClosedRange<Double> {
    switch site {
    case GalaxySite.n: 0.25...12
    case beta: 1.1...50
    case GalaxySite.ellip: 0...0.99
    case GalaxySite.flux, GalaxySite.rEff: 0...Double.infinity
    default: -Double.infinity...Double.infinity
    }
  }

  /// Checks that something is left of each range of a free parameter within what is permitted.
  ///
  /// - Throws: ``OptionError`` that names the parameter, both ranges and the component.
  func checkRanges() throws(OptionError) {
    let free = Set(freeSites)
    for (k, component) in components.enumerated() {
      for (site, range) in component.bounds.sorted(by: { $0.key < $1.key })
      where free.contains(Self.site(site, k)) {
        let permitted = Self.permitted(site)
        let low = max(range.lowerBound, permitted.lowerBound)
        let high = min(range.upperBound, permitted.upperBound)
        guard low < high else {
          let axis = site == GalaxySite.ellip ? " (ellip = 1 − b/a)" : ""
          throw OptionError(
            Self.site(site, k),
            "expected a range that overlaps with \(shortened(permitted.lowerBound)) to \(shortened(permitted.upperBound)), found \(shortened(range.lowerBound)) to \(shortened(range.upperBound))\(axis); change the range of component \(k + 1), \(component.kind.name)"
          )
        }
      }
    }
  }

  /// Checks that priors can be laid around the first values of a component: finite, and those on a logarithmic scale above 0.
  ///
  /// - Parameters:
  ///   - component: The component.
  ///   - number: The number of the component in its file.
  /// - Throws: ``OptionError`` that names component, parameter and value.
  static func checkValues(_ component: Component, _ number: Int) throws(OptionError) {
    for site in component.sites {
      let value = component.values[site] ?? .nan
      let isPositive =
        component.free.contains(site) && [GalaxySite.flux, GalaxySite.rEff].contains(site)
      guard value.isFinite, value > 0 || !isPositive else {
        throw OptionError(
          "component \(number), \(component.kind.name)",
          "\(site): expected a first value that is a finite number\(isPositive ? " > 0" : ""), found \(value); change the component's first values"
        )
      }
    }
  }

  /// Returns the scene as a probabilistic program.
  ///
  /// - Parameters:
  ///   - image: The image.
  ///   - loss: The density of the pixels around the model image.
  ///   - method: How the scene is rendered.
  /// - Returns: The model; its output is the light.
  public func model(
    _ image: ObservedImage, loss: ImageLoss = .gaussian, method: RenderingMethod = .fourier
  ) -> Model<LightProfile> {
    let priors = priors(image)
    let scene = self
    return Model { m in
      var known: [String: Tensor] = [:]
      for (k, component) in scene.components.enumerated() {
        for parameter in component.sites {
          let site = Self.site(parameter, k)
          if let tie = scene.ties[site], let reference = known[tie.reference] {
            known[site] = m.deterministic(
              site, tie.offset.map { reference + $0 } ?? reference * tie.ratio)
          } else if let prior = priors[site] {
            known[site] = m.sample(site, any: prior)
          } else {
            known[site] = Tensor(component.values[parameter] ?? .nan)
          }
        }
      }
      var sky = scene.skyValues.mapValues { Tensor($0) }
      for site in scene.sky.sites {
        if let prior = priors[site] { sky[site] = m.sample(site, any: prior) }
      }
      let light = scene.light { known[$0] ?? Tensor(.nan) }
      m.observe(image, light, sky: scene.sky(sky), loss: loss, method: method)
      return light
    }
  }

  /// Returns the light of parameters by site.
  func light(_ value: (String) -> Tensor) -> LightProfile {
    LightProfile(
      components.enumerated().map { k, component in
        LightProfile.Component(
          component.kind, component.sites.map { value(Self.site($0, k)) })
      })
  }

  /// Returns the sky of parameters by site.
  func sky(_ values: [String: Tensor]) -> Sky {
    let zero = Tensor(0)
    let back = values[GalaxySite.skyBack] ?? zero
    switch sky {
    case .none: return .none
    case .flat: return .flat(back)
    case .tiltedPlane:
      return .tiltedPlane(
        back, x: values[GalaxySite.skyXSl] ?? zero, y: values[GalaxySite.skyYSl] ?? zero)
    }
  }
}

extension ImportedScene.Tie: CustomStringConvertible {
  /// What the parameter follows from, in letters that headers of FITS files have: `xc_1`, `xc_1 + 2.5`, `0.5 * flux_1`.
  public var description: String {
    guard let offset else { return ratio == 1 ? reference : "\(shortened(ratio)) * \(reference)" }
    guard offset != 0 else { return reference }
    return "\(reference) \(offset < 0 ? "-" : "+") \(shortened(abs(offset)))"
  }
}

extension ModelContext {
  /// Draws a site from a distribution of any kind.
  fileprivate func sample(_ name: String, any distribution: any Distribution) -> Tensor {
    /// Draws from a distribution whose type is known.
    func draw(_ distribution: some Distribution) -> Tensor { sample(name, distribution) }
    return draw(distribution)
  }
}

extension ImportedScene {
  /// Returns the scene as a table: first value, prior or what holds it, for each parameter.
  public func text(_ image: ObservedImage) -> String {
    let priors = priors(image)
    var rows = [["parameter", "first", "prior"]]
    for (site, first) in firstValues {
      let tie = ties[site]
      rows.append([
        site, significant(first, 7),
        tie.map { "tied to \($0)" } ?? priors[site].map { $0.description } ?? "held",
      ])
    }
    let kinds = components.enumerated().map { "\($0 + 1) \($1.kind.name)" }
    return
      "\(image.names.science): components \(kinds.joined(separator: ", ")); sky \(sky.rawValue)\n\n"
      + TextTable.lines(rows).joined(separator: "\n") + "\n"
  }
}
