// SPDX-License-Identifier: MIT
//
// The pictures of a fit: data, model and residual; the image with the fitted ellipses; corner and trace plots of the draws.

import GalaxyModels
import Inference
public import Plotting
import Rendering

extension FitOutcome {
  /// Returns the picture of data, model and residual in units of the rms, masked pixels shown as such.
  ///
  /// - Throws: ``FitRecordError`` where the record has no pixels.
  public func residualPlot() throws(FitRecordError) -> Figure {
    let record = record
    return record.report.residualFigure(try record.requiredPixels())
  }

  /// Returns the picture of the image with centre and half-light ellipse of every fitted source.
  ///
  /// - Throws: ``FitRecordError`` where the record has no pixels.
  public func imagePlot() throws(FitRecordError) -> Figure {
    let record = record
    return record.report.imageFigure(try record.requiredPixels())
  }

  /// Returns the corner plot of the draws, with the maximum of the posterior marked; angles on their branch.
  ///
  /// - Parameter parameters: The parameters and derived quantities; by default the free parameters, of many the first twelve.
  /// - Returns: The picture.
  /// - Throws: ``FitRecordError`` where there are no draws, or none of a name.
  public func cornerPlot(parameters: [String]? = nil) throws(FitRecordError) -> Figure {
    let record = record
    let draws = try record.drawsWithDerived(parameters)
    let report = parameters == nil ? record.report : record.completeReport
    return report.cornerFigure(draws, parameters, free: record.freeNames)
  }

  /// Returns the trace plot of the draws: each parameter's chains in order, with their histograms.
  ///
  /// - Parameter parameters: The parameters and derived quantities; by default the free parameters, of many the first twelve.
  /// - Returns: The picture.
  /// - Throws: ``FitRecordError`` where there are no draws, or none of a name.
  public func tracePlot(parameters: [String]? = nil) throws(FitRecordError) -> Figure {
    let record = record
    let draws = try record.drawsWithDerived(parameters)
    let report = parameters == nil ? record.report : record.completeReport
    return report.traceFigure(draws, parameters, free: record.freeNames)
  }
}

extension MAPFit {
  /// Returns the picture of data, model and residual in units of the rms, masked pixels shown as such.
  public func residualPlot() -> Figure {
    FitResult(self).record.report.residualFigure(FittedPixels(fit.image, model: modelImage))
  }

  /// Returns the picture of the image with centre and half-light ellipse of every fitted source.
  public func imagePlot() -> Figure {
    FitResult(self).record.report.imageFigure(FittedPixels(fit.image, model: modelImage))
  }
}

extension PosteriorFit {
  /// Returns the corner plot of the draws, with the maximum of the posterior marked; angles on their branch.
  public func cornerPlot() -> Figure { record.report.cornerFigure(draws, nil, free: draws.names) }

  /// Returns the trace plot of the draws: each parameter's chains in order, with their histograms.
  public func tracePlot() -> Figure { record.report.traceFigure(draws, nil, free: draws.names) }
}

extension FitRecord {
  /// The names of the draws of free parameters: there may be others, of parameters that follow from them, and in files of joint
  /// fits of derived quantities.
  fileprivate var freeNames: [String] {
    let names = draws?.names ?? []
    let tied = report.parameters.filter { $0.tie != nil }
    let others = Set((tied + (joint == nil ? [] : report.derived)).map(\.name))
    return names.filter { !others.contains($0) }
  }

  /// Returns the pixels.
  ///
  /// - Throws: ``FitRecordError`` where there are none.
  func requiredPixels() throws(FitRecordError) -> FittedPixels {
    if let pixels { return pixels }
    guard joint == nil else {
      throw FitRecordError(
        "pixels",
        "expected the image and the model of one band, found a joint fit of \(bandNames.joined(separator: ", ")); read the folder of a band, which lies in that of the fit"
      )
    }
    throw FitRecordError(
      "pixels",
      "expected the image and the model, found none; read posterior.asdf, or the folder with model.fits"
    )
  }
}

// MARK: - Drawing

extension FitReport {
  /// The largest number of parameters of a corner or trace plot that are shown without being asked for.
  private static let mostParameters = 12

  /// The longest name of a file in a title; a longer one would push out what was fitted.
  private static let longestName = 48

  /// Returns the title of a picture: the file, what was fitted to it, and more.
  private func pictureTitle(_ more: String = "") -> String {
    var name = image.names.science.fileName
    if name.count > Self.longestName {
      let half = Self.longestName / 2 - 1
      name = "\(name.prefix(half))…\(name.suffix(half))"
    }
    return "\(name): \(title)\(more)"
  }

  /// Returns the picture of data, model and residual.
  func residualFigure(_ pixels: FittedPixels) -> Figure {
    let image = pixels.image
    // Where the input has no number the residual has none either.
    let data = pixels.data
    let residual = data.indices.map { (data[$0] - pixels.model[$0]) / image.rms[$0] }
    var plot = ResidualPlot(
      width: image.width, height: image.height, data: data, model: pixels.model,
      residual: residual, mask: image.mask)
    plot.title = pictureTitle()
    plot.origin = (x: Int(image.origin.x), y: Int(image.origin.y))
    plot.caption =
      "reduced χ² \(decimal(search.reducedChiSquared, 3)), \(search.pixelCount) pixels, loss \(loss)"
    return plot.figure()
  }

