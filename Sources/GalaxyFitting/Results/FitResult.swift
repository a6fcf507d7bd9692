// SPDX-License-Identifier: MIT
//
// The whole result of a fit of one source: summaries, verdict, warnings and provenance, ready for tables and files.

public import GalaxyModels
public import Inference

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The result of a fit of one source.
///
/// ```swift
/// let result = FitResult(posterior)
/// print(result.table)
/// result.write(to: try OutputFolder("fit"))
/// ```
public struct FitResult: Sendable {
  /// The maximum of the posterior.
  public let best: MAPFit

  /// The estimate of the posterior; nil where only the maximum was searched.
  public let posterior: PosteriorFit?

  /// Where the result comes from.
  public let provenance: FitProvenance

  /// The parameters in the order of the model, fixed ones included.
  public let parameters: [ParameterSummary]

  /// The centre in the parent image, of which the image is a section; empty for a whole image.
  public let parentParameters: [ParameterSummary]

  /// Quantities that follow from the parameters: the magnitude, where there is a zero point; the noise in image units.
  public let derived: [ParameterSummary]

  /// Everything that was remarked on: the image, the guesses behind the priors, the search, the posterior.
  public let findings: [InputFinding]

  /// Gathers the result of a fit.
  ///
  /// - Parameters:
  ///   - best: The maximum of the posterior.
  ///   - posterior: The estimate of the posterior, if there is one.
  ///   - provenance: Where the result comes from.
  ///   - remarks: What was found while the fit was prepared, besides the image's own findings.
  public init(
    _ best: MAPFit, posterior: PosteriorFit? = nil, provenance: FitProvenance = FitProvenance(),
    remarks: [InputFinding] = []
  ) {
    self.best = best
    self.posterior = posterior
    self.provenance = provenance
    let fit = best.fit
    let draws = Dictionary((posterior?.draws.scalars ?? []).map { ($0.name, $0) }) { $1 }
    parameters = best.parameters.map { name, value in
      let unit = fit.prior.unit(of: name)
      if fit.prior.fixed[name] != nil {
        return ParameterSummary(name: name, unit: unit, map: value, isFixed: true)
      }
      guard let scalar = draws[name] else {
        return ParameterSummary(name: name, unit: unit, map: value)
      }
      return ParameterSummary(
        name: name, unit: unit, map: value, draws: scalar,
        isSampled: posterior?.sampler != nil)
    }
    let origin = fit.image.origin
    let isSection = origin.x != 0 || origin.y != 0
    parentParameters = parameters.compactMap { summary in
      switch fit.prior.parameter(summary.name) {
      case GalaxySite.xc where isSection: summary.shifted(by: origin.x, name: summary.name)
      case GalaxySite.yc where isSection: summary.shifted(by: origin.y, name: summary.name)
      default: nil
      }
    }
    let isSampled = posterior?.sampler != nil
    derived =
      fit.prior.sources.flatMap { source in
        FitResult.componentFluxes(best, source, draws, isSampled: isSampled)
          + [FitResult.magnitude(best, source, draws, isSampled: isSampled)].compactMap { $0 }
      } + FitResult.noise(best, draws, isSampled: isSampled)
    var seen: Set<InputFinding> = []
    findings = (fit.image.findings + remarks + best.findings + (posterior?.findings ?? []))
      .filter { seen.insert($0).inserted }
  }

  /// Gathers the result of a posterior estimate.
  public init(
    _ posterior: PosteriorFit, provenance: FitProvenance = FitProvenance(),
    remarks: [InputFinding] = []
  ) {
    self.init(posterior.best, posterior: posterior, provenance: provenance, remarks: remarks)
  }

  /// The way the result was found: `map`, or that of the posterior.
  public var method: String { posterior?.method ?? "map" }

  /// The findings that matter to the result.
  public var warnings: [InputFinding] { findings.filter { $0.severity >= .warning } }

  /// The draws of the posterior; nil without one.
  public var draws: Draws? { posterior?.draws }

  /// Whether the numbers mean anything: all of them are finite.
  public var isUsable: Bool {
    best.logPosterior.isFinite && best.parameters.allSatisfy(\.value.isFinite)
      && best.chiSquared.isFinite
  }

  /// The renderer that drew the model: images without PSF, or whose PSF lacks the pixel response, are always integrated.
  public var renderer: RenderingMethod {
    best.fit.image.psf == nil || best.fit.pixelResponse == .integrated
      ? .pixel : best.fit.method
  }

