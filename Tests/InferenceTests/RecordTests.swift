// SPDX-License-Identifier: MIT
//
// Records: every value comes back as it was, to the last bit; damaged bytes give nothing.

import Inference
import Numerics
import TestSupport
import Testing

@Suite("Records")
struct RecordTests {
  /// A value with everything that states and kernels may hold.
  struct Everything: Codable, Equatable {
    enum Choice: Codable, Equatable {
      case plain
      case pair([Double], count: Int)
    }

    enum Letter: String, Codable { case a, b }

    struct Inner: Codable, Equatable {
      var flags: [Bool] = [true, false]
      var name = "höhe\u{0}x"
    }

    var numbers: [Double] = [1.5, -0.0, .infinity, -.infinity, .leastNonzeroMagnitude, 0.1]
    var none: [Double] = []
    var whole: [Int] = [.min, .max, 0]
    var noWhole: [Int] = []
    var unsigned = UInt64.max
    var byte: UInt8 = 200
    var half = Float(0.1)
    var single = 0.1
    var missing: Double?
    var present: Int? = 3
    var optionals: [Double?] = [1, nil, 3]
    var nested: [[Double]] = [[1, 2], [], [3]]
    var choices: [Choice] = [.plain, .pair([1, 2], count: 7)]
    var letters: [Letter] = [.a, .b]
    var table: [String: [Int]] = ["x": [1], "": []]
    var numbered: [Int: String] = [-1: "a", 4: "b"]
    var inner = Inner()
    var key = RandomKey(7).folding(in: "part")
  }

  @Test("values come back as they were")
  func roundTrip() throws {
    let value = Everything()
    #expect(try saved(value) == value)
    #expect(try saved([Everything(), Everything()]).count == 2)
    #expect(try saved([Double]()) == [])
    #expect(try saved("text") == "text")
    #expect(try saved(0.1) == 0.1)
    #expect(try saved(Everything.Choice.plain) == .plain)
  }

  @Test("a NaN keeps its payload, a zero its sign")
  func bits() throws {
    let odd = Double(bitPattern: 0x7ff8_0000_0000_1234)
    let back = try saved([odd, -0.0, .nan])
    #expect(back.map(\.bitPattern) == [odd, -0.0, .nan].map { $0.bitPattern })
    let one = try saved(Everything.Choice.pair([odd], count: 1))
    guard case .pair(let numbers, _) = one else { return #expect(Bool(false), "\(one)") }
    #expect(numbers[0].bitPattern == odd.bitPattern)
  }

  @Test("a record of another type is refused")
  func mismatch() throws {
    let record = try Record(encoding: Everything())
    #expect(throws: DecodingError.self) { try record.decode([Double].self) }
    #expect(throws: DecodingError.self) { try Record(encoding: [1, 2]).decode([String].self) }
    #expect(throws: DecodingError.self) { try Record(encoding: 300).decode(UInt8.self) }
    #expect(throws: DecodingError.self) { try Record(encoding: 0.5).decode(Int.self) }
    #expect(throws: DecodingError.self) { try Record(encoding: [1.5]).decode([Int].self) }
    #expect(throws: DecodingError.self) {
      try Record(encoding: ["name": "x"]).decode(Everything.Inner.self)
    }
  }

  @Test("bytes that are cut off or changed never trap")
  func damaged() throws {
    var bytes: [UInt8] = []
    try Record(encoding: Everything()).append(to: &bytes)
    for length in 0..<bytes.count {
      var reader = RecordReader(bytes[..<length])
      let record = reader.record()
      #expect(record == nil || !reader.isAtEnd || length == bytes.count)
    }
    var changed = 0
    for place in bytes.indices {
      var damaged = bytes
      damaged[place] ^= 0xff
      var reader = RecordReader(damaged[...])
      if let record = reader.record(), reader.isAtEnd,
        let value = try? record.decode(Everything.self), value == Everything()
      {
        changed += 1
      }
    }
    #expect(changed == 0)
    var deep: [UInt8] = []
    for _ in 0..<100_000 { deep += [8, 1, 0, 0, 0, 0, 0, 0, 0] }
    var reader = RecordReader(deep[...])
    #expect(reader.record() == nil)
  }
}
