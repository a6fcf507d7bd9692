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
    let position = Self.position(fit, exposure, values)
    let correlation = NoiseCorrelation(exposure.image, model: model, near: position)
    examineScatter(fit, noise, model, correlation)
    examineOutliers(values, model)
    examineCorrelation(correlation, position)
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

  /// Warns where the pixels lie much further from the model than the noise says, outliers of a robust loss aside, or much nearer.
  private mutating func examineScatter(
    _ fit: any GalaxyFit, _ values: [String: Double], _ model: [Double],
    _ correlation: NoiseCorrelation?
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
    if let finding = Self.largeNoise(
      square, freedom: freedom, exposure.loss, correlation, subject: subject)
    {
      findings.append(finding)
    }
  }

  /// Returns by how much the mean square residual may differ from 1, in units of the noise.
  ///
  /// Noise alone keeps it within √(2 / freedom); an rms that is 5 % off makes a tenth. The core of a density with wide tails says less:
  /// it is some tens of per cent narrower or wider than the rms that the loss has in mind.
  private static func tolerance(_ loss: ImageLoss, freedom: Double) -> Double {
    loss.isRobust ? 1 : max(0.1, 5 * (2 / max(1, freedom)).squareRoot())
  }

  /// Returns a remark where residuals are smaller than the noise that a loss assumes.
  private static func largeNoise(
    _ square: Double, freedom: Double, _ loss: ImageLoss, _ correlation: NoiseCorrelation?,
    subject: String
  ) -> InputFinding? {
    // Free noise goes where the pixels are, and counts have their own verdict.
    guard loss.free == nil, !loss.isOfCounts,
      square < 1 / (1 + tolerance(loss, freedom: freedom))
    else { return nil }
    let scatter = square.squareRoot()
    guard scatter > leastScatter else {
      return InputFinding(
        .note, FitFindingCode.noiseLarge.rawValue, subject: subject,
        "residuals are below a tenth of the rms: the image has no noise, or the rms another unit, and quoted errors are those of the rms"
      )
    }
    // An rms above the scatter of pixels may be there to make up for their correlation.
    if let correlation, correlation.isPositive, scatter * correlation.errorFactor > 0.9 {
      return nil
    }
    return InputFinding(
      .warning, FitFindingCode.noiseLarge.rawValue, subject: subject,
      "the reduced χ² is \(rounded(square)): the rms is about \(rounded(1 / scatter)) times the scatter of the pixels, and quoted errors are too large by as much; check the noise map (sersic check compares it with blank pixels), or free it in the loss (gaussian-frac)"
    )
  }

  /// Residuals that scatter less than this, in units of the rms, are those of an image that was drawn, not of noise.
  private static let leastScatter = 0.1

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
    guard square > 1 + tolerance(loss, freedom: freedom) else { return nil }
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

  /// Pixels farther from the model than this many times the rms are outliers of any noise.
  private static let outlierDistance = 5.0

  /// Pixels whose light is above this many times the rms show the sources.
  private static let brightness = 2.0

  /// Warns where the pixels that a robust loss lets be lie on the sources: the model is wrong there, and no one would know.
  private mutating func examineOutliers(_ values: [String: Double], _ model: [Double]) {
    guard exposure.loss.isRobust else { return }
    let image = exposure.image
    var sky: [String: Double] = [:]
    for site in [GalaxySite.skyBack, GalaxySite.skyXSl, GalaxySite.skyYSl] {
      sky[site] = values[exposure.site(site)]
    }
    let level = MAPFit.skyImage(image, sky)
    var (bright, other) = ((far: 0, count: 0), (far: 0, count: 0))
    for k in model.indices where !image.mask[k] {
      let isFar = abs(image.science[k] - model[k]) > Self.outlierDistance * image.rms[k]
      if abs(model[k] - level[k]) > Self.brightness * image.rms[k] {
        bright.count += 1
        bright.far += isFar ? 1 : 0
      } else {
        other.count += 1
        other.far += isFar ? 1 : 0
      }
    }
    // Cosmic rays and neighbours fall anywhere. Five pixels, and four times as many as elsewhere, are the model's.
    let elsewhere = Double(other.far + 1) / Double(other.count + 1)
    guard bright.far >= 5, Double(bright.far) > 4 * elsewhere * Double(bright.count) else { return }
    let share = 100 * Double(bright.far) / Double(bright.count)
    add(
      .warning, FitFindingCode.misfitHidden.rawValue, subject,
      "of the \(bright.count) pixels that show the light of the model, \(bright.far) (\(Int(share.rounded())) %) lie more than \(Int(Self.outlierDistance)) times the rms from it, and the loss lets them be: it fits the rest, and flux, index and errors may be wrong; look at the residuals, use another profile, or add the noise of the source's photons to the rms (sersic check), and compare with the Gaussian loss"
    )
  }

  /// Returns where the only source of an image lies; nil where there are several, or it lies outside.
  private static func position(
    _ fit: any GalaxyFit, _ exposure: Exposure, _ values: [String: Double]
  ) -> ImagePoint? {
    let image = exposure.image
    guard fit.sources.count == 1, let only = fit.sources.first, exposure.band == nil else {
      return nil
    }
    let x = values[only.site(GalaxySite.xc)] ?? .nan
    let y = values[only.site(GalaxySite.yc)] ?? .nan
    guard x >= 0, y >= 0, x < Double(image.width), y < Double(image.height) else { return nil }
    return ImagePoint(x: x, y: y)
  }

  /// Warns where the noise of neighbouring pixels is correlated, as `sersic check` does, of what the fit leaves in blank pixels.
  ///
  /// What a wrong model leaves is alike in neighbouring pixels, too, far beyond the source. Where the model is wrong the pixels away from
  /// all sources must say the same without it, and what is said is the less of the two.
  private mutating func examineCorrelation(
    _ left: NoiseCorrelation?, _ position: ImagePoint?
  ) {
    let place = exposure.band.map { "band \($0)" } ?? exposure.image.names.science
    guard let left, var finding = left.finding(subject: place) else { return }
    let isWrong = findings.contains { $0.fitCode == .poorFit || $0.fitCode == .misfitHidden }
    if isWrong {
      let alone = NoiseCorrelation(exposure.image, model: nil, near: position)
      guard let alone, let other = alone.finding(subject: place) else { return }
      if alone.errorFactor < left.errorFactor { finding = other }
    }
    findings.append(finding)
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
      .warning, FitFindingCode.lossGain.rawValue, subject,
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
          .note, FitFindingCode.noSystematic.rawValue, exposure.site(site),
          "no noise is found besides the rms; the same loss without it gives the same answer")
      } else if site == GalaxySite.outlierFracBase && value < 1e-3 {
        add(
          .note, FitFindingCode.noOutliers.rawValue, exposure.site(site),
          "no outliers are found; the Gaussian loss gives the same answer")
      }
    }
  }

  /// Returns a number with two decimals as text.
  private static func rounded(_ x: Double) -> String { "\((x * 100).rounded() / 100)" }
}
