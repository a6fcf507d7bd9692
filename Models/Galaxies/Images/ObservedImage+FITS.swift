// SPDX-License-Identifier: MIT
//
// An image to fit from FITS files: science image, noise, PSF and mask by name.

internal import FITS
internal import Rendering

extension ObservedImage {
  /// Reads an image to fit from FITS files, and checks it.
  ///
  /// Names may carry CFITSIO's extended syntax: `image.fits[SCI]`, `image.fits[1][101:221,51:171]`. A section of the
  /// science image sets `origin`, and its header's WCS is that of the section. Exactly one of `rms`, `variance` and
  /// `weight` is given; pixels that are blank in any file are masked.
  ///
  /// - Parameters:
  ///   - science: The science image.
  ///   - rms: One standard deviation of each pixel.
  ///   - variance: The square of the rms.
  ///   - weight: One over the variance; 0 marks a pixel without data.
  ///   - psf: The PSF; none unless given.
  ///   - mask: The mask: true, that is not 0, where a pixel is bad; no pixel is bad unless given.
  ///   - maskGoodValue: The value of good pixels in the mask, where it is not 0; all others are bad.
  ///   - normalizePSF: Whether to divide the PSF by its sum; it is used as given otherwise.
  ///   - psfOversampling: The number of PSF pixels along one image pixel, at least 1.
  ///   - psfCenter: The position of the star in the PSF, first pixel 0; (size − 1)/2 unless given.
  ///   - pixelResponse: Whether the PSF contains the pixel response: `.included` with a PSF, `.integrated` without.
  ///   - zeroPoint: The magnitude of one image unit of flux.
  /// - Throws: `FITSError` where a file cannot be read, `ObservedImageError` where what it holds cannot be used.
  /// - Precondition: `psfOversampling` is at least 1.
  public init(
    science: String, rms: String? = nil, variance: String? = nil, weight: String? = nil,
    psf: String? = nil, mask: String? = nil, maskGoodValue: Double? = nil,
    normalizePSF: Bool = false, psfOversampling: Int = 1, psfCenter: ImagePoint? = nil,
    pixelResponse: PixelResponse? = nil, zeroPoint: Double? = nil
  ) throws {
    let noiseNames = [rms, variance, weight].compactMap { $0 }
    guard noiseNames.count == 1 else {
      throw ObservedImageError(
        .noiseMapCount(noiseNames.count), subject: noiseNames.last ?? science)
    }
    var remarks: [InputFinding] = []
    let image = try FITSImage(reading: science)
    remarks += image.remarks

    /// Reads an image that must have the shape of the science image.
    func companion(_ name: String) throws -> FITSImage {
      let other = try FITSImage(reading: name)
      guard other.width == image.width, other.height == image.height else {
        throw ObservedImageError(
          .shapesDiffer(
            expectedWidth: image.width, expectedHeight: image.height, foundWidth: other.width,
            foundHeight: other.height), subject: name)
      }
      remarks += other.remarks
      return other
    }

    let noiseImage = try companion(noiseNames[0])
    let noise: NoiseMap =
      rms != nil
      ? .rms(noiseImage.values)
      : variance != nil ? .variance(noiseImage.values) : .weight(noiseImage.values)
    // A blank pixel of a mask differs from any good value: it is bad.
    let bad = try mask.map { name in
      try companion(name).values.map { $0 != maskGoodValue ?? 0 }
    }
    let pointSpread = try psf.map { name in
      let values = try FITSImage(reading: name)
      remarks += values.remarks
      return PointSpreadFunction(
        width: values.width, height: values.height, values: values.values, centerX: psfCenter?.x,
        centerY: psfCenter?.y, oversampling: psfOversampling)
    }
    try self.init(
      width: image.width, height: image.height, science: image.values, noise: noise, mask: bad,
      psf: pointSpread, normalizePSF: normalizePSF, pixelResponse: pixelResponse,
      origin: ImagePoint(x: Double(image.x0), y: Double(image.y0)), header: image.header,
      names: InputNames(science: science, noise: noiseNames[0], mask: mask, psf: psf),
      zeroPoint: zeroPoint, remarks: remarks)
  }
}

extension FITSImage {
  /// What the reader remarked on, as findings.
  fileprivate var remarks: [InputFinding] {
    notes.map { InputFinding(.note, "fits", subject: name, $0) }
  }
}
