// SPDX-License-Identifier: MIT
//
// The two names of a site: its text, and the same words in lower camel case.

import Testing

@Suite("Names of sites")
struct SiteNameTests {
  @Test("each member of GalaxySite is the camel case of its text")
  func camelCase() throws {
    let file = try #require(SourceTree.read("Models/Galaxies/GalaxySites.swift"))
    var found = 0
    for line in file.lines {
      guard let match = line.firstMatch(of: /static let (\w+)\s*=\s*"([^"]+)"/) else { continue }
      found += 1
      #expect(camelCase(String(match.2)) == String(match.1))
    }
    #expect(found >= 10, "expected the sites of the stock models, found too few")
  }

  /// Returns words joined by underscores in lower camel case.
  private func camelCase(_ text: String) -> String {
    let words = text.split(separator: "_")
    let rest = words.dropFirst().map { $0.prefix(1).uppercased() + $0.dropFirst() }
    return (words.first.map { String($0) } ?? "") + rest.joined()
  }
}
