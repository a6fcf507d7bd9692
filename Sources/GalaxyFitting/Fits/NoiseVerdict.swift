// SPDX-License-Identifier: MIT
//
// What the residuals of a fit say about the noise that its loss assumes.

import GalaxyModels
import Rendering

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The residuals of a fit in units of the noise that the loss assumes, and what they say about it.
struct NoiseVerdict {
  /// What makes the noise doubtful, or is worth knowing about it.
  private(set) var findings: [InputFinding] = []

  /// The image and its loss.
  private let exposure: Exposure

  /// Examines the model of one exposure at the parameters that it belongs to.
  init(_ fit: any GalaxyFit, _ exposure: Exposure, _ values: [String: Double], model: [Double]) {
    self.exposure = exposure
    // A fit without numbers has no model image.
    guard model.count == exposure.image.science.count else { return }
    var noise: [String: Double] = [:]
    for site in exposure.loss.sites { noise[site] = values[exposure.site(site)] }
    examineScatter(fit, noise, model)
    examineCorrelation(fit, values, model)
    examineCounts(model)
    examineParameters(fit, noise)
  }

  /// What a finding is about: the fit, or one band of it.
  private var subject: String { exposure.band.map { "band \($0)" } ?? "fit" }

  /// Adds a finding.
  private mutating func add(
    _ severity: InputFinding.Severity, _ code: String, _ subject: String, _ message: String
  ) {
    findings.append(InputFinding(severity, code, subject: subject, message))
  }

  /// Warns where the pixels lie much further from the model than the noise says, outliers of a robust loss aside.
  private mutating func examineScatter(
    _ fit: any GalaxyFit, _ values: [String: Double], _ model: [Double]
  ) {
    let image = exposure.image
    let noise = exposure.loss.standardDeviations(of: image, model: model, values)
    var residuals: [Double] = []
    residuals.reserveCapacity(image.goodCount)
    for k in model.indices where !image.mask[k] {
      residuals.append((image.science[k] - model[k]) / noise[k])
    }
    let freedom = Double(max(1, residuals.count - fit.prior.freeSites.count))
    let square: Double
    if exposure.loss.isRobust {
      let scale = biweightScale(residuals)
      square = scale * scale
    } else {
      square = residuals.reduce(0) { $0 + $1 * $1 } / freedom
    }
    if let finding = Self.poorFit(square, freedom: freedom, exposure.loss, subject: subject) {
      findings.append(finding)
    }
  }

  /// Returns a warning where residuals are larger than the noise that a loss assumes.
  ///
  /// - Parameters:
  ///   - square: The mean square of the residuals in units of the noise.
  ///   - freedom: The degrees of freedom.
  ///   - loss: The loss.
  ///   - subject: What the finding is about.
  /// - Returns: The warning; nil where noise alone may be the reason.
  static func poorFit(
    _ square: Double, freedom: Double, _ loss: ImageLoss, subject: String
  ) -> InputFinding? {
    // Noise alone keeps this within √(2 / freedom) of 1; an rms that is 5 % too small makes a tenth. The core of a density with wide
    // tails says less: it is some tens of per cent narrower or wider than the rms that the loss has in mind.
    let excess = loss.isRobust ? 1 : max(0.1, 5 * (2 / max(1, freedom)).squareRoot())
    guard square > 1 + excess else { return nil }
    let rms = loss.free == nil ? "or the rms is too small" : "even with free noise"
    // The noise of counts is that of the loss; the reduced χ² of tables is by the rms.
    let measure =
      loss.isOfCounts
      ? "the mean square residual in units of the noise of counts" : "the reduced χ²"
    return InputFinding(
      .warning, FitFindingCode.poorFit.rawValue, subject: subject,
      "\(measure) is \(rounded(square)): the model does not describe the pixels, \(rms), and quoted errors are too small by \(rounded(square.squareRoot())) or more; look at the residuals, mask neighbours, or use another profile or a robust loss"
    )
  }

  /// Warns where the noise of neighbouring pixels is correlated, as `sersic check` does, of what the fit leaves in blank pixels.
  private mutating func examineCorrelation(
    _ fit: any GalaxyFit, _ values: [String: Double], _ model: [Double]
  ) {
    let image = exposure.image
    var position: ImagePoint?
    let sources = fit.sources
    if sources.count == 1, let only = sources.first, exposure.band == nil {
      let x = values[only.site(GalaxySite.xc)] ?? .nan
      let y = values[only.site(GalaxySite.yc)] ?? .nan
      if x >= 0, y >= 0, x < Double(image.width), y < Double(image.height) {
        position = ImagePoint(x: x, y: y)
      }
    }
    let place = exposure.band.map { "band \($0)" } ?? image.names.science
    let measured = NoiseCorrelation(image, model: model, near: position)
    if let finding = measured?.finding(subject: place) { findings.append(finding) }
  }

  /// Warns where the rms contradicts the noise of counts: the gain is wrong, or there is other noise.
  private mutating func examineCounts(_ model: [Double]) {
    guard exposure.loss.isCounting else { return }
    let image = exposure.image
    let noise = exposure.loss.standardDeviations(of: image, model: model, [:])
    let ratios = model.indices.compactMap { image.mask[$0] ? nil : image.rms[$0] / noise[$0] }
    // A third: beyond what the mean of bright and faint pixels, or a rounded gain, would make.
    guard let ratio = median(ratios), ratio > 1.33 || ratio < 0.75 else { return }
    add(
      .warning, "loss-gain", subject,
      "expected an rms like that of counts, found \(Self.rounded(ratio)) times as much: the gain or the sky of the Poisson loss is wrong, or there is other noise such as that of the read-out, and errors are wrong by as much; check gain and sky, or use the Gaussian loss"
    )
  }

  /// Notes parameters of the noise that come out as nothing.
  private mutating func examineParameters(_ fit: any GalaxyFit, _ values: [String: Double]) {
    for site in exposure.loss.sites where fit.prior.fixed[exposure.site(site)] == nil {
      guard let value = values[site] else { continue }
      // A thousandth of the rms, or of a twentieth of the pixels, changes no result.
      if site == GalaxySite.sysScatterBase && value < 1e-3 {
        add(
          .note, "no-systematic", exposure.site(site),
          "no noise is found besides the rms; the same loss without it gives the same answer")
      } else if site == GalaxySite.outlierFracBase && value < 1e-3 {
        add(
          .note, "no-outliers", exposure.site(site),
          "no outliers are found; the Gaussian loss gives the same answer")
      }
    }
  }

  /// Returns a number with two decimals as text.
  private static func rounded(_ x: Double) -> String { "\((x * 100).rounded() / 100)" }
}
