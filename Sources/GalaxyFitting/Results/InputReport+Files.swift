// SPDX-License-Identifier: MIT
//
// The examination of inputs as text and as JSON: the schema swift-sersic/check/1.

public import GalaxyModels
public import JSON
import Rendering

extension InputReport {
  /// Returns the examination as text: measurements first, then the findings, worst first, then a verdict.
  ///
  /// - Parameter image: The image that was examined, where it could be made.
  /// - Returns: Lines of text, the last one ended.
  public func text(_ image: ObservedImage?) -> String {
    var lines: [String] = []
    if let image {
      let share = 100 * Double(image.mask.count - image.goodCount) / Double(image.mask.count)
      lines.append(
        "image   \(image.names.science): \(image.width) × \(image.height) pixels, \(decimal(share, 1)) % masked"
      )
      if let psf = image.psf {
        lines.append(
          "PSF     \(image.names.psf ?? "psf"): \(psf.width) × \(psf.height) pixels, sum \(significant(psf.values.reduce(0, +), 6)), pixel response \(image.pixelResponse.rawValue)"
        )
      } else {
        lines.append("PSF     none; the profile is integrated over each pixel")
      }
    }
    if let sky {
      lines.append(
        "sky     \(shortened(sky.median)) ± \(shortened(sky.medianError)), scatter \(shortened(sky.standardDeviation)) in \(sky.count) border pixels"
      )
    }
    if let source = properties {
      lines.append(
        "source  at (\(decimal(source.xc, 2)), \(decimal(source.yc, 2))), flux \(shortened(source.flux)), r_eff \(decimal(source.rEff, 2)) pixels, ellip \(decimal(source.ellip, 2)), theta \(decimal(source.theta, 2)), signal to noise \(decimal(source.signalToNoise, 0))"
      )
    }
    if let noise {
      lines.append(
        "noise   \(decimal(noise.scatter, 3)) ± \(decimal(noise.scatterError, 3)) of the rms in \(noise.count) blank pixels, correlation of neighbours \(decimal(noise.correlation, 3)) ± \(decimal(noise.correlationError, 3)), errors of sums × \(decimal(noise.errorFactor, 2))"
      )
      if let photons = noise.photonNoise {
        lines.append(
          "photons \(decimal(noise.peakSignal, 0)) times the rms at the peak, where the noise is \(decimal(max(0, 1 + photons.slope * noise.peakSignal).squareRoot(), 2)) times as large as the rms says (\(decimal(photons.significance, 1)) standard errors from 1)"
        )
      }
    }
    if !lines.isEmpty { lines.append("") }
    lines += findings.map(\.description)
    let (errors, doubts) = (
      findings.count { $0.severity == .error }, findings.count { $0.severity == .warning }
    )
    lines.append(
      !isUsable
        ? "cannot be fitted: \(errors) error\(errors == 1 ? "" : "s")"
        : doubts > 0
          ? "can be fitted, with \(doubts) warning\(doubts == 1 ? "" : "s")" : "ready to be fitted")
    return lines.joined(separator: "\n") + "\n"
  }

  /// The examination as a JSON document of the schema `swift-sersic/check/1`.
  public var json: JSONValue {
    .members([
      "schema": "swift-sersic/check/1",
      "version": .string(swiftSersicVersion),
      "usable": .bool(isUsable),
      "findings": .array(
        findings.map { finding in
          .members([
            "severity": .string(finding.severity.rawValue), "code": .string(finding.code),
            "subject": .string(finding.subject), "message": .string(finding.message),
          ])
        }),
      "source": properties.map { source in
        .members([
          "xc": .number(source.xc), "yc": .number(source.yc), "flux": .number(source.flux),
          "flux_error": .number(source.fluxError), "r_eff": .number(source.rEff),
          "ellip": .number(source.ellip), "theta": .number(source.theta),
          "signal_to_noise": .number(source.signalToNoise),
          "detected": .bool(source.isDetected),
        ])
      },
      "sky": sky.map { sky in
        .members([
          "median": .number(sky.median), "error": .number(sky.medianError),
          "scatter": .number(sky.standardDeviation), "count": .integer(sky.count),
        ])
      },
      "noise": noise.map { noise in
        .members([
          "scatter": .number(noise.scatter), "scatter_error": .number(noise.scatterError),
          "correlation": .number(noise.correlation),
          "correlation_error": .number(noise.correlationError),
          "error_factor": .number(noise.errorFactor),
          "photon_slope": noise.photonNoise.map { .number($0.slope) },
          "photon_slope_error": noise.photonNoise.map { .number($0.error) },
          "source_ratio": .number(noise.sourceRatio), "peak_signal": .number(noise.peakSignal),
          "count": .integer(noise.count),
        ])
      },
    ])
  }
}
