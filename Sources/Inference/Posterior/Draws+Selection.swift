// SPDX-License-Identifier: MIT
//
// Draws made of other draws: some chains, some draws, some sites, several runs, derived quantities.

import Numerics
public import Tensors

extension Draws {
  /// Returns every n-th draw of each chain, from the first; the E-BFMI stays that of all steps.
  public func thinned(by step: Int) -> Draws {
    demand(step > 0, "thinned: expected a step > 0, got \(step)")
    var result = selecting(
      chains: Array(0..<chains), draws: Array(stride(from: 0, to: draws, by: step)))
    result.statistics?.thinning *= step
    return result
  }

  /// Returns one chain alone.
  ///
  /// - Precondition: There is such a chain.
  public func chain(_ index: Int) -> Draws { selecting(chains: [index]) }

  /// Returns some chains, in the order given.
  ///
  /// - Precondition: There are such chains.
  public func selecting(chains indices: [Int]) -> Draws {
    selecting(chains: indices, draws: Array(0..<draws))
  }

  /// Returns the draws of each chain in a range: `draws.selecting(draws: 500..<1000)`.
  ///
  /// - Precondition: There are such draws.
  public func selecting(draws range: Range<Int>) -> Draws {
    selecting(chains: Array(0..<chains), draws: Array(range))
  }

  /// Returns the given draws of the given chains.
  private func selecting(chains indices: [Int], draws places: [Int]) -> Draws {
    demand(
      indices.allSatisfy { (0..<chains).contains($0) }
        && places.allSatisfy { (0..<draws).contains($0) },
      "draws: expected chains below \(chains) and draws below \(draws), got \(indices) and \(places.first ?? 0)…\(places.last ?? 0)"
    )
    var result = Draws(
      chains: indices.count, draws: places.count,
      sites: sites.map { site in
        let size = site.shape.elementCount
        var values: [Double] = []
        values.reserveCapacity(indices.count * places.count * size)
        for chain in indices {
          for place in places {
            let start = (chain * draws + place) * size
            values += site.values[start..<(start + size)]
          }
        }
        return Site(name: site.name, shape: site.shape, period: site.period, values: values)
      })
    result.statistics = statistics?.selecting(chains: indices, draws: places, of: draws)
    result.unconstrained = unconstrained.map { all in
      let (elements, size) = (all.elements, all.shape[2])
      let chosen = indices.flatMap { chain in
        places.flatMap { place -> ArraySlice<Double> in
          let start = (chain * draws + place) * size
          return elements[start..<(start + size)]
        }
      }
      return Tensor(chosen, shape: [indices.count, places.count, size])
    }
    return result
  }

  /// Returns some sites, in the order given.
  ///
  /// - Precondition: There are such sites.
  public func selecting(_ names: [String]) -> Draws {
    var result = Draws(
      chains: chains, draws: draws,
      sites: names.map { name in
        guard let site = site(name) else {
          stop("selecting: expected some of \(self.names), got \"\(name)\"")
        }
        return site
      })
    result.statistics = statistics
    result.unconstrained = unconstrained
    return result
  }

  /// Returns draws of other quantities that were computed from these, one for one; what the sampler told stays.
  ///
  /// - Precondition: Each site has as many draws.
  package func replacingSites(_ sites: [Site]) -> Draws {
    var result = Draws(chains: chains, draws: draws, sites: sites)
    result.statistics = statistics
    return result
  }

  /// Returns the chains of several runs of the same sites, one after the other.
  ///
  /// - Precondition: There is a run, and all have the same sites and number of draws.
  public static func merging(_ runs: [Draws]) -> Draws {
    guard let first = runs.first else { stop("merging: expected a run, got none") }
    for run in runs.dropFirst() {
      demand(
        run.names == first.names && run.draws == first.draws
          && zip(run.sites, first.sites).allSatisfy {
            $0.shape == $1.shape && $0.period == $1.period
          },
        "merging: expected \(first.draws) draws of \(first.names) in each chain, got \(run.draws) of \(run.names); cut them with selecting(draws:) or selecting(_:)"
      )
    }
    var result = Draws(
      chains: runs.reduce(0) { $0 + $1.chains }, draws: first.draws,
      sites: first.sites.indices.map { k in
        let site = first.sites[k]
        return Site(
          name: site.name, shape: site.shape, period: site.period,
          values: runs.flatMap { $0.sites[k].values })
      })
    let all = runs.compactMap(\.statistics)
    if all.count == runs.count { result.statistics = SamplerStatistics.merging(all) }
    let vectors = runs.compactMap(\.unconstrained)
    if vectors.count == runs.count, Set(vectors.map { $0.shape[2] }).count == 1 {
      result.unconstrained = Tensor(
        vectors.flatMap(\.elements), shape: [result.chains, result.draws, vectors[0].shape[2]])
    }
    return result
  }

