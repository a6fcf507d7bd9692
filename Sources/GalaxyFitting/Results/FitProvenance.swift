// SPDX-License-Identifier: MIT
//
// Where a result comes from: inputs with checksums, seed, command line, version, defaults that were used.

internal import FITS
public import GalaxyModels

/// The version of this package.
public let swiftSersicVersion = "0.1.0"

/// An input of a fit: its name and, where it is a file, its checksum.
public struct InputFile: Sendable, Hashable {
  /// What it was used as: image, rms, psf, mask.
  public let role: String

  /// The name as given, with HDU and section.
  public let name: String

  /// The SHA-256 digest of the file; nil where there is no file.
  public let sha256: String?

  /// Takes what is known of an input.
  init(role: String, name: String, sha256: String?) {
    self.role = role
    self.name = name
    self.sha256 = sha256
  }

  /// Looks at an input; the file is read once more for its checksum.
  public init(role: String, name: String) {
    self.role = role
    self.name = name
    sha256 = GalaxyFitting.sha256(ofFile: pathOfFITSName(name))
  }
}

/// Where a result comes from.
public struct FitProvenance: Sendable, Hashable {
  /// The inputs.
  public var inputs: [InputFile]

  /// The seed of all draws.
  public var seed: UInt64

  /// The command line; nil for a fit made by a program.
  public var command: String?

  /// The version of this package.
  public var version: String

  /// The settings that were not given, with their default values.
  public var defaults: [String: String]

  /// Creates the provenance of a fit.
  public init(
    inputs: [InputFile] = [], seed: UInt64 = 0, command: String? = nil,
    version: String = swiftSersicVersion, defaults: [String: String] = [:]
  ) {
    self.inputs = inputs
    self.seed = seed
    self.command = command
    self.version = version
    self.defaults = defaults
  }

  /// Returns the inputs of an image that was read from files; the noise under the name of its form.
  public static func inputs(of image: ObservedImage, noise: String = "rms") -> [InputFile] {
    var list = [
      InputFile(role: "image", name: image.names.science),
      InputFile(role: noise, name: image.names.noise),
    ]
    if let name = image.names.psf { list.append(InputFile(role: "psf", name: name)) }
    if let name = image.names.mask { list.append(InputFile(role: "mask", name: name)) }
    return list
  }

  /// Returns a command line that a shell reads as these words.
  public static func command(_ words: [String]) -> String {
    words.map { word in
      let isPlain = word.unicodeScalars.allSatisfy { scalar in
        scalar.isASCII
          && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil
            || "-_=./,:+@%".unicodeScalars.contains(scalar))
      }
      if isPlain && !word.isEmpty { return word }
      return "'"
        + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''")
        + "'"
    }.joined(separator: " ")
  }
}
