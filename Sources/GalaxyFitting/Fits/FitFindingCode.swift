// SPDX-License-Identifier: MIT
//
// What may be doubtful about a fit, as words for programs.

public import GalaxyModels
import Inference

/// The codes of findings about a fit and its posterior; those about inputs are texts of their own.
///
/// ```swift
/// for finding in result.findings(.priorEdge) { print(finding.subject, finding.message) }
/// ```
public enum FitFindingCode: String, Sendable, Hashable, Codable, CaseIterable {
  /// The search for the maximum stopped short of it.
  case notConverged = "not-converged"
  /// The maximum lies at a bound of a prior.
  case atBound = "at-bound"
  /// Another maximum is nearly as high.
  case severalModes = "several-modes"
  /// Two components have become one.
  case componentsCoincide = "components-coincide"
  /// The best galaxy is round.
  case round
  /// An angle is not determined by the data.
  case angleUndetermined = "angle-undetermined"
  /// There are no more pixels than parameters.
  case fewPixels = "few-pixels"
  /// The pixels lie farther from the model than the noise says.
  case poorFit = "poor-fit"
  /// The pixels lie nearer to the model than the noise says.
  case noiseLarge = "noise-large"
  /// A robust loss lets pixels be that show the source.
  case misfitHidden = "misfit-hidden"
  /// The rms contradicts the noise of counts.
  case lossGain = "loss-gain"
  /// A free systematic comes out as nothing.
  case noSystematic = "no-systematic"
  /// A free share of outliers comes out as nothing.
  case noOutliers = "no-outliers"
  /// The frame ends within five half-light radii.
  case frameSmall = "frame-small"
  /// The centre of a source lies outside of the frame.
  case sourceOutside = "source-outside"
  /// Two sources of a scene lie at the same place.
  case sourcesCoincide = "sources-coincide"
  /// A source has come out with less than no light.
  case fluxNegative = "flux-negative"
  /// A linked parameter was asked for at wavelengths beyond the bands.
  case extrapolated
  /// The pixel at the centre of a source is masked.
  case peakMasked = "peak-masked"
  /// Light of the sources falls on the border, where the sky should be.
  case borderLight = "border-light"
  /// Neighbouring pixels of blank sky are correlated: errors are too small.
  case noiseCorrelated = "noise-correlated"
  /// A good part of the posterior lies at a bound of a prior.
  case priorEdge = "prior-edge"
  /// A posterior lies far out in its prior: the two contradict each other.
  case priorConflict = "prior-conflict"
  /// A normal approximation reaches beyond a bound of a parameter.
  case nearBound = "near-bound"
  /// The search for the mode of the Laplace approximation stopped short of it.
  case laplaceNotConverged = "laplace-not-converged"
  /// The density does not curve down at the mode.
  case laplaceFlat = "laplace-flat"
  /// The posterior could not be estimated.
  case posteriorFailed = "posterior-failed"
  /// The work was stopped on request.
  case interrupted
  /// There are too few draws to judge anything.
  case fewDraws = "few-draws"
  /// One chain has nothing to be compared with.
  case oneChain = "one-chain"
  /// The run or the guide was ended early.
  case cancelled
  /// The run has something to say.
  case run
  /// Some draws are NaN or infinite.
  case notFinite = "not-finite"
  /// All draws of a parameter are the same.
  case constant
  /// All draws of a chain are the same.
  case frozenChain = "frozen-chain"
  /// One chain stays apart from the others.
  case stuckChain = "stuck-chain"
  /// A chain came late to where the others are, or not at all.
  case lateChain = "late-chain"
  /// The chains fall into groups that do not meet.
  case separateModes = "separate-modes"
  /// The chains do not agree.
  case rHat = "r-hat"
  /// The centre of a distribution is poorly known.
  case lowBulkESS = "low-ess-bulk"
  /// The tails of a distribution are poorly known.
  case lowTailESS = "low-ess-tail"
  /// The integrator left the path in places.
  case divergences
  /// Trajectories were cut off.
  case treeDepth = "tree-depth"
  /// The energies are explored slowly.
  case lowEnergyFraction = "low-energy-fraction"
  /// A guide misses part of the posterior.
  case paretoK = "pareto-k"
  /// A density rises for ever.
  case noMaximum = "no-maximum"
  /// A density is level at its maximum in some direction.
  case flat
  /// A posterior that was taken for a normal one in a combination is not.
  case notNormal = "not-normal"
  /// Fits that were combined do not agree.
  case disagreement

  /// What the frame lacks: the guesses say it before a fit, and the fit says it again of what it found.
  package static let ofFrame: [FitFindingCode] = [.frameSmall, .peakMasked, .borderLight]
}

extension InputFinding {
  /// What it is about a fit; nil for a finding about the inputs alone.
  public var fitCode: FitFindingCode? { FitFindingCode(rawValue: code) }
}

extension FitOutcome {
  /// Returns the findings of a code.
  public func findings(_ code: FitFindingCode) -> [InputFinding] {
    record.report.findings.filter { $0.fitCode == code }
  }
}

extension FitReport {
  /// Returns the parameter that a finding is about; nil where it is about something else.
  public func parameter(of finding: InputFinding) -> String? {
    self[finding.subject].map(\.name)
  }
}
