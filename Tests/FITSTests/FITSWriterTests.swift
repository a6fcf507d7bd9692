// SPDX-License-Identifier: MIT
//
// Writing: exact round trips, headers, atomic replacement, and what is left after a failure.

import FITS
import Foundation
import Testing

@Suite("FITS writer") struct FITSWriterTests {
  /// A small image HDU.
  static let small = FITSOutputImage(name: "A", width: 2, height: 1, values: [1, 2])

  @Test("64-bit images come back bit for bit, awkward numbers too")
  func exactRoundTrip() throws {
    let scratch = try Scratch()
    let values: [Double] = [
      0, -0.0, 1.0 / 3, .leastNonzeroMagnitude, -.leastNormalMagnitude / 2,
      .greatestFiniteMagnitude,
      .infinity, -.infinity, .nan, 1e-20, .pi, -9.1191291391491e-36,
    ]
    let path = scratch.path + "/a.fits"
    try FITSWriter.write(
      [FITSOutputImage(name: "", width: 4, height: 3, values: values)], to: path)
    let image = try FITSImage(reading: path)
    #expect(image.width == 4 && image.height == 3 && image.bitsPerPixel == -64)
    #expect(areIdentical(image.values, values))
    #expect(
      areIdentical(
        try FITSImage(reading: path + "[2:3,*]").values, [1, 2, 5, 6, 9, 10].map { values[$0] }))
  }

  @Test("several HDUs keep names, types, masks and cards")
  func extensions() throws {
    let scratch = try Scratch()
    let path = scratch.path + "/b.fits"
    let cards: [FITSCard] = [
      FITSCard("ORIGIN", "It's a test", comment: "who"),
      FITSCard("LONGER", String(repeating: "0123456789", count: 12)),
      FITSCard("COUNT", 42), FITSCard("TENTH", 0.1), FITSCard("HUGE", 1.2345678901234567e+200),
      FITSCard("TINY", -4.9e-300), FITSCard("WHOLE", 3.0), FITSCard("YES", true),
      FITSCard("NOTHING", .undefined), FITSCard("result r_eff", 3.25), .history("one"),
      .comment("two"),
    ]
    try FITSWriter.write(
      [
        FITSOutputImage(name: "HEAD", cards: cards),
        FITSOutputImage(
          name: "DATA", width: 2, height: 2, values: [1, 2, .infinity, .nan], pixelType: .float32),
        FITSOutputImage(name: "MASK", width: 3, height: 1, mask: [true, false, true]),
        FITSOutputImage(
          name: "SEGMENTS", width: 4, height: 1, values: [0, 70_000, -3, .nan], pixelType: .int32),
      ], to: path)
    let data = try FITSImage(reading: path)
    #expect(data.hduName == "DATA" && areIdentical(data.values, [1, 2, .infinity, .nan]))
    let mask = try FITSMask(reading: path + "[mask]")
    #expect(mask.values == [true, false, true] && mask.image.bitsPerPixel == 8)
    let segments = try FITSImage(reading: path + "[segments]")
    #expect(segments.values == [0, 70_000, -3, 0] && segments.bitsPerPixel == 32)
    #expect(data.header["CHECKSUM"] != nil)
    let header = try FITSImage(reading: rewritten(path, cards)).header
    for card in cards where !card.isCommentary {
      #expect(header[card.keyword] == card.value, "\(card.keyword)")
    }
    #expect(header.cards.contains(.history("one")) && header.cards.contains(.comment("two")))
  }

  /// Writes the cards again with a pixel, so that the header can be read as that of an image.
  func rewritten(_ path: String, _ cards: [FITSCard]) throws -> String {
    try FITSWriter.write(
      [FITSOutputImage(name: "P", width: 1, height: 1, values: [0], cards: cards)], to: path + "2")
    return path + "2"
  }

  @Test("world coordinates of the input go along, structure and scaling do not")
  func carriedHeader() throws {
    let scratch = try Scratch()
    let path = scratch.path + "/c.fits"
    let input = try FITSImage(reading: Golden.path("rice.fits.fz[1][3:5,2:4]"))
    let output = FITSOutputImage(
      name: "MODEL", width: 3, height: 3, values: input.values, cards: input.header.cards)
    try FITSWriter.write([output], to: path)
    let read = try FITSImage(reading: path)
    #expect(read.header.worldCoordinates == input.header.worldCoordinates)
    #expect(read.header["CRPIX1"]?.number == 1.5)
    #expect(!read.header.cards.contains { $0.keyword.hasPrefix("Z") || $0.keyword.hasPrefix("T") })
  }

  @Test("a file is replaced whole, and only if allowed")
  func overwrite() throws {
    let scratch = try Scratch()
    let path = scratch.path + "/d [x].fits"
    try FITSWriter.write([Self.small], to: path)
    let error = failure { () throws(FITSError) in
      try FITSWriter.write([Self.small], to: path, overwrite: false)
    }
    #expect(error?.kind == .notWritable)
    var other = Self.small
    other.values = [3, 4]
    try FITSWriter.write([other], to: path)
    #expect(try FITSImage(reading: path).values == [3, 4])
    #expect(try scratch.files == ["d [x].fits"])
  }

  @Test("a link is followed, and stays a link")
  func link() throws {
    let scratch = try Scratch()
    try FITSWriter.write([Self.small], to: scratch.path + "/real.fits")
    try FileManager.default.createSymbolicLink(
      atPath: scratch.path + "/link.fits", withDestinationPath: "real.fits")
    var other = Self.small
    other.values = [5, 6]
    try FITSWriter.write([other], to: scratch.path + "/link.fits")
    #expect(try FITSImage(reading: scratch.path + "/real.fits").values == [5, 6])
  }

  @Test("a place that cannot be written is an error and leaves nothing")
  func unwritable() throws {
    let scratch = try Scratch()
    try FITSWriter.write([Self.small], to: scratch.path + "/file")
    try FileManager.default.createDirectory(
      atPath: scratch.path + "/folder", withIntermediateDirectories: true)
    for place in ["/absent/x.fits", "/file/x.fits", "/folder", "/x.fits.gz"] {
      let error = failure { () throws(FITSError) in
        try FITSWriter.write([Self.small], to: scratch.path + place)
      }
      #expect(error?.kind == .notWritable, "\(place)")
    }
    let device = failure { () throws(FITSError) in
      try FITSWriter.write([Self.small], to: "/dev/null")
    }
    #expect(device?.kind == .notWritable)
    #expect(try scratch.files == ["file", "folder"])
  }

  #if os(Linux)
    @Test("a full disk is an error, the old file stays as it was, and nothing is left beside it")
    func fullDisk() async {
      // A limit on the size of files stands in for a full disk; it holds for a child process only.
      await #expect(processExitsWith: .success) {
        let scratch = try Scratch()
        let path = scratch.path + "/e.fits"
        let small = FITSOutputImage(name: "A", width: 2, height: 1, values: [1, 2])
        try FITSWriter.write([small], to: path)
        let large = FITSOutputImage(
          name: "L", width: 600, height: 600, values: Array(repeating: 1, count: 360_000))
        signal(SIGXFSZ, SIG_IGN)
        var limit = rlimit(rlim_cur: 100_000, rlim_max: 100_000)
        try #require(setrlimit(__rlimit_resource_t(UInt32(RLIMIT_FSIZE.rawValue)), &limit) == 0)
        let error = failure { () throws(FITSError) in try FITSWriter.write([large], to: path) }
        try #require(error?.kind == .notWritable)
        try #require(try FITSImage(reading: path).values == [1, 2])
        try #require(try scratch.files == ["e.fits"])
      }
    }
  #endif
}
