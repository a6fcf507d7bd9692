// SPDX-License-Identifier: MIT
//
// The files of a result: result.json, model.fits and the pictures.

import FITS
import GalaxyModels
import Inference
import JSON
import Plotting
import Rendering

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

extension FitResult {
  /// Writes all files of the result; what one of them meets does not keep the others from being written.
  ///
  /// Posterior and pictures of an earlier result in the folder, which this one does not have, are removed.
  ///
  /// - Parameters:
  ///   - folder: The folder.
  ///   - plots: Whether to draw pictures.
  /// - Returns: The files, each with what kept it from being written, if anything did.
  public func write(to folder: OutputFolder, plots: Bool = true) -> [OutputProduct] {
    var products = [
      folder.write(json.text + "\n", to: "result.json"),
      folder.write("model.fits") { try FITSWriter.write(try images(), to: $0) },
    ]
    if posterior != nil {
      products.append(folder.write("posterior.asdf") { try record.save(to: $0) })
    }
    if plots { products += writePlots(to: folder) }
    folder.removeOthers(
      than: products, among: ["posterior.asdf", "residual.png", "corner.png"])
    return products
  }

  /// The HDUs of model.fits: cards only, DATA, RMS, MASK, MODEL, RESIDUAL, SKY, one for each component, and the PSF.
  func images() throws -> [FITSOutputImage] {
    let pixels = FittedPixels(best.fit.image, model: best.modelImage)
    // Where the input has no number, neither has the output: the zeros of the fit would look like data.
    let residual = zip(pixels.data, best.modelImage).map { $0 - $1 }
    var list = [FITSOutputImage(name: "", cards: record.report.provenanceCards)] + pixels.frames
    list += [pixels.frame("RESIDUAL", residual), pixels.frame("SKY", best.skyImage)]
    for component in try best.components() {
      list.append(pixels.frame(component.name.uppercased(), component.image))
    }
    if let psf = pixels.image.psf {
      list.append(
        FITSOutputImage(name: "PSF", width: psf.width, height: psf.height, values: psf.values))
    }
    return list
  }

  /// Draws the pictures.
  private func writePlots(to folder: OutputFolder) -> [OutputProduct] {
    // A model image without numbers has no picture.
    guard isUsable else { return [] }
    var products = [
      folder.write("residual.png") { try best.residualPlot().write(to: $0) }
    ]
    if let posterior {
      products.append(folder.write("corner.png") { try posterior.cornerPlot().write(to: $0) })
    }
    return products
  }
}
