// SPDX-License-Identifier: MIT
//
// The one array type: a value in plain arithmetic, a handle to a tape while a program is recorded.

import Numerics

/// A multi-dimensional array of Doubles with NumPy's broadcasting.
///
/// In plain code a tensor holds its elements. While a program is traced (see ``CompiledFunction``) the inputs are *traced*
/// tensors: they hold a place on the tape, and each operation on them is recorded. Reading a number out of a traced
/// tensor (``item()``, ``elements``, ``isTrue``) is allowed, and makes the program *dynamic*: it is then recorded anew at
/// each evaluation, so control flow on values is always right, only slower.
public struct Tensor: Sendable {
  /// What a tensor holds.
  enum Storage: Sendable {
    /// One element.
    case scalar(Double)
    /// Elements, row-major.
    case elements([Double])
    /// A place on the tape that is being recorded.
    case traced(TapePlace)
  }

  /// The extents, outermost axis first; `[]` for a scalar.
  public let shape: Shape

  /// The elements, or where they are.
  let storage: Storage

  /// Creates a tensor from its parts.
  init(shape: Shape, storage: Storage) {
    self.shape = shape
    self.storage = storage
  }

  /// Creates a scalar.
  public init(_ value: Double) { self.init(shape: [], storage: .scalar(value)) }

  /// Creates a vector.
  public init(_ values: [Double]) {
    self.init(shape: [values.count], storage: .elements(values))
  }

  /// Creates an array of a given shape from its elements, row-major.
  ///
  /// - Precondition: `values.count` is the product of the extents.
  public init(_ values: [Double], shape: Shape) {
    demand(
      values.count == shape.elementCount,
      "Tensor: expected \(shape.elementCount) elements for shape \(shape), got \(values.count)")
    self.init(
      shape: shape, storage: shape.isEmpty ? .scalar(values[0]) : .elements(values))
  }

  /// Creates an array with all elements alike.
  public init(repeating value: Double, shape: Shape) {
    self.init([Double](repeating: value, count: shape.elementCount), shape: shape)
  }

  /// Returns an array of zeros.
  public static func zeros(_ shape: Shape) -> Tensor { Tensor(repeating: 0, shape: shape) }

  /// Returns an array of ones.
  public static func ones(_ shape: Shape) -> Tensor { Tensor(repeating: 1, shape: shape) }

  /// Returns the vector 0, 1, …, count − 1.
  public static func arange(_ count: Int) -> Tensor { Tensor((0..<count).map(Double.init)) }

  /// Returns the identity matrix, shape `[n, n]`.
  public static func identity(_ n: Int) -> Tensor {
    var values = [Double](repeating: 0, count: n * n)
    for k in 0..<n { values[k * n + k] = 1 }
    return Tensor(values, shape: [n, n])
  }

  /// The number of axes.
  public var rank: Int { shape.count }

  /// The number of elements.
  public var count: Int { shape.elementCount }

  /// Whether the tensor is a place on a tape, not a value.
  public var isTraced: Bool {
    if case .traced = storage { true } else { false }
  }

  // MARK: - Reading values

  /// The elements, row-major.
  ///
  /// Reading a traced tensor makes the program dynamic.
  public var elements: [Double] {
    switch storage {
    case .scalar(let value): [value]
    case .elements(let values): values
    case .traced(let place): Recorder.owner(of: place).read(place, count: count)
    }
  }

  /// Returns the only element.
  ///
  /// Reading a traced tensor makes the program dynamic.
  ///
  /// - Precondition: There is one element.
  public func item() -> Double {
    demand(count == 1, "item: expected one element, got shape \(shape)")
    if case .scalar(let value) = storage { return value }
    return elements[0]
  }

  /// Whether all elements differ from zero.
  ///
  /// Reading a traced tensor makes the program dynamic.
  public var isTrue: Bool { elements.allSatisfy { $0 != 0 } }

  /// The elements where they are known without reading a tape; nil for a traced tensor.
  package var constantElements: [Double]? { isTraced ? nil : elements }

  /// The elements at the point of the recording, read without making the program dynamic: for what may differ at each replay.
  var recordedElements: [Double] {
    guard case .traced(let place) = storage else { return elements }
    return Recorder.owner(of: place).peek(place, count: count)
  }

  /// Returns a tensor of the same values through which no derivative flows.
  public func stoppingGradient() -> Tensor {
    guard isTraced else { return self }
    var i = Instruction(operation: .copy)
    i.n = Int32(count)
    return Application(
      instruction: i, operands: [self], shape: shape, isDifferentiable: false)()
  }
}

extension Tensor: CustomStringConvertible {
  /// The elements in nested brackets; the shape alone for a traced or long tensor.
  public var description: String {
    guard let values = constantElements else { return "Tensor(traced, shape: \(shape))" }
    guard count <= 64 else { return "Tensor(shape: \(shape))" }
    func text(_ axis: Int, _ start: Int) -> String {
      if axis == shape.count { return "\(values[start])" }
      let step = shape[(axis + 1)...].reduce(1, *)
      let parts = (0..<shape[axis]).map { text(axis + 1, start + $0 * step) }
      return "[" + parts.joined(separator: ", ") + "]"
    }
    return text(0, 0)
  }
}

// MARK: - Conversion

/// A type that can stand where a tensor is expected.
public protocol TensorConvertible: Sendable {
  /// The value as a tensor.
  var tensor: Tensor { get }
}

extension Tensor: TensorConvertible {
  public var tensor: Tensor { self }
}

extension Double: TensorConvertible {
  public var tensor: Tensor { Tensor(self) }
}

extension Int: TensorConvertible {
  public var tensor: Tensor { Tensor(Double(self)) }
}

extension Float: TensorConvertible {
  public var tensor: Tensor { Tensor(Double(self)) }
}

extension Bool: TensorConvertible {
  public var tensor: Tensor { Tensor(self ? 1 : 0) }
}

extension Array: TensorConvertible where Element: TensorConvertible {
  /// A vector of scalars, or arrays of one shape stacked along a new first axis.
  public var tensor: Tensor {
    if let values = self as? [Double] { return Tensor(values) }
    return Tensor.stack(map(\.tensor))
  }
}
