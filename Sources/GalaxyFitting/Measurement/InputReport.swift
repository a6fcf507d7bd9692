// SPDX-License-Identifier: MIT
//
// What is wrong, doubtful or worth knowing about the inputs of a fit, in one list: the library part of `sersic check`.

internal import FITS
public import GalaxyModels
import Rendering

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The examination of the inputs of a fit: all findings, worst first, and the measurements behind them.
public struct InputReport: Sendable, Hashable, Codable {
  /// All findings, errors first, then warnings, then notes.
  public var findings: [InputFinding]

  /// The guesses of the source; nil when the inputs cannot be used.
  public var properties: SourceProperties?

  /// The sky of the border; nil when the inputs cannot be used.
  public var sky: SkyEstimate?

  /// The noise of the blank pixels; nil when there are too few, or the inputs cannot be used.
  public var noise: NoiseDiagnostics?

  /// The findings that matter to the result.
  public var warnings: [InputFinding] { findings.filter { $0.severity >= .warning } }

  /// Whether a fit can run at all.
  public var isUsable: Bool { !findings.contains { $0.severity == .error } }

  /// Examines an image that could be made.
  ///
  /// - Parameters:
  ///   - image: The image, whose own findings are taken over.
  ///   - position: Where the source is, roughly; the frame's centre unless given.
  public init(_ image: ObservedImage, position: ImagePoint? = nil) {
    let measured = SourceMeasurement(image, position: position, borderWidth: 5)
    let properties = measured.properties()
    let noise = NoiseDiagnostics(measured) { Self.light(of: image, properties) }
    var findings = image.findings + properties.findings
    findings += Self.skyFindings(image, sky: measured.sky)
    findings += noise?.findings(for: image, peak: properties) ?? []
    self.properties = properties
    sky = measured.sky
    self.noise = noise
    self.findings = Self.sorted(findings)
  }

  /// The most pixels of an image that is fitted to measure its noise: a second or two.
  private static let mostPixels = 400 * 400

  /// Returns the light of a Sérsic profile fitted to an image, without the sky; nil where that is too much work, or fails.
  private static func light(of image: ObservedImage, _ properties: SourceProperties) -> [Double]? {
    guard image.goodCount <= mostPixels, properties.isDetected else { return nil }
    // The tails let neighbours be.
    guard
      let fit = try? FitSingle(
        image, prior: properties.prior(.sersic, sky: .flat), loss: .studentT()),
      let best = try? fit.findMAP(), best.isConverged
    else { return nil }
    return zip(best.modelImage, best.skyImage).map { $0 - $1 }
  }

  /// Makes an image and examines it; what is thrown becomes the report.
  ///
  /// - Parameters:
  ///   - position: Where the source is, roughly; the frame's centre unless given.
  ///   - makeImage: Reads or makes the image.
  public init(position: ImagePoint? = nil, _ makeImage: () throws -> ObservedImage) {
    do {
      self = InputReport(try makeImage(), position: position)
    } catch {
      self = InputReport(error: error)
    }
  }

  /// Reports an error, and nothing else.
  private init(error: any Error) {
    findings = [Self.finding(error)]
  }

  /// Returns an error as a finding.
  private static func finding(_ error: any Error) -> InputFinding {
    switch error {
    case let error as ObservedImageError:
      InputFinding(.error, "unusable", subject: error.subject, error.explanation)
    case let error as FITSError:
      InputFinding(.error, "unreadable", subject: error.file, error.message)
    default: InputFinding(.error, "unusable", subject: "input", "\(error)")
    }
  }

  /// Returns findings in order of severity, and of appearance within each.
  private static func sorted(_ findings: [InputFinding]) -> [InputFinding] {
    InputFinding.Severity.allCases.reversed().flatMap { severity in
      findings.filter { $0.severity == severity }
    }
  }

  /// Returns remarks on the level of the sky, and on its slope.
  private static func skyFindings(_ image: ObservedImage, sky: SkyEstimate) -> [InputFinding] {
    var findings: [InputFinding] = []
    let error = sky.medianError
    // Five errors: chance alone does this once in two million images.
    if abs(sky.median) > 5 * error, error > 0 {
      findings.append(
        InputFinding(
          .note, "sky-level", subject: image.names.science,
          "the border's level is \(shortened(sky.median)) ± \(shortened(error)), not 0: "
            + "fit a flat sky, or subtract it first."))
    }
    let sides = sideMedians(image, width: sky.borderWidth)
    for (low, high, axis) in [(sides[0], sides[1], "x"), (sides[2], sides[3], "y")] {
      guard let low, let high else { continue }
      let noise = hypot(low.error, high.error)
      let difference = high.level - low.level
      guard noise > 0, abs(difference) > 5 * noise, abs(difference) > 0.2 * sky.standardDeviation
      else { continue }
      findings.append(
        InputFinding(
          .note, "sky-slope", subject: image.names.science,
          "the level differs by \(shortened(difference)) ± \(shortened(noise)) between the two borders along \(axis): "
            + "fit a tilted plane, or mask what lies at the border."))
    }
    return findings
  }

  /// Returns median and error of the left, right, lower and upper border; nil where 20 pixels are not to be had.
  private static func sideMedians(
    _ image: ObservedImage, width: Int
  ) -> [(level: Double, error: Double)?] {
    var sides = [[Double]](repeating: [], count: 4)
    for y in 0..<image.height {
      for x in 0..<image.width where !image.mask[y * image.width + x] {
        let value = image.science[y * image.width + x]
        if x < width { sides[0].append(value) }
        if x >= image.width - width { sides[1].append(value) }
        if y < width { sides[2].append(value) }
        if y >= image.height - width { sides[3].append(value) }
      }
    }
    return sides.map { values in
      guard values.count >= 20, let level = median(values) else { return nil }
      return (level, 1.2533 * biweightScale(values) / Double(values.count).squareRoot())
    }
  }
}

extension InputReport: CustomStringConvertible {
  /// One line for each finding; a line that all is well where there is none.
  public var description: String {
    findings.isEmpty
      ? "nothing to remark on" : findings.map(\.description).joined(separator: "\n")
  }
}
