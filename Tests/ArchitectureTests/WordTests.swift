// SPDX-License-Identifier: MIT
//
// Words that must not stand in some places: astronomy in the general floors, machines and hosts anywhere.

import Testing

@Suite("Words")
struct WordTests {
  /// The general floors of the house.
  private static let general = ["Numerics", "Tensors", "Distributions", "PPL", "Inference"]

  /// Returns every place where a pattern stands in some files, as "path:line: text".
  private func places(
    of pattern: Regex<AnyRegexOutput>, in files: [SourceFile],
    ignoring exception: Regex<AnyRegexOutput>? = nil
  ) -> [String] {
    files.flatMap { file in
      file.lines.enumerated().compactMap { number, line in
        let text = exception.map { line.replacing($0, with: "") } ?? line
        guard text.contains(pattern) else { return nil }
        return "\(file.path):\(number + 1): \(line)"
      }
    }
  }

  @Test("the general floors know no astronomy, not even in comments", arguments: general)
  func noAstronomy(module: String) throws {
    let files = SourceTree.files(under: ["Sources/" + module])
    #expect(!files.isEmpty)
    let words = try Regex(
      "galax|s[eé]rsic|astronom|telescope|\\bstars?\\b|\\bskies\\b|\\bsky\\b|\\bpsfs?\\b|point.?spread|half.?light"
    ).ignoresCase()
    // The package's own name, in the path of its cache folder and as the prefix of its C functions, is a name only.
    let name = try Regex("swift-sersic|\\bsersic_(?=[a-z])")
    #expect(places(of: words, in: files, ignoring: name) == [])
    // The verb "fits" is English; the file format is written in capitals.
    let formats = places(of: try Regex("\\bFITS\\b"), in: files)
    #expect(formats == [])
  }

  @Test("no file names a place of somebody's machine")
  func noMachinePaths() throws {
    let start = "(^|[\"'`\\s(=:])"
    let everywhere = ["work", "root", "home/[a-z]", "Users/[a-z]", "opt/swift"]
      .joined(separator: "|")
    let files = SourceTree.files(under: Self.tracked, kinds: Self.textKinds) + Self.rootFiles
    #expect(files.count > 150, "the walk over the package found too little")
    let machine = places(of: try Regex("\(start)/(?:\(everywhere))\\b"), in: files)
    #expect(machine == [])
    // Tests and the examples in documents may write temporary files.
    let products = SourceTree.files(under: ["Sources", "Models"], kinds: ["swift", "c", "h"])
    let temporary = places(of: try Regex("\(start)/tmp\\b"), in: products)
    #expect(temporary == [])
  }

  @Test("no file names a package registry or a host of one network")
  func noRegistryHosts() throws {
    let dot = "\\."
    let hosts = [
      ["pypi", "org"], ["pythonhosted", "org"], ["npmjs", "org"], ["crates", "io"],
      ["proxy", "golang", "org"], ["docker", "io"], ["ghcr", "io"], ["quay", "io"],
      ["anaconda", "org"], ["deb", "debian", "org"], ["[a-z0-9-]+", "internal"],
    ].map { $0.joined(separator: dot) }
    let address = "\\b\\d{1,3}(\(dot)\\d{1,3}){3}:\\d+"
    let files = SourceTree.files(under: Self.tracked, kinds: Self.textKinds) + Self.rootFiles
    let pattern = try Regex(
      "\\b(?:\(hosts.joined(separator: "|")))\\b(?!\\()|localhost:\\d|\(address)")
    #expect(places(of: pattern, in: files) == [])
  }

  /// The folders whose files are kept.
  private static let tracked = ["Sources", "Models", "Tests", "Tutorials", "Scripts", ".ci"]

  /// The endings of text files; a script without an ending ends with its own name.
  private static let textKinds: Set<String> = [
    "swift", "c", "h", "md", "py", "sh", "json", "modulemap", "run", "yml", "yaml",
  ]

  /// The files beside the folders.
  private static var rootFiles: [SourceFile] {
    ["Package.swift", "Makefile", "README.md", "CONTRIBUTING.md", "CHANGELOG.md", ".swift-format"]
      .compactMap { SourceTree.read($0) }
  }
}
