// SPDX-License-Identifier: MIT
//
// Tests of the vector math against correctly rounded values, at the edges, and in place.

import Foundation
import Numerics
import TestSupport
import Testing

/// A function over a buffer.
typealias VectorFunction =
  @Sendable (
    UnsafePointer<Double>, UnsafeMutablePointer<Double>, Int
  ) -> Void

/// A function under test, with its bound and its values at the edges.
struct VectorCase: Sendable, CustomTestStringConvertible {
  /// The name in the golden file.
  let name: String

  /// The function.
  let function: VectorFunction

  /// The largest error allowed in ulp: what the header states.
  let bound: Double

  /// Arguments at the edges with the values of the C library, or of its conventions.
  let edges: [(Double, Double)]

  /// The name in test reports.
  var testDescription: String { name }

  /// Returns the values of the function, computed from one array into another.
  func callAsFunction(_ x: [Double]) -> [Double] {
    var out = [Double](repeating: 0, count: x.count)
    function(x, &out, x.count)
    return out
  }
}

private let infinity = Double.infinity
private let nan = Double.nan

/// The functions under test; bounds are those of `vector_math.h`.
let vectorCases: [VectorCase] = [
  VectorCase(
    name: "exp", function: { VectorMath.exp($0, into: $1, count: $2) }, bound: 1,
    edges: [
      (infinity, infinity), (-infinity, 0), (nan, nan), (0, 1), (710, infinity), (-746, 0),
      (-745, .leastNonzeroMagnitude),
    ]),
  VectorCase(
    name: "expm1", function: { VectorMath.expm1($0, into: $1, count: $2) }, bound: 1.5,
    edges: [
      (infinity, infinity), (-infinity, -1), (nan, nan), (-0.0, -0.0), (710, infinity),
      (0x1p-1030, 0x1p-1030),
    ]),
  VectorCase(
    name: "log", function: { VectorMath.log($0, into: $1, count: $2) }, bound: 1,
    edges: [
      (infinity, infinity), (-infinity, nan), (nan, nan), (0, -infinity), (-0.0, -infinity),
      (-1, nan), (1, 0),
    ]),
  VectorCase(
    name: "log1p", function: { VectorMath.log1p($0, into: $1, count: $2) }, bound: 1,
    edges: [
      (infinity, infinity), (-infinity, nan), (nan, nan), (-0.0, -0.0), (-1, -infinity),
      (-2, nan), (.leastNonzeroMagnitude, .leastNonzeroMagnitude),
    ]),
  VectorCase(
    name: "tanh", function: { VectorMath.tanh($0, into: $1, count: $2) }, bound: 2,
    edges: [(infinity, 1), (-infinity, -1), (nan, nan), (-0.0, -0.0)]),
  VectorCase(
    name: "sigmoid", function: { VectorMath.sigmoid($0, into: $1, count: $2) }, bound: 2,
    edges: [(infinity, 1), (-infinity, 0), (nan, nan), (0, 0.5)]),
  VectorCase(
    name: "softplus", function: { VectorMath.softplus($0, into: $1, count: $2) }, bound: 2,
    edges: [(infinity, infinity), (-infinity, 0), (nan, nan), (800, 800)]),
  VectorCase(
    name: "sin", function: { VectorMath.sin($0, into: $1, count: $2) }, bound: 1,
    edges: [(infinity, nan), (-infinity, nan), (nan, nan), (-0.0, -0.0)]),
  VectorCase(
    name: "cos", function: { VectorMath.cos($0, into: $1, count: $2) }, bound: 1,
    edges: [(infinity, nan), (nan, nan), (0, 1)]),
  VectorCase(
    name: "erf", function: { VectorMath.erf($0, into: $1, count: $2) }, bound: 2,
    edges: [(infinity, 1), (-infinity, -1), (nan, nan), (-0.0, -0.0)]),
  VectorCase(
    name: "erfc", function: { VectorMath.erfc($0, into: $1, count: $2) }, bound: 4,
    edges: [(infinity, 0), (-infinity, 2), (nan, nan), (0, 1)]),
  VectorCase(
    name: "erfcx", function: { VectorMath.erfcx($0, into: $1, count: $2) }, bound: 4,
    edges: [(infinity, 0), (-infinity, infinity), (nan, nan), (0, 1)]),
  VectorCase(
    name: "normalCDF", function: { VectorMath.normalCDF($0, into: $1, count: $2) }, bound: 4,
    edges: [(infinity, 1), (-infinity, 0), (nan, nan), (0, 0.5)]),
  VectorCase(
    name: "normalLogCDF", function: { VectorMath.normalLogCDF($0, into: $1, count: $2) }, bound: 4,
    edges: [(infinity, 0), (-infinity, -infinity), (nan, nan)]),
  VectorCase(
    name: "normalLogCDFDerivative",
    function: { VectorMath.normalLogCDFDerivative($0, into: $1, count: $2) }, bound: 4,
    edges: [(infinity, 0), (-infinity, infinity), (nan, nan)]),
  VectorCase(
    name: "normalQuantile", function: { VectorMath.normalQuantile($0, into: $1, count: $2) },
    bound: 4, edges: [(0, -infinity), (1, infinity), (nan, nan), (-0.1, nan), (1.1, nan), (0.5, 0)]),
  // The system's lgamma; glibc documents 3 ulp.
  VectorCase(
    name: "logGamma", function: { VectorMath.logGamma($0, into: $1, count: $2) }, bound: 4,
    edges: [(infinity, infinity), (0, infinity), (-1, infinity), (nan, nan), (1, 0), (2, 0)]),
  VectorCase(
    name: "trigamma", function: { VectorMath.trigamma($0, into: $1, count: $2) }, bound: 8,
    edges: [(infinity, 0), (0, infinity), (nan, nan)]),
  VectorCase(
    name: "tetragamma", function: { VectorMath.tetragamma($0, into: $1, count: $2) }, bound: 8,
    edges: [(infinity, -0.0), (nan, nan)]),
]

