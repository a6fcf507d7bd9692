// SPDX-License-Identifier: MIT
//
// ASDF files: what is written has the standard's structure and reads back; damaged and foreign files are refused with the place.

import ASDF
import Foundation
import Testing

@Suite("ASDF files")
struct ASDFFileTests {
  /// A tree with everything that a tree may hold.
  static let tree: ASDFValue = [
    "posterior": [
      "mu": .array(
        ASDFArray([1.5, -2, .nan, .infinity, Double.leastNonzeroMagnitude, 0.1], shape: [2, 3])),
      "g/flux": .array(ASDFArray([Double](), shape: [4, 0])),
    ],
    "sample_stats": [
      "diverging": .array(ASDFArray([true, false], shape: [2])),
      "n_steps": .array(ASDFArray([1, -3, 1 << 40], shape: [3])),
    ],
    "scalars": [1, -5, 2.5, 1e-5, 1e300, true, .null, "text"],
    "texts": [
      "yes", "1e5", "12:30:00", "2020-01-01", "", "null", "~", "a: b # c", "line\nbreak",
      "é χ² 🌌", "\"quoted\"", "trailing ",
    ],
    "yes": "a name that is a truth value in YAML 1.1",
    "a b: c": ["nested": ["deeper": [], "empty": [:]]],
    "0": .tagged("tag:stsci.edu:asdf/core/software-1.0.0", ["name": "n", "version": "1"]),
  ]

  /// The writer of these tests.
  static let writer = ASDFWriter(software: "swift-sersic", version: "test")

  /// Returns a tree that was written and read again, without the writer's own member.
  private func roundTrip(_ tree: ASDFValue) throws -> ASDFValue {
    let read = try ASDFReader.tree(of: Self.writer.bytes(of: tree))
    return .map((read.members ?? []).filter { $0.name != "asdf_library" })
  }

  @Test("a tree reads back as it was written")
  func reads() throws {
    let read = try roundTrip(Self.tree)
    let written = try #require(Self.tree.members)
    #expect(read.members?.map(\.name) == written.map(\.name))
    for member in written where member.name != "posterior" {
      #expect(read[member.name] == member.value, "\(member.name)")
    }
    // NaN is not equal to itself: its bits are.
    let mu = try #require(read["posterior"]?["mu"]?.array)
    let original = try #require(Self.tree["posterior"]?["mu"]?.array)
    #expect(mu.doubles.map(\.bitPattern) == original.doubles.map(\.bitPattern))
    #expect(mu.shape == [2, 3] && mu.datatype == .float64)
    #expect(read["posterior"]?["g/flux"]?.array?.shape == [4, 0])
  }

  @Test("numbers in the tree keep every bit and look like numbers to YAML 1.1")
  func numbers() throws {
    let values = [
      0.1, -1.0 / 3, 1e22, 1e-300, Double.leastNonzeroMagnitude, .infinity, -.infinity, -0.0, 3,
      1e16,
    ]
    let read = try roundTrip(["x": .list(values.map { .number($0) })])
    #expect(read["x"]?.elements?.compactMap(\.double).map(\.bitPattern) == values.map(\.bitPattern))
    let text = String(
      decoding: try Self.writer.bytes(of: ["x": 1e-5, "z": .number(.nan)]), as: UTF8.self)
    // Python's YAML takes 1e-05 for a text.
    #expect(text.contains("x: 1.0e-05\n") && text.contains("z: .nan\n"), "\(text)")
  }

