// SPDX-License-Identifier: MIT
//
// Reading of tables: columns by name, missing values, and errors.

import FITS
import Testing

@Suite("FITS tables") struct FITSTableTests {
  @Test("columns are read by name", arguments: ["multi.fits[CAT]", "multi.fits", "multi.fits[3]"])
  func columns(name: String) throws {
    let table = try FITSTable(reading: Golden.path(name))
    #expect(table.rowCount == 3)
    #expect(table.columns.map(\.name) == ["name", "flux", "id", "pair", "good"])
    #expect(try table.strings("NAME") == ["one", "two", "three"])
    #expect(areIdentical(try table.numbers("flux"), [1.5, .nan, -3]))
    #expect(try table.numbers("id") == [11, 12, 13])
    #expect(try table.numbers("pair") == [1, 2, 3, 4, 5, 6.5])
    #expect(try table.numbers("good") == [1, 0, 1])
    #expect(table.columns[1].unit == "nJy" && table.columns[3].elementsPerRow == 2)
    #expect(table.notes.contains { $0.contains("list") })
  }

  @Test("rows are filtered by CFITSIO's syntax")
  func filter() throws {
    let table = try FITSTable(reading: Golden.path("multi.fits[CAT][id > 11]"))
    #expect(try table.numbers("id") == [12, 13])
  }

  @Test(
    "wrong tables and columns have their kinds of error",
    arguments: [
      ("u8.fits", FITSError.Kind.notATable), ("multi.fits[SCI]", .notATable),
      ("multi.fits[X]", .noSuchHDU), ("absent.fits", .fileNotFound),
    ])
  func wrong(name: String, kind: FITSError.Kind) {
    let error = failure { () throws(FITSError) in _ = try FITSTable(reading: Golden.path(name)) }
    #expect(error?.kind == kind, "\(error?.description ?? "no error")")
  }

  @Test("a missing column is answered with the names there are")
  func missingColumn() throws {
    let table = try FITSTable(reading: Golden.path("multi.fits"))
    let error = failure { () throws(FITSError) in _ = try table.numbers("mag") }
    #expect(error?.kind == .noSuchColumn)
    #expect(error?.description.contains("flux, id") == true)
    #expect(
      failure { () throws(FITSError) in _ = try table.numbers("name") }?.kind == .noSuchColumn)
  }
}
