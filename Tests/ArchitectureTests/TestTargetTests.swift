// SPDX-License-Identifier: MIT
//
// No test is left out of the build: every folder of tests is a target of the package.

import Foundation
import Testing

@Suite("Test targets")
struct TestTargetTests {
  @Test("every folder of tests is a target, so that its tests run")
  func foldersAreTargets() throws {
    let package = try #require(SourceTree.read("Package.swift")).lines.joined(separator: "\n")
    let words = package.split { $0 == " " || $0 == "\n" }.joined()
    let folders = try FileManager.default.contentsOfDirectory(
      atPath: SourceTree.root.appending(path: "Tests").path
    ).filter { $0.hasSuffix("Tests") }.sorted()
    #expect(folders.count > 10, "the walk over the tests found too little")
    // SwiftPM passes over a folder that no target names, without a word.
    let missing = folders.filter { !words.contains("tests(\"\($0.dropLast(5))\"") }
    #expect(missing == [], "add each to Package.swift")
  }
}
