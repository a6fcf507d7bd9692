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

  /// Runs `body` on the handler at an index; its state is moved out meanwhile, so that it is never copied.
  private func use(_ index: Int, _ body: (inout any Handler) -> Void) {
    position = index
    var handler = stack[index]
    stack[index] = Idle()
    body(&handler)
    stack[index] = handler
  }

  /// The names of the plates outside the handler that is at work, outermost first.
  var outerPlates: [String] { stack[..<position].compactMap { ($0 as? Plate)?.name } }

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
    var passed: [Int] = []
    for index in (0..<top).reversed()
    where !site.isStopped || stack[index] is any StructuralHandler {
      use(index) { $0.process(&site, in: self) }
      passed.append(index)
    }
    if site.value == nil { giveDefault(&site) }
    check(&site)
    for index in passed.reversed() { use(index) { $0.postprocess(&site) } }
    return site
  }

  /// The index of the handler that is at work.
  private var position = 0

  /// Passes a site made by the handler that is at work through the handlers outside it.
  ///
  /// Plates, scale, mask and scopes that the handler's own site has passed already are taken from `parent`.
  ///
  /// - Parameters:
  ///   - name: The name of the new site.
  ///   - distribution: Its distribution, with the batch shape of `parent`.
  ///   - parent: The site that it replaces.
  ///   - inverse: Returns the new site's value for a value of `parent`.
  /// - Returns: The value of the new site.
  public func emit(
    _ name: String, _ distribution: any Distribution, derivedFrom parent: Site,
    inverse: @escaping @Sendable (Tensor) -> Tensor
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
    let shape = parent.distribution.map { $0.batchShape + $0.eventShape } ?? []
    site.origin =
      parent.origin.map { origin in
        SiteOrigin(name: origin.name, shape: origin.shape) { inverse(origin.inverse($0)) }
      } ?? SiteOrigin(name: parent.name, shape: shape, inverse: inverse)
    return emit(site, outside: here).value ?? distribution.feasibleValue
  }

  /// Passes a latent site of its own, of no plate, from the handler that is at work through the handlers outside it.
  ///
  /// The density of the sites as their author wrote them leaves it out.
  ///
  /// - Parameters:
  ///   - name: The name of the site.
  ///   - distribution: Its distribution.
  /// - Returns: The value of the site.
  public func emitAuxiliary(_ name: String, _ distribution: any Distribution) -> Tensor {
    var site = Site(.sample, name)
    site.distribution = distribution
    return emitOwn(site, shape: distribution.batchShape + distribution.eventShape).value
      ?? distribution.feasibleValue
  }

  /// Passes a factor of its own, of no plate, from the handler that is at work through the handlers outside it.
  public func emitAuxiliaryFactor(_ name: String, _ logDensity: Tensor) {
    var site = Site(.factor, name)
    site.value = logDensity
    _ = emitOwn(site, shape: logDensity.shape)
  }

  /// Passes a site that no other one stands behind through the handlers outside the one that is at work.
  private func emitOwn(_ site: Site, shape: Shape) -> Site {
    let here = position
    defer { position = here }
    var site = site
    site.origin = SiteOrigin(name: site.name, shape: shape) { $0 }
    return emit(site, outside: here)
  }

  /// Returns whether a handler outside the one that is at work will give the site its value.
  public func isProvidedOutside(_ site: Site) -> Bool {
    var renamed = site
    for index in (0..<position).reversed() {
      if stack[index].provides(renamed) { return true }
      if let scope = stack[index] as? Scope { scope.process(&renamed) }
      if let block = stack[index] as? Block, block.hides(renamed) { return false }
    }
    return false
  }

  // MARK: - Defaults and checks

  /// Gives a site the value it has when no handler gave one.
  private func giveDefault(_ site: inout Site) {
    let own = (site.key ?? key).folding(in: site.name)
    switch site.kind {
    case .sample: site.value = site.distribution?.sample(key: own, sampleShape: [])
    case .plate: site.value = site.plates.first?.indices(key: own)
    default: break
    }
  }

  /// Returns whether fewer data than a distribution has elements are meant: those of a program, repeated by plates around it.
  ///
  /// A datum that does not fill an axis of the batch is a mistake, not a shorthand: which axis it is for cannot be told.
  private func isRepeated(
    _ data: Shape, by plates: [PlateFrame], _ distribution: any Distribution
  ) -> Bool {
    let shape = distribution.batchShape + distribution.eventShape
    guard data.count > distribution.eventShape.count, Array(shape.suffix(data.count)) == data,
      data.elementCount > 1
    else { return false }
    return (0..<(shape.count - data.count)).allSatisfy { place in
      plates.contains { $0.axis == place - distribution.batchShape.count }
    }
  }

  /// Keeps a mistake where names collide or shapes do not fit, and puts a feasible value in place of one that does not.
  private func check(_ site: inout Site) {
    guard site.kind != .plate else { return }
    let plates = site.plates.map(\.name)
    if !names.insert(site.name).inserted {
      report(
        ModelError(
          .duplicateSite, site: site.name, plates: plates,
          "expected a name of its own, found a second site of this name; rename it, or call the part under m.scope(…)"
        ))
    }
    guard let value = site.value, site.kind == .sample || site.kind == .factor else { return }
    var batch = value.shape
    if let distribution = site.distribution {
      let shape = distribution.batchShape + distribution.eventShape
      let merged = broadcastShape([value.shape, shape])
      let isShort =
        site.isObserved && merged == shape && value.count < shape.elementCount
        && !isRepeated(value.shape, by: site.plates, distribution)
      if site.isObserved && merged == value.shape {
        batch = Array(value.shape.dropLast(distribution.eventShape.count))
      } else {
        batch = distribution.batchShape
        site.value =
          merged == shape && !isShort ? value.broadcast(to: shape) : distribution.feasibleValue
      }
      if isShort || merged != shape && !(site.isObserved && merged == value.shape) {
        let advice =
          isShort
          ? "; data are not repeated: give one for each element, or check the plates and the parameters' shapes"
          : ""
        report(
          ModelError(
            .shapeMismatch(expected: shape, found: value.shape), site: site.name, plates: plates,
            "expected a value of shape \(shape) (batch \(distribution.batchShape), event \(distribution.eventShape)), found \(value.shape)\(advice)"
          ))
      }
    }
    if let mask = site.mask, broadcastShape([mask.shape, batch]) != batch {
      site.mask = nil
      report(
        ModelError(
          .shapeMismatch(expected: batch, found: mask.shape), site: site.name, plates: plates,
          "expected a mask that broadcasts to the batch shape \(batch), found shape \(mask.shape)"
        ))
    }
  }
}
