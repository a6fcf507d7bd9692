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

  public mutating func process(_ site: inout Site) {
    guard site.kind == .sample || site.kind == .factor else { return }
    site.scale *= factor
  }
}
