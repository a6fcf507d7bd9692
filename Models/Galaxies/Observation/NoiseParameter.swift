// SPDX-License-Identifier: MIT
//
// The parameters of the noise that a loss has: sites, default priors, and what they mean in image units.

public import Distributions
import Rendering

/// A parameter of the noise: a site without unit, and the quantity that it stands for.
public struct NoiseParameter: Sendable {
  /// The site (pysersic's name).
  public let site: String

  /// The prior where none is given; it depends on neither image nor unit.
  public let prior: any Distribution

  /// A deterministic site that is the parameter times a factor; nil where the parameter is what is meant.
  public let derived: Derived?

  /// A quantity that is a multiple of a parameter.
  public struct Derived: Sendable {
    /// The deterministic site (pysersic's name).
    public let site: String

    /// The factor.
    public let factor: Double
  }
}

extension ImageLoss {
  /// The share of outliers for outlier_frac_base = 1.
  private static let outlierUnit = 0.05

  /// The sites of the noise's parameters, in the order of the model.
  public var sites: [String] {
    var sites: [String] = []
    switch free {
    case nil: break
    // pysersic has two names for this parameter.
    case .fraction: sites.append(hasOutliers ? GalaxySite.sigFrac : GalaxySite.fracScatterIncrease)
    case .systematic: sites.append(GalaxySite.sysScatterBase)
    }
    if hasOutliers { sites.append(GalaxySite.outlierFracBase) }
    return sites
  }

  /// Returns the parameters of the noise of an image, in the order of the model.
  ///
  /// The priors are pysersic's. The unit of `sys_scatter` is the median rms of the good pixels (pysersic takes the mean of
  /// all, masked and bad ones included).
  public func parameters(for image: ObservedImage) -> [NoiseParameter] {
    sites.map { site in
      NoiseParameter(
        site: site, prior: Self.defaultPrior(site),
        derived: Self.derived(site, medianRMS: { image.medianRMS }))
    }
  }

  /// Returns the prior of a parameter of the noise where none is given.
  static func defaultPrior(_ site: String) -> any Distribution {
    switch site {
    case GalaxySite.fracScatterIncrease: TruncatedNormal(0, 1, low: -0.5, high: 2)
    case GalaxySite.sigFrac: TruncatedNormal(0, 0.5, low: -2.0 / 3, high: 2)
    case GalaxySite.outlierFracBase: TruncatedNormal(0, 1, low: 0, high: 5)
    default: HalfNormal(1)
    }
  }

  /// Returns the quantity that a parameter stands for.
  private static func derived(_ site: String, medianRMS: () -> Double) -> NoiseParameter.Derived? {
    switch site {
    case GalaxySite.sysScatterBase:
      NoiseParameter.Derived(site: GalaxySite.sysScatter, factor: medianRMS())
    case GalaxySite.outlierFracBase:
      NoiseParameter.Derived(site: GalaxySite.outlierFrac, factor: outlierUnit)
    default: nil
    }
  }
}

extension ImageLoss {
  /// Whether the data are counts, whose noise follows from the model.
  package var isCounting: Bool {
    if case .poisson = form { return true }
    return false
  }

  /// Returns the standard deviation of the noise of each pixel, outliers aside.
  ///
  /// - Parameters:
  ///   - image: The image.
  ///   - model: The model image, row-major, image units.
  ///   - values: Values of the parameters of the noise, by site.
  /// - Returns: One standard deviation of each pixel, image units.
  package func standardDeviations(
    of image: ObservedImage, model: [Double], _ values: [String: Double]
  ) -> [Double] {
    switch form {
    case .poisson(let gain, let sky):
      return model.map {
        PoissonImageLikelihood.mean(ofModel: $0, gain: gain, sky: sky).squareRoot() / gain
      }
    case .scaled:
      let fraction = values[GalaxySite.fracScatterIncrease] ?? values[GalaxySite.sigFrac] ?? 0
      let systematic = (values[GalaxySite.sysScatterBase] ?? 0) * image.medianRMS
      return image.rms.map {
        let sigma = (1 + fraction) * $0
        return (sigma * sigma + systematic * systematic).squareRoot()
      }
    }
  }
}
