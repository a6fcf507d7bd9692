// SPDX-License-Identifier: MIT
//
// The record of a joint fit as text and JSON: the table of its bands, and the comparison of residuals of each of them.

import GalaxyModels
public import JSON
import Rendering

extension FitRecord {
  /// The names of the bands of a joint fit, in order; empty for a fit of one image.
  public var bandNames: [String] { joint?.rows.map(\.name) ?? [] }
}

extension FitReport {
  /// Returns the report of a joint fit as lines: the table of its bands, that of the parameters, goodness of fit and verdict.
  ///
  /// - Parameters:
  ///   - bands: The bands.
  ///   - shown: The quantities of the table; parameters and derived ones unless given.
  ///   - quantiles: Other quantiles than 5, 16, 50, 84 and 95 %.
  ///   - remark: A line under the table; nil for none.
  /// - Returns: The lines.
  func lines(
    of bands: [BandsReport.Row], _ shown: [ParameterSummary]? = nil,
    quantiles: QuantileTable? = nil, remark: String? = nil
  ) -> [String] {
    var lines = ["\(title), \(method), renderer \(renderer.rawValue)", ""]
    lines += BandsReport.table(bands) + [""]
    lines += TextTable.lines(
      Self.rows(
        shown ?? parameters + derived, hasPosterior: posterior != nil, isSampled: sampler != nil,
        quantiles: quantiles))
    if let remark { lines.append(remark) }
    return lines + [""] + verdict
  }
}

extension RecordRequest {
  /// Returns a record as text; that of a joint fit with the table of its bands, and their residuals where that is asked for.
  ///
  /// - Parameters:
  ///   - record: The record.
  ///   - bands: What ``FitRecord/bandRecords(at:)`` returned; needed for the comparison of residuals only.
  /// - Returns: The text.
  /// - Throws: ``FitRecordError`` where the record lacks what is asked for, `RenderingError` where it cannot be drawn.
  public func text(_ record: FitRecord, bands: [FitRecord]) throws -> String {
    guard let joint = record.joint else { return try text(record) }
    let report = try prepared(record).report
    let shown = report.parameters + report.derived
    let (table, missing) = try availableQuantiles(record, shown)
    let remark =
      missing.isEmpty
      ? nil
      : "no other quantiles than 5, 16, 50, 84 and 95 % of \(missing.joined(separator: ", ")): the file has no draws of them; run sersic bands again"
    var lines = report.lines(of: joint.rows, shown, quantiles: table, remark: remark)
    lines += record.report.warnings.map { "\($0)" }
    if isChecked {
      for (name, band) in zip(record.bandNames, bands) {
        let check = try band.predictiveCheck(key: key)
        lines += ["", "band \(name):", "\(check)"]
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// Returns a record as JSON; that of a joint fit with its bands and links, and the comparison of residuals by band.
  ///
  /// - Parameters:
  ///   - record: The record.
  ///   - bands: What ``FitRecord/bandRecords(at:)`` returned; needed for the comparison of residuals only.
  /// - Returns: The document.
  /// - Throws: ``FitRecordError`` where the record lacks what is asked for, `RenderingError` where it cannot be drawn.
  public func json(_ record: FitRecord, bands: [FitRecord]) throws -> JSONValue {
    guard let joint = record.joint else { return try json(record) }
    var plain = self
    plain.isChecked = false
    let document = try plain.json(record)
    guard case .object(var members) = document else { return document }
    members += joint.members
    if isChecked {
      var checks: [JSONValue.Member] = []
      for (name, band) in zip(record.bandNames, bands) {
        let check = try band.predictiveCheck(key: key)
        checks.append(JSONValue.Member(name: name, value: check.json))
      }
      members.append(JSONValue.Member(name: "predictive_check", value: .object(checks)))
    }
    return .object(members)
  }

  /// Returns the quantiles that were asked for, nil where none were, and the names of quantities that the file has none of.
  private func availableQuantiles(
    _ record: FitRecord, _ shown: [ParameterSummary]
  ) throws -> (table: QuantileTable?, missing: [String]) {
    guard let quantiles else { return (nil, []) }
    var values = try record.quantiles(quantiles)
    let stored = ParameterSummary.probabilities.map(\.value)
    var missing: [String] = []
    for summary in shown where values[summary.name] == nil && summary.median != nil {
      let places = quantiles.compactMap { stored.firstIndex(of: $0) }
      if places.count == quantiles.count {
        values[summary.name] = places.map { summary.quantiles[$0] }
      } else {
        missing.append(summary.name)
      }
    }
    return (QuantileTable(probabilities: quantiles, values: values), missing)
  }
}
