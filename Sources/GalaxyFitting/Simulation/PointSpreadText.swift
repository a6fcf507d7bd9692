// SPDX-License-Identifier: MIT
//
// Point-spread functions as text: a file, `moffat:fwhm=3,beta=3`, `gaussian:fwhm=3`.

internal import FITS
public import Rendering

/// Returns the point-spread function that a text stands for.
///
/// - Parameter text: `moffat:fwhm=F,beta=B`, `gaussian:fwhm=F`, each with `size=N` if wanted, or the name of a FITS image.
/// - Returns: The point-spread function, as given.
/// - Throws: ``OptionError`` for impossible numbers, `FITSError` where a file cannot be read, `RenderingError` where it
///   holds no point-spread function.
public func pointSpread(from text: String) throws -> PointSpreadFunction {
  let word = text.lowercased().prefix { $0 != ":" && $0 != "(" }
  guard word == "moffat" || word == "gaussian", word.count < text.count else {
    let image = try FITSImage(reading: text)
    let psf = PointSpreadFunction(width: image.width, height: image.height, values: image.values)
    try validated(psf, text)
    return psf
  }
  let option = try OptionText(text, subject: "--psf")
  let isMoffat = option.word == "moffat"
  let values = try option.values(
    isMoffat ? ["fwhm", "beta", "size"] : ["fwhm", "size"], required: isMoffat ? 2 : 1)
  var size: Int?
  if let number = values[values.count - 1] {
    guard let whole = Int(exactly: number), (1...4096).contains(whole) else {
      throw OptionError("--psf", "expected a whole size from 1 to 4096 pixels, found \(number)")
    }
    size = whole
  }
  do throws(RenderingError) {
    return isMoffat
      ? try .moffat(fwhm: values[0] ?? 0, beta: values[1] ?? 0, size: size)
      : try .gaussian(fwhm: values[0] ?? 0, size: size)
  } catch {
    throw OptionError("--psf", "\(text): \(error)")
  }
}

/// Throws where a function read from a file has pixels that are not finite, or no positive sum.
private func validated(_ psf: PointSpreadFunction, _ name: String) throws(OptionError) {
  let bad = psf.values.count { !$0.isFinite }
  guard bad == 0 else {
    throw OptionError(
      name, "expected finite numbers in the PSF, found \(bad) that are not; replace them by 0")
  }
  let sum = psf.values.reduce(0, +)
  guard sum > 0 else {
    throw OptionError(name, "expected a PSF whose pixels add to 1, found a sum of \(sum)")
  }
}
