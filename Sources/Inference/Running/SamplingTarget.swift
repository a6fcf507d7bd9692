// SPDX-License-Identifier: MIT
//
// What a run draws from: the compiled density of a model, or any log density of one's own.

import Distributions
public import Numerics
import PPL
import Tensors

/// What a run draws from: it makes an evaluator for each thread, finds starting points and stores draws.
public protocol SamplingTarget: Sendable {
  associatedtype Evaluator: LogDensity
  associatedtype Recorder: DrawRecorder

  /// The length of the unconstrained vector.
  var dimension: Int { get }

  /// The coordinates in words, by which a checkpoint knows its target.
  var coordinates: String { get }

  /// The sites whose prior is flat and has no integral, which warnings name; none where nothing is known of sites.
  var improperSites: [String] { get }

  /// The sites whose scale is a parameter, which warnings name; none where nothing is known of sites.
  var hierarchicalSites: [String] { get }

  /// Returns an evaluator for one thread.
  func makeEvaluator() -> Evaluator

  /// Returns the quantities that are stored for a choice of sites.
  func columns(_ sites: StoredSites) throws -> [DrawColumn]

  /// Returns what stores these quantities, for one thread.
  func makeRecorder(_ columns: [DrawColumn]) -> Recorder

  /// Returns where each chain starts; all randomness comes from the key.
  func starts(
    _ strategy: InitialStrategy, chains: Int, key: RandomKey, progress: Progress,
    isCancelled: () -> Bool
  ) throws -> [ChainStart]
}

extension SamplingTarget {
  public var improperSites: [String] { [] }
  public var hierarchicalSites: [String] { [] }

  /// Returns where each chain starts, without a word on the way.
  public func starts(
    _ strategy: InitialStrategy, chains: Int, key: RandomKey, isCancelled: () -> Bool = { false }
  ) throws -> [ChainStart] {
    try starts(strategy, chains: chains, key: key, progress: .none, isCancelled: isCancelled)
  }
}

/// Where a chain starts.
public struct ChainStart: Sendable {
  /// The point, unconstrained; log density and gradient are finite there.
  public var position: [Double]

  /// An estimate of the posterior's covariance for kernels with a metric; nil where there is none.
  public var metric: Metric?

  /// Whether the metric is for those kernels only that have none and are to learn one.
  public var isMetricSuggested = false

  /// How the point was found, in words; empty where nothing is known.
  public var origin: String

  /// What makes the start doubtful, in words.
  public var warnings: [String]

  /// Creates a start.
  public init(
    position: [Double], metric: Metric? = nil, isMetricSuggested: Bool = false,
    origin: String = "", warnings: [String] = []
  ) {
    self.position = position
    self.metric = metric
    self.isMetricSuggested = isMetricSuggested
    self.origin = origin
    self.warnings = warnings
  }
}

extension CompiledDensity: SamplingTarget {
  public var coordinates: String {
    layout.entries.map { "\($0.name)\($0.shape)" }.joined(separator: ", ")
  }

  public var improperSites: [String] {
    trace(at: [Double](repeating: 0, count: dimension)).sites.filter {
      $0.isLatent && layout[$0.name] != nil && $0.distribution?.isImproper ?? false
    }.map(\.name)
  }

  public var hierarchicalSites: [String] {
    // A scale that depends on other sites differs from one point to another.
    let traces = [-0.3, 0.4].map { trace(at: [Double](repeating: $0, count: dimension)) }
    return traces[0].sites.filter { site in
      guard site.isLatent, layout[site.name] != nil,
        let here = site.distribution?.locationScale?.scale,
        let there = traces[1].sites.first(where: { $0.name == site.name })?.distribution?
          .locationScale?.scale
      else { return false }
      // A scale that is NaN at one of these points tells nothing.
      return zip(here.elements, there.elements).contains { abs($0 - $1) > 0 }
    }.map(\.name)
  }

  public func columns(_ sites: StoredSites) throws -> [DrawColumn] {
    let constrainer = makeConstrainer(sites: try names(of: sites))
    return zip(constrainer.names, constrainer.shapes).map { name, shape in
      DrawColumn(name: name, shape: shape, period: period(of: name))
    }
  }

  public func makeRecorder(_ columns: [DrawColumn]) -> Constrainer {
    makeConstrainer(sites: columns.map(\.name))
  }
}

/// A log density of one's own as the target of a run: its draws are those of the unconstrained vector.
///
/// ```swift
/// final class Banana: LogDensity {
///   let dimension = 2
///   func valueAndGradient(at q: [Double], into gradient: inout [Double]) -> Double { … }
/// }
/// let draws = try NUTS().run(LogDensityFactory(dimension: 2) { Banana() }, key: 1)
/// draws["q"]                                  // shape [chains, draws, 2]
/// ```
public struct LogDensityFactory<Evaluator: LogDensity>: SamplingTarget {
  public let dimension: Int

  /// The name of the vector in the draws.
  public let name: String

  /// Makes an evaluator.
  private let make: @Sendable () -> Evaluator

  /// Creates a target from a function that makes an evaluator for each thread.
  ///
  /// - Parameters:
  ///   - dimension: The length of the vector.
  ///   - name: The name of the vector in the draws.
  ///   - make: Makes an evaluator; called once on each thread.
  public init(
    dimension: Int, name: String = "q", _ make: @escaping @Sendable () -> Evaluator
  ) {
    self.dimension = dimension
    self.name = name
    self.make = make
  }

  public var coordinates: String { "\(name)[\(dimension)]" }

  public func makeEvaluator() -> Evaluator { make() }

  public func columns(_ sites: StoredSites) throws -> [DrawColumn] {
    if case .named(let names) = sites, names != [name] {
      throw ModelError(
        .unknownSites(names.filter { $0 != name }),
        "expected sites to store among [\"\(name)\"], found \(names); a log density without a model has no other"
      )
    }
    return [DrawColumn(name: name, shape: [dimension])]
  }

  public func makeRecorder(_ columns: [DrawColumn]) -> VectorRecorder { VectorRecorder() }

  public func starts(
    _ strategy: InitialStrategy, chains: Int, key: RandomKey, progress: Progress,
    isCancelled: () -> Bool
  ) throws -> [ChainStart] {
    try strategy.check(chains: chains)
    let search = StartSearch(
      evaluator: makeEvaluator(), sites: [(name, 0..<dimension)],
      propose: { strategy, _, _ in
        throw ModelError(
          .misuse,
          "expected starting points .uniform or .unconstrained, or searches from these, found .\(strategy.name): a log density without a model has neither priors nor sites"
        )
      }, hasModel: false)
    return try search.starts(
      strategy, chains: chains, key: key, progress: progress, isCancelled: isCancelled)
  }
}

/// Stores the unconstrained vector itself.
public final class VectorRecorder: DrawRecorder {
  public func append(_ q: [Double], to columns: inout [[Double]]) {
    columns[0].append(contentsOf: q)
  }
}
