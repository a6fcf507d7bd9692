// SPDX-License-Identifier: MIT
//
// Catalogues of text as SExtractor, astropy, numpy and TOPCAT write them, and what is said where head and rows do not match.

import FITS
import Foundation
import GalaxyFitting
import GalaxyModels
import Testing

@Suite("Formats of catalogues")
struct CatalogFormatsTests {
  /// Writes a text to a temporary file and reads it as a catalogue.
  private func read(_ text: String) throws -> SourceCatalog {
    let file = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).txt")
    try text.write(to: file, atomically: true, encoding: .utf8)
    defer { try? FileManager.default.removeItem(at: file) }
    return try SourceCatalog(reading: file.path)
  }

  /// SExtractor's head, in which FLUX_APER is a vector of three.
  private static let sextractorHead = """
    #   1 NUMBER                 Running object number
    #   2 X_IMAGE                Object position along x                                    [pixel]
    #   3 Y_IMAGE                Object position along y                                    [pixel]
    #   4 XY_IMAGE               Covariance between x and y                                 [pixel**2]
    #   5 FLUX_APER              Flux vector within fixed circular aperture(s)              [count]
    #   8 FLUX_AUTO              Flux within a Kron-like elliptical aperture                [count]
    #   9 FLUX_RADIUS            Fraction-of-light radii                                    [pixel]
    #  10 FLAGS                  Extraction flags

    """

  @Test("SExtractor's ASCII_HEAD is read, vectors among its columns, positions from 1")
  func sextractor() throws {
    let catalog = try read(
      Self.sextractorHead + """
                 1    61.2500    12.5000 0.01  10.0  20.0  30.0   50.5   3.25   0
                 2     7.0000     8.0000 0.02  11.0  21.0  31.0   60.5   4.25   2

        """)
    #expect(catalog.count == 2)
    let first = try #require(catalog.sources.first)
    #expect(first.x == 60.25 && first.y == 11.5, "\(first)")
    #expect(first.flux == 50.5 && first.radius == 3.25)
    #expect(catalog.sources[1].flux == 60.5 && catalog.sources[1].radius == 4.25)
  }

  @Test("a vector at the end of SExtractor's columns takes the cells that are left")
  func lastVector() throws {
    let head = "# 1 X_IMAGE\n# 2 Y_IMAGE\n# 3 FLUX_AUTO\n# 4 FLUX_RADIUS\n# 5 MAG_APER\n"
    let catalog = try read(head + "11 21 50 3 -7 -8 -9\n12 22 60 4 -7 -8 -9\n")
    #expect(
      catalog.sources == [
        CatalogSource(x: 10, y: 20, flux: 50, radius: 3),
        CatalogSource(x: 11, y: 21, flux: 60, radius: 4),
      ])
  }

  @Test(
    "ECSV is read, with blanks or commas between cells and texts in quotes",
    arguments: [" ", ","])
  func ecsv(separator: String) throws {
    let rows = [
      ["label", "name", "xcentroid", "ycentroid", "semimajor_sigma", "kron_flux"],
      ["1", "\"NGC 1, \"\"so called\"\"\"", "5.5", "6", "2", "7"],
      ["2", "\"\"", "8", "9", "4", "10"],
    ]
    let catalog = try read(
      """
      # %ECSV 1.0
      # ---
      # delimiter: '\(separator)'
      # datatype:
      # - {name: label, datatype: int64}
      # - {name: xcentroid, unit: pix, datatype: float64}
      # meta: {version: 3, x: 1, y: 2}
      # schema: astropy-2.0

      """ + rows.map { $0.joined(separator: separator) + "\n" }.joined(separator: ""))
    #expect(catalog.sources.map { $0.x } == [5.5, 8])
    #expect(catalog.sources.map { $0.y } == [6, 9])
    #expect(catalog.sources.map { $0.flux } == [7, 10])
  }

  @Test(
    "names in a line with #, in a plain line, after a byte order mark, or behind other remarks",
    arguments: [
      "# id x y flux r\n1 10.5 20 300 4\n2 1 2 350 1\n",
      "# made on day 5 by me\n#id x y flux r\n# rows follow below now, I think\n1 10.5 20 300 4\n2 1 2 350 1\n",
      "# id,x,y,flux,r\n1,10.5,20,300,4\n2,1,2,350,1\n",
      "# id, x, y, flux, r\n1 10.5 20 300 4\n2 1 2 350 1\n",
      "  id   x   y flux r\n   1 10.5 20  300 4\n\n   2    1  2  350 1  \n",
      "\u{FEFF}# id x y flux r\r\n1 10.5 20 300 4\r\n2 1 2 350 1\r\n",
      "\u{FEFF}id;x;y;flux;r\r\n1;10.5;20;300;4\r\n2;1;2;350;1\r\n",
      "id\tx\ty\tflux\tr\n1\t10.5\t20\t300\t4\n2\t1\t2\t350\t1\n",
      "# 2 sources\nid x y flux r\n1 10.5 20 3e2 4\n# between\n2 1 2 350 1\n",
    ])
  func heads(text: String) throws {
    #expect(
      try read(text).sources == [
        CatalogSource(x: 10.5, y: 20, flux: 300, radius: 4),
        CatalogSource(x: 1, y: 2, flux: 350, radius: 1),
      ])
  }

  @Test("an empty pair of quotes is an empty cell between blanks")
  func emptyCell() throws {
    let catalog = try read("x y flux r type ellip\n1 2 3 4 \"\" 0.5\n1 2 3 4 exp \"\"\n")
    #expect(catalog.sources.map { $0.profile } == [.sersic, .exp])
    #expect(catalog.sources.map { $0.ellip } == [0.5, nil])
  }

  /// Files whose head and rows do not match, and what is said of them.
  private static let mismatched: [(String, String)] = [
    ("x y flux r\n1 2 3 4\n1 2 3\n", "row 2: expected 4 cells under x, y, flux, r, found 3"),
    ("# x y flux r\n1 2 3 4 5\n", "row 1: expected 4 cells under x, y, flux, r, found 5"),
    ("x,y,flux,r\n1,2,3\n", "row 1: expected a number for radius"),
    (sextractorHead + "1 2 3 4 5 6 7 8 9\n", "up to the 9 cells of the first row"),
    (
      sextractorHead + "1 2 3 4 5 6 7 8 9 10\n2 2 3 4 5 6 7 8 9\n",
      "row 2: expected 10 cells"
    ),
    ("# 1 X_IMAGE\n# 3 Y_IMAGE\n# 2 FLUX_AUTO\n1 2 3 4\n", "rising"),
    ("# 2 X_IMAGE\n# 3 Y_IMAGE\n1 2 3 4\n", "from 1"),
    (sextractorHead, "empty catalogue"),
    ("1 2 3 4\n", "names of columns in the first line"),
    ("1,2,3,4\n", "names of columns in the first line"),
    ("# id ra dec flux r\n1 2 3 4 5\n", "found none for x, y among id, ra, dec, flux, r"),
    (
      "# 1 X_IMAGE\n# 2 Y_IMAGE\n# 3 FLUX_AUTO\n# 4 FLUX_RADIUS\n1 2 3 4 5\n",
      "found none for radius among X_IMAGE, Y_IMAGE, FLUX_AUTO, FLUX_RADIUS[1], FLUX_RADIUS[2]"
    ),
  ]

  @Test("what does not match is named", arguments: mismatched)
  func mismatches(text: String, words: String) throws {
    do {
      _ = try read(text)
      Issue.record("expected an error")
    } catch let error as OptionError {
      #expect(error.description.contains(words), "\(error)")
    }
  }

  @Test("the sources of SExtractor's FITS_LDAC are found behind the header of the image")
  func ldac() throws {
    let file = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).fits")
    defer { try? FileManager.default.removeItem(at: file) }
    try FITSWriter.write(
      [FITSOutputImage(name: "", width: 1, height: 1, values: [0])],
      tables: [
        FITSOutputTable(
          name: "LDAC_IMHEAD", rows: 1,
          columns: [FITSOutputTable.Column("Field Header Card", .strings(["SIMPLE  = T"]))]),
        FITSOutputTable(
          name: "LDAC_OBJECTS", rows: 1,
          columns: [
            FITSOutputTable.Column("X_IMAGE", .numbers([11])),
            FITSOutputTable.Column("Y_IMAGE", .numbers([21])),
            FITSOutputTable.Column("FLUX_AUTO", .numbers([50])),
            FITSOutputTable.Column("FLUX_RADIUS", .numbers([3])),
          ]),
      ], to: file.path)
    let catalog = try SourceCatalog(reading: file.path)
    #expect(catalog.sources == [CatalogSource(x: 10, y: 20, flux: 50, radius: 3)])
  }
}
