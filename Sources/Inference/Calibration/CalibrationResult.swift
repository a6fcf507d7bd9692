// SPDX-License-Identifier: MIT
//
// What simulation-based calibration found: ranks, tests, and in words how an algorithm errs.

import Numerics

/// The ranks of true values among posterior draws, over many simulated data sets.
///
/// If the algorithm is right they are uniform, whatever the model.
public struct CalibrationResult: Sendable {
  /// The ranks of one scalar.
  public struct Quantity: Sendable {
    /// The name: `tau`, `theta[0]`.
    public let name: String

    /// The number of draws below the true value, for each replicate; ties are broken at random.
    public let ranks: [Int]

    /// The number of draws that each rank is out of.
    public let draws: [Int]

    /// The ranks as numbers between 0 and 1, (rank + a random share) / (draws + 1): uniform if all is well.
    public let uniforms: [Double]

    /// Pearson's χ² of the histogram in 20 bins; of fewer than 100 ranks in as many as leave five to each, and in two at least.
    public let chiSquared: Double

    /// The probability of a larger χ² under uniform ranks.
    public let chiSquaredPValue: Double

    /// The probability that the distribution of uniform ranks leaves its band as far somewhere, at 20 equal steps.
    public let cumulativePValue: Double

    /// The mean of the ranks above one half, in standard errors: positive where estimates are too low.
    public let shift: Double

    /// The scatter of the ranks above that of uniform ones, in standard errors: positive where intervals are too narrow.
    public let spread: Double

    /// The largest number of bins of χ².
    private static let mostBins = 20

    /// The number of steps of the test of the distribution.
    static let bins = 20

    /// Examines ranks.
    init(name: String, ranks: [Int], draws: [Int], uniforms: [Double]) {
      self.name = name
      self.ranks = ranks
      self.draws = draws
      self.uniforms = uniforms
      // With fewer expected in a bin, χ² exceeds its distribution's high quantiles too often (Cochran 1952).
      let bins = max(2, min(Self.mostBins, uniforms.count / 5))
      (chiSquared, chiSquaredPValue) = UniformityTests.chiSquared(
        UniformityTests.histogram(uniforms, bins: bins))
      cumulativePValue = UniformityTests.cumulativePValue(uniforms, parts: Self.bins)
      let count = Double(uniforms.count)
      let offsets = uniforms.map { $0 - 0.5 }
      // A uniform variable has variance 1/12, its squared distance from the middle 1/180.
      shift = offsets.reduce(0, +) / count * (12 * count).squareRoot()
      let squares = offsets.reduce(0) { $0 + $1 * $1 } / count
      spread = (squares - 1 / 12.0) * (180 * count).squareRoot()
    }

    /// Returns the number of ranks in each of some bins of equal width.
    public func histogram(bins: Int = 20) -> [Int] {
      demand(bins > 0, "histogram: expected a number of bins > 0, got \(bins)")
      return UniformityTests.histogram(uniforms, bins: bins)
    }

    /// Returns the difference of the ranks' distribution from the uniform one, with the band in which uniform ranks stay.
    ///
    /// - Parameters:
    ///   - steps: The number of equal steps at whose ends the distribution is told, 0 and 1 left out.
    ///   - probability: The probability that uniform ranks stay inside the band everywhere.
    /// - Returns: At each step the place, the difference, and the ends of the band.
    public func cumulativeDifference(
      steps: Int = 20, probability: Double = 0.95
    ) -> [(place: Double, difference: Double, low: Double, high: Double)] {
      demand(steps > 1, "cumulativeDifference: expected steps > 1, got \(steps)")
      let n = uniforms.count
      let counts = UniformityTests.cumulativeCounts(uniforms, parts: steps)
      let band = UniformityTests.cumulativeBand(n, parts: steps, probability: probability)
      return zip(counts, band).enumerated().map { index, pair in
        let place = Double(index + 1) / Double(steps)
        /// Returns the difference of a count.
        func difference(_ count: Int) -> Double { Double(count) / Double(max(1, n)) - place }
        return (
          place, difference(pair.0), difference(pair.1.lowerBound), difference(pair.1.upperBound)
        )
      }
    }

    /// The smaller probability of the two tests.
    public var pValue: Double { min(chiSquaredPValue, cumulativePValue) }

