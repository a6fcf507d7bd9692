// SPDX-License-Identifier: MIT
//
// The report of a fit: what maximum and posterior say, gathered as plain values.

import FITS
import GalaxyModels
import Inference
import Rendering

extension FitReport {
  /// Gathers what a fit says.
  init(
    _ best: MAPFit, posterior: PosteriorFit?, calibration: Calibration,
    provenance: FitProvenance, remarks: [InputFinding]
  ) {
    let fit = best.fit
    let frame = fit.image
    let isSampled = posterior?.sampler != nil
    let draws = posterior.map { fit.completed($0.draws) }
    let scalars = Dictionary((draws?.scalars ?? []).map { ($0.name, $0) }) { $1 }
    method = posterior?.method ?? "map"
    title = fit.prior.title
    sources = fit.sources
    sky = fit.sky
    loss = fit.loss
    // Images without PSF, or whose PSF lacks the pixel response, are always integrated.
    renderer = frame.psf == nil || fit.pixelResponse == .integrated ? .pixel : fit.method
    pixelResponse = fit.pixelResponse
    parameters = best.parameters.map { name, value in
      let unit = fit.prior.unit(of: name)
      let tie = fit.ties[name].map { "\($0)" }
      if fit.prior.fixed[name] != nil {
        return ParameterSummary(name: name, unit: unit, map: value, isFixed: true)
      }
      guard let scalar = scalars[name] else {
        return ParameterSummary(name: name, unit: unit, map: value, tie: tie)
      }
      return ParameterSummary(
        name: name, unit: unit, map: value, draws: scalar, isSampled: isSampled, tie: tie)
    }
    let origin = frame.origin
    let isSection = origin.x != 0 || origin.y != 0
    parentParameters = parameters.compactMap { summary in
      switch fit.prior.parameter(summary.name) {
      case GalaxySite.xc where isSection: summary.shifted(by: origin.x, name: summary.name)
      case GalaxySite.yc where isSection: summary.shifted(by: origin.y, name: summary.name)
      default: nil
      }
    }
    let image = ImageReport(frame)
    var remarks = remarks
    var sky: SkyFrame?
    do {
      sky = try SkyFrame(image.worldCoordinates, name: image.names.science)
    } catch {
      remarks.append(
        InputFinding(
          .note, "world-coordinates", subject: image.names.science,
          "\(error.message); positions on the sky are left out"))
    }
    derived = DerivedQuantities(
      sources: sources, noise: fit.loss.parameters(for: frame), calibration: calibration, sky: sky
    ).summaries(at: best.values, fixed: Set(fit.prior.fixed.keys), draws)
    search = SearchReport(best, seconds: best.seconds + (posterior?.seconds ?? 0))
    covariance = posterior.map { CovarianceMatrix($0.draws) }
    self.posterior = posterior.map { PosteriorReport($0) }
    sampler = posterior.flatMap { SamplerReport($0.draws) }
    variational = posterior?.variational.map { VariationalReport($0) }
    var seen: Set<InputFinding> = []
    let judged = Set(best.findings.map(\.code)).intersection(FitFindingCode.ofFrame.map(\.rawValue))
    let before = (frame.findings + remarks).filter { !judged.contains($0.code) }
    let all = (before + best.findings + (posterior?.findings ?? []))
      .filter { seen.insert($0).inserted }
    findings =
      all.filter { $0.severity >= .warning } + all.filter { $0.severity < .warning }
    priors = fit.prior.texts
    self.image = image
    self.calibration = calibration
    self.provenance = provenance
  }

  /// Returns the report with quantities that follow from another calibration.
  ///
  /// Without the draws, what has changed has its value at the maximum alone.
  func recalibrated(by other: Calibration, _ draws: Draws?) -> FitReport {
    guard other != Calibration() else { return self }
    var result = self
    result.calibration = calibration.replaced(by: other)
    // The noise in image units does not depend on the calibration, and cannot be computed without the pixels.
    let noise = derived.filter { Self.noiseNames.contains($0.name) }
    let own = DerivedQuantities(
      sources: sources, noise: [], calibration: result.calibration,
      sky: SkyFrame.of(image))
    let old = Dictionary(derived.map { ($0.name, $0) }) { $1 }
    let computed = own.summaries(
      at: values, fixed: Set(parameters.filter(\.isFixed).map(\.name)), draws
    ).map { summary in
      guard draws == nil, let known = old[summary.name], known.map == summary.map else {
        return summary
      }
      return known
    }
    result.derived =
      computed.filter { DerivedQuantities.isFlux($0) } + noise
      + computed.filter { !DerivedQuantities.isFlux($0) }
    return result
  }

