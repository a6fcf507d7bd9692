// SPDX-License-Identifier: MIT
//
// The result of one source of a scene, under the names of a single source.

public import GalaxyModels
public import Inference

/// The part of a result that belongs to one source; names have no number: `n`, not `n_2`.
public struct SourceResult: Sendable {
  /// The number of the source, from 0.
  public let number: Int

  /// The profile.
  public let profile: GalaxyProfile

  /// The parameters of the source, fixed ones included.
  public let parameters: [ParameterSummary]

  /// Quantities that follow from them: fluxes of components, the magnitude.
  public let derived: [ParameterSummary]

  /// The draws of the free parameters; empty without a posterior.
  public let draws: [ScalarDraws]

  /// The components of its light at the maximum.
  public let components: [MAPFit.Component]

  /// Returns the summary of a parameter or a derived quantity; nil where there is none of that name.
  public subscript(name: String) -> ParameterSummary? {
    (parameters + derived).first { $0.name == name }
  }

  /// A table of the parameters.
  public var table: String {
    (["source \(number): \(profile.rawValue)", ""]
      + TextTable.lines(
        FitResult.rows(
          parameters + derived, hasPosterior: !draws.isEmpty,
          isSampled: parameters.contains { $0.rHat != nil }))).joined(separator: "\n") + "\n"
  }
}

extension FitResult {
  /// The number of sources.
  public var sourceCount: Int { best.fit.prior.sources.count }

  /// Returns the result of one source.
  ///
  /// - Parameter number: The number of the source, from 0.
  /// - Returns: Its parameters under the names of a single source.
  /// - Throws: `RenderingError` or `GalaxyModelError` where its light cannot be drawn.
  /// - Precondition: There is a source of this number.
  public func source(_ number: Int) throws -> SourceResult {
    let sources = best.fit.prior.sources
    precondition(
      sources.indices.contains(number),
      "result: expected the number of a source from 0 to \(sources.count - 1), got \(number)")
    let source = sources[number]
    let scalars = Dictionary((draws?.scalars ?? []).map { ($0.name, $0) }) { $1 }
    /// Returns summaries of the whole model under the names of the source, for the names it has.
    func own(_ all: [ParameterSummary], _ names: [String]) -> [ParameterSummary] {
      names.compactMap { name in
        all.first { $0.name == source.site(name) }?.shifted(by: 0, name: name)
      }
    }
    return SourceResult(
      number: number, profile: source.profile,
      parameters: own(parameters, source.profile.sites),
      derived: own(derived, source.profile.fluxNames + ["magnitude"]),
      draws: source.profile.sites.compactMap { name in
        scalars[source.site(name)].map {
          ScalarDraws(name: name, chains: $0.chains, values: $0.values, period: $0.period)
        }
      },
      components: try best.components(of: source))
  }
}
