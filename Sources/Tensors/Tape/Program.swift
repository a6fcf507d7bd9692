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

  /// The parts of the adjoint slab that a reverse pass adds to.
  let adjoints: [Range<Int>]

  /// The number of elements of the value slab.
  let size: Int

  /// Freezes a recording, leaving out what no output depends on.
  init(_ recorder: Recorder, inputCount: Int, outputs: [(offset: Int32, count: Int)]) {
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
      for (offset, count) in i.reads(recorder.calls, []) { Program.mark(&needed, offset, count) }
    }
    var rewriter = TapeRewriter(
      all.indices.filter { live[$0] }.map { all[$0] }, integers: Array(recorder.integers),
      calls: recorder.calls, outputs: outputs, size: recorder.size)
    rewriter.rewrite()
    var kept = rewriter.instructions.indices.filter { rewriter.isLive[$0] }
      .map { rewriter.instructions[$0] }
    var matrices = ColumnMatrices(start: recorder.size)
    for k in kept.indices { matrices.replace(&kept[k], recorder) }
    let numbers = rewriter.integers
    (instructions, integers) = (kept, numbers)
    let used = Set(
      instructions.filter { $0.operation == .primitive }.map { Int($0.integers) })
    calls = recorder.calls.indices.map { used.contains($0) ? recorder.calls[$0] : nil }
    // Matrices that are only read column by column are not kept row by row as well.
    var isRead = [Bool](repeating: false, count: matrices.end)
    for output in outputs { Program.mark(&isRead, Int(output.offset), output.count) }
    for i in kept {
      for (offset, count) in i.reads(recorder.calls, numbers) {
        Program.mark(&isRead, offset, count)
      }
    }
    let read = recorder.constants.filter { range in range.contains { isRead[$0] } }
    constants = read + matrices.ranges
    constantValues = read.flatMap { range in range.map { recorder.values[$0] } } + matrices.values
    noise = recorder.noise.filter { slot in slot.range.contains { needed[$0] } }
    size = matrices.end
    adjoints = Program.adjoints(kept, recorder.calls, numbers, outputs, inputs: inputCount)
  }

  /// The gap between two parts of the adjoint slab below which clearing both as one is faster.
  private static let smallestGap = 64

  /// Returns the parts of the adjoint slab that a reverse pass reads or adds to: those of active operands and of outputs.
  private static func adjoints(
    _ instructions: [Instruction], _ calls: ContiguousArray<PrimitiveCall>, _ integers: [Int32],
    _ outputs: [(offset: Int32, count: Int)], inputs: Int
  ) -> [Range<Int>] {
    var ranges = [0..<inputs] + outputs.map { Int($0.offset)..<(Int($0.offset) + $0.count) }
    for i in instructions where i.active != 0 {
      ranges.append(Int(i.out)..<(Int(i.out) + i.resultCount(calls)))
      for (k, (start, count)) in i.reads(calls, integers).enumerated() {
        let isActive =
          switch i.operation {
          case .primitive: calls[Int(i.integers)].active[k]
          case .total: true
          default: i.isActive(k)
          }
        if isActive { ranges.append(start..<(start + count)) }
      }
    }
    return ranges.filter { !$0.isEmpty }.sorted { $0.lowerBound < $1.lowerBound }
      .reduce(into: []) { merged, range in
        if let last = merged.last, range.lowerBound <= last.upperBound + smallestGap {
          merged[merged.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
        } else {
          merged.append(range)
        }
      }
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
    case .columnsTimesVector: outer
    case .logDensity: variant & 1 != 0 ? 1 : n
    case .normalFixedScale, .total: 1
    case .primitive: calls[Int(integers)].count
    default: n
    }
  }

  /// Returns the ranges of the slab that the instruction reads, those of its operands in order.
  func reads(_ calls: ContiguousArray<PrimitiveCall>, _ numbers: [Int32]) -> [(Int, Int)] {
    let (n, outer, inner) = (Int(n), Int(outer), Int(inner))
    func operand(_ k: Int, _ place: Int32) -> (Int, Int) { (Int(place), stride(k) == 1 ? n : 1) }
    switch operation {
    case .add, .subtract, .multiply, .divide, .power, .maximum, .minimum, .atan2, .logAddExp,
      .less, .lessOrEqual, .equal:
      return [operand(0, a), operand(1, b)]
    case .total: return numbers[Int(integers)..<(Int(integers) + n)].map { (Int($0), 1) }
    case .select, .normalFixedScale, .multiplyAdd:
      return [operand(0, a), operand(1, b), operand(2, c)]
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
    case .columnsTimesVector: return [(Int(a), n * outer), (Int(b), n)]
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
