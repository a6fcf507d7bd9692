// SPDX-License-Identifier: MIT
//
// Scale: densities multiplied by a factor.

public import Tensors

/// Multiplies the log densities inside it by a factor; deterministic sites have none.
public struct Scale: Handler {
  /// The factor, a scalar.
  public let factor: Tensor

  /// Creates the handler.
  public init(factor: Tensor) { self.factor = factor }

  public mutating func process(_ site: inout Site, in context: ModelContext) {
    guard site.isWeighted else { return }
    guard factor.count == 1 else {
      context.report(
        ModelError(
          .misuse, site: site.name, plates: site.plates.map(\.name),
          "expected a single factor for the density, found shape \(factor.shape); use a mask to choose elements"
        ))
      return
    }
    site.scale *= factor.reshaped([])
  }
}
