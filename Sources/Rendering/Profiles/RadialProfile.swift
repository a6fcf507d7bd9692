// SPDX-License-Identifier: MIT
//
// A profile of one's own, from its radial function or its transform, written with tensors.

import Numerics
public import Tensors

/// A profile of one's own: a radial function, or a transform, or both, with parameters of its shape.
///
/// ```swift
/// // A disk with a break: exponential inside, steeper outside.
/// let brokenDisk = try RadialProfile("broken", shape: ["r_break": 2, "slope": 3]) { z, shape in
///   exp(-z) * pow(1 + pow(z / shape[0], 8), -shape[1] / 8)
/// }
/// let light = bulge + brokenDisk(
///   xc: xc, yc: yc, flux: flux, rEff: r, ellip: e, theta: t, shape: [rBreak, slope])
/// ```
///
/// The function is recorded once and differentiated by the tape; images have derivatives by all parameters. Its scale
/// does not matter: the light to infinity is made `flux`. By default r_eff is the half-light radius, whatever the
/// function's own radius is.
///
/// What only one view is given of is computed by a Hankel transform on 2048 radii from 2^−32 to 2^32: right to some 1e-9 for
/// functions that are smooth in ln z, as sums, products and powers of ordinary ones are; a function with a kink is refused.
/// Where the parameters leave the functions whose light is finite, images are NaN. Make a profile once, not in a model's
/// body: renderers are kept by its identity.
public final class RadialProfile: Sendable, Hashable, CustomStringConvertible {
  /// A function of radii, or of frequencies, of shape [m], and the parameters of the shape, scalars.
  public typealias Function = @Sendable (Tensor, [Tensor]) -> Tensor

  /// What r_eff means for the function.
  public enum Radius: String, Sendable, Hashable, Codable {
    /// The half-light radius: the function's argument is scaled so that half of the light lies inside z = 1.
    case halfLight
    /// The function's own radius: z = 1 is where the function's argument is 1.
    case scale
  }

  /// The largest number of parameters of a shape.
  public static let mostParameters = 8

  /// The name, for messages.
  public let name: String

  /// The names of the parameters of the shape, in order.
  public let shapeNames: [String]

  /// What r_eff means.
  public let radius: Radius

  /// The surface brightness on the grid of radii; nil where only the transform is given.
  let brightness: CompiledFunction?

  /// The transform on the grid of frequencies; nil where only the brightness is given.
  let transform: CompiledFunction?

  /// The exponent of the Hankel transform between them.
  let exponent: Double

  /// The share of the largest value that functions may have at the ends of the grid.
  static let largestEnds = 1e-6

  /// The share at which no better exponent is looked for.
  private static let negligibleEnds = 1e-9

  /// The share of the largest amplitude that may be left at the highest frequencies in ln z.
  static let largestRoughness = 1e-6

  /// Creates a profile from its surface brightness as a function of z.
  ///
  /// - Parameters:
  ///   - name: The name.
  ///   - shape: The parameters of the shape, each with a typical value, at which the function is recorded and checked.
  ///   - radius: What r_eff means.
  ///   - brightness: The brightness, in any unit, at radii z of shape [m]; the second argument are the shape's parameters.
  /// - Throws: `RenderingError` with kind `invalidProfile` where the light is not finite, or the function is not smooth.
  public convenience init(
    _ name: String, shape: KeyValuePairs<String, Double> = [:], radius: Radius = .halfLight,
    brightness: @escaping Function
  ) throws(RenderingError) {
    try self.init(name, shape, radius, brightness, nil)
  }

  /// Returns a profile by its transform as a function of κ = r_eff |k|, k in radians per pixel.
  ///
  /// - Parameters:
  ///   - name: The name.
  ///   - shape: The parameters of the shape, each with a typical value, at which the function is recorded and checked.
  ///   - radius: What r_eff means.
  ///   - transform: The transform, in any unit, at frequencies κ of shape [m].
  /// - Returns: The profile.
  /// - Throws: `RenderingError` with kind `invalidProfile` where it is not that of finite light, or not smooth.
  public static func byTransform(
    _ name: String, shape: KeyValuePairs<String, Double> = [:], radius: Radius = .halfLight,
    _ transform: @escaping Function
  ) throws(RenderingError) -> RadialProfile {
    try RadialProfile(name, shape, radius, nil, transform)
  }

