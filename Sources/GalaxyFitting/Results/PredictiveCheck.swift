// SPDX-License-Identifier: MIT
//
// The posterior-predictive check: what the residuals show beyond the noise, compared with images drawn from the fit itself.
//
// Source: Gelman, Meng & Stern 1996, Statistica Sinica 6, 733: realised discrepancies under draws of the posterior.

import GalaxyModels
import Inference
public import Numerics
import Rendering
import Tensors

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A posterior-predictive check of the residuals.
///
/// ```swift
/// let check = try samples.predictiveCheck()
/// print(check)                       // a table and a verdict in words
/// check.isSound                      // no discrepancy stands out
/// ```
/// Under each of some draws of the posterior the image is drawn anew, and what the residuals of the data show is compared with
/// what those of the new image do. A share of 0.5 is what a good model has, near 0 means that the data show more.
public struct PredictiveCheck: Sendable {
  /// A discrepancy: something that residuals can show.
  public enum Discrepancy: String, Sendable, CaseIterable {
    /// Σ r² over the good pixels, r = (data − model)/noise.
    case chiSquared = "chi2"
    /// Σ r² inside the half-light ellipses of all sources.
    case core = "chi2-core"
    /// |Σ r| inside the half-light ellipses, over the root of the number of pixels: light that is missing or too much.
    case coreSum = "core-sum"
    /// The largest |r|.
    case largest
    /// The correlation of neighbours: structure that noise of independent pixels does not have.
    case correlation
  }

  /// What one discrepancy says.
  public struct Comparison: Sendable {
    /// The discrepancy.
    public let discrepancy: Discrepancy

    /// The median of the data's discrepancy under the draws.
    public let observed: Double

    /// The 5, 50 and 95 % quantiles of that of images drawn from the fit.
    public let replicated: [Double]

    /// The share of draws whose image has at least the data's discrepancy; counted with one more on both sides, never 0.
    public let pValue: Double

    /// Whether the data show more than the fit explains: a share below 0.005.
    public var standsOut: Bool { pValue < PredictiveCheck.threshold }

    /// Whether all pixels together scatter less than the noise must: a share above 0.995.
    public var isTooSmall: Bool {
      discrepancy == .chiSquared && pValue > 1 - PredictiveCheck.threshold
    }
  }

  /// The share below which a discrepancy stands out; with five of them chance does it to one fit in some fifty.
  public static let threshold = 0.005

  /// The discrepancies, in order.
  public let comparisons: [Comparison]

  /// The number of draws that were compared.
  public let draws: Int

  /// Returns the comparison of a discrepancy; nil where there is none, such as for the core of a point source.
  public subscript(discrepancy: Discrepancy) -> Comparison? {
    comparisons.first { $0.discrepancy == discrepancy }
  }

  /// Whether nothing stands out.
  public var isSound: Bool { comparisons.allSatisfy { !$0.standsOut && !$0.isTooSmall } }

  /// The verdict in words, with what to do.
  public var verdict: String {
    let much = comparisons.filter(\.standsOut).map(\.discrepancy)
    guard !much.isEmpty else {
      return comparisons.contains(where: \.isTooSmall)
        ? "the residuals are smaller than the noise allows: the rms is too large, or the pixels are correlated; check it with sersic check"
        : "the residuals look like the noise of the model: nothing in them asks for another one"
    }
    var parts: [String] = []
    if much.contains(.correlation) || much.contains(.core) || much.contains(.coreSum) {
      let place =
        much.contains(.core) || much.contains(.coreSum)
        ? "within the half-light ellipse" : "in neighbouring pixels"
      parts.append(
        "there is structure \(place) that the model does not have: look at the residuals for arms, a bar, a nucleus or a neighbour, and try a second component or mask it"
      )
      if much.contains(.correlation), !much.contains(.core), !much.contains(.coreSum) {
        parts.append(
          "noise that is correlated between pixels looks the same; sersic check measures it in blank sky"
        )
      }
    }
    if much.contains(.largest) {
      parts.append(
        "single pixels lie farther off than the noise allows: mask cosmic rays and stars, or use a robust loss"
      )
    }
    if parts.isEmpty {
      parts.append(
        "the pixels scatter more than the noise says: the rms is too small, or the model wrong everywhere; compare with sersic check, or use a loss with free noise"
      )
    }
    return parts.joined(separator: "; ")
  }
}

