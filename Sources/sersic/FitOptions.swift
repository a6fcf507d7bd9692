// SPDX-License-Identifier: MIT
//
// The options of fits of one image, of one source or of several.

import ArgumentParser
import GalaxyFitting
import GalaxyModels
import Rendering

/// How an image is fitted, and what becomes of the result.
struct FitOptions: ParsableArguments {
  /// The texts that priors and losses are given by, for the help of the commands.
  static let texts = """
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
    """

  @Option(
    help:
      "The density of the pixels, one of the losses above with its options.")
  var loss = "gaussian"

  @Option(
    help:
      "The way of fitting: the maximum (map), and posteriors: normal at the mode (laplace), the closest normal one (svi-mvn), a normalising flow (svi-flow), Markov chains (nuts), the same in the coordinates of a flow (neutra)."
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

  @Option(
    name: .customLong("target-acceptance"), parsing: .unconditional,
    help:
      "The acceptance that the steps of nuts are tuned to, below 1. (default: 0.7 to 0.95 by the shape of the posterior)"
  )
  var targetAcceptance: Double?

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
  var drawCount: Int { draws ?? Estimation.usualDraws(method) }

  /// Checks the numbers of chains and draws.
  static func checkCounts(
    _ method: FitMethod, draws drawCount: Int, chains: Int, warmUp warmup: Int
  ) throws {
    let most = method.sampling != nil ? Self.mostDraws / max(1, chains) : Self.mostDraws
    guard (1...Self.mostChains).contains(chains) else {
      throw OptionError(
        "--chains", "expected from 1 chain to \(Self.mostChains), found \(chains); 2 is the default"
      )
    }
    // Split R-hat needs two draws in each half of a chain.
    let least = method.sampling != nil ? 4 : 2
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

  /// Checks the acceptance, and that there is something to be tuned to it.
  static func checkAcceptance(_ targetAcceptance: Double?, _ method: FitMethod) throws {
    guard let targetAcceptance else { return }
    guard targetAcceptance > 0, targetAcceptance < 1 else {
      throw OptionError(
        "--target-acceptance",
        "expected a number between 0 and 1 such as 0.95, found \(targetAcceptance)")
    }
    guard method == .nuts else {
      throw OptionError(
        "--target-acceptance",
        "expected --method nuts to go with it, found \(method.rawValue); remove it")
    }
  }

  /// Checks numbers, and reads the priors, fixed and starting values.
  func settings() throws -> PriorSettings {
    try Self.checkCounts(method, draws: drawCount, chains: chains, warmUp: warmup)
    try Self.checkAcceptance(targetAcceptance, method)
    return try PriorSettings(priors: priors, fix: fix, start: start)
  }

  /// How the fit is made.
  var estimation: Estimation {
    Estimation(
      method: method, draws: drawCount, chains: chains, warmUp: warmup,
      targetAcceptance: targetAcceptance, seed: seed)
  }

  /// Returns the options with their values, by the names on the command line.
  var values: [String: String] {
    [
      "loss": loss, "method": method.rawValue, "prior-style": priorStyle.rawValue,
      "renderer": renderer.rawValue, "optimizer": optimizer.rawValue,
    ].merging(estimation.values) { $1 }
  }
}
