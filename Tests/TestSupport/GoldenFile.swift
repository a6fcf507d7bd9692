// SPDX-License-Identifier: MIT
//
// Reading of golden numbers: JSON files whose `functions` member lists rows of arguments and values.

public import Foundation

/// A file of golden numbers made by the script beside it.
public struct GoldenFile: Decodable, Sendable {
  /// The script and the library that made the numbers.
  public let generator: String

  /// For each function, rows of its arguments followed by its value or values.
  public let functions: [String: [[Double]]]

  /// Reads a file from the `Golden` folder of a test bundle.
  public init(_ name: String, in bundle: Bundle) throws {
    let url = bundle.bundleURL.appendingPathComponent("Golden/\(name).json")
    self = try JSONDecoder().decode(GoldenFile.self, from: Data(contentsOf: url))
  }

  /// Returns the rows of a function; stops the test where the file has none, so that a wrong name is noticed.
  public func rows(_ function: String) -> [[Double]] {
    guard let rows = functions[function], !rows.isEmpty else {
      preconditionFailure("no golden numbers of \(function)")
    }
    return rows
  }
}

/// Returns the distance of two numbers in units of the reference's last place; 0 for equal ones and for two NaNs.
public func ulps(_ value: Double, _ reference: Double) -> Double {
  if value == reference || (value.isNaN && reference.isNaN) { return 0 }
  return abs(value - reference) / reference.ulp
}
