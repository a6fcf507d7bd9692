// SPDX-License-Identifier: MIT
//
// The shape of files: length, header, the size of the effect core and of its handlers.

import Testing

@Suite("Files")
struct FileShapeTests {
  @Test("no file is longer than 600 lines")
  func length() {
    #expect(SourceTree.allCode.count > 100, "the walk over the package found too little")
    let long = SourceTree.allCode.filter { $0.lines.count > 600 }
    #expect(long.map { "\($0.path): \($0.lines.count) lines" } == [])
  }

  @Test("every file begins with its licence and one sentence on its purpose")
  func header() {
    let violations = SourceTree.allCode.compactMap { file -> String? in
      // The first line of a manifest belongs to the package manager.
      let start = file.lines.first?.hasPrefix("// swift-tools-version") ?? false ? 1 : 0
      let head = file.lines.dropFirst(start).prefix(3).map { $0 }
      guard head.count == 3 else { return "\(file.path): shorter than its header" }
      if head[0] != "// SPDX-License-Identifier: MIT" { return "\(file.path): no SPDX line" }
      if head[1] != "//" { return "\(file.path): no blank comment under the SPDX line" }
      guard head[2].hasPrefix("// "), head[2].split(separator: " ").count >= 4 else {
        return "\(file.path): no sentence on its purpose"
      }
      let sentence = file.lines.dropFirst(start + 2).prefix { $0.hasPrefix("// ") }
        .joined(separator: " ")
      return sentence.hasSuffix(".") || sentence.contains(". ") || sentence.hasSuffix(".)")
        ? nil : "\(file.path): the sentence on its purpose does not end"
    }
    #expect(violations == [])
  }

  @Test("the effect core has at most 900 lines of code")
  func effectCore() {
    let files = SourceTree.files(under: ["Sources/PPL"], kinds: ["swift"])
    let count = files.reduce(0) { sum, file in
      sum + file.code.count { $0.contains { !$0.isWhitespace } }
    }
    #expect(count > 300, "the walk over the effect core found too little")
    #expect(count <= 900)
  }

  @Test("every handler is a file of fewer than 80 lines")
  func handlers() {
    let files = SourceTree.files(under: ["Sources/PPL/Handlers"], kinds: ["swift"])
    #expect(files.count > 5, "the walk over the handlers found too little")
    let long = files.filter { $0.lines.count >= 80 }
    #expect(long.map { "\($0.path): \($0.lines.count) lines" } == [])
  }
}
