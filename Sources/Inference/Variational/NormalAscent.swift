// SPDX-License-Identifier: MIT
//
// The best normal approximation by natural gradients: steps in coordinates in which the present guide is standard.
//
// Source: Lin, Nielsen, Khan & Schmidt 2021, "Tractable structured natural-gradient descent using local parameterizations",
// section 3.1, with gradients by reparameterisation that stick the landing (Roeder, Wu & Duvenaud 2017).

import Numerics
import PPL
import Tensors

/// A normal guide y = m + R ε over the coordinates of a guide space, on its way to the best one.
///
/// In the guide's own coordinates ε the Fisher matrix is the identity (twice that for the logarithms of scales), so that a
/// step along the gradient is a natural-gradient step. Each draw's gradient is that of log p − log q along the draw: it
/// vanishes where the guide is the posterior, so that noise comes only from where the posterior is not normal.
struct NormalAscent {
  /// The mean m.
  private(set) var mean: [Double]

  /// The root R of the covariance, row-major.
  private(set) var root: [Double]

  /// log det R.
  private(set) var logDeterminant: Double

  /// The number of gradients so far.
  private(set) var gradients = 0

  /// The mean of log p − log q over the draws of the latest step.
  private(set) var elbo = Double.nan

  /// The number of draws in the latest step whose log density was not finite.
  private(set) var lost = 0

  /// The gradient by the mean, in the guide's coordinates, of the latest step.
  private(set) var slope: [Double]

  /// The gradient by the root, lower triangle, of the latest step.
  private(set) var tilt: [Double]

  private let dimension: Int
  private let density: TurningDensity
  private var buffers: Buffers

  /// Vectors that a step works in.
  private struct Buffers {
    var step: [Double]
    var point: [Double]
    var gradient: [Double]
    var pulled: [Double]
    var sum: [Double]
    var difference: [Double]
  }

  /// The longest move of the mean in one step, in deviations, and the largest change of the root.
  private static let longest = 0.7

  /// Starts at a normal approximation.
  init(_ space: GuideSpace, _ start: Whitening) {
    mean = start.location
    root = start.root
    logDeterminant = start.logDeterminant
    dimension = space.dimension
    density = TurningDensity(space)
    let zeros = [Double](repeating: 0, count: dimension)
    slope = zeros
    tilt = [Double](repeating: 0, count: dimension * dimension)
    buffers = Buffers(
      step: zeros, point: zeros, gradient: zeros, pulled: zeros, sum: zeros, difference: zeros)
  }

  /// The present approximation.
  var whitening: Whitening {
    Whitening(location: mean, root: root, logDeterminant: logDeterminant)
  }

  /// Makes one step of a given rate, from a number of antithetic pairs of draws.
  mutating func step(pairs: Int, rate: Double, key: RandomKey) {
    let n = dimension
    density.follow(mean, root)
    for k in slope.indices { slope[k] = 0 }
    for k in tilt.indices { tilt[k] = 0 }
    var total = 0.0
    var used = 0
    lost = 0
    for pair in 0..<pairs {
      let noise = key.folding(in: pair).normals(n)
      apply(noise)
      let up = pull(noise, sign: 1)
      for k in 0..<n {
        buffers.sum[k] = buffers.pulled[k]
        buffers.difference[k] = buffers.pulled[k]
      }
      let down = pull(noise, sign: -1)
      gradients += 2
      // Half a pair would be no pair: both or none.
      guard
        up.isFinite && down.isFinite && buffers.pulled.allSatisfy(\.isFinite)
          && buffers.sum.allSatisfy(\.isFinite)
      else {
        lost += 2
        continue
      }
      used += 2
      let square = dot(noise, noise)
      total += up + down + square
      for k in 0..<n {
        buffers.sum[k] += buffers.pulled[k]
        buffers.difference[k] -= buffers.pulled[k]
        slope[k] += buffers.sum[k]
      }
      for r in 0..<n {
        for c in 0...r { tilt[r * n + c] += buffers.difference[r] * noise[c] }
      }
    }
    guard used > 0 else {
      // Nowhere finite: draw nearer to the mean.
      elbo = .nan
      for k in 0..<n { tilt[k * n + k] = -1 }
      move(rate)
      return
    }
    let share = 1 / Double(used)
    for k in slope.indices { slope[k] *= share }
    for k in tilt.indices { tilt[k] *= share }
    elbo = total * share + Double(n) * halfLogTwoPi + logDeterminant
    move(rate)
  }

