// SPDX-License-Identifier: MIT
//
// Positions of sources on the sky: by the header's world coordinates, at the maximum and at every draw.

import FITS
import Foundation
import GalaxyFitting
import GalaxyModels
import Inference
import JSON
import Numerics
import Testing

@Suite("Positions on the sky")
struct SkyPositionTests {
  /// Returns the Laplace result of the scene of records, under another header.
  private func result(_ header: FITSHeader) throws -> FitResult {
    let image = try RecordScene.image()
    let other = try ObservedImage(
      width: image.width, height: image.height, science: image.science, noise: .rms(image.rms),
      mask: image.mask, psf: image.psf, header: header, names: image.names)
    let fit = try FitSingle(other, prior: autoprior(other, .sersic))
    return FitResult(try fit.estimatePosterior(.laplace, draws: 300, key: 4))
  }

  /// Returns a header with cards in place of its own.
  private func header(_ cards: [FITSCard]) -> FITSHeader {
    let names = Set(cards.map(\.keyword))
    return FITSHeader(RecordScene.header.cards.filter { !names.contains($0.keyword) } + cards)
  }

  @Test("right ascension and declination are those of WCSLIB, at the maximum and at every draw")
  func everyDraw() throws {
    let result = try RecordScene.result("laplace")
    let sky = try WorldCoordinates(RecordScene.header, name: "header")
    let draws = try #require(result.draws)
    let (x, y) = (draws.scalar("xc").values, draws.scalar("yc").values)
    let (ra, dec) = (try result.scalar("ra").values, try result.scalar("dec").values)
    for k in x.indices {
      let exact = try sky.sky(x: x[k], y: y[k])
      #expect(abs(ra[k] - exact.longitude) < 1e-12 && abs(dec[k] - exact.latitude) < 1e-12)
    }
    let best = try sky.sky(x: result.best["xc"], y: result.best["yc"])
    let listed = Dictionary(
      uniqueKeysWithValues: result.record.report.derived.map { ($0.name, $0) })
    #expect(listed["ra"]?.map == best.longitude && listed["dec"]?.map == best.latitude)
    #expect(listed["ra"]?.unit == "deg")
    // The mean of the draws lies within its error of the maximum's position, some hundredths of a pixel of 0.2 arcseconds.
    #expect(abs((listed["dec"]?.mean ?? 0) - best.latitude) < 0.1 * 0.2 / 3600)
    #expect((listed["dec"]?.standardDeviation ?? 0) > 0)
    // The table shows the digits that the deviation leaves: a hundredth of an arcsecond is 3e-6 degrees.
    let row = result.table.split(separator: "\n").first { $0.hasPrefix("ra ") } ?? ""
    #expect(row.contains("150.10"), "\(result.table)")
  }

  @Test("draws across the meridian stay together")
  func meridian() throws {
    let result = try result(header([FITSCard("CRVAL1", 0.0), FITSCard("CRPIX1", 18.6)]))
    let ra = try result.scalar("ra")
    #expect((ra.values.max() ?? 1) - (ra.values.min() ?? 0) < 1e-3, "\(ra.values.prefix(3))")
  }

  @Test("galactic coordinates have their own names")
  func galactic() throws {
    let result = try result(
      header([FITSCard("CTYPE1", "GLON-TAN"), FITSCard("CTYPE2", "GLAT-TAN")]))
    #expect(try result.scalar("glon").mean > 150)
    #expect(throws: FitRecordError.self) { try result.scalar("ra") }
  }

  @Test(
    "without coordinates there are no positions; with ones that cannot be understood the report says so"
  )
  func without() throws {
    let plain = try result(FITSHeader())
    #expect(!plain.record.report.derived.contains { $0.name == "ra" })
    #expect(!plain.record.report.findings.contains { $0.code == "world-coordinates" })
    let broken = try result(
      header([FITSCard("CTYPE1", "RA---TAN"), FITSCard("CTYPE2", "DEC--SIN")]))
    #expect(!broken.record.report.derived.contains { $0.name == "ra" })
    #expect(broken.record.report.findings.contains { $0.code == "world-coordinates" })
  }

  @Test("a record that is read back has the same positions", arguments: RecordScene.formats)
  func readBack(format: String) throws {
    let result = try RecordScene.result("laplace")
    try RecordScene.inFolder { folder in
      let path = folder + "/fit." + format
      try result.save(to: path)
      let record = try FitRecord(contentsOf: path)
      #expect(
        record.report.derived.first { $0.name == "ra" }
          == result.record.report.derived.first { $0.name == "ra" })
      if record.draws != nil {
        #expect(try record.scalar("dec").values == result.scalar("dec").values)
      }
    }
  }
}
