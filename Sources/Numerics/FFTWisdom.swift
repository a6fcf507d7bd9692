// SPDX-License-Identifier: MIT
//
// What FFTW learnt by measuring on this machine, kept in the user's cache folder.

internal import CFFTW

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Darwin)
  internal import Darwin
#endif

/// The file of measured FFTW plans; a cache only, so that failing to read or write it is no error.
package enum FFTWisdom {
  /// The path of the file, or nil where the environment names no home.
  ///
  /// `$XDG_CACHE_HOME/swift-sersic/fftw-wisdom`, else `~/Library/Caches/…` on macOS and `~/.cache/…` elsewhere.
  package static var path: String? { folder.map { $0 + "/fftw-wisdom" } }

  /// The folder of the file, or nil where the environment names no home.
  private static var folder: String? {
    if let cache = environment("XDG_CACHE_HOME") { return cache + "/swift-sersic" }
    #if canImport(Darwin)
      return environment("HOME").map { $0 + "/Library/Caches/swift-sersic" }
    #else
      return environment("HOME").map { $0 + "/.cache/swift-sersic" }
    #endif
  }

  /// All wisdom of this process as text: equal texts promise bit-identical transforms.
  package static var text: String {
    guard let exported = fftw_export_wisdom_to_string() else { return "" }
    defer { free(exported) }
    return String(cString: exported)
  }

  /// Adds the file's wisdom to FFTW's; call behind the planner's lock.
  static func read() {
    guard let path else { return }
    _ = fftw_import_wisdom_from_filename(path)
  }

  /// Replaces the file by FFTW's wisdom, atomically; call behind the planner's lock.
  static func write() {
    guard let path, let folder else { return }
    let parent = folder.split(separator: "/", omittingEmptySubsequences: false).dropLast()
    _ = mkdir(parent.joined(separator: "/"), 0o755)
    _ = mkdir(folder, 0o755)
    let temporary = path + ".\(getpid())"
    guard fftw_export_wisdom_to_filename(temporary) == 1 else {
      _ = unlink(temporary)
      return
    }
    // Another process may have written since we read: its plans are lost to the file, and measured again when needed.
    if rename(temporary, path) != 0 { _ = unlink(temporary) }
  }

  /// Returns a non-empty environment variable.
  private static func environment(_ name: String) -> String? {
    guard let value = getenv(name) else { return nil }
    let text = String(cString: value)
    return text.isEmpty ? nil : text
  }
}
