// SPDX-License-Identifier: MIT
//
// Likelihoods of generalised linear models by vector kernels: Bernoulli and binomial with a logit, Poisson with a log rate.
//
// Their cost is that of exp and log1p, which the vector kernels do some ten times faster than one by one.

import Numerics

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
    withUnsafeTemporaryAllocation(of: Double.self, capacity: chunk) { values in
      withUnsafeTemporaryAllocation(of: Double.self, capacity: chunk) { derivatives in
        guard let value = values.baseAddress, let slope = derivatives.baseAddress else { return }
        for start in stride(from: 0, to: n, by: chunk) {
          let count = Swift.min(chunk, n - start)
          let terms = ChunkTerms(
            x: v + Int(i.a) + start * i.stride(0), strideX: i.stride(0),
            counts: v + Int(i.b) + start * i.stride(1), strideCounts: i.stride(1),
            eta: eta + start, count: count)
          if kind == .poissonLog {
            terms.poisson(value, slope)
          } else {
            terms.logistic(kind == .binomialLogit, value, slope)
          }
          if i.active != 0 { for k in 0..<count { slopes[start + k] = slope[k] } }
          if summed {
            for k in 0..<count { total += value[k] }
          } else {
            let out = v + Int(i.out) + start
            for k in 0..<count { out[k] = value[k] }
          }
        }
      }
    }
    if summed { v[Int(i.out)] = total }
    return true
  }
}

/// Some elements of a fused density with what its terms are made of.
private struct ChunkTerms {
  /// The data.
  let x: UnsafePointer<Double>
  let strideX: Int
  /// The numbers of trials of a binomial density.
  let counts: UnsafePointer<Double>
  let strideCounts: Int
  /// The logits or log rates.
  let eta: UnsafePointer<Double>
  /// The number of elements.
  let count: Int

  /// Whether a number can be a count.
  @inline(__always)
  private func isCount(_ x: Double) -> Bool { x >= 0 && x == x.rounded() }

  /// Sets values and slopes of x η − e^η.
  func poisson(_ value: UnsafeMutablePointer<Double>, _ slope: UnsafeMutablePointer<Double>) {
    VectorMath.exp(eta, into: slope, count: count)
    for k in 0..<count {
      let x = x[k * strideX]
      let rate = slope[k]
      // 0 · −∞ is 0: nothing was expected and nothing came.
      value[k] = isCount(x) ? (x == 0 ? -rate : x * eta[k] - rate) : -.infinity
      slope[k] = isCount(x) ? x - rate : 0
    }
  }

  /// Sets values and slopes of x log σ(η) + (n − x) log σ(−η) = x η − n log(1 + e^η), n = 1 unless there are counts.
  func logistic(
    _ hasCounts: Bool, _ value: UnsafeMutablePointer<Double>,
    _ slope: UnsafeMutablePointer<Double>
  ) {
    // log(1 + e^−|η|) and σ(η): x η − n max(η, 0) does not cancel against the rest.
    for k in 0..<count { value[k] = -abs(eta[k]) }
    VectorMath.softplus(value, into: value, count: count)
    VectorMath.sigmoid(eta, into: slope, count: count)
    for k in 0..<count {
      let x = x[k * strideX]
      let n = hasCounts ? counts[k * strideCounts] : 1
      let (successes, failures) = (x, n - x)
      guard isCount(x), failures >= 0 else {
        (value[k], slope[k]) = (-.infinity, 0)
        continue
      }
      let eta = eta[k]
      // −x max(−η, 0) − (n − x) max(η, 0): of the two only one is not zero.
      let linear =
        eta > 0 ? (failures == 0 ? 0 : -failures * eta) : (successes == 0 ? 0 : successes * eta)
      value[k] = linear - n * value[k]
      slope[k] = x - n * slope[k]
    }
  }
}
