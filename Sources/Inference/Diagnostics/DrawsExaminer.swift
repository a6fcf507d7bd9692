// SPDX-License-Identifier: MIT
//
// What makes draws doubtful, in words for the user: the rules behind the warnings of `PosteriorDiagnostics`.
//
// Source of the thresholds: Vehtari and others 2021, Bayesian Analysis 16, 667 (R-hat 1.01, 100 effective draws to a chain);
// Betancourt 2016, arXiv 1604.00695 (E-BFMI 0.3).

import Tensors

/// Examines draws for reasons not to trust them.
struct DrawsExaminer {
  /// The draws.
  let draws: Draws
  /// The diagnostics of each scalar.
  let scalars: [PosteriorDiagnostics.Scalar]
  /// The E-BFMI of each chain.
  let energyFractions: [Double]

  /// The largest R-hat of chains that agree.
  static let largestRHat = 1.01
  /// The R-hat above which draws are not those of the posterior, so that nothing is to be made of them.
  static let hopelessRHat = 1.05
  /// The effective draws that each chain should give.
  static let effectiveDraws = 100.0
  /// The draws of a chain below which nothing can be judged.
  static let fewestDraws = 100
  /// The smallest E-BFMI of a sampler that reaches the tails.
  static let smallestEnergyFraction = 0.3
  /// The length of the mean direction below which an angle counts as undetermined: a scatter of 1.2 rad of its phase.
  static let shortestDirection = 0.5

  /// Returns the warnings, the gravest first.
  func warnings() -> [DiagnosticWarning] {
    if let few = fewDraws(), draws.draws < 4 { return run() + [few] }
    let groups = ChainGroups(draws: draws, scalars: scalars)
    return run() + notFinite() + [fewDraws(), oneChain()].compactMap { $0 } + constants()
      + groups.warnings()
      // Groups that do not meet are told of with their log densities.
      + [groups.isDivided ? nil : LateChains(draws: draws).warning(besides: groups.frozen)]
      .compactMap { $0 } + divergences() + depths() + energies()
      + disagreement(besides: groups.explained) + effectiveSizes() + angles()
  }

  /// Returns a share as text: `0.05 %`, `12 %`.
  static func percent(_ part: Int, of whole: Int) -> String {
    let share = 100 * Double(part) / Double(max(1, whole))
    return decimalText(share, decimals: share < 1 ? 2 : share < 10 ? 1 : 0) + " %"
  }

  /// Returns names in a row, the first few of many.
  static func list(_ names: [String]) -> String {
    let shown = names.prefix(4).joined(separator: ", ")
    return names.count > 4 ? shown + " and \(names.count - 4) more" : shown
  }

  // MARK: - The draws themselves

  /// Returns whether there are too few draws.
  private func fewDraws() -> DiagnosticWarning? {
    guard draws.draws < Self.fewestDraws else { return nil }
    return DiagnosticWarning(
      .fewDraws, "run",
      "\(draws.draws) draws to a chain are too few to judge convergence or to quote an interval: draw some hundreds more"
    )
  }

  /// Returns whether a Markov chain has no other to be compared with.
  private func oneChain() -> DiagnosticWarning? {
    guard draws.chains == 1, draws.statistics != nil else { return nil }
    return DiagnosticWarning(
      .oneChain, "run",
      "one chain cannot show that it has found all of the posterior: run two or more (chains: 4)")
  }

  /// Returns what the run said of itself: that it was ended early, above all.
  private func run() -> [DiagnosticWarning] {
    guard let statistics = draws.statistics else { return [] }
    return statistics.warnings.map {
      DiagnosticWarning($0 == statistics.cancellation ? .cancelled : .run, "run", $0)
    }
  }

  /// Returns the sites with draws that are no numbers.
  private func notFinite() -> [DiagnosticWarning] {
    bySite(scalars.filter { $0.notFinite > 0 }).map { site, list in
      let worst = list.map(\.notFinite).max() ?? 0
      return DiagnosticWarning(
        .notFinite, site,
        "\(subject(list)): \(worst) of \(draws.count) draws are NaN or infinite; check the formula for logarithms, roots and quotients of what may reach zero"
      )
    }
  }

  /// Returns the sites that never change.
  private func constants() -> [DiagnosticWarning] {
    guard draws.count > 1 else { return [] }
    let fixed = fixedBySupport()
    return bySite(
      scalars.enumerated().filter {
        $1.isConstant && $1.notFinite == 0 && !fixed.contains($0)
      }.map(\.element)
    ).map { site, list in
      DiagnosticWarning(
        .constant, site,
        "every draw of \(subject(list)) is the same: if it is meant to be fixed, all is well; if not, the sampler never moved, and the step size or the model must change"
      )
    }
  }

