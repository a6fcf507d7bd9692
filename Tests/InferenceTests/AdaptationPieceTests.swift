// SPDX-License-Identifier: MIT
//
// The pieces of warm-ups by themselves: step sizes, moments, metrics and windows against formulas written out.

import Foundation
import Inference
import Numerics
import PPL
import TestSupport
import Testing

@Suite("Pieces of a warm-up")
struct AdaptationPieceTests {
  /// Returns x to the power y.
  private func power(_ x: Double, _ y: Double) -> Double { Foundation.pow(x, y) }

  @Test("step sizes are those of Hoffman and Gelman 2014, algorithm 6, line by line")
  func dualAveraging() {
    var tuning = DualAveraging(initial: 0.3, target: 0.65)
    #expect(near(tuning.stepSize, 0.3) && near(tuning.averagedStepSize, 0.3))
    let (gamma, t0, kappa) = (0.05, 10.0, 0.75)
    let mu = Foundation.log(10 * 0.3)
    var (mean, logStep, logAverage) = (0.0, Foundation.log(0.3), 0.0)
    let uniforms = RandomKey(4).uniforms(200)
    for m in 1...200 {
      let (count, acceptance) = (Double(m), uniforms[m - 1])
      tuning.update(acceptance)
      mean = (1 - 1 / (count + t0)) * mean + (0.65 - acceptance) / (count + t0)
      logStep = mu - count.squareRoot() / gamma * mean
      let share = power(count, -kappa)
      logAverage = share * logStep + (1 - share) * logAverage
      // Rounding of logarithms up to ten.
      #expect(near(tuning.stepSize, Foundation.exp(logStep), 1e-11), "\(m)")
      #expect(near(tuning.averagedStepSize, Foundation.exp(logAverage), 1e-11), "\(m)")
    }
  }

  @Test("the step size of an acceptance exp(−ε) settles where that is the target")
  func settles() {
    for target in [0.3, 0.8, 0.95] {
      var tuning = DualAveraging(initial: 20, target: target)
      for _ in 0..<2000 { tuning.update(Foundation.exp(-tuning.stepSize)) }
      // Without noise the averaged iterates are near the root after hundreds of steps.
      #expect(near(Foundation.exp(-tuning.averagedStepSize), target, 0.02), "\(target)")
    }
    // Acceptances that say nothing lead to the ends of the range, never out of it.
    for acceptance in [0, 1, .nan] as [Double] {
      var tuning = DualAveraging(initial: 1, target: 0.8)
      for _ in 0..<100_000 { tuning.update(acceptance) }
      #expect(tuning.stepSize > 0 && tuning.stepSize.isFinite, "\(acceptance)")
      #expect(tuning.averagedStepSize > 0 && tuning.averagedStepSize.isFinite, "\(acceptance)")
    }
  }

  /// Returns the mean and the covariance of vectors in two passes, row-major.
  private func twoPasses(_ vectors: [[Double]]) -> (mean: [Double], covariance: [Double]) {
    let (n, count) = (vectors[0].count, Double(vectors.count))
    var mean = [Double](repeating: 0, count: n)
    for x in vectors {
      for k in 0..<n { mean[k] += x[k] / count }
    }
    var covariance = [Double](repeating: 0, count: n * n)
    for x in vectors {
      for r in 0..<n {
        for c in 0..<n {
          covariance[r * n + c] += (x[r] - mean[r]) * (x[c] - mean[c]) / (count - 1)
        }
      }
    }
    return (mean, covariance)
  }

  @Test("running moments are those of two passes, also far from the origin")
  func moments() throws {
    for offset in [0.0, 1e6] {
      let vectors = (0..<50).map { k in
        CorrelatedNormal.draw(RandomKey(6).folding(in: k)).map { $0 + offset }
      }
      var moments = RunningMoments(dimension: 3)
      var products = RunningCovariance(dimension: 3)
      #expect(moments.variances == [0, 0, 0] && products.covariance.allSatisfy { $0 == 0 })
      for x in vectors {
        moments.add(x)
        products.add(x)
      }
      let expected = twoPasses(vectors)
      // Numbers of 10⁶ are known to 1e-10, deviations from their mean likewise; relative to a width of 0.2 that is 1e-9.
      let tolerance = offset == 0 ? 1e-13 : 1e-8
      #expect(moments.count == 50 && products.count == 50)
      for k in 0..<3 {
        #expect(near(moments.mean[k], expected.mean[k], 1e-13))
        #expect(near(products.mean[k], expected.mean[k], 1e-13))
        #expect(near(moments.variances[k], expected.covariance[4 * k], tolerance))
        #expect(near(moments.squares[k], 49 * expected.covariance[4 * k], 49 * tolerance))
      }
      for (found, known) in zip(products.covariance, expected.covariance) {
        #expect(near(found, known, tolerance), "\(found), \(known)")
      }
      #expect(try saved(moments).variances == moments.variances)
      #expect(try saved(products).covariance == products.covariance)
    }
  }

