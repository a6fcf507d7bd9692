// SPDX-License-Identifier: MIT
//
// The losses in models and fits: sites, priors, units, what each recovers, and pysersic's mistakes that are not made.

import Distributions
import GalaxyFitting
import GalaxyModels
import Inference
import Numerics
import PPL
import Rendering
import Tensors
import Testing

@Suite("Losses")
struct LossTests {
  /// All losses, one of each kind.
  static let all: [ImageLoss] =
    [.poisson(gain: 1, sky: 0)]
    + [nil, NoiseFreedom.fraction, .systematic].flatMap { free in
      [
        .gaussian(free: free), .studentT(free: free), .pseudoHuber(free: free),
        .mixture(free: free),
      ]
    }

  /// The galaxy of these tests.
  static let truth = [
    "xc": 20.3, "yc": 21.4, "flux": 400, "r_eff": 4, "n": 1.5, "ellip": 0.35, "theta": 0.8,
    "sky_back": 0.5,
  ]

  /// Its image without noise, 43 × 41 pixels.
  static func clean() throws -> [Double] {
    try FitSingleTests.clean(
      Sersic(xc: 20.3, yc: 21.4, flux: 400, rEff: 4, n: 1.5, ellip: 0.35, theta: 0.8)
        .lightProfile, sky: .flat(0.5), width: 43, height: 41)
  }

  /// Returns the image with noise of a factor of its rms.
  static func image(
    factor: Double = 1, systematic: Double = 0, outliers: Double = 0, sigma: Double = 0.1,
    unit: Double = 1, seed: UInt64 = 5
  ) throws -> ObservedImage {
    let (noise, hits) = (RandomKey(seed), RandomKey(seed).folding(in: "outliers"))
    let total = (factor * factor * sigma * sigma + systematic * systematic).squareRoot()
    let pixels = try clean().enumerated().map { k, value in
      // Bright ones, as cosmic rays and unmasked neighbours are.
      let hit = hits.uniform(UInt64(k)) < outliers ? 30 * sigma : 0
      return value + total * noise.normal(UInt64(k)) + hit
    }
    return try FitSingleTests.image(pixels, sigma: sigma, width: 43, height: 41, unit: unit)
  }

  @Test("each loss is read from its own text and from pysersic's name")
  func texts() throws {
    for loss in Self.all {
      #expect(try GalaxyFitting.loss(from: loss.description) == loss, "\(loss)")
    }
    let names: [(String, ImageLoss)] = [
      ("gaussian_loss", .gaussian), ("gaussian_loss_w_frac", .gaussian(free: .fraction)),
      ("gaussian_loss_w_sys", .gaussian(free: .systematic)), ("cash_loss", .poisson()),
      ("student_t_loss", .studentT()), ("student_t_loss_free_sys", .studentT(free: .systematic)),
      ("pseudo_huber_loss", .pseudoHuber()), ("gaussian_mixture", .mixture()),
      ("gaussian_mixture_w_sys", .mixture(free: .systematic)),
      ("gaussian_mixture_w_frac", .mixture(free: .fraction)),
      ("student-t-sys:nu=4,scale=0.9", .studentT(dof: 4, scale: 0.9, free: .systematic)),
      ("pseudo-huber:2", .pseudoHuber(delta: 2)), ("mixture:c=10", .mixture(outlierScale: 10)),
      ("poisson:gain=2,sky=7", .poisson(gain: 2, sky: 7)),
    ]
    for (text, loss) in names { #expect(try GalaxyFitting.loss(from: text) == loss, "\(text)") }
    for text in [
      "", "huber", "poisson-frac", "gaussian:dof=5", "pseudo-huber:delta=0", "mixture:c=0.5",
      "student-t:dof=2", "poisson:gain=-1", "poisson:sky=inf", "gaussian-loss-w", "sys",
    ] {
      #expect(throws: OptionError.self, "\(text)") { try GalaxyFitting.loss(from: text) }
    }
  }

  @Test("the sites of a fit are those of source, sky and loss, named as pysersic's", arguments: all)
  func sites(_ loss: ImageLoss) throws {
    let image = try Self.image()
    let fit = try FitSingle(image, prior: autoprior(image, .sersic, sky: .flat), loss: loss)
    let latent = GalaxyProfile.sersic.sites + ["sky_back"] + loss.sites
    #expect(fit.density.layout.names == latent && fit.prior.sites == latent)
    let derived = fit.density.deterministicNames
    #expect(derived.contains("sys_scatter") == (loss.free == .systematic))
    #expect(derived.contains("outlier_frac") == loss.hasOutliers)
    for site in loss.sites {
      #expect(fit.prior[site] != nil && fit.prior.texts[site] != nil)
      #expect(fit.prior.description.contains(site))
    }
    #expect(
      LossTests.expectedSites[loss.description.prefix { $0 != ":" }.description] == loss.sites)
  }

