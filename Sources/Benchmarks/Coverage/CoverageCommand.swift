// SPDX-License-Identifier: MIT
//
// The command `Benchmarks coverage`: fits galaxies that another program drew, and counts how often intervals hold the truth.

import ArgumentParser
import Foundation
import SwiftSersic
import Synchronization

/// Fits galaxies drawn by GalSim with automatic priors, and compares their intervals with the truth.
struct Coverage: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "coverage",
    abstract:
      "Counts how often the intervals of stock fits hold the truth of galaxies that GalSim drew.",
    discussion: """
      The folder is what Scripts/coverage/galsim_galaxies.py writes. Each galaxy gets a sky and white noise, and is fitted \
      with automatic priors (sersic, sky flat, gaussian loss). A star marks a coverage that is off by more than three \
      binomial standard deviations; exit status 1 where there is one in the table without the parameters that a fit warned of.
      """)

  @Argument(help: "The folder of the galaxies.")
  var folder: String

  @Option(help: "laplace, svi-mvn, svi-flow or nuts.")
  var method = "laplace"

  @Option(help: "Fits every k-th galaxy only.")
  var every = 1

  @Option(
    help:
      "What is wrong with the inputs: \(CoverageFlaw.allCases.map(\.rawValue).joined(separator: ", ")).",
    transform: { text in
      guard let flaw = CoverageFlaw(rawValue: text) else {
        throw ValidationError(
          "expected one of \(CoverageFlaw.allCases.map(\.rawValue).joined(separator: ", "))")
      }
      return flaw
    })
  var flaw = CoverageFlaw.none

  @Option(
    name: .customLong("prior"),
    help: ArgumentHelp(
      "A prior instead of the automatic one, as that of the galaxies; may be repeated.",
      valueName: "name=uniform(a,b)"))
  var priors: [String] = []

  @Option(help: "Fits the galaxy of this number only, and prints its posterior.")
  var galaxy: Int?

  @Option(help: "The seed of the noise.")
  var seed: UInt64 = 1

  @Option(help: "The iterations of the warm-up, and the draws of each of two chains, of nuts.")
  var iterations = 600

  /// The method for an estimate; nil for Markov chains.
  private var estimate: PosteriorMethod? { PosteriorMethod(rawValue: method) }

  /// The priors that are given.
  private var settings: PriorSettings {
    get throws { try PriorSettings(priors: priors, fix: [], start: []) }
  }

  /// Checks the options.
  func validate() throws {
    guard estimate != nil || method == "nuts" else {
      throw ValidationError(
        "expected the method laplace, svi-mvn, svi-flow or nuts, found \(method)")
    }
    guard every > 0, iterations > 3 else {
      throw ValidationError("expected every > 0 and iterations > 3")
    }
    try settings.check(.sersic, .flat)
  }

  /// Fits all galaxies and prints the tables.
  func run() throws {
    let galaxies = try CoverageFolder(folder)
    if let galaxy { return try show(galaxy, of: galaxies) }
    let numbers = Array(stride(from: 0, to: galaxies.galaxies.count, by: every))
    let done = Mutex<[Int: Result<CoverageOutcome, any Error>]>([:])
    let next = Mutex(0)
    let progress = Progress.terminal
    let clock = ContinuousClock()
    let begin = clock.now
    /// Tells how far it is.
    @Sendable func tell(_ count: Int) {
      progress.report?(
        ProgressUpdate(
          stage: "\(method), \(flaw.rawValue)", completed: count, total: numbers.count,
          seconds: (clock.now - begin).seconds, unit: "galaxies", isLast: count == numbers.count))
    }
    DispatchQueue.concurrentPerform(iterations: ProcessInfo.processInfo.activeProcessorCount) { _ in
      while true {
        let place = next.withLock { place in
          defer { place += 1 }
          return place
        }
        guard place < numbers.count else { return }
        let outcome = Result { try fit(numbers[place], of: galaxies) }
        // Under the lock, since progress takes one call at a time.
        done.withLock { all in
          all[numbers[place]] = outcome
          tell(all.count)
        }
      }
    }
    let results = done.withLock { $0 }.sorted { $0.key < $1.key }
    let table = CoverageTable(
      title: ([method, "flaw \(flaw.rawValue)"] + priors).joined(separator: ", "),
      outcomes: results.compactMap { try? $0.value.get() },
      failures: results.compactMap { number, result in
        guard case .failure(let error) = result else { return nil }
        return "galaxy \(number): \(error)"
      })
    print(table.text)
    if table.hasFailed { throw ExitCode.failure }
  }

  /// Fits one galaxy and prints all that is known of it.
  private func show(_ number: Int, of folder: CoverageFolder) throws {
    guard folder.galaxies.indices.contains(number) else {
      throw ValidationError("expected a galaxy from 0 to \(folder.galaxies.count - 1)")
    }
    let posterior = try posterior(number, of: folder)
    print(FitResult(posterior).table)
    print(folder.galaxies[number])
    if let sampler = posterior.sampler {
      let gradients = sampler.gradients.reduce(0, +)
      print(
        "gradients \(sampler.warmUpGradients) + \(gradients), divergences \(sampler.divergences), step sizes \(sampler.stepSizes), \(posterior.seconds) s"
      )
    }
  }

  /// Fits one galaxy and compares it with the truth.
  private func fit(_ number: Int, of folder: CoverageFolder) throws -> CoverageOutcome {
    try CoverageOutcome(folder.galaxies[number], posterior(number, of: folder))
  }

  /// Returns the posterior of one galaxy.
  private func posterior(_ number: Int, of folder: CoverageFolder) throws -> PosteriorFit {
    let key = RandomKey(seed).folding(in: number)
    let image = try folder.image(number, flaw, key: key)
    var prior = autoprior(image, .sersic, sky: .flat)
    try settings.apply(to: &prior)
    let fit = try FitSingle(image, prior: prior)
    return
      try estimate.map { try fit.estimatePosterior($0, key: key.folding(in: "posterior")) }
      ?? fit.sample(
        chains: 2, warmUp: iterations, draws: iterations, key: key.folding(in: "posterior"))
  }
}
