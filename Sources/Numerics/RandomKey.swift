// SPDX-License-Identifier: MIT
//
// Counter-based random numbers: a draw is a pure function of a key and an index (Threefry-2x64-20).
//
// ### Source
//
// Salmon, Moraes, Dror & Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3", section 3.2 and table 2.

internal import CKernels

/// One block of 128 random bits: Threefry-2x64 with 20 rounds.
package func threefry2x64(
  key: (UInt64, UInt64), counter: (UInt64, UInt64)
) -> (UInt64, UInt64) {
  // Skein's parity constant, and the rotation distances of table 2 for two 64-bit words.
  let k2 = 0x1bd1_1bda_a9fc_1a22 ^ key.0 ^ key.1
  var x0 = counter.0 &+ key.0
  var x1 = counter.1 &+ key.1

  /// Mixes the two words once.
  @inline(__always)
  func mix(_ distance: UInt64) {
    x0 = x0 &+ x1
    x1 = (x1 << distance) | (x1 >> (64 - distance))
    x1 ^= x0
  }

  /// Mixes four times with the given distances, and adds a subkey.
  @inline(__always)
  func round(_ distances: (UInt64, UInt64, UInt64, UInt64), _ a: UInt64, _ b: UInt64) {
    mix(distances.0)
    mix(distances.1)
    mix(distances.2)
    mix(distances.3)
    x0 = x0 &+ a
    x1 = x1 &+ b
  }
  let odd: (UInt64, UInt64, UInt64, UInt64) = (16, 42, 12, 31)
  let even: (UInt64, UInt64, UInt64, UInt64) = (16, 32, 24, 21)
  round(odd, key.1, k2 &+ 1)
  round(even, k2, key.0 &+ 2)
  round(odd, key.0, key.1 &+ 3)
  round(even, key.1, k2 &+ 4)
  round(odd, k2, key.0 &+ 5)
  return (x0, x1)
}

