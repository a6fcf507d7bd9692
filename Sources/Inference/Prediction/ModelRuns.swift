// SPDX-License-Identifier: MIT
//
// A model run once under each of many draws, on threads; results do not depend on their number.

import Dispatch
import Distributions
import Numerics
import PPL
import Synchronization
import Tensors

/// Runs of a model with its latent sites set to those of posterior draws.
struct ModelRuns: Sendable {
  /// The model.
  let model: Model<Void>

  /// The draws; of each run its sites with these names take the values.
  let draws: Draws

  /// The latent sites that may be drawn although the draws do not hold them; nil for all.
  let drawable: Set<String>?

  /// The key of what is drawn anew.
  let key: RandomKey

  /// Whether a site that has no draws, its density flat or its set missed, may take any value instead.
  let allowsImproper: Bool

  /// Prepares runs.
  init(
    _ model: Model<Void>, _ draws: Draws, drawable: Set<String>? = [], key: RandomKey = 0,
    allowsImproper: Bool = false
  ) {
    self.allowsImproper = allowsImproper
    self.model = model
    self.draws = draws
    self.drawable = drawable
    self.key = key
  }

  /// Returns the key of a draw: its chain's, and its own.
  private func key(_ place: Int) -> RandomKey {
    key.folding(in: place / draws.draws).folding(in: place % draws.draws)
  }

  /// Returns the sites of the model at a draw, counted chain after chain.
  func trace(_ place: Int) throws -> Trace {
    try Self.run(model, draws, place, drawable, key(place), allowsImproper: allowsImproper).1
  }

  /// Runs a model at a draw and returns its output with all sites.
  static func run<Output>(
    _ model: Model<Output>, _ draws: Draws, _ place: Int, _ drawable: Set<String>?,
    _ key: RandomKey,
    allowsImproper: Bool = false
  ) throws -> (Output, Trace) {
    let values = draws.draw(chain: place / draws.draws, place % draws.draws).values
    let handler = Substitution(values: values, drawable: drawable)
    let (output, final) = try model.run(under: handler, key: key)
    guard final.missing.isEmpty else {
      throw ModelError(
        .unknownSites(final.missing),
        "expected draws of every latent site, found none of \(final.missing); the draws hold \(draws.names). Keep all latent sites when sampling, or name these in sites: to draw them from their priors"
      )
    }
    if let flat = final.improper, !allowsImproper {
      throw ModelError(
        .misuse, site: flat.name,
        "expected a prior that can be drawn from, found \(flat.distribution.map { "\($0)" } ?? "none"); give the site a proper prior, or a value by substituting"
      )
    }
    if let missed = final.missed, !allowsImproper { throw noDraw(missed) }
    return (output, final.trace)
  }

  /// Returns the mistake of a site whose distribution is confined to a set in which no draw was found.
  static func noDraw(_ site: Site) -> ModelError {
    ModelError(
      .misuse, site: site.name,
      "expected a distribution that can be drawn from, found that no draw in \(Restricted.attempts) fell inside: \(site.distribution.map { "\($0)" } ?? "none"); give the site a distribution that lies in its set, such as a truncated one, or a value by substituting"
    )
  }

  /// Returns what a function makes of every draw, in order, computed on threads.
  ///
  /// - Throws: The error of the first draw that fails.
  static func concurrently<Result: Sendable>(
    _ count: Int, _ body: @Sendable (Int) throws -> Result
  ) throws -> [Result] {
    /// The draws of one piece of work: long enough that handing them out costs nothing.
    let length = 16
    let pieces = (count + length - 1) / length
    let done = Mutex([Int: [Result]](minimumCapacity: pieces))
    let failures = Mutex([Int: any Error]())
    DispatchQueue.concurrentPerform(iterations: pieces) { piece in
      // After a failure earlier draws must still run, so that the error reported is always the same.
      if failures.withLock({ $0.keys.min() ?? .max }) < piece { return }
      do {
        let range = (piece * length)..<min(count, (piece + 1) * length)
        let results = try range.map(body)
        done.withLock { $0[piece] = results }
      } catch {
        failures.withLock { $0[piece] = error }
      }
    }
    if let first = failures.withLock({ found in found.min { $0.key < $1.key }?.value }) {
      throw first
    }
    return done.withLock { found in (0..<pieces).flatMap { found[$0] ?? [] } }
  }

  /// Returns draws of sites computed from the trace of each run.
  ///
  /// - Parameters:
  ///   - names: The names of the sites.
  ///   - periods: The periods of those that are angles.
  ///   - body: Returns the values of the sites, of the same shapes at every draw.
  /// - Returns: The draws.
  /// - Throws: ``ModelError`` if a shape changes from one draw to the next, and what a run or the function throws.
  func collect(
    _ names: [String], periods: [String: Double] = [:],
    _ body: @Sendable (Trace) throws -> [Tensor]
  ) throws -> Draws {
    let values = try Self.concurrently(draws.count) { try body(trace($0)) }
    let shapes = values.first.map { $0.map(\.shape) } ?? names.map { _ in [] }
    let sites = try names.indices.map { k in
      var elements: [Double] = []
      elements.reserveCapacity(draws.count * shapes[k].elementCount)
      for row in values {
        guard row[k].shape == shapes[k] else {
          throw ModelError(
            .shapeMismatch(expected: shapes[k], found: row[k].shape), site: names[k],
            "expected one shape at every draw, found \(row[k].shape) after \(shapes[k]); leave the site out of sites:"
          )
        }
        elements += row[k].elements
      }
      return Draws.Site(
        name: names[k], shape: shapes[k], period: periods[names[k]], values: elements)
    }
    return Draws(chains: draws.chains, draws: draws.draws, sites: sites)
  }
}

/// Sets latent sites to given values, keeps all sites, and notes the latent ones that no value was given for.
struct Substitution: Handler {
  /// The values, by site.
  let values: [String: Tensor]

  /// The latent sites that may be drawn; nil for all.
  let drawable: Set<String>?

  /// All sites, in order.
  private(set) var trace = Trace()

  /// The latent sites that were drawn and should not have been.
  private(set) var missing: [String] = []

  /// The first latent site that would have been drawn from a flat density.
  private(set) var improper: Site?

  /// The first site that would have been drawn from a set in which no draw was found.
  private(set) var missed: Site?

  /// The names of the random sites that were given no value inside or outside.
  private var drawn: Set<String> = []

  /// The names of the latent sites that were given a value inside or outside.
  private var provided: Set<String> = []

  /// Creates the handler.
  init(values: [String: Tensor], drawable: Set<String>?) {
    self.values = values
    self.drawable = drawable
  }

  func provides(_ site: Site) -> Bool { site.isLatent && values[site.name] != nil }

  mutating func process(_ site: inout Site) {
    if site.isLatent, let value = values[site.name] { site.value = value }
    if site.kind == .sample && site.value == nil { drawn.insert(site.name) }
    guard site.isLatent else { return }
    if site.value != nil { provided.insert(site.name) }
  }

  mutating func postprocess(_ site: inout Site) {
    if site.isLatent, !provided.contains(site.name), site.distribution?.isImproper ?? false {
      improper = improper ?? site
    }
    if missed == nil, drawn.contains(site.name), let value = site.value,
      site.distribution?.holdsStandIn(value) ?? false
    {
      missed = site
    }
    if site.isLatent, let drawable, !provided.contains(site.name) {
      let name = site.origin?.name ?? site.name
      if !drawable.contains(name) && !drawable.contains(site.name) { missing.append(name) }
    }
    switch site.kind {
    case .plate, .key: break
    default: trace.append(site)
    }
  }
}
