// SPDX-License-Identifier: MIT
//
// The links of the DocC catalogue: every article is reached, every symbol, name and file that articles speak of is there.

import Foundation
import Testing

@Suite("Links of the catalogue")
struct CatalogueLinkTests {
  /// The folder of the catalogue.
  private static let place = "Sources/SwiftSersic/SwiftSersic.docc"

  /// The articles, the landing page among them.
  private static let articles = SourceTree.files(under: [place], kinds: ["md"])

  /// The modules that come with one import.
  private static let modules: [String] = {
    let face = SourceTree.read("Sources/SwiftSersic/SwiftSersic.swift")?.lines ?? []
    return face.compactMap { line in
      line.firstMatch(of: /^@_exported public import (\w+)/).map { String($0.1) }
    }
  }()

  /// Returns the name of an article.
  private static func name(_ file: SourceFile) -> String {
    String(file.path.split(separator: "/").last?.dropLast(3) ?? "")
  }

  /// Returns the lines of a document that are no code.
  private static func prose(_ file: SourceFile) -> [String] {
    var isCode = false
    return file.lines.filter { line in
      guard line.hasPrefix("```") else { return !isCode }
      isCode.toggle()
      return false
    }
  }

  /// Returns all that stands in code voice in a line.
  private static func spans(_ line: String) -> [String] {
    line.matches(of: /(?:^|[^`])`([^`]+)`(?:[^`]|$)/).map { String($0.1) }
  }

  /// Returns the tables of the section of a document, row by row.
  private static func tables(_ path: String, section title: String) throws -> [[String]] {
    let lines = try #require(SourceTree.read(path)).lines
    let start = try #require(lines.firstIndex(of: "## " + title))
    let section = lines[(start + 1)...].prefix { !$0.hasPrefix("## ") }
    return section.split { !$0.hasPrefix("|") }.map { Array($0) }
  }

  @Test("the landing page's topics lead to every article, once")
  func reachable() throws {
    let landing = try #require(Self.articles.first { Self.name($0) == "SwiftSersic" })
    let topics = landing.lines.drop { $0 != "## Topics" }
    let reached = topics.compactMap { $0.firstMatch(of: /^- <doc:(\w+)>$/).map { String($0.1) } }
    let others = Self.articles.map { Self.name($0) }.filter { $0 != "SwiftSersic" }
    #expect(others.count > 10, "the walk over the catalogue found too little")
    #expect(reached.sorted() == others.sorted())
  }

  @Test("links between articles name articles")
  func articleLinks() {
    let names = Set(Self.articles.map { Self.name($0) })
    let missing = Self.articles.flatMap { file in
      Self.prose(file).flatMap { $0.matches(of: /<doc:([^>]*)>/).map { String($0.1) } }
        .filter { !names.contains($0) }.map { "\(file.path): \($0)" }
    }
    #expect(missing == [])
  }

  /// Returns the names that a module declares in public.
  private static func declared(in module: String) -> Set<String> {
    let folder = module == "GalaxyModels" ? "Models/Galaxies" : "Sources/" + module
    let declaration =
      /public\s.*?\b(?:struct|class|enum|protocol|typealias|func|var|let|case)\s+(\w+)/
    var names: Set<String> = []
    for file in SourceTree.files(under: [folder], kinds: ["swift"]) {
      for line in file.lines where line.contains("public ") {
        if line.drop(while: { $0 == " " }).hasPrefix("//") { continue }
        if let match = line.firstMatch(of: declaration) { names.insert(String(match.1)) }
      }
    }
    return names
  }

  @Test("links to symbols name public declarations of the modules that one import brings")
  func symbolLinks() {
    #expect(Self.modules.count > 8, "no re-exported modules found")
    let declared = Dictionary(
      uniqueKeysWithValues: Self.modules.map { ($0, Self.declared(in: $0)) })
    var wrong: [String] = []
    var count = 0
    for file in Self.articles {
      for link in Self.prose(file).flatMap({ $0.matches(of: /``([^`]+)``/) }).map({ $0.1 }) {
        // The title of the landing page is the module itself.
        if link == "SwiftSersic" { continue }
        count += 1
        let parts = link.split(separator: "/").map { String($0.prefix { $0 != "(" }) }
        // What lies in another module is found by its whole path only.
        guard link.hasPrefix("/"), let module = parts.first, let names = declared[module],
          parts.dropFirst().allSatisfy({ names.contains($0) })
        else {
          wrong.append("\(file.path): \(link)")
          continue
        }
      }
    }
    #expect(count > 100, "the reader of links found too little")
    #expect(wrong == [])
  }

  @Test("the names that a reader from elsewhere is given stand in the code")
  func namesFromElsewhere() {
    var words: Set<String> = []
    for file in SourceTree.files(under: ["Sources", "Models"], kinds: ["swift"]) {
      for line in file.lines {
        let code = line.utf8.drop(while: { $0 == 32 })
        if code.starts(with: "//".utf8) { continue }
        for word in code.split(whereSeparator: { !Self.isWord($0) }) {
          words.insert(String(Substring(word)))
        }
      }
    }
    #expect(words.count > 3000, "the walk over the code found too little")
    var missing: [String] = []
    var count = 0
    for file in Self.articles where Self.name(file).hasPrefix("ComingFrom") {
      for row in Self.prose(file) where row.hasPrefix("|") {
        let cell = row.split(separator: "|").last.map { String($0) } ?? ""
        // Names of files are looked at below; texts in quotation marks are the reader's own.
        for span in Self.spans(cell) where !span.contains("/") {
          let code = span.replacing(/"[^"]*"/, with: "")
          for word in code.matches(of: /[A-Za-z_]\w{2,}/).map({ String($0.output) }) {
            count += 1
            if !words.contains(word) { missing.append("\(file.path): \(word) in \(span)") }
          }
        }
      }
    }
    #expect(count > 100, "the reader of tables found too little")
    #expect(missing == [])
  }

  /// Returns whether a byte belongs to an identifier.
  private static func isWord(_ byte: UInt8) -> Bool {
    switch byte {
    case 48...57, 65...90, 95, 97...122: true
    default: false
    }
  }

  @Test("the files that articles speak of are there")
  func files() {
    let folders: Set<String> = ["Sources", "Models", "Tests", "Tutorials", "Scripts"]
    let missing = Self.articles.flatMap { file in
      Self.prose(file).flatMap { Self.spans($0) }.filter { span in
        let first = span.split(separator: "/").first.map { String($0) } ?? ""
        let isFile = folders.contains(first) || span == "README.md"
        return isFile
          && !FileManager.default.fileExists(atPath: SourceTree.root.appending(path: span).path)
      }.map { "\(file.path): \($0)" }
    }
    #expect(missing == [])
  }

  @Test("the tables of conventions, losses and pysersic's names are those of the README")
  func tablesOfTheReadme() throws {
    // The third table of losses, with measured numbers, stands in the README alone.
    let conventions =
      try Self.tables("README.md", section: "Conventions")
      + Self.tables("README.md", section: "Losses").prefix(2)
    let names = try Self.tables("README.md", section: "Coming from pysersic")
    #expect(conventions.count == 3 && names.count == 1)
    for (article, tables) in [("Conventions.md", conventions), ("ComingFromPysersic.md", names)] {
      let lines = try #require(SourceTree.read(Self.place + "/" + article)).lines
      for table in tables {
        #expect(table.count > 3)
        let start = lines.firstIndex(of: table.dropFirst(2).first ?? "") ?? 0
        let rows = lines[max(0, start - 2)...].prefix { $0.hasPrefix("|") }
        #expect(Array(rows) == table, "\(article): change both together")
      }
    }
  }

  @Test("the documentation that is built has every module of the one import")
  func documentedModules() throws {
    let lines = try #require(SourceTree.read("Makefile")).lines
    let start = try #require(lines.firstIndex { $0.hasPrefix("DOCUMENTED :=") })
    let words = Set(lines[start...(start + 1)].joined(separator: " ").split(separator: " "))
    let missing = (Self.modules + ["SwiftSersic"]).filter { !words.contains(Substring($0)) }
    #expect(missing == [], "add each to DOCUMENTED in the Makefile")
  }
}
