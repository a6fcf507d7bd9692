// SPDX-License-Identifier: MIT
//
// A function of tensors, recorded once and replayed: its description, and the evaluators that run it.

/// A function from tensors to tensors, recorded at a first point and ready to be replayed at others.
///
/// The recording holds only what depends on the inputs; all else is folded into constants. If the function reads a number
/// out of a traced tensor it is *dynamic*: it is then recorded anew at each evaluation.
public struct CompiledFunction: Sendable {
  /// The function itself.
  public typealias Body = @Sendable ([Tensor]) -> [Tensor]

  /// The shapes of the inputs.
  public let inputShapes: [Shape]

  /// The shapes of the outputs.
  public let outputShapes: [Shape]

  /// Whether the function is recorded anew at each evaluation.
  public let isDynamic: Bool

  /// Whether random draws inside are made anew by ``FunctionEvaluator/redraw(key:isMirrored:)``; else they are constants.
  public let resamples: Bool

  /// The function.
  let body: Body

  /// The frozen tape; unused if the function is dynamic.
  let program: Program

  /// Where the outputs lie in the slab, or what they are if they do not depend on the inputs.
  let outputs: [Output]

  /// An output: a place on the tape, or a constant.
  enum Output: Sendable {
    case place(Int32, count: Int)
    case constant([Double])
  }

  /// Records a function at given inputs.
  ///
  /// - Parameters:
  ///   - inputs: The point at which it is recorded; its shapes are those of all later inputs.
  ///   - resamples: Whether each evaluator draws the random numbers inside anew when it is told to; else those of the
  ///     recording are kept as constants. They are recorded as inputs by which nothing is differentiated.
  ///   - body: The function, one tensor for each input.
  public init(at inputs: [Tensor], resamples: Bool = false, _ body: @escaping Body) {
    let recorder = Recorder()
    let shapes = inputs.map(\.shape)
    let flat = inputs.flatMap(\.elements)
    let results = flat.withUnsafeBufferPointer { flat in
      recorder.record(flat, redraw: resamples ? Redraw() : nil) { place in
        let results = body(recorder.split(place, shapes))
        recorder.demandOwn(results)
        return results
      }
    }
    self.init(shapes, results, recorder, body)
  }

  /// Creates the frozen form of a recording.
  private init(
    _ shapes: [Shape], _ results: [Tensor], _ recorder: Recorder, _ body: @escaping Body
  ) {
    inputShapes = shapes
    outputShapes = results.map(\.shape)
    isDynamic = recorder.isDynamic
    resamples = recorder.redraw != nil
    self.body = body
    outputs = results.map { CompiledFunction.output($0) }
    program = Program(
      recorder, inputCount: shapes.reduce(0) { $0 + $1.elementCount },
      outputs: outputs.compactMap {
        if case .place(let offset, let count) = $0 { (offset, count) } else { nil }
      })
  }

  /// Returns where an output lies.
  static func output(_ tensor: Tensor) -> Output {
    if case .traced(let place) = tensor.storage {
      return .place(place.offset, count: tensor.count)
    }
    return .constant(tensor.elements)
  }

  /// The number of elements of all inputs together.
  public var inputCount: Int { inputShapes.reduce(0) { $0 + $1.elementCount } }

  /// The number of instructions in the frozen tape.
  public var instructionCount: Int { program.instructions.count }

  /// Returns an evaluator with its own memory; one to each thread.
  public func makeEvaluator() -> FunctionEvaluator { FunctionEvaluator(self) }
}

extension Recorder {
  /// Returns the inputs of a recording as tensors.
  func split(_ place: TapePlace, _ shapes: [Shape]) -> [Tensor] {
    var offset = place.offset
    return shapes.map { shape in
      defer { offset += Int32(shape.elementCount) }
      return tensor(offset, shape: shape)
    }
  }
}
