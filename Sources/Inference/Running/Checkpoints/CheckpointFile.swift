// SPDX-License-Identifier: MIT
//
// The file of a checkpoint: a header, records, a digest; replaced as a whole or not at all.

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The bytes of a checkpoint's file.
///
/// They are: eight letters, the version, the number of sections and the digest of these; for each
/// section its length, its digest and its bytes. Integers have eight bytes, lowest first.
enum CheckpointFile {
  /// The first bytes of every file.
  private static let mark = Array("MCCHAINS".utf8)

  /// The version of the format.
  static let version: UInt64 = 2

  /// A failure of the system, in words.
  struct Failure: Error {
    let text: String
  }

  // MARK: - Writing

  /// Replaces a file by sections; a reader sees the old file or the new one, also after a loss of power.
  ///
  /// - Parameters:
  ///   - count: The number of sections.
  ///   - path: The file.
  ///   - section: Returns the bytes of a section, asked for when it is written.
  /// - Throws: ``Failure`` of the system, or what `section` throws.
  static func write(
    _ count: Int, to path: String, _ section: (Int) throws(Failure) -> [UInt8]
  ) throws(Failure) {
    let partial = path + ".partial"
    let file = open(partial, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
    guard file >= 0 else { throw failure() }
    do throws(Failure) {
      var header = mark
      append(version, to: &header)
      append(UInt64(count), to: &header)
      append(digest(header[...]), to: &header)
      try put(header, file)
      for index in 0..<count {
        let bytes = try section(index)
        var head: [UInt8] = []
        append(UInt64(bytes.count), to: &head)
        append(digest(bytes[...]), to: &head)
        try put(head, file)
        try put(bytes, file)
      }
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

  /// Tries whether a file can be written, and leaves what there is as it is.
  ///
  /// - Throws: ``Failure`` of the system.
  static func probe(_ path: String) throws(Failure) {
    // A folder of that name cannot be replaced by a file.
    let present = open(path, O_RDONLY | O_DIRECTORY)
    if present >= 0 {
      close(present)
      throw Failure(text: String(cString: strerror(EISDIR)))
    }
    let partial = path + ".partial"
    let file = open(partial, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
    guard file >= 0 else { throw failure() }
    defer { unlink(partial) }
    do throws(Failure) {
      try put(mark, file)
      guard fsync(file) == 0 else { throw failure() }
    } catch {
      close(file)
      throw error
    }
    guard close(file) == 0 else { throw failure() }
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

  /// Hands out the sections of a file, one after the other, so that one is in memory at a time.
  ///
  /// - Parameters:
  ///   - path: The file.
  ///   - body: Takes the number of a section and its bytes.
  /// - Returns: Whether there is a file.
  /// - Throws: ``CheckpointError`` if the file cannot be read, is damaged or of another version; what `body` throws.
  static func read(_ path: String, _ body: (Int, ArraySlice<UInt8>) throws -> Void) throws -> Bool {
    let file = open(path, O_RDONLY)
    guard file >= 0 else {
      if errno == ENOENT { return false }
      throw unreadable(path)
    }
    defer { close(file) }
    let mine = try get(mark.count, file, path)
    guard mine == mark else {
      throw damaged(
        path, mine.isEmpty ? "an empty file" : "a file of another kind, or the beginning of one")
    }
    let head = try get(24, file, path)
    var reader = RecordReader(head[...])
    guard let found = reader.word(), let count = reader.word(), let check = reader.word() else {
      throw damaged(path, cut)
    }
    guard found == version else {
      throw CheckpointError(
        kind: .version(found), path: path,
        explanation:
          "expected version \(version) of the format, found \(found); resume with the release that wrote it, or use another path"
      )
    }
    guard check == digest((mark + head.prefix(16))[...]) else { throw damaged(path, cut) }
    for index in 0..<count {
      let head = try get(16, file, path)
      var reader = RecordReader(head[...])
      guard let length = reader.word(), let check = reader.word(), length <= Int.max else {
        throw damaged(path, cut)
      }
      let section = try get(Int(length), file, path)
      guard section.count == Int(length), check == digest(section[...]) else {
        throw damaged(path, cut)
      }
      try body(Int(index), section[...])
    }
    guard try get(1, file, path).isEmpty else { throw damaged(path, cut) }
    return true
  }

  /// Returns the next bytes, fewer at the end of the file.
  private static func get(_ count: Int, _ file: Int32, _ path: String) throws -> [UInt8] {
    // A damaged length must not ask for more memory than the file has bytes.
    var status = stat()
    guard fstat(file, &status) == 0 else { throw unreadable(path) }
    let room = min(count, max(16, Int(status.st_size)))
    var failed = false
    let bytes = [UInt8](unsafeUninitializedCapacity: room) { buffer, filled in
      while filled < room {
        let got = Platform.read(file, buffer.baseAddress.map { $0 + filled }, room - filled)
        if got < 0 && errno == EINTR { continue }
        failed = got < 0
        if got <= 0 { return }
        filled += got
      }
    }
    if failed { throw unreadable(path) }
    return bytes
  }

  /// What is found where a file ends too early or has been changed.
  private static let cut = "one that is cut off or damaged"

  /// Returns the error of a damaged file.
  private static func damaged(_ path: String, _ found: String) -> CheckpointError {
    CheckpointError(
      kind: .damaged, path: path,
      explanation:
        "expected a whole checkpoint, found \(found); remove the file, or replace it by a run with resume: false"
    )
  }

  /// Returns the error of a file that the system does not let us read.
  private static func unreadable(_ path: String) -> CheckpointError {
    CheckpointError(
      kind: .unreadable, path: path,
      explanation:
        "expected a readable file, found: \(failure().text); change its rights, or use another path"
    )
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
