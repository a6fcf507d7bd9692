// SPDX-License-Identifier: MIT
//
// The result of a joint fit as a table, as JSON, and as files: the joint ones, and a folder for each band.

import ASDF
import GalaxyModels
import Inference
public import JSON
import Plotting
import Rendering

extension BandsResult {
  /// The result as text: the bands, a table of the joint parameters, goodness of fit and verdict.
  public var table: String { table(at: []) }

  /// Returns the result as text, with the values of linked parameters at further wavelengths.
  ///
  /// - Parameter summaries: What ``parameter(_:at:)`` returned.
  /// - Returns: The text.
  public func table(at summaries: [ParameterSummary]) -> String {
    joint.record.report.lines(
      of: joint.record.joint?.rows ?? [], parameters + derived + summaries
    ).joined(separator: "\n") + "\n"
  }

  // MARK: - JSON

  /// The result as a JSON document of the schema `swift-sersic/result/1`, with the bands under `bands`.
  public var json: JSONValue { json(at: []) }

  /// Returns the result as JSON, with the values of linked parameters at further wavelengths.
  ///
  /// - Parameter summaries: What ``parameter(_:at:)`` returned.
  /// - Returns: The document.
  public func json(at summaries: [ParameterSummary]) -> JSONValue {
    guard case .object(let members) = joint.json else { return joint.json }
    // Sky, loss and image are those of the first band there, so that it reads as any result; `bands` has those of each.
    var own = members.filter { $0.name != "derived" }.map { member in
      guard member.name == "fit", case .object(let parts) = member.value else { return member }
      return JSONValue.Member(
        name: "fit", value: .object(parts.filter { $0.name != "flux_fraction_inside" }))
    }
    /// Returns summaries as an object by name.
    func object(_ list: [ParameterSummary]) -> JSONValue {
      .object(list.map { JSONValue.Member(name: $0.name, value: $0.json) })
    }
    own.append(
      JSONValue.Member(
        name: "source_profiles", value: .array(fit.prior.profiles.map { .string($0.rawValue) })))
    own.append(JSONValue.Member(name: "derived", value: object(derived)))
    own.append(
      JSONValue.Member(
        name: "links",
        value: .object(
          fit.prior.parameters.map {
            JSONValue.Member(name: $0.name, value: .string("\($0.link)"))
          })))
    if !summaries.isEmpty {
      own.append(JSONValue.Member(name: "wavelengths", value: object(summaries)))
    }
    own.append(JSONValue.Member(name: "bands", value: .array(bands.indices.map { band(at: $0) })))
    return .object(own)
  }

  /// Returns a band as JSON: what was fitted, how its pixels lie, its parameters in its own pixels.
  private func band(at number: Int) -> JSONValue {
    let (band, result) = (fit.bands[number], bands[number])
    let image = band.image
    /// Returns summaries as an object by name.
    func object(_ list: [ParameterSummary]) -> JSONValue {
      .object(list.map { JSONValue.Member(name: $0.name, value: $0.json) })
    }
    return .members([
      "name": .string(band.name),
      "image": .string(image.names.science),
      "wavelength": band.wavelength.map { .number($0) },
      "zero_point": image.zeroPoint.map { .number($0) },
      "width": .integer(image.width), "height": .integer(image.height),
      "sky": .string(band.sky.rawValue), "loss": .string("\(band.loss)"),
      "pixel_response": .string(image.pixelResponse.rawValue),
      "chi2": .number(result.best.chiSquared), "n_pixels": .integer(result.best.pixelCount),
      "maps": .array(
        fit.maps[number].map { map in
          .array([map.xx, map.xy, map.yx, map.yy, map.x0, map.y0].map { .number($0) })
        }),
      "parameters": object(result.parameters),
      "derived": result.derived.isEmpty ? nil : object(result.derived),
    ])
  }

  // MARK: - Files

  /// Writes all files: `result.json`, `corner.png` and `posterior.asdf` of the joint fit, and for each band a folder of its
  /// name with the files of a fit of one image; what one of them meets does not keep the others from being written.
  ///
  /// - Parameters:
  ///   - folder: The folder.
  ///   - plots: Whether to draw pictures.
  ///   - summaries: Values at further wavelengths, for `result.json`.
  /// - Returns: The files, each with what kept it from being written, if anything did.
  public func write(
    to folder: OutputFolder, plots: Bool = true, summaries: [ParameterSummary] = []
  ) -> [OutputProduct] {
    var products = [folder.write(json(at: summaries).text + "\n", to: "result.json")]
    if let tree = asdf(at: summaries) {
      products.append(
        folder.write("posterior.asdf") { path in
          try ASDFWriter(software: "swift-sersic", version: joint.provenance.version)
            .write(tree, to: path)
        })
    }
    if plots, joint.isUsable, let posterior {
      products.append(folder.write("corner.png") { try posterior.cornerPlot().write(to: $0) })
    }
    folder.removeOthers(than: products, among: ["posterior.asdf", "corner.png"])
    for (band, result) in zip(fit.bands, bands) {
      let path = "\(folder.path)/\(band.name)"
      do {
        products += try result.write(to: OutputFolder(path), plots: plots).map { product in
          OutputProduct(
            name: "\(band.name)/\(product.name)", path: product.path, failure: product.failure)
        }
      } catch {
        products.append(OutputProduct(name: band.name, path: path, failure: "\(error)"))
      }
    }
    return products
  }

  /// Returns the tree of posterior.asdf; nil without a posterior: as that of one image, with the inputs of each band by its
  /// name, and with the draws of the derived quantities after those of the parameters.
  private func asdf(at summaries: [ParameterSummary]) -> ASDFValue? {
    guard let posterior else { return nil }
    let draws = posterior.draws.replacingSites(posterior.draws.sites + derivedDraws)
    let inputs = fit.bands.map { band -> ASDFValue.Member in
      let image = band.image
      let shape = [image.height, image.width]
      var parts = [
        ASDFValue.Member("image", .array(ASDFArray(image.science, shape: shape))),
        ASDFValue.Member("rms", .array(ASDFArray(image.rms, shape: shape))),
        ASDFValue.Member("mask", .array(ASDFArray(image.mask, shape: shape))),
      ]
      if let psf = image.psf {
        parts.append(
          ASDFValue.Member("psf", .array(ASDFArray(psf.values, shape: [psf.height, psf.width]))))
      }
      return ASDFValue.Member(band.name, .map(parts))
    }
    let priors = fit.prior.texts.sorted { $0.key < $1.key }.map {
      ASDFValue.Member($0.key, .string($0.value))
    }
    return .map(
      (draws.asdf.members ?? []) + [
        ASDFValue.Member("input_data", .map(inputs)),
        ASDFValue.Member("method_used", .string(joint.method)),
        ASDFValue.Member("prior_info", .map(priors)),
        ASDFValue.Member("result", ASDFValue(json(at: summaries))),
      ])
  }
}
