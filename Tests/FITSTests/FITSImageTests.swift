// SPDX-License-Identifier: MIT
//
// Reading of images: every pixel type, sections, compression, headers, and each kind of wrong input.

import FITS
import Foundation
import Testing

@Suite("FITS images") struct FITSImageTests {
  @Test(
    "pixels are those that astropy wrote",
    arguments: [
      "u8.fits", "i16.fits", "i32.fits", "i64.fits", "u16.fits", "f32.fits", "f64.fits",
      "scaled.fits", "zipped.fits.gz", "rice.fits.fz", "gzip.fits.fz", "multi.fits",
    ])
  func pixels(name: String) throws {
    let image = try FITSImage(reading: Golden.path(name))
    #expect(image.width == 6 && image.height == 4)
    // Equality: each value is exact in a double, and scaling by powers of two and small integers is exact.
    #expect(areIdentical(image.values, try Golden.image(name).values))
  }

  @Test(
    "pixel types are reported", arguments: [("u8.fits", 8), ("i64.fits", 64), ("f32.fits", -32)])
  func pixelType(name: String, bits: Int) throws {
    #expect(try FITSImage(reading: Golden.path(name)).bitsPerPixel == bits)
  }

  @Test("an empty primary HDU is passed over with a note")
  func emptyPrimary() throws {
    let image = try FITSImage(reading: Golden.path("multi.fits"))
    #expect(image.hduNumber == 1 && image.hduName == "SCI")
    #expect(image.notes.count == 1)
    #expect(try FITSImage(reading: Golden.path("u8.fits")).notes.isEmpty)
  }

  @Test(
    "an HDU is found by number, by name in any case, and by version",
    arguments: [("[1]", 0.0), ("[SCI]", 0), ("[sci,2]", 100), ("[2]", 100), ("+2", 100)])
  func namedHDU(suffix: String, first: Double) throws {
    let image = try FITSImage(reading: Golden.path("multi.fits") + suffix)
    #expect(image.values.first == first)
    #expect(image.notes.isEmpty)
  }

  @Test(
    "a section keeps its place in the parent and moves the reference pixel",
    arguments: ["multi.fits[SCI][3:5,2:4]", "multi.fits[3:5,2:4]"])
  func section(name: String) throws {
    let image = try FITSImage(reading: Golden.path(name))
    #expect(image.width == 3 && image.height == 3 && image.x0 == 2 && image.y0 == 1)
    #expect(image.values == [12, 13, 14, 22, 23, 24, 32, 33, 34])
    #expect(image.header["CRPIX1"]?.number == 3.5 - 2)
    #expect(image.header["CRPIX2"]?.number == 2.25 - 1)
    #expect(image.header["CRPIX1A"]?.number == 13.5 - 2)
    #expect(image.header["CRVAL1"]?.number == 150.123456789012)
  }

  @Test("a section of a compressed image is that of the plain one")
  func compressedSection() throws {
    let part = try FITSImage(reading: Golden.path("rice.fits.fz[1][2:3,*]"))
    let whole = try Golden.image("rice.fits.fz").rows
    #expect(part.values == whole.flatMap { $0[1...2].compactMap(\.self) })
    #expect(part.header["CRPIX1"]?.number == 2.5)
  }

  @Test("a step in a section is left to CFITSIO")
  func step() throws {
    let image = try FITSImage(reading: Golden.path("u8.fits[1:5:2,1:3:2]"))
    #expect(image.values == [0, 2, 4, 20, 22, 24])
    #expect(!image.notes.isEmpty)
  }

  @Test("a cube is accepted one plane at a time")
  func cube() throws {
    #expect(try FITSImage(reading: Golden.path("flat_cube.fits")).values.first == 100)
    let plane = try FITSImage(reading: Golden.path("cube.fits[0][*,*,3:3]"))
    #expect(plane.values.first == 200 && plane.width == 6 && plane.height == 4)
  }

  @Test("a file whose own name has brackets is opened as it is")
  func brackets() throws {
    let scratch = try Scratch()
    let odd = scratch.path + "/odd +(x) [1].fits[SCI]"
    try FileManager.default.copyItem(atPath: Golden.path("multi.fits"), toPath: odd)
    #expect(try FITSImage(reading: odd).hduNumber == 1)
    #expect(try FITSImage(reading: odd + "[SCI,2][2:2,1:1]").values == [101])
  }

  @Test("a compressed file is found under its plain name")
  func plainName() throws {
    #expect(try FITSImage(reading: Golden.path("zipped.fits")).values[7] == 11)
    #expect(try FITSImage(reading: Golden.path("rice.fits[1]")).values[0] == -40)
  }

