// SPDX-License-Identifier: MIT
//
// Priors as text, such as `n=normal(2, 0.5)`: which distributions there are, and what each parameter allows.

public import Distributions
import GalaxyModels

/// The range that is possible at all; bounds of priors between it and the meaningful one are moved to the latter.
private func possibleRange(of site: String) -> ClosedRange<Double> {
  switch GalaxySite.quantity(of: site) {
  case GalaxySite.ellip, GalaxySite.f1, GalaxySite.fPs: 0...1
  case GalaxySite.nu: -1...Double.infinity
  case GalaxySite.fracScatterIncrease, GalaxySite.sigFrac: -1...Double.infinity
  case GalaxySite.outlierFracBase: 0...20
  default: 0...Double.infinity
  }
}

/// Whether a parameter's upper bound is only there to keep numbers in range.
///
/// A half-open interval then: a logistic map up to the far bound would squeeze all that matters into its corner.
private func isOpenAbove(_ site: String) -> Bool {
  [
    GalaxySite.rEff, GalaxySite.sysScatterBase, GalaxySite.fracScatterIncrease, GalaxySite.sigFrac,
  ].contains(GalaxySite.quantity(of: site))
}

/// Returns the prior that a text stands for, fitted to the parameter it is for.
///
/// The angle gets circular distributions of period π: a normal becomes a wrapped normal, a uniform over a full period
/// the uniform of the circle. For a bounded parameter (r_eff, n, ellip) a normal is truncated, and bounds are moved, to
/// where it has a meaning: n = uniform(0, 20) becomes uniform(0.25, 12). So it is for parameters of the noise.
///
/// - Parameters:
///   - text: A distribution with its numbers, with or without their names: `normal(2, 0.5)`, `uniform(low=0, high=1)`.
///   - site: The parameter.
/// - Returns: The distribution.
/// - Throws: ``OptionError`` that says which distributions there are, or which numbers are impossible.
public func prior(from text: String, for site: String) throws(OptionError) -> any Distribution {
  let option = try OptionText(text, subject: "prior of \(site)")
  /// Returns a word without what stands between its parts.
  func bare(_ word: String) -> String { word.filter { $0 != "-" && $0 != "_" } }
  let word = bare(option.word)
  guard let form = PriorForm.all.first(where: { $0.words.contains { bare($0) == word } }) else {
    throw OptionError(
      option.subject,
      "expected a distribution, found \"\(option.word)\"; there are \(PriorForm.list)")
  }
  let values = try option.values(form.arguments, required: form.required)
  for case let value? in values where value.isNaN {
    throw OptionError(option.subject, "expected numbers, found NaN in \"\(text)\"")
  }
  if site == GalaxySite.theta { return try anglePrior(form, values, option) }
  try form.check(values, option)
  let distribution = try form.make(values, option)
  return try bounded(distribution, form, values, site, option)
}

/// Returns the prior of an angle of period π.
private func anglePrior(
  _ form: PriorForm, _ values: [Double?], _ option: OptionText
) throws(OptionError) -> any Distribution {
  try form.check(values, option)
  switch form.words[0] {
  case "normal", "wrapped-normal":
    return WrappedNormal(values[0] ?? 0, values[1] ?? 1, period: Double.pi)
  case "uniform":
    let (low, high) = (values[0] ?? 0, values[1] ?? 0)
    // Half a per mille of slack: 3.1416 and 6.283 are meant to be π and 2π.
    if high - low > Double.pi * 0.9995 { return CircularUniform(period: Double.pi) }
    return Uniform(low, high)
  case "circular": return CircularUniform(period: Double.pi)
  default:
    throw OptionError(
      option.subject,
      "expected normal(mean, sd), uniform(low, high) or circular() for an angle, found \"\(option.text)\""
    )
  }
}

