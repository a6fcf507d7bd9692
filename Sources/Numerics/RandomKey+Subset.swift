// SPDX-License-Identifier: MIT
//
// Random subsets in random order: the first steps of a Fisher–Yates shuffle (Knuth 1997, "The Art of Computer Programming 2", algorithm P).

extension RandomKey {
  /// Fills a buffer with distinct whole numbers below `size`, every ordered choice equally likely.
  ///
  /// The bias of the remainder in the choice of a partner is below size / 2⁶⁴.
  ///
  /// - Parameters:
  ///   - buffer: Where the numbers go; at most `size` of them.
  ///   - size: The number of candidates.
  ///   - scratch: Memory for `size` numbers; nil where ``needsScratch(subset:of:)`` says that none is needed.
  package func fillSubset(
    _ buffer: UnsafeMutableBufferPointer<Double>, of size: Int,
    scratch: UnsafeMutablePointer<Double>?
  ) {
    let count = buffer.count
    if let scratch {
      for k in 0..<size { scratch[k] = Double(k) }
      for k in 0..<count {
        let partner = partner(k, size)
        let chosen = scratch[partner]
        scratch[partner] = scratch[k]
        buffer[k] = chosen
      }
      return
    }
    // Without the array that is shuffled: where a number comes from is found by undoing the exchanges. Going backwards,
    // the partners of earlier steps are still in the buffer.
    for k in 0..<count { buffer[k] = Double(partner(k, size)) }
    for k in (0..<count).reversed() {
      var place = buffer[k]
      for earlier in (0..<k).reversed() where buffer[earlier] == place { place = Double(earlier) }
      buffer[k] = place
    }
  }

  /// Whether a subset is drawn faster by shuffling an array of all candidates.
  package static func needsScratch(subset count: Int, of size: Int) -> Bool {
    count * count > 4 * size
  }

  /// Returns the place that step `k` of the shuffle exchanges with place `k`.
  @inline(__always)
  private func partner(_ k: Int, _ size: Int) -> Int {
    k + Int(bits(UInt64(k)) % UInt64(size - k))
  }

  /// Returns distinct whole numbers below `size` in random order.
  public func subset(_ count: Int, of size: Int) -> [Double] {
    demand(
      count >= 0 && count <= size, "subset: expected at most \(size) numbers, got \(count)")
    return [Double](unsafeUninitializedCapacity: count) { buffer, filled in
      let part = UnsafeMutableBufferPointer(rebasing: buffer[..<count])
      if Self.needsScratch(subset: count, of: size) {
        withUnsafeTemporaryAllocation(of: Double.self, capacity: size) {
          fillSubset(part, of: size, scratch: $0.baseAddress)
        }
      } else {
        fillSubset(part, of: size, scratch: nil)
      }
      filled = count
    }
  }
}
