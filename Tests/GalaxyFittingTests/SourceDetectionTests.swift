// SPDX-License-Identifier: MIT
//
// Detection against Python's sep on the same pixels; catalogues of other programs; masks.

import FITS
import Foundation
import GalaxyFitting
import GalaxyModels
import Testing

@Suite("Detection of sources")
struct SourceDetectionTests {
  /// What the golden script wrote besides the scene.
  private struct Golden: Codable {
    /// A source that sep found.
    struct Found: Codable {
      var x, y, flux, circle, a, b, theta: Double
      var pixels: Int
    }
    var found: [Found]
  }

  /// The scene with what sep found in it.
  private static func golden() throws -> (image: ObservedImage, found: [Golden.Found]) {
    let file = try #require(
      Bundle.module.url(forResource: "detection", withExtension: "json", subdirectory: "Golden"))
    let data = try Data(contentsOf: file)
    let scene = try JSONDecoder().decode(TestScene.self, from: data)
    let image = try ObservedImage(
      width: scene.width, height: scene.height, science: scene.science,
      rms: [Double](repeating: scene.sigma, count: scene.width * scene.height),
      mask: scene.mask)
    return (image, try JSONDecoder().decode(Golden.self, from: data).found)
  }

  @Test("sources, fluxes, radii, shapes and segments are those of sep")
  func agrees() throws {
    let (image, expected) = try Self.golden()
    let detection = try SourceDetection(image)
    #expect(detection.catalog.count == expected.count)
    for (index, (source, golden)) in zip(detection.catalog.sources, expected).enumerated() {
      // The same library on the same pixels: what differs is the rounding of the median that is taken off, some 1e-16, and
      // shapes are kept in single precision.
      let tolerance = 1e-6
      #expect(abs(source.x - golden.x) < tolerance && abs(source.y - golden.y) < tolerance)
      #expect(abs(source.flux / golden.flux - 1) < tolerance, "flux \(source.flux)")
      let ratio = golden.b / golden.a
      #expect(abs((source.ellip ?? .nan) - (1 - ratio)) < tolerance)
      let circle = source.radius * ratio.squareRoot()
      #expect(abs(circle / golden.circle - 1) < tolerance, "radius \(circle) \(golden.circle)")
      let turn = ((source.theta ?? .nan) + .pi / 2 - golden.theta) / .pi
      #expect(abs(turn - turn.rounded()) < tolerance, "theta")
      #expect(detection.segments.count { $0 == index + 1 } == golden.pixels)
    }
  }

  @Test("the angle of a catalogue is that of a fit")
  func angle() throws {
    let (image, _) = try Self.golden()
    let brightest = try #require(try SourceDetection(image).catalog.sources.first)
    // The scene's brightest source has theta 0.4 and axis ratio 0.6; noise moves a bright source's angle by some hundredths.
    #expect(abs((brightest.theta ?? .nan) - 0.4) < 0.05)
    #expect(abs(brightest.x - 40.3) < 0.1 && abs(brightest.y - 35.8) < 0.1)
  }

  @Test("a mask covers all sources but the one that is kept, widened")
  func masks() throws {
    let (image, _) = try Self.golden()
    let detection = try SourceDetection(image)
    let kept = try #require(detection.nearest(to: ImagePoint(x: 40, y: 36)))
    #expect(kept == 0)
    let bare = detection.mask(growth: 0) { $0 != kept }
    let wide = detection.mask(growth: 3) { $0 != kept }
    for (i, segment) in detection.segments.enumerated() {
      #expect(bare[i] == (segment > 0 && segment != kept + 1))
      if bare[i] { #expect(wide[i]) }
    }
    #expect(wide.count { $0 } > bare.count { $0 })
    // A pixel of the wide mask lies within three pixels of a bare one.
    let near = wide.indices.filter { wide[$0] }.allSatisfy { i in
      bare.indices.contains { j in
        guard bare[j] else { return false }
        let (dx, dy) = (i % image.width - j % image.width, i / image.width - j / image.width)
        return dx * dx + dy * dy <= 9
      }
    }
    #expect(near)
  }

  @Test("blank noise has no source, and a background that varies is followed")
  func background() throws {
    let noise = (0..<100 * 90).map { unitNoise(seed: 3, index: $0) }
    let blank = try ObservedImage(
      width: 100, height: 90, science: noise, rms: [Double](repeating: 1, count: 9000))
    var settings = DetectionSettings()
    settings.threshold = 3
    #expect(try SourceDetection(blank, settings).catalog.sources.isEmpty)
    let tilted = noise.enumerated().map { $0.element + 0.1 * Double($0.offset % 100) }
    let sloping = try ObservedImage(
      width: 100, height: 90, science: tilted, rms: [Double](repeating: 1, count: 9000))
    settings.backgroundTile = 20
    let detection = try SourceDetection(sloping, settings)
    #expect(detection.catalog.sources.isEmpty)
    // Tiles of 400 pixels know the plane to 0.05; the spline is flat beyond the middle of the outermost tiles, 1 at most.
    #expect(abs(detection.background[45 * 100 + 50] - 5) < 0.5)
  }

  @Test("impossible settings are refused with their names")
  func refusals() throws {
    let image = try Self.golden().image
    for change: (inout DetectionSettings) -> Void in [
      { $0.threshold = 0 }, { $0.leastArea = 0 }, { $0.backgroundTile = 1 },
      { $0.deblendLevels = 0 }, { $0.deblendContrast = 2 }, { $0.cleaning = -1 },
    ] {
      var settings = DetectionSettings()
      change(&settings)
      #expect(throws: OptionError.self) { try SourceDetection(image, settings) }
    }
  }
}

