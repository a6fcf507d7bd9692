// SPDX-License-Identifier: MIT
//
// What a user sets about parameters by text: priors, fixed values, starting values; checked against the model.

import Distributions
public import GalaxyModels
public import Rendering
import Tensors

/// Priors, fixed values and starting values given as text.
public struct PriorSettings: Sendable {
  /// The priors, by site.
  private let priors: [String: any Distribution]

  /// The fixed values, by site.
  private let fixed: [String: Double]

  /// The starting values, by site.
  public let starts: [String: Double]

  /// Reads the settings.
  ///
  /// - Parameters:
  ///   - priors: Texts like `n=normal(2,0.5)`.
  ///   - fix: Texts like `n=4`.
  ///   - start: Texts like `n=2`.
  /// - Throws: ``OptionError`` for a text that cannot be understood, or a parameter that is set in two ways.
  public init(priors: [String], fix: [String], start: [String]) throws(OptionError) {
    var distributions: [String: any Distribution] = [:]
    for text in priors {
      let (name, prior) = try nameAndText(text, option: "--prior", example: "n=normal(2,0.5)")
      guard distributions[name] == nil else {
        throw OptionError("--prior", "\(name) is given twice; give it once")
      }
      distributions[name] = try GalaxyFitting.prior(from: prior, for: name)
    }
    self.priors = distributions
    fixed = try namedNumbers(fix, option: "--fix")
    starts = try namedNumbers(start, option: "--start")
    for name in fixed.keys.sorted() {
      guard distributions[name] == nil else {
        throw OptionError(
          "--fix", "\(name) has a prior, too; a fixed parameter has none: drop one of them")
      }
      guard starts[name] == nil else {
        throw OptionError("--fix", "\(name) has a starting value, too; drop one of them")
      }
      if let range = meaningfulRange(of: name), let value = fixed[name], !range.contains(value) {
        throw OptionError(
          "--fix",
          "\(name): expected a number from \(range.lowerBound) to \(range.upperBound), found \(value)"
        )
      }
    }
  }

  /// Checks that a model has all parameters that are set, and keeps one that is free.
  ///
  /// - Throws: ``OptionError`` that names what it has.
  public func check(
    _ profile: GalaxyProfile, _ sky: SkyKind, _ loss: ImageLoss = .gaussian
  ) throws(OptionError) {
    try check(
      sites: profile.sites + sky.sites + loss.sites,
      of: "\(profile.rawValue) with sky \(sky.rawValue) and loss \(loss)")
  }

  /// Checks that a model with given sites has all parameters that are set, and keeps one that is free.
  ///
  /// - Throws: ``OptionError`` that names what it has.
  package func check(sites: [String], of model: String) throws(OptionError) {
    for (option, names) in [
      ("--prior", Array(priors.keys)), ("--fix", Array(fixed.keys)),
      ("--start", Array(starts.keys)),
    ] {
      let unknown = names.filter { !sites.contains($0) }.sorted()
      guard unknown.isEmpty else {
        throw OptionError(
          option,
          "expected parameters of \(model) (\(sites.joined(separator: ", "))), found \(unknown.joined(separator: ", ")); remove or rename them"
        )
      }
    }
    guard fixed.count < sites.count else {
      throw OptionError(
        "--fix", "expected at least one free parameter, found all fixed; release one")
    }
  }

  /// Sets priors and fixed values, and checks that the search can start where it is told to.
  ///
  /// - Throws: ``OptionError`` where a starting value lies outside its prior.
  public func apply(to prior: inout some ModelPrior) throws(OptionError) {
    for (name, distribution) in priors {
      prior[name] = distribution
      // The guess of the image may lie where the new prior has nothing; its median does not.
      if let guess = prior.guesses[name], !distribution.support.contains(Tensor(guess)).isTrue {
        prior.guesses[name] = nil
      }
    }
    for (name, value) in fixed { prior.fix(name, at: value) }
    for (name, value) in starts.sorted(by: { $0.key < $1.key }) {
      guard let distribution = prior[name] else { continue }
      guard distribution.support.contains(Tensor(value)).isTrue else {
        throw OptionError(
          "--start",
          "\(name): expected a value that the prior \(distribution) allows, found \(value); change one of them"
        )
      }
    }
  }
}
