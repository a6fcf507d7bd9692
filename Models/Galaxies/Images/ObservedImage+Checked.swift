// SPDX-License-Identifier: MIT
//
// An observed image made of arrays that have been checked before, such as those of a saved result.

import Numerics
package import FITS
package import Rendering

extension ObservedImage {
  /// Creates an image of checked arrays; it has no findings.
  ///
  /// - Parameters:
  ///   - width: The number of columns.
  ///   - height: The number of rows.
  ///   - science: The pixels, all finite.
  ///   - rms: One standard deviation of each pixel, all finite and positive.
  ///   - mask: True where a pixel is bad.
  ///   - isMissing: True where the input had no number.
  ///   - psf: The PSF, as it is used.
  ///   - pixelResponse: Whether the PSF contains the pixel response.
  ///   - origin: The first pixel in the parent image.
  ///   - header: The header of the science image.
  ///   - names: The names of the inputs.
  ///   - zeroPoint: The magnitude of one image unit of flux.
  /// - Precondition: All arrays have `width · height` elements.
  package init(
    checked width: Int, height: Int, science: [Double], rms: [Double], mask: [Bool],
    isMissing: [Bool], psf: PointSpreadFunction?, pixelResponse: PixelResponse,
    origin: ImagePoint, header: FITSHeader, names: InputNames, zeroPoint: Double?
  ) {
    demand(
      [science.count, rms.count, mask.count, isMissing.count].allSatisfy { $0 == width * height },
      "ObservedImage: expected \(width) × \(height) values, got \(science.count), \(rms.count), \(mask.count), \(isMissing.count)"
    )
    self.width = width
    self.height = height
    self.science = science
    self.rms = rms
    self.mask = mask
    self.isMissing = isMissing
    self.psf = psf
    self.pixelResponse = pixelResponse
    self.origin = origin
    self.header = header
    self.names = names
    self.zeroPoint = zeroPoint
    findings = []
  }
}
