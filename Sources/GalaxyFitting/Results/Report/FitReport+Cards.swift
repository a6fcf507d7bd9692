// SPDX-License-Identifier: MIT
//
// A report as cards of a FITS header: what was done, parameters with errors, inputs, priors and warnings.

import FITS
import GalaxyModels
import Rendering

extension FitReport {
  /// The cards that say what was done.
  var provenanceCards: [FITSCard] {
    var cards = [
      FITSCard("CREATOR", "swift-sersic \(provenance.version)", comment: "software"),
      FITSCard("METHOD", method, comment: "way of fitting"),
      FITSCard("PROFILE", title, comment: "light profile"),
      FITSCard("SKYMODEL", sky.rawValue, comment: "form of the sky"),
      FITSCard("LOSS", "\(loss)", comment: "density of the pixels"),
      FITSCard("RENDERER", renderer.rawValue, comment: "way of drawing"),
      FITSCard(
        "PIXRESP", pixelResponse.rawValue, comment: "pixel response: in the PSF, or integrated"),
      FITSCard("SEED", Int(clamping: provenance.seed), comment: "seed of all draws"),
      FITSCard("CONVERGD", search.isConverged, comment: "whether the search converged"),
      FITSCard("LOGPOST", search.logPosterior, comment: "log posterior density at the maximum"),
      FITSCard("CHI2", search.chiSquared, comment: "sum of squared residuals over rms"),
      FITSCard("NPIX", search.pixelCount, comment: "number of good pixels"),
    ]
    for summary in parameters {
      let unit = summary.unit.isEmpty ? "" : " [\(summary.unit)]"
      cards.append(
        FITSCard(
          summary.name, summary.map,
          comment: (summary.isFixed
            ? "fixed" : summary.tie == nil ? "maximum of the posterior" : "tied")
            + unit.replacing("²", with: "2")))
      // A keyword has eight characters: the error's name is cut before its prefix.
      if let sd = summary.standardDeviation {
        cards.append(
          FITSCard(
            "E_" + String(summary.name.replacing("_", with: "").prefix(6)), sd,
            comment: "standard deviation of \(summary.name)"))
      }
    }
    for input in provenance.inputs {
      cards.append(
        .history("\(input.role): \(input.name) sha256 \(input.sha256 ?? "unknown")"))
    }
    if let command = provenance.command { cards.append(.history("command: \(command)")) }
    for (site, prior) in priors.sorted(by: { $0.key < $1.key }) {
      cards.append(.history("prior: \(site) \(prior)"))
    }
    for warning in warnings { cards.append(.history("warning: \(warning.message)")) }
    return cards
  }
}
