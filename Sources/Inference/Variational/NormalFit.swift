// SPDX-License-Identifier: MIT
//
// The loop around natural-gradient steps: a rise of constant rate, then averaging until the noise is small enough.

import Numerics
import PPL

/// A fit of a normal distribution, before it becomes a guide.
struct NormalFit {
  /// The space, whitened by the fitted distribution.
  let space: GuideSpace

  /// Why the fit stopped.
  let reason: VariationalFit.Reason

  /// The number of gradients of the fit itself.
  let gradients: Int

  /// The time, in seconds.
  let seconds: Double

  /// The fewest antithetic pairs of draws of a step; half the dimension where that is more.
  private static let pairs = 8

  /// The rate of the steps before averaging begins: half of a Newton step, as their directions are noisy.
  private static let firstRate = 0.5

  /// The averaged steps before their noise is judged.
  private static let leastAveraged = 20

  /// The steps in a row, most of whose draws are lost, after which a fit gives up.
  private static let mostLost = 20

  /// Fits.
  ///
  /// - Throws: `ModelError` if no start is found, or the curvature there cannot be inverted.
  init(
    _ density: CompiledDensity, from start: [Double]?, key: RandomKey, tolerance: Double,
    maximumGradients: Int, progress: Progress, isCancelled: () -> Bool
  ) throws {
    demand(
      tolerance > 0 && maximumGradients > 0,
      "VariationalFit: expected tolerance and gradients > 0, got \(tolerance), \(maximumGradients)")
    let clock = ContinuousClock()
    let begin = clock.now
    let point = try start ?? density.initialPoint(.median(draws: 15), key: key)
    let laplace = try GuideSpace(density, at: point, isWhitened: true, isCancelled: isCancelled)
    guard let whitening = laplace.whitening else {
      stop("a whitened space has its whitening")
    }
    let n = laplace.dimension
    let pairs = max(Self.pairs, (n + 1) / 2)
    var ascent = NormalAscent(laplace, whitening)
    var report = SVIReport(progress, total: maximumGradients)
    var rise = Rise()
    var noise = StepNoise(n)
    var reason = VariationalFit.Reason.stepLimit
    var (step, averaged, lost) = (0, 0, 0)
    while ascent.gradients < maximumGradients {
      if isCancelled() {
        reason = .cancelled
        break
      }
      // Rates 1/(t + 1) average the targets of all later steps, those of a Newton iteration once the scales are right.
      let rate = averaged == 0 ? Self.firstRate : 1 / Double(averaged + 1)
      ascent.step(pairs: pairs, rate: rate, key: key.folding(in: step))
      step += 1
      lost = ascent.lost > pairs ? lost + 1 : 0
      if lost > Self.mostLost {
        reason = .notFinite
        break
      }
      report.step(ascent.gradients, -ascent.elbo, 1)
      guard averaged > 0 else {
        // Half of the gradients are for averages, however long the rise.
        let isLate = 2 * ascent.gradients >= maximumGradients
        if rise.isOver(ascent.elbo) || isLate { averaged = 1 }
        continue
      }
      averaged += 1
      guard ascent.lost == 0 else { continue }
      noise.add(ascent.slope, ascent.tilt)
      if noise.count >= Self.leastAveraged && noise.error < tolerance {
        reason = .converged
        break
      }
    }
    report.finish(ascent.gradients)
    space = GuideSpace(density, laplace.coordinates, ascent.whitening)
    self.reason = reason
    gradients = ascent.gradients
    seconds = (clock.now - begin).inSeconds
  }
}

/// Notices when the bound no longer rises by more than its noise.
private struct Rise {
  /// The steps of a stretch.
  private static let length = 5

  /// A rise of the mean bound, in nats, that is worth another stretch.
  private static let least = 0.02

  private var values: [Double] = []

  /// Takes the bound of a step, and returns whether the mean over the last stretch is no higher than that before.
  mutating func isOver(_ bound: Double) -> Bool {
    values.append(bound)
    let length = Self.length
    guard values.count >= 2 * length, values.count % length == 0 else { return false }
    let (last, variance) = Self.moments(values.suffix(length))
    let (before, other) = Self.moments(values.dropLast(length).suffix(length))
    // What is not finite compares as false: the rise goes on until the gradients are used up.
    return last - before < Self.least + ((variance + other) / Double(length)).squareRoot()
  }

  /// Returns mean and variance.
  private static func moments(_ values: ArraySlice<Double>) -> (mean: Double, variance: Double) {
    let count = Double(values.count)
    let mean = values.reduce(0, +) / count
    return (mean, values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (count - 1))
  }
}

/// The scatter of averaged steps, from which their error follows.
private struct StepNoise {
  /// The number of coordinates.
  private let dimension: Int
  /// The number of steps.
  private(set) var count = 0
  /// The running means.
  private var means: [Double]
  /// The running sums of squares around them.
  private var squares: [Double]

  /// Creates an empty record for vectors of a length.
  init(_ dimension: Int) {
    self.dimension = dimension
    means = [Double](repeating: 0, count: 2 * dimension)
    squares = means
  }

  /// Adds the gradients of a step: by the mean, and by the logarithms of the scales.
  mutating func add(_ slope: [Double], _ tilt: [Double]) {
    count += 1
    for k in 0..<(2 * dimension) {
      let j = k - dimension
      let x = k < dimension ? slope[k] : 0.5 * tilt[j * dimension + j]
      let delta = x - means[k]
      means[k] += delta / Double(count)
      squares[k] += delta * (x - means[k])
    }
  }

  /// The largest standard error of a mean, in deviations.
  var error: Double {
    let largest = squares.reduce(0, max)
    return (largest / Double(max(1, count - 1)) / Double(max(1, count))).squareRoot()
  }
}
