// SPDX-License-Identifier: MIT
//
// Positions on the sky: those that astropy finds, and there and back again.

import FITS
import Foundation
import Testing

@Suite("World coordinates")
struct WorldCoordinatesTests {
  /// A header with pixels and their positions.
  struct Case: CustomTestStringConvertible, Sendable {
    /// What it is about.
    let name: String
    /// The header.
    let header: FITSHeader
    /// The pixels, first pixel 0.
    let pixels: [[Double]]
    /// Longitude and latitude, degrees.
    let sky: [[Double]]
    var testDescription: String { name }
  }

  /// The golden positions.
  static let cases: [Case] = {
    guard
      let url = Bundle.module.url(
        forResource: "world_coordinates", withExtension: "json", subdirectory: "Golden"),
      let data = try? Data(contentsOf: url),
      let tree = (try? JSONSerialization.jsonObject(with: data)) as? [String: Any],
      let list = tree["cases"] as? [[String: Any]]
    else { return [] }
    return list.map { entry in
      let cards = (entry["cards"] as? [String: Any] ?? [:]).sorted { $0.key < $1.key }.map {
        if let text = $0.value as? String { return FITSCard($0.key, text) }
        return $0.key.hasSuffix("ORDER")
          ? FITSCard($0.key, $0.value as? Int ?? 0) : FITSCard($0.key, $0.value as? Double ?? .nan)
      }
      let world = entry["world"] as? [[Double]] ?? []
      let isSwapped = entry["latitudeFirst"] as? Bool ?? false
      return Case(
        name: entry["name"] as? String ?? "", header: FITSHeader(cards),
        pixels: entry["pixels"] as? [[Double]] ?? [],
        sky: isSwapped ? world.map { [$0[1], $0[0]] } : world)
    }
  }()

  @Test("there are golden positions")
  func hasCases() { #expect(Self.cases.count == 4) }

  @Test("positions are those of astropy, and lead back to their pixels", arguments: cases)
  func positions(_ example: Case) throws {
    let coordinates = try WorldCoordinates(example.header, name: "image.fits")
    for (pixel, expected) in zip(example.pixels, example.sky) {
      let sky = try coordinates.sky(x: pixel[0], y: pixel[1])
      // The golden file says why.
      #expect(abs(sky.longitude - expected[0]) < 1e-11, "\(sky), not \(expected)")
      #expect(abs(sky.latitude - expected[1]) < 1e-11, "\(sky), not \(expected)")
      let back = try coordinates.pixel(sky)
      // A hundred-thousandth of a degree is a pixel: rounding is 1e-8 of it.
      #expect(abs(back.x - pixel[0]) < 1e-7 && abs(back.y - pixel[1]) < 1e-7)
    }
  }

  @Test("the system is named, headers without one are told apart from bad ones")
  func failures() throws {
    let fk5 = try WorldCoordinates(try #require(Self.cases.dropFirst().first).header, name: "x")
    #expect(fk5.system == "RA/DEC FK5")
    /// Returns the kind of error that a header meets.
    func kind(_ cards: [FITSCard]) -> FITSError.Kind? {
      do {
        _ = try WorldCoordinates(FITSHeader(cards), name: "image.fits")
        return nil
      } catch { return error.kind }
    }
    #expect(kind([]) == .noWorldCoordinates)
    #expect(kind([FITSCard("OBJECT", "M31")]) == .noWorldCoordinates)
    let singular = [
      FITSCard("CTYPE1", "RA---TAN"), FITSCard("CTYPE2", "DEC--TAN"), FITSCard("CD1_1", 1e-5),
      FITSCard("CD1_2", 2e-5), FITSCard("CD2_1", 1e-5), FITSCard("CD2_2", 2e-5),
    ]
    #expect(kind(singular) == .badWorldCoordinates)
    let linear = [FITSCard("CTYPE1", "X"), FITSCard("CTYPE2", "Y"), FITSCard("CDELT1", 1.0)]
    #expect(kind(linear) == .badWorldCoordinates)
  }

  @Test("many threads use one header")
  func threads() async throws {
    let coordinates = try WorldCoordinates(try #require(Self.cases.first).header, name: "x")
    let expected = try coordinates.sky(x: 3, y: 4)
    await withTaskGroup(of: Bool.self) { group in
      for _ in 0..<200 {
        group.addTask { (try? coordinates.sky(x: 3, y: 4)) == expected }
      }
      for await isRight in group { #expect(isRight) }
    }
  }
}
