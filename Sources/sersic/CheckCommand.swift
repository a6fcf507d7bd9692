// SPDX-License-Identifier: MIT
//
// `sersic check`: what is wrong with the inputs of a fit, and how to mend it.

import ArgumentParser
import GalaxyFitting
import GalaxyModels
import JSON

/// The command `sersic check`.
struct CheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Says what is wrong with the inputs of a fit, and how to mend it.",
    discussion: """
      Reads the same images as `sersic fit`. Exit status: 0 where a fit can run, 2 where it cannot.
      """)

  @OptionGroup var input: ImageOptions

  @OptionGroup var place: PositionOptions

  @Option(
    help: ArgumentHelp(
      "Draw the guesses that default priors are made of on the image: a PNG, PDF or SVG file. (default: no picture)",
      valueName: "file"))
  var plot: String?

  @Flag(help: "Write a JSON document to standard output instead of text.")
  var json = false

  func run() throws {
    let position = try place.position()
    var image: ObservedImage?
    let report = InputReport(position: position) {
      let made = try input.observedImage()
      image = made
      try place.check(position, in: made)
      return made
    }
    var isWhole = Terminal.write(json ? report.json.text + "\n" : report.text(image))
    if let plot, let image, let properties = report.properties {
      do {
        try properties.writePlot(image, to: plot)
        Terminal.report("wrote \(plot)")
      } catch {
        Terminal.report("error: \(plot) was not written: \(error)")
        isWhole = false
      }
    }
    guard report.isUsable else { throw ExitCode(ExitStatus.wrongInput) }
    guard isWhole else { throw ExitCode(ExitStatus.failed) }
  }
}