@Suite("Vector math") struct VectorMathTests {
  @Test("errors stay within the stated bounds", arguments: vectorCases)
  func accuracy(_ item: VectorCase) throws {
    let rows = try GoldenFile("special_functions", in: .module).rows(item.name)
    let values = item(rows.map { $0[0] })
    for (row, value) in zip(rows, values) {
      #expect(ulps(value, row[1]) <= item.bound, "at \(row[0]): \(value) for \(row[1])")
    }
  }

  @Test("infinities, NaN, zeros and poles give what C's functions give", arguments: vectorCases)
  func edges(_ item: VectorCase) {
    // Eight copies, so that the vector part of the loop sees them too.
    for (x, expected) in item.edges {
      for value in item([Double](repeating: x, count: 9)) {
        #expect(ulps(value, expected) == 0, "at \(x): \(value) for \(expected)")
        if expected == 0 { #expect(value.sign == expected.sign, "sign at \(x)") }
      }
    }
  }

  @Test("an array can be replaced by its own function", arguments: vectorCases)
  func inPlace(_ item: VectorCase) {
    // 131 elements: vectors of every width leave a rest, and blocks of 128 are crossed.
    let x = (0..<131).map { 0.001 + Double($0) / 132 }
    let expected = item(x)
    var buffer = x
    buffer.withUnsafeMutableBufferPointer { memory in
      guard let address = memory.baseAddress else { return }
      item.function(address, address, memory.count)
    }
    #expect(buffer == expected)
  }

  @Test("digamma is good to 4 ulp of its larger terms, and relatively near its zero")
  func digammaAccuracy() throws {
    let rows = try GoldenFile("special_functions", in: .module).rows("digamma")
    for row in rows {
      let value = digamma(row[0])
      // Terms of up to about 3 cancel between the poles; 1e-14 relative holds away from zeros.
      #expect(abs(value - row[1]) <= max(2e-15, 8 * row[1].ulp), "at \(row[0])")
    }
    #expect(digamma(1.4616321449683622) < 0 && digamma(1.4616321449683625) > 0)
  }

  @Test("powers are good to 1 ulp, also near base 1 with exponents of thousands")
  func powers() throws {
    let rows = try GoldenFile("special_functions", in: .module).rows("pow")
    let x = rows.map { $0[0] }
    let y = rows.map { $0[1] }
    var out = [Double](repeating: 0, count: rows.count)
    VectorMath.pow(x, y, into: &out, count: rows.count)
    for (row, value) in zip(rows, out) {
      #expect(ulps(value, row[2]) <= 1, "\(row[0]) to the power \(row[1])")
    }
    var single = [0.0]
    for (row, value) in zip(rows, out) {
      VectorMath.pow([row[0]], row[1], into: &single, count: 1)
      #expect(single[0] == value)
    }
  }

  @Test("powers at the edges are those of C")
  func powersAtEdges() {
    let edges: [(Double, Double)] = [
      (0, 2), (0, -1), (-2, 3), (-2, 0.5), (infinity, 1), (2, infinity), (0.5, infinity), (1, nan),
      (nan, 0), (0x1p-1030, 2), (0x1p-1030, -0.5), (10, 400), (10, -400), (-0.0, 3),
    ]
    for (x, y) in edges {
      var out = [0.0]
      VectorMath.pow([x], [y], into: &out, count: 1)
      #expect(ulps(out[0], pow(x, y)) == 0, "\(x) to the power \(y): \(out[0])")
    }
  }
}
