// SPDX-License-Identifier: MIT
//
// `sersic detect` as a process: its table, its files, and what it says where there is nothing.

import FITS
import Foundation
import Testing

@Suite("Command: detection", .enabled(if: SersicProcess.path != nil, "the command is not built"))
struct DetectCommandTests {
  @Test("the galaxy is found where it was put, and is not in the mask")
  func finds() throws {
    let scene = try CommandScene()
    let outcome = try scene.run("detect", psf: nil, sky: nil, "--output", "found")
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.output.contains("sersic"))
    let csv = try String(
      contentsOf: scene.folder.url.appending(path: "found/catalog.csv"), encoding: .utf8)
    let lines = csv.split(separator: "\n")
    #expect(lines.first == "x,y,flux,r,type,ellip,theta")
    let cells = try #require(lines.dropFirst().first).split(separator: ",")
    // A centroid is good to some hundredths of a pixel, a Kron flux holds more than nine tenths of the light.
    #expect(abs((Double(cells[0]) ?? .nan) - 23.3) < 0.2)
    #expect(abs((Double(cells[1]) ?? .nan) - 22.6) < 0.2)
    #expect(abs((Double(cells[2]) ?? .nan) / 120 - 1) < 0.15)
    let segments = try FITSImage(reading: scene.folder.path("found/segments.fits"))
    let mask = try FITSImage(reading: scene.folder.path("found/mask.fits"))
    let centre = 23 * segments.width + 23
    #expect(segments.values[centre] == 1 && mask.values[centre] == 0)
    #expect(segments.values.contains(0))
  }

  @Test("no source above the threshold is a failure that says what to do")
  func findsNothing() throws {
    let scene = try CommandScene()
    let outcome = try scene.run("detect", psf: nil, sky: nil, "--threshold", "1e9")
    #expect(outcome.status == 1 && outcome.errors.contains("--threshold"))
    let wrong = try scene.run("detect", psf: nil, sky: nil, "--threshold", "-1")
    #expect(wrong.status == 2 && wrong.errors.contains("--threshold"))
    let area = try scene.run("multi", sky: nil, "--min-area", "0")
    #expect(area.status == 2 && area.errors.contains("--min-area"), "\(area.errors)")
  }
}
