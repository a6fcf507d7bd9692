// SPDX-License-Identifier: MIT
//
// Several sources in one image as a probabilistic program: the sum of the stock ones, each with its number.

public import PPL
public import Rendering

/// Returns the model of all sources of a stock model; where there are several the sites of source 2 end in `_2`.
public func sourcesModel(_ prior: some ModelPrior) -> Model<LightProfile> {
  let sources = prior.sources.map { (suffix: $0.suffix, model: $0.profile.model($0.prior)) }
  return Model { m in
    LightProfile(
      sources.flatMap { source in
        m.scope(suffix: source.suffix) { m.call(source.model) }.components
      })
  }
}
