// SPDX-License-Identifier: MIT
//
// The open door of the tape: an operation of one's own, with its derivatives.

/// The extents of an array, outermost axis first; `[]` is a scalar.
public typealias Shape = [Int]

/// The description of an operation that the tape does not have built in.
///
/// A description is shared by all programs that use it; the working memory lives in the instances it makes, one for
/// each evaluator. Descriptions are compared by identity.
public protocol Primitive: AnyObject, Sendable {
  /// A short name, used in messages.
  var name: String { get }

  /// Returns the shape of the output for inputs of the given shapes; traps where they do not fit.
  func outputShape(_ inputShapes: [Shape]) -> Shape

  /// Returns a new instance with its own working memory.
  func makeInstance(inputShapes: [Shape]) -> any PrimitiveInstance
}

/// The working part of a primitive: one to each evaluator, never shared between threads.
///
/// `pullback`, `tangent` and `jacobian` are called at the inputs of the latest `forward`, so an instance may keep what
/// `forward` computed. Buffers are valid during the call only.
public protocol PrimitiveInstance: AnyObject {
  /// Computes the output.
  func forward(_ inputs: PrimitiveInputs, into output: UnsafeMutableBufferPointer<Double>)

  /// Adds the product of the output's adjoint with the derivative of the output to the adjoints of the active inputs.
  func pullback(
    _ inputs: PrimitiveInputs, output: UnsafeBufferPointer<Double>,
    adjoint: UnsafeBufferPointer<Double>, into inputAdjoints: PrimitiveAdjoints)

  /// Sets the derivative of the output along a tangent of the inputs; false where the primitive has no such rule.
  func tangent(
    _ inputs: PrimitiveInputs, tangents: PrimitiveInputs, output: UnsafeBufferPointer<Double>,
    into outputTangent: UnsafeMutableBufferPointer<Double>
  ) -> Bool

  /// Sets the adjoint's own change along a tangent (the second-order term of `pullback`); false where there is no such rule.
  ///
  /// Adds d/dε of `pullback` with a fixed output adjoint, at inputs + ε · tangents, to `inputAdjoints`.
  func pullbackTangent(
    _ inputs: PrimitiveInputs, tangents: PrimitiveInputs, output: UnsafeBufferPointer<Double>,
    adjoint: UnsafeBufferPointer<Double>, into inputAdjoints: PrimitiveAdjoints
  ) -> Bool

  /// Sets a positive semi-definite stand-in for `pullbackTangent`, for Gauss–Newton steps; false: the term is left out.
  ///
  /// A likelihood gives its curvature weights here (Gaussian: exact; Student-t: reweighted, never negative).
  func gaussNewtonTangent(
    _ inputs: PrimitiveInputs, tangents: PrimitiveInputs, output: UnsafeBufferPointer<Double>,
    adjoint: UnsafeBufferPointer<Double>, into inputAdjoints: PrimitiveAdjoints
  ) -> Bool

  /// Sets the derivative of the output with respect to one input, row by row `[input element][output element]`; false: no such rule.
  func jacobian(
    _ inputs: PrimitiveInputs, input: Int, output: UnsafeBufferPointer<Double>,
    into jacobian: UnsafeMutableBufferPointer<Double>
  ) -> Bool
}

extension PrimitiveInstance {
  public func tangent(
    _ inputs: PrimitiveInputs, tangents: PrimitiveInputs, output: UnsafeBufferPointer<Double>,
    into outputTangent: UnsafeMutableBufferPointer<Double>
  ) -> Bool { false }

  public func pullbackTangent(
    _ inputs: PrimitiveInputs, tangents: PrimitiveInputs, output: UnsafeBufferPointer<Double>,
    adjoint: UnsafeBufferPointer<Double>, into inputAdjoints: PrimitiveAdjoints
  ) -> Bool { false }

  public func gaussNewtonTangent(
    _ inputs: PrimitiveInputs, tangents: PrimitiveInputs, output: UnsafeBufferPointer<Double>,
    adjoint: UnsafeBufferPointer<Double>, into inputAdjoints: PrimitiveAdjoints
  ) -> Bool { false }

  public func jacobian(
    _ inputs: PrimitiveInputs, input: Int, output: UnsafeBufferPointer<Double>,
    into jacobian: UnsafeMutableBufferPointer<Double>
  ) -> Bool { false }
}

/// Read-only views of a primitive's inputs, row-major.
public struct PrimitiveInputs {
  /// The first elements of the inputs.
  package let pointers: UnsafeBufferPointer<UnsafePointer<Double>>

  /// The numbers of elements of the inputs.
  package let counts: UnsafeBufferPointer<Int>

  /// Creates the views from addresses and element counts.
  package init(
    pointers: UnsafeBufferPointer<UnsafePointer<Double>>, counts: UnsafeBufferPointer<Int>
  ) {
    self.pointers = pointers
    self.counts = counts
  }

  /// The number of inputs.
  public var count: Int { pointers.count }

  /// The elements of one input.
  public subscript(index: Int) -> UnsafeBufferPointer<Double> {
    UnsafeBufferPointer(start: pointers[index], count: counts[index])
  }
}

/// The adjoints of a primitive's inputs, to be added to; nil where the input is a constant.
public struct PrimitiveAdjoints {
  /// The first elements of the adjoints; nil for constants.
  package let pointers: UnsafeBufferPointer<UnsafeMutablePointer<Double>?>

  /// The numbers of elements of the inputs.
  package let counts: UnsafeBufferPointer<Int>

  /// Creates the views from addresses and element counts.
  package init(
    pointers: UnsafeBufferPointer<UnsafeMutablePointer<Double>?>, counts: UnsafeBufferPointer<Int>
  ) {
    self.pointers = pointers
    self.counts = counts
  }

  /// The adjoint of one input, or nil where the input is a constant.
  public subscript(index: Int) -> UnsafeMutableBufferPointer<Double>? {
    pointers[index].map { UnsafeMutableBufferPointer(start: $0, count: counts[index]) }
  }
}
