// SPDX-License-Identifier: MIT
//
// The result of one source of a scene, under the names of a single source.

import GalaxyModels
public import Inference

/// The part of a result that belongs to one source; names have no number: `n`, not `n_2`.
public struct SourceResult: Sendable {
  /// The place of the source among all, from 0.
  public let number: Int

  /// The profile.
  public let profile: SourceProfile

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
    (["source \(number): \(profile.name)", ""]
      + TextTable.lines(
        FitReport.rows(
          parameters + derived, hasPosterior: !draws.isEmpty,
          isSampled: parameters.contains { $0.rHat != nil }))).joined(separator: "\n") + "\n"
  }
}

extension SourceResult {
  /// Takes the part of a record that belongs to one source.
  init(_ record: FitRecord, _ source: FitReport.Source, place: Int) throws {
    let report = record.report
    let pixels = try record.requiredPixels()
    /// Returns summaries of the whole model under the names of the source, for the names it has.
    func own(_ all: [ParameterSummary], _ names: [String]) -> [ParameterSummary] {
      names.compactMap { name in
        all.first { $0.name == source.site(name) }?.shifted(by: 0, name: name)
      }
    }
    let scalars = Dictionary((record.draws?.scalars ?? []).map { ($0.name, $0) }) { $1 }
    let quantities = DerivedQuantities(
      sources: [FitReport.Source(number: nil, profile: source.profile)], noise: [],
      calibration: report.calibration, sky: SkyFrame.of(report.image))
    self.init(
      number: place, profile: source.profile,
      parameters: own(report.parameters, source.profile.sites),
      derived: own(report.derived, quantities.names),
      draws: source.profile.sites.compactMap { name in
        scalars[source.site(name)].map {
          ScalarDraws(name: name, chains: $0.chains, values: $0.values, period: $0.period)
        }
      },
      components: try report.components(of: source, pixels.image))
  }
}
