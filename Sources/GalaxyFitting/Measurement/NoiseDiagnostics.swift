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

  /// The correlation of a blank pixel with the next one in x and with the next one in y, averaged.
  public var correlation: Double

  /// The median rms of the source's brightest pixels over that of blank ones: 1 without the source's photon noise.
  public var sourceRatio: Double

  /// The peak of the source in the rms of blank pixels.
  public var peakSignal: Double

  /// Fewer blank pixels than this do not give a scatter to 5 % and a correlation to 0.07.
  private static let leastCount = 200

  /// The scatter may differ from 1 by this factor: three errors of the least count, and usual calibration.
  private static let scatterTolerance = 1.2

  /// A correlation above this is remarked on: three errors of a thousand pixels.
  private static let correlationTolerance = 0.1

  /// Measures the blank pixels around a measured source; nil when there are too few.
  init?(_ measured: SourceMeasurement) {
    let image = measured.image
    let residual = Self.residuals(measured)
    let blank = residual.compactMap { $0 }
    guard blank.count >= Self.leastCount, let level = median(blank) else { return nil }
    count = blank.count
    scatter = biweightScale(blank)
    correlation = Self.correlation(
      residual, level: level, clip: 4 * scatter, width: image.width, height: image.height)
    let blankRms = median(residual.indices.compactMap { residual[$0] == nil ? nil : image.rms[$0] })
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
  }

  /// Returns (value − sky)/rms of each blank pixel, nil elsewhere.
  private static func residuals(_ measured: SourceMeasurement) -> [Double?] {
    let image = measured.image
    let unit = measured.observedShape.scaled(by: 1 / measured.observedShape.majorVariance)
    // Light beyond the end of the growth curve is below its errors; small frames leave the outer part at least.
    let reach = min(measured.growth.outerRadius, 0.4 * Double(min(image.width, image.height)))
    return image.science.indices.map { i in
      guard !image.mask[i], measured.segmentation.labels[i] < 0 else { return nil }
      let r = unit.radius(
        x: Double(i % image.width) - measured.center.x,
        y: Double(i / image.width) - measured.center.y)
      guard r > reach else { return nil }
      return (image.science[i] - measured.sky.median) / image.rms[i]
    }
  }

  /// Returns the correlation of neighbours among pixels that are no outliers.
  private static func correlation(
    _ residual: [Double?], level: Double, clip: Double, width: Int, height: Int
  ) -> Double {
    /// The residual above the level, nil where blank or an outlier.
    func value(_ i: Int) -> Double? {
      guard let r = residual[i], abs(r - level) <= clip else { return nil }
      return r - level
    }
    var products = 0.0
    var pairs = 0
    var squares = 0.0
    var count = 0
    for y in 0..<height {
      for x in 0..<width {
        guard let here = value(y * width + x) else { continue }
        squares += here * here
        count += 1
        if x + 1 < width, let next = value(y * width + x + 1) {
          products += here * next
          pairs += 1
        }
        if y + 1 < height, let next = value((y + 1) * width + x) {
          products += here * next
          pairs += 1
        }
      }
    }
    guard pairs > 0, squares > 0 else { return 0 }
    return (products / Double(pairs)) / (squares / Double(count))
  }

  /// Returns what the numbers say about the map of the noise.
  func findings(for image: ObservedImage, peak properties: SourceProperties) -> [InputFinding] {
    let subject = image.names.noise
    var findings: [InputFinding] = []
    let isKnown = image.findings.contains { $0.code.hasPrefix("rms-looks-like") }
    if !isKnown, scatter > Self.scatterTolerance || scatter < 1 / Self.scatterTolerance {
      findings.append(
        InputFinding(
          .warning, "rms-scale", subject: subject,
          "expected blank pixels to scatter by the rms, found \(shortened(scatter)) times as much: errors of "
            + "the fit are wrong by as much. Multiply the rms by \(shortened(scatter)), or free it in the loss; "
            + "correlated noise or unseen sources can be the cause."))
    }
    if correlation > Self.correlationTolerance {
      // Four neighbours at this correlation, more beyond: the variance of a sum grows at least by this.
      let factor = (1 + 4 * correlation).squareRoot()
      findings.append(
        InputFinding(
          .warning, "noise-correlated", subject: image.names.science,
          "expected independent noise, found a correlation of \(shortened(correlation)) between adjacent pixels "
            + "(resampled or smoothed images have it): errors of the fit are too small by a factor of "
            + "\(shortened(factor)) or more. Use an image that is not resampled, or scale the rms up."
        ))
    }
    // Photon noise of a peak at 20 times the sky's rms is seldom negligible.
    if properties.isDetected, peakSignal > 20, sourceRatio < 1.02 {
      findings.append(
        InputFinding(
          .note, "rms-flat", subject: subject,
          "the rms is the same on the source, whose peak is \(shortened(peakSignal)) times as high, as beside it: "
            + "the source's own photon noise seems to be left out, and its core will weigh too much. "
            + "Add flux/gain to the variance."))
    }
    return findings
  }
}
