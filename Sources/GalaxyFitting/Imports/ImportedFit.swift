// SPDX-License-Identifier: MIT
//
// The fit of an imported scene: maximum and normal approximation of its program, as a table and files.

import Distributions
import FITS
public import GalaxyModels
public import Inference
public import JSON
public import Numerics
import PPL
import Plotting
public import Rendering
import Tensors

/// The fit of a scene that another program's configuration describes.
public struct ImportedFit: Sendable {
  /// The scene.
  public let scene: ImportedScene

  /// The image.
  public let image: ObservedImage

  /// The density of the pixels.
  public let loss: ImageLoss

  /// The maximum of the posterior, with its verdict.
  public let maximum: MAPEstimate

  /// The values of all sites at the maximum, those that are held or tied included.
  public let values: [String: Double]

  /// The draws of the normal approximation; nil where it failed.
  public let draws: Draws?

  /// The model image at the maximum, row-major, in image units.
  public let modelImage: [Double]

  /// Σ ((data − model) / rms)² over the good pixels.
  public let chiSquared: Double

  /// What makes the result doubtful.
  public let findings: [InputFinding]

  /// Fits a scene: the maximum from its first values, and from others of free indices; then the curvature there.
  ///
  /// - Parameters:
  ///   - scene: The scene.
  ///   - image: The image.
  ///   - loss: The density of the pixels around the model image.
  ///   - method: How the scene is rendered.
  ///   - key: The key of the draws.
  ///   - isCancelled: Asked between steps, from several threads.
  /// - Throws: `ModelError` where the scene cannot be drawn; ``OptionError`` where nothing is free.
  public init(
    _ scene: ImportedScene, _ image: ObservedImage, loss: ImageLoss = .gaussian,
    method: RenderingMethod = .fourier, key: RandomKey = 0,
    isCancelled: @escaping @Sendable () -> Bool = { false }
  ) throws {
    guard !scene.freeSites.isEmpty else {
      throw OptionError(
        "scene", "expected a free parameter, found all held; set a flag in the configuration to 1")
    }
    let model = scene.model(image, loss: loss, method: method)
    let density = try model.logDensity()
    let priors = scene.priors(image)
    let maximum = try density.findMAP(
      starts: [.points(try Self.starts(scene, priors, density))], key: key,
      isCancelled: isCancelled)
    self.scene = scene
    self.image = image
    self.loss = loss
    self.maximum = maximum
    let free = maximum.values.compactMapValues { $0.elements.count == 1 ? $0.item() : nil }
    let values = scene.complete(free)
    self.values = values
    let drawn = density.constrain(maximum.optimum.position, sites: [GalaxySite.model])
    let modelImage = drawn[GalaxySite.model]?.elements ?? []
    self.modelImage = modelImage
    chiSquared = modelImage.indices.reduce(0) { sum, k in
      let r = image.mask[k] ? 0 : (image.science[k] - modelImage[k]) / image.rms[k]
      return sum + r * r
    }
    var findings = scene.findings
    for warning in maximum.warnings {
      findings.append(
        InputFinding(.warning, warning.code.rawValue, subject: "fit", warning.message))
    }
    do {
      let approximation = try LaplaceApproximation(
        density, from: maximum.interiorPoint, isCancelled: { isCancelled() })
      draws = approximation.sample(4000, key: key)
      if approximation.flatDirections > 0 {
        findings.append(
          InputFinding(
            .warning, "laplace-flat", subject: "fit",
            "the log density does not curve down in \(approximation.flatDirections) direction(s): errors cannot be trusted there"
          ))
      }
    } catch {
      draws = nil
      findings.append(
        InputFinding(.warning, "posterior-failed", subject: "fit", "no errors: \(error)"))
    }
    self.findings = findings
  }

  /// Returns the points from which searches start: the first values, then free indices of 1 and of 4.
  private static func starts(
    _ scene: ImportedScene, _ priors: [String: any Distribution], _ density: CompiledDensity
  ) throws -> [[Double]] {
    let first = Dictionary(scene.firstValues.map { ($0.site, $0.value) }) { $1 }
    var base: [String: Double] = [:]
    for site in scene.freeSites { base[site] = inside(first[site] ?? 0, priors[site]) }
    var points = [base]
    let indices = scene.freeSites.filter { $0.hasPrefix("\(GalaxySite.n)_") }
    for n in [1.0, 4] where !indices.isEmpty {
      var point = base
      for site in indices { point[site] = inside(n, priors[site]) }
      points.append(point)
    }
    return try points.map { try density.unconstrain($0) }
  }

  /// Returns a value pulled inside the support of a prior.
  private static func inside(_ value: Double, _ prior: (any Distribution)?) -> Double {
    guard case .interval(let low, let high)? = prior?.support else { return value }
    let (a, b) = (low.item(), high.item())
    let margin = 0.02 * (b - a)
    return min(max(value, a + margin), b - margin)
  }

  /// The number of good pixels less that of free parameters.
  public var degreesOfFreedom: Int { max(1, image.goodCount - scene.freeSites.count) }

  /// The light at the maximum.
  public var light: LightProfile { scene.light { Tensor(values[$0] ?? .nan) } }

  /// Returns the draws of a site; nil where it is held, tied, or where there are none.
  private func scalar(_ site: String) -> ScalarDraws? {
    draws?.scalars.first { $0.name == site }
  }

  // MARK: - Text

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
    lines += TextTable.lines(rows)
    lines.append("")
    lines.append(
      "log posterior \(decimal(maximum.logJoint, 3)), chi2 \(decimal(chiSquared, 1)) for \(image.goodCount) pixels and \(scene.freeSites.count) free parameters: \(decimal(chiSquared / Double(degreesOfFreedom), 3)) per degree of freedom"
    )
    lines.append("\(maximum.optimum.explanation), \(maximum.search.evaluations) evaluations")
    return lines.joined(separator: "\n") + "\n"
  }

  /// Returns a site without the number of its component.
  private func base(_ site: String) -> String {
    guard scene.sky.sites.contains(site) == false, let bar = site.lastIndex(of: "_") else {
      return site
    }
    return String(site[..<bar])
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
          "tied_to": scene.ties[site].map { .string($0.reference) },
        ]))
    }
    return .members([
      "schema": "swift-sersic/imported/1", "loss": .string("\(loss)"),
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

  /// Writes result.json, model.fits (DATA, RMS, MASK, MODEL, RESIDUAL), residual.png, and a configuration where there is one.
  public func write(
    to folder: OutputFolder, configuration: GalfitConfiguration? = nil, plots: Bool = true
  ) -> [OutputProduct] {
    var products = [
      folder.write(json.text + "\n", to: "result.json"),
      folder.write("model.fits") { try FITSWriter.write(images, to: $0) },
    ]
    if let configuration { products.append(folder.write(configuration.text, to: "galfit.feedme")) }
    if plots { products.append(folder.write("residual.png") { try residualPlot().write(to: $0) }) }
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
