// SPDX-License-Identifier: MIT
//
// The one error of this module: a picture that cannot be made or written.

/// A failure to make or write a picture.
public struct PlotError: Error, Sendable, CustomStringConvertible {
  /// The kinds of failure.
  public enum Kind: Sendable, Hashable {
    /// The file name ends in none of .png, .pdf, .svg.
    case unknownFormat
    /// The picture is larger than the format allows, or has no size.
    case badSize
    /// The file cannot be written.
    case notWritable
    /// The drawing library failed, with its status number.
    case library(status: Int)
  }

  /// What kind of failure it is.
  public let kind: Kind

  /// The file, as the caller named it; empty while no file is concerned.
  public let file: String

  /// What was expected, what was found, and what to do.
  public let message: String

  /// Creates an error.
  init(_ kind: Kind, file: String = "", _ message: String) {
    self.kind = kind
    self.file = file
    self.message = message
  }

  /// The file and the message.
  public var description: String { file.isEmpty ? message : "\(file): \(message)" }
}
