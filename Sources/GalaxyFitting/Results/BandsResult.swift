// SPDX-License-Identifier: MIT
//
// The result of a joint fit of several bands: the joint parameters, each band by itself, values at other wavelengths.

import Numerics
import Distributions
public import GalaxyModels
import Inference
import Rendering
import Tensors

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The result of a joint fit of several bands.
///
/// ```swift
/// let result = try BandsResult(fit.estimatePosterior(.laplace))
/// print(result.table)
/// print(try result.parameter("r_eff", at: [550, 800]))
/// let g = try result.band("g")                                     // a FitResult, in the pixels of that band
/// for product in result.write(to: try OutputFolder("fit")) { print(product.name) }
/// ```
public struct BandsResult: Sendable {
  /// The fit.
  public let fit: FitMultiBand

  /// The joint parameters: their summaries, verdict and provenance.
  public let joint: FitResult

  /// The result of each band by itself, in its own pixels; its log posterior is the logarithm of the likelihood.
  public let bands: [FitResult]

  /// Linked parameters in each band, magnitudes, and colours of neighbouring bands with zero points.
  public let derived: [ParameterSummary]

  /// The draws of those of them that vary; empty without a posterior.
  let derivedDraws: [Draws.Site]

  /// Gathers the result of a fit.
  ///
  /// - Parameters:
  ///   - best: The maximum of the posterior.
  ///   - posterior: The estimate of the posterior, if there is one.
  ///   - provenance: Where the result comes from.
  ///   - remarks: What was found while the fit was prepared, besides the images' own findings.
  /// - Throws: `ModelError` or `GalaxyModelError` where a band cannot be shown by itself.
  /// - Precondition: The maximum is that of a ``FitMultiBand``.
  public init(
    _ best: MAPFit, posterior: PosteriorFit? = nil, provenance: FitProvenance = FitProvenance(),
    remarks: [InputFinding] = []
  ) throws {
    guard let fit = best.fit as? FitMultiBand else {
      stop(
        "BandsResult: expected the maximum of a FitMultiBand, got \(best.fit.prior.title)")
    }
    self.fit = fit
    let bands = try fit.bands.indices.map { number -> FitResult in
      let projection = BandProjection(fit: fit, number: number)
      let own = try projection.maximum(best)
      return FitResult(
        own, posterior: posterior.map { projection.posterior($0, own) }, provenance: provenance)
    }
    self.bands = bands
    let rows = zip(fit.bands, bands).map { band, result in
      BandsReport.Row(
        name: band.name, image: band.image.names.science, wavelength: band.wavelength,
        sky: band.sky.rawValue, loss: "\(band.loss)", chiSquared: result.best.chiSquared,
        pixelCount: result.best.pixelCount)
    }
    joint = FitResult(
      best, posterior: posterior, provenance: provenance,
      remarks: fit.bands.dropFirst().flatMap(\.image.findings) + fit.findings + remarks,
      joint: BandsReport(rows))
    let linked = fit.prior.parameters.filter(\.link.needsWavelengths).flatMap { parameter in
      fit.bands.indices.map { band in
        BandsResult.quantity(
          best, posterior, name: parameter.bandNames[band],
          unit: GalaxySite.unit(of: parameter.quantity), quantity: parameter.quantity
        ) { values in
          fit.prior.value(of: parameter, parameter.sites.map(values), band: band)
        }
      }
    }
    let magnitudes = zip(fit.bands, bands).flatMap { BandsResult.magnitudes($0, $1) }
    let quantities = linked + magnitudes + BandsResult.colors(fit, best, posterior)
    derived = quantities.map(\.summary)
    derivedDraws = quantities.compactMap(\.draws)
  }

  /// Gathers the result of a posterior estimate.
  ///
  /// - Throws: `ModelError` or `GalaxyModelError` where a band cannot be shown by itself.
  public init(
    _ posterior: PosteriorFit, provenance: FitProvenance = FitProvenance(),
    remarks: [InputFinding] = []
  ) throws {
    try self.init(
      posterior.best, posterior: posterior, provenance: provenance, remarks: remarks)
  }

