// SPDX-License-Identifier: MIT
//
// Mask: densities that count only in places.

public import Tensors

/// Lets the densities inside it count only where `mask` is not zero.
public struct Mask: Handler {
  /// Where densities count; broadcasts with the batch shape of every site inside.
  public let mask: Tensor

  /// Creates the handler.
  public init(mask: Tensor) { self.mask = mask }

  public mutating func process(_ site: inout Site, in context: ModelContext) {
    guard site.isWeighted else { return }
    guard let inner = site.mask else {
      site.mask = mask
      return
    }
    guard broadcastShape([inner.shape, mask.shape]) != nil else {
      context.report(
        ModelError(
          .shapeMismatch(expected: inner.shape, found: mask.shape), site: site.name,
          plates: site.plates.map(\.name),
          "expected a mask that broadcasts with the one inside it, of shape \(inner.shape), found \(mask.shape)"
        ))
      return
    }
    // Not a product: a mask may hold any number that is not zero.
    site.mask = select(inner, mask, Tensor(0))
  }
}
