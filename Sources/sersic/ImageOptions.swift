// SPDX-License-Identifier: MIT
//
// The options that name an image, its noise, its PSF and its mask, and where its source is.

import ArgumentParser
import GalaxyFitting
import GalaxyModels
import Rendering

/// The image to fit and what goes with it.
struct ImageOptions: ParsableArguments {
  @Argument(
    help: ArgumentHelp(
      "The science image, FITS; an HDU and a section may follow: image.fits[SCI][101:221,51:171]. .gz and .fz are read.",
      valueName: "image"))
  var image: String

  @Option(help: "The rms of each pixel, FITS.")
  var rms: String?

  @Option(help: "The variance of each pixel, instead of --rms.")
  var variance: String?

  @Option(help: "The weight (1 / variance) of each pixel, instead of --rms.")
  var weight: String?

  @Option(help: "The point-spread function, FITS. (default: none)")
  var psf: String?

  @Option(help: "The mask, FITS: not 0 where a pixel is bad. (default: no pixel is bad)")
  var mask: String?

  @Option(
    name: .customLong("mask-good-value"), parsing: .unconditional,
    help: "The value of good pixels in the mask; all others are bad. (default: 0)")
  var maskGoodValue: Double?

  @Option(
    name: .customLong("psf-center"), parsing: .unconditional,
    help: ArgumentHelp(
      "The position of the star in the PSF, first pixel 0. (default: its middle)", valueName: "x,y")
  )
  var psfCenter: String?

  @Option(
    name: .customLong("psf-oversampling"), parsing: .unconditional,
    help: "The number of PSF pixels along an image pixel.")
  var psfOversampling = 1

  @Flag(name: .customLong("normalize-psf"), help: "Divide the PSF by its sum. (default: as given)")
  var normalizePSF = false

  @Option(
    name: .customLong("pixel-response"),
    help:
      "Whether the PSF includes the response of the pixel (PSF from stars), or the profile is to be integrated over pixels. (default: included with a PSF, integrated without)"
  )
  var pixelResponse: PixelResponse?

  @Option(
    name: .customLong("zero-point"), parsing: .unconditional,
    help: "The magnitude of one image unit of flux. (default: none; no magnitudes)")
  var zeroPoint: Double?

  /// The word for the form of the noise map.
  var noiseWord: String { variance != nil ? "variance" : weight != nil ? "weight" : "rms" }

  /// Reads and checks the image.
  ///
  /// - Throws: `OptionError`, `FITSError` or `ObservedImageError`.
  func observedImage() throws -> ObservedImage {
    guard psfOversampling >= 1 else {
      throw OptionError(
        "--psf-oversampling", "expected a whole number from 1, found \(psfOversampling)")
    }
    let noise = [rms, variance, weight].compactMap { $0 }
    guard noise.count == 1 else {
      throw OptionError(
        "--rms",
        "expected one of --rms, --variance and --weight, found \(noise.count); give exactly one")
    }
    guard mask != nil || maskGoodValue == nil else {
      throw OptionError(
        "--mask-good-value", "expected a mask to go with it, found none; add --mask")
    }
    guard psf != nil || (psfCenter == nil && psfOversampling == 1 && !normalizePSF) else {
      throw OptionError("--psf", "expected a PSF for its options, found none; add --psf")
    }
    if let zeroPoint, !zeroPoint.isFinite {
      throw OptionError("--zero-point", "expected a finite number, found \(zeroPoint)")
    }
    let center = try psfCenter.map { try point($0, "--psf-center") }
    let observed = try ObservedImage(
      science: image, rms: rms, variance: variance, weight: weight, psf: psf, mask: mask,
      maskGoodValue: maskGoodValue, normalizePSF: normalizePSF, psfOversampling: psfOversampling,
      psfCenter: center, pixelResponse: pixelResponse, zeroPoint: zeroPoint)
    if let center, let psf = observed.psf,
      !(center.x > -0.5 && center.x < Double(psf.width) - 0.5 && center.y > -0.5
        && center.y < Double(psf.height) - 0.5)
    {
      throw OptionError(
        "--psf-center",
        "expected a position in the PSF of \(psf.width) × \(psf.height) pixels, first pixel 0, found \(center.x),\(center.y); count in pixels of the PSF's own image"
      )
    }
    return observed
  }
}

/// Where the one source of an image is.
struct PositionOptions: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Where the source is, roughly: pixels of the image or section, first pixel 0. (default: the frame's centre)",
      valueName: "x,y"))
  var center: String?

  /// Returns where the source is, roughly; nil where that was not said.
  func position() throws -> ImagePoint? { try center.map { try point($0, "--center") } }

  /// Checks that the source lies on the frame.
  func check(_ position: ImagePoint?, in image: ObservedImage) throws {
    guard let position else { return }
    guard (-0.5...Double(image.width) - 0.5).contains(position.x),
      (-0.5...Double(image.height) - 0.5).contains(position.y)
    else {
      throw OptionError(
        "--center",
        "expected a position on the frame of \(image.width) × \(image.height) pixels, found \(position.x),\(position.y); in a section positions count from its first pixel"
      )
    }
  }
}

/// Returns the position in a text like `60.5,59`.
private func point(_ text: String, _ option: String) throws(OptionError) -> ImagePoint {
  let parts = text.split(separator: ",", omittingEmptySubsequences: false).map {
    Double(String($0.drop { $0 == " " }))
  }
  guard parts.count == 2, let x = parts[0], let y = parts[1], x.isFinite, y.isFinite else {
    throw OptionError(option, "expected X,Y such as 60.5,59, found \"\(text)\"")
  }
  return ImagePoint(x: x, y: y)
}
