// SPDX-License-Identifier: MIT
//
// Posterior draws of named sites, and their summaries; angles are summarised on the circle.

public import Tensors

/// Draws of named sites: for each site an array `[chains, draws] + shape`.
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

  /// Creates draws from sites of matching lengths.
  public init(chains: Int, draws: Int, sites: [Site]) {
    for site in sites {
      precondition(
        site.values.count == chains * draws * site.shape.elementCount,
        "Draws: site \"\(site.name)\": expected \(chains * draws * site.shape.elementCount) numbers, got \(site.values.count)"
      )
    }
    self.chains = chains
    self.draws = draws
    self.sites = sites
  }

  /// The names of the sites, in order.
  public var names: [String] { sites.map(\.name) }

  /// The draws of a site, shape `[chains, draws] + shape`.
  ///
  /// - Precondition: There is such a site; ``names`` lists them.
  public subscript(name: String) -> Tensor {
    guard let site = sites.first(where: { $0.name == name }) else {
      preconditionFailure("draws: expected one of \(names), got \"\(name)\"")
    }
    return Tensor(site.values, shape: [chains, draws] + site.shape)
  }

  /// Every scalar of every site with its draws, chain after chain: `flux`, `theta[0]`, ….
  public var scalars: [ScalarDraws] {
    sites.flatMap { site -> [ScalarDraws] in
      let count = site.shape.elementCount
      return (0..<count).map { element in
        var values: [Double] = []
        values.reserveCapacity(chains * draws)
        for k in 0..<(chains * draws) { values.append(site.values[k * count + element]) }
        let name =
          site.shape.isEmpty ? site.name : site.name + Draws.index(element, site.shape)
        return ScalarDraws(name: name, chains: chains, values: values, period: site.period)
      }
    }
  }

  /// Returns the index text of an element, like `[2]` or `[1,0]`.
  private static func index(_ element: Int, _ shape: Shape) -> String {
    var rest = element
    let strides = shape.rowMajorStrides
    let parts = strides.map { stride -> String in
      defer { rest %= stride }
      return "\(rest / stride)"
    }
    return "[" + parts.joined(separator: ",") + "]"
  }
}

/// The draws of one scalar quantity.
public struct ScalarDraws: Sendable {
  /// The name, with an index for an element of an array.
  public let name: String

  /// The number of chains.
  public let chains: Int

  /// The draws, chain after chain.
  public let values: [Double]

  /// The period of an angle; nil for other quantities.
  public let period: Double?

  /// Creates the draws of one quantity.
  public init(name: String, chains: Int = 1, values: [Double], period: Double? = nil) {
    self.name = name
    self.chains = chains
    self.values = values
    self.period = period
  }

  /// The draws on one branch: for an angle, within half a period of the circular mean.
  public var unwrapped: [Double] {
    guard let period else { return values }
    let center = mean
    return values.map { x in
      let d = x - center
      return center + (d - period * ((d / period) + 0.5).rounded(.down))
    }
  }

  /// The mean; for an angle the direction of the mean vector, in [0, period).
  public var mean: Double {
    guard let period else { return values.reduce(0, +) / Double(values.count) }
    let (c, s) = resultant(period)
    let angle = angleOf(s, c) * period / (2 * .pi)
    let positive = angle < 0 ? angle + period : angle
    // A tiny negative angle rounds to the period itself.
    return positive < period ? positive : 0
  }

  /// The standard deviation (divisor N − 1); for an angle that of the branch around the circular mean.
  public var standardDeviation: Double {
    let x = unwrapped
    let m = x.reduce(0, +) / Double(x.count)
    let squares = x.reduce(0) { $0 + ($1 - m) * ($1 - m) }
    return (squares / Double(max(1, x.count - 1))).squareRoot()
  }

  /// The length of the mean direction vector of an angle: 1 for a sharp angle, 0 for one that is not determined.
  public var concentration: Double? {
    period.map {
      let (c, s) = resultant($0)
      return (c * c + s * s).squareRoot()
    }
  }

  /// Returns quantiles, linear between order statistics (type 7); an angle's may leave [0, period).
  public func quantiles(_ probabilities: [Double]) -> [Double] {
    let x = unwrapped.sorted()
    return probabilities.map { ChainStatistics.quantile(x, $0) }
  }

  /// Returns the mean of the direction vectors.
  private func resultant(_ period: Double) -> (Double, Double) {
    var (c, s) = (0.0, 0.0)
    for x in values {
      c += cosine(2 * .pi * x / period)
      s += sine(2 * .pi * x / period)
    }
    return (c / Double(values.count), s / Double(values.count))
  }
}
