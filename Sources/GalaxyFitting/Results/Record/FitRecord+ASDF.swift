// SPDX-License-Identifier: MIT
//
// A posterior as an ASDF file: draws, inputs and the whole result, in the layout of pysersic's files.

import ASDF
import GalaxyModels
import Inference
import JSON
import Rendering

extension FitResult {
  /// The tree of posterior.asdf; nil without a posterior.
  ///
  /// `posterior` {name: array `[chains, draws]`}, `sample_stats` where Markov chains made the draws, `input_data` {`image`, `rms`,
  /// `mask`: arrays `[height, width]`; `psf`}, `method_used`, `prior_info` {name: text}, and all of `result.json` under `result`.
  var asdf: ASDFValue? {
    guard let posterior else { return nil }
    let image = best.fit.image
    let shape = [image.height, image.width]
    var inputs = [
      ASDFValue.Member("image", .array(ASDFArray(image.science, shape: shape))),
      ASDFValue.Member("rms", .array(ASDFArray(image.rms, shape: shape))),
      ASDFValue.Member("mask", .array(ASDFArray(image.mask, shape: shape))),
    ]
    if let psf = image.psf {
      inputs.append(
        ASDFValue.Member(
          "psf", .array(ASDFArray(psf.values, shape: [psf.height, psf.width]))))
    }
    let priors = best.fit.prior.texts.sorted { $0.key < $1.key }.map {
      ASDFValue.Member($0.key, .string($0.value))
    }
    return .map(
      (posterior.draws.asdf.members ?? []) + [
        ASDFValue.Member("input_data", .map(inputs)),
        ASDFValue.Member("method_used", .string(method)),
        ASDFValue.Member("prior_info", .map(priors)),
        ASDFValue.Member("result", Self.tree(json)),
      ])
  }

  /// Returns a JSON document as a tree.
  private static func tree(_ value: JSONValue) -> ASDFValue {
    switch value {
    case .null: .null
    case .bool(let flag): .bool(flag)
    case .integer(let number): .integer(number)
    case .number(let number): .number(number)
    case .string(let text): .string(text)
    case .array(let values): .list(values.map { tree($0) })
    case .object(let members):
      .map(members.map { ASDFValue.Member($0.name, tree($0.value)) })
    }
  }
}
