// SPDX-License-Identifier: MIT
//
// How sources are looked for: SExtractor's settings under plain names.

/// The settings of a detection; the defaults are those of SExtractor, with a higher threshold.
///
/// ### Source
///
/// Bertin & Arnouts 1996, A&AS 117, 393; Barbary 2016, JOSS 1, 58 (SEP).
public struct DetectionSettings: Sendable, Hashable {
  /// The threshold of a pixel above the background, in its own rms, after smoothing.
  public var threshold = 2.0

  /// The fewest connected pixels of a source.
  public var leastArea = 5

  /// The side of the tiles in which the background is measured, in pixels; nil for the border's median everywhere.
  ///
  /// Tiles must be larger than the largest source, or its wings are taken for background.
  public var backgroundTile: Int?

  /// The number of tiles over which the background is median-filtered.
  public var backgroundFilter = 3

  /// Whether the image is smoothed by the kernel 1 2 1, 2 4 2, 1 2 1 before pixels are compared with the threshold.
  public var smooths = true

  /// The number of levels at which blended sources are looked for.
  public var deblendLevels = 32

  /// The share of the light that a peak must have to be a source of its own.
  public var deblendContrast = 0.005

  /// How far the wings of bright sources are assumed to reach when faint ones beside them are judged; nil: all are kept.
  public var cleaning: Double? = 1.0

  /// Creates the default settings.
  public init() {}

  /// Checks the settings.
  ///
  /// - Throws: ``OptionError`` for the first that cannot be used.
  package func check() throws(OptionError) {
    /// Throws unless a setting is as expected.
    func expect(_ holds: Bool, _ name: String, _ expected: String, _ found: String)
      throws(OptionError)
    {
      guard holds else { throw OptionError(name, "expected \(expected), found \(found)") }
    }
    try expect(
      threshold > 0 && threshold.isFinite, "threshold", "a positive number", "\(threshold)")
    try expect(leastArea >= 1, "leastArea", "a whole number from 1", "\(leastArea)")
    try expect(
      backgroundTile.map { $0 >= 4 } ?? true, "backgroundTile", "at least 4 pixels",
      "\(backgroundTile ?? 0)")
    try expect(backgroundFilter >= 1, "backgroundFilter", "at least 1 tile", "\(backgroundFilter)")
    try expect(deblendLevels >= 1, "deblendLevels", "a whole number from 1", "\(deblendLevels)")
    try expect(
      (0...1).contains(deblendContrast), "deblendContrast", "a share from 0 to 1",
      "\(deblendContrast)")
    try expect(
      cleaning.map { $0 > 0 && $0.isFinite } ?? true, "cleaning", "a positive number",
      "\(cleaning ?? 0)")
  }
}