/// Returns a distribution cut to the range in which a parameter has a meaning.
private func bounded(
  _ distribution: any Distribution, _ form: PriorForm, _ values: [Double?], _ site: String,
  _ option: OptionText
) throws(OptionError) -> any Distribution {
  guard let range = meaningfulRange(of: site) else { return distribution }
  let (least, most) = (range.lowerBound, range.upperBound)
  let possible = possibleRange(of: site)
  switch form.words[0] {
  case "normal", "truncated-normal":
    let low = values.count > 2 ? values[2] : nil
    let high = values.count > 3 ? values[3] : nil
    for case let bound? in [low, high] where !possible.contains(bound) {
      throw outside(option, range, "\(bound)")
    }
    let (mean, sd) = (values[0] ?? 0, values[1] ?? 1)
    let (lowest, highest) = (max(low ?? least, least), min(high ?? most, most))
    // Beyond eight standard deviations nothing is left of a normal but its last 1e-15.
    guard lowest < highest, lowest - mean < 8 * sd, mean - highest < 8 * sd else {
      throw outside(option, range, "next to nothing of it between \(lowest) and \(highest)")
    }
    if isOpenAbove(site), high == nil { return TruncatedNormal(mean, sd, low: lowest) }
    return TruncatedNormal(mean, sd, low: lowest, high: highest)
  case "uniform":
    let (low, high) = (values[0] ?? least, values[1] ?? most)
    guard possible.contains(low), possible.contains(high) else {
      throw outside(option, range, "\(low) … \(high)")
    }
    guard max(low, least) < min(high, most) else {
      throw outside(option, range, "\(low) … \(high)")
    }
    return Uniform(max(low, least), min(high, most))
  default:
    switch distribution.support {
    case .real:
      throw OptionError(
        option.subject,
        "expected a distribution within \(least) … \(most), found \"\(option.text)\" on all numbers; use normal (it is truncated), uniform or lognormal"
      )
    default: return distribution
    }
  }
}

/// Returns the error about bounds outside the range in which a parameter has a meaning.
private func outside(
  _ option: OptionText, _ range: ClosedRange<Double>, _ found: String
) -> OptionError {
  OptionError(
    option.subject,
    "expected bounds within \(range.lowerBound) … \(range.upperBound), found \(found) in \"\(option.text)\""
  )
}

/// A distribution that can be written as text.
private struct PriorForm: Sendable {
  /// The names, without hyphens; the first is the main one.
  let words: [String]

  /// The names of the arguments in order, other spellings after a bar.
  let arguments: [String]

  /// The number of arguments that must be given.
  let required: Int

  /// The places of the arguments that must be positive.
  let positive: [Int]

  /// The places of a lower and an upper bound.
  let bounds: (Int, Int)?

  /// Makes the distribution from checked arguments.
  let build: @Sendable ([Double]) -> any Distribution

  /// Creates a form.
  private init(
    _ words: [String], _ arguments: [String], required: Int? = nil, positive: [Int] = [],
    bounds: (Int, Int)? = nil, _ build: @escaping @Sendable ([Double]) -> any Distribution
  ) {
    self.words = words
    self.arguments = arguments
    self.required = required ?? arguments.count
    self.positive = positive
    self.bounds = bounds
    self.build = build
  }

  /// Checks the arguments.
  func check(_ values: [Double?], _ option: OptionText) throws(OptionError) {
    for place in positive {
      if let value = values[place], !(value > 0 && value.isFinite) {
        let name = arguments[place].split(separator: "|")[0]
        throw OptionError(
          option.subject, "\(words[0]): expected \(name) > 0, found \(value) in \"\(option.text)\"")
      }
    }
    if let bounds, let low = values[bounds.0], let high = values[bounds.1], !(low < high) {
      throw OptionError(
        option.subject,
        "\(words[0]): expected low < high, found \(low) and \(high) in \"\(option.text)\"; exchange or mend the bounds"
      )
    }
    for (place, value) in values.enumerated() where bounds?.0 != place && bounds?.1 != place {
      if let value, !value.isFinite {
        throw OptionError(
          option.subject,
          "\(words[0]): expected finite numbers, found \(value) in \"\(option.text)\"")
      }
    }
    if words[0] == "uniform", !values.allSatisfy({ $0?.isFinite ?? true }) {
      throw OptionError(
        option.subject, "uniform: expected finite bounds, found \"\(option.text)\"")
    }
  }

