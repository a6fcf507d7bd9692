// SPDX-License-Identifier: MIT
//
// The models of simulation-based calibration: fixed priors from which galaxies are drawn, and by which they are fitted.

import Distributions
import GalaxyFitting
import GalaxyModels
import Inference
import Numerics
import PPL
import Rendering
import Tensors
import Testing

/// The range of radii and fluxes of a generating prior: at a noise of 1 for each pixel.
///
/// Both are lognormal: a hard end of a radius, where posteriors pile up, would be no part of a real prior.
enum CalibrationSize: String, CaseIterable, Sendable {
  /// 95 % of r_eff 0.7 … 4 pixels and flux 280 … 14 000: signal to noise some 10 … 1000.
  case small
  /// 95 % of r_eff 3 … 30 pixels and flux 2800 … 140 000: signal to noise some 10 … 1000; the frame holds a part of most.
  case large

  /// The distribution of the radius, pixels.
  var radius: any Distribution {
    self == .small ? LogNormal(Tensor(0.53), 0.45) : LogNormal(Tensor(2.25), 0.6)
  }

  /// The distribution of the flux, image units.
  var flux: any Distribution {
    self == .small ? LogNormal(Tensor(7.6), 1) : LogNormal(Tensor(9.9), 1)
  }

  /// The frame: neither square nor centred on the source.
  var frame: (width: Int, height: Int) { self == .small ? (29, 25) : (43, 37) }
}

/// A generating prior with a frame: images are drawn from it, and fitted under it by the stock fit.
struct CalibrationScene: Sendable {
  /// The prior.
  var prior: GalaxyPrior

  /// A frame without light, whose noise is 1 for each pixel.
  let blank: ObservedImage

  /// Makes the prior of one Sérsic source: n 0.4 … 8, ellip 0 … 0.9, off-centre.
  init(_ size: CalibrationSize, sky: SkyKind, fwhm: Double = 2.6) throws {
    let (width, height) = size.frame
    blank = try Self.blank(width, height, fwhm: fwhm)
    prior = GalaxyPrior(
      .sersic, sky: sky,
      [
        "xc": Normal(0.42 * Double(width), 1.5), "yc": Normal(0.55 * Double(height), 1.5),
        "flux": size.flux, "r_eff": size.radius, "n": Uniform(0.4, 8), "ellip": Uniform(0, 0.9),
        "theta": CircularUniform(period: Double.pi),
      ])
    if sky != .none { prior["sky_back"] = Normal(3, 0.3) }
    if sky == .tiltedPlane {
      prior["sky_x_sl"] = Normal(0, 0.02)
      prior["sky_y_sl"] = Normal(0, 0.02)
    }
  }

  /// Returns a frame without light.
  static func blank(_ width: Int, _ height: Int, fwhm: Double = 2.6) throws -> ObservedImage {
    let ones = [Double](repeating: 1, count: width * height)
    return try ObservedImage(
      width: width, height: height, science: ones.map { _ in 0 }, rms: ones,
      psf: .moffat(fwhm: fwhm, beta: 3, size: 27))
  }

  /// Returns a frame with pixels.
  static func image(_ frame: ObservedImage, _ pixels: Tensor?) throws -> ObservedImage {
    try ObservedImage(
      width: frame.width, height: frame.height, science: try #require(pixels).elements,
      rms: frame.rms, psf: frame.psf)
  }

  /// Runs the calibration of the no-U-turn sampler of the stock fit.
  func calibrate(
    replicates: Int, warmUp: Int, draws: Int, key: RandomKey
  ) throws -> CalibrationResult {
    let (blank, prior) = (blank, prior)
    let model = try FitSingle(blank, prior: prior).model
    return try simulationBasedCalibration(dataFrom: model, replicates: replicates, key: key) {
      data, key in
      let image = try Self.image(blank, data[GalaxySite.loss])
      var own = prior
      // The image tells where the search starts, as it does for every user; the priors stay.
      own.guesses = SourceProperties(image).prior(.sersic, sky: prior.sky).guesses
      return try FitSingle(image, prior: own).sample(
        chains: 2, warmUp: warmUp, draws: draws, key: key
      ).draws
    }
  }
}

