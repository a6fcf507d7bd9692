// SPDX-License-Identifier: MIT
//
// Fewer instructions with the same results: what a frozen tape gains from being looked over once.

/// The live instructions of a recording while they are rewritten.
///
/// Loops in a model leave many short instructions, which cost more than their arithmetic. Three rewritings, in this order:
/// a copy into a concatenation goes where its source writes in the first place; a product that only a sum reads becomes one
/// instruction with it; a chain of sums of numbers becomes one sum. Values stay the same to rounding: a product may be added
/// without being rounded, and a chain is summed from its first term to its last.
struct TapeRewriter {
  /// The instructions, in order; those that are no longer alive are left in place.
  private(set) var instructions: [Instruction]

  /// Whether each instruction is still needed.
  private(set) var isLive: [Bool]

  /// The integers of the instructions.
  private(set) var integers: [Int32]

  private let calls: ContiguousArray<PrimitiveCall>
  private let outputs: [(offset: Int32, count: Int)]

  /// The instruction that writes each element of the slab; −1 where none does.
  private var producer: [Int32]

  /// How many operands lie in the result of each instruction.
  private var readers: [Int32]

  /// Whether a result must stay where it is and as it is: an output, or read together with its neighbours.
  private var isPinned: [Bool]

  /// Takes the live instructions of a recording.
  init(
    _ instructions: [Instruction], integers: [Int32], calls: ContiguousArray<PrimitiveCall>,
    outputs: [(offset: Int32, count: Int)], size: Int
  ) {
    self.instructions = instructions
    self.integers = integers
    self.calls = calls
    self.outputs = outputs
    isLive = [Bool](repeating: true, count: instructions.count)
    producer = [Int32](repeating: -1, count: size)
    readers = [Int32](repeating: 0, count: instructions.count)
    isPinned = [Bool](repeating: false, count: instructions.count)
  }

  /// Runs all rewritings.
  mutating func rewrite() {
    if instructions.contains(where: { $0.operation == .copy }) {
      analyze()
      forwardCopies()
    }
    analyze()
    fuseProducts()
    flattenSums()
  }

  // MARK: - Analysis

  /// Finds who writes and who reads what.
  private mutating func analyze() {
    for k in producer.indices { producer[k] = -1 }
    for k in instructions.indices {
      readers[k] = 0
      isPinned[k] = false
    }
    for index in instructions.indices where isLive[index] {
      let i = instructions[index]
      for (start, count) in i.reads(calls, integers) where count > 0 {
        let first = producer[start]
        if first >= 0 && producer[start + count - 1] == first {
          readers[Int(first)] += 1
          // The places of a primitive's operands are kept elsewhere.
          if i.operation == .primitive { isPinned[Int(first)] = true }
        } else {
          pin(start, count)
        }
      }
      let out = Int(i.out)
      for k in out..<(out + i.resultCount(calls)) { producer[k] = Int32(index) }
    }
    for output in outputs { pin(Int(output.offset), output.count) }
  }

  /// Pins all results that have elements in a range.
  private mutating func pin(_ start: Int, _ count: Int) {
    for k in start..<(start + count) where producer[k] >= 0 { isPinned[Int(producer[k])] = true }
  }

  // MARK: - Copies

  /// Lets the sources of copies write where the copies would.
  private mutating func forwardCopies() {
    var moves = [Int32](repeating: 0, count: instructions.count)
    for index in instructions.indices where isLive[index] && instructions[index].operation == .copy
    {
      let i = instructions[index]
      let source = Int(producer[Int(i.a)])
      guard source >= 0, !isPinned[source], moves[source] == 0 else { continue }
      let from = instructions[source]
      // A copy that stops the gradient of what it copies keeps a place, and with it an adjoint, of its own.
      guard i.active != 0 || from.active == 0, from.operation != .primitive,
        from.operation != .copy, from.out == i.a,
        from.resultCount(calls) == Int(i.n)
      else { continue }
      moves[source] = i.out - i.a
      isLive[index] = false
    }
    guard moves.contains(where: { $0 != 0 }) else { return }
    for index in instructions.indices where isLive[index] {
      var i = instructions[index]
      // The producers are those before the move: so are the places they are looked up by.
      for (k, (start, _)) in i.reads(calls, integers).enumerated() where producer[start] >= 0 {
        let move = moves[Int(producer[start])]
        if move != 0 { i.setPlace(k, Int32(start) + move) }
      }
      i.out += moves[index]
      instructions[index] = i
    }
  }