/// A key of a stream of random numbers, from which keys for parts are derived.
///
/// A draw depends on its key and its index only: never on the order of execution or the number of threads. The same key
/// gives the same numbers every time, so fold a name or a number in for each independent use.
public struct RandomKey: Sendable, Hashable, Codable, ExpressibleByIntegerLiteral,
  CustomStringConvertible
{
  /// The first half of the key.
  private let first: UInt64

  /// The second half of the key.
  private let second: UInt64

  /// What a block is made for, in the second word of its counter, so that draws and derived keys never coincide.
  private enum Purpose {
    /// Random bits.
    static let draw: UInt64 = 0
    /// A key derived by a number.
    static let number: UInt64 = 1
    /// A key derived by a text, before its characters come in.
    static let text: UInt64 = 2
  }

  /// Creates a key from a seed.
  public init(_ seed: UInt64) {
    first = seed
    second = 0
  }

  /// Creates a key from a seed.
  public init(integerLiteral value: UInt64) { self.init(value) }

  /// Creates a key from the two words of a block.
  private init(words: (UInt64, UInt64)) {
    first = words.0
    second = words.1
  }

  /// Returns the block of bits at a counter.
  private func block(_ index: UInt64, _ purpose: UInt64) -> (UInt64, UInt64) {
    threefry2x64(key: (first, second), counter: (index, purpose))
  }

  /// Returns a key for the part with the given number: a chain, a step, an element.
  public func folding(in number: UInt64) -> RandomKey {
    RandomKey(words: block(number, Purpose.number))
  }

  /// Returns a key for the part with the given number, which must not be negative.
  public func folding(in number: Int) -> RandomKey {
    demand(number >= 0, "RandomKey: a number to fold in must not be negative, got \(number)")
    return folding(in: UInt64(number))
  }

  /// Returns a key for the part with the given name: its UTF-8 bytes enter 16 at a time, after their count.
  public func folding(in name: String) -> RandomKey {
    let bytes = name.utf8
    var key = RandomKey(words: block(UInt64(bytes.count), Purpose.text))
    var words: (UInt64, UInt64) = (0, 0)
    var filled: UInt64 = 0
    for byte in bytes {
      if filled < 8 {
        words.0 |= UInt64(byte) << (8 * filled)
      } else {
        words.1 |= UInt64(byte) << (8 * (filled - 8))
      }
      filled += 1
      if filled == 16 {
        key = RandomKey(words: threefry2x64(key: (key.first, key.second), counter: words))
        words = (0, 0)
        filled = 0
      }
    }
    if filled > 0 {
      key = RandomKey(words: threefry2x64(key: (key.first, key.second), counter: words))
    }
    return key
  }

  /// Returns a key for the part with the given key: its two words are folded in, one after the other.
  public func folding(key: RandomKey) -> RandomKey {
    folding(in: key.first).folding(in: key.second)
  }

  /// Writes the key as four whole numbers below 2³², which a Double holds exactly.
  package func store(into quarters: UnsafeMutablePointer<Double>) {
    quarters[0] = Double(first >> 32)
    quarters[1] = Double(first & 0xffff_ffff)
    quarters[2] = Double(second >> 32)
    quarters[3] = Double(second & 0xffff_ffff)
  }

  /// Creates the key that ``store(into:)`` has written.
  package init(quarters: UnsafePointer<Double>) {
    first = UInt64(quarters[0]) << 32 | UInt64(quarters[1])
    second = UInt64(quarters[2]) << 32 | UInt64(quarters[3])
  }

  /// Returns `count` keys for independent parts: this key with 0, 1, … folded in.
  public func split(_ count: Int) -> [RandomKey] { (0..<count).map { folding(in: $0) } }

  /// Returns 64 random bits.
  public func bits(_ index: UInt64) -> UInt64 {
    let pair = block(index >> 1, Purpose.draw)
    return index & 1 == 0 ? pair.0 : pair.1
  }

  /// Fills a buffer of an even count with the random bits of consecutive indices, from an even one, equal to `bits`'s.
  package func fillBits(_ buffer: UnsafeMutableBufferPointer<UInt64>, from start: UInt64 = 0) {
    demand(
      start & 1 == 0 && buffer.count & 1 == 0,
      "fillBits: expected an even index and count, got \(start) and \(buffer.count)")
    ss_threefry(first, second, start >> 1, Purpose.draw, buffer.baseAddress, buffer.count / 2)
  }

  /// Returns a number of the open interval (0, 1): an odd multiple of 2^-53.
  public func uniform(_ index: UInt64) -> Double { Self.unit(bits(index)) }

  /// Returns a standard normal number: the quantile of the uniform number with the same index.
  public func normal(_ index: UInt64) -> Double { normalQuantile(uniform(index)) }

  /// Returns the middle of one of 2^52 equal parts of (0, 1).
  static func unit(_ bits: UInt64) -> Double { (Double(bits >> 12) + 0.5) * 0x1p-52 }

  /// Fills a buffer with the uniform numbers of consecutive indices.
  package func fillUniform(_ buffer: UnsafeMutableBufferPointer<Double>, from start: UInt64 = 0) {
    var i = 0
    if start & 1 == 1, !buffer.isEmpty {
      buffer[0] = uniform(start)
      i = 1
    }
    let pairs = (buffer.count - i) / 2 * 2
    // The bits are made where the numbers come to lie.
    UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[(8 * i)...])
      .withMemoryRebound(to: UInt64.self) { words in
        fillBits(UnsafeMutableBufferPointer(rebasing: words[..<pairs]), from: start + UInt64(i))
        for k in 0..<pairs { buffer[i + k] = Self.unit(words[k]) }
      }
    if i + pairs < buffer.count { buffer[i + pairs] = uniform(start + UInt64(i + pairs)) }
  }

  /// Fills a buffer with the standard normal numbers of consecutive indices, equal to `normal`'s.
  package func fillNormal(_ buffer: UnsafeMutableBufferPointer<Double>, from start: UInt64 = 0) {
    fillUniform(buffer, from: start)
    guard let address = buffer.baseAddress else { return }
    VectorMath.normalQuantile(address, into: address, count: buffer.count)
  }

  /// Returns the uniform numbers of the indices 0 to count - 1.
  public func uniforms(_ count: Int) -> [Double] {
    [Double](unsafeUninitializedCapacity: count) { buffer, filled in
      fillUniform(UnsafeMutableBufferPointer(rebasing: buffer[..<count]))
      filled = count
    }
  }

  /// Returns the standard normal numbers of the indices 0 to count - 1.
  public func normals(_ count: Int) -> [Double] {
    [Double](unsafeUninitializedCapacity: count) { buffer, filled in
      fillNormal(UnsafeMutableBufferPointer(rebasing: buffer[..<count]))
      filled = count
    }
  }

  /// The two words in hexadecimal.
  public var description: String {
    "RandomKey(\(String(first, radix: 16)):\(String(second, radix: 16)))"
  }
}

/// A sequence of random bits from a key, for algorithms that need an unknown number of them.
public struct KeyedGenerator: RandomNumberGenerator, Sendable {
  /// The key of the sequence.
  private let key: RandomKey

  /// The index of the next 64 bits.
  private var index: UInt64 = 0

  /// Creates the sequence of a key, from its first number.
  public init(_ key: RandomKey) { self.key = key }

  /// Returns the next 64 bits.
  public mutating func next() -> UInt64 {
    defer { index &+= 1 }
    return key.bits(index)
  }

  /// Returns the next number of (0, 1).
  public mutating func uniform() -> Double { RandomKey.unit(next()) }

  /// Returns the next standard normal number.
  public mutating func normal() -> Double { normalQuantile(uniform()) }
}
