// SPDX-License-Identifier: MIT
//
// The losses: the density of the pixels around the model image.

import Rendering

/// The density of each pixel around the model image.
public enum ImageLoss: Sendable, Hashable, CustomStringConvertible {
  /// Normal with the rms as standard deviation.
  case gaussian
  /// Student's t with the rms times `scale` as its scale.
  ///
  /// By default `scale` is √((dof − 2)/dof), so that the variance is rms². On clean Gaussian noise the reported errors
  /// are then 0.89 of the true scatter for dof 5.
  case studentT(dof: Double, scale: Double? = nil)

  /// The name with its options, as on the command line.
  public var description: String {
    switch self {
    case .gaussian: "gaussian"
    case .studentT(let dof, let scale):
      "student-t:dof=\(dof)" + (scale.map { ",scale=\($0)" } ?? "")
    }
  }

  /// Returns the fused likelihood of pixels under this loss.
  func likelihood(
    width: Int, height: Int, data: [Double], rms: [Double], mask: [Bool]
  ) throws(RenderingError) -> any ImageLikelihood {
    switch self {
    case .gaussian:
      try GaussianImageLikelihood(
        width: width, height: height, data: data, rms: rms, mask: mask)
    case .studentT(let dof, let scale):
      try StudentTImageLikelihood(
        dof: dof, scale: scale, width: width, height: height, data: data, rms: rms, mask: mask)
    }
  }
}
