// SPDX-License-Identifier: MIT
//
// What a fit says about one parameter: the maximum, and mean, scatter and quantiles where there is a posterior.

import Inference
public import JSON

/// The summary of one parameter.
public struct ParameterSummary: Sendable, Hashable {
  /// The probabilities of the quantiles, with their names in files.
  public static let probabilities: [(name: String, value: Double)] = [
    ("q05", 0.05), ("q16", 0.16), ("q50", 0.5), ("q84", 0.84), ("q95", 0.95),
  ]

  /// The name of the site, or of the derived quantity.
  public let name: String

  /// The unit; empty for pure numbers.
  public let unit: String

  /// The value at the maximum of the posterior, or the value at which the parameter is held.
  public let map: Double

  /// Whether the parameter is held at its value.
  public let isFixed: Bool

  /// What the parameter follows from, such as `xc_1`; nil for those that a fit determines, and for those that are held.
  public let tie: String?

  /// The mean of the posterior; that of the directions for an angle.
  public let mean: Double?

  /// The standard deviation of the posterior; around the mean direction for an angle.
  public let standardDeviation: Double?

  /// The quantiles at ``probabilities``; empty without a posterior; an angle's may leave [0, period).
  public let quantiles: [Double]

  /// The effective sample size of the centre; nil unless Markov chains made the draws.
  public let bulkESS: Double?

  /// The effective sample size of the tails; nil unless Markov chains made the draws.
  public let tailESS: Double?

  /// The rank-normalised split R-hat; nil unless Markov chains made the draws.
  public let rHat: Double?

  /// Creates a summary of a value alone.
  init(name: String, unit: String, map: Double, isFixed: Bool = false, tie: String? = nil) {
    self.name = name
    self.unit = unit
    self.map = map
    self.isFixed = isFixed
    self.tie = tie
    mean = nil
    standardDeviation = nil
    quantiles = []
    bulkESS = nil
    tailESS = nil
    rHat = nil
  }

  /// Creates a summary of a value and draws; of those of Markov chains it tells what they are worth.
  init(
    name: String, unit: String, map: Double, draws: ScalarDraws, isSampled: Bool = false,
    tie: String? = nil
  ) {
    self.name = name
    self.unit = unit
    self.map = map
    isFixed = false
    self.tie = tie
    let mean = draws.mean
    let quantiles = draws.quantiles(Self.probabilities.map(\.value))
    /// Returns a number; nil where it is not finite, as files have it.
    func finite(_ x: Double) -> Double? { x.isFinite ? x : nil }
    self.mean = finite(mean)
    standardDeviation = finite(draws.standardDeviation)
    self.quantiles = quantiles.allSatisfy(\.isFinite) ? quantiles : []
    bulkESS = isSampled ? finite(draws.bulkESS) : nil
    tailESS = isSampled ? finite(draws.tailESS) : nil
    rHat = isSampled ? finite(draws.rHat) : nil
  }

  /// Creates a summary from its parts.
  private init(_ old: ParameterSummary, name: String, offset: Double) {
    self.name = name
    unit = old.unit
    map = old.map + offset
    isFixed = old.isFixed
    tie = old.tie
    mean = old.mean.map { $0 + offset }
    standardDeviation = old.standardDeviation
    quantiles = old.quantiles.map { $0 + offset }
    bulkESS = old.bulkESS
    tailESS = old.tailESS
    rHat = old.rHat
  }

  /// Reads the members of ``json``.
  init(name: String, _ place: JSONPlace) throws(FitRecordError) {
    self.name = name
    unit = try place.optional("unit")?.string() ?? ""
    map = try place.optional("map")?.double() ?? .nan
    isFixed = try place.optional("fixed")?.bool() ?? false
    tie = try place.optional("tied_to")?.string()
    mean = try place.optional("mean")?.double()
    standardDeviation = try place.optional("sd")?.double()
    var quantiles: [Double] = []
    for probability in Self.probabilities {
      if let value = try place.optional(probability.name)?.double() { quantiles.append(value) }
    }
    self.quantiles = quantiles
    bulkESS = try place.optional("ess_bulk")?.double()
    tailESS = try place.optional("ess_tail")?.double()
    rHat = try place.optional("r_hat")?.double()
  }

  /// The median; nil without a posterior.
  public var median: Double? { quantiles.count == 5 ? quantiles[2] : nil }

  /// Returns the summary of the same quantity counted from another zero point.
  func shifted(by offset: Double, name: String) -> ParameterSummary {
    ParameterSummary(self, name: name, offset: offset)
  }

  /// The members of `result.json`: map, mean, sd, q05 … q95, ess_bulk, ess_tail, r_hat, fixed, tied_to, unit; what is not there is
  /// left out.
  public var json: JSONValue {
    var members = [JSONValue.Member(name: "map", value: .number(map))]
    if let mean { members.append(JSONValue.Member(name: "mean", value: .number(mean))) }
    if let standardDeviation {
      members.append(JSONValue.Member(name: "sd", value: .number(standardDeviation)))
    }
    for (probability, value) in zip(Self.probabilities, quantiles) {
      members.append(JSONValue.Member(name: probability.name, value: .number(value)))
    }
    for (name, value) in [("ess_bulk", bulkESS), ("ess_tail", tailESS), ("r_hat", rHat)] {
      if let value { members.append(JSONValue.Member(name: name, value: .number(value))) }
    }
    if isFixed { members.append(JSONValue.Member(name: "fixed", value: true)) }
    if let tie { members.append(JSONValue.Member(name: "tied_to", value: .string(tie))) }
    if !unit.isEmpty { members.append(JSONValue.Member(name: "unit", value: .string(unit))) }
    return .object(
      members.filter {
        if case .number(let x) = $0.value { return x.isFinite }
        return true
      })
  }
}
