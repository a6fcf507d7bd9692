// SPDX-License-Identifier: MIT
//
// Many sources: a scene is simulated, its sources are found, and all are fitted together over one sky.

import Foundation
import SwiftSersic

/// The true sources: four galaxies, two of which overlap, and a star.
private let galaxies: [[String: Double]] = [
  ["xc": 40.3, "yc": 45.2, "flux": 400, "r_eff": 6, "n": 2.5, "ellip": 0.4, "theta": 0.7],
  ["xc": 58.7, "yc": 55.1, "flux": 150, "r_eff": 4, "n": 1, "ellip": 0.3, "theta": 2.2],
  ["xc": 88.1, "yc": 72.6, "flux": 120, "r_eff": 3, "n": 1.5, "ellip": 0.2, "theta": 1.3],
  ["xc": 20.4, "yc": 78.3, "flux": 90, "r_eff": 4, "n": 1.2, "ellip": 0.5, "theta": 0.2],
]
private let star = ["xc": 80.2, "yc": 20.4, "flux": 60]

/// Simulates the image of the scene with normal noise.
private func simulatedScene() throws -> ObservedImage {
  let (width, height, noise) = (111, 101, 0.02)
  let rms = [Double](repeating: noise, count: width * height)
  let psf = try PointSpreadFunction.moffat(fwhm: 3, beta: 3)
  let blank = try ObservedImage(
    width: width, height: height, science: rms.map { _ in 0 }, rms: rms, psf: psf)
  let lights =
    try galaxies.map { try GalaxyProfile.sersic.light($0) }
    + [GalaxyProfile.pointsource.light(star)]
  let key = RandomKey(2)
  let science = try blank.rendered(LightProfile(lights.flatMap(\.components))).enumerated().map {
    $0.element + 0.05 + noise * key.normal(UInt64($0.offset))
  }
  return try ObservedImage(width: width, height: height, science: science, rms: rms, psf: psf)
}

/// The tutorial.
@main
struct ManySources {
  /// Runs it; the argument is a folder for the pictures.
  static func main() throws {
    let folder = try CommandLine.arguments.dropFirst().first.map { try OutputFolder($0) }
    let image = try simulatedScene()

    print("1. Which sources are there? SExtractor's algorithm finds them:\n")
    var catalog = try SourceDetection(image).catalog
    print("\(catalog.csv)")

    print("2. A look at the image says that the source near (80, 20) is a star: a point source.\n")
    for k in catalog.sources.indices
    where hypot(catalog.sources[k].x - 80, catalog.sources[k].y - 20) < 3 {
      catalog.sources[k].profile = .pointsource
    }

    print("3. The prior of the scene; each source has its parameters with its number.\n")
    let prior = catalog.prior(in: image, sky: .flat)
    print("\(prior)\n")

    print("4. The fit: each source by itself first, then all together.\n")
    let fit = try FitMulti(image, prior: prior)
    let best = try fit.findMAP()
    print("  It \(best.isConverged ? "has" : "has NOT") converged.")
    print(String(format: "  χ² per degree of freedom: %.3f\n", best.reducedChiSquared))
    let result = FitResult(try fit.estimatePosterior(.laplace, from: best))
    for finding in result.findings { print("  \(finding)") }

    print("5. The results of one source, under the names of a single one:\n")
    print("\(try result.source(0).table)\n")

    print("6. Every source beside the truth that lies nearest:\n")
    for number in 0..<result.sourceCount {
      let source = try result.source(number)
      let (x, y) = (source["xc"]?.map ?? .nan, source["yc"]?.map ?? .nan)
      /// Returns the distance of a true source.
      func distance(_ truth: [String: Double]) -> Double {
        hypot((truth["xc"] ?? .nan) - x, (truth["yc"] ?? .nan) - y)
      }
      guard let truth = (galaxies + [star]).min(by: { distance($0) < distance($1) }) else {
        continue
      }
      print("  source \(number), \(source.profile):")
      for parameter in source.parameters {
        guard let expected = truth[parameter.name], let mean = parameter.mean,
          let deviation = parameter.standardDeviation
        else { continue }
        print(comparison("\(parameter.name)_\(number)", true: expected, found: mean, deviation))
      }
    }

    guard let folder else {
      print("\nName a folder to get pictures and files: … Tutorial02ManySources my-folder")
      return
    }
    var plot = ImagePlot(width: image.width, height: image.height, values: image.science)
    plot.title = "Five sources"
    plot.marks = catalog.sources.map {
      ImagePlot.Mark(.cross(x: $0.x, y: $0.y, dx: 2, dy: 2), name: "detected")
    }
    for number in 0..<result.sourceCount {
      let source = try result.source(number)
      guard let xc = source["xc"], let yc = source["yc"], let rEff = source["r_eff"] else {
        continue
      }
      plot.marks.append(
        ImagePlot.Mark(
          .ellipse(
            x: xc.map, y: yc.map, semiMajor: 2 * rEff.map, ellip: source["ellip"]?.map ?? 0,
            theta: source["theta"]?.map ?? 0), name: "fitted, two half-light radii",
          color: .series(2)))
    }
    try plot.figure().write(to: "\(folder.path)/sources.png", dotsPerInch: 80)
    try best.residualPlot().write(to: "\(folder.path)/residual.png", dotsPerInch: 80)
    try result.save(to: "\(folder.path)/scene.asdf")
    print("\n\(folder.path) has sources.png, residual.png and scene.asdf.")
  }
}

/// Returns a line that puts what was found beside the truth.
private func comparison(_ name: String, true truth: Double, found: Double, _ deviation: Double)
  -> String
{
  let label = name.padding(toLength: 13, withPad: " ", startingAt: 0)
  return "  \(label) true "
    + String(
      format: "%9.4f   found %9.4f ± %.4f   (%+.1f sd)", truth, found, deviation,
      (found - truth) / deviation)
}
