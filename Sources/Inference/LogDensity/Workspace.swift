// SPDX-License-Identifier: MIT
//
// Plain memory that an evaluator lends to the algorithm that runs on it.

import CKernels
import Numerics

/// The memory of an algorithm: vectors of one length in one slab; belongs to one thread.
///
/// Vectors are followed by zeros up to a multiple of four numbers, so that loops may take four at a time; who writes there puts them
/// back. A density lends the same memory to all that runs on it: what is held there is gone after a step of a kernel.
public final class Workspace {
  /// The length of a vector.
  public let dimension: Int

  /// The number of vectors.
  public let vectors: Int

  /// The distance between vectors: the length with the zeros that follow.
  let stride: Int

  /// The slab.
  private let slab: UnsafeMutablePointer<Double>

  /// Creates zeroed memory for a number of vectors.
  public init(dimension: Int, vectors: Int) {
    self.dimension = dimension
    self.vectors = vectors
    stride = Workspace.padded(dimension)
    let count = max(1, stride * vectors)
    // A line of the cache is 64 bytes.
    slab = UnsafeMutableRawPointer.allocate(
      byteCount: count * MemoryLayout<Double>.stride, alignment: 64
    ).initializeMemory(as: Double.self, repeating: 0, count: count)
  }

  deinit { slab.deallocate() }

  /// The first element of a vector.
  @inline(__always)
  public subscript(index: Int) -> UnsafeMutablePointer<Double> {
    demand(
      index >= 0 && index <= vectors,
      "Workspace: expected the index of one of \(vectors) vectors, got \(index)")
    return slab + index * stride
  }

  /// Returns a length with the zeros that follow.
  static func padded(_ n: Int) -> Int {
    let step = Int(SS_TRAJECTORY_PADDING)
    return (n + step - 1) / step * step
  }
}
