// SPDX-License-Identifier: MIT
//
// The pictures of a fit: data, model and residual side by side; the corner plot of a posterior.

import GalaxyModels
import Inference
public import Plotting
import Rendering

extension MAPFit {
  /// Returns the picture of data, model and residual in units of the rms, masked pixels shown as such.
  public func residualPlot() -> Figure {
    let image = fit.image
    // Where the input has no number the residual has none either.
    let data = zip(image.science, image.isMissing).map { $1 ? Double.nan : $0 }
    let residual = data.indices.map { (data[$0] - modelImage[$0]) / image.rms[$0] }
    var plot = ResidualPlot(
      width: image.width, height: image.height, data: data, model: modelImage, residual: residual,
      mask: image.mask)
    plot.title = "\(image.names.science.fileName): \(fit.prior.title)"
    plot.origin = (x: Int(image.origin.x), y: Int(image.origin.y))
    plot.caption =
      "reduced χ² \(decimal(reducedChiSquared, 3)), \(pixelCount) pixels, loss \(fit.loss)"
    return plot.figure()
  }
}

extension PosteriorFit {
  /// Returns the corner plot of the draws, with the maximum of the posterior marked; angles on their branch.
  public func cornerPlot() -> Figure {
    let scalars = draws.scalars
    let maximum = best.values
    let prior = best.fit.prior
    var plot = CornerPlot(
      names: scalars.map(\.name), draws: scalars.map(\.unwrapped),
      units: scalars.map { scalar in
        prior.parameter(scalar.name) == GalaxySite.flux ? "" : prior.unit(of: scalar.name)
      },
      references: scalars.map { scalar in
        maximum[scalar.name].map { scalar.onBranch($0) }
      })
    plot.title =
      "\(best.fit.image.names.science.fileName): \(best.fit.prior.title), \(method)"
    return plot.figure()
  }
}

extension ScalarDraws {
  /// Returns a value moved by whole periods to the branch of the draws.
  fileprivate func onBranch(_ value: Double) -> Double {
    guard let period else { return value }
    return value - period * ((value - mean) / period).rounded()
  }
}

extension String {
  /// The part after the last slash.
  fileprivate var fileName: String { split(separator: "/").last.map { String($0) } ?? self }
}
