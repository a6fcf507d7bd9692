// SPDX-License-Identifier: MIT
//
// What the code does not use: traps for mistakes of users, holes in the checks of concurrency, unsafe flags.

import Testing

@Suite("Language")
struct LanguageTests {
  @Test("the reader of code leaves out comments and text, and nothing else")
  func readsCode() {
    let lines = [
      "let a = 1  // try!", "let b = \"fatalError( \\\" //\" + c", "/* one", "two */ let d = 2",
      "let e = \"\"\"", "  try! x", "  \"\"\"",
    ]
    #expect(
      CodeReader().strip(lines) == [
        "let a = 1  ", "let b =  + c", "", " let d = 2", "let e = ", "", "",
      ])
  }

  @Test(
    "no code traps on a mistake of a user, or leaves the checks of the compiler",
    arguments: ["try!", "fatalError(", "nonisolated(unsafe)", "unsafeFlags", "@testable"])
  func forbidden(words: String) {
    let suspects = SourceTree.allCode.filter { file in
      // The one place that says a message and stops.
      !file.path.hasSuffix("Numerics/Demand.swift") && file.lines.contains { $0.contains(words) }
    }
    let places = suspects.flatMap { file in
      file.code.enumerated().compactMap { number, line in
        line.contains(words) ? "\(file.path):\(number + 1): \(line)" : nil
      }
    }
    #expect(places == [])
  }

  @Test("what a caller must hold to is checked by demand, whose message optimised builds say too")
  func checks() {
    let places = SourceTree.allCode.filter { !$0.path.contains("Tests/") }.flatMap { file in
      file.code.enumerated().compactMap { number, line in
        line.contains("precondition(") || line.contains("preconditionFailure(")
          ? "\(file.path):\(number + 1): \(line)" : nil
      }
    }
    #expect(places == [])
  }

  @Test("every unchecked conformance to Sendable has its written proof beside it")
  func uncheckedSendable() {
    let suspects = SourceTree.allCode.filter { file in
      file.lines.contains { $0.contains("@unchecked") }
    }
    let places = suspects.flatMap { file in
      file.code.enumerated().compactMap { number, line -> String? in
        guard line.contains("@unchecked") else { return nil }
        let near = file.lines[max(0, number - 6)...min(file.lines.count - 1, number + 3)]
        let isProved = near.contains { text in
          text.contains("//") && text.lowercased().contains("proof")
        }
        return isProved ? nil : "\(file.path):\(number + 1): \(line)"
      }
    }
    #expect(places == [])
  }
}
