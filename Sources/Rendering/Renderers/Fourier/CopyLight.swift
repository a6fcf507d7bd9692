// SPDX-License-Identifier: MIT
//
// The light of the periodic copies of all components together, on Chebyshev nodes: interpolated to the pixels once.

import CKernels
import Numerics

/// The sums over components of values on the nodes of each size of grid, and the adjoints of those values.
///
/// Interpolation from nodes to pixels is linear and costs more than the values of one source.
final class CopyLight {
  /// The node grids.
  private let frames: [ChebyshevFrame]

  /// The values, by node grid; then their adjoints.
  private let values: [FFTBuffer]

  /// Whether there are values, or adjoints, by node grid.
  private var isUsed: [Bool]

  /// Memory of the node grids' operators.
  private let scratch: FFTBuffer

  /// Creates memory for the node grids of a plan.
  init(plan: RendererPlan) {
    frames = plan.frames
    values = plan.frames.map { FFTBuffer(count: $0.count * $0.count) }
    isUsed = plan.frames.map { _ in false }
    scratch = FFTBuffer(count: plan.frames.map(\.scratchCount).max() ?? 0)
  }

  /// Forgets all values and adjoints.
  func clear() {
    for k in isUsed.indices { isUsed[k] = false }
  }

  /// Adds a factor times values on the nodes of the k-th grid.
  func add(_ factor: Double, _ nodes: UnsafePointer<Double>, grid k: Int) {
    let count = values[k].count
    if !isUsed[k] {
      values[k].pointer.update(repeating: 0, count: count)
      isUsed[k] = true
    }
    sersic_add_scaled(count, factor, nodes, values[k].pointer)
  }

  /// Adds the light, convolved with the PSF, to the pixels of an image.
  func add(to image: UnsafeMutablePointer<Double>) {
    for (k, frame) in frames.enumerated() where isUsed[k] {
      frame.add(values[k].pointer, factor: 1, to: image, scratch: scratch.pointer)
    }
  }

  /// Returns the adjoints of the values on the nodes of the k-th grid, computed once for an image adjoint after `clear`.
  func adjoint(_ image: UnsafePointer<Double>, grid k: Int) -> UnsafePointer<Double> {
    if !isUsed[k] {
      frames[k].adjoint(image, factor: 1, into: values[k].pointer, scratch: scratch.pointer)
      isUsed[k] = true
    }
    return UnsafePointer(values[k].pointer)
  }
}