    /// Returns what is wrong, in words; nil if uniform ranks deviate as far with a probability above the level.
    public func verdict(level: Double = 0.001) -> String? {
      guard !(pValue > level) else { return nil }
      var parts: [String] = []
      // Three standard errors, where the tests have already told that something is wrong.
      if spread > 3 {
        parts.append(
          "the ranks pile up at both ends (U shape): the posterior is too narrow, its intervals cover too rarely"
        )
      } else if spread < -3 {
        parts.append(
          "the ranks pile up in the middle: the posterior is too wide, its intervals cover too often"
        )
      }
      if shift > 3 {
        parts.append("the ranks lean to the high end: the posterior lies too low")
      } else if shift < -3 {
        parts.append("the ranks lean to the low end: the posterior lies too high")
      }
      return parts.isEmpty
        ? "the ranks are uneven without a simple shape: look at the histogram"
        : parts.joined(separator: "; ")
    }
  }

  /// A replicate that gave no ranks.
  public struct Failure: Sendable {
    /// The number of the replicate.
    public let replicate: Int
    /// What the algorithm or the model threw.
    public let message: String
  }

  /// The scalars, in the order of the sites.
  public let quantities: [Quantity]

  /// The number of replicates that gave ranks.
  public let replicates: Int

  /// The replicates that failed.
  public let failures: [Failure]

  /// The number of replicates of which a scalar has an R-hat above 1.1: their ranks are those of a run that was too short.
  public let unconverged: Int

  /// The median number of draws that ranks are out of.
  public let medianDraws: Int

  /// Whether it was ended before all replicates were done.
  public let wasCancelled: Bool

  /// Returns a scalar by its name, or nil.
  public subscript(name: String) -> Quantity? { quantities.first { $0.name == name } }

  /// Returns whether all scalars pass both tests at a level.
  public func isCalibrated(level: Double = 0.001) -> Bool {
    replicates > 0 && quantities.allSatisfy { $0.verdict(level: level) == nil }
  }

  /// What to know before the ranks are believed, in words.
  public var warnings: [String] {
    var list: [String] = []
    let total = replicates + failures.count
    if wasCancelled { list.append("ended early, after \(total) replicates") }
    if let first = failures.first {
      list.append(
        "\(failures.count) of \(total) replicates failed and are left out, which hides what is wrong with them; the first, number \(first.replicate): \(first.message)"
      )
    }
    if unconverged * 20 > replicates {
      list.append(
        "the chains of \(unconverged) of \(replicates) replicates have not converged (R-hat above 1.1): uneven ranks may come from that alone; run longer"
      )
    }
    if replicates > 0 && medianDraws < 20 {
      list.append(
        "half of the replicates give fewer than 20 independent draws: ranks are coarse, and what is wrong in the tails is not seen; draw more"
      )
    }
    return list
  }
}

extension CalibrationResult: CustomStringConvertible {
  /// A line to each scalar: its histogram in ten bins, the probabilities of both tests, and what is wrong in words.
  public var description: String {
    var table = TextTable(header: ["", "ranks 0 … 1", "p χ²", "p ecdf", "shift", "spread"])
    for quantity in quantities {
      table.rows.append([
        quantity.name, Self.bars(quantity.histogram(bins: 10)),
        decimalText(quantity.chiSquaredPValue, decimals: 3),
        decimalText(quantity.cumulativePValue, decimals: 3),
        decimalText(quantity.shift, decimals: 1), decimalText(quantity.spread, decimals: 1),
      ])
    }
    let verdicts = quantities.compactMap { quantity in
      quantity.verdict().map { "\(quantity.name): \($0)" }
    }
    let head = "\(replicates) replicates, ranks out of \(medianDraws) draws (median)"
    let last = isCalibrated() ? ["The ranks are uniform: no sign that the algorithm is wrong."] : []
    return ([head, table.text] + verdicts + warnings + last).joined(separator: "\n")
  }

  /// Returns counts as bars; the middle height is what is expected.
  private static func bars(_ counts: [Int]) -> String {
    let blocks = Array(" ▁▂▃▄▅▆▇█")
    let expected = Double(max(1, counts.reduce(0, +))) / Double(counts.count)
    return String(
      counts.map { blocks[min(8, Int((4 * Double($0) / expected).rounded()))] })
  }
}
