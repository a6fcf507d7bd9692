// SPDX-License-Identifier: MIT
//
// A handler: what happens to every site on its way out of a model, and back.

/// Something that changes or watches the sites of a model.
///
/// ```swift
/// struct Tempered: Handler {
///   var beta: Double
///   mutating func process(_ site: inout Site) { if site.isObserved { site.scale *= beta } }
/// }
/// ```
///
/// Handlers are values: every run of a model works on its own copy, and ``Model/run(under:key:)`` returns the final state.
public protocol Handler: Sendable {
  /// Called on the way out, from the innermost handler to the outermost, before the site has its final value.
  mutating func process(_ site: inout Site)

  /// Called on the way back, from the outermost handler to the innermost, when the site has its value.
  mutating func postprocess(_ site: inout Site)

  /// Called instead of ``process(_:)`` by handlers that make sites of their own.
  mutating func process(_ site: inout Site, in context: ModelContext)

  /// Returns whether the handler will give this site its value, which a reparameterisation inside it then leaves alone.
  func provides(_ site: Site) -> Bool
}

/// A handler that is part of a model's own structure: it sees every site, also those hidden from other handlers.
///
/// Without that, a site hidden inside a scope would lose its prefix, and with it its own draw; in a plate, its shape.
protocol StructuralHandler: Handler {}

/// Stands in a handler's place while that handler is at work.
struct Idle: Handler {}

extension Handler {
  public mutating func process(_ site: inout Site) {}
  public mutating func postprocess(_ site: inout Site) {}
  public mutating func process(_ site: inout Site, in context: ModelContext) { process(&site) }
  public func provides(_ site: Site) -> Bool { false }
}
