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

  /// Returns the priors of the free parameters: wide ones around the first values, within the bounds.
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
      for site in component.sites where component.free.contains(site) {
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
    let first = component.values[site] ?? 0
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

  /// Returns a prior confined to a range.
  private func bounded(
    _ prior: any Distribution, _ site: String, _ range: ClosedRange<Double>
  ) -> any Distribution {
    switch site {
    case GalaxySite.n: Uniform(max(range.lowerBound, 0.25), min(range.upperBound, 12))
    case Self.beta: Uniform(max(range.lowerBound, 1.1), min(range.upperBound, 50))
    case GalaxySite.ellip: Uniform(max(range.lowerBound, 0), min(range.upperBound, 0.99))
    case GalaxySite.theta: prior
    default: prior.truncated(below: range.lowerBound, above: range.upperBound)
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

  /// Returns the values of all sites for those of the free ones: held and tied ones follow.
  public func complete(_ free: [String: Double]) -> [String: Double] {
    var values: [String: Double] = [:]
    for (site, first) in firstValues {
      if let tie = ties[site], let reference = values[tie.reference] {
        values[site] = tie.value(of: reference)
      } else {
        values[site] = free[site] ?? first
      }
    }
    return values
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
