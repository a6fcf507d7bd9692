// SPDX-License-Identifier: MIT
//
// Likelihoods of generalised linear models by vector kernels: Bernoulli and binomial with a logit, Poisson with a log rate.
//
// Their cost is that of exp and log1p, which the vector kernels do some ten times faster than one by one.

import CKernels

extension Dual {
  static func vectorDensity(
    _ kind: DensityKind, _ i: Instruction, _ v: UnsafeMutablePointer<Dual>
  ) -> Bool { false }
}

extension Double {
  /// The elements that are worked on at a time: their buffers lie on the stack.
  private static let chunk = 64

  static func vectorDensity(
    _ kind: DensityKind, _ i: Instruction, _ v: UnsafeMutablePointer<Double>
  ) -> Bool {
    // The operand that varies: the logit or the log rate, one for each element; the data are constants.
    let operand = kind == .binomialLogit ? 2 : 1
    guard kind == .bernoulliLogit || kind == .binomialLogit || kind == .poissonLog,
      i.stride(operand) == 1, i.active & ~(1 << UInt8(operand)) == 0
    else { return false }
    let n = Int(i.n)
    let summed = i.variant & 1 != 0
    let eta = v + Int(operand == 1 ? i.b : i.c)
    let slopes = v + Int(i.scratch)
    var total = 0.0
    // What is asked for is written where it belongs, the rest into buffers on the stack.
    withUnsafeTemporaryAllocation(of: Double.self, capacity: 2 * chunk) { buffer in
      guard let buffer = buffer.baseAddress else { return }
      for start in stride(from: 0, to: n, by: chunk) {
        let count = Swift.min(chunk, n - start)
        let x = v + Int(i.a) + start * i.stride(0)
        let value = summed ? buffer : v + Int(i.out) + start
        let slope = i.active != 0 ? slopes + start : buffer + chunk
        let part =
          switch kind {
          case .poissonLog:
            ss_poisson_terms(x, i.stride(0), eta + start, value, slope, count)
          case .binomialLogit:
            ss_logistic_terms(
              x, i.stride(0), v + Int(i.b) + start * i.stride(1), i.stride(1), eta + start, value,
              slope, count)
          default:
            ss_logistic_terms(x, i.stride(0), nil, 0, eta + start, value, slope, count)
          }
        total += part
      }
    }
    if summed { v[Int(i.out)] = total }
    return true
  }
}
