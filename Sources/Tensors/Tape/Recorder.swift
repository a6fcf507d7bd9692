// SPDX-License-Identifier: MIT
//
// The recording tape: each operation on a traced tensor appends an instruction and computes its result.

import Numerics
import Synchronization

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A place on a tape: which recording, where in the value slab.
struct TapePlace: Sendable, Hashable {
  /// The identity of the recording; no two recordings of a process share one.
  let tape: UInt64

  /// The first element in the value slab.
  let offset: Int32
}

/// The numbers given to recordings.
private let nextTape = Atomic<UInt64>(1)

/// A tape in the making.
///
/// Proof for `@unchecked Sendable`: the handle travels in a task-local value, which must be Sendable, but every use first checks that
/// the calling thread is the one that opened the recording, and traps otherwise; so no two threads touch the storage.
final class Recorder: @unchecked Sendable {
  /// The recording that operations on traced tensors of this task go to.
  @TaskLocal static var current: Recorder?

  private(set) var tape: UInt64 = 0
  private var thread: pthread_t = pthread_self()
  private(set) var instructions: ContiguousArray<Instruction> = []
  private(set) var integers: ContiguousArray<Int32> = []
  private(set) var calls: ContiguousArray<PrimitiveCall> = []
  private(set) var slots: ContiguousArray<PrimitiveSlot> = []
  private var slotPool: ContiguousArray<PrimitiveSlot> = []
  /// Regions of the slab that hold constants.
  private(set) var constants: ContiguousArray<Range<Int>> = []
  private var scalarConstants: [UInt64: Int32] = [:]
  private(set) var values: UnsafeMutablePointer<Double>
  private var capacity: Int
  private(set) var size = 0
  private(set) var isDynamic = false
  /// Regions of the slab that hold random numbers.
  private(set) var noise: ContiguousArray<NoiseSlot> = []
  /// The recording in the course of which this one was begun.
  private var enclosing: Recorder?
  /// The random numbers of the present evaluation; nil where draws are kept as constants.
  private(set) var redraw: Redraw?
  /// For each element of the slab, whether no derivative is wanted by it: random numbers, and what follows from such alone.
  private var inactive: ContiguousArray<Bool> = []

  /// Creates an empty tape.
  init() {
    capacity = 256
    values = .allocate(capacity: capacity)
  }

  deinit { values.deallocate() }

  /// Returns the recording that a place belongs to.
  ///
  /// - Precondition: It is the one in progress on this task and thread.
  static func owner(of place: TapePlace) -> Recorder {
    guard let recorder = current else {
      stop(
        "a traced tensor was used outside the program that is being recorded; return it as an output instead"
      )
    }
    demand(recorder.tape == place.tape, recorder.explanation(of: place))
    demand(
      pthread_equal(recorder.thread, pthread_self()) != 0,
      "a traced tensor was used on another thread than the one that records; compute with it on that thread"
    )
    return recorder
  }

  /// Returns what to say of a traced tensor that belongs to another recording.
  private func explanation(of place: TapePlace) -> String {
    var outer = enclosing
    while let recorder = outer {
      if recorder.tape == place.tape {
        return
          "a function that is recorded by itself uses a traced tensor from outside; pass the tensor as one of its parameters"
      }
      outer = recorder.enclosing
    }
    return
      "a traced tensor of another recording was used; do not keep tensors from one evaluation to the next"
  }

  /// Stops the program where a result of this recording is a traced tensor of another one.
  func demandOwn(_ results: [Tensor]) {
    for case .traced(let place) in results.lazy.map(\.storage) {
      demand(place.tape == tape, explanation(of: place))
    }
  }

  /// Records `body` from the start, with `inputs` as the first elements of the slab.
  ///
  /// Random draws are kept as constants, unless `redraw` says which numbers they have in this recording.
  func record<Output>(
    _ inputs: UnsafeBufferPointer<Double>, redraw: Redraw? = nil,
    _ body: (TapePlace) throws -> Output
  ) rethrows -> Output {
    tape = nextTape.wrappingAdd(1, ordering: .relaxed).oldValue
    thread = pthread_self()
    instructions.removeAll(keepingCapacity: true)
    integers.removeAll(keepingCapacity: true)
    calls.removeAll(keepingCapacity: true)
    swap(&slots, &slotPool)
    slots.removeAll(keepingCapacity: true)
    constants.removeAll(keepingCapacity: true)
    scalarConstants.removeAll(keepingCapacity: true)
    size = 0
    isDynamic = false
    noise.removeAll(keepingCapacity: true)
    inactive.removeAll(keepingCapacity: true)
    self.redraw = redraw
    enclosing = Recorder.current
    defer { enclosing = nil }
    let start = allocate(inputs.count)
    for k in inputs.indices { values[Int(start) + k] = inputs[k] }
    return try Recorder.$current.withValue(self) {
      try body(TapePlace(tape: tape, offset: start))
    }
  }

