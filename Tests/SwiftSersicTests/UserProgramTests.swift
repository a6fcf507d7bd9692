// SPDX-License-Identifier: MIT
//
// The programs that users must be able to write, as they write them: one import, fits of simulated images.

import SwiftSersic
import Testing

@Suite("User programs")
struct UserProgramTests {
  /// Returns an image with seeded Gaussian noise around a light.
  static func simulate(
    _ light: some LightComponent, sky: Double = 0, width: Int = 61, height: Int = 55,
    sigma: Double = 0.05, key: RandomKey = 1
  ) throws -> ObservedImage {
    let psf = try PointSpreadFunction.moffat(fwhm: 3, beta: 3)
    let blank = [Double](repeating: 0, count: width * height)
    let rms = [Double](repeating: sigma, count: width * height)
    let empty = try ObservedImage(
      width: width, height: height, science: blank, rms: rms, psf: psf)
    let model = Model { m in m.observe(empty, light, sky: .flat(sky)) }
    let clean = try model(key: 0).elements
    let noisy = clean.enumerated().map { $0.element + sigma * key.normal(UInt64($0.offset)) }
    return try ObservedImage(
      width: width, height: height, science: noisy, rms: rms, psf: psf)
  }

  static let galaxy = Sersic(
    xc: 30.3, yc: 26.6, flux: 120, rEff: 5, n: 2.2, ellip: 0.35, theta: 0.9)

