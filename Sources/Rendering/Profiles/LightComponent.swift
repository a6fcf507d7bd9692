// SPDX-License-Identifier: MIT
//
// The sum of light components, as model authors write it: bulge + disk + nucleus.

import Numerics
public import Tensors

/// Something that shines: a single profile, or a sum of several.
public protocol LightComponent: Sendable {
  /// The components, each with the tensors of its parameters.
  var lightProfile: LightProfile { get }
}

/// Returns the sum of two lights, their components in order.
public func + (a: some LightComponent, b: some LightComponent) -> LightProfile {
  LightProfile(a.lightProfile.components + b.lightProfile.components)
}

/// A sum of light components whose parameters are tensors.
public struct LightProfile: LightComponent {
  /// One component: its kind and its parameters.
  public struct Component: Sendable {
    /// The radial form.
    public let kind: ProfileKind

    /// The parameters in the order of the kind, each a scalar.
    public let parameters: [Tensor]

    /// Creates a component from scalars in the order of the kind's parameters.
    ///
    /// - Precondition: There are as many as the kind takes, each with one element.
    public init(_ kind: ProfileKind, _ parameters: [Tensor]) {
      demand(
        parameters.count == kind.parameterCount,
        "\(kind.name): expected \(kind.parameterCount) parameters, got \(parameters.count)")
      demand(
        parameters.allSatisfy { $0.count == 1 },
        "\(kind.name): expected scalar parameters, got shapes \(parameters.map(\.shape))")
      self.kind = kind
      self.parameters = parameters
    }
  }

  /// The components, in order.
  public let components: [Component]

  /// Creates a sum of components.
  public init(_ components: [Component]) { self.components = components }

  public var lightProfile: LightProfile { self }

  /// The static structure, without a sky.
  public var layout: SceneLayout { SceneLayout(components.map(\.kind)) }

  /// The parameters of all components one after the other, shape `[layout.parameterCount]`.
  ///
  /// A sky's parameters are to be joined at the end.
  public var parameterVector: Tensor {
    let parameters = components.flatMap(\.parameters)
    guard !parameters.isEmpty else { return Tensor([Double]()) }
    return Tensor.concatenate(parameters.map { $0.reshaped([1]) })
  }

  /// Returns the light moved by a number of pixels: what a stamp shows whose first pixel is (−x, −y).
  public func translated(x: Double, y: Double) -> LightProfile {
    LightProfile(
      components.map { component in
        var p = component.parameters
        p[0] = p[0] + x
        p[1] = p[1] + y
        return Component(component.kind, p)
      })
  }
}
