// SPDX-License-Identifier: MIT
//
// The Swift of README.md, line by line, so that it compiles and runs: change both together.

import SwiftSersic

/// The stock fit of the README.
func stockFit(_ folder: String) throws -> (best: MAPFit, posterior: PosteriorFit) {
  let image = try ObservedImage(
    science: "\(folder)/image.fits", rms: "\(folder)/rms.fits", psf: "\(folder)/psf.fits")
  var prior = autoprior(image, .sersic, sky: .flat)
  prior["n"] = Uniform(0.5, 6)
  let fit = try FitSingle(image, prior: prior, loss: .studentT(dof: 5))
  let best = try fit.findMAP()
  print(best["r_eff"], best.reducedChiSquared, best.isConverged)
  let posterior = try fit.estimatePosterior(.laplace, from: best)
  for parameter in posterior.draws.scalars {
    print(parameter.name, parameter.mean, parameter.standardDeviation)
  }
  for finding in best.findings + posterior.findings { print(finding) }
  return (best, posterior)
}

/// What results tell, of the README.
func results(_ fit: FitSingle, _ best: MAPFit, _ folder: String) throws -> (
  result: FitResult, record: FitRecord, check: PredictiveCheck
) {
  let samples = try fit.sample(chains: 2, warmUp: 500, draws: 500, from: best, key: 44)
  print(samples.summary())
  print(samples.quantiles([0.16, 0.5, 0.84])["r_eff"] ?? [], try samples.latexTable())
  try samples.cornerPlot().write(to: "\(folder)/corner.pdf")
  try samples.tracePlot().write(to: "\(folder)/trace.svg")
  try best.residualPlot().write(to: "\(folder)/residual.png")
  try best.imagePlot().write(to: "\(folder)/image.png")
  let bright = try samples.statistic("flux") { fluxes in fluxes.count { $0 > 800 } }
  let check = try samples.predictiveCheck()
  print(bright, check.isSound, check)
  let result = FitResult(samples, calibration: Calibration(zeroPoint: 25, pixelScale: 0.2))
  try result.save(to: "\(folder)/fit.asdf")
  let record = try FitRecord(contentsOf: "\(folder)/fit.asdf")
  print(record == result.record, try record.scalar("mu_eff").mean)
  return (result, record, check)
}

/// The fit of several sources of the README.
func severalSources(_ image: ObservedImage, _ folder: String) throws -> FitResult {
  let catalog = try SourceCatalog(reading: "\(folder)/sources.csv")
  var prior = catalog.prior(in: image, sky: .flat)
  prior["n_1"] = Uniform(0.5, 2)
  let fit = try FitMulti(image, prior: prior)
  let result = FitResult(try fit.estimatePosterior(.laplace))
  print(result.table)
  let second = try result.source(1)
  print(second.profile, second["n"]?.mean ?? .nan, second["flux"]?.standardDeviation ?? .nan)
  return result
}

/// The joint fit of several bands of the README.
func severalBands(_ folder: String) throws -> BandsResult {
  let bands = try [("g", 480.0), ("r", 620), ("i", 760)].map { name, wavelength in
    let image = try ObservedImage(
      science: "\(folder)/\(name).fits", rms: "\(folder)/\(name)_rms.fits",
      psf: "\(folder)/\(name)_psf.fits", zeroPoint: 25)
    return Band(name, image, wavelength: wavelength)
  }
  var prior = try autoprior(bands, .sersic)
  prior["n"] = Uniform(0.5, 6)
  try prior.link("r_eff", .polynomial(degree: 1))
  let fit = try FitMultiBand(bands, prior: prior)
  let result = try BandsResult(fit.estimatePosterior(.laplace))
  print(result.table)
  let between = try result.parameter("r_eff", at: [550])[0]
  print(between.mean ?? .nan, between.standardDeviation ?? .nan)
  print(try result.band("r").table)
  return result
}