  /// Returns the start of a new region of the slab.
  func allocate(_ count: Int) -> Int32 {
    let start = size
    size += count
    inactive.append(contentsOf: repeatElement(false, count: count))
    if size > capacity {
      let larger = max(size, capacity * 2)
      let moved = UnsafeMutablePointer<Double>.allocate(capacity: larger)
      moved.update(from: values, count: start)
      values.deallocate()
      values = moved
      capacity = larger
    }
    return Int32(start)
  }

  /// Returns the place of a constant, a new one unless it is a scalar already there.
  private func place(of constant: Tensor) -> Int32 {
    if case .scalar(let value) = constant.storage {
      if let known = scalarConstants[value.bitPattern] { return known }
      let start = allocate(1)
      values[Int(start)] = value
      constants.append(Int(start)..<Int(start) + 1)
      scalarConstants[value.bitPattern] = start
      return start
    }
    let elements = constant.elements
    let start = allocate(elements.count)
    for (k, value) in elements.enumerated() { values[Int(start) + k] = value }
    constants.append(Int(start)..<Int(start) + elements.count)
    return start
  }

  /// Returns where a tensor lies, and whether it is active.
  func operand(_ tensor: Tensor) -> (offset: Int32, active: Bool) {
    if case .traced(let place) = tensor.storage {
      demand(place.tape == tape, explanation(of: place))
      let start = Int(place.offset)
      return (place.offset, inactive[start..<(start + tensor.count)].contains(false))
    }
    return (place(of: tensor), false)
  }

  /// Returns a traced tensor at a place of this tape.
  func tensor(_ offset: Int32, shape: Shape) -> Tensor {
    Tensor(shape: shape, storage: .traced(TapePlace(tape: tape, offset: offset)))
  }

  /// Appends an instruction and computes its result.
  func append(_ instruction: Instruction) {
    instructions.append(instruction)
    slots.withUnsafeBufferPointer { slots in
      integers.withUnsafeBufferPointer { integers in
        withUnsafePointer(to: instruction) {
          Interpreter<Double>.step(
            $0,
            Memory(
              values: values, adjoints: values,
              integers: integers, primitives: slots))
        }
      }
    }
  }

  /// Keeps integers for an instruction and returns where they begin.
  func keep(_ list: [Int32]) -> Int32 {
    let start = Int32(integers.count)
    integers.append(contentsOf: list)
    return start
  }

  /// Keeps a call of a primitive, with the instance of the previous recording where it is the same, and returns its index.
  func keep(_ call: PrimitiveCall) -> Int32 {
    let index = calls.count
    calls.append(call)
    var instance: (any PrimitiveInstance)?
    if index < slotPool.count {
      let old = slotPool[index]
      if old.call.primitive === call.primitive && old.call.shapes == call.shapes {
        instance = old.instance
      }
    }
    slots.append(PrimitiveSlot(call, instance: instance))
    return Int32(index)
  }

  /// Keeps a region of random numbers, by which nothing is differentiated.
  func keep(_ slot: NoiseSlot) {
    noise.append(slot)
    deactivate(Int32(slot.range.lowerBound), count: slot.range.count)
  }

  /// Says that no derivative is wanted by a region.
  func deactivate(_ start: Int32, count: Int) {
    for k in Int(start)..<Int(start) + count { inactive[k] = true }
  }

  /// Returns the present evaluation's key for a draw by plain numbers, and marks the program dynamic; the key itself
  /// where draws are kept as constants.
  func plainKey(_ key: RandomKey) -> RandomKey {
    guard let redraw else { return key }
    isDynamic = true
    return key.folding(key: redraw.key)
  }

  /// Returns elements of the slab as they are in this recording; the program stays what it is.
  func peek(_ place: TapePlace, count: Int) -> [Double] {
    Array(UnsafeBufferPointer(start: values + Int(place.offset), count: count))
  }

  /// Returns elements of the slab, and marks the program dynamic.
  func read(_ place: TapePlace, count: Int) -> [Double] {
    isDynamic = true
    return peek(place, count: count)
  }
}
