// SPDX-License-Identifier: MIT
//
// The file of a checkpoint: a header, records, a digest; replaced as a whole or not at all.

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The bytes of a checkpoint's file: eight letters, the version, the number of sections, for each its length and its bytes,
/// and the digest of all before it; integers have eight bytes, lowest first.
enum CheckpointFile {
  /// The first bytes of every file.
  private static let mark = Array("MCCHAINS".utf8)

  /// The version of the format.
  static let version: UInt64 = 1

  /// A failure of the system, in words.
  struct Failure: Error {
    let text: String
  }

  // MARK: - Writing

  /// Replaces a file by sections; a reader sees the old file or the new one, also after a loss of power.
  static func write(_ sections: [[UInt8]], to path: String) throws(Failure) {
    let partial = path + ".partial"
    let file = open(partial, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
    guard file >= 0 else { throw failure() }
    do throws(Failure) {
      var check = digest(mark)
      var header = mark
      append(version, to: &header)
      append(UInt64(sections.count), to: &header)
      check = digest(header)
      try put(header, file)
      for section in sections {
        var length: [UInt8] = []
        append(UInt64(section.count), to: &length)
        check = digest(section, from: digest(length, from: check))
        try put(length, file)
        try put(section, file)
      }
      var end: [UInt8] = []
      append(check, to: &end)
      try put(end, file)
      guard fsync(file) == 0 else { throw failure() }
    } catch {
      close(file)
      unlink(partial)
      throw error
    }
    guard close(file) == 0, rename(partial, path) == 0 else {
      let error = failure()
      unlink(partial)
      throw error
    }
    // The new name is safe once the folder is, too; a folder that cannot be synchronised is none of our business.
    let slash = path.lastIndex(of: "/")
    let folder = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    let directory = open(folder, O_RDONLY)
    if directory >= 0 {
      fsync(directory)
      close(directory)
    }
  }

  /// Writes all bytes.
  private static func put(_ bytes: [UInt8], _ file: Int32) throws(Failure) {
    var done = 0
    while done < bytes.count {
      let count = bytes.withUnsafeBytes { all in
        Platform.write(file, all.baseAddress.map { $0 + done }, bytes.count - done)
      }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { throw failure() }
      done += count
    }
  }

  /// Returns the last failure of the system.
  private static func failure() -> Failure { Failure(text: String(cString: strerror(errno))) }

  // MARK: - Reading

  /// Returns the sections of a file; nil if there is no file.
  ///
  /// - Throws: ``CheckpointError`` if it cannot be read, is damaged, or of another version.
  static func read(_ path: String) throws -> [ArraySlice<UInt8>]? {
    let file = open(path, O_RDONLY)
    guard file >= 0 else {
      if errno == ENOENT { return nil }
      throw CheckpointError(
        kind: .unreadable, path: path,
        explanation:
          "expected a readable file, found: \(failure().text); change its rights, or use another path"
      )
    }
    defer { close(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 20)
    while true {
      let count = buffer.withUnsafeMutableBytes { Platform.read(file, $0.baseAddress, $0.count) }
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else {
        throw CheckpointError(
          kind: .unreadable, path: path,
          explanation: "expected a readable file, found: \(failure().text); use another path")
      }
      if count == 0 { break }
      bytes += buffer.prefix(count)
    }
    return try parse(bytes, path)
  }

  /// Returns the sections in the bytes of a file.
  private static func parse(_ bytes: [UInt8], _ path: String) throws -> [ArraySlice<UInt8>] {
    /// Returns the error of a damaged file.
    func damaged(_ found: String) -> CheckpointError {
      CheckpointError(
        kind: .damaged, path: path,
        explanation:
          "expected a whole checkpoint, found \(found); remove the file, or replace it by a run with resume: false"
      )
    }
    guard bytes.starts(with: mark) else {
      throw damaged(bytes.isEmpty ? "an empty file" : "a file of another kind")
    }
    var reader = RecordReader(bytes[mark.count...])
    guard let found = reader.word() else { throw damaged("\(bytes.count) bytes of one") }
    guard found == version else {
      throw CheckpointError(
        kind: .version(found), path: path,
        explanation:
          "expected version \(version) of the format, found \(found); resume with the release that wrote it, or use another path"
      )
    }
    let cut = "one that is cut off after \(bytes.count) bytes, or damaged"
    guard bytes.count >= 32, let count = reader.word() else { throw damaged(cut) }
    var end = RecordReader(bytes.suffix(8))
    guard end.word() == digest(bytes.dropLast(8)) else { throw damaged(cut) }
    var sections: [ArraySlice<UInt8>] = []
    var place = mark.count + 16
    for _ in 0..<min(count, UInt64(bytes.count)) {
      var reader = RecordReader(bytes[place..<(bytes.count - 8)])
      guard let length = reader.word(), length <= UInt64(bytes.count - 16 - place) else {
        throw damaged(cut)
      }
      sections.append(bytes[(place + 8)..<(place + 8 + Int(length))])
      place += 8 + Int(length)
    }
    guard place == bytes.count - 8 else { throw damaged(cut) }
    return sections
  }
}

/// The functions of the system that have the names of ours.
private enum Platform {
  /// Writes bytes.
  static func write(_ file: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
    #if canImport(Glibc)
      Glibc.write(file, bytes, count)
    #else
      Darwin.write(file, bytes, count)
    #endif
  }

  /// Reads bytes.
  static func read(_ file: Int32, _ bytes: UnsafeMutableRawPointer?, _ count: Int) -> Int {
    #if canImport(Glibc)
      Glibc.read(file, bytes, count)
    #else
      Darwin.read(file, bytes, count)
    #endif
  }
}
