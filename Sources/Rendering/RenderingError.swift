// SPDX-License-Identifier: MIT
//
// What can be wrong with the inputs of a renderer or an image likelihood.

/// A mistake in the inputs of rendering: what was expected, what was found, what to do.
public struct RenderingError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The sort of mistake.
  public enum Kind: Hashable, Sendable {
    /// An image, a frame or a point-spread function has no pixels.
    case emptyGrid
    /// A point-spread function cannot be used: not finite, or its sum is not positive.
    case invalidPointSpread
    /// A number that describes an analytic point-spread function is out of range.
    case invalidWidth
    /// A scene holds something that the renderer cannot draw.
    case unsupportedScene
    /// A radial profile by its function or transform has no finite light, or is not smooth.
    case invalidProfile
    /// A value of the data or of the rms is not usable and not masked.
    case invalidData
    /// A loss has a parameter out of range.
    case invalidLoss
  }

  /// The sort of mistake.
  public let kind: Kind

  /// What was expected, what was found, and what to do.
  public let description: String

  /// Creates an error; the description says what was expected, what was found, what to do.
  package init(_ kind: Kind, expected: String, found: String, advice: String) {
    self.kind = kind
    description = "expected \(expected), found \(found): \(advice)"
  }
}