@Suite("Catalogues")
struct SourceCatalogTests {
  /// Writes a text to a temporary file and reads it as a catalogue.
  private func read(_ text: String, origin: ImagePoint = ImagePoint(x: 0, y: 0)) throws
    -> SourceCatalog
  {
    let file = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).csv")
    try text.write(to: file, atomically: true, encoding: .utf8)
    defer { try? FileManager.default.removeItem(at: file) }
    return try SourceCatalog(reading: file.path, origin: origin)
  }

  @Test("our own columns, and what is written is read back")
  func ours() throws {
    let catalog = try read("x,y,flux,r,type,theta\n10.5,20,300,4,exp,0.5\n 1 , 2 ,3.5e2, 1,,\n")
    #expect(
      catalog.sources == [
        CatalogSource(x: 10.5, y: 20, flux: 300, radius: 4, profile: .exp, theta: 0.5),
        CatalogSource(x: 1, y: 2, flux: 350, radius: 1, profile: .sersic),
      ])
    #expect(try read(catalog.csv).sources == catalog.sources)
  }

  @Test("SExtractor's, SEP's and photutils' columns are understood, and said to be")
  func others() throws {
    let sextractor = try read(
      "# 1 NUMBER\nNUMBER;X_IMAGE;Y_IMAGE;FLUX_AUTO;FLUX_RADIUS;THETA_IMAGE;ELLIPTICITY\n1;11;21;50;3;120;0.2\n"
    )
    let first = try #require(sextractor.sources.first)
    #expect(first.x == 10 && first.y == 20 && first.flux == 50 && first.radius == 3)
    #expect(first.ellip == 0.2 && abs((first.theta ?? .nan) - .pi / 6) < 1e-12)
    #expect(sextractor.findings.count == 3, "\(sextractor.findings)")
    let sep = try read("x,y,flux,cflux,cxx,a,theta\n11,21,50,49,0.1,2,0.25\n")
    let second = try #require(sep.sources.first)
    #expect(second.x == 11 && abs(second.radius - 2 * 1.1774100225154747) < 1e-12)
    #expect(abs((second.theta ?? .nan) - (0.25 + .pi / 2)) < 1e-12)
    let photutils = try read(
      "label,xcentroid,ycentroid,kron_flux,semimajor_sigma,orientation\n1,5,6,7,2,90\n")
    let third = try #require(photutils.sources.first)
    #expect(third.x == 5 && third.flux == 7 && abs(third.theta ?? .nan) < 1e-12)
  }

  @Test("positions of a parent image are moved to those of a section")
  func section() throws {
    let catalog = try read("x,y,flux,r\n110,60,1,1\n", origin: ImagePoint(x: 100, y: 50))
    #expect(catalog.sources.first?.x == 10 && catalog.sources.first?.y == 10)
  }

  @Test(
    "what is wrong is named with file, row and column",
    arguments: [
      ("x,y,flux\n1,2,3\n", "radius"), ("x,y,flux,r\n", "empty"), ("", "head line"),
      ("x,y,flux,r\n1,2,three,4\n", "row 1, column flux"), ("x,y,flux,r\n1,,3,4\n", "row 1"),
      ("x,y,flux,r\n1,2,3,-4\n", "radius of at least 0"),
      ("x,y,flux,r,type\n1,2,3,4,blob\n", "expected one of sersic"),
    ])
  func mistakes(text: String, word: String) throws {
    do {
      _ = try read(text)
      Issue.record("expected an error")
    } catch let error as OptionError {
      #expect(error.description.contains(word), "\(error)")
    }
  }

  @Test("a missing file is said to be missing")
  func missing() {
    #expect(throws: OptionError.self) { try SourceCatalog(reading: "no-such-file.csv") }
  }
}
