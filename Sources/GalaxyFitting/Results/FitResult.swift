// SPDX-License-Identifier: MIT
//
// The whole result of a fit: maximum and posterior with all they can do, and their record, ready for tables and files.

public import GalaxyModels
public import Inference
public import JSON

/// The result of a fit.
///
/// ```swift
/// let result = FitResult(posterior)
/// print(result.table)
/// result.write(to: try OutputFolder("fit"))
/// try result.save(to: "fit.asdf")
/// ```
/// Its ``record`` is a plain value that reads back from files the same.
public struct FitResult: FitOutcome {
  /// The maximum of the posterior.
  public let best: MAPFit

  /// The estimate of the posterior; nil where only the maximum was searched.
  public let posterior: PosteriorFit?

  public let record: FitRecord

  /// Gathers the result of a fit.
  ///
  /// - Parameters:
  ///   - best: The maximum of the posterior.
  ///   - posterior: The estimate of the posterior, if there is one.
  ///   - provenance: Where the result comes from.
  ///   - remarks: What was found while the fit was prepared, besides the image's own findings.
  ///   - calibration: Zero point and pixel scale where the image and its header do not say them, or say them wrong.
  public init(
    _ best: MAPFit, posterior: PosteriorFit? = nil, provenance: FitProvenance = FitProvenance(),
    remarks: [InputFinding] = [], calibration: Calibration = Calibration()
  ) {
    self.init(
      best, posterior: posterior, provenance: provenance, remarks: remarks,
      calibration: calibration, joint: nil)
  }

  /// Gathers the result of a fit, perhaps of several bands together.
  init(
    _ best: MAPFit, posterior: PosteriorFit?, provenance: FitProvenance, remarks: [InputFinding],
    calibration: Calibration = Calibration(), joint: BandsReport?
  ) {
    self.best = best
    self.posterior = posterior
    let report = FitReport(
      best, posterior: posterior,
      calibration: Calibration(best.fit.image).replaced(by: calibration), provenance: provenance,
      remarks: remarks)
    record = FitRecord(
      report, draws: posterior.map { best.fit.completed($0.draws) },
      pixels: FittedPixels(best.fit.image, model: best.modelImage), joint: joint)
  }

  /// Gathers the result of a posterior estimate.
  public init(
    _ posterior: PosteriorFit, provenance: FitProvenance = FitProvenance(),
    remarks: [InputFinding] = [], calibration: Calibration = Calibration()
  ) {
    self.init(
      posterior.best, posterior: posterior, provenance: provenance, remarks: remarks,
      calibration: calibration)
  }

  /// The way the result was found: `map`, or that of the posterior.
  public var method: String { record.report.method }

  /// Where the result comes from.
  public var provenance: FitProvenance { record.report.provenance }

  /// The parameters in the order of the model, fixed ones included.
  public var parameters: [ParameterSummary] { record.report.parameters }

  /// The centre in the parent image, of which the image is a section; empty for a whole image.
  public var parentParameters: [ParameterSummary] { record.report.parentParameters }

  /// Quantities that follow from the parameters: fluxes of components, magnitudes, surface brightnesses, the noise.
  public var derived: [ParameterSummary] { record.report.derived }

  /// Everything that was remarked on, warnings first: the image, the guesses behind the priors, the search, the posterior.
  public var findings: [InputFinding] { record.report.findings }

  /// The findings that matter to the result.
  public var warnings: [InputFinding] { record.report.warnings }

  /// The draws of the posterior, those of parameters that follow from others included; nil without one.
  public var draws: Draws? { record.draws }

  /// Whether the numbers mean anything: all of them are finite.
  public var isUsable: Bool { record.report.isUsable }

  /// The renderer that drew the model: images without PSF, or whose PSF lacks the pixel response, are always integrated.
  public var renderer: RenderingMethod { record.report.renderer }

  /// The convention of the pixel in words.
  public var pixelConvention: String { record.report.pixelConvention }

  /// The covariance of the free parameters, from the draws; angles on the branch around their mean direction.
  public var covariance: CovarianceMatrix? { record.report.covariance }

  /// The result as text: what was fitted, a table of the parameters, goodness of fit and verdict.
  public var table: String { record.table }

  /// The result as a JSON document of the schema `swift-sersic/result/1`; what there is not is left out.
  public var json: JSONValue { record.report.json }
}