/// The user's own galaxy of the README.
func bulgeDiskNucleus(_ image: ObservedImage) -> Model<LightProfile> {
  Model { m in
    let xc = m.sample("xc", Normal(image.center.x, 2))
    let yc = m.sample("yc", Normal(image.center.y, 2))
    let flux = m.sample("flux", LogNormal(7, 1))
    let bulgeToTotal = m.sample("b_t", Beta(1, 3))
    let disk = Exponential(
      xc: xc, yc: yc, flux: flux * (1 - bulgeToTotal), rEff: m.sample("r_disk", LogNormal(2, 0.5)),
      ellip: m.sample("ellip", Uniform(0, 0.9)),
      theta: m.sample("theta", CircularUniform(period: .pi)))
    let bulge = Sersic(
      xc: xc, yc: yc, flux: flux * bulgeToTotal, rEff: m.sample("r_bulge", LogNormal(1, 0.5)),
      n: m.sample("n", Uniform(1, 8)), ellip: 0, theta: 0)
    let nucleus = PointSource(xc: xc, yc: yc, flux: m.sample("flux_agn", HalfNormal(50)))
    let light = bulge + disk + nucleus
    let sky = m.sample("sky_back", Normal(0, 0.1))
    m.observe(image, light, sky: sky, loss: .gaussian)
    return light
  }
}

/// The user's own profile of the README, with a stock one.
func ownProfile() throws -> LightProfile {
  let brokenDisk = try RadialProfile("broken disk", shape: ["r_break": 2, "slope": 3]) { z, shape in
    exp(-z) * pow(1 + pow(z / shape[0], 8), -shape[1] / 8)
  }
  let light =
    Spergel(xc: 20, yc: 21, flux: 30, rEff: 2, nu: -0.5, ellip: 0.1, theta: 0.7)
    + brokenDisk(xc: 20, yc: 21, flux: 70, rEff: 5, ellip: 0.5, theta: 0.7, shape: [2.2, 3])
  return light
}

/// The Laplace approximation of the user's own galaxy.
func approximateOwnGalaxy(_ image: ObservedImage) throws -> Draws {
  let density = try bulgeDiskNucleus(image).logDensity()
  let start = try density.initialPoint(.median(draws: 15), key: 0)
  let approximation = try LaplaceApproximation(density, from: start)
  let draws = approximation.sample(1000, key: 1)
  print(draws["flux"].shape, approximation.mode.explanation)
  return draws
}

/// The handler of the README.
struct Tempered: Handler {
  var beta: Double
  mutating func process(_ site: inout Site) { if site.isObserved { site.scale *= beta } }
}

/// Eight schools: the density at the origin, with its gradient, posterior draws, and the log joint of a tempered trace.
func eightSchoolsAtOrigin(_ y: [Double], _ sigma: [Double], _ folder: String) throws -> (
  value: Double, gradient: [Double], draws: Draws, tempered: Trace
) {
  let eightSchools = Model { m in
    let mu = m.sample("mu", Normal(0, 5))
    let tau = m.sample("tau", HalfCauchy(5))
    m.plate("schools", 8) {
      let theta = m.sample("theta", Normal(mu, tau))
      m.observe("y", Normal(theta, sigma), y)
    }
  }
  let noncentred = eightSchools.reparameterized(["theta": LocScale()])
  let density = try noncentred.logDensity()
  let evaluator = density.makeEvaluator()
  var gradient = [Double](repeating: 0, count: density.dimension)
  let value = evaluator.valueAndGradient(at: gradient, into: &gradient)
  let draws = try NUTS().run(
    density, chains: 4, warmUp: 1000, draws: 1000, key: 1, progress: .terminal,
    checkpoint: Checkpoint("\(folder)/schools.chains"))
  print(draws.summary())
  for warning in draws.diagnostics.warnings { print(warning) }
  let fit = try VariationalFit.multivariateNormal(density, key: 1)
  print(fit.sample(4000, key: 2).summary(), fit.diagnostics.paretoK)
  for warning in fit.warnings { print(warning) }
  let flow = try VariationalFit.flow(density, key: 1)
  let transported = try noncentred.reparameterized(by: NeuTra(flow)).logDensity()
  let guide = try AutoLowRankMultivariateNormal(noncentred, rank: 2)
  let result = try SVI(noncentred, guide, optimizer: .adam(0.01), loss: TraceELBO(particles: 4))
    .run(steps: 1000, rounds: 2, decay: 0.1, patience: 200, key: 1)
  print(transported.dimension, result.explanation, result.elbo())
  let replicated = try Predictive(noncentred, draws).sample(key: 2)
  let score = try leaveOneOut(noncentred, draws)
  print(replicated["y"].shape, score)
  try draws.save(to: "\(folder)/schools.asdf")
  let tempered = eightSchools.conditioned(on: ["mu": 3]).handled(by: Tempered(beta: 0.5))
  return (value, gradient, draws, try tempered.trace(key: 0))
}
