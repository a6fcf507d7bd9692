// SPDX-License-Identifier: MIT
//
// Posterior draws of named sites.

import Numerics
public import Tensors

/// Draws of named sites: for each site an array `[chains, draws] + shape`.
///
/// ```swift
/// let draws = try NUTS().run(density, key: 1)
/// print(draws.summary())
/// print(draws.diagnostics)
/// draws["tau"]                                        // a tensor [chains, draws]
/// draws.scalar("theta[3]").quantiles([0.16, 0.5, 0.84])
/// let more = draws.deriving("ratio") { $0["a"] / $0["b"] }
/// ```
public struct Draws: Sendable {
  /// One site's draws.
  public struct Site: Sendable {
    /// The name.
    public let name: String
    /// The shape of one draw.
    public let shape: Shape
    /// The period of an angle; nil for other quantities.
    public let period: Double?
    /// The draws, row-major `[chains, draws] + shape`.
    public internal(set) var values: [Double]

    /// Creates a site's draws.
    public init(name: String, shape: Shape, period: Double? = nil, values: [Double]) {
      self.name = name
      self.shape = shape
      self.period = period
      self.values = values
    }
  }

  /// The number of chains.
  public let chains: Int

  /// The number of draws of each chain.
  public let draws: Int

  /// The sites, in the order of the model.
  public private(set) var sites: [Site]

  /// What the sampler told; nil for draws that no Markov chain made.
  public internal(set) var statistics: SamplerStatistics?

  /// The unconstrained vectors of a run that was asked to keep them, shape `[chains, draws, dimension]`; else nil.
  public internal(set) var unconstrained: Tensor?

  /// Creates draws from sites of matching lengths.
  public init(chains: Int, draws: Int, sites: [Site]) {
    for site in sites {
      demand(
        site.values.count == chains * draws * site.shape.elementCount,
        "Draws: site \"\(site.name)\": expected \(chains * draws * site.shape.elementCount) numbers, got \(site.values.count)"
      )
    }
    self.chains = chains
    self.draws = draws
    self.sites = sites
  }

  /// The log density of each draw in unconstrained space, shape `[chains, draws]`; nil where no Markov chain made them.
  public var logDensity: Tensor? {
    guard let statistics, statistics.logDensity.count == count else { return nil }
    return Tensor(statistics.logDensity, shape: [chains, draws])
  }

  /// The number of draws of all chains.
  public var count: Int { chains * draws }

  /// The names of the sites, in order.
  public var names: [String] { sites.map(\.name) }

  /// Returns a site by its name, or nil.
  public func site(_ name: String) -> Site? { sites.first { $0.name == name } }

  /// The draws of a site, shape `[chains, draws] + shape`.
  ///
  /// - Precondition: There is such a site; ``names`` lists them.
  public subscript(name: String) -> Tensor {
    guard let site = site(name) else {
      stop("draws: expected one of \(names), got \"\(name)\"")
    }
    return Tensor(site.values, shape: [chains, draws] + site.shape)
  }

  // MARK: - Scalars

  /// Every scalar of every site with its draws, chain after chain: `flux`, `theta[0]`, ….
  public var scalars: [ScalarDraws] { sites.flatMap { scalars(of: $0) } }

  /// Returns the scalars of one site.
  func scalars(of site: Site) -> [ScalarDraws] {
    (0..<site.shape.elementCount).map { scalar(site, $0) }
  }

  /// Returns one element of a site.
  func scalar(_ site: Site, _ element: Int) -> ScalarDraws {
    let stride = site.shape.elementCount
    let values = (0..<count).map { site.values[$0 * stride + element] }
    return ScalarDraws(
      name: site.name + Draws.index(element, site.shape), chains: chains, values: values,
      period: site.period)
  }

  /// Returns the draws of one scalar: a site's name, with an index like `[3]` or `[1,0]` for an element of an array.
  ///
  /// - Precondition: There is such a scalar.
  public func scalar(_ name: String) -> ScalarDraws {
    if let site = site(name), site.shape.isEmpty { return scalar(site, 0) }
    // A name may itself hold brackets, so the index is what stands in the last ones.
    if name.last == "]", let open = name.lastIndex(of: "["), let site = site(String(name[..<open]))
    {
      let parts = name[name.index(after: open)...].dropLast().split(
        separator: ",", omittingEmptySubsequences: false
      ).map { Int(String($0.filter { $0 != " " })) }
      let index = parts.compactMap { $0 }
      let fits =
        index.count == parts.count && index.count == site.shape.count
        && zip(index, site.shape).allSatisfy { $0 >= 0 && $0 < $1 }
      demand(
        fits,
        "draws: expected an index into shape \(site.shape) of \"\(site.name)\", got \"\(name)\"")
      return scalar(site, zip(index, site.shape.rowMajorStrides).reduce(0) { $0 + $1.0 * $1.1 })
    }
    stop(
      "draws: expected one of \(names), or an element like \"theta[0]\" of an array, got \"\(name)\""
    )
  }

  /// Returns quantiles of every scalar, by its name; an angle's may leave [0, period).
  public func quantiles(_ probabilities: [Double]) -> [String: [Double]] {
    Dictionary(scalars.map { ($0.name, $0.quantiles(probabilities)) }) { $1 }
  }

  /// Returns the index text of an element, like `[2]` or `[1,0]`; nothing for a scalar.
  static func index(_ element: Int, _ shape: Shape) -> String {
    if shape.isEmpty { return "" }
    var rest = element
    let parts = shape.rowMajorStrides.map { stride -> String in
      defer { rest %= stride }
      return "\(rest / stride)"
    }
    return "[" + parts.joined(separator: ",") + "]"
  }

  // MARK: - Single draws

  /// The values of all sites at one draw.
  public struct Draw: Sendable {
    /// The chain.
    public let chain: Int
    /// The number of the draw in its chain.
    public let index: Int
    /// The draws it belongs to.
    private let owner: Draws

    /// Creates the view of one draw.
    init(_ owner: Draws, _ chain: Int, _ index: Int) {
      self.owner = owner
      self.chain = chain
      self.index = index
    }

    /// The value of a site.
    ///
    /// - Precondition: There is such a site.
    public subscript(name: String) -> Tensor {
      guard let site = owner.site(name) else {
        stop("draw: expected one of \(owner.names), got \"\(name)\"")
      }
      return value(site)
    }

    /// The values of all sites, by name.
    public var values: [String: Tensor] {
      Dictionary(owner.sites.map { ($0.name, value($0)) }) { $1 }
    }

    /// Returns the value of a site.
    private func value(_ site: Site) -> Tensor {
      let count = site.shape.elementCount
      let start = (chain * owner.draws + index) * count
      return Tensor(Array(site.values[start..<(start + count)]), shape: site.shape)
    }
  }

  /// Returns one draw of a chain.
  ///
  /// - Precondition: There is such a draw.
  public func draw(chain: Int, _ index: Int) -> Draw {
    demand(
      (0..<chains).contains(chain) && (0..<draws).contains(index),
      "draw: expected chain < \(chains) and draw < \(draws), got \(chain) and \(index)")
    return Draw(self, chain, index)
  }

  /// Returns what a function makes of every draw, chain after chain.
  public func map<Result>(_ body: (Draw) throws -> Result) rethrows -> [Result] {
    var results: [Result] = []
    results.reserveCapacity(count)
    for chain in 0..<chains {
      for index in 0..<draws { try results.append(body(Draw(self, chain, index))) }
    }
    return results
  }
}
