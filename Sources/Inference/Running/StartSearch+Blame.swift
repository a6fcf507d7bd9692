// SPDX-License-Identifier: MIT
//
// Which sites make a log density infinite or NaN, and which datum of theirs: what a failed search for a start says.

import Distributions
import PPL
import Tensors

extension CompiledDensity {
  /// Returns the sites whose log density is not finite at a point, observed ones first, in words; nil where there is none.
  func blame(_ q: [Double]) -> (site: String, text: String)? {
    let trace = trace(at: q)
    let bad = trace.sites.filter { !$0.logProbability.elements.allSatisfy(\.isFinite) }
    let sorted = bad.filter(\.isObserved) + bad.filter { !$0.isObserved }
    guard let first = sorted.first else { return nil }
    // What follows from a bad datum is bad, too: data alone are to be mended where there are any.
    let told = first.isObserved ? bad.filter(\.isObserved) : sorted
    return (first.name, told.map { Self.reproach($0) }.joined(separator: "; "))
  }

  /// Returns what is wrong with a site whose log density is not finite.
  private static func reproach(_ site: Site) -> String {
    let value = site.value ?? Tensor(.nan)
    let density = site.logProbability.elements.first { !$0.isFinite } ?? .nan
    let opening =
      "the log density of \(site.isObserved ? "the data" : "site") \"\(site.name)\" is \(density)"
    guard let distribution = site.distribution else {
      return "\(opening): check the factor's formula"
    }
    /// Returns an element in words.
    func element(_ k: Int) -> String {
      "element \(value.shape.isEmpty ? "" : Draws.index(k, value.shape) + " ")is \(value.elements[k])"
    }
    if let k = value.elements.firstIndex(where: { !$0.isFinite }) {
      return "\(opening): \(element(k)); leave it out, or mask it"
    }
    let terms = distribution.logProbability(of: value)
    let allowed = distribution.support.contains(value).elements
    if let event = allowed.firstIndex(of: 0), !allowed.isEmpty {
      let k = event * (value.count / allowed.count)
      let place =
        allowed.count == value.count
        ? element(k)
        : "the event that begins at element \(Draws.index(k, value.shape)) lies"
      return "\(opening): \(place), outside the support \(distribution.support.name)"
    }
    if let event = terms.elements.firstIndex(where: { !$0.isFinite }), terms.count > 0 {
      let k = event * (value.count / terms.count)
      return
        "\(opening): at \(element(k)), which is allowed for \(distribution): a parameter of the distribution is impossible or not finite there; check predictors and priors"
    }
    return "\(opening): check the distribution's parameters"
  }
}
