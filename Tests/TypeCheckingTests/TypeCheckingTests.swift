// SPDX-License-Identifier: MIT
//
// The type checker's time on expressions as users write them: operators on tensors must not make it give up. And what another
// package may write: it sees what is public alone.

import Foundation
import Testing

@Suite("Type checking")
struct TypeCheckingTests {
  /// The folder of the built modules, beside the running test bundle.
  static let modules: URL? = {
    let bundles = CommandLine.arguments.filter { $0.contains(".xctest") }
    let places = bundles.map { bundle -> URL in
      let head = bundle.components(separatedBy: ".xctest")[0]
      return URL(fileURLWithPath: head).deletingLastPathComponent()
    }
    return places.map { $0.appendingPathComponent("Modules") }.first {
      FileManager.default.fileExists(atPath: $0.appendingPathComponent("PPL.swiftmodule").path)
    }
  }()

  /// The compiler, as the shell would find it.
  static let compiler: URL? = {
    let folders = ProcessInfo.processInfo.environment["PATH"]?.split(separator: ":") ?? []
    return folders.map { URL(fileURLWithPath: String($0)).appendingPathComponent("swiftc") }
      .first { FileManager.default.isExecutableFile(atPath: $0.path) }
  }()

  /// Type-checks a file as one of another package, and returns the exit status and what the compiler said.
  static func check(_ file: URL, limit milliseconds: Int) throws -> (status: Int32, output: String)
  {
    guard let modules = Self.modules, let compiler = Self.compiler else { return (-1, "not found") }
    let build = modules.deletingLastPathComponent()
    var arguments = [
      "-typecheck", "-swift-version", "6", "-I", modules.path,
      "-Xfrontend", "-warn-long-expression-type-checking=\(milliseconds)",
    ]
    // The maps of C modules that the modules were built with.
    for target in try FileManager.default.contentsOfDirectory(atPath: build.path)
    where target.hasSuffix(".build") {
      let map = build.appendingPathComponent(target).appendingPathComponent("module.modulemap")
      if FileManager.default.fileExists(atPath: map.path) {
        arguments += ["-Xcc", "-fmodule-map-file=\(map.path)"]
      }
    }
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    // The YAML library brings a C module of its own, whose map lies with its sources.
    let yaml = root.appendingPathComponent(
      ".build/checkouts/Yams/Sources/CYaml/include/module.modulemap")
    if FileManager.default.fileExists(atPath: yaml.path) {
      arguments += ["-Xcc", "-fmodule-map-file=\(yaml.path)"]
    }
    for library in ["CFFTW", "COpenBLAS"] {
      let folder = root.appendingPathComponent("Sources").appendingPathComponent(library)
      arguments += ["-I", folder.path]
    }
    let process = Process()
    process.executableURL = compiler
    process.arguments = arguments + [file.path]
    let pipe = Pipe()
    process.standardError = pipe
    process.standardOutput = pipe
    try process.run()
    let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return (process.terminationStatus, output)
  }

  /// The expressions.
  private static let fixture = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("Fixtures").appendingPathComponent("UserExpressions.swift")

  /// A kernel, an adaptation and a density as a researcher would write them.
  private static let ownKernel = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("InferenceTests")
    .appendingPathComponent("OwnKernel.swift")

  @Test(
    "a kernel, an adaptation and a density of one's own need nothing but what is public",
    .enabled(
      if: compiler != nil && modules != nil, "swiftc or the built modules were not found"))
  func ownKernelIsPublic() throws {
    let (status, output) = try Self.check(Self.ownKernel, limit: 1000)
    #expect(status == 0, "\(output)")
  }

  @Test(
    "what is the package's own cannot be used from outside it",
    .enabled(
      if: compiler != nil && modules != nil, "swiftc or the built modules were not found"))
  func packageIsHidden() throws {
    let file = FileManager.default.temporaryDirectory
      .appendingPathComponent("hidden-\(UUID().uuidString).swift")
    defer { try? FileManager.default.removeItem(at: file) }
    for (call, isPublic) in [("RandomKey(1).uniform(0)", true), ("demand(true, \"\")", false)] {
      try Data("import Numerics\nfunc f() { _ = \(call) }\n".utf8).write(to: file)
      let (status, output) = try Self.check(file, limit: 1000)
      #expect((status == 0) == isPublic && output.contains("demand") != isPublic, "\(output)")
    }
  }

  @Test(
    "typical user expressions type-check within a second each",
    .enabled(
      if: compiler != nil && modules != nil, "swiftc or the built modules were not found"))
  func userExpressions() throws {
    let (status, output) = try Self.check(Self.fixture, limit: 1000)
    #expect(status == 0, "\(output)")
    #expect(!output.contains("to type-check"), "\(output)")
  }

  @Test(
    "the compiler reports slow expressions at all: with a limit of nothing it finds many",
    .enabled(
      if: compiler != nil && modules != nil, "swiftc or the built modules were not found"))
  func limitWorks() throws {
    let (_, output) = try Self.check(Self.fixture, limit: 1)
    #expect(output.contains("to type-check"), "\(output)")
  }
}
