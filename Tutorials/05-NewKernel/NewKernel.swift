// SPDX-License-Identifier: MIT
//
// A new sampler: written in one file, run by the package's runner, and tested where the answer is known.

import Foundation
import ReferenceModels
import SwiftSersic

/// A linear regression with four weights, whose posterior is a normal distribution known in closed form.
private func regression() -> LinearGaussian {
  let key = RandomKey(5)
  let (rows, weights) = (40, [1.5, -0.7, 0.2, 3])
  // The last two columns go up and down together: their weights are correlated.
  let design = (0..<rows).flatMap { row -> [Double] in
    let x = key.folding(in: "x").folding(in: row).normals(4)
    return [1, x[0], x[1], 0.8 * x[1] + 0.6 * x[2]]
  }
  let noise = key.folding(in: "noise").normals(rows)
  let y = (0..<rows).map { row in
    (0..<4).reduce(0.5 * noise[row]) { $0 + design[4 * row + $1] * weights[$1] }
  }
  return LinearGaussian(
    design: Tensor(design, shape: [rows, 4]), y: y, noise: 0.5, prior: 10)
}

/// The tutorial.
@main
struct NewKernel {
  /// Runs it; the argument is a folder for the picture.
  static func main() throws {
    let folder = try CommandLine.arguments.dropFirst().first.map { try OutputFolder($0) }

    print("1. A posterior that is known: a regression with four weights and normal errors.\n")
    let reference = regression()
    let density = try reference.model.logDensity()
    let means = reference.posteriorMean.elements
    let covariance = reference.posteriorCovariance.elements
    let deviations = (0..<4).map { covariance[5 * $0].squareRoot() }

    print("2. Barker.swift beside this file has the kernel: start, step, and how to be tuned.")
    print("   The runner gives it chains, threads, a warm-up, and diagnostics:\n")
    let barker = try Barker().run(density, chains: 4, warmUp: 1000, draws: 5000, key: 1)
    print("\(barker.summary())\n")

    print("3. NUTS on the same posterior:\n")
    let nuts = try NUTS().run(density, chains: 4, warmUp: 1000, draws: 1000, key: 1)
    print("\(nuts.summary())\n")

    print("4. The exact answer. Here ± is the Monte Carlo error, which more draws make smaller:\n")
    for (name, draws) in [("barker", barker), ("nuts", nuts)] {
      for (k, scalar) in draws.scalars.enumerated() {
        print(
          comparison(
            "\(name)_mean_\(k)", true: means[k], found: scalar.mean, scalar.meanError))
        print(
          comparison(
            "\(name)_sd_\(k)", true: deviations[k], found: scalar.standardDeviation,
            scalar.standardDeviationError))
      }
    }

    print(
      "\n5. What does a draw cost? Effective draws for 1000 gradients, the worst of the weights:\n")
    for (name, draws) in [("Barker", barker), ("NUTS", nuts)] {
      let least = draws.summary().rows.map(\.bulkESS).min() ?? .nan
      let gradients = draws.statistics?.gradients.reduce(0, +) ?? 0
      print(String(format: "  \(name): %.0f", 1000 * least / Double(gradients)))
    }

    guard let folder else {
      print("\nName a folder to get a picture: … Tutorial05NewKernel my-folder")
      return
    }
    let panels = (0..<4).map { k in
      var panel = Panel(title: "weight \(k)", xLabel: "w[\(k)]", yLabel: "density")
      panel.series = [
        .histogram(barker.scalars[k].values, bins: 40, isDensity: true, name: "Barker")
      ]
      let x = (0...200).map { means[k] + deviations[k] * (Double($0) / 25 - 4) }
      let height = 1 / (deviations[k] * (2 * Double.pi).squareRoot())
      let y = x.map { x in
        let z = (x - means[k]) / deviations[k]
        return height * exp(-0.5 * z * z)
      }
      panel.series.append(PlotSeries(.line(x: x, y: y), name: "exact", color: .ink))
      return panel
    }
    try Panel.grid([Array(panels[..<2]), Array(panels[2...])])
      .write(to: "\(folder.path)/weights.png", dotsPerInch: 100)
    print("\n\(folder.path) has weights.png.")
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
