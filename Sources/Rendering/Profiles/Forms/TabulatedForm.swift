// SPDX-License-Identifier: MIT
//
// The radial form of a user's profile: its functions on a logarithmic grid, the missing one by a Hankel transform.

import Numerics
import Tensors

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A user's profile: ρ, F and the outer light on `LogGrid` in the function's own radius, and the half-light radius there.
///
/// A new shape costs one forward-mode pass through the user's functions for each parameter, and some transforms of 2048
/// points; the passes allocate memory.
package final class TabulatedForm: RadialForm {
  package let shapeCount: Int

  /// The profile.
  private let profile: RadialProfile

  /// The functions' evaluators.
  private let brightness, transformFunction: FunctionEvaluator?

  /// The Hankel transform.
  private let hankel: HankelTransform

  /// The tables: values first, then the derivatives by the parameters of the shape.
  private let densities, transforms, outer: FFTBuffer

  /// The logarithm of the radius at z = 1, and its derivatives by the shape.
  private var logRadius = 0.0
  private var logRadiusSlope = SIMD8<Double>()

  /// The parameters of the tables; nil before the first ones.
  private var shape: [Double]?

  /// What is wrong with a profile, and what to do.
  typealias Problem = (expected: String, found: String, advice: String)

  /// Why the latest parameters describe none; nil where they describe one.
  private(set) var problem: Problem?

  /// Creates a form without a shape.
  init(_ profile: RadialProfile) {
    self.profile = profile
    shapeCount = profile.shapeNames.count
    brightness = profile.brightness?.makeEvaluator()
    transformFunction = profile.transform?.makeEvaluator()
    hankel = HankelTransform(exponent: profile.exponent)
    let size = (1 + shapeCount) * LogGrid.count
    densities = FFTBuffer(count: size)
    transforms = FFTBuffer(count: size)
    outer = FFTBuffer(count: size)
  }

  package func update(_ shape: UnsafePointer<Double>) -> Bool {
    let new = UnsafeBufferPointer(start: shape, count: shapeCount)
    if let known = self.shape, new.elementsEqual(known) { return problem == nil }
    let parameters = Array(new)
    self.shape = parameters
    if parameters.allSatisfy(\.isFinite) {
      problem = fillTables(parameters) ?? findRadius()
    } else {
      problem = ("finite parameters", "\(parameters)", "change them")
    }
    return problem == nil
  }

  // MARK: - Tables

  /// Sets a table to a function and its derivatives by the shape; returns what is wrong with them.
  private func evaluate(
    _ evaluator: FunctionEvaluator, _ parameters: [Double], into table: FFTBuffer
  ) -> Problem? {
    let count = LogGrid.count
    parameters.withUnsafeBufferPointer { shape in
      if shapeCount == 0 {
        for (i, value) in evaluator.value(at: shape).enumerated() { table.pointer[i] = value }
      }
      for k in 0..<shapeCount {
        let direction = (0..<shapeCount).map { $0 == k ? 1.0 : 0 }
        let (values, tangents) = direction.withUnsafeBufferPointer {
          evaluator.jacobianVectorProduct(at: shape, $0)
        }
        for i in 0..<count {
          table.pointer[i] = values[i]
          table.pointer[(1 + k) * count + i] = tangents[i]
        }
      }
    }
    guard table.buffer.allSatisfy(\.isFinite) else {
      return (
        "finite numbers at all arguments from 2^-32 to 2^32, and finite derivatives by the shape",
        "NaN or infinity at \(parameters)",
        "write the function so that it neither overflows nor divides by zero"
      )
    }
    return nil
  }

  /// Divides a table and its derivatives by a number whose derivatives are given.
  private func divide(_ table: FFTBuffer, by total: Double, slopes: SIMD8<Double>) {
    let count = LogGrid.count
    let f = table.pointer
    for i in 0..<count {
      f[i] /= total
      for k in 0..<shapeCount {
        f[(1 + k) * count + i] = (f[(1 + k) * count + i] - f[i] * slopes[k]) / total
      }
    }
  }

  /// Fills all tables; returns what is wrong with them.
  private func fillTables(_ parameters: [Double]) -> Problem? {
    let count = LogGrid.count
    if let transformFunction {
      if let problem = evaluate(transformFunction, parameters, into: transforms) { return problem }
      let total = transforms.pointer[0]
      guard total > 0 else { return ("a positive transform at 0", "\(total)", "change its sign") }
      var slopes = SIMD8<Double>()
      for k in 0..<shapeCount { slopes[k] = transforms.pointer[(1 + k) * count] }
      divide(transforms, by: total, slopes: slopes)
    }
    if let brightness {
      if let problem = evaluate(brightness, parameters, into: densities) { return problem }
      for k in 0...shapeCount {
        LogGrid.integrateOutside(densities.pointer + k * count, into: outer.pointer + k * count)
      }
      let total = outer.pointer[0]
      guard total > 0, total.isFinite else {
        return ("a positive flux to infinity", "\(total)", "change the function's sign or wings")
      }
      var slopes = SIMD8<Double>()
      for k in 0..<shapeCount { slopes[k] = outer.pointer[(1 + k) * count] }
      divide(densities, by: total, slopes: slopes)
    }
    if transformFunction == nil {
      if let problem = convert(densities, to: transforms, factor: 2 * .pi) { return problem }
    } else if brightness == nil {
      if let problem = convert(transforms, to: densities, factor: 0.5 / .pi) { return problem }
    }
    for k in 0...shapeCount {
      LogGrid.integrateOutside(densities.pointer + k * count, into: outer.pointer + k * count)
    }
    let total = outer.pointer[0]
    let far = outer.pointer[count - count / 16]
    guard abs(total - 1) < Self.largestLoss, abs(far) < Self.largestLoss else {
      return (
        "light that adds up to that at frequency 0 within 2^28 radii",
        "\(total) of it, \(far) farther out", "make the wings steeper than z^-2.5"
      )
    }
    return nil
  }

  /// The share of the light that the tables may miss.
  private static let largestLoss = 3e-5

  /// Sets one view from the other by the Hankel transform; returns what makes it wrong.
  private func convert(_ from: FFTBuffer, to: FFTBuffer, factor: Double) -> Problem? {
    let count = LogGrid.count
    let quality = hankel.transform(from.pointer, factor: factor, into: to.pointer)
    guard quality.ends < RadialProfile.largestEnds else {
      return (
        "a function whose Hankel integrals end within 2^-32 … 2^32 radii",
        "\(quality.ends) of the largest integrand at an end",
        "make the centre less cuspy or the wings steeper, or give brightness and transform"
      )
    }
    guard quality.roughness < RadialProfile.largestRoughness else {
      return (
        "a function that is smooth in the logarithm of its argument",
        "\(quality.roughness) of its amplitude in the shortest waves",
        "replace kinks and edges by steep but smooth transitions"
      )
    }
    for k in 0..<shapeCount {
      _ = hankel.transform(
        from.pointer + (1 + k) * count, factor: factor, into: to.pointer + (1 + k) * count)
    }
    return nil
  }

  /// Returns what is wrong where both views are given, and the one is not the transform of the other.
  func mismatch() -> Problem? {
    guard brightness != nil, transformFunction != nil else { return nil }
    let expected = FFTBuffer(count: LogGrid.count)
    let quality = hankel.transform(densities.pointer, factor: 2 * .pi, into: expected.pointer)
    // Where the transform cannot be computed it is not checked: that is why both were given.
    guard quality.ends < RadialProfile.largestEnds,
      quality.roughness < RadialProfile.largestRoughness
    else { return nil }
    // Half of the grid's octaves: towards the ends a computed transform has rounding errors of its own.
    let difference = (LogGrid.count / 4..<3 * LogGrid.count / 4).reduce(0.0) {
      max($0, abs(expected.pointer[$1] - transforms.pointer[$1]))
    }
    guard difference < 1e-4 else {
      return (
        "a brightness and a transform that belong together", "a difference of \(difference)",
        "check the scale of κ, or give one of them only"
      )
    }
    return nil
  }

  /// Finds the radius of half of the light, where that is r_eff; returns what is wrong with it.
  private func findRadius() -> Problem? {
    logRadius = 0
    logRadiusSlope = SIMD8()
    guard profile.radius == .halfLight else { return nil }
    let count = LogGrid.count
    let above = (0..<count).first { outer.pointer[$0] < 0.5 } ?? 0
    var a = LogGrid.start + (Double(above) - 0.5) * LogGrid.step
    for _ in 0..<8 {
      let share = LogGrid.interpolate(outer.pointer, at: a)
      a -= (share.value - 0.5) / share.slope
    }
    guard above > 0, a.isFinite else {
      return ("a half-light radius", "none", "let the brightness be positive, or use .scale")
    }
    let slope = LogGrid.interpolate(outer.pointer, at: a).slope
    logRadius = a
    for k in 0..<shapeCount {
      logRadiusSlope[k] =
        -LogGrid.interpolate(outer.pointer + (1 + k) * count, at: a).value / slope
    }
    return nil
  }

  // MARK: - Views

  package func transform(
    at s: UnsafePointer<Double>, count: Int, shape k: Int, into out: UnsafeMutablePointer<Double>
  ) {
    let table = transforms.pointer
    let byShape = logRadiusSlope[min(k, 7)]
    for i in 0..<count {
      let group = out + 4 * i
      guard s[i] > 0 else {
        // Only s = 0 itself is looked up there, where the slope counts times 0.
        group[0] = 1
        (group + 1).update(repeating: 0, count: 3)
        continue
      }
      let a = 0.5 * log(s[i]) - logRadius
      let f = LogGrid.interpolate(table, at: a)
      group[0] = f.value
      group[1] = f.slope / (2 * s[i])
      guard shapeCount > 0 else {
        (group + 2).update(repeating: 0, count: 2)
        continue
      }
      let change = LogGrid.interpolate(table + (1 + k) * LogGrid.count, at: a)
      group[2] = change.value - f.slope * byShape
      group[3] = (change.slope - f.curvature * byShape) / (2 * s[i])
    }
  }

  package func density(
    at u: UnsafePointer<Double>, count: Int, shape k: Int, into out: UnsafeMutablePointer<Double>
  ) {
    let table = densities.pointer
    let byShape = logRadiusSlope[min(k, 7)]
    let unit = exp(2 * logRadius)
    for i in 0..<count {
      let group = out + 4 * i
      let a = 0.5 * log(u[i]) + logRadius
      let f = LogGrid.interpolate(table, at: a)
      group[0] = unit * f.value
      group[1] = unit * f.slope / (2 * u[i])
      guard shapeCount > 0 else {
        (group + 2).update(repeating: 0, count: 2)
        continue
      }
      let change = LogGrid.interpolate(table + (1 + k) * LogGrid.count, at: a)
      group[2] = unit * (change.value + (2 * f.value + f.slope) * byShape)
      group[3] = unit * (change.slope + (2 * f.slope + f.curvature) * byShape) / (2 * u[i])
    }
  }

  package func logDensity(_ u: Double) -> (value: Double, slope: Double) {
    let f = LogGrid.interpolate(densities.pointer, at: 0.5 * log(u) + logRadius)
    // Far out the density is below the smallest number, or what rounding leaves of a transform.
    guard f.value > 1e-290 else { return (-660, 0) }
    return (log(f.value) + 2 * logRadius, f.slope / (2 * u * f.value))
  }

  package func outside(_ z: Double) -> (share: Double, byLogZ: Double) {
    let share = LogGrid.interpolate(outer.pointer, at: log(z) + logRadius)
    return (max(share.value, 0), share.slope)
  }

  package func outsideSlope(_ z: Double, shape k: Int) -> Double {
    let a = log(z) + logRadius
    let byRadius = LogGrid.interpolate(outer.pointer, at: a).slope
    return LogGrid.interpolate(outer.pointer + (1 + k) * LogGrid.count, at: a).value
      + byRadius * logRadiusSlope[k]
  }
}
