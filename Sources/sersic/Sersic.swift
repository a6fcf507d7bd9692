// SPDX-License-Identifier: MIT
//
// The root command, and how errors become messages and exit status: 0 done, 1 failed, 2 input or options wrong.

import ASDF
import ArgumentParser
import FITS
import GalaxyFitting
import GalaxyModels
import JSON

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The command.
struct Sersic: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sersic",
    abstract: "Fits Sérsic profiles to images of galaxies.",
    discussion: """
      Start with `sersic check` to see whether the inputs are sound, then `sersic fit`. \
      `sersic simulate` makes an image with known parameters to try both on.

      Exit status: 0 done, 1 the fit or the writing failed, 2 input or options are wrong.
      """,
    version: swiftSersicVersion,
    subcommands: [
      FitCommand.self, MultiCommand.self, BandsCommand.self, SimulateCommand.self,
      CheckCommand.self,
      DetectCommand.self,
      GalfitCommand.self, SummaryCommand.self, PlotCommand.self,
    ])

  /// Runs the command; returns the exit status.
  static func start() -> Int32 {
    // `sersic fit … | head` must not end the process before its files are written.
    signal(SIGPIPE, SIG_IGN)
    // A limit on the size of files is met like a full disk: by the file that it stops, not by the process.
    signal(SIGXFSZ, SIG_IGN)
    do {
      var command = try parseAsRoot()
      try command.run()
      return ExitStatus.done
    } catch let status as ExitCode {
      return status.rawValue
    } catch {
      if let message = inputMessage(error) {
        Terminal.report("error: \(message)")
        return ExitStatus.wrongInput
      }
      let text = fullMessage(for: error)
      switch exitCode(for: error) {
      case .success:
        return Terminal.write(text + "\n") ? ExitStatus.done : ExitStatus.failed
      case .validationFailure:
        Terminal.note(text)
        return ExitStatus.wrongInput
      default:
        Terminal.report("error: \(error)")
        return ExitStatus.failed
      }
    }
  }

  /// Returns the message of an error that is in the input or in the options; nil for others.
  private static func inputMessage(_ error: any Error) -> String? {
    switch error {
    case let error as OptionError: error.description
    case let error as FITSError: error.description
    case let error as ObservedImageError: error.description
    case let error as GalaxyModelError: error.description
    case let error as FitRecordError: error.description
    case let error as ASDFError: error.description
    case let error as JSONFileError: error.description
    default: nil
    }
  }
}

/// The values with which the process ends.
enum ExitStatus {
  /// All was done.
  static let done: Int32 = 0
  /// The fit failed, was stopped, or its results could not all be written.
  static let failed: Int32 = 1
  /// Input or options are wrong.
  static let wrongInput: Int32 = 2
}

/// A fit that failed although its input is sound.
struct CommandFailure: Error, CustomStringConvertible {
  /// What happened and what to do.
  let description: String
}

/// Standard output and standard error.
enum Terminal {
  /// Writes results to standard output; returns whether all was written, and says so where not.
  static func write(_ text: String) -> Bool {
    guard let failure = writeAll(Array(text.utf8), to: STDOUT_FILENO) else { return true }
    // A reader that has seen enough, like `head`, is no failure.
    guard errno != EPIPE else { return true }
    report("error: standard output cannot be written: \(failure)")
    return false
  }

  /// Writes a line to standard error, after the command's name.
  static func report(_ text: String) { note("sersic: \(text)") }

  /// Writes a line to standard error.
  static func note(_ text: String) { _ = writeAll(Array((text + "\n").utf8), to: STDERR_FILENO) }

  /// Writes findings to standard error, one line each, but for those that have been written already.
  static func report(_ findings: [InputFinding], after shown: [InputFinding] = []) {
    for finding in findings where !shown.contains(finding) { report("\(finding)") }
  }

  /// Says which files were written to a folder and which could not be; returns the names of the first.
  static func report(_ products: [OutputProduct], in folder: OutputFolder?) -> [String] {
    for product in products {
      if let failure = product.failure {
        report("error: \(product.path) was not written: \(failure)")
      }
    }
    let written = products.filter { $0.failure == nil }.map(\.name)
    if let folder, !written.isEmpty {
      report("wrote \(written.joined(separator: ", ")) to \(folder.path)")
    }
    return written
  }
}
