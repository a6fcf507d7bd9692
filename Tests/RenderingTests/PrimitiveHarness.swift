// SPDX-License-Identifier: MIT
//
// A primitive of one input without a tape: its rules called one by one.

import Tensors

/// A primitive's instance with its buffers, for tests without a tape.
final class PrimitiveHarness {
  /// The instance.
  private let instance: any PrimitiveInstance

  /// The numbers of elements of input and output.
  private let count: (input: Int, output: Int)

  /// Creates an instance for one input.
  init(_ primitive: any Primitive, inputShape: Shape) {
    instance = primitive.makeInstance(inputShapes: [inputShape])
    count = (
      inputShape.reduce(1, *), primitive.outputShape([inputShape]).reduce(1, *)
    )
  }

  /// Calls `body` with views of an input.
  private func with<Result>(_ input: [Double], _ body: (PrimitiveInputs) -> Result) -> Result {
    input.withUnsafeBufferPointer { buffer in
      guard let start = buffer.baseAddress else { preconditionFailure("empty input") }
      return withUnsafePointer(to: start) { pointer in
        withUnsafePointer(to: buffer.count) { count in
          body(
            PrimitiveInputs(
              pointers: UnsafeBufferPointer(start: pointer, count: 1),
              counts: UnsafeBufferPointer(start: count, count: 1)))
        }
      }
    }
  }

  /// Calls `body` with a zeroed adjoint of the input and returns what it became.
  private func adjoint(_ body: (PrimitiveAdjoints) -> Void) -> [Double] {
    var values = [Double](repeating: 0, count: count.input)
    values.withUnsafeMutableBufferPointer { buffer in
      withUnsafePointer(to: buffer.baseAddress) { pointer in
        withUnsafePointer(to: buffer.count) { count in
          body(
            PrimitiveAdjoints(
              pointers: UnsafeBufferPointer(start: pointer, count: 1),
              counts: UnsafeBufferPointer(start: count, count: 1)))
        }
      }
    }
    return values
  }

  /// Returns the output.
  func value(_ input: [Double]) -> [Double] {
    var output = [Double](repeating: .nan, count: count.output)
    output.withUnsafeMutableBufferPointer { out in with(input) { instance.forward($0, into: out) } }
    return output
  }

  /// Returns the product of an output adjoint with the derivative.
  func gradient(_ input: [Double], seed: [Double]) -> [Double] {
    let output = value(input)
    return output.withUnsafeBufferPointer { out in
      seed.withUnsafeBufferPointer { seed in
        adjoint { result in
          with(input) { instance.pullback($0, output: out, adjoint: seed, into: result) }
        }
      }
    }
  }

  /// Returns the derivative along a direction, or nil where there is no rule.
  func tangent(_ input: [Double], _ direction: [Double]) -> [Double]? {
    let output = value(input)
    var result = [Double](repeating: .nan, count: count.output)
    let isThere = result.withUnsafeMutableBufferPointer { result in
      output.withUnsafeBufferPointer { out in
        with(input) { inputs in
          with(direction) { instance.tangent(inputs, tangents: $0, output: out, into: result) }
        }
      }
    }
    return isThere ? result : nil
  }

  /// Returns the second-order term along a direction, exact or its stand-in, or nil where there is no rule.
  func curvature(
    _ input: [Double], _ direction: [Double], seed: [Double], standIn: Bool
  ) -> [Double]? {
    let output = value(input)
    var isThere = false
    let result = output.withUnsafeBufferPointer { out in
      seed.withUnsafeBufferPointer { seed in
        adjoint { result in
          isThere = with(input) { inputs in
            with(direction) { tangents in
              standIn
                ? instance.gaussNewtonTangent(
                  inputs, tangents: tangents, output: out, adjoint: seed, into: result)
                : instance.pullbackTangent(
                  inputs, tangents: tangents, output: out, adjoint: seed, into: result)
            }
          }
        }
      }
    }
    return isThere ? result : nil
  }

  /// Returns the Jacobian, `[input][output]`, or nil where there is no rule.
  func jacobian(_ input: [Double]) -> [Double]? {
    let output = value(input)
    var result = [Double](repeating: .nan, count: count.input * count.output)
    let isThere = result.withUnsafeMutableBufferPointer { result in
      output.withUnsafeBufferPointer { out in
        with(input) { instance.jacobian($0, input: 0, output: out, into: result) }
      }
    }
    return isThere ? result : nil
  }
}
