// SPDX-License-Identifier: MIT
//
// The noise of blank pixels beside the rms: scale, correlation of neighbours, share of the source's own photons.

internal import GalaxyModels

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The noise of an image where there is no source, in units of its rms.
public struct NoiseDiagnostics: Sendable, Hashable, Codable {
  /// The number of blank pixels: unmasked, in no segment, and away from the source.
  public var count: Int

  /// The scatter of (value − sky)/rms in blank pixels: 1 where the rms is right.
  public var scatter: Double

  /// The standard error of the scatter.
  public var scatterError: Double

  /// The correlation of a blank pixel with the next one in x and with the next one in y, averaged.
  public var correlation: Double

  /// The standard error of the correlation where there is none.
  public var correlationError: Double

  /// The errors of sums over many pixels, over those of independent noise: the root of the sum of all correlations.
  public var errorFactor: Double

  /// The median rms of the source's brightest pixels over that of blank ones: 1 without the source's photon noise.
  public var sourceRatio: Double

  /// The peak of the source in the rms of blank pixels.
  public var peakSignal: Double

  /// How the noise grows with the light beyond the rms; nil where that is not in question, or cannot be measured.
  public var photonNoise: PhotonNoise?

  /// The scatter may differ from 1 by this factor: undetected sources and rounded gains do as much.
  private static let scatterTolerance = 1.06

  /// What is remarked on is this many standard errors off: chance does it once in 15 000 images.
  static let significance = 4.0

  /// The scatter of Gaussian numbers by the biweight scale with c = 9, from its integrals over the normal density.
  private static let biweightOfNormal = 1.00918

  /// Measures the blank pixels around a measured source; nil when there are too few.
  ///
  /// - Parameters:
  ///   - measured: The source.
  ///   - model: Makes a model of its light above the sky, row-major; called where the noise of its photons is in question.
  init?(_ measured: SourceMeasurement, model: () -> [Double]?) {
    let image = measured.image
    let blank = BlankPixels(measured)
    guard blank.count >= NoiseCorrelation.leastCount else { return nil }
    count = blank.count
    scatter = blank.scatter / Self.biweightOfNormal
    let neighbours = NoiseCorrelation(blank)
    correlation = neighbours.value
    correlationError = neighbours.error
    errorFactor = neighbours.errorFactor
    // The biweight scale of Gaussian numbers has 0.96 of the sample's own efficiency.
    scatterError =
      blank.scatter * (neighbours.overlap / (2 * 0.96 * Double(blank.count))).squareRoot()
    let blankRms = median(
      image.rms.indices.compactMap { blank.isBlank($0) ? image.rms[$0] : nil })
    let members = measured.segment.map { segment in
      measured.segmentation.labels.indices.filter {
        measured.segmentation.labels[$0] == segment.label && !image.mask[$0]
      }
    }
    let brightest = (members ?? []).sorted { image.science[$0] > image.science[$1] }.prefix(9)
    let unit = blankRms ?? 1
    sourceRatio = (median(brightest.map { image.rms[$0] }) ?? unit) / unit
    peakSignal =
      ((median(brightest.map { image.science[$0] }) ?? measured.sky.median)
        - measured.sky.median) / unit
    if isPhotonNoiseInQuestion {
      photonNoise = PhotonNoise(measured, blank: blank, model: model())
    }
  }

  /// Whether the source is bright, and the rms the same on it as beside it.
  ///
  /// Photon noise of a peak at 20 times the sky's rms is seldom negligible.
  private var isPhotonNoiseInQuestion: Bool { peakSignal > 20 && sourceRatio < 1.02 }

  // MARK: - Findings

  /// Returns what the numbers say about the map of the noise.
  func findings(for image: ObservedImage, peak properties: SourceProperties) -> [InputFinding] {
    let isKnown = image.findings.contains { $0.code.hasPrefix("rms-looks-like") }
    var list = isKnown ? [] : scaleFindings(image)
    let neighbours = NoiseCorrelation(
      value: correlation, error: correlationError, errorFactor: errorFactor, scatter: scatter)
    if let finding = neighbours.finding(subject: image.names.science) { list.append(finding) }
    return list + (properties.isDetected ? photonFindings(image) : [])
  }

  /// Returns the finding that the rms has the wrong scale.
  private func scaleFindings(_ image: ObservedImage) -> [InputFinding] {
    let excess = abs(log(scatter))
    guard scatter > 0, excess > log(Self.scatterTolerance),
      excess > Self.significance * scatterError / scatter
    else { return [] }
    // An rms that was scaled up for correlated pixels is as it should be.
    let isCompensating = correlation > Self.significance * correlationError
    guard !(scatter < 1 && isCompensating && abs(log(scatter * errorFactor)) < log(1.1)) else {
      return []
    }
    let cause =
      scatter > 1
      ? "unseen sources can be the cause"
      : "an image that was smoothed or resampled can be the cause"
    return [
      InputFinding(
        .warning, "rms-scale", subject: image.names.noise,
        "expected blank pixels to scatter by the rms, found \(shortened(scatter)) ± "
          + "\(shortened(scatterError)) times as much: errors of the fit are wrong by as much. Multiply the rms by "
          + "\(shortened(scatter)), or free it in the loss (gaussian-frac); \(cause).")
    ]
  }

  /// Returns the finding that the rms lacks the noise of the source's own photons.
  private func photonFindings(_ image: ObservedImage) -> [InputFinding] {
    guard isPhotonNoiseInQuestion else { return [] }
    let subject = image.names.noise
    if let photonNoise {
      // The noise at the peak that is missing, as a factor of the rms there.
      let growth = photonNoise.slope * peakSignal
      if photonNoise.significance > 5, growth > 0.2 {
        let medianRMS = image.medianRMS
        let gain = 1 / (photonNoise.slope * medianRMS)
        return [
          InputFinding(
            .warning, "rms-no-photons", subject: subject,
            "expected the rms to grow with the source's light, found it the same on the source as beside it, while "
              + "pixels on the source scatter more: the rms at the peak should be about "
              + "\(shortened((1 + growth).squareRoot())) times as large, and its core weighs too much. Add light/gain "
              + "to the variance; the gain seems to be about \(shortened(gain)) electrons for one image unit."
          )
        ]
      }
    }
    return [
      InputFinding(
        .note, "rms-flat", subject: subject,
        "the rms is the same on the source, whose peak is \(shortened(peakSignal)) times as high, as beside it: "
          + "the source's own photon noise seems to be left out, and its core will weigh too much. "
          + "Add light/gain to the variance.")
    ]
  }
}
