// SPDX-License-Identifier: MIT
//
// `sersic plot`: pictures of saved results: residual, image, corner, trace; PNG, PDF, SVG.

import ArgumentParser
import GalaxyFitting
import Inference
import Plotting

/// A sort of picture.
enum PictureKind: String, CaseIterable, ExpressibleByArgument {
  /// Data, model and residual.
  case residual
  /// The image with the fitted ellipses.
  case image
  /// Histograms and contours of the draws.
  case corner
  /// The draws of each chain in order.
  case trace

  /// Whether it shows pixels, which a joint fit has for each band.
  var showsPixels: Bool { self == .residual || self == .image }

  /// Returns the picture of a record.
  ///
  /// - Throws: `FitRecordError` where the record lacks what it shows.
  func figure(_ record: FitRecord, _ parameters: [String]?) throws -> Figure {
    switch self {
    case .residual: try record.residualPlot()
    case .image: try record.imagePlot()
    case .corner: try record.cornerPlot(parameters: parameters)
    case .trace: try record.tracePlot(parameters: parameters)
    }
  }
}

/// The command `sersic plot`.
struct PlotCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plot",
    abstract: "Draws pictures of saved results.",
    discussion: """
      Reads what `sersic fit`, `multi`, `galfit` or `bands` wrote with --output DIR, or a file that was saved from Swift, and \
      writes residual.png, image.png, \
      with a posterior corner.png, and where Markov chains made it trace.png, into the folder of the result, or that of --output. With several \
      results and --output the names begin with those of the results. Of a joint fit there is a \
      residual and an image for each band, in its folder, or with its name in that of --output.
      """)

  @OptionGroup var record: RecordOptions

  @Option(
    help: ArgumentHelp(
      "The pictures, with commas between them: residual, image, corner, trace. (default: all that the result has data for)",
      valueName: "kind,…"))
  var kind: String?

  @Option(
    help: ArgumentHelp(
      "The formats, with commas between them: png, pdf, svg.", valueName: "format,…"))
  var format = "png"

  @Option(parsing: .unconditional, help: "The resolution of PNG, dots per inch.")
  var dpi = 150.0

  @Option(
    help: ArgumentHelp(
      "The folder for the pictures. (default: that of each result)", valueName: "dir"))
  var output: String?

  func run() throws {
    let request = try record.request()
    let kinds = try kind.map { try words($0, "--kind", PictureKind.self) }
    let formats = try words(format, "--format", Figure.Format.self)
    guard (10...1200).contains(dpi) else {
      throw OptionError("--dpi", "expected from 10 to 1200 dots per inch, found \(dpi)")
    }
    let places = record.results.map { ResultPlace($0) }
    let prefixes = try prefixes(places)
    let records = try record.records(request).map { $0.calibrated(by: request.calibration) }
    // Every picture is made before the first is written: a wrong name should not leave half of them.
    var jobs: [(figure: Figure, folder: String, name: String)] = []
    for (number, read) in records.enumerated() {
      let (place, prefix) = (places[number], prefixes[number])
      let bands = try bandRecords(read, record.results[number], kinds)
      for kind in kinds ?? available(read, bands) {
        var shown = [(record: read, folder: place.folder, prefix: prefix)]
        if kind.showsPixels, !bands.isEmpty {
          shown = zip(read.bandNames, bands).map { name, band in
            (
              record: band, folder: "\(place.folder)/\(name)",
              prefix: output == nil ? prefix : "\(prefix)\(name)-"
            )
          }
        }
        for (record, folder, prefix) in shown {
          let figure = try kind.figure(record, request.parameters)
          for format in formats {
            jobs.append(
              (figure, output ?? folder, "\(prefix)\(kind.rawValue).\(format.rawValue)"))
          }
        }
      }
    }
    guard !jobs.isEmpty else {
      throw OptionError(
        "result",
        "expected draws or pixels to draw, found the summary alone; read posterior.asdf, or the folder with model.fits"
      )
    }
    var isWhole = true
    for folder in Set(jobs.map(\.folder)) { _ = try OutputFolder(folder) }
    for job in jobs {
      let path = "\(job.folder)/\(job.name)"
      do {
        try job.figure.write(to: path, dotsPerInch: dpi)
        Terminal.report("wrote \(path)")
      } catch {
        Terminal.report("error: \(path) was not written: \(error)")
        isWhole = false
      }
    }
    guard isWhole else { throw ExitCode(ExitStatus.failed) }
  }

  /// Returns the records of the bands of a joint fit; where no kind was asked for none if they are not there.
  private func bandRecords(
    _ record: FitRecord, _ path: String, _ kinds: [PictureKind]?
  ) throws -> [FitRecord] {
    guard let kinds else { return (try? record.bandRecords(at: path)) ?? [] }
    guard kinds.contains(where: \.showsPixels) else { return [] }
    return try record.bandRecords(at: path)
  }

  /// Returns the pictures that a record, or those of its bands, have data for.
  private func available(_ record: FitRecord, _ bands: [FitRecord]) -> [PictureKind] {
    (record.pixels == nil && bands.isEmpty ? [] : [.residual, .image])
      + (record.draws == nil ? [] : [.corner])
      // Only draws of Markov chains have an order.
      + (record.draws?.statistics == nil ? [] : [.trace])
  }

  /// Returns what the names of a result's pictures begin with.
  private func prefixes(_ places: [ResultPlace]) throws -> [String] {
    let prefixes = places.map { place in
      place.isStandard && (output == nil || places.count == 1) ? "" : place.name + "-"
    }
    let targets = zip(places, prefixes).map { "\(output ?? $0.folder)/\($1)" }
    guard Set(targets).count == targets.count else {
      throw OptionError(
        "--output",
        "expected results whose pictures have different names, found two of the same; draw them one by one"
      )
    }
    return prefixes
  }

  /// Returns the words of an enumeration in a text with commas.
  private func words<Word: RawRepresentable & CaseIterable>(
    _ text: String, _ option: String, _ type: Word.Type
  ) throws -> [Word] where Word.RawValue == String {
    try record.names(text, option).map { name in
      guard let word = Word(rawValue: name.lowercased()) else {
        throw OptionError(
          option,
          "expected some of \(Word.allCases.map(\.rawValue).joined(separator: ", ")), found \"\(name)\""
        )
      }
      return word
    }
  }
}

/// Where a result lies, and how it is called.
private struct ResultPlace {
  /// The folder of its files.
  let folder: String

  /// The name: that of its folder, or of its file without the ending.
  let name: String

  /// Whether its files have the names that `sersic fit` gives them.
  let isStandard: Bool

  /// Takes a path apart.
  init(_ path: String) {
    var trimmed = path
    while trimmed.count > 1, trimmed.hasSuffix("/") { trimmed.removeLast() }
    let last = trimmed.split(separator: "/").last.map { String($0) } ?? trimmed
    let parent = trimmed.lastIndex(of: "/").map { String(trimmed[..<$0]) } ?? "."
    let endings = [".asdf", ".json", ".fits", ".fit", ".fits.gz", ".fits.fz"]
    let ending = endings.filter { last.lowercased().hasSuffix($0) }.max { $0.count < $1.count }
    guard let ending else {
      (folder, name, isStandard) = (trimmed, last, true)
      return
    }
    isStandard = ["result.json", "posterior.asdf"].contains(last)
    folder = parent.isEmpty ? "/" : parent
    name =
      isStandard
      ? parent.split(separator: "/").last.map { String($0) } ?? "result"
      : String(last.dropLast(ending.count))
  }
}
