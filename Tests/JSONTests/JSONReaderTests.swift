// SPDX-License-Identifier: MIT
//
// The reader of JSON: what is written reads back, what is not JSON is refused with its place.

import JSON
import Testing

@Suite("JSON reader")
struct JSONReaderTests {
  @Test("a document reads back as it was written")
  func roundTrip() throws {
    let value = JSONValue.object([
      JSONValue.Member(name: "a", value: .array([.null, true, .integer(-3), .number(0.1)])),
      JSONValue.Member(name: "é χ² 🌌", value: "tab\t quote\" back\\ line\n bell\u{7} null\u{0}"),
      JSONValue.Member(name: "", value: .object([])),
      JSONValue.Member(name: "n", value: .array([.array([.number(1e-300)]), .array([])])),
    ])
    #expect(try JSONValue(reading: value.text) == value)
    #expect(value["a"] != nil && value["b"] == nil && JSONValue.null["a"] == nil)
  }

  @Test(
    "numbers keep every bit",
    arguments: [
      0.1, 1.0 / 3, -0.0, Double.leastNonzeroMagnitude, 2.2250738585072014e-308,
      1.7976931348623157e308, 0.1 + 0.2, 1e22,
    ])
  func numbers(x: Double) throws {
    guard case .number(let read) = try JSONValue(reading: JSONValue.number(x).text) else {
      Issue.record("no number")
      return
    }
    #expect(read.bitPattern == x.bitPattern)
  }

  @Test("escapes, blanks and large numbers are understood")
  func forms() throws {
    #expect(try JSONValue(reading: " \"\\u00e9\\ud83c\\udf0c\\/\\b\" ") == "é🌌/\u{8}")
    #expect(try JSONValue(reading: "\r\n[ 1 ,\t-2E+2 ]") == .array([.integer(1), .number(-200)]))
    #expect(try JSONValue(reading: "123456789012345678901") == .number(123456789012345683968))
    #expect(try JSONValue(reading: "1e999") == .number(.infinity))
  }

  @Test(
    "what is not JSON is refused with line and column",
    arguments: [
      ("", 1, 1), ("[1,]", 1, 4), ("[1 2]", 1, 4), ("{\"a\":1,}", 1, 8), ("{a:1}", 1, 2),
      ("{\"a\" 1}", 1, 6), ("01", 1, 2), ("1.", 1, 3), ("+1", 1, 1), (".5", 1, 1), ("1e", 1, 3),
      ("nul", 1, 1), ("\"a", 1, 3), ("\"\\x\"", 1, 3), ("\"\\ud800\"", 1, 8), ("\"\\udc00\"", 1, 8),
      ("[\n  1,\n  ?\n]", 3, 3), ("1 1", 1, 3), ("\"a\nb\"", 1, 3), ("NaN", 1, 1), ("-", 1, 2),
    ])
  func refused(text: String, line: Int, column: Int) {
    do throws(JSONError) {
      let value = try JSONValue(reading: text)
      Issue.record("read as \(value)")
    } catch {
      #expect(error.line == line && error.column == column, "\(text): \(error)")
    }
  }

  @Test("text that is nested without end is refused, not followed until the stack is full")
  func deep() {
    #expect(throws: JSONError.self) {
      try JSONValue(reading: String(repeating: "[", count: 1_000_000))
    }
  }
}
