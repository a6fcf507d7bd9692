// SPDX-License-Identifier: MIT
//
// `sersic simulate` and `sersic fit` with profiles of several components, Spergel's, and every renderer.

import FITS
import Foundation
import Testing

@Suite("Command: profiles", .enabled(if: SersicProcess.path != nil, "the command is not built"))
struct ProfileCommandTests {
  /// A simulated source of a stock profile.
  private struct Scene {
    let folder: TemporaryFolder

    /// Simulates a source in 71 × 67 pixels.
    init(_ profile: String, _ parameters: [String: Double]) throws {
      folder = try TemporaryFolder()
      let place = ["xc": 34.6, "yc": 33.2, "flux": 600, "theta": 0.7]
      let words = place.merging(parameters) { $1 }.sorted { $0.key < $1.key }.flatMap {
        ["--param", "\($0)=\($1)"]
      }
      let outcome = try SersicProcess.run(
        ["simulate", "--profile", profile, "--size", "71x67", "--psf", "moffat:fwhm=2.8,beta=3"]
          + ["--noise", "gaussian:0.02", "--seed", "3", "--output", folder.url.path] + words)
      #expect(outcome.status == 0, "\(outcome.errors)")
    }

    /// Fits the source.
    func fit(_ profile: String, _ more: String...) throws -> Outcome {
      try SersicProcess.run(
        ["fit", "image.fits", "--rms", "rms.fits", "--psf", "psf.fits", "--profile", profile]
          + ["--sky", "none"] + more, in: folder.url)
    }
  }

  /// The profiles, with the shape of a source, the names of its components and of their fluxes.
  private static let profiles: [(String, [String: Double], [String], [String])] = [
    (
      "doublesersic",
      [
        "f_1": 0.4, "r_eff_1": 2.2, "n_1": 2.5, "ellip_1": 0.2, "r_eff_2": 8, "n_2": 1,
        "ellip_2": 0.5,
      ], ["SERSIC_1", "SERSIC_2"], ["flux_1", "flux_2"]
    ),
    (
      "sersic_exp",
      ["f_1": 0.4, "r_eff_1": 2.2, "n": 2.5, "ellip_1": 0.2, "r_eff_2": 8, "ellip_2": 0.5],
      ["SERSIC_1", "EXP_2"], ["flux_1", "flux_2"]
    ),
    (
      "sersic_pointsource", ["f_ps": 0.2, "r_eff": 6, "n": 1.4, "ellip": 0.4],
      ["SERSIC", "POINTSOURCE"], ["flux_sersic", "flux_ps"]
    ),
    ("spergel", ["r_eff": 5, "nu": 0.3, "ellip": 0.4], ["SPERGEL"], []),
  ]

  @Test("every profile is simulated and recovered, with images and fluxes of its components")
  func recovers() throws {
    for (profile, shape, components, fluxes) in Self.profiles {
      let scene = try Scene(profile, shape)
      let outcome = try scene.fit(
        profile, "--method", "laplace", "--json", "--no-plots", "--output", "out")
      #expect(outcome.status == 0, "\(profile): \(outcome.errors)")
      let parameters = outcome.json["parameters"] as? [String: [String: Any]]
      for (name, value) in shape {
        let mean = parameters?[name]?["mean"] as? Double ?? .nan
        let sd = parameters?[name]?["sd"] as? Double ?? .nan
        // Five standard deviations: by chance once in 200 000 for each of 22 comparisons; the seed is fixed.
        #expect(sd > 0 && abs(mean - value) < 5 * sd, "\(profile) \(name): \(mean) ± \(sd)")
      }
      let derived = outcome.json["derived"] as? [String: [String: Any]] ?? [:]
      #expect(Set(derived.keys) == Set(fluxes), "\(profile)")
      let total = fluxes.reduce(0) { $0 + (derived[$1]?["map"] as? Double ?? .nan) }
      let flux = parameters?["flux"]?["map"] as? Double ?? .nan
      #expect(fluxes.isEmpty || abs(total / flux - 1) < 1e-12)
      let model = try FITSImage(reading: scene.folder.path("out/model.fits[MODEL]"))
      let parts = try components.map {
        try FITSImage(reading: scene.folder.path("out/model.fits[\($0)]"))
      }
      let peak = model.values.max() ?? 0
      for k in model.values.indices {
        let sum = parts.reduce(0) { $0 + $1.values[k] }
        // A component alone may be drawn on another grid: 1e-6 of the peak.
        #expect(abs(sum - model.values[k]) < 5e-6 * peak)
      }
    }
  }

  @Test("every renderer fits, and says which it was; Fourier and pixel agree")
  func renderers() throws {
    let scene = try Scene("sersic", ["r_eff": 5, "n": 1.5, "ellip": 0.4])
    var radii: [String: Double] = [:]
    for renderer in ["fourier", "hybrid", "pixel"] {
      let outcome = try scene.fit("sersic", "--renderer", renderer, "--json")
      #expect(outcome.status == 0, "\(renderer): \(outcome.errors)")
      #expect(outcome.json["renderer"] as? String == renderer)
      let parameters = outcome.json["parameters"] as? [String: [String: Any]]
      radii[renderer] = parameters?["r_eff"]?["map"] as? Double
    }
    let (fourier, pixel) = (radii["fourier"] ?? .nan, radii["pixel"] ?? .nan)
    // Images that differ by 1e-6 of the peak; the search stops within 1e-5 of a standard deviation of 0.01.
    #expect(abs(fourier - pixel) < 1e-4)
    #expect(abs(fourier - 5) < 0.1 && abs((radii["hybrid"] ?? .nan) - 5) < 0.3)
    let integrated = try scene.fit(
      "sersic", "--renderer", "hybrid", "--pixel-response", "integrated")
    #expect(integrated.status != 0 && integrated.errors.contains("hybrid"))
  }

  @Test("a point source among components needs a PSF, and shares of flux lie between 0 and 1")
  func refusals() throws {
    let folder = try TemporaryFolder()
    let parameters = [
      "xc=20", "yc=20", "flux=10", "f_ps=0.2", "r_eff=4", "n=1", "ellip=0.2", "theta=0",
    ]
    func words(_ parameters: [String], _ more: [String]) -> [String] {
      ["simulate", "--profile", "sersic_pointsource", "--size", "41x41", "--output"]
        + [folder.url.path] + more + parameters.flatMap { ["--param", $0] }
    }
    let bare = try SersicProcess.run(words(parameters, []))
    #expect(bare.status == 2 && bare.errors.contains("--psf"))
    let wrong = parameters.map { $0 == "f_ps=0.2" ? "f_ps=1.2" : $0 }
    let share = try SersicProcess.run(words(wrong, ["--psf", "gaussian:fwhm=3"]))
    #expect(share.status == 2 && share.errors.contains("f_ps"))
    let unknown = try SersicProcess.run(["fit", "x.fits", "--profile", "nuker"])
    #expect(unknown.status != 0 && unknown.errors.contains("doublesersic"))
  }
}