  // MARK: - Products

  /// Joins products with the sums or differences that alone read them.
  private mutating func fuseProducts() {
    for index in instructions.indices where isLive[index] {
      let i = instructions[index]
      guard i.operation == .add || i.operation == .subtract else { continue }
      for side in 0..<2 {
        let place = side == 0 ? i.a : i.b
        guard let product = onlyRead(place, n: i.n, i.stride(side) == 1),
          instructions[product].operation == .multiply
        else { continue }
        let m = instructions[product]
        let other = 1 - side
        var fused = i
        fused.operation = .multiplyAdd
        (fused.a, fused.b, fused.c) = (m.a, m.b, side == 0 ? i.b : i.a)
        fused.strides = m.strides & 3 | (i.stride(other) == 1 ? 4 : 0)
        fused.active = m.active & 3 | (i.isActive(other) ? 4 : 0)
        fused.variant =
          i.operation == .add
          ? MultiplyAdd.sum : side == 0 ? MultiplyAdd.difference : MultiplyAdd.negated
        instructions[index] = fused
        isLive[product] = false
        break
      }
    }
  }

  /// Returns the instruction whose whole result is the operand at a place, and that has no other reader; nil if there is none.
  private func onlyRead(_ place: Int32, n: Int32, _ isWhole: Bool) -> Int? {
    let index = Int(producer[Int(place)])
    guard index >= 0, isLive[index], !isPinned[index], readers[index] == 1,
      instructions[index].out == place, instructions[index].n == n, isWhole || n == 1
    else { return nil }
    return index
  }

  // MARK: - Sums

  /// Replaces chains of at least two sums of numbers, each but the last read by the next alone.
  private mutating func flattenSums() {
    for index in instructions.indices.reversed() where isLive[index] {
      let i = instructions[index]
      guard i.operation == .add, i.n == 1 else { continue }
      let (terms, links) = chain(i)
      guard terms.count > 2 else { continue }
      for link in links { isLive[link] = false }
      var sum = Instruction(operation: .total)
      sum.n = Int32(terms.count)
      sum.active = 1
      sum.out = i.out
      sum.integers = Int32(integers.count)
      integers += terms
      instructions[index] = sum
    }
  }

  /// Returns the places of the terms of a chain, first to last, and the sums that it consists of beside the given one.
  ///
  /// Without recursion: a loop over a long series makes a chain of thousands, and threads have small stacks.
  private func chain(_ i: Instruction) -> (terms: [Int32], links: [Int]) {
    var terms: [Int32] = []
    var links: [Int] = []
    var open = [i.b, i.a]
    while let place = open.popLast() {
      if let link = onlyRead(place, n: 1, true), instructions[link].operation == .add {
        links.append(link)
        open.append(instructions[link].b)
        open.append(instructions[link].a)
      } else {
        terms.append(place)
      }
    }
    return (terms, links)
  }
}

/// The signs of a product and a third operand, as variants of `multiplyAdd`.
enum MultiplyAdd {
  /// a b + c.
  static let sum: UInt8 = 0
  /// a b − c.
  static let difference: UInt8 = 1
  /// c − a b.
  static let negated: UInt8 = 2

  /// Returns the signs of the product and of the third operand.
  @inline(__always)
  static func signs(_ variant: UInt8) -> (product: Double, other: Double) {
    (variant == negated ? -1 : 1, variant == difference ? -1 : 1)
  }
}

extension Instruction {
  /// Sets the place of operand k.
  mutating func setPlace(_ k: Int, _ place: Int32) {
    switch k {
    case 0: a = place
    case 1: b = place
    case 2: c = place
    default: d = place
    }
  }
}
