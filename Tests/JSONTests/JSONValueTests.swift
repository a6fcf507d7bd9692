// SPDX-License-Identifier: MIT
//
// JSON documents: every digit kept, nothing that is not finite, texts escaped, members in order.

import Foundation
import JSON
import Testing

@Suite("JSON")
struct JSONValueTests {
  @Test(
    "numbers read back the same",
    arguments: [
      0.1, 1.0 / 3, -0.0, 2.2250738585072014e-308, 1.7976931348623157e308, 1e-20, 123_456_789.125,
      1e16, 0.1 + 0.2,
    ])
  func roundTrip(x: Double) throws {
    let text = JSONValue.array([.number(x)]).text
    let read = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [Any]
    // Foundation's reader is good to an ulp; Swift's own is exact.
    let number = try #require(read?.first as? Double)
    #expect(abs(number - x) <= abs(x) * 2.3e-16)
    #expect(Double(text.dropFirst().dropLast()) == x)
  }

  @Test("members that are not finite are left out, elements become null")
  func notFinite() throws {
    let value = JSONValue.members([
      "a": .number(.nan), "b": .number(-.infinity), "c": .number(1), "d": nil,
      "e": .array([.number(.infinity), .integer(2)]),
    ])
    let read = try #require(
      try JSONSerialization.jsonObject(with: Data(value.text.utf8)) as? [String: Any])
    #expect(Set(read.keys) == ["c", "e"])
    #expect(value.text.contains("[null, 2]"))
  }

  @Test("texts of any kind read back the same")
  func texts() throws {
    let text = "tab\t quote\" back\\ line\n bell\u{7} null\u{0} é χ² 🌌"
    let value = JSONValue.members(["text": .string(text), "empty": .object([]), "none": .array([])])
    let read = try #require(
      try JSONSerialization.jsonObject(with: Data(value.text.utf8)) as? [String: Any])
    #expect(read["text"] as? String == text)
  }

  @Test("members keep their order")
  func order() throws {
    let text = JSONValue.members(["z": true, "a": "1", "m": .integer(3)]).text
    let places = try ["\"z\"", "\"a\"", "\"m\""].map { try #require(text.firstRange(of: $0)) }
    #expect(places[0].lowerBound < places[1].lowerBound)
    #expect(places[1].lowerBound < places[2].lowerBound)
  }
}
