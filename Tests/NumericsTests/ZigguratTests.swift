// SPDX-License-Identifier: MIT
//
// The ziggurat's numbers are standard normal, in the core, in the wedges and in the tail, and functions of key and index.

import Foundation
import Numerics
import Testing

@Suite("Ziggurat") struct ZigguratTests {
  /// Returns numbers of a key.
  private func numbers(_ count: Int, _ key: RandomKey) -> [Double] {
    var x = [Double](repeating: 0, count: count)
    x.withUnsafeMutableBufferPointer { key.fillZiggurat($0) }
    return x
  }

  @Test("a number depends on key and index alone, not on how many are drawn")
  func order() {
    let long = numbers(1000, 3)
    for count in [1, 2, 3, 63, 64, 65, 127, 999] {
      #expect(numbers(count, 3) == Array(long[..<count]))
    }
    #expect(numbers(10, 4) != Array(long[..<10]))
    #expect(numbers(0, 3).isEmpty)
  }

  @Test("bits in bulk are those of single indices")
  func bits() {
    let key = RandomKey(9).folding(in: "bits")
    for start: UInt64 in [0, 2, 1 << 32] {
      var words = [UInt64](repeating: 0, count: 38)
      words.withUnsafeMutableBufferPointer { key.fillBits($0, from: start) }
      #expect(words == (0..<38).map { key.bits(start + $0) })
    }
  }

  @Test("the share of numbers below each quantile is right, out to the tail")
  func distribution() {
    let count = 4_000_000
    let x = numbers(count, 5).sorted()
    // Edges in every region: the core, where wedges are thick, either side of where the tail begins (3.654), and beyond.
    let edges = [
      -4.5, -4, -3.8, -3.655, -3.653, -3.3, -2.5, -1.5, -1, -0.6, -0.2, -0.01, 0, 0.01, 0.2, 0.6, 1,
      1.5, 2.5, 3.3, 3.653, 3.655, 3.8, 4, 4.5,
    ]
    var before = (edge: -Double.infinity, below: 0)
    for edge in edges + [.infinity] {
      let below = edge == .infinity ? count : x.partition(below: edge)
      let p = 0.5 * (erfc(-edge / 2.0.squareRoot()) - erfc(-before.edge / 2.0.squareRoot()))
      let expected = Double(count) * p
      // Five standard deviations of a count, and half a unit for the small ones: 26 counts fail once in 70 000 keys.
      #expect(
        abs(Double(below - before.below) - expected) < 5 * (expected * (1 - p)).squareRoot() + 0.5,
        "\(before.edge) to \(edge): \(below - before.below), expected \(expected)")
      before = (edge, below)
    }
  }

  @Test("moments are those of a normal variable, and neighbours are uncorrelated")
  func moments() {
    let count = 2_000_000
    let x = numbers(count, 6)
    let n = Double(count)
    /// Returns the mean of a function of the numbers.
    func mean(_ f: (Double) -> Double) -> Double { x.reduce(0) { $0 + f($1) } / n }
    // E x^2k = (2k − 1)!!; the variance of x^k is that of twice the order less the square; five standard errors.
    #expect(abs(mean { $0 }) < 5 / n.squareRoot())
    #expect(abs(mean { $0 * $0 } - 1) < 5 * (2 / n).squareRoot())
    #expect(abs(mean { $0 * $0 * $0 }) < 5 * (15 / n).squareRoot())
    #expect(abs(mean { $0 * $0 * $0 * $0 } - 3) < 5 * (96 / n).squareRoot())
    for lag in [1, 2, 64] {
      let product = (0..<(count - lag)).reduce(0.0) { $0 + x[$1] * x[$1 + lag] } / n
      #expect(abs(product) < 5 / n.squareRoot(), "lag \(lag)")
    }
  }
}

extension [Double] {
  /// Returns how many of sorted numbers lie below an edge.
  fileprivate func partition(below edge: Double) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if self[middle] < edge { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