  /// The maximum of the posterior.
  public var best: MAPFit { joint.best }

  /// The estimate of the posterior; nil where only the maximum was searched.
  public var posterior: PosteriorFit? { joint.posterior }

  /// The joint parameters in the order of the model, fixed ones included.
  public var parameters: [ParameterSummary] { joint.parameters }

  /// Everything that was remarked on, of the joint fit and of the bands.
  public var findings: [InputFinding] {
    var seen = Set(joint.findings)
    var list = joint.findings
    // Of a band its pixels and its shape say something; the search is that of the joint fit.
    let own = Set(
      [
        FitFindingCode.round, .componentsCoincide, .frameSmall, .peakMasked, .borderLight,
      ].map(\.rawValue))
    for (band, result) in zip(fit.bands, bands) {
      for finding in result.best.findings where own.contains(finding.code) {
        let named = InputFinding(
          finding.severity, finding.code, subject: "\(finding.subject) in band \(band.name)",
          finding.message)
        if seen.insert(named).inserted { list.append(named) }
      }
    }
    return list
  }

  /// The findings that matter to the result.
  public var warnings: [InputFinding] { findings.filter { $0.severity >= .warning } }

  /// Returns the summary of a joint parameter or a derived quantity; nil where there is none of that name.
  public subscript(name: String) -> ParameterSummary? {
    (parameters + derived).first { $0.name == name }
  }

  /// Returns the result of a band by itself, in its own pixels and under the names of a fit of one image.
  ///
  /// - Throws: `GalaxyModelError` where there is no band of that name.
  public func band(_ name: String) throws -> FitResult {
    guard let number = fit.bands.firstIndex(where: { $0.name == name }) else {
      throw GalaxyModelError(
        .invalidBands(
          "expected one of the bands \(fit.bands.map(\.name).joined(separator: ", ")), found \(name); use one of these"
        ))
    }
    return bands[number]
  }

  // MARK: - Wavelengths

  /// Returns the summaries of a parameter at further wavelengths: what its link makes of the posterior there.
  ///
  /// Outside the bands a polynomial goes on, with errors that grow; a B-spline ends.
  ///
  /// - Parameters:
  ///   - name: The parameter without a band: `r_eff`, or `r_eff_1` of source 1.
  ///   - wavelengths: The wavelengths, in the unit of the bands.
  /// - Returns: One summary for each, named like `r_eff(550.0)`.
  /// - Throws: `GalaxyModelError` where there is no such parameter, or it has no value there.
  public func parameter(_ name: String, at wavelengths: [Double]) throws -> [ParameterSummary] {
    let parameter = try linked(name, at: wavelengths)
    return wavelengths.map { wavelength in
      BandsResult.quantity(
        best, posterior, name: "\(name)(\(wavelength))",
        unit: GalaxySite.unit(of: parameter.quantity), quantity: parameter.quantity
      ) { values in
        fit.prior.value(of: parameter, parameter.sites.map(values), wavelength: wavelength)
          ?? Tensor(.nan)
      }.summary
    }
  }

  /// Returns the parameter of a name, which has values at given wavelengths.
  private func linked(_ name: String, at wavelengths: [Double]) throws -> LinkedParameter {
    guard let parameter = fit.prior.parameter(named: name) else {
      throw GalaxyModelError(
        .unknownParameters(
          [name], known: fit.prior.parameters.map(\.name), model: fit.prior.title))
    }
    let outside = wavelengths.filter { !fit.prior.hasValue(parameter, wavelength: $0) }
    guard outside.isEmpty else {
      let reason =
        parameter.link == .free
        ? "\(name) is free and has values in the bands only; link it"
        : "\(name) is a \(parameter.link), which has values between the bands only"
      throw GalaxyModelError(
        .invalidBands(
          "expected wavelengths at which \(name) has a value, found \(outside.map { "\($0)" }.joined(separator: ", ")): \(reason)"
        ))
    }
    return parameter
  }

  // MARK: - Derived quantities

  /// A quantity that follows from the joint parameters.
  private struct Quantity {
    /// The summary.
    let summary: ParameterSummary
    /// The draws; nil without a posterior, and where it does not vary.
    var draws: Draws.Site?
  }

