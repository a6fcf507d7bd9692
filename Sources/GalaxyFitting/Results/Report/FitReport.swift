// SPDX-License-Identifier: MIT
//
// What a fit says, without its draws and pixels: the contents of result.json as a plain value.

public import GalaxyModels
public import Rendering

/// What a fit says: parameters, goodness of fit, verdict, warnings, priors and provenance, as a plain value.
///
/// It holds nothing that is needed to fit again, so that it can be written to a file and read back the same.
public struct FitReport: Sendable, Hashable {
  /// One source of the model.
  public struct Source: Sendable, Hashable {
    /// The number of the source: in a scene from 0, in an imported one from 1; nil for a single one, whose sites have none.
    public let number: Int?

    /// The profile.
    public let profile: SourceProfile

    /// Returns the site of the whole model for one of the source.
    public func site(_ name: String) -> String { number.map { "\(name)_\($0)" } ?? name }
  }

  /// The way the result was found: `map`, or that of the posterior.
  public var method: String

  /// The model in words: the profile of one source, the number of several.
  public var title: String

  /// The sources, in the order of the model; empty for a joint fit, whose sources have other parameters in each band.
  public var sources: [Source]

  /// The sky under them; of several bands that of the first.
  public var sky: SkyKind

  /// The density of the pixels.
  public var loss: ImageLoss

  /// The renderer that drew the model.
  public var renderer: RenderingMethod

  /// Whether the PSF brought the pixel response, or the profile was integrated over pixels.
  public var pixelResponse: PixelResponse

  /// The parameters in the order of the model, fixed ones included.
  public var parameters: [ParameterSummary]

  /// The centres in the parent image, of which the image is a section; empty for a whole image.
  public var parentParameters: [ParameterSummary]

  /// Quantities that follow from the parameters: fluxes of components, magnitudes, surface brightnesses, the noise.
  public var derived: [ParameterSummary]

  /// The maximum: goodness of fit, and how the search ended.
  public var search: SearchReport

  /// The covariance of the free parameters; nil without a posterior.
  public var covariance: CovarianceMatrix?

  /// What is known of the posterior besides the summaries; nil without one.
  public var posterior: PosteriorReport?

  /// What the sampler met; nil where no Markov chain made the draws.
  public var sampler: SamplerReport?

  /// What the variational fit is worth; nil where there was none.
  public var variational: VariationalReport?

  /// What was remarked on, warnings before notes.
  public var findings: [InputFinding]

  /// The priors as text, by site.
  public var priors: [String: String]

  /// The image that was fitted.
  public var image: ImageReport

  /// What turns image units and pixels into magnitudes and arcseconds.
  public var calibration: Calibration

  /// Where the result comes from.
  public var provenance: FitProvenance

  /// The findings that matter to the result.
  public var warnings: [InputFinding] { findings.filter { $0.severity >= .warning } }

  /// Returns the summary of a parameter or a derived quantity; nil where there is none of that name.
  public subscript(name: String) -> ParameterSummary? {
    (parameters + derived).first { $0.name == name }
  }

  /// The values of the parameters at the maximum, fixed ones included, by site.
  public var values: [String: Double] {
    Dictionary(parameters.map { ($0.name, $0.map) }) { $1 }
  }

  /// Whether the numbers mean anything: all of them are finite.
  public var isUsable: Bool {
    search.logPosterior.isFinite && parameters.allSatisfy(\.map.isFinite)
      && search.chiSquared.isFinite
  }

  /// The convention of the pixel in words.
  public var pixelConvention: String {
    switch (pixelResponse, image.psf == nil) {
    case (_, true): "no PSF; the profile is integrated over each pixel"
    case (.included, _): "the PSF is taken to include the pixel response"
    case (.integrated, _): "the profile is integrated over each pixel, then convolved with the PSF"
    }
  }
}

/// The maximum that a search found: how well it fits, and how the search ended.
public struct SearchReport: Sendable, Hashable {
  /// The log posterior density, up to the evidence.
  public var logPosterior: Double

  /// Σ ((data − model) / rms)² over the good pixels.
  public var chiSquared: Double

  /// The number of good pixels.
  public var pixelCount: Int

  /// The number of free parameters.
  public var freeCount: Int

  /// Whether the search converged.
  public var isConverged: Bool

  /// Why it stopped, as a word.
  public var reason: String