extension PredictiveCheck: CustomStringConvertible {
  /// A table of the discrepancies, and the verdict.
  public var description: String {
    let head = ["discrepancy", "data", "model 5 %", "50 %", "95 %", "p", ""]
    let rows = comparisons.map { comparison in
      [comparison.discrepancy.rawValue]
        + ([comparison.observed] + comparison.replicated).map { significant($0, 5) }
        + [
          decimal(comparison.pValue, 3),
          comparison.standsOut ? "stands out" : comparison.isTooSmall ? "too small" : "",
        ]
    }
    return (TextTable.lines([head] + rows) + ["", verdict]).joined(separator: "\n")
  }
}

extension FitOutcome {
  /// Compares the residuals with those of images drawn from the fit.
  ///
  /// - Parameters:
  ///   - draws: The number of draws of the posterior, evenly taken; without a posterior, of images at the maximum.
  ///   - key: The key of the noise of these images.
  /// - Returns: The comparisons and a verdict.
  /// - Throws: ``FitRecordError`` where the record has no pixels or no stock profile, `RenderingError` where it cannot be drawn.
  /// - Precondition: There are at least 200 draws: with fewer no share could be below the threshold.
  public func predictiveCheck(draws: Int = 400, key: RandomKey = 0) throws -> PredictiveCheck {
    demand(draws >= 200, "predictiveCheck: expected at least 200 draws, got \(draws)")
    let record = record
    let pixels = try record.requiredPixels()
    return try PredictiveCheck(record.report, record.draws, pixels, draws, key)
  }
}

extension PredictiveCheck {
  /// Compares.
  fileprivate init(
    _ report: FitReport, _ draws: Draws?, _ pixels: FittedPixels, _ count: Int, _ key: RandomKey
  ) throws {
    let image = pixels.image
    let sources = try report.requiredSources()
    let geometry = ResidualGeometry(report, image)
    let columns = Dictionary(
      (draws?.sites ?? []).filter(\.shape.isEmpty).map { ($0.name, $0.values) }
    ) { $1 }
    let total = draws?.count ?? 0
    var pairs: [(observed: [Double], replicated: [Double])] = []
    // At the maximum of p parameters χ² is p smaller than of new noise; draws of the posterior make good for it.
    let good = Double(geometry.good.count)
    let correction = total > 0 ? 1 : good / max(1, good - Double(report.search.freeCount))
    for k in 0..<count {
      var values = report.values
      if total > 0 {
        let place = k * total / count
        for (name, column) in columns { values[name] = column[place] }
      }
      let light = try image.rendered(
        try report.light(sources, at: values), method: report.renderer)
      let model = zip(light, MAPFit.skyImage(image, values)).map { $0 + $1 }
      let sigma = report.loss.standardDeviations(of: image, model: model, values)
      let parameters = report.loss.parameters(for: image).map { parameter in
        Tensor((values[parameter.site] ?? .nan) * (parameter.derived?.factor ?? 1))
      }
      let noise = try PixelNoise(
        image, model: Tensor(model, shape: [image.height, image.width]), loss: report.loss,
        parameters: parameters)
      let replica = noise.sample(key: key.folding(in: UInt64(k)), sampleShape: []).elements
      var observed = geometry.discrepancies(of: image.science, model, sigma)
      observed[0] *= correction
      pairs.append((observed, geometry.discrepancies(of: replica, model, sigma)))
    }
    self.draws = count
    comparisons = geometry.kinds.enumerated().map { k, kind in
      let observed = pairs.map { $0.observed[k] }.sorted()
      let replicated = pairs.map { $0.replicated[k] }.sorted()
      let exceeding = pairs.count { $0.replicated[k] >= $0.observed[k] }
      return Comparison(
        discrepancy: kind, observed: observed[count / 2],
        replicated: [0.05, 0.5, 0.95].map { p in
          replicated[min(count - 1, Int(p * Double(count)))]
        }, pValue: Double(exceeding + 1) / Double(count + 1))
    }
  }
}

