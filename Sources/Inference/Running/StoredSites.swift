// SPDX-License-Identifier: MIT
//
// Which sites a run stores: memory is bounded by these.

import PPL
public import Tensors

/// The sites that a run stores at each draw.
public enum StoredSites: Sendable, ExpressibleByArrayLiteral {
  /// All latent sites as their author wrote them.
  case latent
  /// All latent and all deterministic sites.
  case all
  /// Sites of given names: latent, deterministic, or made by a reparameterisation.
  case named([String])

  /// Stores the sites of given names.
  public init(arrayLiteral names: String...) { self = .named(names) }
}

/// One stored quantity: its name, and the shape of one draw.
public struct DrawColumn: Sendable, Equatable {
  /// The name.
  public let name: String

  /// The shape of one draw.
  public let shape: Shape

  /// The period of an angle; nil for other quantities.
  public let period: Double?

  /// Creates the description of a column.
  public init(name: String, shape: Shape, period: Double? = nil) {
    self.name = name
    self.shape = shape
    self.period = period
  }
}

/// What a thread of a run uses to store draws; belongs to one thread.
public protocol DrawRecorder: AnyObject {
  /// Appends the elements of every stored quantity at an unconstrained vector to the first columns.
  func append(_ q: [Double], to columns: inout [[Double]])
}

extension Constrainer: DrawRecorder {}

extension CompiledDensity {
  /// Returns the names of stored sites, in the order of the model or of the wish.
  ///
  /// - Throws: `ModelError` of kind `unknownSites` for a name that the model does not have.
  func names(of sites: StoredSites) throws -> [String] {
    switch sites {
    case .latent: return authoredNames
    case .all: return authoredNames + deterministicNames
    case .named(let names):
      let known = followingNames
      let unknown = names.filter { !known.contains($0) }
      guard unknown.isEmpty else {
        throw ModelError(
          .unknownSites(unknown),
          "expected sites to store among \(known.sorted()), found \(unknown)")
      }
      // A name that is wished for twice is stored once.
      var seen: Set<String> = []
      return names.filter { seen.insert($0).inserted }
    }
  }
}
