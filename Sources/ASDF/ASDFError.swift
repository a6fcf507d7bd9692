// SPDX-License-Identifier: MIT
//
// The one error of this module: what went wrong with which file and where in it, what was expected, and what to do.

/// A failure to read or write an ASDF file.
public struct ASDFError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The kinds of failure, for code that reacts to them.
  public enum Kind: Sendable, Hashable {
    /// The file cannot be read.
    case notReadable
    /// The file cannot be written.
    case notWritable
    /// The file is not in ASDF format.
    case notASDF
    /// The tree is not YAML.
    case badTree
    /// The file ends before it should.
    case truncated
    /// A block does not hold what its checksum says.
    case badChecksum
    /// A block or an array contradicts itself.
    case badArray
    /// The file uses something that is not understood here: compression, external files, other types of data.
    case unsupported
  }

  /// What kind of failure it is.
  public let kind: Kind

  /// The file; nil for bytes in memory.
  public var file: String?

  /// Where in the file: a path in the tree, a line, or a block.
  public let location: String?

  /// What was expected, what was found, and what to do.
  public let explanation: String

  /// Creates an error.
  init(_ kind: Kind, file: String? = nil, at location: String? = nil, _ explanation: String) {
    self.kind = kind
    self.file = file
    self.location = location
    self.explanation = explanation
  }

  public var description: String {
    let place = [file, location].compactMap { $0 }.joined(separator: ", ")
    return place.isEmpty ? explanation : "\(place): \(explanation)"
  }
}