  /// Returns the draws with a further quantity computed from each of them.
  ///
  /// ```swift
  /// let more = draws.deriving("b_t") { $0["flux_1"] / ($0["flux_1"] + $0["flux_2"]) }
  /// ```
  ///
  /// - Parameters:
  ///   - name: The name of the quantity; a site of that name is replaced.
  ///   - period: The period of an angle; nil for other quantities.
  ///   - body: Returns the quantity at a draw, always of the same shape.
  /// - Returns: The draws of all sites and the new one.
  public func deriving<Value: TensorConvertible>(
    _ name: String, period: Double? = nil, _ body: (Draw) throws -> Value
  ) rethrows -> Draws {
    var shape: Shape?
    var values: [Double] = []
    _ = try map { draw in
      let value = try body(draw).tensor
      demand(
        shape == nil || shape == value.shape,
        "deriving \"\(name)\": expected the shape \(shape ?? []) of the first draw, got \(value.shape)"
      )
      shape = value.shape
      values += value.elements
    }
    return adding([Site(name: name, shape: shape ?? [], period: period, values: values)])
  }

  /// Returns the draws with further sites; those of the same name are replaced.
  func adding(_ more: [Site]) -> Draws {
    let replaced = Set(more.map(\.name))
    var result = Draws(
      chains: chains, draws: draws,
      sites: sites.filter { !replaced.contains($0.name) } + more)
    result.statistics = statistics
    result.unconstrained = unconstrained
    return result
  }
}

extension SamplerStatistics {
  /// Returns the statistics of some chains and draws of a run of `length` draws.
  func selecting(chains: [Int], draws: [Int], of length: Int) -> SamplerStatistics {
    /// Returns the chosen elements of a list, chain after chain.
    func chosen<Element>(_ list: [Element]) -> [Element] {
      list.isEmpty ? [] : chains.flatMap { chain in draws.map { list[chain * length + $0] } }
    }
    var result = self
    result.acceptance = chosen(acceptance)
    result.diverged = chosen(diverged)
    result.gradients = chosen(gradients)
    result.treeDepth = chosen(treeDepth)
    result.energy = chosen(energy)
    result.logDensity = chosen(logDensity)
    result.extras = extras.mapValues { chosen($0) }
    result.energyFractions = energyFractions.isEmpty ? [] : chains.map { energyFractions[$0] }
    // Of neighbouring draws that are all the steps, the energies tell it anew.
    let isStretch = zip(draws, draws.dropFirst()).allSatisfy { $1 == $0 + 1 }
    if thinning == 1, isStretch, draws.count < length, draws.count > 1, !energy.isEmpty {
      result.energyFractions = Inference.energyFractions(result.energy, chains: chains.count)
    }
    result.metrics = metrics.isEmpty ? [] : chains.map { metrics[$0] }
    result.resumedDraws = []
    result.stepSizes = stepSizes.isEmpty ? [] : chains.map { stepSizes[$0] }
    result.starts = starts.isEmpty ? [] : chains.map { starts[$0] }
    return result
  }

  /// Returns the statistics of several runs, chain after chain.
  static func merging(_ runs: [SamplerStatistics]) -> SamplerStatistics {
    var result = SamplerStatistics()
    for run in runs {
      result.acceptance += run.acceptance
      result.diverged += run.diverged
      result.gradients += run.gradients
      result.treeDepth += run.treeDepth
      result.energy += run.energy
      result.energyFractions += run.energyFractions
      result.logDensity += run.logDensity
      result.metrics += run.metrics
      result.stepSizes += run.stepSizes
      result.starts +=
        run.starts.isEmpty ? run.stepSizes.map { _ in "" } : run.starts
      result.warmUpGradients += run.warmUpGradients
      result.warmUpDivergences += run.warmUpDivergences
      result.maximumTreeDepth = result.maximumTreeDepth ?? run.maximumTreeDepth
      result.warmUp = max(result.warmUp, run.warmUp)
      result.requestedDraws = max(result.requestedDraws, run.requestedDraws)
      result.thinning = max(result.thinning, run.thinning)
      result.cancellation = result.cancellation ?? run.cancellation
      result.seconds += run.seconds
      result.improperSites += run.improperSites.filter { !result.improperSites.contains($0) }
      result.hierarchicalSites += run.hierarchicalSites.filter {
        !result.hierarchicalSites.contains($0)
      }
      result.warnings += run.warnings
    }
    // Of runs of different kernels, what all of them have told.
    for name in runs.first?.extras.keys.sorted() ?? []
    where runs.allSatisfy({ $0.extras[name] != nil }) {
      result.extras[name] = runs.flatMap { $0.extras[name] ?? [] }
    }
    return result
  }
}
