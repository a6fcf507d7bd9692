// SPDX-License-Identifier: MIT
//
// A report as JSON: the schema swift-sersic/result/1.

import FITS
import GalaxyModels
public import JSON
import Rendering

extension FitReport {
  /// The schema of ``json``.
  static let schema = "swift-sersic/result/1"

  /// The report as a JSON document of the schema `swift-sersic/result/1`; what there is not is left out.
  public var json: JSONValue {
    .members([
      "schema": .string(Self.schema),
      "version": .string(provenance.version),
      "command": provenance.command.map { .string($0) },
      "method": .string(method),
      "profile": .string(title),
      "profiles": profiles(from: 0),
      "components": profiles(from: 1),
      "sky": .string(sky.rawValue),
      "loss": .string("\(loss)"),
      "renderer": .string(renderer.rawValue),
      "pixel_response": .string(pixelResponse.rawValue),
      "seed": Int(exactly: provenance.seed).map { .integer($0) } ?? .string("\(provenance.seed)"),
      "parameters": Self.object(parameters),
      "parent_image": parentJSON,
      "derived": derived.isEmpty ? nil : Self.object(derived),
      "fit": searchJSON,
      "covariance": covarianceJSON,
      "posterior": posteriorJSON,
      "sampler": samplerJSON,
      "variational": variationalJSON,
      "warnings": .array(warnings.map(Self.finding)),
      "notes": .array(findings.filter { $0.severity < .warning }.map(Self.finding)),
      "priors": .texts(priors),
      "inputs": inputsJSON,
      "image": imageJSON,
      "defaults": .texts(provenance.defaults),
    ])
  }

  /// Returns summaries as an object by name.
  private static func object(_ summaries: [ParameterSummary]) -> JSONValue {
    .object(summaries.map { JSONValue.Member(name: $0.name, value: $0.json) })
  }

  /// Returns a finding as code, subject and message; an error says that it is one.
  private static func finding(_ finding: InputFinding) -> JSONValue {
    .members([
      "code": .string(finding.code), "subject": .string(finding.subject),
      "message": .string(finding.message),
      "severity": finding.severity > .warning ? .string(finding.severity.rawValue) : nil,
    ])
  }

  /// Returns the profiles of sources that are counted from a number, in order; nil where they are not.
  private func profiles(from first: Int) -> JSONValue? {
    guard sources.first?.number == first else { return nil }
    return .array(sources.map { .string($0.profile.name) })
  }

  /// The centre in the parent image; nil for a whole image.
  private var parentJSON: JSONValue? {
    guard !parentParameters.isEmpty else { return nil }
    return .members([
      "x0": .integer(Int(image.origin.x)), "y0": .integer(Int(image.origin.y)),
      "parameters": Self.object(parentParameters),
    ])
  }

  /// The goodness of fit and the verdict of the search.
  private var searchJSON: JSONValue {
    .members([
      "log_posterior": .number(search.logPosterior),
      "chi2": .number(search.chiSquared),
      "n_pixels": .integer(search.pixelCount),
      "n_free": .integer(search.freeCount),
      "reduced_chi2": .number(search.reducedChiSquared),
      "converged": .bool(search.isConverged),
      "reason": .string(search.reason),
      "explanation": .string(search.explanation),
      "iterations": .integer(search.iterations),
      "evaluations": .integer(search.evaluations),
      "flux_fraction_inside": .number(search.fluxFractionInside),
      "seconds": .number(search.seconds),
    ])
  }

  /// The covariance of the free parameters; nil without a posterior.
  private var covarianceJSON: JSONValue? {
    covariance.map { covariance in
      .members([
        "names": .array(covariance.names.map { .string($0) }),
        "matrix": .array(covariance.matrix.map { row in .array(row.map { .number($0) }) }),
      ])
    }
  }

  /// What is known of the posterior besides the summaries; nil without one.
  private var posteriorJSON: JSONValue? {
    posterior.map { posterior in
      .members([
        "chains": .integer(posterior.chains),
        "draws": .integer(posterior.draws),
        "log_evidence": posterior.logEvidence.map { .number($0) },
        "pareto_k": posterior.paretoK.map { .number($0) },
        "effective_draws": posterior.effectiveDraws.map { .number($0) },
        "flat_directions": posterior.flatDirections.map { .integer($0) },
        "converged": posterior.isConverged.map { .bool($0) },
        "seconds": .number(posterior.seconds),
      ])
    }
  }