  @Test("cards keep their type, value and comment")
  func cards() throws {
    let header = try FITSImage(reading: Golden.path("multi.fits[SCI]")).header
    #expect(header["OBSERVER"] == .string("O'Neill"))
    #expect(
      header["longtext"] == .string(String((0..<30).map { _ in "long " }.joined().dropLast())))
    #expect(header["EXPTIME"] == .real(1.5e-7))
    #expect(header["NCOMBINE"] == .integer(7))
    #expect(header["FLATTED"] == .logical(true))
    #expect(header["ESO TEL AMBI"] == .real(1.25))
    #expect(header.cards.contains(FITSCard("NOVALUE", .undefined)))
    #expect(header["ABSENT"] == nil)
    #expect(header.cards.contains(.history("made for a test")))
    #expect(header.cards.contains(.comment("a comment card")))
    #expect(header.cards.first { $0.keyword == "EXPTIME" }?.comment == "[s] small")
  }

  @Test("world coordinates are picked out of plain and compressed images alike")
  func worldCoordinates() throws {
    let expected = [
      "CTYPE1", "CTYPE2", "CRPIX1", "CRPIX2", "CRVAL1", "CRVAL2", "CD1_1", "CD1_2", "CD2_1",
      "CD2_2", "A_ORDER", "A_2_0", "CRPIX1A", "RADESYS", "EQUINOX",
    ]
    for name in ["multi.fits[SCI]", "rice.fits.fz"] {
      let image = try FITSImage(reading: Golden.path(name))
      #expect(image.header.worldCoordinates.map(\.keyword).sorted() == expected.sorted())
      #expect(
        !image.header.portable.contains { $0.keyword.hasPrefix("Z") || $0.keyword == "NAXIS1" })
    }
  }

  @Test("a mask is true where the file is not 0")
  func mask() throws {
    let mask = try FITSMask(reading: Golden.path("scaled.fits"))
    #expect(mask.width == 6 && mask.height == 4 && mask.values.allSatisfy(\.self))
    #expect(try FITSMask(reading: Golden.path("u8.fits")).values.filter { !$0 }.count == 1)
  }

  @Test(
    "each wrong input has its kind of error",
    arguments: [
      ("absent.fits", FITSError.Kind.fileNotFound),
      ("absent.fits[1]", .fileNotFound),
      ("", .fileNotReadable),
      ("no.fits", .notFITS),
      ("truncated.fits", .truncated),
      ("truncated.fits.gz", .truncated),
      ("multi.fits[9]", .noSuchHDU),
      ("multi.fits[WHT]", .noSuchHDU),
      ("multi.fits[0]", .emptyHDU),
      ("multi.fits[CAT]", .notAnImage),
      ("table_only.fits", .notAnImage),
      ("empty.fits", .emptyHDU),
      ("cube.fits", .notTwoDimensional(axes: [6, 4, 3])),
      ("line.fits", .notTwoDimensional(axes: [6])),
      ("u8.fits[3:9,1:2]", .badSection),
      ("u8.fits[3:4]", .badSection),
    ])
  func wrong(name: String, kind: FITSError.Kind) {
    let error = failure { () throws(FITSError) in _ = try FITSImage(reading: Golden.path(name)) }
    #expect(error?.kind == kind, "\(error?.description ?? "no error")")
    #expect(error?.file == Golden.path(name))
  }

  @Test("a wrong HDU is answered with the list of HDUs")
  func listsHDUs() throws {
    let error = failure { () throws(FITSError) in
      _ = try FITSImage(reading: Golden.path("multi.fits[WHT]"))
    }
    let text = try #require(error?.description)
    #expect(text.contains("SCI: image 6 × 4") && text.contains("CAT: table of 6 columns, 3 rows"))
  }

  @Test("a failure leaves nothing behind for the next one")
  func errorStackIsCleared() throws {
    let first = failure { () throws(FITSError) in _ = try FITSImage(reading: Golden.path("no.fits"))
    }
    let second = failure { () throws(FITSError) in
      _ = try FITSImage(reading: Golden.path("no.fits"))
    }
    #expect(first?.libraryMessages == second?.libraryMessages)
    #expect(first?.libraryMessages.isEmpty == false)
  }

  @Test("images are read by several threads at once")
  func threads() async throws {
    let expected = try Golden.image("gzip.fits.fz").values
    await withTaskGroup(of: Bool.self) { group in
      for _ in 0..<32 {
        group.addTask {
          let image = try? FITSImage(reading: Golden.path("gzip.fits.fz"))
          return areIdentical(image?.values ?? [], expected)
        }
      }
      for await isRight in group { #expect(isRight) }
    }
  }
}
