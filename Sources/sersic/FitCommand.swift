// SPDX-License-Identifier: MIT
//
// `sersic fit`: from FITS files to a table, a JSON document, a FITS file and pictures.

import ArgumentParser
import GalaxyFitting
import GalaxyModels
import Inference
import JSON
import Numerics
import Rendering

/// The command `sersic fit`.
struct FitCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fit",
    abstract: "Fits a profile to the image of a galaxy.",
    discussion: """
      Writes a table to standard output (a JSON document with --json), progress and warnings to \
      standard error, and with --output DIR the files result.json, model.fits, residual.png and, \
      with a posterior, corner.png and posterior.asdf (the draws). Positions count from 0 at the centre of the first pixel; theta is \
      in radians from +y counter-clockwise; r_eff is on the major axis, in pixels.

      Priors: normal(mean, sd), truncated-normal(mean, sd, low, high), uniform(low, high), \
      lognormal(mean, sd), half-normal(sd), student-t(dof, mean, scale), cauchy(loc, scale), \
      half-cauchy(scale), laplace(loc, scale), logistic(loc, scale), gamma(shape, rate), \
      inverse-gamma(shape, scale), beta(a, b), exponential(rate); for theta normal (wrapped), \
      uniform and circular().

      Losses: gaussian; student-t:dof=5 (scale=√((dof − 2)/dof), the factor of the rms); \
      pseudo-huber:delta=3; mixture:c=5 (some pixels are outliers, c times as wide: \
      outlier_frac_base); each also with a free noise, as in gaussian-frac (the rms is wrong by a \
      factor 1 + frac_scatter_increase; in a mixture 1 + sig_frac) or gaussian-sys (noise \
      sys_scatter_base besides, in units of the median rms); poisson:gain=1,sky=0 (electrons for one \
      image unit; the sky that was subtracted).
      """)

  @OptionGroup var input: ImageOptions

  @Option(help: "The light profile.")
  var profile = GalaxyProfile.sersic

  @Option(help: "The sky under the source.")
  var sky = SkyKind.flat

  @Option(
    help:
      "The density of the pixels, one of the losses above with its options.")
  var loss = "gaussian"

  @Option(
    help:
      "The way of fitting: the maximum (map), and posteriors: normal at the mode (laplace), the closest normal one (svi-mvn), a normalising flow (svi-flow), Markov chains (nuts)."
  )
  var method = FitMethod.map

  @Option(name: .customLong("prior-style"), help: "Whose default priors.")
  var priorStyle = PriorStyle.default

  @Option(
    name: .customLong("prior"), parsing: .unconditionalSingleValue,
    help: ArgumentHelp(
      "A prior instead of the default one; may be repeated.", valueName: "name=normal(a,b)"))
  var priors: [String] = []

  @Option(
    parsing: .unconditionalSingleValue,
    help: ArgumentHelp("Hold a parameter at a value; may be repeated.", valueName: "name=value"))
  var fix: [String] = []

  @Option(
    parsing: .unconditionalSingleValue,
    help: ArgumentHelp("Start a parameter at a value; may be repeated.", valueName: "name=value"))
  var start: [String] = []

  @Option(
    help:
      "How the model is drawn; images without PSF, or with integrated pixel response, are always drawn by pixel."
  )
  var renderer = RenderingMethod.fourier

  @Option(help: "The optimiser of the maximum.")
  var optimizer = MAPOptimizer.levenbergMarquardt

  @Option(
    parsing: .unconditional,
    help:
      "The number of draws from the posterior, with nuts of each chain. (default: 10000, with nuts 1000)"
  )
  var draws: Int?

  @Option(parsing: .unconditional, help: "The number of chains of nuts.")
  var chains = 2

  @Option(
    parsing: .unconditional,
    help: "The iterations of each chain of nuts that tune the sampler and are not kept.")
  var warmup = 1000

  @Option(parsing: .unconditional, help: "The seed of all draws, from 0.")
  var seed: UInt64 = 0

  @Option(help: ArgumentHelp("The folder for the results. (default: no files)", valueName: "dir"))
  var output: String?

  @Flag(name: .customLong("no-plots"), help: "Draw no pictures.")
  var noPlots = false

  @Flag(help: "Write a JSON document to standard output instead of the table.")
  var json = false

  /// The largest number of draws: half a gigabyte of numbers for a Sérsic profile.
  private static let mostDraws = 10_000_000

  /// The largest number of chains, and of iterations of a warm-up.
  private static let mostChains = 1000

  /// The number of draws: of each chain with nuts, else in all.
  private var drawCount: Int { draws ?? (method == .nuts ? 1000 : 10_000) }

  /// Checks the numbers of chains and draws.
  private func checkCounts() throws {
    let most = method == .nuts ? Self.mostDraws / max(1, chains) : Self.mostDraws
    guard (1...Self.mostChains).contains(chains) else {
      throw OptionError(
        "--chains", "expected from 1 chain to \(Self.mostChains), found \(chains); 2 is the default"
      )
    }
    // Split R-hat needs two draws in each half of a chain.
    let least = method == .nuts ? 4 : 2
    guard drawCount >= least, drawCount <= most else {
      throw OptionError(
        "--draws",
        "expected from \(least) draws to \(most), found \(drawCount); 10000 is the default, with nuts 1000 of each chain"
      )
    }
    guard (0...Self.mostDraws).contains(warmup) else {
      throw OptionError(
        "--warmup",
        "expected from 0 iterations to \(Self.mostDraws), found \(warmup); 1000 is the default")
    }
  }

  func run() throws {
    let loss = try GalaxyFitting.loss(from: loss)
    try checkCounts()
    let position = try input.position()
    let settings = try PriorSettings(priors: priors, fix: fix, start: start)
    // Names are checked before files are read: a slip of the pen should not wait for a disk.
    try settings.check(profile, sky, loss)
    let image = try input.observedImage()
    try input.check(position, in: image)
    guard image.psf != nil || !profile.hasPointSource else {
      throw OptionError("--psf", "expected a PSF for a point source, found none; add --psf")
    }
    Terminal.report(image.findings)

    let properties = SourceProperties(image, style: priorStyle, position: position)
    Terminal.report(properties.findings, after: image.findings)
    var prior = properties.prior(profile, sky: sky)
    prior.include(loss)
    try settings.apply(to: &prior)
    let folder = try output.map { try OutputFolder($0) }
    let fit = try FitSingle(image, prior: prior, loss: loss, method: renderer)

    Interruption.catchNext()
    Terminal.report(
      "fitting \(prior.freeSites.count) parameters to \(image.goodCount) pixels of \(image.names.science)"
    )
    let result = try compute(fit, properties, settings.starts)
    try finish(result, folder, shown: image.findings + properties.findings)
  }

  /// Searches the maximum, and estimates the posterior where that is asked for and the search was not stopped.
  private func compute(
    _ fit: FitSingle, _ properties: SourceProperties, _ starts: [String: Double]
  ) throws -> FitResult {
    let search = Patience("searching the maximum")
    let best = try fit.findMAP(start: starts, optimizer: optimizer, isCancelled: search.isOver)
    let provenance = provenance(of: fit.image)
    var remarks = properties.findings
    var posterior: PosteriorFit?
    if method != .map && !Interruption.isRequested {
      do {
        posterior = try estimate(fit, best)
      } catch {
        remarks.append(
          InputFinding(
            .warning, "posterior-failed", subject: "posterior",
            "\(error); the result is that of the maximum alone"))
      }
    }
    if Interruption.isRequested {
      // Complete draws of chains are draws of the posterior, if fewer than were asked for, and a guide knows what it is
      // worth; what is left of another estimate that was stopped would only look like one.
      let hasDraws = posterior?.sampler != nil && (posterior?.draws.draws ?? 0) >= 4
      let hasGuide = posterior?.variational != nil
      if !hasDraws && !hasGuide { posterior = nil }
      let left = hasDraws ? "draws" : hasGuide ? "best guide" : "best point"
      remarks.append(
        InputFinding(
          .warning, "interrupted", subject: "fit",
          "stopped on request; the numbers are those of the \(left) so far"))
    }
    return FitResult(best, posterior: posterior, provenance: provenance, remarks: remarks)
  }

  /// Estimates the posterior by the method that was asked for.
  private func estimate(_ fit: FitSingle, _ best: MAPFit) throws -> PosteriorFit? {
    let key = RandomKey(seed)
    switch method {
    case .map: return nil
    case .laplace:
      return try fit.estimatePosterior(
        .laplace, from: best, draws: drawCount, key: key,
        isCancelled: Patience("estimating the posterior").isOver)
    case .sviMVN, .sviFlow:
      return try fit.estimatePosterior(
        method == .sviFlow ? .sviFlow : .sviMVN, from: best, draws: drawCount, key: key,
        progress: .terminal, isCancelled: { Interruption.isRequested })
    case .nuts:
      return try fit.sample(
        chains: chains, warmUp: warmup, draws: drawCount, from: best, key: key,
        progress: .terminal, isCancelled: { Interruption.isRequested })
    }
  }

  /// Prints the result, writes its files, and says what was done.
  private func finish(
    _ result: FitResult, _ folder: OutputFolder?, shown: [InputFinding]
  ) throws {
    // First of all the numbers: what fails later cannot take them away.
    var isWhole = Terminal.write(json ? result.json.text + "\n" : result.table)
    Terminal.report(result.findings, after: shown)
    Terminal.report("note: \(result.pixelConvention) (renderer \(result.renderer.rawValue))")
    let products = folder.map { result.write(to: $0, plots: !noPlots) } ?? []
    for product in products {
      if let failure = product.failure {
        Terminal.report("error: \(product.path) was not written: \(failure)")
        isWhole = false
      }
    }
    let written = products.filter { $0.failure == nil }.map(\.name)
    if let folder, !written.isEmpty {
      Terminal.report("wrote \(written.joined(separator: ", ")) to \(folder.path)")
    }
    Terminal.report("next: " + advice(result, written, folder))
    guard result.isUsable else {
      throw CommandFailure(
        description:
          "the fit has no finite result: \(result.best.optimum.explanation); run sersic check on the same inputs"
      )
    }
    let isComplete = method == .map || result.posterior != nil
    guard isWhole, isComplete, !Interruption.isRequested else {
      throw ExitCode(ExitStatus.failed)
    }
  }

  /// Returns what to try next.
  private func advice(
    _ result: FitResult, _ written: [String], _ folder: OutputFolder?
  ) -> String {
    guard let folder else {
      return "add --output DIR to keep the model image, the residuals and result.json"
    }
    let look: String
    if written.contains("residual.png") {
      look = "look at \(folder.path)/residual.png"
    } else if written.contains("model.fits") {
      look = "look at the RESIDUAL extension of \(folder.path)/model.fits"
    } else {
      return "make room in \(folder.path), or name another folder with --output, and fit again"
    }
    return method == .map
      ? look
        + ", then add --method laplace for uncertainties, or --method nuts for the full posterior"
      : look + (written.contains("corner.png") ? " and corner.png" : "")
        + ", then try another --loss or --sky and compare"
  }

  /// Returns where the result comes from.
  private func provenance(of image: ObservedImage) -> FitProvenance {
    let settings = [
      "profile": profile.rawValue, "sky": sky.rawValue, "loss": loss, "method": method.rawValue,
      "prior-style": priorStyle.rawValue, "renderer": renderer.rawValue, "seed": "\(seed)",
      "optimizer": optimizer.rawValue, "pixel-response": image.pixelResponse.rawValue,
      "draws": "\(drawCount)", "chains": "\(chains)", "warmup": "\(warmup)",
    ]
    let words = Array(CommandLine.arguments.dropFirst())
    let given = Set(words.map { $0.prefix { $0 != "=" } })
    return FitProvenance(
      inputs: FitProvenance.inputs(of: image, noise: input.noiseWord), seed: seed,
      command: FitProvenance.command(["sersic"] + words),
      defaults: settings.filter { !given.contains("--\($0.key)") })
  }
}
