// SPDX-License-Identifier: MIT
//
// The sites of one run, in order, and their joint density.

import Numerics
public import Tensors

/// The sites of one run of a model, in the order of their statements.
public struct Trace: Sendable {
  /// The sites, in order; plates and keys are left out.
  public internal(set) var sites: [Site] = []

  /// The indices of the plates, by name, for ``Replay``.
  public internal(set) var plates: [String: Tensor] = [:]

  /// The place of each name.
  private var index: [String: Int] = [:]

  /// Creates an empty trace.
  public init() {}

  /// The names of all sites, in order.
  public var names: [String] { sites.map(\.name) }

  /// Adds a site.
  public mutating func append(_ site: Site) {
    index[site.name] = sites.count
    sites.append(site)
  }

  /// Returns the site of a name, or nil.
  public func site(_ name: String) -> Site? { index[name].map { sites[$0] } }

  /// The site of a name.
  ///
  /// - Precondition: There is one; ``site(_:)`` asks.
  public subscript(name: String) -> TracedSite {
    guard let site = site(name) else {
      stop("trace: expected one of \(names), got \"\(name)\"")
    }
    return TracedSite(site: site)
  }

  /// The log joint density of all sites: Σ scale × masked log probability, factors included.
  public var logJoint: Tensor {
    sites.reduce(Tensor(0)) { total, site in
      switch site.kind {
      case .sample where !site.isPredicted, .factor: total + site.logProbability
      default: total
      }
    }
  }

  /// The values of all sites that have one, by name.
  public var values: [String: Tensor] {
    Dictionary(sites.compactMap { site in site.value.map { (site.name, $0) } }) { $1 }
  }
}

/// A site that has its value.
public struct TracedSite: Sendable {
  /// The site.
  public let site: Site

  /// The value.
  public var value: Tensor { site.value ?? Tensor(0) }

  /// The log density: scale × masked log probability, summed.
  public var logProbability: Tensor { site.logProbability }
}
