// SPDX-License-Identifier: MIT
//
// A result as JSON: the schema swift-sersic/result/1.

import GalaxyModels
import Inference
public import JSON
import Rendering

extension FitResult {
  /// The result as a JSON document of the schema `swift-sersic/result/1`; what there is not is left out.
  public var json: JSONValue {
    .members([
      "schema": "swift-sersic/result/1",
      "version": .string(provenance.version),
      "command": provenance.command.map { .string($0) },
      "method": .string(method),
      "profile": .string(best.fit.prior.title),
      "profiles": profilesJSON,
      "sky": .string(best.fit.prior.sky.rawValue),
      "loss": .string("\(best.fit.loss)"),
      "renderer": .string(renderer.rawValue),
      "pixel_response": .string(best.fit.pixelResponse.rawValue),
      "seed": .integer(Int(clamping: provenance.seed)),
      "parameters": FitResult.object(parameters),
      "parent_image": parentJSON,
      "derived": derived.isEmpty ? nil : FitResult.object(derived),
      "fit": fitJSON,
      "covariance": covarianceJSON,
      "posterior": posteriorJSON,
      "sampler": samplerJSON,
      "variational": variationalJSON,
      "warnings": .array(warnings.map(FitResult.finding)),
      "notes": .array(findings.filter { $0.severity < .warning }.map(FitResult.finding)),
      "priors": .texts(best.fit.prior.texts),
      "inputs": inputsJSON,
      "image": imageJSON,
      "defaults": .texts(provenance.defaults),
    ])
  }

  /// Returns summaries as an object by name.
  private static func object(_ summaries: [ParameterSummary]) -> JSONValue {
    .object(summaries.map { JSONValue.Member(name: $0.name, value: $0.json) })
  }

  /// Returns a finding as code, subject and message.
  private static func finding(_ finding: InputFinding) -> JSONValue {
    .members([
      "code": .string(finding.code), "subject": .string(finding.subject),
      "message": .string(finding.message),
    ])
  }

  /// The profiles of several sources, in order; nil for one.
  private var profilesJSON: JSONValue? {
    let sources = best.fit.prior.sources.filter { $0.number != nil }
    return sources.isEmpty ? nil : .array(sources.map { .string($0.profile.rawValue) })
  }

  /// The centre in the parent image; nil for a whole image.
  private var parentJSON: JSONValue? {
    guard !parentParameters.isEmpty else { return nil }
    let origin = best.fit.image.origin
    return .members([
      "x0": .integer(Int(origin.x)), "y0": .integer(Int(origin.y)),
      "parameters": FitResult.object(parentParameters),
    ])
  }

  /// The goodness of fit and the verdict of the search.
  private var fitJSON: JSONValue {
    .members([
      "log_posterior": .number(best.logPosterior),
      "chi2": .number(best.chiSquared),
      "n_pixels": .integer(best.pixelCount),
      "n_free": .integer(best.fit.prior.freeSites.count),
      "reduced_chi2": .number(best.reducedChiSquared),
      "converged": .bool(best.isConverged),
      "reason": .string(best.optimum.reason.rawValue),
      "iterations": .integer(best.optimum.iterations),
      "evaluations": .integer(best.evaluations),
      "flux_fraction_inside": .number(best.fluxFractionInside),
      "seconds": .number(best.seconds + (posterior?.seconds ?? 0)),
    ])
  }

  /// The covariance of the free parameters; nil without a posterior.
  private var covarianceJSON: JSONValue? {
    covariance.map { names, matrix in
      .members([
        "names": .array(names.map { .string($0) }),
        "matrix": .array(matrix.map { row in .array(row.map { .number($0) }) }),
      ])
    }
  }

  /// What is known of the posterior besides the summaries; nil without one.
  private var posteriorJSON: JSONValue? {
    posterior.map { posterior in
      .members([
        "chains": .integer(posterior.draws.chains),
        "draws": .integer(posterior.draws.draws),
        "log_evidence": posterior.approximation.map { .number($0.logEvidence) },
        "flat_directions": posterior.approximation.map { .integer($0.flatDirections) },
        "converged": posterior.approximation.map { .bool($0.mode.isConverged) },
        "seconds": .number(posterior.seconds),
      ])
    }
  }

  /// What the sampler met; nil where no Markov chain made the draws.
  private var samplerJSON: JSONValue? {
    guard let posterior, let sampler = posterior.sampler else { return nil }
    let steps = sampler.acceptance.count
    let acceptance = sampler.acceptance.reduce(0, +) / Double(max(1, steps))
    return .members([
      "chains": .integer(posterior.draws.chains),
      "draws": .integer(posterior.draws.draws),
      "warm_up": .integer(sampler.warmUp),
      "divergences": .integer(sampler.divergences),
      "leapfrogs": .integer(sampler.gradients.reduce(0, +)),
      "warm_up_leapfrogs": .integer(sampler.warmUpGradients),
      "step_size": .array(sampler.stepSizes.map { .number($0) }),
      "acceptance": .number(acceptance),
      "largest_tree_depth": .integer(sampler.treeDepth.max() ?? 0),
      "e_bfmi": .array(posterior.draws.diagnostics.energyFractions.map { .number($0) }),
      "was_cancelled": .bool(sampler.wasCancelled),
    ])
  }

  /// What the variational fit is worth; nil where there was none.
  private var variationalJSON: JSONValue? {
    guard let fit = posterior?.variational else { return nil }
    let worth = fit.diagnostics
    /// Returns a number; nil for infinity, which a tail without weights has.
    func finite(_ x: Double) -> JSONValue? { x.isFinite ? .number(x) : nil }
    return .members([
      "reason": .string(fit.reason.rawValue),
      "gradients": .integer(fit.gradients),
      "elbo": finite(worth.elbo),
      "elbo_error": finite(worth.elboError),
      "pareto_k": finite(worth.paretoK),
      "efficiency": finite(worth.efficiency),
      "log_evidence": finite(worth.logEvidence),
      "was_cancelled": .bool(fit.reason == .cancelled),
    ])
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

  /// Shape and use of the image.
  private var imageJSON: JSONValue {
    let image = best.fit.image
    return .members([
      "width": .integer(image.width), "height": .integer(image.height),
      "masked_pixels": .integer(image.mask.count - image.goodCount),
      "psf_width": image.psf.map { .integer($0.width) },
      "psf_height": image.psf.map { .integer($0.height) },
      "psf_oversampling": image.psf.map { .integer($0.oversampling) },
      "psf_sum": image.psf.map { .number($0.values.reduce(0, +)) },
      "zero_point": image.zeroPoint.map { .number($0) },
    ])
  }
}