  /// Makes the distribution.
  func make(_ values: [Double?], _ option: OptionText) throws(OptionError) -> any Distribution {
    if words[0] == "circular" || words[0] == "wrapped-normal" {
      throw OptionError(
        option.subject,
        "expected a distribution on a line, found \"\(option.text)\"; only theta is an angle")
    }
    let numbers = values.enumerated().map { place, value in
      value ?? (bounds?.0 == place ? -.infinity : .infinity)
    }
    return build(numbers)
  }

  /// All forms with their arguments, for messages.
  static var list: String {
    all.map { form in
      let names = form.arguments.enumerated().map { place, name in
        let first = String(name.split(separator: "|")[0])
        return place < form.required ? first : "[\(first)]"
      }
      return "\(form.words[0])(\(names.joined(separator: ", ")))"
    }.joined(separator: ", ")
  }

  /// All forms.
  static let all: [PriorForm] = [
    PriorForm(["normal", "gaussian"], ["mean|loc|mu", "sd|scale|sigma"], positive: [1]) {
      Normal($0[0], $0[1])
    },
    PriorForm(
      ["truncated-normal", "truncnormal"],
      ["mean|loc|mu", "sd|scale|sigma", "low|min", "high|max"], required: 2, positive: [1],
      bounds: (2, 3)
    ) { values in
      switch (values[2].isFinite, values[3].isFinite) {
      case (true, true): TruncatedNormal(values[0], values[1], low: values[2], high: values[3])
      case (true, false): TruncatedNormal(values[0], values[1], low: values[2])
      case (false, true): TruncatedNormal(values[0], values[1], high: values[3])
      case (false, false): Normal(values[0], values[1])
      }
    },
    PriorForm(["uniform"], ["low|min", "high|max"], bounds: (0, 1)) { Uniform($0[0], $0[1]) },
    PriorForm(["lognormal", "log-normal"], ["mean|loc|mu", "sd|scale|sigma"], positive: [1]) {
      LogNormal($0[0], $0[1])
    },
    PriorForm(["half-normal"], ["sd|scale|sigma"], positive: [0]) { HalfNormal($0[0]) },
    PriorForm(["student-t"], ["dof|nu", "mean|loc|mu", "scale|sd"], positive: [0, 2]) {
      StudentT($0[0], $0[1], $0[2])
    },
    PriorForm(["cauchy"], ["loc|mean", "scale"], positive: [1]) { Cauchy($0[0], $0[1]) },
    PriorForm(["half-cauchy"], ["scale"], positive: [0]) { HalfCauchy($0[0]) },
    PriorForm(["laplace"], ["loc|mean", "scale"], positive: [1]) { Laplace($0[0], $0[1]) },
    PriorForm(["logistic"], ["loc|mean", "scale"], positive: [1]) { Logistic($0[0], $0[1]) },
    PriorForm(["gamma"], ["shape", "rate"], positive: [0, 1]) { Gamma($0[0], $0[1]) },
    PriorForm(["inverse-gamma"], ["shape", "scale"], positive: [0, 1]) {
      InverseGamma($0[0], $0[1])
    },
    PriorForm(["beta"], ["a|alpha", "b|beta"], positive: [0, 1]) { Beta($0[0], $0[1]) },
    PriorForm(["exponential"], ["rate"], positive: [0]) { Exponential($0[0]) },
    PriorForm(["wrapped-normal"], ["mean|loc|mu", "sd|scale|sigma"], positive: [1]) {
      WrappedNormal($0[0], $0[1], period: Double.pi)
    },
    PriorForm(["circular", "circular-uniform"], []) { _ in CircularUniform(period: Double.pi) },
  ]
}
