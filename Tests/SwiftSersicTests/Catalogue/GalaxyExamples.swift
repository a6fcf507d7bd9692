// SPDX-License-Identifier: MIT
//
// The Swift of the catalogue's articles on galaxies, line by line, so that it compiles: change both together.

import SwiftSersic

// MARK: - The landing page

/// The first fit of the landing page.
func catalogueFirstFit(_ folder: String) throws -> (best: MAPFit, posterior: PosteriorFit) {
  let image = try ObservedImage(
    science: "\(folder)/image.fits", rms: "\(folder)/rms.fits", psf: "\(folder)/psf.fits")
  var prior = autoprior(image, .sersic, sky: .flat)
  prior["n"] = Uniform(0.5, 6)
  let fit = try FitSingle(image, prior: prior)
  let best = try fit.findMAP()
  print(best["r_eff"], best.reducedChiSquared, best.isConverged)
  let posterior = try fit.estimatePosterior(.laplace, from: best)
  print(posterior.summary())
  for finding in best.findings + posterior.findings { print(finding) }
  return (best, posterior)
}

// MARK: - One galaxy

/// A fit step by step, up to the quick posteriors.
func fitOneGalaxy(_ folder: String) throws -> (
  fit: FitSingle, best: MAPFit, laplace: PosteriorFit
) {
  let image = try ObservedImage(
    science: "\(folder)/image.fits", rms: "\(folder)/rms.fits", psf: "\(folder)/psf.fits",
    zeroPoint: 25)
  print(InputReport(image))

  let guesses = SourceProperties(image)
  print(guesses.xc, guesses.yc, guesses.flux, guesses.rEff, guesses.signalToNoise)
  var prior = guesses.prior(.sersic, sky: .flat)
  prior["n"] = Uniform(0.5, 6)
  print(prior)

  let fit = try FitSingle(image, prior: prior, loss: .studentT(dof: 5))
  let best = try fit.findMAP()
  print(best.isConverged, best.optimum.explanation)
  print(best["r_eff"], best.reducedChiSquared, best.fluxFractionInside)
  for mode in best.modes { print(mode.logPosterior, mode.searches) }
  for component in try best.components() { print(component.name, component.flux) }

  let laplace = try fit.estimatePosterior(.laplace, from: best)
  print(FitResult(laplace).table)

  let normal = try fit.estimatePosterior(.sviMVN, from: best, key: 1)
  if let guide = normal.variational {
    print(guide.diagnostics.paretoK, guide.diagnostics.efficiency)
  }
  return (fit, best, laplace)
}

/// The same fit, sampled.
func sampleOneGalaxy(_ fit: FitSingle, from best: MAPFit) throws -> PosteriorFit {
  let samples = try fit.sample(chains: 2, warmUp: 500, draws: 1000, from: best, key: 44)
  print(samples.summary())
  print(try samples.predictiveCheck())
  for finding in samples.findings { print(finding) }
  return samples
}

/// What is kept of the fit.
func keepOneGalaxy(_ samples: PosteriorFit, _ folder: String) throws -> FitRecord {
  let result = FitResult(samples)
  try result.save(to: "\(folder)/fit.asdf")
  try result.cornerPlot().write(to: "\(folder)/corner.pdf")
  let record = try FitRecord(contentsOf: "\(folder)/fit.asdf")
  print(record.table)
  if let rEff = record.report["r_eff"] { print(rEff.map, rEff.median ?? .nan, rEff.unit) }
  return record
}

// MARK: - Many sources

/// The sources of an image, as SExtractor's algorithm finds them.
func detectSources(_ image: ObservedImage) throws -> SourceCatalog {
  var settings = DetectionSettings()
  settings.threshold = 3
  let detection = try SourceDetection(image, settings)
  print(detection.catalog)
  return detection.catalog
}

/// A scene with a star in it.
func fitScene(_ image: ObservedImage) throws -> FitResult {
  let catalog = SourceCatalog([
    CatalogSource(x: 24, y: 21, flux: 700, radius: 5),
    CatalogSource(x: 40, y: 31, flux: 100, radius: 2, profile: .pointsource),
  ])
  var prior = catalog.prior(in: image, sky: .flat)
  prior["n_0"] = Uniform(0.5, 6)
  prior.fix("ellip_0", at: 0.3)
  print(prior)

  let fit = try FitMulti(image, prior: prior)
  let best = try fit.findMAP()
  let result = FitResult(try fit.estimatePosterior(.laplace, from: best))
  for finding in result.findings { print(finding) }

  for number in 0..<result.sourceCount {
    let source = try result.source(number)
    print(source.profile, source["flux"]?.mean ?? .nan, source["flux"]?.standardDeviation ?? .nan)
  }
  return result
}