  @Test("the file has the standard's structure: head, tree, blocks with checksums, index")
  func structure() throws {
    let bytes = try Self.writer.bytes(of: [
      "a": .array(ASDFArray([1, 2], shape: [2])), "b": .array(ASDFArray([0.5], shape: [1])),
    ])
    let text = String(decoding: bytes, as: UTF8.self)
    #expect(
      text.hasPrefix(
        """
        #ASDF 1.0.0
        #ASDF_STANDARD 1.6.0
        %YAML 1.1
        %TAG ! tag:stsci.edu:asdf/
        --- !core/asdf-1.1.0
        asdf_library: !core/software-1.0.0 {name: "swift-sersic", version: "test"}
        a: !core/ndarray-1.1.0
          source: 0
          datatype: int64
          byteorder: little
          shape: [2]
        b: !core/ndarray-1.1.0
          source: 1
          datatype: float64
          byteorder: little
          shape: [1]
        ...

        """), "\(text)")
    let magic: [UInt8] = [0xd3, 0x42, 0x4c, 0x4b]
    let places = bytes.indices.filter { bytes[$0...].starts(with: magic) }
    #expect(places.count == 2)
    // Head of 48 bytes, no flags, no compression, three times the size, then the checksum and the data.
    let first = Array(bytes[places[0]..<places[1]])
    #expect(Array(first[4..<14]) == [0, 48, 0, 0, 0, 0, 0, 0, 0, 0])
    for start in [14, 22, 30] {
      #expect(Array(first[start..<(start + 8)]) == [0, 0, 0, 0, 0, 0, 0, 16])
    }
    // The MD5 digest of the sixteen bytes, by md5sum.
    let digest = first[38..<54].map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }
    #expect(digest.joined() == "ca57733a518406f3197f92ec197b0a0a")
    #expect(Array(first[54...]) == [1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0])
    #expect(Array(bytes[(places[1] + 54)..<(places[1] + 62)]) == [0, 0, 0, 0, 0, 0, 0xe0, 0x3f])
    #expect(
      text.hasSuffix(
        "#ASDF BLOCK INDEX\n%YAML 1.1\n---\n- \(places[0])\n- \(places[1])\n...\n"))
  }

  @Test("a file is written and read by its name; an impossible place is an error")
  func files() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "asdf-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appending(path: "a.asdf").path
    try Self.writer.write(Self.tree, to: path)
    #expect(try ASDFReader.read(path)["scalars"] == Self.tree["scalars"])
    let missing = folder.appending(path: "no/a.asdf").path
    #expect(error { try Self.writer.write(Self.tree, to: missing) }?.kind == .notWritable)
    let unreadable = error { _ = try ASDFReader.read(missing) }
    #expect(unreadable?.kind == .notReadable && unreadable?.file == missing)
  }

  /// Returns the error that a function throws, or nil.
  private func error(_ body: () throws -> Void) -> ASDFError? {
    do {
      try body()
      return nil
    } catch { return error as? ASDFError }
  }

  @Test("every cut of a file is refused, none stops the program")
  func truncated() throws {
    let bytes = try Self.writer.bytes(of: Self.tree)
    let whole = try #require(
      bytes.indices.last { bytes[$0...].starts(with: Array("#ASDF BLOCK INDEX".utf8)) })
    for length in 0..<whole {
      // An early cut leaves other arrays than it had, or a tree that is not YAML.
      let found = error { _ = try ASDFReader.tree(of: Array(bytes[..<length])) }
      if length < whole - 1 { #expect(found != nil, "\(length) of \(bytes.count) bytes") }
    }
  }

  @Test("a damaged block is found by its checksum")
  func damaged() throws {
    var bytes = try Self.writer.bytes(of: ["a": .array(ASDFArray([1, 2, 3], shape: [3]))])
    let start = try #require(
      bytes.indices.first { bytes[$0...].starts(with: [0xd3, 0x42, 0x4c, 0x4b]) })
    bytes[start + 60] ^= 4
    let found = error { _ = try ASDFReader.tree(of: bytes) }
    #expect(found?.kind == .badChecksum && found?.location == "block 0 at byte \(start)")
  }

  @Test("any byte that is changed gives a tree or an error, never a stop")
  func fuzzed() throws {
    let bytes = try Self.writer.bytes(of: Self.tree)
    var state: UInt64 = 1
    for _ in 0..<3000 {
      var damaged = bytes
      for _ in 0..<3 {
        // Knuth's linear congruential generator: any disorder will do.
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        damaged[Int(state >> 33) % bytes.count] = UInt8(truncatingIfNeeded: state >> 20)
      }
      _ = try? ASDFReader.tree(of: damaged)
    }
  }

  /// Returns a file with a tree in YAML and blocks of given bytes.
  private func file(_ yaml: String, _ blocks: [[UInt8]] = [], compression: String = "") -> [UInt8] {
    var bytes = Array(
      "#ASDF 1.0.0\n%YAML 1.1\n%TAG ! tag:stsci.edu:asdf/\n---\n\(yaml)\n...\n".utf8)
    for block in blocks {
      bytes += [0xd3, 0x42, 0x4c, 0x4b, 0, 48, 0, 0, 0, 0]
      bytes += Array((compression + "\0\0\0\0").utf8.prefix(4))
      for _ in 0..<3 { bytes += [0, 0, 0, 0, 0, 0, 0, UInt8(block.count)] }
      bytes += [UInt8](repeating: 0, count: 16) + block
    }
    return bytes
  }

  @Test("arrays of other types, byte orders, strides and offsets are read")
  func foreignArrays() throws {
    let block: [UInt8] = [0, 1, 0, 2, 0, 3, 0, 4, 0xff, 0xfe, 0, 6]
    let yaml = """
      big: !core/ndarray-1.0.0 {source: 0, datatype: int16, byteorder: big, shape: [2, 3]}
      transposed: !core/ndarray-1.0.0 {source: 0, datatype: uint16, byteorder: big, shape: [3, 2], strides: [2, 6]}
      back: !core/ndarray-1.0.0 {source: 0, datatype: uint8, byteorder: big, shape: [3], strides: [-2], offset: 5}
      little: !core/ndarray-1.0.0 {source: 0, datatype: int16, byteorder: little, shape: ['*']}
      bools: !core/ndarray-1.0.0 {source: -1, datatype: bool8, byteorder: little, shape: [2]}
      single: !core/ndarray-1.0.0 {source: 1, datatype: float32, byteorder: little, shape: []}
      inline: !core/ndarray-1.0.0 [[1, 2], [3, 4]]
      data: !core/ndarray-1.0.0 {data: [1, 2.5], datatype: float64, shape: [2]}
      truths: !core/ndarray-1.0.0 {data: [true, false], datatype: bool8, shape: [2]}
      same: &a [1, 2]
      again: *a
      """
    let tree = try ASDFReader.tree(of: file(yaml, [block, [0, 0, 0x80, 0x3f, 7]]))
    #expect(tree["big"]?.array?.integers == [1, 2, 3, 4, -2, 6])
    #expect(tree["transposed"]?.array?.integers == [1, 4, 2, 65534, 3, 6])
    #expect(tree["back"]?.array?.integers == [3, 2, 1])
    #expect(tree["little"]?.array?.integers == [256, 512, 768, 1024, -257, 1536])
    #expect(tree["bools"]?.array?.integers == [0, 0])
    #expect(tree["single"]?.array?.doubles == [1] && tree["single"]?.array?.shape == [])
    #expect(
      tree["inline"]?.array?.integers == [1, 2, 3, 4] && tree["inline"]?.array?.shape == [2, 2])
    #expect(tree["data"]?.array?.doubles == [1, 2.5])
    #expect(tree["truths"]?.array?.integers == [1, 0])
    #expect(tree["again"] == [1, 2])
  }

  @Test(
    "what cannot be read is refused with its place",
    arguments: [
      (
        "a: !core/ndarray-1.0.0 {source: 1, datatype: int8, byteorder: big, shape: [1]}", "badArray"
      ),
      (
        "a: !core/ndarray-1.0.0 {source: 0, datatype: int8, byteorder: big, shape: [9]}", "badArray"
      ),
      (
        "a: !core/ndarray-1.0.0 {source: 0, datatype: int8, byteorder: big, shape: [4611686018427387904, 4]}",
        "badArray"
      ),
      (
        "a: !core/ndarray-1.0.0 {source: 0, datatype: int8, byteorder: big, shape: [3], strides: [4]}",
        "badArray"
      ),
      (
        "a: !core/ndarray-1.0.0 {source: 0, datatype: int8, byteorder: big, shape: [3000000], strides: [0]}",
        "badArray"
      ),
      (
        "a: !core/ndarray-1.0.0 {source: 0, datatype: int8, byteorder: none, shape: [3]}",
        "badArray"
      ),
      ("a: !core/ndarray-1.0.0 {source: 0, datatype: int8, byteorder: big}", "badArray"),
      (
        "a: !core/ndarray-1.0.0 {source: 0, datatype: complex128, byteorder: big, shape: [1]}",
        "unsupported"
      ),
      (
        "a: !core/ndarray-1.0.0 {source: other.asdf, datatype: int8, byteorder: big, shape: [1]}",
        "unsupported"
      ),
      ("a: !core/ndarray-1.0.0 [[1, 2], [3]]", "badArray"),
      ("a: [1, 2", "badTree"), ("a: *b", "badTree"),
    ])
  func refused(yaml: String, kind: String) {
    let found = error { _ = try ASDFReader.tree(of: file(yaml, [[1, 2, 3, 4]])) }
    #expect(found.map { "\($0.kind)" } == kind, "\(String(describing: found))")
    if kind != "badTree" { #expect(found?.location?.hasPrefix("a (line ") ?? false) }
  }

  @Test("compressed blocks and other formats are refused with what to do")
  func foreignFiles() throws {
    let yaml = "a: !core/ndarray-1.0.0 {source: 0, datatype: int8, byteorder: big, shape: [1]}"
    let found = error { _ = try ASDFReader.tree(of: file(yaml, [[1]], compression: "zlib")) }
    #expect(found?.kind == .unsupported && found?.explanation.contains("zlib") ?? false)
    for bytes in [[], Array("SIMPLE  =                    T".utf8), [0xff, 0xfe]] {
      #expect(error { _ = try ASDFReader.tree(of: bytes) }?.kind == .notASDF)
    }
  }
}

