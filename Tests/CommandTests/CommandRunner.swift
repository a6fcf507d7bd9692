// SPDX-License-Identifier: MIT
//
// Runs the command as a process: status, standard output, standard error; and the temporary folders of its tests.

import Foundation

/// What a process did.
struct Outcome: Sendable {
  /// The exit status; negative for the number of the signal that ended the process.
  let status: Int32

  /// Standard output.
  let output: String

  /// Standard error.
  let errors: String

  /// Standard output as a JSON object; empty where it is none.
  var json: [String: Any] { Self.object(Data(output.utf8)) }

  /// Returns a JSON object; empty where the data are none.
  static func object(_ data: Data) -> [String: Any] {
    (try? JSONSerialization.jsonObject(with: data)) as? [String: Any] ?? [:]
  }
}

/// The built command.
enum SersicProcess {
  /// The command, beside the running tests; nil where it was not built.
  static let path: String? = {
    let package = URL(filePath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    var folders = [
      URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent(),
      Bundle.main.bundleURL, Bundle.main.bundleURL.deletingLastPathComponent(),
    ]
    folders += ["release", "debug"].map { package.appending(path: ".build").appending(path: $0) }
    return folders.map { $0.appending(path: "sersic").path }.first {
      FileManager.default.isExecutableFile(atPath: $0)
    }
  }()

  /// Runs the command and waits for its end.
  ///
  /// - Parameters:
  ///   - arguments: The words after the command's name.
  ///   - folder: The working folder.
  ///   - output: Where standard output goes instead of into the outcome.
  ///   - limit: A limit on the size of files, in blocks of 512 bytes.
  ///   - signal: A text; a request to end is sent when standard error has it.
  /// - Returns: Status and texts.
  /// - Throws: An error of Foundation if there is no command or a file cannot be opened.
  static func run(
    _ arguments: [String], in folder: URL? = nil, output: String? = nil,
    fileBlocks limit: Int? = nil, interruptAfter signal: String? = nil
  ) throws -> Outcome {
    guard let path else { throw CocoaError(.fileNoSuchFile) }
    let process = Process()
    if let limit {
      process.executableURL = URL(filePath: "/bin/sh")
      process.arguments = ["-c", "ulimit -f \(limit); exec \"$0\" \"$@\"", path] + arguments
    } else {
      process.executableURL = URL(filePath: path)
      process.arguments = arguments
    }
    process.currentDirectoryURL = folder
    let errors = Pipe()
    let results = Pipe()
    process.standardError = errors
    process.standardOutput =
      try output.map { try FileHandle(forWritingTo: URL(filePath: $0)) } ?? results
    process.standardInput = FileHandle.nullDevice
    try process.run()
    if output != nil { try results.fileHandleForWriting.close() }
    var said = Data()
    if let signal {
      while !String(decoding: said, as: UTF8.self).contains(signal) {
        let more = errors.fileHandleForReading.availableData
        guard !more.isEmpty else { break }
        said += more
      }
      // Shells start background processes deaf to Ctrl-C; a request to end always arrives and is met in the same way.
      process.terminate()
    }
    // Both are far smaller than the buffer of a pipe, so that reading one after the other cannot block.
    let text = results.fileHandleForReading.readDataToEndOfFile()
    said += errors.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    let status =
      process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus
    return Outcome(
      status: status, output: String(decoding: text, as: UTF8.self),
      errors: String(decoding: said, as: UTF8.self))
  }
}

/// A folder that goes away with its last user.
final class TemporaryFolder: Sendable {
  /// The folder.
  let url: URL

  /// Makes a folder.
  init() throws {
    url = FileManager.default.temporaryDirectory.appending(
      path: "sersic-tests-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  /// Returns the path of a file in the folder.
  func path(_ name: String) -> String { url.appending(path: name).path }

  /// Returns the JSON object in a file; empty where there is none.
  func json(_ name: String) -> [String: Any] {
    (try? Data(contentsOf: url.appending(path: name))).map { Outcome.object($0) } ?? [:]
  }

  /// The names in a folder below this one, sorted.
  func names(in name: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: path(name))) ?? []).sorted()
  }
}
