// SPDX-License-Identifier: MIT
//
// The sky positions of an image's pixels, by the world coordinates of its header: WCSLIB behind a Swift value.

internal import CWCS
import Synchronization

/// A position on the sky, in degrees.
public struct SkyPosition: Sendable, Hashable, Codable {
  /// The longitude: right ascension in equatorial coordinates, in [0, 360).
  public var longitude: Double

  /// The latitude: declination in equatorial coordinates.
  public var latitude: Double

  /// Creates a position.
  public init(longitude: Double, latitude: Double) {
    self.longitude = longitude
    self.latitude = latitude
  }
}

/// WCSLIB keeps settings, and the reader of headers its state, in variables of the process.
private let library = Mutex(())

/// The map between the pixels of an image and the sky; pixels count from 0 at the centre of the first one.
///
/// Every projection and distortion that WCSLIB knows is understood, SIP and TPV among them. Of alternative systems in a header
/// the primary one is used, of a cube's axes the celestial ones.
///
/// ### Source
///
/// Calabretta & Greisen 2002; WCSLIB is the library of the first author.
public final class WorldCoordinates: @unchecked Sendable {
  // Proof: the pointers are made in `init`, freed in `deinit`, and used between them under the lock `library` only.

  /// The systems of the header, as WCSLIB allocates them.
  private var systems: UnsafeMutablePointer<wcsprm>?

  /// The number of systems.
  private var count: Int32 = 0

  /// The celestial axes of the primary system.
  private let celestial: UnsafeMutablePointer<wcsprm>

  /// The place of the longitude among the two axes.
  private let longitudeAxis: Int

  /// The coordinates in words: the types of the axes, and the reference system where the header names one: `RA/DEC ICRS`.
  public let system: String

  /// The file, for messages.
  private let name: String

  /// Reads the world coordinates of a header.
  ///
  /// - Parameters:
  ///   - header: The header.
  ///   - name: The file, for messages.
  /// - Throws: `FITSError` with kind `noWorldCoordinates` where there are none on the sky, `badWorldCoordinates` where
  ///   they contradict themselves.
  public init(_ header: FITSHeader, name: String) throws(FITSError) {
    self.name = name
    let types = ["CTYPE1", "CTYPE2"].compactMap { header[$0]?.text }
    let reference = header["RADESYS"]?.text ?? header["RADECSYS"]?.text
    let axes = types.map { String($0.prefix(4).prefix { $0 != "-" && $0 != " " }) }.sorted(by: >)
    system = (axes.joined(separator: "/") + " " + (reference ?? "")).trimmingSpaces
    let cards = header.worldCoordinates.compactMap(\.headerText)
    guard !types.isEmpty, !cards.isEmpty else {
      throw FITSError(
        .noWorldCoordinates, file: name,
        "expected world coordinates (CTYPE1, CRVAL1, CD1_1 …) in the header, found none; add them, or say how the pixels lie"
      )
    }
    var found: UnsafeMutablePointer<wcsprm>?
    var number: Int32 = 0
    let part = UnsafeMutablePointer<wcsprm>.allocate(capacity: 1)
    part.pointee = wcsprm()
    part.pointee.flag = -1
    let failure: String? = library.withLock { _ in
      WorldCoordinates.read(cards, into: &found, &number, celestial: part)
    }
    if let failure {
      library.withLock { _ in
        wcsfree(part)
        wcsvfree(&number, &found)
      }
      part.deallocate()
      throw FITSError(.badWorldCoordinates, file: name, failure)
    }
    systems = found
    count = number
    celestial = part
    longitudeAxis = Int(part.pointee.lng)
  }

  deinit {
    library.withLock { _ in
      wcsfree(celestial)
      wcsvfree(&count, &systems)
    }
    celestial.deallocate()
  }

