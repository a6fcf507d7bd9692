// SPDX-License-Identifier: MIT
//
// Trace: keeps every site that passes.

/// Keeps every site, in order; the handler behind ``Model/trace(key:)``.
public struct Recording: Handler {
  /// The sites so far.
  public private(set) var trace = Trace()

  /// Creates an empty recording.
  public init() {}

  public mutating func postprocess(_ site: inout Site) {
    switch site.kind {
    case .plate: trace.plates[site.name] = site.value
    case .key: break
    default: trace.append(site)
    }
  }
}
