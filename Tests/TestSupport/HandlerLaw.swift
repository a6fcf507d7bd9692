// SPDX-License-Identifier: MIT
//
// The law of handlers: what holds for every model under every handler.

public import Numerics
public import PPL
import Tensors
public import Testing

/// Checks that a model, under whatever handlers it has, behaves as one.
///
/// Checked: no two sites have one name; the same key gives the same values; a trace replayed under another key gives the same
/// values and the same log joint density; a handler that does nothing changes nothing.
///
/// - Parameters:
///   - name: The name in messages.
///   - model: The model with its handlers.
///   - key: The key of the trace.
///   - sourceLocation: The place of the check.
/// - Throws: What the model's runs throw.
public func checkHandler<Output>(
  _ name: String, _ model: Model<Output>, key: RandomKey = 5,
  sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let first = try model.trace(key: key)
  #expect(
    Set(first.names).count == first.names.count, "\(name): names repeat in \(first.names)",
    sourceLocation: sourceLocation)

  let others = [
    ("run again", try model.trace(key: key)),
    ("replayed", try model.replayed(first).trace(key: key.folding(in: "other"))),
    ("watched", try model.blocked(hiding: []).trace(key: key)),
  ]
  for (what, other) in others {
    #expect(
      other.names == first.names, "\(name), \(what): the sites are \(other.names)",
      sourceLocation: sourceLocation)
    for site in first.sites where !site.isPredicted {
      #expect(
        other.site(site.name)?.value?.elements == site.value?.elements,
        "\(name), \(what): the value of \(site.name) has changed", sourceLocation: sourceLocation)
    }
    // The same arithmetic on the same numbers: no tolerance.
    #expect(
      other.logJoint.item() == first.logJoint.item(), "\(name), \(what): another log joint",
      sourceLocation: sourceLocation)
  }
}