  /// Creates a profile from its surface brightness and the transform of the same, where both are known: nothing is computed.
  ///
  /// - Parameters:
  ///   - name: The name.
  ///   - shape: The parameters of the shape, each with a typical value.
  ///   - radius: What r_eff means.
  ///   - brightness: The brightness, in any unit, at radii z of shape [m].
  ///   - transform: Its transform, in any unit, at frequencies κ of shape [m].
  /// - Throws: `RenderingError` with kind `invalidProfile` where they are not each other's transforms.
  public convenience init(
    _ name: String, shape: KeyValuePairs<String, Double> = [:], radius: Radius = .halfLight,
    brightness: @escaping Function, transform: @escaping Function
  ) throws(RenderingError) {
    try self.init(name, shape, radius, brightness, transform)
  }

  /// Records the functions and checks them at the typical shape.
  private init(
    _ name: String, _ shape: KeyValuePairs<String, Double>, _ radius: Radius,
    _ brightness: Function?, _ transform: Function?
  ) throws(RenderingError) {
    guard shape.count <= Self.mostParameters else {
      throw RenderingError(
        .invalidProfile, expected: "at most \(Self.mostParameters) parameters of \(name)",
        found: "\(shape.count)", advice: "fix some of them in the function")
    }
    self.name = name
    self.radius = radius
    shapeNames = shape.map(\.key)
    let typical = shape.map(\.value)
    let radii = Tensor(LogGrid.radii)
    /// Returns a function on the grid, recorded.
    func recorded(_ function: @escaping Function) -> CompiledFunction {
      CompiledFunction(at: typical.map { Tensor($0) }) { inputs in
        [function(radii, inputs).broadcast(to: [LogGrid.count])]
      }
    }
    self.brightness = brightness.map(recorded)
    self.transform = transform.map(recorded)
    // The exponent that leaves least at the ends, for what is to be transformed.
    let given = self.brightness ?? self.transform
    let values = given.map { RadialProfile.values($0, typical) } ?? []
    guard values.allSatisfy(\.isFinite) else {
      throw RenderingError(
        .invalidProfile, expected: "finite numbers of \(name) at all arguments from 2^-32 to 2^32",
        found: "NaN or infinity at \(shape.map { "\($0.key) = \($0.value)" })",
        advice: "write the function so that it neither overflows nor divides by zero")
    }
    var best = (exponent: HankelTransform.exponents[0], ends: Double.infinity)
    var image = values
    // Those that come first lose least to rounding at the smallest arguments.
    for exponent in HankelTransform.exponents where best.ends > Self.negligibleEnds {
      let ends = HankelTransform(exponent: exponent).transform(values, factor: 1, into: &image).ends
      if ends < best.ends { best = (exponent, ends) }
    }
    exponent = best.exponent
    try check(typical)
  }

  /// Returns a recorded function at a shape.
  private static func values(_ function: CompiledFunction, _ shape: [Double]) -> [Double] {
    shape.withUnsafeBufferPointer { function.makeEvaluator().value(at: $0) }
  }

  /// Checks the functions at the typical shape.
  private func check(_ typical: [Double]) throws(RenderingError) {
    let form = TabulatedForm(self)
    let isProfile = (typical + [0]).withUnsafeBufferPointer { shape in
      shape.baseAddress.map { form.update($0) } ?? false
    }
    if let problem = form.problem ?? (isProfile ? form.mismatch() : nil) {
      throw RenderingError(
        .invalidProfile, expected: problem.expected + " of \(name)", found: problem.found,
        advice: problem.advice)
    }
  }

  /// Returns a component of this profile.
  ///
  /// - Parameters:
  ///   - xc: The centre's column, first pixel 0.
  ///   - yc: The centre's row, first pixel 0.
  ///   - flux: The flux to infinity, in image units.
  ///   - rEff: The radius on the major axis, in pixels, > 0.
  ///   - ellip: The ellipticity 1 − b/a, < 1.
  ///   - theta: The angle of the major axis from +y towards −x, in radians.
  ///   - shape: The parameters of the shape, in order, scalars.
  /// - Returns: The component.
  /// - Precondition: There are as many parameters of the shape as the profile has.
  public func callAsFunction(
    xc: some TensorConvertible, yc: some TensorConvertible, flux: some TensorConvertible,
    rEff: some TensorConvertible, ellip: some TensorConvertible, theta: some TensorConvertible,
    shape: [any TensorConvertible] = []
  ) -> LightProfile {
    demand(
      shape.count == shapeNames.count,
      "\(name): expected the parameters \(shapeNames) of the shape, got \(shape.count)")
    let place = [xc.tensor, yc.tensor, flux.tensor, rEff.tensor]
    return LightProfile([
      .init(.radial(self), place + shape.map(\.tensor) + [ellip.tensor, theta.tensor])
    ])
  }

  public var description: String { "RadialProfile(\(name), shape: \(shapeNames))" }

  public static func == (a: RadialProfile, b: RadialProfile) -> Bool { a === b }

  public func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}