  /// Returns the places of scalars that never change since a support fixes them, in matrices whose other elements move.
  ///
  /// They are the zeros above the diagonal of a triangular factor, with the 1 in the corner of one whose rows have length 1, and
  /// the ones on the diagonal of a correlation matrix.
  private func fixedBySupport() -> Set<Int> {
    var fixed: Set<Int> = []
    var start = 0
    for site in draws.sites {
      defer { start += site.shape.elementCount }
      guard site.shape.count >= 2, let n = site.shape.last, n > 1,
        site.shape[site.shape.count - 2] == n
      else { continue }
      for matrix in stride(from: 0, to: site.shape.elementCount, by: n * n) {
        /// Returns whether an element is always a number.
        func stays(_ row: Int, _ column: Int, at value: Double) -> Bool {
          let place = matrix + row * n + column
          return scalars[start + place].isConstant && site.values[place] == value
        }
        /// Returns whether an element moves.
        func moves(_ row: Int, _ column: Int) -> Bool {
          !scalars[start + matrix + row * n + column].isConstant
        }
        let pairs = (1..<n).flatMap { row in (0..<row).map { (row, $0) } }
        guard pairs.allSatisfy({ moves($0.0, $0.1) }) else { continue }
        if pairs.allSatisfy({ stays($0.1, $0.0, at: 0) }) {
          fixed.formUnion(pairs.map { start + matrix + $0.1 * n + $0.0 })
          if stays(0, 0, at: 1) { fixed.insert(start + matrix) }
        } else if (0..<n).allSatisfy({ stays($0, $0, at: 1) }) {
          fixed.formUnion((0..<n).map { start + matrix + $0 * n + $0 })
        }
      }
    }
    return fixed
  }

  /// Returns the angles of which the data say little.
  private func angles() -> [DiagnosticWarning] {
    bySite(scalars.filter { $0.concentration ?? 1 < Self.shortestDirection }).map { site, list in
      DiagnosticWarning(
        .angleUndetermined, site,
        "\(subject(list)) is not determined by the data: its draws go round the circle; do not quote its mean or an interval"
      )
    }
  }

  // MARK: - Convergence

  /// Returns whether chains do not agree, for reasons not told already.
  private func disagreement(besides explained: Set<String>) -> [DiagnosticWarning] {
    let list = scalars.filter { $0.rHat > Self.largestRHat && !explained.contains($0.name) }
      .sorted { $0.rHat > $1.rHat }
    guard let worst = list.first else { return [] }
    let names = Self.list(
      list.map { "\($0.name) (\($0.rHat < 100 ? decimalText($0.rHat, decimals: 3) : "over 100"))" })
    return [
      DiagnosticWarning(
        .rHat, worst.name,
        "the chains do not agree; R-hat should be below 1.01, and is not for \(names): run longer, warm-up and draws alike, and if that does not help look for strong correlations or several modes"
      )
    ]
  }

  /// Returns whether there are few effective draws.
  private func effectiveSizes() -> [DiagnosticWarning] {
    guard draws.draws >= Self.fewestDraws else { return [] }
    let wanted = Self.effectiveDraws * Double(draws.chains)
    let kinds: [(DiagnosticWarning.Code, String, (PosteriorDiagnostics.Scalar) -> Double)] = [
      (.lowBulkESS, "means and medians are uncertain", \.bulkESS),
      (.lowTailESS, "the ends of intervals are uncertain", \.tailESS),
    ]
    return kinds.compactMap { code, meaning, size in
      let list = scalars.filter { size($0) < wanted && !$0.isConstant }
        .sorted { size($0) < size($1) }
      guard let worst = list.first else { return nil }
      let names = Self.list(list.map { "\(decimalText(size($0), decimals: 0)) for \($0.name)" })
      let factor = Int((wanted / max(1, size(worst))).rounded(.up))
      // More of draws that are not those of the posterior are no better.
      let advice =
        list.contains { $0.rHat > Self.hopelessRHat }
        ? "first make the chains agree: until then these numbers are too large, and more draws do not help"
        : "draw \(factor) times as many, or remove correlations"
      return DiagnosticWarning(
        code, worst.name,
        "\(meaning): the \(draws.count) draws are worth only \(names) independent ones, and should be worth \(decimalText(wanted, decimals: 0)); \(advice)"
      )
    }
  }

  // MARK: - The sampler

  /// Returns whether steps diverged, and where.
  private func divergences() -> [DiagnosticWarning] {
    guard let statistics = draws.statistics, statistics.divergences > 0 else { return [] }
    let count = statistics.divergences
    let share =
      "\(count) of \(statistics.diverged.count) draws (\(Self.percent(count, of: statistics.diverged.count))) diverged"
    // One in a thousand, as a well-made hierarchical model may have at the default acceptance.
    if count * 1000 <= statistics.diverged.count {
      return [
        DiagnosticWarning(
          .divergences, "run",
          "\(share): so few do little harm, but run once more with NUTS(targetAcceptance: 0.95) to see that the result stays"
        )
      ]
    }
    return [
      DiagnosticWarning(
        .divergences, "run",
        "\(share)\(neighbourhood(statistics.diverged)): the sampler cannot follow the posterior there, and the draws miss part of it. Raise the acceptance: NUTS(targetAcceptance: 0.95), then 0.99\(noncentring(statistics))"
      )
    ]
  }

