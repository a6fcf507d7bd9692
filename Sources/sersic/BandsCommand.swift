// SPDX-License-Identifier: MIT
//
// `sersic bands`: a joint fit of several bands by a configuration in YAML.

import ArgumentParser
import Foundation
import GalaxyFitting
import GalaxyModels
import Inference
import JSON
import Numerics

/// The command `sersic bands`.
struct BandsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bands",
    abstract: "Fits one source, or several, in several bands together.",
    discussion: """
      Reads a configuration in YAML. Paths in it are relative to its folder; positions, radii and angles are those on the pixels \
      of the first band:

        bands:
          - name: g                   # its sites end in _g: flux_g
            wavelength: 480           # any unit; splines and polynomials
            image: g.fits
            rms: g_rms.fits           # or variance, weight
            psf: g_psf.fits
            zero_point: 25
          - name: r
            wavelength: 620
            image: r.fits
            rms: r_rms.fits
            psf: r_psf.fits
            zero_point: 25
            mask: r_mask.fits
            sky: tilted-plane         # instead of that of all bands
        profile: sersic               # or catalog: sources.csv, for several
        sky: flat
        loss: gaussian
        links:                        # all else is constant, fluxes free
          r_eff: polynomial:degree=1  # free, b-spline:coefficients=3,degree=2
          n: free
        priors:
          n: uniform(0.5, 6)
          flux_g: normal(150, 30)
        fix: {ellip: 0.3}
        start: {r_eff: 4}
        offsets: 0.3                  # bands displaced by about 0.3 pixels
        wavelengths: [550, 600]       # tell linked parameters there, too
        method: laplace               # map, svi-mvn, svi-flow, nuts, neutra
        output: fit

      Further keys: center, prior_style, renderer, draws, chains, warmup, target_acceptance (of nuts, below 1), seed, plots; in a \
      band mask_good_value, normalize_psf, psf_oversampling, psf_center, pixel_response, loss, and map: pixels, or \
      [xx, xy, yx, yy, x0, y0], where the headers do not say how the pixels of a band lie on those of the first.

      Wavelengths outside the bands are refused for a B-spline, and marked by the warning extrapolated for a polynomial.

      The table goes to standard output (a JSON document with --json), and with an output folder \
      result.json, corner.png and posterior.asdf of the joint fit, and in a folder for each band result.json, model.fits, \
      residual.png, and with a posterior corner.png and posterior.asdf in the pixels of the band. \
      Exit status as of `sersic fit`.
      """)

  @Argument(help: ArgumentHelp("The configuration, YAML.", valueName: "config"))
  var config: String

  @Option(help: "The way of fitting, instead of that of the configuration.")
  var method: FitMethod?

  @Option(
    name: .customLong("target-acceptance"), parsing: .unconditional,
    help:
      "The acceptance that the steps of nuts are tuned to, below 1, instead of that of the configuration. (default: 0.7 to 0.95 by the shape of the posterior)"
  )
  var targetAcceptance: Double?

  @Option(
    parsing: .unconditional, help: "The seed of all draws, instead of that of the configuration.")
  var seed: UInt64?

  @Option(
    help: ArgumentHelp(
      "The folder for the results, instead of that of the configuration.", valueName: "dir"))
  var output: String?

  @Flag(name: .customLong("no-plots"), help: "Draw no pictures.")
  var noPlots = false

  @Flag(help: "Write a JSON document to standard output instead of the table.")
  var json = false

  func run() throws {
    var configuration = try BandsConfiguration(reading: text(), file: config)
    if let method { configuration.method = method }
    if let seed { configuration.seed = seed }
    try FitOptions.checkAcceptance(targetAcceptance, configuration.method)
    guard configuration.targetAcceptance == nil || configuration.method == .nuts else {
      throw OptionError(
        "target_acceptance",
        "expected method: nuts (--method nuts) to go with it, found \(configuration.method.rawValue); remove it"
      )
    }
    if let targetAcceptance { configuration.targetAcceptance = targetAcceptance }
    let prepared = try configuration.prepare()
    let fit = prepared.fit
    let shown = fit.bands.flatMap(\.image.findings) + fit.findings + prepared.remarks
    Terminal.report(shown)
    let folder = try (output ?? configuration.output).map { try OutputFolder($0) }

    Interruption.catchNext()
    Terminal.report(
      "fitting \(fit.prior.freeSites.count) parameters to \(fit.bands.reduce(0) { $0 + $1.image.goodCount }) pixels of \(fit.bands.count) bands"
    )
    let result = try compute(configuration, prepared)
    try finish(result, configuration, folder, shown: shown)
  }

  /// Returns the text of the configuration.
  private func text() throws -> String {
    do {
      return try String(contentsOfFile: config, encoding: .utf8)
    } catch {
      let isThere = FileManager.default.fileExists(atPath: config)
      throw OptionError(
        config,
        isThere
          ? "expected a configuration in YAML, found a file that cannot be read as text; check its permissions and encoding (UTF-8)"
          : "expected a configuration in YAML, found no such file; check the path")
    }
  }

  /// Makes the fit.
  private func compute(
    _ configuration: BandsConfiguration, _ prepared: BandsConfiguration.Prepared
  ) throws -> BandsResult {
    let estimation = Estimation(
      method: configuration.method,
      draws: configuration.draws ?? Estimation.usualDraws(configuration.method),
      chains: configuration.chains, warmUp: configuration.warmUp,
      targetAcceptance: configuration.targetAcceptance, seed: configuration.seed)
    let outcome = try estimation.run(prepared.fit, starts: prepared.starts)
    let provenance = FitProvenance(
      inputs: prepared.inputs, seed: configuration.seed,
      command: FitProvenance.command(["sersic"] + CommandLine.arguments.dropFirst()))
    return try BandsResult(
      outcome.best, posterior: outcome.posterior, provenance: provenance,
      remarks: prepared.remarks + outcome.remarks)
  }

  /// Prints the result, writes its files, and says what was done.
  private func finish(
    _ result: BandsResult, _ configuration: BandsConfiguration, _ folder: OutputFolder?,
    shown: [InputFinding]
  ) throws {
    let linked = result.fit.prior.parameters.filter(\.link.needsWavelengths)
    let between = try linked.flatMap {
      configuration.wavelengths.isEmpty
        ? [] : try result.parameter($0.name, at: configuration.wavelengths)
    }
    // First of all the numbers: what fails later cannot take them away.
    var isWhole = Terminal.write(
      json ? result.json(at: between).text + "\n" : result.table(at: between))
    Terminal.report(result.findings, after: shown)
    let products =
      folder.map {
        result.write(to: $0, plots: configuration.plots && !noPlots, summaries: between)
      } ?? []
    let written = Terminal.report(products, in: folder)
    isWhole = isWhole && written.count == products.count
    guard result.joint.isUsable else {
      throw CommandFailure(
        description:
          "the fit has no finite result: \(result.best.optimum.explanation); run sersic check on each of the inputs"
      )
    }
    let isComplete = configuration.method == .map || result.posterior != nil
    guard isWhole, isComplete, !Interruption.isRequested else {
      throw ExitCode(ExitStatus.failed)
    }
  }
}
