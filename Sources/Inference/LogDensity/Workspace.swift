// SPDX-License-Identifier: MIT
//
// Plain memory that an evaluator lends to the algorithm that runs on it.

/// The memory of an algorithm: vectors of one length in one slab; belongs to one thread.
public final class Workspace {
  /// The length of a vector.
  public let dimension: Int

  /// The number of vectors.
  public let vectors: Int

  /// The slab.
  private let slab: UnsafeMutablePointer<Double>

  /// Creates zeroed memory for a number of vectors.
  public init(dimension: Int, vectors: Int) {
    self.dimension = dimension
    self.vectors = vectors
    let count = max(1, dimension * vectors)
    slab = .allocate(capacity: count)
    slab.initialize(repeating: 0, count: count)
  }

  deinit { slab.deallocate() }

  /// The first element of a vector.
  @inline(__always)
  public subscript(index: Int) -> UnsafeMutablePointer<Double> { slab + index * dimension }
}
