// SPDX-License-Identifier: MIT
//
// The picture of the guesses: where the source is thought to be, how large, and where the sky was taken from.

public import GalaxyModels
public import Plotting

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

extension SourceProperties {
  /// Returns the picture of the guesses on their image: look at it before a fit.
  ///
  /// The cross is the centre, its arms as long as the default prior is wide; the ellipse holds half of the light; the dashed ones
  /// are a standard deviation of the prior of r_eff away; the frame bounds the border from which the sky was taken.
  ///
  /// - Parameters:
  ///   - image: The image that was measured.
  ///   - borderWidth: The width of the border that shows the sky, in pixels.
  /// - Returns: The picture.
  public func plot(_ image: ObservedImage, borderWidth: Int = 5) -> Figure {
    // Where the input has no number the picture has none either.
    let values = zip(image.science, image.isMissing).map { $1 ? Double.nan : $0 }
    var plot = ImagePlot(
      width: image.width, height: image.height, values: values, mask: image.mask)
    plot.origin = (x: Int(image.origin.x), y: Int(image.origin.y))
    let name = image.names.science.split(separator: "/").last.map { String($0) } ?? ""
    plot.title = "\(name): guesses" + (isDetected ? "" : " (no source found)")
    let width = style == .pysersic ? 1 : max(1, 0.3 * rEff)
    let (inner, outer) =
      style == .pysersic
      ? (max(rEff - rEffError, 0.5), rEff + rEffError)
      : (rEff * exp(-rEffError / rEff), rEff * exp(rEffError / rEff))
    /// Returns the guessed ellipse with another radius.
    func ellipse(_ radius: Double) -> ImagePlot.Mark.Shape {
      .ellipse(x: xc, y: yc, semiMajor: radius, ellip: ellip, theta: theta)
    }
    let border = Double(min(borderWidth, min(image.width, image.height) / 2)) - 0.5
    let light = PlotColor(0.35, 0.85, 1)
    plot.marks = [
      ImagePlot.Mark(
        .rectangle(
          x0: border, y0: border, x1: Double(image.width) - 1 - border,
          y1: Double(image.height) - 1 - border),
        name:
          "the sky is the median outside, \(shortened(sky)); its prior ± \(shortened(skyError))",
        color: PlotColor(0.75, 0.95, 0.55), dash: [2, 2]),
      ImagePlot.Mark(
        ellipse(inner), name: "r_eff one standard deviation of its prior smaller and larger",
        color: light, dash: [3, 2]),
      ImagePlot.Mark(ellipse(outer), color: light, dash: [3, 2]),
      ImagePlot.Mark(
        ellipse(rEff),
        name:
          "r_eff \(decimal(rEff, 2)) pixels, ellip \(decimal(ellip, 2)), theta \(decimal(theta, 2)) rad",
        color: light),
      ImagePlot.Mark(
        .cross(x: xc, y: yc, dx: width, dy: width),
        name: "centre (\(decimal(xc + image.origin.x, 2)), \(decimal(yc + image.origin.y, 2)))"
          + " ± \(decimal(width, 1)) pixels",
        color: .white),
    ]
    plot.caption =
      "flux \(shortened(flux)) ± \(shortened(fluxError)) image units, signal to noise \(decimal(signalToNoise, 0))"
      + (warnings.isEmpty ? "" : "; \(warnings.count) warning\(warnings.count == 1 ? "" : "s")")
    return plot.figure()
  }

  /// Writes the picture of the guesses to a file: PNG, PDF or SVG, by its ending.
  ///
  /// - Throws: `PlotError` that says what the file met.
  public func writePlot(_ image: ObservedImage, to path: String) throws {
    try plot(image).write(to: path)
  }
}
