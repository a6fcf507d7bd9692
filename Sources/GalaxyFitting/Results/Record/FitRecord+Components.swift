// SPDX-License-Identifier: MIT
//
// The light of a record, drawn again from its parameters: components, sky, sources.

import GalaxyModels
import Inference
import Rendering

extension FitOutcome {
  /// Returns the components of the light at the maximum with flux and image, in the order of the model; those of source 2 end in `_2`.
  ///
  /// - Throws: ``FitRecordError`` where the record has no pixels or no stock profile, `RenderingError` where it cannot be drawn.
  public func components() throws -> [MAPFit.Component] {
    let record = record
    let pixels = try record.requiredPixels()
    return try record.report.requiredSources().flatMap {
      try record.report.components(of: $0, pixels.image)
    }
  }

  /// The number of sources.
  public var sourceCount: Int { record.report.sources.count }

  /// Returns the result of one source.
  ///
  /// - Parameter number: The number of the source, from 0.
  /// - Returns: Its parameters under the names of a single source.
  /// - Throws: ``FitRecordError`` where there is no source of this number, or no pixels; `RenderingError` where it cannot be drawn.
  public func source(_ number: Int) throws -> SourceResult {
    let record = record
    let sources = try record.report.requiredSources()
    guard sources.indices.contains(number) else {
      throw FitRecordError(
        "source",
        "expected the number of a source from 0 to \(sources.count - 1), found \(number)")
    }
    return try SourceResult(record, sources[number], place: number)
  }
}

extension FitReport {
  /// Returns the sources.
  ///
  /// - Throws: ``FitRecordError`` where there are none of a stock profile.
  func requiredSources() throws(FitRecordError) -> [Source] {
    guard !sources.isEmpty else {
      throw FitRecordError(
        "profile", "expected stock profiles, found \(title); draw its light by its own model")
    }
    return sources
  }

  /// Returns the light of sources with given parameters, by site.
  func light(_ sources: [Source], at values: [String: Double]) throws -> LightProfile {
    LightProfile(
      try sources.flatMap { source in
        var own: [String: Double] = [:]
        for site in source.profile.sites { own[site] = values[source.site(site)] }
        return try source.profile.light(own).components
      })
  }

  /// Returns the components of one source at the maximum.
  func components(of source: Source, _ image: ObservedImage) throws -> [MAPFit.Component] {
    let values = values
    let profile = source.profile
    let several = profile.fluxes { values[source.site($0)] ?? .nan }
    let fluxes = several.isEmpty ? [values[source.site(GalaxySite.flux)] ?? .nan] : several
    let light = try light([source], at: values)
    return try zip(light.components, zip(profile.componentNames, fluxes)).map { part, named in
      MAPFit.Component(
        name: source.site(named.0), flux: named.1,
        image: try image.rendered(LightProfile([part]), method: renderer))
    }
  }
}