// MARK: - Several bands

/// The bands of a galaxy from files.
func readBands(_ folder: String) throws -> [Band] {
  let bands = try [("g", 480.0), ("r", 620), ("i", 760)].map { name, wavelength in
    let image = try ObservedImage(
      science: "\(folder)/\(name).fits", rms: "\(folder)/\(name)_rms.fits",
      psf: "\(folder)/\(name)_psf.fits", zeroPoint: 25)
    return Band(name, image, wavelength: wavelength)
  }
  return bands
}

/// A joint fit by the wrapper.
func fitBands(_ bands: [Band]) throws -> BandsResult {
  var prior = try autoprior(bands, .sersic)
  prior["n"] = Uniform(0.5, 6)
  try prior.link("r_eff", .polynomial(degree: 1))
  try prior.link("ellip", .free)
  print(prior)

  let fit = try FitMultiBand(bands, prior: prior)
  let best = try fit.findMAP()
  let result = try BandsResult(fit.estimatePosterior(.laplace, from: best))
  print(result.table)
  print(result["flux_r"]?.mean ?? .nan, result["g-r"]?.standardDeviation ?? .nan)
  for between in try result.parameter("r_eff", at: [500, 550, 700]) {
    print(between.name, between.mean ?? .nan, between.standardDeviation ?? .nan)
  }
  print(try result.band("r").table)
  return result
}

/// The joint model as a program of one's own.
func jointGalaxy(_ bands: [Band]) -> Model<Void> {
  Model { m in
    let xc = m.sample("xc", Normal(30, 2))
    let yc = m.sample("yc", Normal(28, 2))
    let rEff = m.sample("r_eff", LogNormal(1.5, 0.7))
    let ellip = m.sample("ellip", Uniform(0, 0.9))
    let theta = m.sample("theta", CircularUniform(period: .pi))
    for band in bands {
      m.scope(band.name) {
        let light = Sersic(
          xc: xc, yc: yc, flux: m.sample("flux", Normal(150, 100)), rEff: rEff,
          n: m.sample("n", Uniform(0.5, 6)), ellip: ellip, theta: theta)
        let sky = m.sample("sky_back", Normal(0, 0.2))
        m.observe(band.image, band.project(light), sky: sky)
      }
    }
  }
}

/// What independent fits of one galaxy know together.
func combined(_ g: PosteriorFit, _ r: PosteriorFit) throws -> CombinedPosterior {
  let shape = try CombinedPosterior([g, r], parameters: ["n", "ellip"], key: 1)
  print(shape, shape.paretoK, shape.pValue)
  return shape
}

// MARK: - A galaxy of one's own

/// A disk and a bulge, which is smaller than the disk.
func diskAndBulge(_ image: ObservedImage) -> Model<LightProfile> {
  Model { m in
    let xc = m.sample("xc", Normal(image.center.x, 2))
    let yc = m.sample("yc", Normal(image.center.y, 2))
    let rDisk = m.sample("r_disk", LogNormal(2, 0.5))
    let rBulge = m.deterministic("r_bulge", rDisk * m.sample("r_ratio", Beta(2, 4)))
    let disk = Exponential(
      xc: xc, yc: yc, flux: m.sample("flux_disk", LogNormal(6.5, 1)), rEff: rDisk,
      ellip: m.sample("ellip", Uniform(0, 0.9)),
      theta: m.sample("theta", CircularUniform(period: .pi)))
    let bulge = DeVaucouleurs(
      xc: xc, yc: yc, flux: m.sample("flux_bulge", LogNormal(5.5, 1)), rEff: rBulge, ellip: 0,
      theta: 0)
    let light = disk + bulge
    m.observe(image, light, sky: m.sample("sky_back", Normal(0, 0.3)), loss: .studentT(dof: 5))
    return light
  }
}

/// The maximum, the model image there and the normal approximation.
func approximateDiskAndBulge(_ image: ObservedImage) throws -> (best: MAPEstimate, image: Tensor) {
  let model = diskAndBulge(image)
  let density = try model.logDensity()
  let best = try density.findMAP(key: 1)
  for warning in best.warnings { print(warning) }
  let laplace = try LaplaceApproximation(density, from: best.interiorPoint)
  print(laplace.sample(4000, key: 2).summary())

  let fitted = try model.conditioned(on: best.values).trace(key: 0)
  let modelImage = fitted["model"].value
  print(modelImage.shape)  // [height, width]
  return (best, modelImage)
}