  /// The names of derived quantities that stand for parameters of the noise.
  private static let noiseNames = [GalaxySite.sysScatter, GalaxySite.outlierFrac]
}

extension SearchReport {
  /// Gathers what a search says.
  init(_ best: MAPFit, seconds: Double) {
    logPosterior = best.logPosterior
    chiSquared = best.chiSquared
    pixelCount = best.pixelCount
    freeCount = best.fit.prior.freeSites.count
    isConverged = best.isConverged
    reason = best.optimum.reason.rawValue
    explanation = best.optimum.explanation
    iterations = best.optimum.iterations
    evaluations = best.evaluations
    fluxFractionInside = best.fluxFractionInside
    self.seconds = seconds
  }
}

extension CovarianceMatrix {
  /// Computes the covariance of draws; angles on the branch around their mean direction.
  init(_ draws: Draws) {
    let scalars = draws.scalars
    let centred = scalars.map { scalar -> [Double] in
      let values = scalar.unwrapped
      let mean = values.reduce(0, +) / Double(values.count)
      return values.map { $0 - mean }
    }
    let divisor = Double(max(1, draws.count - 1))
    names = scalars.map(\.name)
    matrix = centred.map { a in
      centred.map { b in zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } / divisor }
    }
  }
}

extension PosteriorReport {
  /// Gathers what is known of a posterior.
  init(_ posterior: PosteriorFit) {
    chains = posterior.draws.chains
    draws = posterior.draws.draws
    logEvidence =
      posterior.weighting?.logEvidence ?? posterior.approximation.map(\.logEvidence)
    // Too few weights have no tail that could be fitted, and no k that a file can hold.
    paretoK = posterior.weighting.flatMap { $0.paretoK.isFinite ? $0.paretoK : nil }
    effectiveDraws = posterior.weighting.map(\.effectiveCount)
    flatDirections = posterior.approximation.map(\.flatDirections)
    isConverged = posterior.approximation.map(\.mode.isConverged)
    seconds = posterior.seconds
  }
}

extension SamplerReport {
  /// Gathers what a sampler met; nil where no Markov chain made the draws.
  init?(_ draws: Draws) {
    guard let sampler = draws.statistics else { return nil }
    chains = draws.chains
    self.draws = draws.draws
    warmUp = sampler.warmUp
    divergences = sampler.divergences
    leapfrogs = sampler.gradients.reduce(0, +)
    warmUpLeapfrogs = sampler.warmUpGradients
    stepSizes = sampler.stepSizes
    acceptance = sampler.acceptance.reduce(0, +) / Double(max(1, sampler.acceptance.count))
    largestTreeDepth = sampler.treeDepth.max() ?? 0
    energyFractions = draws.diagnostics.energyFractions
    wasCancelled = sampler.wasCancelled
  }
}

extension VariationalReport {
  /// Gathers what a variational fit is worth.
  init(_ fit: VariationalFit) {
    /// Returns a number; nil for infinity, which a tail without weights has.
    func finite(_ x: Double) -> Double? { x.isFinite ? x : nil }
    let worth = fit.diagnostics
    reason = fit.reason.rawValue
    gradients = fit.gradients
    elbo = finite(worth.elbo)
    elboError = finite(worth.elboError)
    paretoK = finite(worth.paretoK)
    efficiency = finite(worth.efficiency)
    logEvidence = finite(worth.logEvidence)
  }
}

extension ImageReport {
  /// Describes an image.
  init(_ image: ObservedImage) {
    width = image.width
    height = image.height
    maskedCount = image.mask.count - image.goodCount
    psf = image.psf.map { psf in
      PointSpread(
        width: psf.width, height: psf.height, oversampling: psf.oversampling,
        sum: psf.values.reduce(0, +), center: ImagePoint(x: psf.centerX, y: psf.centerY))
    }
    origin = image.origin
    names = image.names
    worldCoordinates = image.header.worldCoordinates.map { WorldCoordinateCard($0) }
  }
}
