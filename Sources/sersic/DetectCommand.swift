// SPDX-License-Identifier: MIT
//
// `sersic detect`: finds the sources of an image; writes a catalogue, a map of segments and a mask.

import ArgumentParser
import FITS
import GalaxyFitting
import GalaxyModels

/// The command `sersic detect`.
struct DetectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "detect",
    abstract: "Finds the sources of an image, by the algorithm of SExtractor.",
    discussion: """
      Prints the sources, brightest first, and with --output DIR writes catalog.csv (x, y, flux, r, \
      type, ellip, theta: the starting values of a fit of several sources), segments.fits (the number of each \
      pixel's source, from 1) and mask.fits (1 where a source other than the one nearest to --center \
      is, for a fit of that one alone). Positions count from 0 at the centre of the first pixel.
      """)

  @OptionGroup var input: ImageOptions

  @OptionGroup var place: PositionOptions

  @Option(
    parsing: .unconditional, help: "The threshold of a pixel, in its rms above the background.")
  var threshold = 2.0

  @Option(
    name: .customLong("min-area"), parsing: .unconditional,
    help: "The fewest connected pixels of a source.")
  var leastArea = 5

  @Option(
    name: .customLong("background-tile"), parsing: .unconditional,
    help:
      "The side of the tiles in which the background is measured, larger than the sources. (default: one background, the median of the frame's border)"
  )
  var backgroundTile: Int?

  @Option(
    name: .customLong("deblend-contrast"), parsing: .unconditional,
    help: "The share of a blend's light that a peak must have to be a source of its own.")
  var deblendContrast = 0.005

  @Option(help: "The profile that the catalogue names for each source.")
  var profile = GalaxyProfile.sersic

  @Option(
    parsing: .unconditional, help: "The number of pixels by which masked segments are widened.")
  var grow = 2

  @Option(help: ArgumentHelp("The folder for the results. (default: no files)", valueName: "dir"))
  var output: String?

  func run() throws {
    var settings = DetectionSettings()
    settings.threshold = threshold
    settings.leastArea = leastArea
    settings.backgroundTile = backgroundTile
    settings.deblendContrast = deblendContrast
    try settings.checkOptions()
    guard (0...100).contains(grow) else {
      throw OptionError("--grow", "expected from 0 to 100 pixels, found \(grow)")
    }
    let position = try place.position()
    let image = try input.observedImage()
    try place.check(position, in: image)
    Terminal.report(image.findings)
    let folder = try output.map { try OutputFolder($0) }
    var found = try SourceDetection(image, settings)
    for index in found.catalog.sources.indices { found.catalog.sources[index].profile = profile }
    guard !found.catalog.sources.isEmpty else {
      throw CommandFailure(
        description:
          "no source stands above \(threshold) times the rms; lower --threshold or --min-area, and see whether the rms is right with sersic check"
      )
    }
    var isWhole = Terminal.write("\(found.catalog)\n")
    if let folder {
      let products = found.write(to: folder, image, keeping: position ?? image.center, growth: grow)
      let written = Terminal.report(products, in: folder)
      isWhole = isWhole && written.count == products.count
    }
    guard isWhole else { throw ExitCode(ExitStatus.failed) }
  }
}

extension DetectionSettings {
  /// Checks the settings that options give, by the names of the options.
  func checkOptions() throws(OptionError) {
    do throws(OptionError) {
      try check()
    } catch {
      let options = [
        "threshold": "--threshold", "leastArea": "--min-area",
        "backgroundTile": "--background-tile", "deblendContrast": "--deblend-contrast",
      ]
      throw OptionError(options[error.subject] ?? error.subject, error.explanation)
    }
  }
}