  /// Returns a quantity that follows from the joint parameters.
  ///
  /// - Parameters:
  ///   - best: The maximum.
  ///   - posterior: The posterior, if there is one.
  ///   - name: The name of the quantity.
  ///   - unit: Its unit.
  ///   - quantity: The site of a single source that it is like, which says whether it is an angle.
  ///   - body: Returns the quantity, given a function from sites to values: of rank 0, or one for each draw.
  /// - Returns: The quantity.
  private static func quantity(
    _ best: MAPFit, _ posterior: PosteriorFit?, name: String, unit: String, quantity: String,
    _ body: ((String) -> Tensor) -> Tensor
  ) -> Quantity {
    let values = best.values
    let isAngle = quantity == GalaxySite.theta
    /// Returns an angle in [0, π), other quantities as they are.
    func wrapped(_ x: Double) -> Double {
      isAngle ? x - Double.pi * (x / Double.pi).rounded(.down) : x
    }
    let map = wrapped(body { Tensor(values[$0] ?? .nan) }.elements[0])
    guard let posterior else {
      return Quantity(summary: ParameterSummary(name: name, unit: unit, map: map))
    }
    let fixed = best.fit.prior.fixed
    let draws = posterior.draws
    let drawn = body { site in
      fixed[site].map { Tensor($0) } ?? Tensor(draws.site(site)?.values ?? [])
    }
    guard !drawn.shape.isEmpty else {
      return Quantity(
        summary: ParameterSummary(name: name, unit: unit, map: map, isFixed: true))
    }
    let scalar = ScalarDraws(
      name: name, chains: draws.chains, values: drawn.elements.map(wrapped),
      period: isAngle ? Double.pi : nil)
    return Quantity(
      summary: ParameterSummary(
        name: name, unit: unit, map: map, draws: scalar, isSampled: posterior.sampler != nil),
      draws: Draws.Site(name: name, shape: [], period: scalar.period, values: scalar.values))
  }

  /// Returns the magnitudes of a band under the names of the joint fit.
  private static func magnitudes(_ band: Band, _ result: FitResult) -> [Quantity] {
    let report = result.record.report
    let own = DerivedQuantities(
      sources: report.sources, noise: [], calibration: report.calibration, sky: nil)
    let sites = result.draws.map { own.sites($0, values: report.values) } ?? []
    return result.derived.filter { $0.unit == "mag" && $0.name.hasPrefix("magnitude") }.map {
      summary in
      let name = "\(summary.name)_\(band.name)"
      let drawn = summary.median == nil ? nil : sites.first { $0.name == summary.name }
      return Quantity(
        summary: summary.shifted(by: 0, name: name),
        draws: drawn.map { Draws.Site(name: name, shape: [], values: $0.values) })
    }
  }

  /// Returns the colours of neighbouring bands with zero points, of sources whose fluxes are positive.
  private static func colors(
    _ fit: FitMultiBand, _ best: MAPFit, _ posterior: PosteriorFit?
  ) -> [Quantity] {
    let fluxes = fit.prior.parameters.filter { $0.quantity == GalaxySite.flux }
    return zip(fit.bands, fit.bands.dropFirst()).enumerated().flatMap { b, pair in
      guard let first = pair.0.image.zeroPoint, let second = pair.1.image.zeroPoint else {
        return [Quantity]()
      }
      return fluxes.compactMap { flux in
        let suffix = flux.source.map { "_\($0)" } ?? ""
        let sites = [flux.sites[b], flux.sites[b + 1]]
        let lowest = sites.flatMap { site in
          [best.values[site] ?? .nan] + (posterior?.draws.site(site)?.values ?? [])
        }.min()
        guard let lowest, lowest > 0 else { return nil }
        return quantity(
          best, posterior, name: "\(pair.0.name)-\(pair.1.name)\(suffix)", unit: "mag",
          quantity: GalaxySite.flux
        ) { value in
          (first - second) - 2.5 / log(10.0) * log(value(sites[0]) / value(sites[1]))
        }
      }
    }
  }
}
