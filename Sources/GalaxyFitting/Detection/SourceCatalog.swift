// SPDX-License-Identifier: MIT
//
// A catalogue of sources: where they are, how bright, how large, and what is to be fitted to each.

public import GalaxyModels

/// A source of a catalogue: first guesses for a fit.
public struct CatalogSource: Sendable, Hashable {
  /// The column of the centre, first pixel 0.
  public var x: Double

  /// The row of the centre, first pixel 0.
  public var y: Double

  /// The total flux, in image units.
  public var flux: Double

  /// The half-light radius on the major axis, in pixels.
  public var radius: Double

  /// The profile to be fitted.
  public var profile: GalaxyProfile

  /// The ellipticity 1 − b/a; nil where it is not known.
  public var ellip: Double?

  /// The angle of the major axis from +y counter-clockwise, in radians; nil where it is not known.
  public var theta: Double?

  /// Creates a source.
  public init(
    x: Double, y: Double, flux: Double, radius: Double, profile: GalaxyProfile = .sersic,
    ellip: Double? = nil, theta: Double? = nil
  ) {
    self.x = x
    self.y = y
    self.flux = flux
    self.radius = radius
    self.profile = profile
    self.ellip = ellip
    self.theta = theta
  }
}

/// Sources in order, as a fit of several needs them.
///
/// ```swift
/// let catalog = try SourceCatalog(reading: "sources.csv")
/// try catalog.csv.write(toFile: "copy.csv", atomically: true, encoding: .utf8)
/// ```
public struct SourceCatalog: Sendable, Hashable {
  /// The sources.
  public var sources: [CatalogSource]

  /// The file it was read from, or another name for messages.
  public var name: String

  /// What the reader should know: which columns were used, and how they were understood.
  public var findings: [InputFinding]

  /// Creates a catalogue.
  public init(_ sources: [CatalogSource], name: String = "catalogue", findings: [InputFinding] = [])
  {
    self.sources = sources
    self.name = name
    self.findings = findings
  }

  /// The number of sources.
  public var count: Int { sources.count }

  /// Returns the sources whose centres lie on a frame, and for each its place in the catalogue.
  ///
  /// - Parameters:
  ///   - image: The image.
  ///   - margin: How far outside the frame a centre may lie, in pixels.
  /// - Returns: The sources in order.
  public func inside(_ image: ObservedImage, margin: Double = 0) -> [(index: Int, CatalogSource)] {
    sources.enumerated().compactMap { index, source in
      let isInside =
        (-0.5 - margin...Double(image.width) - 0.5 + margin).contains(source.x)
        && (-0.5 - margin...Double(image.height) - 0.5 + margin).contains(source.y)
      return isInside ? (index, source) : nil
    }
  }

  /// The catalogue as comma-separated values: x, y, flux, r, type, ellip, theta; what `init(reading:)` reads.
  public var csv: String {
    let rows = sources.map { source in
      [
        "\(source.x)", "\(source.y)", "\(source.flux)", "\(source.radius)",
        source.profile.rawValue, source.ellip.map { "\($0)" } ?? "",
        source.theta.map { "\($0)" } ?? "",
      ].joined(separator: ",")
    }
    return (["x,y,flux,r,type,ellip,theta"] + rows).joined(separator: "\n") + "\n"
  }
}

extension SourceCatalog: CustomStringConvertible {
  /// A table of the sources: number, position, flux, radius, shape, profile.
  public var description: String {
    let head = ["", "x", "y", "flux", "r", "ellip", "theta", "type"]
    let rows = sources.enumerated().map { index, source in
      [
        "\(index)", decimal(source.x, 2), decimal(source.y, 2), significant(source.flux, 5),
        decimal(source.radius, 2), source.ellip.map { decimal($0, 2) } ?? "",
        source.theta.map { decimal($0, 2) } ?? "", source.profile.rawValue,
      ]
    }
    return TextTable.lines([head] + rows).joined(separator: "\n")
  }
}