  @Test("a stock fit of one galaxy: prior, MAP, Laplace, table")
  func stockFit() throws {
    let image = try Self.simulate(Self.galaxy, sky: 0.02)
    let prior = SourceProperties(image).prior(.sersic, sky: .flat)
    let fit = try FitSingle(image, prior: prior, loss: .studentT(dof: 5))
    let best = try fit.findMAP()
    #expect(best.isConverged)
    let posterior = try fit.estimatePosterior(.laplace, from: best)
    // One import is enough for the pictures, too.
    let pictures: [Figure] = [best.residualPlot(), posterior.cornerPlot()]
    #expect(pictures.allSatisfy { $0.width > 0 })
    let truth = [
      "xc": 30.3, "yc": 26.6, "flux": 120, "r_eff": 5, "n": 2.2, "ellip": 0.35, "theta": 0.9,
      "sky_back": 0.02,
    ]
    for scalar in posterior.draws.scalars {
      let expected = try #require(truth[scalar.name])
      // Five standard deviations of a fixed noise draw: by chance 6e-7 for each parameter.
      #expect(
        abs(scalar.mean - expected) < 5 * scalar.standardDeviation,
        "\(scalar.name): \(scalar.mean) ± \(scalar.standardDeviation), truth \(expected)")
      #expect(scalar.standardDeviation < 0.2 * abs(expected))
    }
  }

  /// A galaxy with a bulge, a disk and a nucleus, as a user writes it.
  static func bulgeDiskNucleus(_ image: ObservedImage) -> Model<LightProfile> {
    Model { m in
      let xc = m.sample("xc", Normal(image.center.x, 2))
      let yc = m.sample("yc", Normal(image.center.y, 2))
      let flux = m.sample("flux", LogNormal(5, 1))
      let bulgeToTotal = m.sample("b_t", Beta(1, 3))
      let theta = m.sample("theta", CircularUniform(period: Double.pi))
      let disk = Exponential(
        xc: xc, yc: yc, flux: flux * (1 - bulgeToTotal),
        rEff: m.sample("r_disk", LogNormal(2, 0.5)), ellip: m.sample("e_disk", Uniform(0, 0.9)),
        theta: theta)
      let bulge = Sersic(
        xc: xc, yc: yc, flux: flux * bulgeToTotal, rEff: m.sample("r_bulge", LogNormal(1, 0.5)),
        n: m.sample("n_bulge", Uniform(0.5, 6)), ellip: 0.1, theta: theta)
      let nucleus = PointSource(xc: xc, yc: yc, flux: m.sample("flux_agn", LogNormal(2, 1)))
      let light = bulge + disk + nucleus
      let sky = m.sample("sky_back", Normal(0, 0.1))
      m.observe(image, light, sky: sky, loss: .gaussian)
      return light
    }
  }

  @Test("a galaxy model of one's own: an ordinary program, optimised by a density's evaluator")
  func ownModel() throws {
    let truth =
      Exponential(xc: 30, yc: 27, flux: 150, rEff: 9, ellip: 0.5, theta: 1.1)
      + Sersic(xc: 30, yc: 27, flux: 60, rEff: 2.5, n: 2, ellip: 0.1, theta: 1.1)
      + PointSource(xc: 30, yc: 27, flux: 10)
    let image = try Self.simulate(truth, sigma: 0.01)
    let model = Self.bulgeDiskNucleus(image)
    let density = try model.logDensity()
    let start = try density.initialPoint(
      .values(["flux": Tensor(200), "r_disk": Tensor(8), "r_bulge": Tensor(2)]))
    let best = LevenbergMarquardt().maximize(density.makeJointEvaluator(), from: start)
    #expect(best.isConverged)
    let values = density.constrain(best.position)
    let flux = try #require(values["flux"]).item()
    let ratio = try #require(values["b_t"]).item()
    // Noise of 0.01 in 3355 pixels: the total is good to some 2 %, the split of bulge and nucleus to less.
    #expect(abs(flux - 210) < 10)
    #expect(abs(ratio - 60.0 / 210) < 0.08)
    #expect(abs((try #require(values["r_disk"]).item()) - 9) < 0.3)
    let light = try model.substituting(values)(key: 0)
    #expect(light.components.count == 3)
  }

  @Test("a joint fit of two bands that differ in shape, scale and orientation")
  func jointBands() throws {
    let turn = 0.5
    let scale = 0.5
    // The joint frame is the first band's; the second is turned by 0.5 rad, with pixels twice as large.
    let map = PlaneMap(
      xx: scale * 0.8775825618903728, xy: -scale * 0.479425538604203,
      yx: scale * 0.479425538604203, yy: scale * 0.8775825618903728, x0: 12, y0: 4)
    let first = try Self.simulate(Self.galaxy)
    let probe = Band("probe", first, fluxPrior: Normal(0, 1), map: map)
    let turned = probe.project(
      Sersic(xc: 30.3, yc: 26.6, flux: 80, rEff: 5, n: 2.2, ellip: 0.35, theta: 0.9))
    #expect(abs(turned.components[0].parameters[6].item() - (0.9 + turn)) < 1e-12)
    #expect(abs(turned.components[0].parameters[3].item() - 2.5) < 1e-12)
    let second = try Self.simulate(turned, width: 45, height: 41, sigma: 0.03, key: 9)
    let bands = [
      Band("g", first, fluxPrior: LogNormal(4.6, 1)),
      Band("r", second, fluxPrior: LogNormal(4.6, 1), map: map),
    ]
    let joint = Model { m in
      let xc = m.sample("xc", Normal(30, 2))
      let yc = m.sample("yc", Normal(27, 2))
      let n = m.sample("n", Uniform(0.3, 8))
      let rEff = m.sample("r_eff", LogNormal(1.5, 0.7))
      let ellip = m.sample("ellip", Uniform(0, 0.95))
      let theta = m.sample("theta", CircularUniform(period: Double.pi))
      for band in bands {
        m.scope(band.name) {
          let flux = m.sample("flux", band.fluxPrior)
          let dx = m.sample("dx", Normal(0, 0.1))
          let light = Sersic(
            xc: xc + dx, yc: yc, flux: flux, rEff: rEff, n: n, ellip: ellip, theta: theta)
          m.observe(band.image, band.project(light))
        }
      }
    }
    let density = try joint.logDensity()
    #expect(density.layout.names.contains("r/flux"))
    let start = try density.initialPoint(.values(["n": Tensor(1.5), "theta": Tensor(0.7)]))
    let laplace = try LaplaceApproximation(density, from: start)
    #expect(laplace.mode.isConverged)
    let draws = laplace.sample(2000)
    let truth = ["r_eff": 5.0, "n": 2.2, "ellip": 0.35, "theta": 0.9, "g/flux": 120, "r/flux": 80]
    for scalar in draws.scalars {
      guard let expected = truth[scalar.name] else { continue }
      #expect(
        abs(scalar.mean - expected) < 5 * scalar.standardDeviation,
        "\(scalar.name): \(scalar.mean) ± \(scalar.standardDeviation), truth \(expected)")
    }
  }

  @Test("a band that is no similarity maps an ellipse as its matrix does")
  func generalBand() throws {
    let image = try Self.simulate(Self.galaxy)
    let map = PlaneMap(xx: 1.3, xy: 0.2, yx: -0.1, yy: 0.7, x0: 3, y0: -2)
    let band = Band("b", image, fluxPrior: Normal(0, 1), map: map)
    let component = band.project(Self.galaxy).components[0]
    let p = component.parameters.map { $0.item() }
    /// Returns the matrix of an ellipse: a² u uᵀ + b² v vᵀ.
    func matrix(_ a: Double, _ e: Double, _ t: Double) -> (Double, Double, Double) {
      let (s, c) = (sin(Tensor(t)).item(), cos(Tensor(t)).item())
      let (a2, b2) = (a * a, a * a * (1 - e) * (1 - e))
      return (a2 * s * s + b2 * c * c, -a2 * s * c + b2 * c * s, a2 * c * c + b2 * s * s)
    }
    let (xx, xy, yy) = matrix(5, 0.35, 0.9)
    let found = matrix(p[3], p[5], p[6])
    let expected = (
      1.69 * xx + 0.52 * xy + 0.04 * yy,
      -0.13 * xx + (0.91 - 0.02) * xy + 0.14 * yy,
      0.01 * xx - 0.14 * xy + 0.49 * yy
    )
    // Rounding of a few products.
    #expect(abs(found.0 - expected.0) < 1e-10)
    #expect(abs(found.1 - expected.1) < 1e-10)
    #expect(abs(found.2 - expected.2) < 1e-10)
  }

  @Test(
    "parameters that describe no profile have the log density −∞, whatever renders and compares",
    arguments: [ImageLoss.gaussian, .studentT(dof: 5)], [RenderingMethod.fourier, .pixel])
  func outsideTheRange(_ loss: ImageLoss, _ method: RenderingMethod) throws {
    let image = try Self.simulate(Self.galaxy)
    // Priors that reach beyond what a profile can be: n up to some 20, radii and ellipticities of any sign.
    let model = Model { m in
      let (n, r) = (m.sample("n", Normal(3, 4)), m.sample("r_eff", Normal(5, 4)))
      let light = Sersic(
        xc: 30, yc: 27, flux: 120, rEff: r, n: n, ellip: m.sample("ellip", Normal(0.3, 0.5)),
        theta: 1)
      m.observe(image, light, loss: loss, method: method)
    }
    let density = try model.logDensity()
    let evaluator = density.makeEvaluator()
    var gradient = [0.0, 0, 0]
    #expect(evaluator.valueAndGradient(at: [3, 5, 0.3], into: &gradient).isFinite)
    // Integration over pixels knows n in 0.1...20.0, the radial table n in 0.25...12.
    let range = method == .fourier ? [[13, 5, 0.3], [0.1, 5, 0.3]] : [[50, 5, 0.3]]
    for wrong in range + [[-1, 5, 0.3], [3, 0, 0.3], [3, -2, 0.3], [3, 5, 1], [3, 5, 1.5]] {
      #expect(evaluator.value(at: wrong) == -.infinity, "\(wrong)")
      #expect(evaluator.valueAndGradient(at: wrong, into: &gradient) == -.infinity)
    }
    // The next evaluation is not spoilt, and a search that starts outside says so.
    #expect(evaluator.valueAndGradient(at: [3, 5, 0.3], into: &gradient).isFinite)
    #expect(gradient.allSatisfy { $0.isFinite })
    let lost = LBFGS().maximize(evaluator, from: [-1, 5, 0.3])
    #expect(lost.reason == .notFinite && lost.value == -.infinity)
    // From inside, trial steps that fall outside only cost evaluations.
    let best = LevenbergMarquardt().maximize(evaluator, from: [1.5, 3, 0.5])
    #expect(best.isConverged, "\(best.explanation)")
    // The centre is fixed a third of a pixel off, which the radius makes up for.
    #expect(abs(best.position[1] - 5) < 1, "\(best.position)")
  }
}
