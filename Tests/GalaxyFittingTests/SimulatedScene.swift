// SPDX-License-Identifier: MIT
//
// Noisy images of several sources with known parameters, and the catalogue one would make of them.

import GalaxyFitting
import GalaxyModels
import Numerics
import Rendering

/// Several sources over a flat sky.
struct SimulatedScene {
  /// The sources, each with its parameters by sites without number.
  var sources: [(profile: GalaxyProfile, parameters: [String: Double])]

  /// The columns and rows.
  var width = 121
  var height = 101

  /// The sky, image units.
  var sky = 0.02

  /// The noise, image units.
  var sigma = 0.02

  /// The seed of the noise.
  var seed: UInt64 = 1

  /// The light of all sources.
  func light() throws -> LightProfile {
    LightProfile(try sources.flatMap { try $0.profile.light($0.parameters).components })
  }

  /// The noisy image.
  func image() throws -> ObservedImage {
    let rms = [Double](repeating: sigma, count: width * height)
    let psf = try PointSpreadFunction.moffat(fwhm: 3, beta: 3)
    let blank = try ObservedImage(
      width: width, height: height, science: rms.map { _ in 0 }, rms: rms, psf: psf)
    let key = RandomKey(seed)
    let science = try blank.rendered(light()).enumerated().map {
      $0.element + sky + sigma * key.normal(UInt64($0.offset))
    }
    return try ObservedImage(width: width, height: height, science: science, rms: rms, psf: psf)
  }

  /// The catalogue, with positions, fluxes and radii off by some tenths.
  var catalog: SourceCatalog {
    let key = RandomKey(seed).folding(in: "catalog")
    return SourceCatalog(
      sources.enumerated().map { number, source in
        let p = source.parameters
        let radius = p["r_eff"] ?? p["r_eff_2"] ?? 0
        /// Returns a number near zero.
        func error(_ k: UInt64) -> Double { 0.3 * key.uniform(UInt64(number) * 8 + k) - 0.15 }
        return CatalogSource(
          x: (p["xc"] ?? 0) + 4 * error(0), y: (p["yc"] ?? 0) + 4 * error(1),
          flux: (p["flux"] ?? 0) * (1 + error(2)),
          // As seen through the PSF.
          radius: (radius * radius + 2.6).squareRoot() * (1 + error(3)), profile: source.profile,
          ellip: p["ellip"].map { $0 * (0.8 + error(4)) }, theta: p["theta"].map { $0 + error(5) })
      })
  }

  /// The true value of a site of the scene.
  func truth(_ site: String) -> Double? {
    if site == "sky_back" { return sky }
    guard let cut = site.lastIndex(of: "_"), let number = Int(site[site.index(after: cut)...])
    else { return nil }
    return sources[number].parameters[String(site[..<cut])]
  }

  /// Five sources of four kinds, two of them overlapping.
  static var five: SimulatedScene {
    SimulatedScene(sources: [
      (
        .sersic,
        [
          "xc": 40.3, "yc": 45.2, "flux": 400, "r_eff": 6, "n": 2.5, "ellip": 0.4, "theta": 0.7,
        ]
      ),
      (
        .exp, ["xc": 52.7, "yc": 53.1, "flux": 150, "r_eff": 4, "ellip": 0.3, "theta": 2.2]
      ),
      (.pointsource, ["xc": 80.2, "yc": 20.4, "flux": 60]),
      (
        .sersic,
        ["xc": 90.1, "yc": 75.6, "flux": 120, "r_eff": 3, "n": 1, "ellip": 0.2, "theta": 1.3]
      ),
      (.dev, ["xc": 20.4, "yc": 80.3, "flux": 90, "r_eff": 4, "ellip": 0.5, "theta": 0.2]),
    ])
  }
}
