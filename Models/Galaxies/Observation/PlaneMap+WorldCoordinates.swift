// SPDX-License-Identifier: MIT
//
// Where the pixels of one image lie on those of another, by the world coordinates of both.

public import FITS

extension PlaneMap {
  /// The step of the differences that make the local map, in pixels: distortions do not change over it.
  private static let step = 1.0

  /// Creates the map from the pixels of one image to those of another, linear around a position.
  ///
  /// - Parameters:
  ///   - from: The coordinates of the image that the map starts from.
  ///   - to: Those of the image that it leads to.
  ///   - position: The position in the first image, around which the map is exact.
  /// - Throws: `FITSError` where the position, or its neighbourhood, is outside a projection; ``GalaxyModelError`` where
  ///   the images have different systems of coordinates.
  public init(
    from: WorldCoordinates, to: WorldCoordinates, around position: ImagePoint
  ) throws {
    guard Self.agree(from.system, to.system) else {
      throw GalaxyModelError(
        .invalidBands(
          "expected world coordinates of one system, found \(from.system) and \(to.system); express both in the same"
        ))
    }
    /// Returns where a pixel of the first image lies on the second.
    func mapped(_ x: Double, _ y: Double) throws -> (x: Double, y: Double) {
      try to.pixel(from.sky(x: position.x + x, y: position.y + y))
    }
    let h = Self.step
    let middle = try mapped(0, 0)
    let (right, left) = (try mapped(h, 0), try mapped(-h, 0))
    let (up, down) = (try mapped(0, h), try mapped(0, -h))
    self.init(
      xx: (right.x - left.x) / (2 * h), xy: (up.x - down.x) / (2 * h),
      yx: (right.y - left.y) / (2 * h), yy: (up.y - down.y) / (2 * h))
    x0 = middle.x - xx * position.x - xy * position.y
    y0 = middle.y - yx * position.x - yy * position.y
  }

  /// Whether two systems are the same to some hundredths of an arc second: ICRS, FK5 and nothing said are.
  private static func agree(_ a: String, _ b: String) -> Bool {
    /// Returns axes and reference system, modern equatorial systems under one name.
    func parts(_ system: String) -> [String] {
      let words = system.split(separator: " ").map { String($0) }
      let isModern = words.count < 2 || ["ICRS", "FK5"].contains(words[1])
      return [words.first ?? "", isModern ? "ICRS" : words[1]]
    }
    return parts(a) == parts(b)
  }
}
