// SPDX-License-Identifier: MIT
//
// Measurements as lines for people and as JSON for programs.

import Foundation

extension Measurement {
  /// One line: name, median, spread, what was asserted.
  var line: String {
    let padded = name.padding(toLength: max(name.count, 42), withPad: " ", startingAt: 0)
    let memory = peakMemory.map { String(format: ", peak %.1f MB", Double($0) / 1e6) } ?? ""
    return
      "\(padded) \(Measurement.time(median)) ± \(Measurement.time(deviation)) (\(runs) runs\(memory))  \(asserted)"
  }

  /// Returns a time with its unit, four digits.
  private static func time(_ nanoseconds: Double) -> String {
    let (scale, unit): (Double, String) =
      switch nanoseconds {
      case ..<1e3: (1, "ns")
      case ..<1e6: (1e3, "µs")
      case ..<1e9: (1e6, "ms")
      default: (1e9, "s")
      }
    return String(format: "%8.4g ", nanoseconds / scale) + unit
  }

  /// The measurement as an object of JSON.
  private var object: [String: Any] {
    var object: [String: Any] = [
      "name": name, "median_ns": median, "mad_ns": deviation, "runs": runs,
    ]
    object["peak_memory_bytes"] = peakMemory
    return object
  }

  /// Returns measurements as a list in JSON.
  static func json(_ measurements: [Measurement]) throws -> String {
    let data = try JSONSerialization.data(
      withJSONObject: measurements.map(\.object), options: [.prettyPrinted, .sortedKeys])
    return String(decoding: data, as: UTF8.self)
  }
}
