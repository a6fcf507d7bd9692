// SPDX-License-Identifier: MIT
//
// One run of a model: the stack of handlers, and the passage of a site through it.

public import Distributions
public import Numerics
public import Tensors

/// The context of one run of a model, through which it makes its statements.
///
/// A context belongs to one run on one thread and must not leave it. Statements never throw: a mistake is kept, a feasible
/// value is returned, and ``Model/trace(key:)`` or the log density throws it at the end.
public final class ModelContext {
  /// The handlers, outermost first.
  private var stack: [any Handler] = []

  /// The key from which all default values of the run come.
  public let key: RandomKey

  /// The mistakes so far.
  public private(set) var errors: [ModelError] = []

  /// The names of all sites so far, to find duplicates.
  private var names: Set<String> = []

  /// Creates the context of one run.
  init(key: RandomKey) { self.key = key }

  /// Keeps a mistake.
  public func report(_ error: ModelError) { errors.append(error) }

  // MARK: - Handlers

  /// Runs `body` under a further, innermost handler, and returns its final state too.
  func with<H: Handler, Output>(_ handler: H, _ body: () throws -> Output) rethrows -> (Output, H) {
    let depth = stack.count
    stack.append(handler)
    defer { stack.removeSubrange(depth...) }
    let output = try body()
    // The slot was filled with an H above, and only ever receives its own copy back.
    let final = stack[depth] as? H ?? handler
    return (output, final)
  }

  /// The last axis that no plate around the next statement holds, counted from the back.
  var freeAxis: Int {
    let held = stack.compactMap { ($0 as? Plate)?.axis }
    return (-held.count - 1 ... -1).reversed().first { !held.contains($0) } ?? -1
  }

  /// Passes a new site through all handlers and returns it with its value.
  func emit(_ site: Site) -> Site { emit(site, outside: stack.count) }

  /// Passes a site through the handlers outside the one at `top`, and returns it with its value.
  private func emit(_ site: Site, outside top: Int) -> Site {
    var site = site
    var reached = top
    while reached > 0 && !site.isStopped {
      reached -= 1
      position = reached
      var handler = stack[reached]
      handler.process(&site, in: self)
      stack[reached] = handler
    }
    if site.value == nil { giveDefault(&site, keysFrom: reached) }
    check(site)
    for index in reached..<max(top, reached) {
      position = index
      var handler = stack[index]
      handler.postprocess(&site)
      stack[index] = handler
    }
    return site
  }

  /// The index of the handler that is at work.
  private var position = 0

  /// Passes a site made by the handler that is at work through the handlers outside it.
  ///
  /// Plates, scale, mask and scopes that the handler's own site has passed already are taken from `parent`.
  public func emit(
    _ name: String, _ distribution: any Distribution, derivedFrom parent: Site
  ) -> Tensor {
    let here = position
    defer { position = here }
    var site = Site(.sample, name)
    site.distribution = distribution
    site.plates = parent.plates
    site.scale = parent.scale
    site.mask = parent.mask
    site.key = parent.key
    site.hints = parent.hints
    site.isAuxiliary = true
    return emit(site, outside: here).value ?? distribution.feasibleValue
  }

  /// Returns whether a handler outside the one that is at work will give the site its value.
  public func isProvidedOutside(_ site: Site) -> Bool {
    var renamed = site
    for index in (0..<position).reversed() {
      if stack[index].provides(renamed) { return true }
      if let scope = stack[index] as? Scope { scope.rename(&renamed) }
    }
    return false
  }

  // MARK: - Defaults and checks

  /// Gives a site the value it has when no handler gave one.
  private func giveDefault(_ site: inout Site, keysFrom reached: Int) {
    guard site.kind == .sample, let distribution = site.distribution else { return }
    // A handler that hides sites from those outside it must not cut them off from their keys.
    let outer =
      site.key ?? stack[..<reached].reversed().lazy.compactMap { ($0 as? Seed)?.key }.first
    site.value = distribution.sample(key: (outer ?? key).folding(in: site.name), sampleShape: [])
  }

  /// Keeps a mistake where names collide or shapes do not fit.
  private func check(_ site: Site) {
    guard site.kind != .plate else { return }
    if !names.insert(site.name).inserted {
      report(
        ModelError(
          .duplicateSite, site: site.name, plates: site.plates.map(\.name),
          "expected a name of its own, found a second site of this name; rename it, or call the part under m.scope(…)"
        ))
    }
    guard site.kind == .sample, let distribution = site.distribution, let value = site.value
    else { return }
    let shape = distribution.batchShape + distribution.eventShape
    if value.shape != shape {
      let isBroadcast = site.isObserved && broadcastShape([value.shape, shape]) != nil
      if !isBroadcast {
        report(
          ModelError(
            .shapeMismatch(expected: shape, found: value.shape), site: site.name,
            plates: site.plates.map(\.name),
            "expected a value of shape \(shape) (batch \(distribution.batchShape), event \(distribution.eventShape)), found \(value.shape)"
          ))
      }
    }
  }
}
