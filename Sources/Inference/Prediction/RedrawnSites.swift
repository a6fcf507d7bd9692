// SPDX-License-Identifier: MIT
//
// Which observed sites of a model are data, that predictions draw anew, and which are parameters held at a value.

import Distributions
import Numerics
import PPL
import Tensors

/// Finds the observed sites that are drawn anew.
///
/// All that the model observes, and the latent ones that were conditioned on data: those whose distribution differs between two
/// draws, as it then depends on other latent sites, and those that are named.
///
/// - Parameters:
///   - model: The model, with whole plates.
///   - draws: Draws of its latent sites; by default they come from the prior.
///   - names: Sites that are drawn anew in any case.
/// - Returns: The names of the sites.
/// - Throws: What runs of the model throw.
func redrawnSites(
  of model: Model<Void>, under draws: Draws = Draws(chains: 1, draws: 2, sites: []),
  named names: [String]?
) throws -> Set<String> {
  let runs = ModelRuns(
    model, draws, drawable: nil, key: RandomKey(0).folding(in: "dependence"),
    allowsImproper: true)
  let first = try runs.trace(0)
  let observed = first.sites.filter { $0.kind == .sample && $0.isObserved }
  var result = Set(
    observed.filter { !$0.wasLatent || names?.contains($0.name) ?? false }.map(\.name))
  if result.count == observed.count { return result }
  // A lone draw has another one to be compared with only in the prior.
  let second = draws.count > 1 ? try runs.trace(draws.count - 1) : try model.trace(key: runs.key)
  for site in observed {
    let densities = [first, second].map { trace -> [Double] in
      guard let value = site.value else { return [] }
      return trace.site(site.name)?.distribution?.logProbability(of: value).elements ?? []
    }
    if densities[0] != densities[1] { result.insert(site.name) }
  }
  return result
}
