// SPDX-License-Identifier: MIT
//
// The distinct maxima that the searches found: where they are, and what is said of those beside the best.

import GalaxyModels
import Inference
import Tensors

extension MAPFit {
  /// A maximum of the posterior.
  public struct Mode: Sendable {
    /// The logarithm of the posterior, up to a constant.
    public let logPosterior: Double

    /// The free parameters, by site.
    public let values: [String: Double]

    /// The number of searches that led there.
    public let searches: Int
  }

  /// Returns the maxima of a search, highest first.
  static func modes(_ fit: any GalaxyFit, _ found: [SearchResult.Mode]) -> [Mode] {
    let sites = fit.prior.freeSites
    return found.map { mode in
      let values = fit.density.constrain(mode.optimum.position, sites: sites)
      return Mode(
        logPosterior: mode.optimum.value, values: values.compactMapValues { $0.item() },
        searches: mode.searches.count)
    }
  }

  /// Maxima farther below the best than this have e⁻⁸ of its density: no posterior of theirs is seen.
  private static let negligible = 8.0

  /// Maxima nearer in height than this are the same one, found twice, unless their radii differ.
  private static let sameHeight = 0.1

  /// Returns a warning where a maximum beside the best is nearly as high.
  static func rivalry(_ fit: any GalaxyFit, _ modes: [Mode]) -> [InputFinding] {
    guard let best = modes.first else { return [] }
    let rivals = modes.dropFirst().filter { mode in
      let lower = best.logPosterior - mode.logPosterior
      return lower < negligible && (lower > sameHeight || isApart(fit.prior, best, mode))
    }
    guard let rival = rivals.first else { return [] }
    let lower = best.logPosterior - rival.logPosterior
    let number =
      rivals.count == 1 ? "another maximum" : "\(rivals.count) other maxima were found: the next"
    return [
      InputFinding(
        .warning, "several-modes", subject: "fit",
        "\(number) has a log posterior only \(shortened(max(0, lower))) lower, with \(differences(best, rival)); sample the posterior to weigh them, or choose one by priors"
      )
    ]
  }

  /// Whether a radius of two maxima differs by more than a tenth.
  private static func isApart(_ prior: some ModelPrior, _ a: Mode, _ b: Mode) -> Bool {
    a.values.contains { site, value in
      guard GalaxySite.quantity(of: prior.parameter(site)) == GalaxySite.rEff,
        let other = b.values[site]
      else { return false }
      return max(value, other) > 1.1 * min(value, other)
    }
  }

  /// Returns the parameters of the shape of a maximum that differ from those of the best, as text.
  private static func differences(_ best: Mode, _ rival: Mode) -> String {
    let sites = rival.values.keys.sorted().filter { site in
      guard let a = best.values[site], let b = rival.values[site] else { return false }
      return abs(a - b) > 0.02 * max(abs(a), abs(b))
    }
    return sites.isEmpty
      ? "nearly the same parameters"
      : sites.map { site in
        "\(site) = \(shortened(rival.values[site] ?? .nan)) in place of \(shortened(best.values[site] ?? .nan))"
      }.joined(separator: ", ")
  }
}
