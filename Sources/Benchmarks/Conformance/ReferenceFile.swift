// SPDX-License-Identifier: MIT
//
// A posterior with reference draws, as a file of JSON in the format pdb-check/1.

import Foundation
import Tensors

/// Data, posterior summaries and check points of one posterior.
struct ReferenceFile: Sendable {
  /// The summary of one scalar from the reference draws.
  struct Statistic: Sendable, Decodable {
    let mean: Double
    let sd: Double
    let q05: Double
    let q50: Double
    let q95: Double
    let mcse_mean: Double
    let mcse_sd: Double
    let mcse_q05: Double
    let mcse_q50: Double
    let mcse_q95: Double
  }

  /// A point of the parameters with its log joint density, less that of the first point.
  struct CheckPoint: Sendable {
    let values: [String: Tensor]
    let difference: Double
  }

  /// The posterior's name.
  let name: String

  /// The data, by name.
  let data: [String: Tensor]

  /// The summaries, by the name of the scalar: `mu`, or `theta[1]` with indices from 1.
  let statistics: [String: Statistic]

  /// The points at which the log density is given.
  let checkPoints: [CheckPoint]

  /// Reads a file.
  ///
  /// - Throws: `BenchmarkError` where it cannot be read or lacks a part.
  init(_ url: URL) throws {
    /// The parts whose types are fixed.
    struct Fixed: Decodable {
      struct Reference: Decodable { let statistics: [String: Statistic] }
      let format: String
      let name: String
      let reference: Reference
    }
    do {
      let file = try Data(contentsOf: url)
      let fixed = try JSONDecoder().decode(Fixed.self, from: file)
      try require(
        fixed.format == "pdb-check/1",
        "\(url.lastPathComponent): expected format pdb-check/1, found \(fixed.format)")
      let object = try JSONSerialization.jsonObject(with: file) as? [String: Any] ?? [:]
      name = fixed.name
      statistics = fixed.reference.statistics
      data = (object["data"] as? [String: Any] ?? [:]).compactMapValues { ReferenceFile.tensor($0) }
      let checks = object["logdensity_checks"] as? [String: Any] ?? [:]
      checkPoints = (checks["points"] as? [[String: Any]] ?? []).compactMap { point in
        guard let values = point["params"] as? [String: Any],
          let difference = point["delta_log_joint"] as? NSNumber
        else { return nil }
        return CheckPoint(
          values: values.compactMapValues { ReferenceFile.tensor($0) },
          difference: difference.doubleValue)
      }
    } catch let error as BenchmarkError {
      throw error
    } catch {
      throw BenchmarkError(
        "\(url.lastPathComponent): expected a posterior with reference draws in format pdb-check/1: \(error)"
      )
    }
  }

  /// Returns a number or nested lists of numbers as an array; nil for anything else.
  private static func tensor(_ value: Any) -> Tensor? {
    if let number = value as? NSNumber { return Tensor(number.doubleValue) }
    guard let list = value as? [Any] else { return nil }
    let parts = list.compactMap { tensor($0) }
    guard parts.count == list.count, Set(parts.map(\.shape)).count <= 1 else { return nil }
    return Tensor.stack(parts)
  }
}
