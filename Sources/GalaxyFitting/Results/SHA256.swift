// SPDX-License-Identifier: MIT
//
// SHA-256 of byte sequences and files (FIPS 180-4), for the checksums of inputs.

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The SHA-256 digest of bytes that arrive in pieces.
///
/// ### Source
///
/// FIPS 180-4, sections 4.1.2, 5.1.1, 5.3.3 and 6.2.
struct SHA256 {
  /// The hash value so far, H0 … H7.
  private var hash: [UInt32] = [
    0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab,
    0x5be0_cd19,
  ]

  /// Bytes that do not fill a block yet.
  private var rest: [UInt8] = []

  /// The number of bytes so far.
  private var count: UInt64 = 0

  /// The message schedule.
  private var schedule = [UInt32](repeating: 0, count: 64)

  /// The constants K0 … K63: the first 32 bits of the fractional parts of the cube roots of the first 64 primes.
  private static let constants: [UInt32] = [
    0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4,
    0xab1c_5ed5, 0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe,
    0x9bdc_06a7, 0xc19b_f174, 0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f,
    0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da, 0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7,
    0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967, 0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc,
    0x5338_0d13, 0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85, 0xa2bf_e8a1, 0xa81a_664b,
    0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070, 0x19a4_c116,
    0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
    0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208, 0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7,
    0xc671_78f2,
  ]

  /// Takes in more bytes.
  mutating func update(_ bytes: UnsafeRawBufferPointer) {
    count += UInt64(bytes.count)
    var start = 0
    if !rest.isEmpty {
      start = min(64 - rest.count, bytes.count)
      rest.append(contentsOf: bytes[..<start])
      guard rest.count == 64 else { return }
      let block = rest
      block.withUnsafeBytes { compress($0) }
      rest.removeAll(keepingCapacity: true)
    }
    while start + 64 <= bytes.count {
      compress(UnsafeRawBufferPointer(rebasing: bytes[start..<(start + 64)]))
      start += 64
    }
    rest.append(contentsOf: bytes[start...])
  }

  /// Returns the digest as 64 hexadecimal digits.
  consuming func finish() -> String {
    let bits = count * 8
    var tail: [UInt8] = [0x80]
    // Zeros up to 56 bytes of the last block, then the length in bits, most significant byte first.
    while (rest.count + tail.count) % 64 != 56 { tail.append(0) }
    for shift in stride(from: 56, through: 0, by: -8) {
      tail.append(UInt8(truncatingIfNeeded: bits >> UInt64(shift)))
    }
    tail.withUnsafeBytes { update($0) }
    let digits = Array("0123456789abcdef")
    return String(
      hash.flatMap { word in
        stride(from: 28, through: 0, by: -4).map { digits[Int((word >> UInt32($0)) & 15)] }
      })
  }

  /// Takes in one block of 64 bytes.
  private mutating func compress(_ block: UnsafeRawBufferPointer) {
    SHA256.constants.withUnsafeBufferPointer { k in
      schedule.withUnsafeMutableBufferPointer { w in
        for t in 0..<16 {
          w[t] = UInt32(
            bigEndian: block.loadUnaligned(fromByteOffset: 4 * t, as: UInt32.self))
        }
        for t in 16..<64 {
          let (x, y) = (w[t - 15], w[t - 2])
          let s0 = SHA256.rotated(x, 7) ^ SHA256.rotated(x, 18) ^ (x >> 3)
          let s1 = SHA256.rotated(y, 17) ^ SHA256.rotated(y, 19) ^ (y >> 10)
          w[t] = w[t - 16] &+ s0 &+ w[t - 7] &+ s1
        }
        var (a, b, c, d) = (hash[0], hash[1], hash[2], hash[3])
        var (e, f, g, h) = (hash[4], hash[5], hash[6], hash[7])
        for t in 0..<64 {
          let s1 = SHA256.rotated(e, 6) ^ SHA256.rotated(e, 11) ^ SHA256.rotated(e, 25)
          let t1 = h &+ s1 &+ ((e & f) ^ (~e & g)) &+ k[t] &+ w[t]
          let s0 = SHA256.rotated(a, 2) ^ SHA256.rotated(a, 13) ^ SHA256.rotated(a, 22)
          let t2 = s0 &+ ((a & b) ^ (a & c) ^ (b & c))
          (h, g, f, e) = (g, f, e, d &+ t1)
          (d, c, b, a) = (c, b, a, t1 &+ t2)
        }
        for (i, word) in [a, b, c, d, e, f, g, h].enumerated() { hash[i] &+= word }
      }
    }
  }

  /// Returns a word rotated to the right.
  @inline(__always)
  private static func rotated(_ x: UInt32, _ by: UInt32) -> UInt32 { x >> by | x << (32 - by) }
}

/// Returns the SHA-256 digest of bytes as 64 hexadecimal digits.
package func sha256(_ bytes: [UInt8]) -> String {
  var digest = SHA256()
  bytes.withUnsafeBytes { digest.update($0) }
  return digest.finish()
}

/// Returns the SHA-256 digest of a file as 64 hexadecimal digits; nil where it cannot be read.
package func sha256(ofFile path: String) -> String? {
  let descriptor = open(path, O_RDONLY)
  guard descriptor >= 0 else { return nil }
  defer { close(descriptor) }
  var digest = SHA256()
  let size = 1 << 16
  let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 16)
  defer { buffer.deallocate() }
  while true {
    let count = read(descriptor, buffer.baseAddress, size)
    if count < 0 && errno == EINTR { continue }
    guard count >= 0 else { return nil }
    guard count > 0 else { return digest.finish() }
    digest.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
  }
}
