// SPDX-License-Identifier: MIT
//
// The state of chains that use gradients: what Hamiltonian kernels carry, and what adaptations learn from.

/// The state of a chain that knows the gradient at its point.
public protocol GradientState: ChainState {
  /// The gradient of the log density.
  var gradient: [Double] { get }
}

/// What a Hamiltonian chain carries from one draw to the next.
public struct HamiltonianState: GradientState {
  public var position: [Double]
  public var gradient: [Double]
  public var logDensity: Double

  /// Creates the state of a chain at a point.
  public init(position: [Double], gradient: [Double], logDensity: Double) {
    self.position = position
    self.gradient = gradient
    self.logDensity = logDensity
  }

  /// Evaluates a log density at a point.
  public init(at q: [Double], _ target: some LogDensity) {
    var gradient = q
    logDensity = target.valueAndGradient(at: q, into: &gradient)
    position = q
    self.gradient = gradient
  }
}