  /// Sets `step` to R ε.
  private mutating func apply(_ noise: [Double]) {
    let n = dimension
    for r in 0..<n {
      var sum = 0.0
      for c in 0..<n { sum += root[r * n + c] * noise[c] }
      buffers.step[r] = sum
    }
  }

  /// Returns the log density at m ± R ε, half the noise's square added, and sets `pulled` to Rᵀ ∇ log p ± ε.
  private mutating func pull(_ noise: [Double], sign: Double) -> Double {
    let n = dimension
    for k in 0..<n { buffers.point[k] = mean[k] + sign * buffers.step[k] }
    let value = density.valueAndGradient(buffers.point, into: &buffers.gradient)
    for c in 0..<n { buffers.pulled[c] = sign * noise[c] }
    for r in 0..<n {
      let g = buffers.gradient[r]
      for c in 0..<n { buffers.pulled[c] += root[r * n + c] * g }
    }
    return value
  }

  /// Moves mean and root along the gradients.
  private mutating func move(_ rate: Double) {
    let n = dimension
    let length = rate * dot(slope, slope).squareRoot()
    let factor = length > Self.longest ? rate * Self.longest / length : rate
    for r in 0..<n {
      for c in 0..<n { mean[r] += factor * root[r * n + c] * slope[c] }
    }
    var free = 0.0
    for r in 0..<n {
      for c in 0..<r { free += tilt[r * n + c] * tilt[r * n + c] }
    }
    let turn = rate * free.squareRoot()
    let mixing = turn > Self.longest ? rate * Self.longest / turn : rate
    // R ← R H with H lower triangular: scales by their logarithms, of which the Fisher information is 2.
    var scales = [Double](repeating: 1, count: n)
    for k in 0..<n {
      let change = min(max(0.5 * rate * tilt[k * n + k], -Self.longest), Self.longest)
      logDeterminant += change
      scales[k] = exponential(change)
    }
    for r in 0..<n {
      // Column c of R H is Σ_j R_rj H_jc over j ≥ c: later columns are still the old ones.
      for c in 0..<n {
        var value = root[r * n + c] * scales[c]
        for j in (c + 1)..<max(n, c + 1) { value += root[r * n + j] * mixing * tilt[j * n + c] }
        root[r * n + c] = value
      }
    }
  }
}

/// The log density of a guide space, with the turns of angles weighed as a normal guide weighs them.
final class TurningDensity {
  private let evaluator: FunctionEvaluator
  private let angles: [Int]
  private let dimension: Int
  private var input: [Double]
  private var gradient: [Double]

  /// Compiles the density.
  init(_ space: GuideSpace) {
    let chart = space.coordinates
    let model = space.density.model
    angles = chart.angles.map(\.place)
    dimension = chart.dimension
    let ones = Tensor.ones([angles.count])
    let function = CompiledFunction(at: [.zeros([chart.dimension]), ones, ones]) { inputs in
      let pass = CompiledDensity.run(model, chart.unconstrained(inputs[0]), .unconstrained)
      let turns =
        chart.angles.isEmpty
        ? Tensor(0) : chart.logTurns(inputs[0], center: inputs[1], scale: inputs[2])
      return [pass.total + turns + chart.logRadialCorrection]
    }
    evaluator = function.makeEvaluator()
    input = [Double](repeating: 0, count: function.inputCount)
    gradient = input
  }

  /// Takes centres and scales of the angles from a normal guide.
  func follow(_ mean: [Double], _ root: [Double]) {
    let n = dimension
    for (k, place) in angles.enumerated() {
      let row = root[(place * n)..<((place + 1) * n)]
      input[n + k] = mean[place]
      input[n + angles.count + k] = row.reduce(0) { $0 + $1 * $1 }.squareRoot()
    }
  }

  /// Returns the log density at a point and sets its gradient.
  func valueAndGradient(_ y: [Double], into target: inout [Double]) -> Double {
    for k in 0..<dimension { input[k] = y[k] }
    let value = input.withUnsafeBufferPointer { input in
      gradient.withUnsafeMutableBufferPointer { evaluator.valueAndGradient(at: input, into: $0) }
    }
    for k in 0..<dimension { target[k] = gradient[k] }
    return value
  }
}
