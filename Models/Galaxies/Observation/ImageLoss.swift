// SPDX-License-Identifier: MIT
//
// The losses: the density of the pixels around the model image.

public import Rendering

/// The density of the pixels around the model image; pixels are independent.
///
/// ```swift
/// let fit = try FitSingle(image, prior: prior, loss: .studentT(dof: 5, free: .systematic))
/// ```
/// With `free` the scale of the noise has a parameter: `.fraction` for an rms that is wrong by a factor, `.systematic` for noise
/// that it lacks. Such parameters, and the share of outliers of a mixture, are sites of the model with priors of their own.
public struct ImageLoss: Sendable, Hashable, CustomStringConvertible {
  /// The sort of noise.
  enum Form: Sendable, Hashable {
    /// Noise whose scale is the rms, or follows from it.
    case scaled(PixelDensity, free: NoiseFreedom?)
    /// Counts.
    case poisson(gain: Double, sky: Double)
  }

  /// The sort of noise.
  let form: Form

  /// Creates a loss.
  private init(_ form: Form) { self.form = form }

  /// Normal with the rms as standard deviation.
  public static let gaussian = ImageLoss(.scaled(.gaussian, free: nil))

  /// Returns the normal density with a scale that is partly free.
  public static func gaussian(free: NoiseFreedom?) -> ImageLoss {
    ImageLoss(.scaled(.gaussian, free: free))
  }

  /// Returns Student's t with the rms times `scale` as its scale: its tails let outliers be.
  ///
  /// By default `scale` is √((dof − 2)/dof), so that the variance is rms². On clean Gaussian noise the reported errors
  /// are then 0.89 of the true scatter for dof 5.
  ///
  /// - Parameters:
  ///   - dof: The degrees of freedom, > 0.
  ///   - scale: The factor of the rms, > 0; required for dof ≤ 2, where there is no variance.
  ///   - free: What is free in the scale.
  /// - Returns: The loss.
  public static func studentT(
    dof: Double = 5, scale: Double? = nil, free: NoiseFreedom? = nil
  ) -> ImageLoss {
    ImageLoss(.scaled(.studentT(dof: dof, scale: scale), free: free))
  }

  /// Returns the density exp(−δ²(√(1 + r²/δ²) − 1)) of r = (data − model)/rms, normalised: its tails are exponential.
  ///
  /// - Parameters:
  ///   - delta: The residual, in units of the rms, at which the normal core goes over into the tails, > 0.
  ///   - free: What is free in the scale.
  /// - Returns: The loss.
  public static func pseudoHuber(delta: Double = 3, free: NoiseFreedom? = nil) -> ImageLoss {
    ImageLoss(.scaled(.pseudoHuber(delta: delta), free: free))
  }

  /// Returns a mixture of two normal densities: a share of the pixels, a parameter, are outliers and wider.
  ///
  /// - Parameters:
  ///   - outlierScale: The standard deviation of outliers over the rms, > 1.
  ///   - free: What is free in the scale of the other pixels; outliers keep theirs, lest the farthest of them widen all.
  /// - Returns: The loss.
  public static func mixture(outlierScale: Double = 5, free: NoiseFreedom? = nil) -> ImageLoss {
    ImageLoss(.scaled(.mixture(outlierScale: outlierScale), free: free))
  }

  /// Returns the Poisson probability of counts gain · (data + sky), the Cash statistic; the rms plays no part.
  ///
  /// - Parameters:
  ///   - gain: Counts (electrons) for one image unit, > 0.
  ///   - sky: What was subtracted from the image, in image units.
  /// - Returns: The loss.
  public static func poisson(gain: Double = 1, sky: Double = 0) -> ImageLoss {
    ImageLoss(.poisson(gain: gain, sky: sky))
  }

  // MARK: - Properties

  /// What is free in the scale of the noise; nil where the rms is taken as it is.
  public var free: NoiseFreedom? {
    if case .scaled(_, let free) = form { return free }
    return nil
  }

  /// Whether each pixel is an outlier with a probability that is a parameter.
  public var hasOutliers: Bool {
    if case .scaled(let density, _) = form { return density.hasOutliers }
    return false
  }

  /// Whether pixels far from the model count for less than in a sum of squares.
  public var isRobust: Bool {
    switch form {
    case .poisson, .scaled(.gaussian, _): false
    default: true
    }
  }

  /// Whether the noise is that of counts, and the rms plays no part.
  public var isOfCounts: Bool {
    if case .poisson = form { true } else { false }
  }

  /// Checks the options.
  ///
  /// - Throws: `RenderingError` with kind `invalidLoss`.
  public func validate() throws(RenderingError) {
    switch form {
    case .scaled(let density, _): try density.validate()
    case .poisson(let gain, let sky): try PoissonImageLikelihood.validate(gain: gain, sky: sky)
    }
  }

  /// The name with its options, as on the command line.
  public var description: String {
    switch form {
    case .poisson(let gain, let sky): return "poisson:gain=\(gain),sky=\(sky)"
    case .scaled(let density, let free):
      let suffix: String =
        switch free {
        case nil: ""
        case .fraction: "-frac"
        case .systematic: "-sys"
        }
      switch density {
      case .gaussian: return "gaussian\(suffix)"
      case .studentT(let dof, let scale):
        return "student-t\(suffix):dof=\(dof)" + (scale.map { ",scale=\($0)" } ?? "")
      case .pseudoHuber(let delta): return "pseudo-huber\(suffix):delta=\(delta)"
      case .mixture(let outlierScale): return "mixture\(suffix):c=\(outlierScale)"
      }
    }
  }

  /// Returns the fused likelihood of pixels under this loss.
  func likelihood(
    width: Int, height: Int, data: [Double], rms: [Double], mask: [Bool]
  ) throws(RenderingError) -> any ImageLikelihood {
    switch form {
    case .scaled(let density, let free):
      try ScaledImageLikelihood(
        density, freedom: free, width: width, height: height, data: data, rms: rms, mask: mask)
    case .poisson(let gain, let sky):
      try PoissonImageLikelihood(
        gain: gain, sky: sky, width: width, height: height, data: data, mask: mask)
    }
  }
}