  /// Parses cards and takes the celestial axes of the first system; returns what kept it from that, else nil.
  private static func read(
    _ cards: [String], into systems: inout UnsafeMutablePointer<wcsprm>?, _ count: inout Int32,
    celestial: UnsafeMutablePointer<wcsprm>
  ) -> String? {
    var text = cards.joined().utf8.map { CChar(bitPattern: $0) } + [0]
    var rejected: Int32 = 0
    let status = wcspih(
      &text, Int32(cards.count), WCSHDR_all, 0, &rejected, &count, &systems)
    guard status == 0, count > 0, let first = systems else {
      return
        "expected world coordinates that can be understood, found cards that cannot (WCSLIB status \(status)); mend the header"
    }
    // Old forms of units, dates and projections are put into the present one; what cannot be stays as it is.
    var changes = [Int32](repeating: 0, count: 16)
    wcsfix(7, nil, first, &changes)
    var axisCount: Int32 = 1
    // Longitude, latitude and cube face, in the order of the header.
    var axes: [Int32] = [WCSSUB_CELESTIAL]
    let extraction = wcssub(1, first, &axisCount, &axes, celestial)
    guard extraction == 0, axisCount == 2 else {
      return
        "expected two axes on the sky such as RA---TAN and DEC--TAN, found \(extraction == 0 ? Int(axisCount) : 0); give an image of the sky"
    }
    let setting = wcsset(celestial)
    guard setting == 0, celestial.pointee.lng >= 0, celestial.pointee.lat >= 0 else {
      return
        "expected consistent world coordinates, found ones that WCSLIB refuses (status \(setting): \(message(setting))); mend the header"
    }
    // WCSLIB does not notice every matrix without inverse: the reference point must lead back to a pixel.
    var world = [celestial.pointee.crval[0], celestial.pointee.crval[1]]
    var (plane, pixel) = ([0.0, 0.0], [0.0, 0.0])
    var (phi, theta) = (0.0, 0.0)
    var flags: [Int32] = [0, 0]
    let inversion = wcss2p(celestial, 1, 2, &world, &phi, &theta, &plane, &pixel, &flags)
    guard inversion == 0, pixel.allSatisfy(\.isFinite) else {
      return
        "expected world coordinates that lead from the sky back to pixels, found a matrix CD or PC without inverse; mend the header"
    }
    return nil
  }

  /// Returns what a status of WCSLIB means.
  private static func message(_ status: Int32) -> String {
    switch status {
    case 3: "the matrix CD or PC has no inverse"
    case 4: "the types of the axes contradict each other"
    case 5: "a parameter has an impossible value"
    case 6, 7: "the coordinate transformation has impossible parameters"
    case 8: "a pixel lies outside the projection"
    case 9: "a position lies outside the projection"
    default: "an internal failure"
    }
  }

  /// Returns the position on the sky of a pixel.
  ///
  /// - Parameters:
  ///   - x: The column, first pixel 0.
  ///   - y: The row, first pixel 0.
  /// - Returns: The position, degrees.
  /// - Throws: `FITSError` where the pixel lies outside the projection.
  public func sky(x: Double, y: Double) throws(FITSError) -> SkyPosition {
    var pixel = [x + 1, y + 1]
    var (plane, world) = ([0.0, 0.0], [0.0, 0.0])
    var (phi, theta) = (0.0, 0.0)
    var flags: [Int32] = [0, 0]
    let status = library.withLock { _ in
      wcsp2s(celestial, 1, 2, &pixel, &plane, &phi, &theta, &world, &flags)
    }
    guard status == 0 else { throw failure(status, "the pixel (\(x), \(y))") }
    return SkyPosition(longitude: world[longitudeAxis], latitude: world[1 - longitudeAxis])
  }

  /// Returns the pixel at a position on the sky.
  ///
  /// - Parameter sky: The position, degrees.
  /// - Returns: Column and row, first pixel 0; they may lie outside the image.
  /// - Throws: `FITSError` where the projection does not show the position.
  public func pixel(_ sky: SkyPosition) throws(FITSError) -> (x: Double, y: Double) {
    var world = [0.0, 0.0]
    world[longitudeAxis] = sky.longitude
    world[1 - longitudeAxis] = sky.latitude
    var (plane, pixel) = ([0.0, 0.0], [0.0, 0.0])
    var (phi, theta) = (0.0, 0.0)
    var flags: [Int32] = [0, 0]
    let status = library.withLock { _ in
      wcss2p(celestial, 1, 2, &world, &phi, &theta, &plane, &pixel, &flags)
    }
    guard status == 0 else {
      throw failure(status, "the position (\(sky.longitude), \(sky.latitude))")
    }
    return (pixel[0] - 1, pixel[1] - 1)
  }

  /// Returns the error of a place that the coordinates do not have.
  private func failure(_ status: Int32, _ place: String) -> FITSError {
    FITSError(
      .badWorldCoordinates, file: name,
      "expected world coordinates that reach \(place), found ones that do not (WCSLIB status \(status): \(WorldCoordinates.message(status))); check the header, or that the images show the same field"
    )
  }
}

extension FITSCard {
  /// The card as the 80 characters of a header; nil for one without a value, or too long for one card.
  fileprivate var headerText: String? {
    let text: String
    switch value {
    case .string(let string): text = "'" + string.replacing("'", with: "''") + "'"
    case .integer(let number): text = "\(number)"
    case .real(let number): text = "\(number)".uppercased()
    case .logical(let flag): text = flag ? "T" : "F"
    case .other(let token): text = token
    case .undefined: return nil
    }
    guard keyword.count <= 8, text.count <= 70 else { return nil }
    let name = keyword + String(repeating: " ", count: 8 - keyword.count)
    let card = name + "= " + text
    return card + String(repeating: " ", count: 80 - card.count)
  }
}
