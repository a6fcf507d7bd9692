// SPDX-License-Identifier: MIT
//
// What the record of a joint fit has besides that of a fit of one image: its bands, links and values at wavelengths.

import JSON

/// What the record of a joint fit has besides that of a fit of one image.
struct BandsReport: Sendable, Hashable {
  /// What is told of a band.
  struct Row: Sendable, Hashable {
    /// The name.
    let name: String
    /// The science image.
    let image: String
    /// The wavelength, if it is known.
    let wavelength: Double?
    /// The sky.
    let sky: String
    /// The loss.
    let loss: String
    /// Σ ((data − model) / rms)² over the good pixels.
    let chiSquared: Double
    /// The number of good pixels.
    let pixelCount: Int
  }

  /// The bands, in order.
  let rows: [Row]

  /// The members of `result.json` that only joint fits have, in order; none where nothing was read from a file.
  let members: [JSONValue.Member]

  /// The members of `result.json` that only joint fits have.
  private static let names = ["source_profiles", "links", "wavelengths", "bands"]

  /// Tells of the bands of a fit.
  init(_ rows: [Row]) {
    self.rows = rows
    members = []
  }

  /// Returns the table of bands as lines.
  static func table(_ rows: [Row]) -> [String] {
    let head = ["band", "image", "wavelength", "sky", "loss", "chi2 / pixels"]
    return TextTable.lines(
      [head]
        + rows.map { row -> [String] in
          [
            row.name, row.image, row.wavelength.map { significant($0, 6) } ?? "", row.sky, row.loss,
            decimal(row.chiSquared / Double(max(1, row.pixelCount)), 3),
          ]
        })
  }

  /// Reads what a document tells of bands; nil for a fit of one image.
  ///
  /// - Throws: ``FitRecordError`` with the place where the document is not as expected.
  init?(_ place: JSONPlace) throws(FitRecordError) {
    guard let bands = try place.optional("bands") else { return nil }
    var rows: [Row] = []
    for band in try bands.elements() {
      rows.append(
        Row(
          name: try band.member("name").string(), image: try band.member("image").string(),
          wavelength: try band.optional("wavelength")?.double(),
          sky: try band.member("sky").string(), loss: try band.member("loss").string(),
          chiSquared: try band.optional("chi2")?.double() ?? .nan,
          pixelCount: try band.member("n_pixels").integer()))
    }
    self.rows = rows
    var members: [JSONValue.Member] = []
    for (name, item) in try place.members() where Self.names.contains(name) {
      members.append(JSONValue.Member(name: name, value: item.value))
    }
    self.members = members
  }
}