  /// What the sampler met; nil where no Markov chain made the draws.
  private var samplerJSON: JSONValue? {
    sampler.map { sampler in
      .members([
        "chains": .integer(sampler.chains),
        "draws": .integer(sampler.draws),
        "warm_up": .integer(sampler.warmUp),
        "divergences": .integer(sampler.divergences),
        "leapfrogs": .integer(sampler.leapfrogs),
        "warm_up_leapfrogs": .integer(sampler.warmUpLeapfrogs),
        "step_size": .array(sampler.stepSizes.map { .number($0) }),
        "acceptance": .number(sampler.acceptance),
        "largest_tree_depth": .integer(sampler.largestTreeDepth),
        "e_bfmi": .array(sampler.energyFractions.map { .number($0) }),
        "was_cancelled": .bool(sampler.wasCancelled),
      ])
    }
  }

  /// What the variational fit is worth; nil where there was none.
  private var variationalJSON: JSONValue? {
    variational.map { fit in
      .members([
        "reason": .string(fit.reason),
        "gradients": .integer(fit.gradients),
        "elbo": fit.elbo.map { .number($0) },
        "elbo_error": fit.elboError.map { .number($0) },
        "pareto_k": fit.paretoK.map { .number($0) },
        "efficiency": fit.efficiency.map { .number($0) },
        "log_evidence": fit.logEvidence.map { .number($0) },
        "was_cancelled": .bool(fit.reason == "cancelled"),
      ])
    }
  }

  /// The inputs with their checksums, by role.
  private var inputsJSON: JSONValue {
    .object(
      provenance.inputs.map { input in
        JSONValue.Member(
          name: input.role,
          value: .members([
            "name": .string(input.name), "sha256": input.sha256.map { .string($0) },
          ]))
      })
  }

  /// Shape, use and calibration of the image.
  private var imageJSON: JSONValue {
    .members([
      "width": .integer(image.width), "height": .integer(image.height),
      "masked_pixels": .integer(image.maskedCount),
      "psf_width": image.psf.map { .integer($0.width) },
      "psf_height": image.psf.map { .integer($0.height) },
      "psf_oversampling": image.psf.map { .integer($0.oversampling) },
      "psf_sum": image.psf.map { .number($0.sum) },
      "psf_center": image.psf.map { .array([.number($0.center.x), .number($0.center.y)]) },
      "origin": .array([.number(image.origin.x), .number(image.origin.y)]),
      "names": .members([
        "science": .string(image.names.science), "noise": .string(image.names.noise),
        "mask": image.names.mask.map { .string($0) }, "psf": image.names.psf.map { .string($0) },
      ]),
      "zero_point": calibration.zeroPoint.map { .number($0) },
      "pixel_scale": calibration.pixelScale.map { .number($0) },
      "world_coordinates": image.worldCoordinates.isEmpty
        ? nil : .array(image.worldCoordinates.map(\.json)),
    ])
  }
}

extension WorldCoordinateCard {
  /// The card as JSON.
  fileprivate var json: JSONValue {
    let plain: JSONValue =
      switch value {
      case .string(let text): .string(text)
      case .integer(let number): .integer(number)
      case .real(let number): .number(number)
      case .logical(let flag): .bool(flag)
      case .undefined: .null
      // A value that is kept as text only stands in a list of its own, so that no string is taken for it.
      case .other(let text): .array([.string(text)])
      }
    return .members([
      "keyword": .string(keyword), "value": plain, "comment": .string(comment),
    ])
  }

  /// Reads a card.
  init(_ place: JSONPlace) throws(FitRecordError) {
    let plain: FITSValue
    switch place.value["value"] {
    case .string(let text)?: plain = .string(text)
    case .integer(let number)?: plain = .integer(number)
    case .number(let number)?: plain = .real(number)
    case .bool(let flag)?: plain = .logical(flag)
    case .array(let list)?:
      guard case .string(let text)? = list.first else { throw place.error(expected: "a card") }
      plain = .other(text)
    default: plain = .undefined
    }
    self.init(
      try place.member("keyword").string(), plain, comment: try place.member("comment").string())
  }
}