  @Test(
    "what is believed of variances is their geometric mean with the belief, of the weight of five draws"
  )
  func beliefs() throws {
    var moments = RunningMoments(dimension: 2)
    var products = RunningCovariance(dimension: 2)
    // Variances 2 · 3² / 3 = 6 and 2 · 0.3² / 3 = 0.06, no covariance.
    for x in [[3, 0], [-3, 0], [0, 0.3], [0, -0.3]] as [[Double]] {
      moments.add(x)
      products.add(x)
    }
    let found = moments.variances(towards: [1, 4])
    // Four draws and five.
    let narrow = power(0.06, 4.0 / 9) * power(4, 5.0 / 9)
    #expect(near(found[0], power(6, 4.0 / 9), 1e-13) && near(found[1], narrow, 1e-13))
    #expect(moments.variances(towards: nil) == moments.variances)
    var still = RunningMoments(dimension: 2)
    for _ in 0..<3 { still.add([1, 2]) }
    #expect(
      still.variances(towards: [5, 7]) == [5, 7] && still.variances(towards: nil) == [1, 1])
    // The same of a covariance, whose belief counts for two coordinates more.
    let metric = try products.metric(towards: .identity(2)).covariance
    #expect(near(metric[0], power(6, 4.0 / 11), 1e-12))
    #expect(near(metric[3], power(0.06, 4.0 / 11), 1e-12))
    #expect(abs(metric[1]) < 1e-12 && abs(metric[2]) < 1e-12)
    let alone = try products.metric(towards: nil).covariance
    for (x, y) in zip(alone, [6, 0, 0, 0.06]) { #expect(near(x, y, 1e-12)) }
    var flat = RunningCovariance(dimension: 2)
    for x in [1.0, 2, 4] { flat.add([x, x]) }
    let error = #expect(throws: ModelError.self) { try flat.metric(towards: nil) }
    #expect(error?.kind == .notFinite)
  }

  @Test("of a normal posterior, few draws with their gradients tell the covariance")
  func fisher() throws {
    let (n, count) = (6, 40)
    let covariance = equicorrelated(n, 0.8, narrowest: 0.01)
    let factor = try #require(CholeskyFactor(covariance, n))
    let (draws, gradients) = NormalTarget.draws(count, factor, 3)
    let estimate = try #require(FisherDivergence(draws: draws, gradients: gradients))
    let (x, s) = (twoPasses(draws).covariance, twoPasses(gradients).covariance)
    for k in 0..<n {
      let expected = (x[k * n + k] / s[k * n + k]).squareRoot()
      #expect(abs(estimate.variances[k] / expected - 1) < 1e-12)
    }
    let metric = estimate.metric(cutoff: 1 + 1e-9, maximumRank: n)
    #expect(metric.rank == n)
    for r in 0..<n {
      for c in 0..<n {
        let scale = (covariance[r * n + r] * covariance[c * n + c]).squareRoot()
        // The regularisation adds 1e-5 / 40 to eigenvalues from some 0.05 on.
        let error = metric.covariance[r * n + c] - covariance[r * n + c]
        #expect(abs(error) < 1e-4 * scale, "\(r), \(c): \(error / scale)")
      }
    }
    // The draws alone do not tell it: their variances are off by √(2/40) or so.
    let errors = (0..<n).map { abs(x[$0 * n + $0] / covariance[$0 * n + $0] - 1) }
    #expect(errors.contains { $0 > 0.02 }, "\(errors)")
    #expect(estimate.metric(maximumRank: 1).rank == 1)
    #expect(FisherDivergence(draws: [[1], [2]], gradients: [[1], [2]]) == nil)
    let still = try #require(
      FisherDivergence(
        draws: [[1, 0], [1, 1], [1, 3]], gradients: [[0, 2], [1, 1], [2, 0]], fallback: [9, 9]))
    #expect(still.variances[0] == 9 && still.variances[1] != 9)
  }

  @Test("windows follow each other without gaps, from the first iterations to the last")
  func schedule() {
    for iterations in 20..<1200 {
      let windows = WarmUpSchedule(iterations: iterations).windows
      let isShort = iterations < 150
      #expect(windows.first?.lowerBound == (isShort ? iterations * 15 / 100 : 75))
      #expect(windows.last?.upperBound == iterations - (isShort ? iterations / 10 : 50))
      for (window, next) in zip(windows, windows.dropFirst()) {
        #expect(window.upperBound == next.lowerBound && next.count >= 2 * window.count)
      }
    }
    let own = WarmUpSchedule(iterations: 100, first: 10, last: 20, window: 20)
    #expect(own.windows == [10..<30, 30..<80])
  }

  @Test("settings and vectors that make no sense trap")
  func traps() async {
    await #expect(processExitsWith: .failure) { _ = DualAveraging(initial: 0, target: 0.8) }
    await #expect(processExitsWith: .failure) { _ = DualAveraging(initial: 1, target: 1) }
    await #expect(processExitsWith: .failure) {
      var moments = RunningMoments(dimension: 2)
      moments.add([1])
    }
    await #expect(processExitsWith: .failure) {
      var products = RunningCovariance(dimension: 2)
      products.add([1, 2, 3])
    }
    await #expect(processExitsWith: .failure) {
      _ = RunningMoments(dimension: 2).variances(towards: [1])
    }
    await #expect(processExitsWith: .failure) {
      _ = FisherDivergence(draws: [[1], [2], [3]], gradients: [[1]])
    }
    await #expect(processExitsWith: .failure) { _ = WarmUpSchedule(iterations: 100, window: 0) }
  }
}
