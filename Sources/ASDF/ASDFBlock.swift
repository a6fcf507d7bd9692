// SPDX-License-Identifier: MIT
//
// The binary blocks of an ASDF file.
//
// Source: the ASDF Standard 1.6.0, "Blocks".

/// A block of an ASDF file: its head and where its data lie.
struct ASDFBlock {
  /// The four bytes with which a block begins.
  static let magic: [UInt8] = [0xd3, 0x42, 0x4c, 0x4b]

  /// The length of the head after its own length, as we write it.
  private static let headLength = 48

  /// Where the data lie among the bytes of the file.
  let range: Range<Int>

  /// The name of the compression; empty for none.
  let compression: String

  /// Returns a block with its head: uncompressed, with its checksum.
  static func encoded(_ data: [UInt8]) -> [UInt8] {
    var bytes = magic
    /// Appends a number, the most significant byte first.
    func append(_ value: some FixedWidthInteger) {
      bytes += withUnsafeBytes(of: value.bigEndian) { Array($0) }
    }
    append(UInt16(headLength))
    append(UInt32(0))
    bytes += [0, 0, 0, 0]
    for _ in 0..<3 { append(UInt64(data.count)) }
    bytes += md5(data)
    return bytes + data
  }

  /// Reads all blocks of a file.
  ///
  /// - Parameters:
  ///   - bytes: The file.
  ///   - start: Where the tree ends.
  /// - Returns: The blocks, in order.
  /// - Throws: ``ASDFError`` if a block is cut off or damaged.
  static func all(in bytes: [UInt8], from start: Int) throws(ASDFError) -> [ASDFBlock] {
    var blocks: [ASDFBlock] = []
    // Between the tree and the first block there may be room left for the tree to grow.
    var place = start
    while place + 4 <= bytes.count && !bytes[place...].starts(with: magic) { place += 1 }
    while place + 4 <= bytes.count && bytes[place...].starts(with: magic) {
      let (block, end) = try read(bytes, at: place, number: blocks.count)
      blocks.append(block)
      place = end
    }
    return blocks
  }

  /// Reads a block; returns it with the place after it.
  private static func read(
    _ bytes: [UInt8], at start: Int, number index: Int
  ) throws(ASDFError) -> (ASDFBlock, Int) {
    let name = "block \(index) at byte \(start)"
    /// Returns a number of the head, the most significant byte first.
    func number(_ offset: Int, _ count: Int) -> UInt64 {
      bytes[(start + offset)..<(start + offset + count)].reduce(0) { $0 << 8 | UInt64($1) }
    }
    guard start + 6 <= bytes.count else {
      throw ASDFError(.truncated, at: name, "expected the head of a block, found the file's end")
    }
    let head = Int(number(4, 2))
    guard head >= headLength else {
      throw ASDFError(
        .badArray, at: name, "expected a head of at least \(headLength) bytes, found \(head)")
    }
    let first = start + 6 + head
    guard first <= bytes.count else {
      throw ASDFError(
        .truncated, at: name,
        "expected a head of \(head) bytes, found the file's end after \(bytes.count - start - 6)")
    }
    let rest = UInt64(bytes.count - first)
    // The lowest flag: a stream that goes on to the end of the file.
    let isStream = number(6, 4) & 1 == 1
    let (allocated, used) = isStream ? (rest, rest) : (number(14, 8), number(22, 8))
    guard used <= allocated, allocated <= rest else {
      throw ASDFError(
        .truncated, at: name,
        "expected \(allocated) bytes of data, found \(rest) before the file's end; copy the file again"
      )
    }
    let range = first..<(first + Int(used))
    let checksum = Array(bytes[(start + 38)..<(start + 54)])
    if !isStream && checksum.contains(where: { $0 != 0 }) && md5(bytes[range]) != checksum {
      throw ASDFError(
        .badChecksum, at: name,
        "expected data with the block's checksum, found other data: the file is damaged; copy it again"
      )
    }
    let compression = bytes[(start + 10)..<(start + 14)].prefix { $0 != 0 }
    let block = ASDFBlock(
      range: range, compression: String(decoding: compression, as: UTF8.self))
    return (block, first + Int(allocated))
  }
}
