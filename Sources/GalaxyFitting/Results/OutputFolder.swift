// SPDX-License-Identifier: MIT
//
// The folder of results: made and tried before any work, each file complete or absent, one failure without the others.

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A file of results: where it is, or why it is not.
public struct OutputProduct: Sendable, Hashable {
  /// The name in the folder.
  public let name: String

  /// The path.
  public let path: String

  /// Why it could not be written; nil where it was.
  public let failure: String?
}

/// A folder to which results can be written.
public struct OutputFolder: Sendable, Hashable {
  /// The path, as given.
  public let path: String

  /// Makes the folder with its parents where there is none, and tries to write to it.
  ///
  /// - Parameter path: The folder.
  /// - Throws: ``OptionError`` that says why it cannot be made or written.
  public init(_ path: String) throws(OptionError) {
    var trimmed = path
    while trimmed.count > 1, trimmed.hasSuffix("/") { trimmed.removeLast() }
    guard !trimmed.isEmpty else {
      throw OptionError("--output", "expected the name of a folder, found none")
    }
    self.path = trimmed
    try OutputFolder.make(trimmed)
    // The permission bits do not tell of read-only and full file systems: try.
    let probe = "\(trimmed)/.sersic-\(OutputFolder.token).part"
    let descriptor = open(probe, O_WRONLY | O_CREAT | O_EXCL, 0o644)
    guard descriptor >= 0 else {
      throw OptionError(
        "--output",
        "expected a folder that can be written, found \(trimmed): \(systemMessage()); change its permissions or name another"
      )
    }
    close(descriptor)
    unlink(probe)
  }

  /// Makes a folder with its parents.
  private static func make(_ path: String) throws(OptionError) {
    var info = stat()
    if stat(path, &info) == 0 {
      guard info.st_mode & S_IFMT == S_IFDIR else {
        throw OptionError(
          "--output", "expected a folder, found a file: \(path); remove it or name another folder")
      }
      return
    }
    if let slash = path.lastIndex(of: "/"), slash != path.startIndex {
      try make(String(path[..<slash]))
    }
    guard mkdir(path, 0o755) == 0 || errno == EEXIST else {
      throw OptionError(
        "--output",
        "the folder \(path) cannot be made: \(systemMessage()); name another, or change permissions"
      )
    }
  }

  /// Writes one file by a function of its path; a failure is told, not thrown.
  func write(_ name: String, _ body: (String) throws -> Void) -> OutputProduct {
    let file = "\(path)/\(name)"
    do {
      try body(file)
      return OutputProduct(name: name, path: file, failure: nil)
    } catch {
      return OutputProduct(name: name, path: file, failure: "\(error)")
    }
  }

  /// Removes files of an earlier result that this one does not write: they would be read as part of it.
  func removeOthers(than products: [OutputProduct], among names: [String]) {
    for name in names where !products.contains(where: { $0.name == name }) {
      unlink("\(path)/\(name)")
    }
  }

  /// Writes a text to a file, under another name first.
  public func write(_ text: String, to name: String) -> OutputProduct {
    write(name) { try OutputFolder.writeAtomically(text, to: $0) }
  }

  /// Writes a text to a file: complete, or not at all.
  private static func writeAtomically(_ text: String, to file: String) throws(OptionError) {
    let slash = file.lastIndex(of: "/").map { file.index(after: $0) } ?? file.startIndex
    let temporary = "\(file[..<slash]).\(file[slash...])-\(token).part"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL, 0o644)
    guard descriptor >= 0 else {
      throw OptionError(file, "the file cannot be created: \(systemMessage())")
    }
    var failure = writeAll(Array(text.utf8), to: descriptor)
    if failure == nil, fsync(descriptor) != 0, errno != EINVAL { failure = systemMessage() }
    if close(descriptor) != 0, failure == nil { failure = systemMessage() }
    if failure == nil, rename(temporary, file) != 0 { failure = systemMessage() }
    if let failure {
      unlink(temporary)
      throw OptionError(file, "writing stopped before the end: \(failure). Is the disk full?")
    }
  }

  /// A word that no other process uses for its temporary files.
  private static var token: String { String(UInt64.random(in: .min ... .max), radix: 36) }
}

/// Writes bytes to a file descriptor; returns what the system says where that fails, else nil.
package func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> String? {
  bytes.withUnsafeBytes { buffer in
    var start = 0
    while start < buffer.count {
      let count = write(
        descriptor, UnsafeRawBufferPointer(rebasing: buffer[start...]).baseAddress,
        buffer.count - start)
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { return systemMessage() }
      start += count
    }
    return nil
  }
}

/// Returns what the system says about its latest failure.
private func systemMessage() -> String { String(cString: strerror(errno)) }
