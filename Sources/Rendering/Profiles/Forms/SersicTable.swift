// SPDX-License-Identifier: MIT
//
// The radial Fourier transform of Sérsic profiles, tabulated in κ² and n for Hermite interpolation.

import CKernels
import Dispatch

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The transform of unit-flux Sérsic profiles on knots of n and of v = κ² + `offset`.
///
/// Priorities: 1 error below 3e-7 for n in 0.25...12 and any κ; 2 one continuous derivative in both; 3 look-up without
/// logarithm and search: v-knots cut each octave into 16, so that an interval is found from the leading bits of v.
/// The offset makes κ = 0 the first knot. Beyond the last knot, κ = 2^20, the transform is held constant.
package final class SersicTable: Sendable {
  /// The Sérsic indices that the table holds.
  package static let indices = 0.25...12.0

  /// The number of n-knots, equidistant in ln n.
  static let columnCount = 64

  /// The binary exponent of the first v-knot.
  private static let firstExponent = -30

  /// The number of octaves of v.
  private static let octaves = 70

  /// The v of κ = 0.
  static let offset = 0x1p-30

  /// The number of intervals of v.
  static let intervalCount = octaves * Int(SERSIC_SLICE_STEPS)

  /// The leading 16 bits of the first knot.
  static let firstBits = Int(offset.bitPattern >> 48)

  /// The distance of two n-knots in ln n.
  private static let spacing =
    log(indices.upperBound / indices.lowerBound) / Double(columnCount - 1)

  /// The table of this process, computed at first use.
  package static let shared = SersicTable()

  /// Groups of four for each knot of each column: F, dF/ds, dF/dn, d²F/ds dn.
  private let values: [Double]

  /// The lengths of the intervals.
  private let widths: [Double]

  /// The largest v that is looked up: the last in the last interval.
  package static let largest = place(intervalCount).nextDown

  /// Computes the table on all cores; only benchmarks need more than the shared one.
  package init() {
    let knots = Self.intervalCount + 1
    let places = (0..<knots).map { Self.place($0) }
    widths = (0..<knots - 1).map { places[$0 + 1] - places[$0] }
    let columns = Self.columnCount
    values = [Double](unsafeUninitializedCapacity: 4 * knots * columns) { buffer, count in
      let address = TableAddress(buffer)
      let transforms = TransformColumns(
        (0..<columns).map { SersicTransform(n: Self.index(ofColumn: $0)) })
      let blocks = (knots + 31) / 32
      DispatchQueue.concurrentPerform(iterations: blocks) { block in
        for i in block * 32..<min(block * 32 + 32, knots) {
          let s = places[i] - Self.offset
          let phases = i == 0 ? nil : SersicTransform.Phases(s: s)
          for column in 0..<columns {
            let transform = transforms.all[column]
            let v = phases.map(transform.values) ?? transform.valuesAtZero
            let at = 4 * (column * knots + i)
            address.buffer.initializeElement(at: at, to: v.value)
            address.buffer.initializeElement(at: at + 1, to: v.slope)
            address.buffer.initializeElement(at: at + 2, to: v.byIndex)
            address.buffer.initializeElement(at: at + 3, to: v.slopeByIndex)
          }
        }
      }
      count = buffer.count
    }
  }

  /// Returns the n of a column.
  private static func index(ofColumn column: Int) -> Double {
    indices.lowerBound * exp(spacing * Double(column))
  }

  /// The memory of a slice: its intervals, eight numbers each.
  static let sliceCount = 8 * intervalCount

  /// Sets the intervals of a slice that hold v = `offset` and the v of s in a range.
  ///
  /// - Parameters:
  ///   - n: The Sérsic index, in `indices`.
  ///   - range: The s that will be looked up, apart from 0.
  ///   - out: `sliceCount` elements; intervals outside the range are left alone.
  func makeSlice(n: Double, range: ClosedRange<Double>, into out: UnsafeMutablePointer<Double>) {
    let position = log(n / Self.indices.lowerBound) / Self.spacing
    // Columns column … column + 3, the middle two around n but at the ends of the table.
    let column = min(max(Int(position) - 1, 0), Self.columnCount - 4)
    var weights = Self.hermiteWeights(position - Double(column), column: column, n: n)
    let first = Self.interval(range.lowerBound)
    let last = Self.interval(range.upperBound)
    let knots = Self.intervalCount + 1
    values.withUnsafeBufferPointer { values in
      guard let base = values.baseAddress else { return }
      widths.withUnsafeBufferPointer { widths in
        withUnsafeBytes(of: &weights) { weights in
          let weights = weights.assumingMemoryBound(to: Double.self).baseAddress
          let start = base + 4 * column * knots
          sersic_make_slice(start, 4 * knots, weights, widths.baseAddress, 0, 1, out)
          sersic_make_slice(
            start, 4 * knots, weights, widths.baseAddress, first, last - first + 1, out)
        }
      }
    }
  }

  /// Returns the table's values at an n in `indices` and s = κ² ≥ 0, one at a time; `slopeByIndex` is not given.
  package func values(n: Double, at s: Double) -> SersicTransform.Values {
    var values = SersicTransform.Values(value: 0, slope: 0, byIndex: 0, slopeByIndex: .nan)
    withUnsafeTemporaryAllocation(of: Double.self, capacity: Self.sliceCount) { memory in
      guard let out = memory.baseAddress else { return }
      makeSlice(n: n, range: s...s, into: out)
      var slice = sersic_slice()
      slice.coefficients = UnsafePointer(out)
      slice.first = Self.firstBits
      slice.largest = Self.largest
      var k = s.squareRoot()
      sersic_lookup_row(
        &slice, 1, &k, 0, 1, 0, 0, Self.offset, &values.value, &values.slope, &values.byIndex)
    }
    return values
  }

  /// The weights of (F, dF/dn) in four columns for F, then for dF/dn.
  private typealias Weights = (
    Double, Double, Double, Double, Double, Double, Double, Double, Double, Double, Double, Double,
    Double, Double, Double, Double
  )

  /// Returns the weights of Hermite's interpolation of degree 7 at t in 0...3 on nodes 0, 1, 2, 3 from a column on.
  ///
  /// F = Σ [1 − 2 L_i'(t_i)(t − t_i)] L_i² F_i + (t − t_i) L_i² F_i', L_i Lagrange's polynomials. Values and slopes at the
  /// nodes are met, so neighbouring pieces join with a continuous derivative.
  private static func hermiteWeights(_ t: Double, column: Int, n: Double) -> Weights {
    var weights: Weights = (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
    withUnsafeMutableBytes(of: &weights) { bytes in
      let w = bytes.assumingMemoryBound(to: Double.self)
      let h = Self.spacing
      for i in 0..<4 {
        var lagrange = 1.0
        var change = 0.0
        var own = 0.0
        for j in 0..<4 where j != i {
          let scale = 1 / Double(i - j)
          own += scale
          change = change * (t - Double(j)) * scale + lagrange * scale
          lagrange *= (t - Double(j)) * scale
        }
        let d = t - Double(i)
        let square = lagrange * lagrange
        let squareSlope = 2 * lagrange * change
        // The slopes along t are h n_i dF/dn.
        let scale = h * index(ofColumn: column + i)
        w[2 * i] = (1 - 2 * own * d) * square
        w[2 * i + 1] = d * square * scale
        w[8 + 2 * i] = (-2 * own * square + (1 - 2 * own * d) * squareSlope) / (h * n)
        w[8 + 2 * i + 1] = (square + d * squareSlope) * scale / (h * n)
      }
    }
    return weights
  }

  /// Returns the interval that holds s.
  static func interval(_ s: Double) -> Int {
    let v = min(max(s, 0) + offset, largest)
    return Int(v.bitPattern >> 48) - firstBits
  }

  /// Returns the v of a knot.
  static func place(_ knot: Int) -> Double {
    let steps = Int(SERSIC_SLICE_STEPS)
    return scalbn(1 + Double(knot % steps) / Double(steps), firstExponent + knot / steps)
  }
}

/// The address of a table that several threads fill.
private struct TableAddress: @unchecked Sendable {
  // Proof for @unchecked: each thread writes its own elements, and the buffer outlives them all.

  /// The table.
  let buffer: UnsafeMutableBufferPointer<Double>

  /// Creates the wrapper.
  init(_ buffer: UnsafeMutableBufferPointer<Double>) { self.buffer = buffer }
}

/// The transforms of all columns, behind one reference.
private final class TransformColumns: Sendable {
  /// The transforms.
  let all: [SersicTransform]

  /// Creates the wrapper.
  init(_ all: [SersicTransform]) { self.all = all }
}
