// SPDX-License-Identifier: MIT
//
// Rendering as an operation of the tape: from a scene's parameter vector to its image.

import Numerics
public import Tensors

/// The operation that renders a scene: input 0 is the parameter vector [P], the output the image [ny, nx].
///
/// It has pullback, tangent and Jacobian, and no second order.
public final class RenderPrimitive: Primitive {
  /// The number of columns of the image.
  public let width: Int

  /// The number of rows of the image.
  public let height: Int

  /// The structure of the scene.
  public let layout: SceneLayout

  /// Makes a renderer with its own memory.
  private let makeRenderer: @Sendable () -> any SceneRenderer

  /// Creates the operation.
  ///
  /// - Parameters:
  ///   - width: Columns of the renderers' images.
  ///   - height: Rows of the renderers' images.
  ///   - layout: The renderers' scene.
  ///   - makeRenderer: Makes a renderer with its own memory; called once for each evaluator.
  public init(
    width: Int, height: Int, layout: SceneLayout,
    makeRenderer: @escaping @Sendable () -> any SceneRenderer
  ) {
    self.width = width
    self.height = height
    self.layout = layout
    self.makeRenderer = makeRenderer
  }

  /// Creates the operation for the pixel-integrated renderers of a plan.
  package convenience init(_ plan: PixelRendererPlan) {
    self.init(width: plan.width, height: plan.height, layout: plan.layout) { PixelRenderer(plan) }
  }

  public var name: String { "render" }

  public func outputShape(_ inputShapes: [Shape]) -> Shape {
    demand(
      inputShapes == [[layout.parameterCount]],
      "render: expected one parameter vector of shape [\(layout.parameterCount)], got \(inputShapes)"
    )
    return [height, width]
  }

  public func makeInstance(inputShapes: [Shape]) -> any PrimitiveInstance {
    let renderer = makeRenderer()
    demand(
      renderer.layout == layout,
      "render: expected a renderer of \(layout), got one of \(renderer.layout)")
    return RenderInstance(renderer)
  }
}

/// The working part of `RenderPrimitive`: one renderer.
final class RenderInstance: PrimitiveInstance {
  /// The renderer.
  private let renderer: any SceneRenderer

  /// Creates an instance around a renderer.
  init(_ renderer: any SceneRenderer) { self.renderer = renderer }

  func forward(_ inputs: PrimitiveInputs, into output: UnsafeMutableBufferPointer<Double>) {
    renderer.render(inputs[0], into: output)
  }

  func pullback(
    _ inputs: PrimitiveInputs, output: UnsafeBufferPointer<Double>,
    adjoint: UnsafeBufferPointer<Double>, into inputAdjoints: PrimitiveAdjoints
  ) {
    guard let out = inputAdjoints[0] else { return }
    renderer.pullback(inputs[0], imageAdjoint: adjoint, into: out)
  }

  func tangent(
    _ inputs: PrimitiveInputs, tangents: PrimitiveInputs, output: UnsafeBufferPointer<Double>,
    into outputTangent: UnsafeMutableBufferPointer<Double>
  ) -> Bool {
    renderer.tangent(inputs[0], direction: tangents[0], into: outputTangent)
    return true
  }

  func jacobian(
    _ inputs: PrimitiveInputs, input: Int, output: UnsafeBufferPointer<Double>,
    into jacobian: UnsafeMutableBufferPointer<Double>
  ) -> Bool {
    renderer.jacobian(inputs[0], into: jacobian)
    return true
  }
}