  /// The convention of the pixel in words.
  public var pixelConvention: String {
    switch (best.fit.pixelResponse, best.fit.image.psf == nil) {
    case (_, true): "no PSF; the profile is integrated over each pixel"
    case (.included, _): "the PSF is taken to include the pixel response"
    case (.integrated, _): "the profile is integrated over each pixel, then convolved with the PSF"
    }
  }

  /// The covariance of the free parameters, from the draws; angles on the branch around their mean direction.
  ///
  /// - Returns: The names, and the matrix, row by row; nil without a posterior.
  public var covariance: (names: [String], matrix: [[Double]])? {
    guard let posterior else { return nil }
    let scalars = posterior.draws.scalars
    let centred = scalars.map { scalar -> [Double] in
      let values = scalar.unwrapped
      let mean = values.reduce(0, +) / Double(values.count)
      return values.map { $0 - mean }
    }
    let divisor = Double(max(1, posterior.draws.chains * posterior.draws.draws - 1))
    let matrix = centred.map { a in
      centred.map { b in zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } / divisor }
    }
    return (scalars.map(\.name), matrix)
  }

  /// Returns what the parameters of the noise stand for: noise besides the rms in image units, the share of outliers.
  private static func noise(
    _ best: MAPFit, _ draws: [String: ScalarDraws], isSampled: Bool
  ) -> [ParameterSummary] {
    best.fit.loss.parameters(for: best.fit.image).compactMap { parameter in
      guard let derived = parameter.derived, let map = best.values[parameter.site] else {
        return nil
      }
      let unit = GalaxySite.unit(of: derived.site)
      guard let scalar = draws[parameter.site] else {
        return ParameterSummary(
          name: derived.site, unit: unit, map: map * derived.factor,
          isFixed: best.fit.prior.fixed[parameter.site] != nil)
      }
      return ParameterSummary(
        name: derived.site, unit: unit, map: map * derived.factor,
        draws: ScalarDraws(
          name: derived.site, chains: scalar.chains,
          values: scalar.values.map { $0 * derived.factor }, period: nil), isSampled: isSampled)
    }
  }

  /// Returns the fluxes of a source's components; none where there is one only.
  private static func componentFluxes(
    _ best: MAPFit, _ source: SourcePrior, _ draws: [String: ScalarDraws], isSampled: Bool
  ) -> [ParameterSummary] {
    let profile = source.profile
    let values = best.values
    let maps = profile.fluxes { values[source.site($0)] ?? .nan }
    let names = profile.fluxNames.map(source.site)
    let unit = GalaxySite.unit(of: GalaxySite.flux)
    guard let any = draws.values.first else {
      return zip(names, maps).map { ParameterSummary(name: $0, unit: unit, map: $1) }
    }
    var columns = maps.map { _ in [Double]() }
    for i in any.values.indices {
      // A fixed parameter has no draws.
      let fluxes = profile.fluxes {
        draws[source.site($0)]?.values[i] ?? values[source.site($0)] ?? .nan
      }
      for (k, flux) in fluxes.enumerated() { columns[k].append(flux) }
    }
    return names.enumerated().map { k, name in
      ParameterSummary(
        name: name, unit: unit, map: maps[k],
        draws: ScalarDraws(name: name, chains: any.chains, values: columns[k], period: nil),
        isSampled: isSampled)
    }
  }

  /// Returns the magnitude zero point − 2.5 log10 flux; nil without a zero point or with fluxes that are not positive.
  private static func magnitude(
    _ best: MAPFit, _ source: SourcePrior, _ draws: [String: ScalarDraws], isSampled: Bool
  ) -> ParameterSummary? {
    let site = source.site(GalaxySite.flux)
    let name = source.site("magnitude")
    guard let zeroPoint = best.fit.image.zeroPoint, let map = best.values[site], map > 0
    else { return nil }
    let value = zeroPoint - 2.5 * log10(map)
    guard let flux = draws[site], flux.values.allSatisfy({ $0 > 0 }) else {
      return ParameterSummary(name: name, unit: "mag", map: value)
    }
    let magnitudes = ScalarDraws(
      name: name, chains: flux.chains, values: flux.values.map { zeroPoint - 2.5 * log10($0) },
      period: nil)
    return ParameterSummary(
      name: name, unit: "mag", map: value, draws: magnitudes, isSampled: isSampled)
  }
}
