// SPDX-License-Identifier: MIT
//
// The result of an imported scene as a table, as JSON, and as files.

import FITS
import GalaxyModels
import Inference
public import JSON
import Plotting

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

extension ImportedFit {
  /// The result as a table of our parameters, and a verdict.
  public var table: String {
    let first = Dictionary(scene.firstValues.map { ($0.site, $0.value) }) { $1 }
    var rows = [["parameter", "first", "MAP", "± sd", "unit"]]
    for (site, _) in scene.firstValues {
      let value = values[site] ?? .nan
      let unit = GalaxySite.unit(of: base(site))
      guard let scalar = scalar(site) else {
        let remark = scene.ties[site].map { "(tied to \($0.reference))" } ?? "(fixed)"
        rows.append(
          [
            site, significant(first[site] ?? .nan, 7), significant(value, 7), "",
            unit.isEmpty ? remark : "\(unit) \(remark)",
          ])
        continue
      }
      let format = NumberFormat(error: scalar.standardDeviation, values: [value])
      rows.append(
        [
          site, significant(first[site] ?? .nan, 7), format(value),
          "± " + format(scalar.standardDeviation), unit,
        ])
    }
    var lines = ["\(image.names.science): \(scene.components.count) components, loss \(loss)", ""]
    rows += magnitudeRows
    lines += TextTable.lines(rows)
    lines.append("")
    lines.append(
      "log posterior \(decimal(maximum.logJoint, 3)), chi2 \(decimal(chiSquared, 1)) for \(image.goodCount) pixels and \(scene.freeSites.count) free parameters: \(decimal(chiSquared / Double(degreesOfFreedom), 3)) per degree of freedom"
    )
    lines.append(
      "\(maximum.optimum.explanation), \(maximum.search.evaluations) evaluations; posterior: \(method.rawValue)"
    )
    if let draws, draws.statistics != nil {
      let scalars = draws.scalars
      let (rHat, bulk) = (scalars.map(\.rHat).max() ?? .nan, scalars.map(\.bulkESS).min() ?? .nan)
      lines.append("R-hat at most \(decimal(rHat, 3)), effective draws at least \(Int(bulk))")
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// The magnitudes of the components with positive flux, where the image has a zero point.
  private var magnitudeRows: [[String]] {
    guard let zeroPoint = image.zeroPoint else { return [] }
    return scene.firstValues.compactMap { site, first in
      guard base(site) == GalaxySite.flux, let flux = values[site], flux > 0 else { return nil }
      /// Returns the magnitude of a flux.
      func magnitude(_ flux: Double) -> Double { zeroPoint - 2.5 * log10(flux) }
      let error = scalar(site).map { 2.5 / log(10) * $0.standardDeviation / flux }
      return [
        "magnitude" + site.dropFirst(GalaxySite.flux.count), decimal(magnitude(first), 4),
        decimal(magnitude(flux), 4), error.map { "± " + decimal($0, 4) } ?? "", "mag",
      ]
    }
  }

  /// Returns a site without the number of its component.
  private func base(_ site: String) -> String {
    guard scene.sky.sites.contains(site) == false, let bar = site.lastIndex(of: "_") else {
      return site
    }
    return String(site[..<bar])
  }

  /// Returns the draws of a site where Markov chains made them.
  private func chains(_ site: String) -> ScalarDraws? {
    draws?.statistics == nil ? nil : scalar(site)
  }

  /// The result as JSON.
  public var json: JSONValue {
    let first = Dictionary(scene.firstValues.map { ($0.site, $0.value) }) { $1 }
    let parameters = scene.firstValues.map { site, _ in
      JSONValue.Member(
        name: site,
        value: .members([
          "first": .number(first[site] ?? .nan), "map": .number(values[site] ?? .nan),
          "mean": scalar(site).map { .number($0.mean) },
          "sd": scalar(site).map { .number($0.standardDeviation) },
          "r_hat": chains(site).map { .number($0.rHat) },
          "ess_bulk": chains(site).map { .number($0.bulkESS) },
          "tied_to": scene.ties[site].map { .string($0.reference) },
        ]))
    }
    return .members([
      "schema": "swift-sersic/imported/1", "loss": .string("\(loss)"),
      "method": .string(method.rawValue),
      "parameters": .object(parameters),
      "fit": .members([
        "log_posterior": .number(maximum.logJoint), "chi2": .number(chiSquared),
        "n_pixels": .integer(image.goodCount),
        "reduced_chi2": .number(chiSquared / Double(degreesOfFreedom)),
        "converged": .bool(maximum.isConverged),
        "evaluations": .integer(maximum.search.evaluations),
      ]),
      "warnings": .array(
        findings.map {
          .members([
            "code": .string($0.code), "subject": .string($0.subject),
            "message": .string($0.message),
          ])
        }),
    ])
  }

  // MARK: - Files

  /// Writes result.json, model.fits (DATA, RMS, MASK, MODEL, RESIDUAL), posterior.asdf (the draws, `Draws(reading:)`), residual.png,
  /// corner.png, and a configuration where there is one.
  public func write(
    to folder: OutputFolder, configuration: GalfitConfiguration? = nil, plots: Bool = true
  ) -> [OutputProduct] {
    var products = [
      folder.write(json.text + "\n", to: "result.json"),
      folder.write("model.fits") { try FITSWriter.write(images, to: $0) },
    ]
    if let configuration { products.append(folder.write(configuration.text, to: "galfit.feedme")) }
    if let draws { products.append(folder.write("posterior.asdf") { try draws.save(to: $0) }) }
    if plots { products.append(folder.write("residual.png") { try residualPlot().write(to: $0) }) }
    if plots, let draws {
      products.append(folder.write("corner.png") { try cornerPlot(draws).write(to: $0) })
    }
    return products
  }

  /// The HDUs of model.fits.
  private var images: [FITSOutputImage] {
    let cards = image.header.worldCoordinates
    let data = zip(image.science, image.isMissing).map { $1 ? Double.nan : $0 }
    /// Returns an image of the frame's size.
    func frame(_ name: String, _ values: [Double]) -> FITSOutputImage {
      FITSOutputImage(
        name: name, width: image.width, height: image.height, values: values, cards: cards)
    }
    return [
      FITSOutputImage(name: "", cards: [FITSCard("CREATOR", "swift-sersic")]),
      frame("DATA", data), frame("RMS", image.rms),
      FITSOutputImage(
        name: "MASK", width: image.width, height: image.height, mask: image.mask, cards: cards),
      frame("MODEL", modelImage), frame("RESIDUAL", zip(data, modelImage).map { $0 - $1 }),
    ]
  }

  /// Returns the corner plot of draws.
  private func cornerPlot(_ draws: Draws) -> Figure {
    let scalars = draws.scalars
    var plot = CornerPlot(
      names: scalars.map(\.name), draws: scalars.map(\.unwrapped),
      units: scalars.map { GalaxySite.unit(of: base($0.name)) },
      references: scalars.map { scalar in values[scalar.name].map { scalar.onBranch($0) } })
    plot.title =
      "\(image.names.science.fileName): \(scene.components.count) components, \(method.rawValue)"
    plot.referenceName = "maximum of the posterior"
    return plot.figure()
  }

  /// Returns the picture of data, model and residual in units of the rms.
  func residualPlot() -> Figure {
    let data = zip(image.science, image.isMissing).map { $1 ? Double.nan : $0 }
    var plot = ResidualPlot(
      width: image.width, height: image.height, data: data, model: modelImage,
      residual: data.indices.map { (data[$0] - modelImage[$0]) / image.rms[$0] },
      mask: image.mask)
    plot.title = "\(scene.components.count) components"
    plot.origin = (x: Int(image.origin.x), y: Int(image.origin.y))
    plot.caption =
      "reduced χ² \(decimal(chiSquared / Double(degreesOfFreedom), 3)), \(image.goodCount) pixels, loss \(loss)"
    return plot.figure()
  }
}
