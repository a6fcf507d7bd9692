// SPDX-License-Identifier: MIT
//
// Why inputs cannot be made into an image to fit.

/// An input which no fit can use; the description says what was expected, what was found, what to do.
public struct ObservedImageError: Error, Sendable, Hashable, CustomStringConvertible {
  /// What is wrong with the input.
  public enum Kind: Sendable, Hashable {
    /// An array whose length is not width · height.
    case wrongCount(expected: Int, found: Int)
    /// An image that has no pixels.
    case emptyImage(width: Int, height: Int)
    /// An image whose shape is not that of the science image.
    case shapesDiffer(
      expectedWidth: Int, expectedHeight: Int, foundWidth: Int, foundHeight: Int)
    /// No map of the noise, or more than one.
    case noiseMapCount(Int)
    /// No pixel is left to fit: `masked` by the user, and `unusable` by their values.
    case everythingMasked(masked: Int, unusable: Int)
    /// A noise in a good pixel whose square overflows or underflows.
    case noiseOutOfRange(Double)
    /// A PSF with NaN or infinite pixels.
    case pointSpreadNotFinite(count: Int)
    /// A PSF whose pixels do not add to a positive number.
    case pointSpreadSum(Double)
  }

  /// What is wrong.
  public var kind: Kind

  /// The file, or the name of the array.
  public var subject: String

  /// Creates an error.
  public init(_ kind: Kind, subject: String) {
    self.kind = kind
    self.subject = subject
  }

  /// What was expected, what was found, what to do.
  public var description: String { "\(subject): \(explanation)" }

  /// The description without the subject.
  package var explanation: String {
    switch kind {
    case .wrongCount(let expected, let found):
      "expected \(expected) pixels (width · height of the science image), found \(found). "
        + "Give all images of the same cutout."
    case .emptyImage(let width, let height):
      "expected an image of at least 1 × 1 pixels, found \(width) × \(height). "
        + "Check the file and the section."
    case .shapesDiffer(let expectedWidth, let expectedHeight, let foundWidth, let foundHeight):
      "expected the shape of the science image, \(expectedWidth) × \(expectedHeight) (x × y), "
        + "found \(foundWidth) × \(foundHeight). "
        + (foundWidth == expectedHeight && foundHeight == expectedWidth
          ? "The axes seem to be exchanged: transpose it, or cut both in the same way."
          : "Cut all images to the same section.")
    case .noiseMapCount(let count):
      "expected one map of the noise (rms, variance or weight), found \(count). Give exactly one."
    case .everythingMasked(let masked, let unusable):
      "expected some good pixels, found none: \(masked) are masked, \(unusable) have no usable value "
        + "or rms."
        + (unusable > 0
          ? " Usable are finite data with a finite rms above 0: check both files, their HDUs and units."
          : "")
        + (masked > 0
          ? " If the mask marks good pixels, say which value is good (--mask-good-value)." : "")
    case .noiseOutOfRange(let rms):
      "expected an rms whose square is a number of double precision, found \(rms). "
        + "Express data and rms in another unit."
    case .pointSpreadNotFinite(let count):
      "expected finite numbers in the PSF, found \(count) pixels that are NaN or infinite. "
        + "Replace them by zero or by a model of the wings."
    case .pointSpreadSum(let sum):
      "expected a PSF whose pixels add to 1, found a sum of \(sum). "
        + "Check that this is the PSF, background-subtracted; a positive sum may be normalised (--normalize-psf)."
    }
  }
}