@Suite("ASDF files of Python")
struct PythonASDFTests {
  /// Reads a file of the folder with the script that made it.
  private func golden(_ name: String) throws -> ASDFValue {
    try ASDFReader.read(Bundle.module.bundleURL.appendingPathComponent("Golden/\(name)").path)
  }

  @Test("a file written by Python's asdf is read: views, types, byte orders, plain values")
  func reads() throws {
    let tree = try golden("python.asdf")
    let base = (0..<24).map(Double.init)
    #expect(tree["posterior"]?["mu"]?.array?.shape == [2, 3])
    // NumPy's linspace from −1 to 1 in six points.
    let mu = try #require(tree["posterior"]?["mu"]?.array?.doubles)
    #expect(zip(mu, [-1, -0.6, -0.2, 0.2, 0.6, 1]).allSatisfy { abs($0 - $1) < 1e-15 })
    let flux = try #require(tree["posterior"]?["g/flux"]?.array?.doubles)
    #expect(flux[0] == 1e-300 && flux[1].isNaN)
    #expect(tree["base"]?.array?.doubles == base)
    #expect(tree["view"]?.array?.doubles == [6, 8, 10, 12, 14, 16, 18, 20, 22])
    #expect(tree["view"]?.array?.shape == [3, 3])
    let turned = (0..<24).map { (k: Int) -> Double in base[k % 4 * 6 + k / 4] }
    #expect(tree["transposed"]?.array?.doubles == turned)
    #expect(tree["big"]?.array?.integers == [0, 1, 2, 3, 4])
    let thirds = (0..<3).map { (k: Int) -> Double in Double(Float(k) / 3) }
    #expect(tree["single"]?.array?.doubles == thirds)
    #expect(tree["bools"]?.array == ASDFArray([true, false, true], shape: [3]))
    #expect(tree["bytes"]?.array?.integers == [0, 1, 2, 3])
    #expect(
      tree["numbers"] == [1, 2.5, 1e-05, .number(.infinity), true, .null, "text", "yes", "1e5"])
    #expect(tree["nested"]?["a"]?["b"]?.elements?.first?["c"] == 1)
    #expect(tree["asdf_library"]?["name"] == "asdf")
    #expect(tree["history"]?["extensions"]?.elements?.isEmpty == false)
  }

  @Test("arrays that stand in the tree are read")
  func inline() throws {
    let tree = try golden("inline.asdf")
    #expect(tree["inline"]?.array == ASDFArray((0..<24).map(Double.init), shape: [4, 6]))
    #expect(tree["text"] == "é χ²")
  }
}