  /// Returns the picture of the image with its fitted sources.
  func imageFigure(_ pixels: FittedPixels) -> Figure {
    let image = pixels.image
    var plot = ImagePlot(
      width: image.width, height: image.height, values: pixels.data, mask: image.mask)
    plot.title = pictureTitle()
    plot.origin = (x: Int(image.origin.x), y: Int(image.origin.y))
    let values = values
    let isOne = sources.count == 1
    // One entry of the legend for each colour, also where sources of one component stand beside such of two.
    let parts =
      sources.contains { $0.profile.shapes.count > 1 }
      ? [" of first components", " of second components"] : [""]
    // Light blue, light green: on the warm colours of the image, and apart from each other for most eyes.
    let colors = [PlotColor(0.35, 0.85, 1), PlotColor(0.75, 0.95, 0.55)]
    let arm = max(1, 0.02 * Double(max(image.width, image.height)))
    for source in sources {
      let number = pictureNumber(of: source)
      /// Returns the value of a site of the source.
      func value(_ site: String) -> Double { values[source.site(site)] ?? .nan }
      let (x, y) = (value(GalaxySite.xc), value(GalaxySite.yc))
      guard x.isFinite, y.isFinite else { continue }
      let radii = source.profile.shapes.map { value($0.radius) }
      // The number stands beside the ellipse that reaches furthest, or the cross where that does or the ellipse leaves the image.
      let outermost = radii.indices.filter {
        radii[$0] > arm && radii[$0] < 0.5 * Double(min(image.width, image.height))
      }.max { radii[$0] < radii[$1] }
      for (k, shape) in source.profile.shapes.enumerated() {
        let radius = radii[k]
        guard radius.isFinite else { continue }
        let name =
          isOne
          ? "\(shape.radius) \(decimal(radius, 2)) pixels: half of the light\(source.profile.shapes.count > 1 ? " of component \(k + 1)" : "")"
          : "half-light ellipses\(parts[k % parts.count])"
        plot.marks.append(
          ImagePlot.Mark(
            .ellipse(
              x: x, y: y, semiMajor: radius, ellip: value(shape.ellip),
              theta: value(GalaxySite.theta)), name: name, color: colors[k % 2],
            label: k == outermost ? number : ""))
      }
      plot.marks.append(
        ImagePlot.Mark(
          .cross(x: x, y: y, dx: arm, dy: arm),
          name: isOne
            ? "centre (\(decimal(x + image.origin.x, 2)), \(decimal(y + image.origin.y, 2)))"
            : "centres of \(sources.count) sources, with their numbers",
          label: outermost == nil ? number : ""))
    }
    return plot.figure()
  }

  /// Returns the number of a source as its sites have it, to be written beside it; empty where there is one source only.
  package func pictureNumber(of source: Source) -> String {
    sources.count > 1 ? source.number.map { "\($0)" } ?? "" : ""
  }

  /// Returns the corner plot of draws.
  func cornerFigure(_ draws: Draws, _ parameters: [String]?, free: [String]) -> Figure {
    let (scalars, note) = chosen(draws, parameters, free)
    var plot = CornerPlot(
      names: scalars.map(\.name), draws: scalars.map(\.unwrapped),
      units: scalars.map { unit(of: $0) },
      references: scalars.map { scalar in self[scalar.name].map { scalar.onBranch($0.map) } })
    plot.title = pictureTitle(", \(method)\(note)")
    plot.referenceName = "maximum of the posterior"
    return plot.figure()
  }

  /// Returns the trace plot of draws.
  func traceFigure(_ draws: Draws, _ parameters: [String]?, free: [String]) -> Figure {
    let (scalars, note) = chosen(draws, parameters, free)
    var plot = TracePlot(
      names: scalars.map { scalar in
        let unit = unit(of: scalar)
        return unit.isEmpty ? scalar.name : "\(scalar.name) [\(unit)]"
      },
      chains: scalars.map { scalar in
        let values = scalar.unwrapped
        let length = values.count / max(1, scalar.chains)
        return (0..<scalar.chains).map { Array(values[($0 * length)..<(($0 + 1) * length)]) }
      })
    plot.title = pictureTitle(", \(method)\(note)")
    return plot.figure()
  }

  /// Returns the scalars to be shown, and what the title says where they are not all.
  private func chosen(
    _ draws: Draws, _ parameters: [String]?, _ free: [String]
  ) -> (scalars: [ScalarDraws], note: String) {
    if let parameters { return (parameters.map { draws.scalar($0) }, "") }
    let all = draws.scalars.filter { free.contains($0.name) }
    guard all.count > Self.mostParameters else { return (all, "") }
    return (
      Array(all.prefix(Self.mostParameters)),
      ", the first \(Self.mostParameters) of \(all.count) parameters"
    )
  }

  /// Returns the unit of a parameter or derived quantity as short as pictures need it; empty for pure numbers.
  private func unit(of scalar: ScalarDraws) -> String {
    switch self[scalar.name]?.unit ?? "" {
    case "pixels": "px"
    case "radians": "rad"
    case "degrees": "deg"
    case "image units": "units"
    case "image units / pixel": "units/px"
    case "image units / pixel²": "units/px²"
    case "median rms": "rms"
    case "mag / pixel": "mag/px"
    case "mag / arcsec²": "mag/arcsec²"
    case let unit: unit
    }
  }
}

extension ScalarDraws {
  /// Returns a value moved by whole periods to the branch of the draws.
  func onBranch(_ value: Double) -> Double {
    guard let period else { return value }
    return value - period * ((value - mean) / period).rounded()
  }
}

extension String {
  /// The part after the last slash.
  var fileName: String { split(separator: "/").last.map { String($0) } ?? self }
}