  /// Why it stopped, in words.
  public var explanation: String

  /// The number of steps.
  public var iterations: Int

  /// The number of evaluations of the density, all starts together.
  public var evaluations: Int

  /// The share of the flux of all sources that falls inside the frame; NaN where that is not known.
  public var fluxFractionInside: Double

  /// The time of the search and of the posterior, in seconds.
  public var seconds: Double

  /// χ² per degree of freedom: good pixels less free parameters.
  public var reducedChiSquared: Double { chiSquared / Double(max(1, pixelCount - freeCount)) }
}

/// The covariance of the free parameters, from the draws; angles on the branch around their mean direction.
public struct CovarianceMatrix: Sendable, Hashable {
  /// The parameters, in order.
  public var names: [String]

  /// The matrix, row by row.
  public var matrix: [[Double]]
}

/// What is known of an estimate of the posterior besides the summaries of its draws.
public struct PosteriorReport: Sendable, Hashable {
  /// The number of chains; 1 where no Markov chain made the draws.
  public var chains: Int

  /// The number of draws of each chain.
  public var draws: Int

  /// The log evidence by Laplace's formula, or by weights where draws are weighted; nil for other methods.
  public var logEvidence: Double?

  /// The shape of the tail of the weights of the draws; nil where they have none.
  public var paretoK: Double?

  /// The number of independent draws that weighted draws are worth; nil where they have no weights.
  public var effectiveDraws: Double?

  /// The number of directions in which the density does not curve down at the mode; nil but for Laplace's method.
  public var flatDirections: Int?

  /// Whether the search for the mode converged; nil but for Laplace's method.
  public var isConverged: Bool?

  /// The time after the search for the maximum, in seconds.
  public var seconds: Double
}

/// What the sampler of Markov chains met.
public struct SamplerReport: Sendable, Hashable {
  /// The number of chains.
  public var chains: Int

  /// The number of draws of each chain.
  public var draws: Int

  /// The iterations of each chain that tuned the sampler and were not kept.
  public var warmUp: Int

  /// The number of divergences after the warm-up.
  public var divergences: Int

  /// The number of leapfrog steps after the warm-up, all chains together.
  public var leapfrogs: Int

  /// The number of leapfrog steps of the warm-up, all chains together.
  public var warmUpLeapfrogs: Int

  /// The step size of each chain.
  public var stepSizes: [Double]

  /// The mean acceptance.
  public var acceptance: Double

  /// The depth of the deepest trajectory.
  public var largestTreeDepth: Int

  /// The fraction of missing information by energies, of each chain.
  public var energyFractions: [Double]

  /// Whether the run was stopped on request before it was complete.
  public var wasCancelled: Bool
}

/// What a variational fit is worth.
public struct VariationalReport: Sendable, Hashable {
  /// Why the fit stopped, as a word.
  public var reason: String

  /// The number of gradients.
  public var gradients: Int

  /// The evidence lower bound; nil where it is not finite.
  public var elbo: Double?

  /// The Monte Carlo error of the bound; nil where it is not finite.
  public var elboError: Double?

  /// The shape of the tail of the importance weights; nil where they have none.
  public var paretoK: Double?

  /// The share of the draws that the weights leave; nil where it is not finite.
  public var efficiency: Double?

  /// The log evidence by importance weights; nil where it is not finite.
  public var logEvidence: Double?
}

/// The image that was fitted, without its pixels.
public struct ImageReport: Sendable, Hashable {
  /// The point-spread function, without its pixels.
  public struct PointSpread: Sendable, Hashable {
    /// The number of columns.
    public var width: Int
    /// The number of rows.
    public var height: Int
    /// The number of its pixels along one image pixel.
    public var oversampling: Int
    /// The sum of its pixels.
    public var sum: Double
    /// The position of the star in it.
    public var center: ImagePoint
  }

  /// The number of columns.
  public var width: Int

  /// The number of rows.
  public var height: Int

  /// The number of masked pixels.
  public var maskedCount: Int

  /// The point-spread function; nil where there is none.
  public var psf: PointSpread?

  /// The first pixel in the parent image.
  public var origin: ImagePoint

  /// The names of the inputs.
  public var names: InputNames

  /// The world coordinates of the header; empty where there are none.
  public var worldCoordinates: [WorldCoordinateCard]
}
