// SPDX-License-Identifier: MIT
//
// Random numbers as tensors: constants in plain arithmetic, new ones at each evaluation of a function that resamples.

public import Numerics

/// Distributions draw through these functions, so that their draws can be followed by gradients and made anew while a
/// tape is replayed; see ``CompiledFunction/init(at:resamples:_:)``.
extension Tensor {
  /// Returns standard normal draws; element i depends on the key and i alone.
  public static func standardNormal(key: RandomKey, shape: Shape) -> Tensor {
    Recorder.current?.noise(.normal, key, shape)
      ?? Tensor(key.normals(shape.elementCount), shape: shape)
  }

  /// Returns draws uniform in (0, 1); element i depends on the key and i alone.
  public static func standardUniform(key: RandomKey, shape: Shape) -> Tensor {
    Recorder.current?.noise(.uniform, key, shape)
      ?? Tensor(key.uniforms(shape.elementCount), shape: shape)
  }

  /// Returns distinct whole numbers below `size` in random order, shape `[count]`.
  public static func subset(_ count: Int, of size: Int, key: RandomKey) -> Tensor {
    demand(
      count >= 0 && count <= size, "subset: expected at most \(size) numbers, got \(count)")
    return Recorder.current?.noise(.subset(of: size), key, [count])
      ?? Tensor(key.subset(count, of: size))
  }

  /// Returns a key as four numbers, the input of a primitive that draws; ``Numerics/RandomKey/init(quarters:)`` reads it.
  package static func keyWords(_ key: RandomKey) -> Tensor {
    if let slot = Recorder.current?.noise(.key, key, [4]) { return slot }
    let words = [Double](unsafeUninitializedCapacity: 4) { buffer, filled in
      if let start = buffer.baseAddress { key.store(into: start) }
      filled = 4
    }
    return Tensor(words)
  }

  /// Whether random draws are being recorded as places that each evaluation fills anew.
  package static var isResampling: Bool { Recorder.current?.redraw != nil }
}

extension RandomKey {
  /// The key for draws that are made as plain numbers.
  ///
  /// It is the key itself, but while a function that resamples is recorded that of the present evaluation; the function
  /// then becomes dynamic, so that the numbers are drawn anew each time.
  public var ofThisEvaluation: RandomKey { Recorder.current?.plainKey(self) ?? self }
}
