// SPDX-License-Identifier: MIT
//
// The files of a result: result.json, model.fits and the pictures.

import ASDF
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
  /// - Parameters:
  ///   - folder: The folder.
  ///   - plots: Whether to draw pictures.
  /// - Returns: The files, each with what kept it from being written, if anything did.
  public func write(to folder: OutputFolder, plots: Bool = true) -> [OutputProduct] {
    var products = [
      folder.write(json.text + "\n", to: "result.json"),
      folder.write("model.fits") { try FITSWriter.write(try images(), to: $0) },
    ]
    if let asdf {
      products.append(
        folder.write("posterior.asdf") { path in
          try ASDFWriter(software: "swift-sersic", version: provenance.version)
            .write(asdf, to: path)
        })
    }
    if plots { products += writePlots(to: folder) }
    return products
  }

  /// The HDUs of model.fits: cards only, DATA, RMS, MASK, MODEL, RESIDUAL, SKY, and one for each component.
  func images() throws -> [FITSOutputImage] {
    let image = best.fit.image
    let coordinates = image.header.worldCoordinates
    // Where the input has no number, neither has the output: the zeros of the fit would look like data.
    let data = zip(image.science, image.isMissing).map { $1 ? Double.nan : $0 }
    let residual = zip(data, best.modelImage).map { $0 - $1 }
    /// Returns an image of the frame's size with the world coordinates of the input.
    func frame(_ name: String, _ values: [Double])
      -> FITSOutputImage
    {
      FITSOutputImage(
        name: name, width: image.width, height: image.height, values: values, cards: coordinates)
    }
    var list = [
      FITSOutputImage(name: "", cards: provenanceCards),
      frame("DATA", data),
      frame("RMS", image.rms),
      FITSOutputImage(
        name: "MASK", width: image.width, height: image.height, mask: image.mask,
        cards: coordinates),
      frame("MODEL", best.modelImage),
      frame("RESIDUAL", residual),
      frame("SKY", best.skyImage),
    ]
    for component in try best.components() {
      list.append(frame(component.name.uppercased(), component.image))
    }
    return list
  }

  /// The cards that say what was done.
  private var provenanceCards: [FITSCard] {
    let fit = best.fit
    var cards = [
      FITSCard("CREATOR", "swift-sersic \(provenance.version)", comment: "software"),
      FITSCard("METHOD", method, comment: "way of fitting"),
      FITSCard("PROFILE", fit.prior.title, comment: "light profile"),
      FITSCard("SKYMODEL", fit.prior.sky.rawValue, comment: "form of the sky"),
      FITSCard("LOSS", "\(fit.loss)", comment: "density of the pixels"),
      FITSCard("RENDERER", renderer.rawValue, comment: "way of drawing"),
      FITSCard(
        "PIXRESP", fit.pixelResponse.rawValue, comment: "pixel response: in the PSF, or integrated"),
      FITSCard("SEED", Int(clamping: provenance.seed), comment: "seed of all draws"),
      FITSCard("CONVERGD", best.isConverged, comment: "whether the search converged"),
      FITSCard("LOGPOST", best.logPosterior, comment: "log posterior density at the maximum"),
      FITSCard("CHI2", best.chiSquared, comment: "sum of squared residuals over rms"),
      FITSCard("NPIX", best.pixelCount, comment: "number of good pixels"),
    ]
    for summary in parameters {
      let unit = summary.unit.isEmpty ? "" : " [\(summary.unit)]"
      cards.append(
        FITSCard(
          summary.name, summary.map,
          comment: (summary.isFixed ? "fixed" : "maximum of the posterior")
            + unit.replacing("²", with: "2")))
      // A keyword has eight characters: the error's name is cut before its prefix.
      if let sd = summary.standardDeviation {
        cards.append(
          FITSCard(
            "E_" + String(summary.name.replacing("_", with: "").prefix(6)), sd,
            comment: "standard deviation of \(summary.name)"))
      }
    }
    for input in provenance.inputs {
      cards.append(
        .history("\(input.role): \(input.name) sha256 \(input.sha256 ?? "unknown")"))
    }
    if let command = provenance.command { cards.append(.history("command: \(command)")) }
    for (site, prior) in fit.prior.texts.sorted(by: { $0.key < $1.key }) {
      cards.append(.history("prior: \(site) \(prior)"))
    }
    for warning in warnings { cards.append(.history("warning: \(warning.message)")) }
    return cards
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