  /// pysersic's names of the parameters of each loss.
  static let expectedSites: [String: [String]] = [
    "gaussian": [], "student-t": [], "pseudo-huber": [], "poisson": [],
    "gaussian-frac": ["frac_scatter_increase"], "student-t-frac": ["frac_scatter_increase"],
    "pseudo-huber-frac": ["frac_scatter_increase"], "gaussian-sys": ["sys_scatter_base"],
    "student-t-sys": ["sys_scatter_base"], "pseudo-huber-sys": ["sys_scatter_base"],
    "mixture": ["outlier_frac_base"], "mixture-sys": ["sys_scatter_base", "outlier_frac_base"],
    "mixture-frac": ["sig_frac", "outlier_frac_base"],
  ]

  @Test("each loss recovers a galaxy in noise of its own kind, and the noise", arguments: all)
  func recovery(_ loss: ImageLoss) throws {
    let image: ObservedImage
    var expected = Self.truth
    expected["sig_frac"] = 0.3
    switch (loss.free, loss.hasOutliers) {
    case (.fraction?, let hasOutliers):
      image = try Self.image(factor: 1.3, outliers: hasOutliers ? 0.02 : 0)
    case (.systematic?, let hasOutliers):
      image = try Self.image(systematic: 0.08, outliers: hasOutliers ? 0.02 : 0)
    case (nil, true): image = try Self.image(outliers: 0.02)
    default:
      image = try loss.kind == .poisson ? Self.counts(gain: 50) : Self.image()
    }
    let used = loss.kind == .poisson ? ImageLoss.poisson(gain: 50, sky: 0) : loss
    let fit = try FitSingle(image, prior: autoprior(image, .sersic, sky: .flat), loss: used)
    let posterior = try fit.estimatePosterior(.laplace)
    #expect(posterior.best.isConverged, "\(posterior.best.optimum.explanation)")
    // The scale at which a density of other tails fits normal noise best, E[r ρ′] = 1, over the noise's own: by SciPy's
    // quadrature, for Student's t with dof 5 and scale √(3/5), and for δ = 3.
    let width =
      loss.description.hasPrefix("student")
      ? 1.10589 : loss.description.hasPrefix("pseudo") ? 0.92911 : 1
    expected["frac_scatter_increase"] = 1.3 * width - 1
    expected["sys_scatter_base"] = (1.64 * width * width - 1).squareRoot()
    for scalar in posterior.draws.scalars {
      guard let value = expected[scalar.name] else { continue }
      // 4.5 standard deviations: by chance 7e-6 for each of some 110 comparisons of fixed noise. Robust losses report
      // 0.9 of the scatter on noise that has no outliers.
      #expect(
        abs(scalar.mean - value) < 4.5 * scalar.standardDeviation,
        "\(loss) \(scalar.name): \(scalar.mean) ± \(scalar.standardDeviation), \(value)")
    }
    if loss.hasOutliers {
      let share = try #require(FitResult(posterior).derived.first { $0.name == "outlier_frac" })
      let (mean, sd) = (share.mean ?? .nan, share.standardDeviation ?? .nan)
      // 1763 pixels, 2 % of them: 35 ± 6 outliers, of which some are as near as others by chance.
      #expect(abs(mean - 0.02) < 4 * sd + 0.006, "\(mean) ± \(sd)")
    }
    #expect(!posterior.best.findings.contains { $0.code == "poor-fit" || $0.code == "loss-gain" })
  }

  /// Returns the galaxy as counts, and its rms from the model.
  static func counts(gain: Double) throws -> ObservedImage {
    let noise = ImageNoise.poisson(gain: gain, read: 0)
    let model = try clean()
    return try ObservedImage(
      width: 43, height: 41, science: noise.applied(to: model, key: 9), rms: noise.rms(of: model),
      psf: FitSingleTests.psf())
  }

  @Test(
    "parameters of the noise, and all others, do not depend on the unit of the image",
    arguments: [1e-20, 1e6])
  func units(unit: Double) throws {
    for loss in [ImageLoss.mixture(free: .systematic), .gaussian(free: .systematic)] {
      let fits = try [1, unit].map { unit in
        let image = try Self.image(systematic: 0.08, outliers: 0.02, unit: unit)
        return try FitSingle(image, prior: autoprior(image, .sersic, sky: .flat), loss: loss)
          .estimatePosterior(.laplace, draws: 2000)
      }
      for (a, b) in zip(fits[0].draws.scalars, fits[1].draws.scalars) {
        let factor = ["flux", "sky_back"].contains(a.name) ? unit : 1
        // The same draws from the same curvature: differences are those of where the search stopped.
        #expect(abs(a.mean - b.mean / factor) < 1e-2 * a.standardDeviation, "\(loss) \(a.name)")
      }
      let (a, b) = (FitResult(fits[0]).derived[0], FitResult(fits[1]).derived[0])
      #expect(a.name == "sys_scatter" && abs(a.map - b.map / unit) < 1e-4 * a.map)
      // The Gaussian loss takes the outliers, 0.3 in size, for noise.
      #expect(loss.hasOutliers ? abs(a.map - 0.08) < 0.015 : a.map > 0.2)
    }
  }

  @Test("priors of the noise can be set, and it can be held at a value")
  func settings() throws {
    let image = try Self.image(outliers: 0.02)
    let loss = ImageLoss.mixture()
    let settings = try PriorSettings(
      priors: ["outlier_frac_base=normal(0.4, 0.01)"], fix: [], start: ["outlier_frac_base=0.5"])
    try settings.check(.sersic, .flat, loss)
    var prior = autoprior(image, .sersic, sky: .flat)
    prior.include(loss)
    try settings.apply(to: &prior)
    #expect(
      prior["outlier_frac_base"]?.description
        == "TruncatedNormal(loc: 0.4, scale: 0.01, low: 0.0, high: 20.0)")
    let best = try FitSingle(image, prior: prior, loss: loss).findMAP(start: settings.starts)
    #expect(abs(best["outlier_frac_base"] - 0.4) < 0.03)

    var fixed = autoprior(image, .sersic, sky: .flat)
    fixed.fix("outlier_frac_base", at: 0)
    let gaussian = try FitSingle(image, prior: autoprior(image, .sersic, sky: .flat)).findMAP()
    let without = try FitSingle(image, prior: fixed, loss: loss).findMAP()
    #expect(without["outlier_frac_base"] == 0)
    // A mixture without outliers is the Gaussian loss; only the searches' ends differ.
    #expect(abs(without["r_eff"] - gaussian["r_eff"]) < 1e-5)

    #expect(throws: OptionError.self) { try settings.check(.sersic, .flat, .gaussian) }
    var extra = autoprior(image, .sersic, sky: .flat)
    extra["sys_scatter_base"] = HalfNormal(1)
    #expect(throws: GalaxyModelError.self) { try FitSingle(image, prior: extra, loss: loss) }
    for text in ["sys_scatter_base=uniform(-1,2)", "sig_frac=uniform(-2,1)"] {
      #expect(throws: OptionError.self) { try PriorSettings(priors: [text], fix: [], start: []) }
    }
    #expect(throws: OptionError.self) {
      try PriorSettings(priors: [], fix: ["outlier_frac_base=21"], start: [])
    }
  }

  @Test("taking another loss drops the default priors of the first, and keeps what was set")
  func replaced() throws {
    var prior = GalaxyPrior(.pointsource)
    for site in prior.sites { prior[site] = Normal(0, 1) }
    prior.include(.mixture(free: .systematic))
    prior["sys_scatter_base"] = HalfNormal(3)
    #expect(prior.sites.suffix(2) == ["sys_scatter_base", "outlier_frac_base"])
    prior.include(.gaussian(free: .systematic))
    try prior.validate()
    #expect(prior.texts["sys_scatter_base"] == "HalfNormal(scale: 3.0)")
    prior.include(.gaussian)
    #expect(throws: GalaxyModelError.self) { try prior.validate() }
    prior["sys_scatter_base"] = nil
    try prior.validate()
  }

  @Test(
    "bands of a joint model share a parameter of the noise by value, or have their own by scope")
  func bands() throws {
    let images = try [5, 6].map { try Self.image(factor: 1.3, seed: $0) }
    let shared = Model { m in
      let f = m.sample("f", TruncatedNormal(0, 1, low: -0.5, high: 2))
      let light = Sersic(
        xc: 20.3, yc: 21.4, flux: m.sample("flux", Normal(400, 50)), rEff: 4, n: 1.5, ellip: 0.35,
        theta: 0.8)
      for (k, image) in images.enumerated() {
        m.scope("\(k)") {
          m.observe(
            image, light, sky: .flat(0.5), loss: .gaussian(free: .fraction),
            lossValues: ["frac_scatter_increase": f])
        }
      }
    }
    let density = try shared.logDensity()
    #expect(density.layout.names == ["f", "flux"])
    let draws = try LaplaceApproximation(
      density, from: density.initialPoint(.median(draws: 15), key: 0)
    ).sample(1000, key: 1)
    let f = try #require(draws.scalars.first { $0.name == "f" })
    // 3526 pixels: σ_f = 1.3/√(2N) = 0.0155; four of it.
    #expect(abs(f.mean - 0.3) < 0.062 && abs(f.standardDeviation - 0.0155) < 0.002)

    let own = Model { m in
      let light = PointSource(xc: 20, yc: 20, flux: m.sample("flux", Normal(1, 1)))
      for (k, image) in images.enumerated() {
        m.scope("\(k)") {
          m.observe(
            image, light, loss: .mixture(), lossPriors: ["outlier_frac_base": Uniform(0, 1)])
        }
      }
    }
    #expect(
      try own.logDensity().layout.names == ["flux", "0/outlier_frac_base", "1/outlier_frac_base"])
    let wrong = Model { m in
      let light = PointSource(xc: 20, yc: 20, flux: m.sample("flux", Normal(1, 1)))
      m.observe(images[0], light, loss: .mixture(), lossPriors: ["outlier_frac": Uniform(0, 1)])
    }
    #expect(throws: ModelError.self) { try wrong.logDensity() }
  }

  @Test("a loss that cannot be, or not with these data, is said before a fit starts")
  func impossible() throws {
    let image = try Self.image()
    let prior = autoprior(image, .sersic, sky: .flat)
    for loss in [
      ImageLoss.studentT(dof: 2), .pseudoHuber(delta: -1), .mixture(outlierScale: 1),
      .poisson(gain: 0),
      // Noise makes some pixels negative where 0.6 of the sky of 0.5 was taken off.
      .poisson(gain: 1, sky: -0.8),
    ] {
      #expect(throws: GalaxyModelError.self, "\(loss)") {
        try FitSingle(image, prior: prior, loss: loss)
      }
    }
  }
}

extension ImageLoss {
  /// The name without options.
  fileprivate var kind: Kind { description.hasPrefix("poisson") ? .poisson : .scaled }

  /// What the scale of the noise comes from.
  fileprivate enum Kind { case poisson, scaled }
}