  /// Returns the advice to non-centre the hierarchies of a model, as the end of a sentence; empty where it has none.
  private func noncentring(_ statistics: SamplerStatistics) -> String {
    let sites = statistics.hierarchicalSites
    guard !sites.isEmpty else { return "" }
    let forms = sites.prefix(4).map { "\"\($0)\": LocScale()" }.joined(separator: ", ")
    return
      "; the scale of \(Self.list(sites)) is a parameter: sample from the non-centred form, model.reparameterized([\(forms)])"
  }

  /// Returns where divergent draws gather, as text: the scalar whose ranks among them are the most one-sided.
  private func neighbourhood(_ diverged: [Bool]) -> String {
    let count = Double(diverged.count { $0 })
    guard count >= 5 else { return "" }
    guard draws.count == diverged.count else { return "" }
    let medians = draws.concurrentMap(draws.sites) {
      site, part -> (inner: Double, share: Double)? in
      guard part.period == nil, part.values.allSatisfy(\.isFinite) else { return nil }
      let own = zip(part.values, diverged).filter(\.1).map(\.0).sorted()
      let inner = ChainStatistics.quantile(own, 0.5)
      // The share of all draws below the median divergent one; one half where divergences are spread as the draws are.
      return (inner, Double(part.values.count { $0 < inner }) / Double(part.values.count))
    }
    var best: (score: Double, place: Int) = (0, 0)
    for (k, median) in medians.enumerated() {
      let score = median.map { abs($0.share - 0.5) } ?? 0
      if score > best.score { best = (score, k) }
    }
    // A median rank outside the central 60 % of the draws.
    guard best.score > 0.3, let (inner, share) = medians[best.place] else { return "" }
    let part = draws.scalar(scalars[best.place].name)
    let middle = part.quantiles([0.5])[0]
    return
      ", mostly where \(part.name) is \(share < 0.5 ? "small" : "large") (median \(shortText(inner)), that of all draws \(shortText(middle)))"
  }

  /// Returns a number with three significant digits.
  private func shortText(_ x: Double) -> String { roundedText(x, to: abs(x) / 10) }

  /// Returns the chains that explore energies slowly.
  private func energies() -> [DiagnosticWarning] {
    let low = energyFractions.enumerated().filter { $0.element < Self.smallestEnergyFraction }
    guard let smallest = low.map(\.element).min() else { return [] }
    let names = Self.list(low.map { "\($0.offset)" })
    return [
      DiagnosticWarning(
        .lowEnergyFraction, "run",
        "the sampler explores the tails slowly in \(low.count == 1 ? "chain" : "chains") \(names), counted from 0 (E-BFMI \(decimalText(smallest, decimals: 2)), should be above 0.3): tails of the result are uncertain; warm up longer or take a lighter-tailed prior\(draws.statistics.map(noncentring) ?? "")"
      )
    ]
  }

  /// Returns whether trajectories were cut off.
  private func depths() -> [DiagnosticWarning] {
    guard let statistics = draws.statistics, let largest = statistics.maximumTreeDepth else {
      return []
    }
    let count = statistics.treeDepth.count { $0 >= largest }
    guard count > 0 else { return [] }
    let disagrees = scalars.contains { $0.rHat > Self.hopelessRHat }
    let meaning =
      disagrees
      ? "with chains that do not agree the draws are not those of the posterior"
      : "the result is right but slow to get"
    var advice =
      "scales or correlations are strong, so use a metric from draws and gradients (adaptation: .lowRank), start with the covariance at the mode (initial: .laplace()), or bring the parameters to like scales"
    if disagrees && !statistics.improperSites.isEmpty {
      advice +=
        "; or the posterior has no integral: the prior of \(Self.list(statistics.improperSites)) is flat, and where the data do not bound a direction draws drift for ever; give a proper prior"
    }
    return [
      DiagnosticWarning(
        .treeDepth, "run",
        "\(count) of \(statistics.treeDepth.count) trajectories (\(Self.percent(count, of: statistics.treeDepth.count))) were cut off at the largest depth, \(largest): \(meaning); \(advice)"
      )
    ]
  }

  // MARK: - Helpers

  /// Returns scalars grouped by site, in order.
  private func bySite(
    _ list: [PosteriorDiagnostics.Scalar]
  ) -> [(String, [PosteriorDiagnostics.Scalar])] {
    let groups = Dictionary(grouping: list, by: \.site)
    return draws.names.compactMap { name in groups[name].map { (name, $0) } }
  }

  /// Returns what some scalars of one site are called: the site, an element, or several.
  private func subject(_ list: [PosteriorDiagnostics.Scalar]) -> String {
    let whole = scalars.count { $0.site == list[0].site }
    return whole == list.count && whole > 1 ? list[0].site : Self.list(list.map(\.name))
  }
}