/// Five sources that overlap, in one frame, with a flat sky.
struct CalibrationGroup: Sendable {
  /// The prior.
  let prior: ScenePrior

  /// A frame without light.
  let blank: ObservedImage

  /// Makes the prior: sources of small radius whose places are known to a pixel, 6 … 9 pixels from each other.
  init() throws {
    blank = try CalibrationScene.blank(51, 45)
    let places: [(Double, Double)] = [(18, 18), (26, 20), (20, 26), (31, 27), (25, 32)]
    prior = ScenePrior(
      places.map { x, y in
        GalaxyPrior(
          .sersic,
          [
            "xc": Normal(x, 0.7), "yc": Normal(y, 0.7),
            "flux": LogNormal(Tensor(8.2), 0.6), "r_eff": LogNormal(Tensor(0.9), 0.4),
            "n": Uniform(0.4, 5), "ellip": Uniform(0, 0.8),
            "theta": CircularUniform(period: Double.pi),
          ])
      }, sky: .flat, background: ["sky_back": Normal(3, 0.3)])
  }

  /// Runs the calibration of the no-U-turn sampler of the stock fit.
  func calibrate(
    replicates: Int, warmUp: Int, draws: Int, key: RandomKey
  ) throws -> CalibrationResult {
    let (blank, prior) = (blank, prior)
    let model = try FitMulti(blank, prior: prior).model
    return try simulationBasedCalibration(dataFrom: model, replicates: replicates, key: key) {
      data, key in
      let image = try CalibrationScene.image(blank, data[GalaxySite.loss])
      return try FitMulti(image, prior: prior).sample(
        chains: 2, warmUp: warmUp, draws: draws, key: key
      ).draws
    }
  }
}

/// One galaxy in three bands that share its structure, with different PSFs, skies and depths.
struct CalibrationBands: Sendable {
  /// The bands without light.
  let blank: [Band]

  /// The prior.
  let prior: BandsPrior

  /// Makes the prior.
  init() throws {
    blank = try ["g", "r", "i"].enumerated().map { k, name in
      Band(
        name, try CalibrationScene.blank(39 + 2 * k, 35, fwhm: 2.4 + 0.4 * Double(k)),
        wavelength: [480, 620, 760][k], map: PlaneMap(x0: Double(k)))
    }
    var prior = BandsPrior(
      GalaxyPrior(
        .sersic,
        [
          "xc": Normal(17, 1.5), "yc": Normal(19, 1.5),
          "r_eff": LogNormal(Tensor(0.9), 0.5),
          "n": Uniform(0.4, 8), "ellip": Uniform(0, 0.9),
          "theta": CircularUniform(period: Double.pi),
        ]), bands: blank)
    try prior.link("r_eff", .polynomial(degree: 1))
    for (k, band) in blank.enumerated() {
      prior["flux_\(band.name)"] = LogNormal(Tensor(7.5 + 0.3 * Double(k)), 0.8)
      prior["sky_back_\(band.name)"] = Normal(2 + Double(k), 0.3)
    }
    self.prior = prior
  }

  /// Runs the calibration of the no-U-turn sampler of the stock fit.
  func calibrate(
    replicates: Int, warmUp: Int, draws: Int, key: RandomKey
  ) throws -> CalibrationResult {
    let (blank, prior) = (blank, prior)
    let model = try FitMultiBand(blank, prior: prior).model
    return try simulationBasedCalibration(dataFrom: model, replicates: replicates, key: key) {
      data, key in
      let bands = try blank.map { band in
        Band(
          band.name, try CalibrationScene.image(band.image, data["loss_\(band.name)"]),
          wavelength: band.wavelength, map: band.givenMap)
      }
      return try FitMultiBand(bands, prior: prior).sample(
        chains: 2, warmUp: warmUp, draws: draws, key: key
      ).draws
    }
  }
}
