// SPDX-License-Identifier: MIT
//
// A recorded tape, frozen: live instructions, constants, and the sizes of the slabs they run on.

/// The frozen form of a recording whose control flow does not depend on values.
struct Program: Sendable {
  /// The instructions that the outputs depend on, in order.
  let instructions: [Instruction]

  /// The integers of the instructions.
  let integers: [Int32]

  /// The calls of primitives; entries of dead instructions are nil.
  let calls: [PrimitiveCall?]

  /// The places of the constants in the slab.
  let constants: [Range<Int>]

  /// The values of the constants, one region after the other.
  let constantValues: [Double]

  /// The places of random numbers.
  let noise: [NoiseSlot]

  /// The number of elements of the value slab.
  let size: Int

  /// Freezes a recording, leaving out what no output depends on.
  init(_ recorder: Recorder, outputs: [(offset: Int32, count: Int)]) {
    let all = recorder.instructions
    // An element is needed if an output or a live instruction reads it; results lie behind their operands, so one
    // pass from the back settles it.
    var needed = [Bool](repeating: false, count: recorder.size)
    for output in outputs { Program.mark(&needed, Int(output.offset), output.count) }
    var live = [Bool](repeating: false, count: all.count)
    for index in all.indices.reversed() {
      let i = all[index]
      let result = i.resultCount(recorder.calls)
      guard (Int(i.out)..<Int(i.out) + result).contains(where: { needed[$0] }) else { continue }
      live[index] = true
      for (offset, count) in i.reads(recorder.calls) { Program.mark(&needed, offset, count) }
    }
    instructions = all.indices.filter { live[$0] }.map { all[$0] }
    integers = Array(recorder.integers)
    let used = Set(
      instructions.filter { $0.operation == .primitive }.map { Int($0.integers) })
    calls = recorder.calls.indices.map { used.contains($0) ? recorder.calls[$0] : nil }
    constants = recorder.constants.filter { range in range.contains { needed[$0] } }
    constantValues = constants.flatMap { range in range.map { recorder.values[$0] } }
    noise = recorder.noise.filter { slot in slot.range.contains { needed[$0] } }
    size = recorder.size
  }

  /// Marks a range of elements as needed.
  private static func mark(_ needed: inout [Bool], _ start: Int, _ count: Int) {
    for k in start..<(start + count) { needed[k] = true }
  }
}

extension Instruction {
  /// Returns the number of elements of the result.
  func resultCount(_ calls: ContiguousArray<PrimitiveCall>) -> Int {
    let (n, outer, inner) = (Int(n), Int(outer), Int(inner))
    return switch operation {
    case .sum, .product, .maximumOf, .minimumOf, .logSumExp: outer * inner
    case .cumulativeSum: outer * n * inner
    case .gatherRows: n * inner
    case .triangularSolve: outer * n * inner
    case .matmul: Int(d) * outer * inner
    case .cholesky: outer * n * n
    case .logDensity: variant & 1 != 0 ? 1 : n
    case .normalFixedScale: 1
    case .primitive: calls[Int(integers)].count
    default: n
    }
  }

  /// Returns the ranges of the slab that the instruction reads.
  func reads(_ calls: ContiguousArray<PrimitiveCall>) -> [(Int, Int)] {
    let (n, outer, inner) = (Int(n), Int(outer), Int(inner))
    func operand(_ k: Int, _ place: Int32) -> (Int, Int) { (Int(place), stride(k) == 1 ? n : 1) }
    switch operation {
    case .add, .subtract, .multiply, .divide, .power, .maximum, .minimum, .atan2, .logAddExp,
      .less, .lessOrEqual, .equal:
      return [operand(0, a), operand(1, b)]
    case .select, .normalFixedScale: return [operand(0, a), operand(1, b), operand(2, c)]
    case .logDensity:
      let places = [operand(0, a), operand(1, b), operand(2, c), operand(3, d)]
      let count = DensityKind(rawValue: variant >> 1)?.parameterCount ?? 0
      return Array(places.prefix(1 + count))
    case .sum, .product, .maximumOf, .minimumOf, .logSumExp, .cumulativeSum:
      return [(Int(a), outer * n * inner)]
    case .gather: return [(Int(a), outer)]
    case .gatherRows: return [(Int(a), outer * inner), (Int(b), n)]
    case .matmul:
      return [
        (Int(a), (stride(0) == 1 ? Int(d) : 1) * outer * n),
        (Int(b), (stride(1) == 1 ? Int(d) : 1) * n * inner),
      ]
    case .triangularSolve:
      return [(Int(a), (stride(0) == 1 ? outer : 1) * n * n), (Int(b), outer * n * inner)]
    case .cholesky: return [(Int(a), outer * n * n)]
    case .primitive:
      let call = calls[Int(integers)]
      return zip(call.offsets, call.shapes).map { ($0, $1.elementCount) }
    default: return [(Int(a), n)]
    }
  }
}
