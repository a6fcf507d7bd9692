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

  public mutating func process(_ site: inout Site) {
    guard site.kind == .sample || site.kind == .factor else { return }
    site.mask = site.mask.map { $0 * mask } ?? mask
  }
}
