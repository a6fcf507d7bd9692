// SPDX-License-Identifier: MIT
//
// What is asked of a saved result: which parameters, which quantiles, which calibration; as text, JSON or LaTeX.

import GalaxyModels
import Inference
public import JSON
public import Numerics

/// What is asked of a saved result.
public struct RecordRequest: Sendable {
  /// The parameters and derived quantities; nil for all.
  public var parameters: [String]?

  /// The probabilities of the quantiles; nil for 5, 16, 50, 84 and 95 %.
  public var quantiles: [Double]?

  /// Zero point and pixel scale in place of those of the result.
  public var calibration = Calibration()

  /// Whether the residuals are compared with images drawn from the fit.
  public var isChecked = false

  /// The key of the noise of these images.
  public var key: RandomKey = 0

  /// Creates a request.
  public init(parameters: [String]? = nil) { self.parameters = parameters }

  /// Returns the record as it is asked for: calibrated, with the parameters that were named.
  ///
  /// - Throws: ``FitRecordError`` where there is no quantity of a name.
  public func prepared(_ record: FitRecord) throws(FitRecordError) -> FitRecord {
    let record =
      calibration == Calibration() ? record : record.calibrated(by: calibration)
    guard let parameters else { return record }
    return FitRecord(
      try record.completeReport.selecting(parameters), draws: record.draws, pixels: record.pixels)
  }

  /// Returns a record as text: the table, its warnings, and the comparison of residuals where it is asked for.
  ///
  /// - Throws: ``FitRecordError`` where the record lacks what is asked for, `RenderingError` where it cannot be drawn.
  public func text(_ record: FitRecord) throws -> String {
    let asked = try prepared(record)
    var text = asked.report.table(quantiles: try quantileTable(asked, of: record))
    for finding in record.report.warnings { text += "\(finding)\n" }
    if isChecked { text += "\n\(try record.predictiveCheck(key: key))\n" }
    return text
  }

  /// Returns a record as the JSON document of ``FitReport/json``, with what was asked for besides.
  ///
  /// - Throws: ``FitRecordError`` where the record lacks what is asked for, `RenderingError` where it cannot be drawn.
  public func json(_ record: FitRecord) throws -> JSONValue {
    let asked = try prepared(record)
    guard case .object(var members) = asked.report.json else { return asked.report.json }
    if let table = try quantileTable(asked, of: record) {
      members.append(
        JSONValue.Member(
          name: "quantiles",
          value: .members([
            "probabilities": .array(table.probabilities.map { .number($0) }),
            "values": .object(
              (asked.report.parameters + asked.report.derived).compactMap { summary in
                table.values[summary.name].map { list in
                  JSONValue.Member(name: summary.name, value: .array(list.map { .number($0) }))
                }
              }),
          ])))
    }
    if isChecked {
      members.append(
        JSONValue.Member(
          name: "predictive_check", value: try record.predictiveCheck(key: key).json))
    }
    return .object(members)
  }

  /// Returns a record as a LaTeX table.
  ///
  /// - Throws: ``FitRecordError`` where the record lacks what is asked for.
  public func latex(_ record: FitRecord) throws -> String {
    var table = LatexTable()
    if let quantiles { table.quantiles = quantiles }
    table.parameters = parameters
    return try prepared(record).latexTable(table)
  }

  /// Returns the quantiles that were asked for; nil where those of the report do.
  private func quantileTable(_ asked: FitRecord, of record: FitRecord) throws -> QuantileTable? {
    guard let quantiles else { return nil }
    let calibrated = calibration == Calibration() ? record : record.calibrated(by: calibration)
    return QuantileTable(
      probabilities: quantiles, values: try calibrated.quantiles(quantiles))
  }
}

extension FitReport {
  /// Returns the report with some parameters and derived quantities only.
  fileprivate func selecting(_ names: [String]) throws(FitRecordError) -> FitReport {
    let known = (parameters + derived).map(\.name)
    for name in names where !known.contains(name) {
      throw unknown(name, among: known)
    }
    var result = self
    // In the order in which they were named.
    result.parameters = names.compactMap { name in parameters.first { $0.name == name } }
    result.derived = names.compactMap { name in derived.first { $0.name == name } }
    result.parentParameters = parentParameters.filter { names.contains($0.name) }
    return result
  }
}

extension PredictiveCheck {
  /// The check as a JSON document.
  public var json: JSONValue {
    .members([
      "draws": .integer(draws),
      "sound": .bool(isSound),
      "verdict": .string(verdict),
      "discrepancies": .object(
        comparisons.map { comparison in
          JSONValue.Member(
            name: comparison.discrepancy.rawValue,
            value: .members([
              "observed": .number(comparison.observed),
              "replicated": .array(comparison.replicated.map { .number($0) }),
              "p": .number(comparison.pValue),
            ]))
        }),
    ])
  }
}
