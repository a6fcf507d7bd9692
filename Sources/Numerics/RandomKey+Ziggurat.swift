// SPDX-License-Identifier: MIT
//
// Standard normal numbers in bulk by the ziggurat: mostly one word of random bits, one product and one comparison for each.
//
// Source: Marsaglia and Tsang 2000, J. Stat. Soft. 5 (8); Doornik 2005, "An improved ziggurat method to generate normal random
// samples", for layers and positions from different bits.

internal import CKernels

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The layers of the ziggurat: 256 strips of equal area under exp(−x²/2), the lowest with the tail.
///
/// Proof that sending it is safe: there is one, whose numbers are written once, read only afterwards and never freed. Plain
/// memory has no references to be counted at each call, which shows where few numbers are wanted.
private struct Ziggurat: @unchecked Sendable {
  /// The number of layers.
  static let count = 256

  /// Where the tail begins: the x at which 256 strips of equal area reach the density's maximum (Marsaglia and Tsang, table 1).
  static let tail = 3.6541528853610088

  /// The width of each layer, from the lowest up, and 0; that of the lowest is its area over its height.
  let widths: UnsafePointer<Double>

  /// The density exp(−x²/2) at each width.
  let heights: UnsafePointer<Double>

  /// The layers.
  static let shared = Ziggurat()

  /// Computes the layers.
  private init() {
    let end = exp(-0.5 * Ziggurat.tail * Ziggurat.tail)
    // The area of a strip: the rectangle up to the tail, and the tail, whose area is √(π/2) erfc(x/√2).
    let area =
      Ziggurat.tail * end + (0.5 * Double.pi).squareRoot() * erfc(Ziggurat.tail * 0.5.squareRoot())
    var widths = [area / end, Ziggurat.tail]
    for layer in 2..<Ziggurat.count {
      let height = exp(-0.5 * widths[layer - 1] * widths[layer - 1]) + area / widths[layer - 1]
      widths.append((-2 * log(height)).squareRoot())
    }
    widths.append(0)
    self.widths = Self.kept(widths)
    heights = Self.kept(widths.map { exp(-0.5 * $0 * $0) })
  }

  /// Returns a copy of numbers that stays for good.
  private static func kept(_ numbers: [Double]) -> UnsafePointer<Double> {
    let copy = UnsafeMutablePointer<Double>.allocate(capacity: numbers.count)
    copy.initialize(from: numbers, count: numbers.count)
    return UnsafePointer(copy)
  }
}

extension RandomKey {
  /// Fills a buffer with standard normal numbers, several times as fast as ``fillNormal(_:from:)`` and not equal to them.
  ///
  /// Number i is a function of the key and i alone.
  package func fillZiggurat(_ buffer: UnsafeMutableBufferPointer<Double>) {
    let layers = Ziggurat.shared
    let chunk = 64
    withUnsafeTemporaryAllocation(of: UInt64.self, capacity: chunk) { words in
      // Room for one more: a place is written before it is known whether it counts.
      withUnsafeTemporaryAllocation(of: Int32.self, capacity: chunk + 1) { outside in
        guard let address = buffer.baseAddress else { return }
        var start = 0
        while start < buffer.count {
          let count = min(chunk, buffer.count - start)
          fillBits(
            UnsafeMutableBufferPointer(rebasing: words[..<((count + 1) & ~1)]),
            from: UInt64(start))
          let found = ss_ziggurat(
            words.baseAddress, layers.widths, address + start, outside.baseAddress, count)
          for k in 0..<found {
            let place = Int(outside[k])
            buffer[start + place] = redrawn(
              buffer[start + place], layer: Int(words[place] & 255), start + place, layers)
          }
          start += count
        }
      }
    }
  }

  /// Returns the normal number where the first draw falls outside the core of its layer: once in a hundred times.
  private func redrawn(_ first: Double, layer: Int, _ i: Int, _ layers: Ziggurat) -> Double {
    // Each number has a stream of its own for what follows.
    var generator = KeyedGenerator(folding(in: UInt64(i)))
    var (x, layer) = (first, layer)
    while true {
      if abs(x) < layers.widths[layer + 1] { return x }
      if layer == 0 {
        // The tail, by Marsaglia 1964: an exponential number accepted against another.
        while true {
          let step = -log(generator.uniform()) / Ziggurat.tail
          if -2 * log(generator.uniform()) > step * step {
            return x < 0 ? -Ziggurat.tail - step : Ziggurat.tail + step
          }
        }
      }
      let (low, high) = (layers.heights[layer], layers.heights[layer + 1])
      if low + generator.uniform() * (high - low) < exp(-0.5 * x * x) { return x }
      let bits = generator.next()
      layer = Int(bits & 255)
      x = Double(Int64(bitPattern: bits) >> 10) * 0x1p-53 * layers.widths[layer]
    }
  }
}
