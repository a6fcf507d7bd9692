// SPDX-License-Identifier: MIT
//
// The one error of this module: what went wrong with which file and HDU, what was expected, and what to do.

/// A failure to read or write a FITS file.
public struct FITSError: Error, Sendable, CustomStringConvertible {
  /// The kinds of failure, for code that reacts to them.
  public enum Kind: Sendable, Hashable {
    /// There is no file of that name.
    case fileNotFound
    /// The file exists but cannot be opened for reading.
    case fileNotReadable
    /// The file is not in FITS format.
    case notFITS
    /// The file ends before its header says it should.
    case truncated
    /// The header contradicts itself or the standard.
    case badHeader
    /// The extended part of the name cannot be understood.
    case badName
    /// The file has no HDU of that name or number.
    case noSuchHDU
    /// The HDU is a table where an image is expected.
    case notAnImage
    /// The HDU is an image where a table is expected.
    case notATable
    /// The HDU has no data.
    case emptyHDU
    /// The image has other than two axes longer than one pixel; the payload lists their lengths, NAXIS1 first.
    case notTwoDimensional(axes: [Int])
    /// The section lies outside the image or has the wrong number of ranges.
    case badSection
    /// The table has no column of that name, or the column has another type.
    case noSuchColumn
    /// The file cannot be created, written or replaced.
    case notWritable
    /// The header has no coordinates on the sky.
    case noWorldCoordinates
    /// The coordinates on the sky contradict themselves, or do not reach a place.
    case badWorldCoordinates
    /// Another failure reported by the library, with its status number.
    case library(status: Int)
  }

  /// What kind of failure it is.
  public let kind: Kind

  /// The file, as the caller named it.
  public let file: String

  /// The HDU concerned, as a number and a name, if there is one.
  public let hdu: String?

  /// What was expected, what was found, and what to do.
  public let message: String

  /// The messages of CFITSIO for this failure, oldest first.
  public let libraryMessages: [String]

  /// Creates an error.
  package init(
    _ kind: Kind, file: String, hdu: String? = nil, _ message: String, library: [String] = []
  ) {
    self.kind = kind
    self.file = file
    self.hdu = hdu
    self.message = message
    libraryMessages = library
  }

  /// The whole failure as text: file, HDU, message and what the library said.
  public var description: String {
    let place = hdu.map { "\(file), HDU \($0)" } ?? file
    let said =
      libraryMessages.isEmpty ? "" : " [CFITSIO: " + libraryMessages.joined(separator: "; ") + "]"
    return "\(place): \(message)\(said)"
  }
}