/// The posterior, with what follows from it.
func sampleDiskAndBulge(_ image: ObservedImage, from best: MAPEstimate) throws -> Draws {
  let density = best.density
  let draws = try NUTS(targetAcceptance: 0.9).run(
    density, chains: 2, warmUp: 500, draws: 1000, key: 3,
    initial: .laplace(from: .unconstrained([best.interiorPoint])))
  let derived =
    draws
    .deriving("total") { $0["flux_disk"] + $0["flux_bulge"] }
    .deriving("b_t") { $0["flux_bulge"] / $0["total"] }
  print(derived.summary(), derived.diagnostics)
  let lights = try diskAndBulge(image).outputs(under: draws)
  print(lights.count, lights[0].components.count)
  return derived
}

/// A stock source with a star beside it.
func galaxyAndStar(_ image: ObservedImage, _ prior: GalaxyPrior) -> Model<LightProfile> {
  Model { m in
    let galaxy = m.call(sersicSource(prior))
    let sky = m.call(skyModel(prior))
    let star = PointSource(
      xc: m.sample("xc_star", Normal(12, 1)), yc: m.sample("yc_star", Normal(30, 1)),
      flux: m.sample("flux_star", HalfNormal(100)))
    let light = galaxy + star
    m.observe(
      image, light, sky: sky, loss: .gaussian(free: .systematic),
      lossPriors: ["sys_scatter_base": HalfNormal(0.5)])
    return light
  }
}

/// A profile by its brightness.
func brokenDisk() throws -> RadialProfile {
  let broken = try RadialProfile("broken disk", shape: ["r_break": 2, "slope": 3]) { z, shape in
    exp(-z) * pow(1 + pow(z / shape[0], 8), -shape[1] / 8)
  }
  let light = broken(xc: 20, yc: 21, flux: 70, rEff: 5, ellip: 0.5, theta: 0.7, shape: [2.2, 3])
  print(light.components.count)
  return broken
}

// MARK: - After the run

/// What the results of a stock fit tell besides their table.
func examineFit(_ samples: PosteriorFit, _ folder: String) throws -> FitResult {
  let result = FitResult(samples, calibration: Calibration(zeroPoint: 25, pixelScale: 0.2))
  print(try result.quantiles([0.16, 0.5, 0.84])["magnitude"] ?? [])
  print(try result.statistic("flux") { fluxes in fluxes.count { $0 > 800 } })
  print(try result.latexTable())
  for warning in result.warnings { print(warning.code, warning.message) }
  try result.residualPlot().write(to: "\(folder)/residual.png")
  return result
}

// MARK: - Coming from pysersic

/// A fit with pysersic's priors, loss and renderer.
func fitAsPysersic(_ image: ObservedImage) throws -> MAPFit {
  let prior = autoprior(image, .sersic, sky: .none, style: .pysersic)
  let fit = try FitSingle(image, prior: prior, loss: .gaussian, method: .hybrid)
  let best = try fit.findMAP()
  print(best.values)
  return best
}

// MARK: - Conventions

/// Where a light lies on the pixels of a frame.
func brightestPixel(_ frame: ObservedImage) throws -> (column: Int, row: Int) {
  let light = Sersic(xc: 20, yc: 15, flux: 100, rEff: 4, n: 1, ellip: 0.5, theta: 0)
  let pixels = try frame.rendered(light)
  let brightest = pixels.indices.max { pixels[$0] < pixels[$1] } ?? 0
  let (column, row) = (brightest % frame.width, brightest / frame.width)
  print(column, row)  // 20 15
  return (column, row)
}

/// An image whose PSF is that of the optics alone.
func opticalImage(_ folder: String) throws -> ObservedImage {
  let image = try ObservedImage(
    science: "\(folder)/image.fits", rms: "\(folder)/rms.fits", psf: "\(folder)/optics.fits",
    pixelResponse: .integrated)
  return image
}

/// A fit with a loss whose noise is partly free.
func fitWithFreeNoise(_ image: ObservedImage) throws -> FitSingle {
  let loss = ImageLoss.studentT(dof: 5, free: .systematic)
  print(loss, loss.sites)
  var prior = autoprior(image, .sersic, sky: .flat)
  prior.include(loss)
  prior["sys_scatter_base"] = HalfNormal(0.3)
  let fit = try FitSingle(image, prior: prior, loss: loss)
  return fit
}