/// Where residuals are looked at: good pixels, those inside half-light ellipses, pairs of neighbours.
private struct ResidualGeometry {
  /// The good pixels.
  let good: [Int]

  /// The good pixels inside the half-light ellipse of a source at the maximum.
  let core: [Int]

  /// Pairs of good neighbours, below and to the right.
  let pairs: [(Int, Int)]

  /// The discrepancies that there are pixels for.
  let kinds: [PredictiveCheck.Discrepancy]

  /// Looks at an image.
  init(_ report: FitReport, _ image: ObservedImage) {
    let (width, height) = (image.width, image.height)
    let good = (0..<(width * height)).filter { !image.mask[$0] }
    let values = report.values
    var ellipses: [(x: Double, y: Double, a: Double, q: Double, theta: Double)] = []
    for source in report.sources {
      for shape in source.profile.shapes {
        /// Returns the value of a site of the source.
        func value(_ site: String) -> Double { values[source.site(site)] ?? .nan }
        ellipses.append(
          (
            value(GalaxySite.xc), value(GalaxySite.yc), value(shape.radius),
            1 - value(shape.ellip), value(GalaxySite.theta)
          ))
      }
    }
    core = good.filter { k in
      ellipses.contains { e in
        let (dx, dy) = (Double(k % width) - e.x, Double(k / width) - e.y)
        let u = (-sine(e.theta) * dx + cosine(e.theta) * dy) / e.a
        let v = (cosine(e.theta) * dx + sine(e.theta) * dy) / (e.a * e.q)
        return u * u + v * v <= 1
      }
    }
    var neighbours: [(Int, Int)] = []
    for k in good {
      if k % width + 1 < width, !image.mask[k + 1] { neighbours.append((k, k + 1)) }
      if k / width + 1 < height, !image.mask[k + width] { neighbours.append((k, k + width)) }
    }
    self.good = good
    pairs = neighbours
    var kinds: [PredictiveCheck.Discrepancy] = [.chiSquared]
    if !core.isEmpty { kinds += [.core, .coreSum] }
    kinds.append(.largest)
    if !neighbours.isEmpty { kinds.append(.correlation) }
    self.kinds = kinds
  }

  /// Returns the discrepancies of an image from a model, in the order of ``kinds``.
  func discrepancies(of image: [Double], _ model: [Double], _ sigma: [Double]) -> [Double] {
    let r = image.indices.map { (image[$0] - model[$0]) / sigma[$0] }
    return kinds.map { kind in
      switch kind {
      case .chiSquared: good.reduce(0) { $0 + r[$1] * r[$1] }
      case .core: core.reduce(0) { $0 + r[$1] * r[$1] }
      case .coreSum: abs(core.reduce(0) { $0 + r[$1] }) / Double(core.count).squareRoot()
      case .largest: good.reduce(0) { max($0, abs(r[$1])) }
      case .correlation:
        pairs.reduce(0) { $0 + r[$1.0] * r[$1.1] } / Double(pairs.count)
          / (good.reduce(0) { $0 + r[$1] * r[$1] } / Double(good.count))
      }
    }
  }
}

/// Returns the sine of a number, which tensor functions hide.
private func sine(_ x: Double) -> Double { sin(x) }

/// Returns the cosine of a number, which tensor functions hide.
private func cosine(_ x: Double) -> Double { cos(x) }
