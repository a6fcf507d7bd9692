// SPDX-License-Identifier: MIT
//
// The tree of one trajectory of the no-U-turn sampler, built without copying points.
//
// Source: Hoffman and Gelman 2014, algorithm 6; Betancourt 2017, arXiv 1701.02434, appendix A; Stan 2.21 for the checks across
// subtrees.

import CKernels
import Numerics

/// A stretch of a trajectory: the points of a subtree, in the order in which they were made.
///
/// Numbers that are set together lie apart: two neighbours are read as one, and a processor waits for the second of two stores
/// before it reads across both.
private struct Stretch {
  /// Its first point.
  var first: PhaseSpace.Place
  /// The sum of the weights exp(−energy error) of its points.
  var weight: Double
  /// Its last point.
  var last: PhaseSpace.Place
  /// The log density of the point drawn from it.
  var value: Double
  /// The point drawn from it.
  var sample: PhaseSpace.Place
  /// The sum of its momenta.
  var total: PhaseSpace.Vector
}

/// One trajectory of the no-U-turn sampler.
///
/// A subtree of depth d is two subtrees of depth d − 1, one after the other, put on a stack and joined there, as in Stan: one that
/// has turned back ends the trajectory. The whole trajectory lies at the bottom of the stack.
///
/// Small models take a fifth of a microsecond for a gradient, so that everything here counts: what is drawn by chance is chosen
/// by arithmetic rather than by branches that no processor can foresee, two points are joined before they reach the stack, and
/// a subtree returns to where it was called, which a processor foresees, unlike the end of a loop over joins.
struct TrajectoryTree {
  private let stepSize: Double
  private let maximumDepth: Int
  private let threshold: Double
  private let key: RandomKey

  /// The stretches that wait for their neighbours, the whole trajectory first.
  private let stack: UnsafeMutablePointer<Stretch>

  /// The energy where the trajectory starts.
  private var startEnergy = 0.0

  /// The energy error up to which a point is an ordinary one; negative where weights have another unit than 1.
  private var trusted: Double

  /// The log of the unit of weights: 0 unless a point is more probable than the first by a factor of e^300 or more.
  private var logUnit = 0.0

  private var leapfrogs = 0
  private var acceptanceSum = 0.0
  private var hasDiverged = false

  /// The place for the next point, where a step may have begun.
  private var next: PhaseSpace.Place

  /// The point made last, from which the trajectory goes on.
  private var end: PhaseSpace.Place

  /// The places after the next one that hold no point, one bit each.
  private var free: UInt64

  /// Random bits of the step, 32 for each choice: the chances are right to 2^−33.
  private let bits: UnsafeMutablePointer<UInt32>

  /// The number of choices whose bits are used.
  private var used = 0

  /// The index of the next random bits, behind those of the momenta.
  private var nextBits: UInt64 = 1 << 32

  /// The number of choices whose bits are made at a time: independent blocks of bits overlap in the processor,
  /// eight of 128 bits in one vector.
  private static let batch = 32

  /// The number of places for a tree of a depth: three for each stretch on the stack, and some to go on with.
  static func places(_ depth: Int) -> Int { min(64, 3 * (depth + 2) + 10) }

  /// The number of momentum sums that a tree of a depth needs: two for each level, and that of the whole.
  static func totals(_ depth: Int) -> Int { 2 * (depth + 1) + 1 }

  /// Runs a trajectory and moves a state to the point it selects.
  static func move(
    _ state: inout HamiltonianState, in space: PhaseSpace, _ target: some LogDensity,
    stepSize: Double, maximumDepth: Int, threshold: Double, key: RandomKey
  ) -> NUTS.Info {
    withUnsafeTemporaryAllocation(of: Stretch.self, capacity: maximumDepth + 2) { stack in
      withUnsafeTemporaryAllocation(of: UInt64.self, capacity: batch / 2) { words in
        guard let stack = stack.baseAddress, let words = words.baseAddress else {
          stop("NUTS: expected memory for a tree, got none")
        }
        var tree = TrajectoryTree(
          stepSize: stepSize, maximumDepth: maximumDepth, threshold: threshold, key: key,
          stack: stack, trusted: min(threshold, 300), next: space.place(0), end: space.place(0),
          free: ~0 >> UInt64(64 - places(maximumDepth)) & ~1,
          bits: UnsafeMutableRawPointer(words).assumingMemoryBound(to: UInt32.self))
        return tree.run(&state, space, target)
      }
    }
  }

  /// Runs the trajectory and moves the state to the point it selects.
  private mutating func run(
    _ state: inout HamiltonianState, _ space: PhaseSpace, _ target: some LogDensity
  ) -> NUTS.Info {
    let origin = next
    advance(space)
    space.load(state, into: origin)
    space.drawMomentum(origin, key)
    startEnergy = space.kineticEnergy(origin) - state.logDensity
    stack.initialize(
      to: Stretch(
        first: origin, weight: 1, last: origin, value: state.logDensity, sample: origin,
        total: space.momentum(origin)))
    let total = space.others + 2 * (maximumDepth + 1) * space.length
    // Bit d is 0 where doubling d goes forward in time; the last point of the whole is where the trajectory grows.
    refill()
    let directions = UInt64(nextChoice())
    var lastIsBehind: UInt64 = 0
    var depth = 0
    while depth < maximumDepth {
      let backward = (directions >> UInt64(depth)) & 1
      // A choice without a branch: the ends are exchanged where the direction changes.
      let ends = (stack[0].first, stack[0].last)
      let turns = backward != lastIsBehind
      stack[0].first = turns ? ends.1 : ends.0
      stack[0].last = turns ? ends.0 : ends.1
      lastIsBehind = backward
      let step = Double(bitPattern: stepSize.bitPattern ^ (backward << 63))
      end = stack[0].last
      // The last leap has begun the next step, unless there was none or the trajectory turns to its other end.
      if space.beginsNext && (depth == 0 || turns) { space.begin(from: end, to: next, step) }
      guard grow(depth, 0, above: stack, step, space, target) else { break }
      // Biased progressive sampling: the new half is taken with probability min(1, its weight / that of the old one).
      let takesNew = uniform() * stack[0].weight < stack[1].weight
      let goesOn = join(stack, takesSecond: takesNew, into: total, space)
      depth += 1
      if !goesOn { break }
    }
    if stack[0].sample != origin {
      space.store(stack[0].sample, stack[0].value, into: &state)
    }
    return NUTS.Info(
      acceptance: acceptanceSum / Double(max(1, leapfrogs)), diverged: hasDiverged,
      gradients: leapfrogs, treeDepth: depth, energy: startEnergy)
  }

  /// Makes 2^depth further points, the stretch of a number among those of its depth, above the top of the stack; false where the
  /// trajectory diverged or a part turned back.
  private mutating func grow(
    _ depth: Int, _ number: Int, above top: UnsafeMutablePointer<Stretch>, _ step: Double,
    _ space: PhaseSpace, _ target: some LogDensity
  ) -> Bool {
    if depth == 1 { return makePair(number, above: top, step, space, target) }
    if depth == 0 { return makeOne(above: top, step, space, target) }
    guard grow(depth &- 1, 0, above: top, step, space, target),
      grow(depth &- 1, 1, above: top + 1, step, space, target)
    else { return false }
    let pair = top + 1
    return join(
      pair, takesSecond: takesSecond(pair[0].weight, pair[1].weight),
      into: total(depth &- 1, number, space), space)
  }

  /// Makes one further point, a stretch above the top of the stack; false where the trajectory diverged.
  private mutating func makeOne(
    above top: UnsafeMutablePointer<Stretch>, _ step: Double, _ space: PhaseSpace,
    _ target: some LogDensity
  ) -> Bool {
    reserve(top, space)
    let point = extend(step, space, target)
    var weight = ss_weigh(point.error, 0).first
    if point.isOrdinary { accept(weight) } else { weight = judge(point.error, top) }
    (top + 1).initialize(
      to: Stretch(
        first: point.place, weight: weight, last: point.place, value: point.value,
        sample: point.place, total: space.momentum(point.place)))
    return !hasDiverged
  }

  /// Makes two further points, a stretch above the top of the stack; false where the trajectory diverged or turned back.
  private mutating func makePair(
    _ number: Int, above top: UnsafeMutablePointer<Stretch>, _ step: Double, _ space: PhaseSpace,
    _ target: some LogDensity
  ) -> Bool {
    reserve(top, space)
    let first = extend(step, space, target)
    let judged = first.isOrdinary ? 0 : judge(first.error, top)
    if hasDiverged { return false }
    let unit = logUnit
    let second = extend(step, space, target)
    // The two side by side: what follows waits for one exponential, not for two.
    let weights = ss_weigh(first.error, second.error)
    var (firstWeight, secondWeight) = (weights.first, weights.second)
    if first.isOrdinary { accept(firstWeight) } else { firstWeight = judged }
    if second.isOrdinary {
      accept(secondWeight)
    } else {
      secondWeight = judge(second.error, top)
      if hasDiverged { return false }
      firstWeight *= exponential(unit - logUnit)
    }
    // By bits: a choice between floating-point registers becomes a branch, taken by chance, which waits for the weights.
    let takesSecond = takesSecond(firstWeight, secondWeight)
    let mask: UInt64 = takesSecond ? ~0 : 0
    let bits = first.value.bitPattern
    let value = Double(bitPattern: bits ^ ((bits ^ second.value.bitPattern) & mask))
    let sum = total(0, number, space)
    (top + 1).initialize(
      to: Stretch(
        first: first.place, weight: firstWeight + secondWeight, last: second.place,
        value: value, sample: takesSecond ? second.place : first.place, total: sum))
    return ss_join_points(
      space.momentum(first.place), space.momentum(second.place), sum, space.length) != 0
  }

  /// A point of the trajectory that has just been made.
  private struct Point {
    /// Where it lies.
    var place: PhaseSpace.Place
    /// Its log density.
    var value: Double
    /// By how much its energy exceeds the first.
    var error: Double
    /// Whether its weight is exp(−error).
    var isOrdinary: Bool
  }

  /// Makes one further point.
  @inline(__always)
  private mutating func extend(_ step: Double, _ space: PhaseSpace, _ target: some LogDensity)
    -> Point
  {
    let place = next
    if !space.beginsNext { space.begin(from: end, to: place, step) }
    advance(space)
    let (value, error) = space.leap(place, next: next, step, target, from: startEnergy)
    end = place
    leapfrogs &+= 1
    return Point(place: place, value: value, error: error, isOrdinary: abs(error) <= trusted)
  }

  /// Counts the acceptance of an ordinary point.
  @inline(__always)
  private mutating func accept(_ weight: Double) { acceptanceSum += weight < 1 ? weight : 1 }

  /// Returns the weight of a point that is far less or far more probable than the first, or says that the trajectory diverged.
  ///
  /// All weights up to the top of the stack are brought to a unit that none exceeds by far.
  @inline(never)
  private mutating func judge(_ error: Double, _ top: UnsafeMutablePointer<Stretch>) -> Double {
    if error > 0 {
      acceptanceSum += exponential(-error)
    } else if error <= 0 {
      acceptanceSum += 1
    }
    // An energy of −∞ is as little to be trusted as one of +∞.
    guard error <= threshold && error > -.infinity else {
      hasDiverged = true
      return 0
    }
    if -error - logUnit > 300 {
      let factor = exponential(logUnit + error)
      for k in 0...(top - stack) { stack[k].weight *= factor }
      logUnit = -error
      trusted = -1
    }
    return exponential(-error - logUnit)
  }

  /// Returns the vector for the momentum sum of the stretch of a number at a level above the leaves.
  ///
  /// A sum at an even place of its level waits for its neighbour, one at an odd place is joined before the next is made.
  @inline(__always)
  private func total(_ level: Int, _ number: Int, _ space: PhaseSpace) -> PhaseSpace.Vector {
    space.others + (2 &* level &+ number & 1) &* space.length
  }

  /// Returns whether the sample of the second of two neighbours is taken, in proportion to their weights.
  @inline(__always)
  private mutating func takesSecond(_ first: Double, _ second: Double) -> Bool {
    uniform() * (first + second) < second
  }

  /// Joins a stretch with the one that follows it; the sum replaces the first.
  ///
  /// - Returns: Whether the sum has not turned back: its ends, and those of each half with the nearest point of the other, still
  ///   move apart.
  @inline(__always)
  private mutating func join(
    _ pair: UnsafeMutablePointer<Stretch>, takesSecond: Bool, into total: PhaseSpace.Vector,
    _ space: PhaseSpace
  ) -> Bool {
    let goesOn = ss_join_stretches(
      pair[0].total, pair[1].total, space.momentum(pair[0].first), space.momentum(pair[0].last),
      space.momentum(pair[1].first), space.momentum(pair[1].last), total, space.length)
    let chosen = pair + (takesSecond ? 1 : 0)
    pair[0].sample = chosen.pointee.sample
    pair[0].value = chosen.pointee.value
    pair[0].last = pair[1].last
    pair[0].weight += pair[1].weight
    pair[0].total = total
    return goesOn != 0
  }

  /// Sees to it that two places are free.
  @inline(__always)
  private mutating func reserve(_ top: UnsafeMutablePointer<Stretch>, _ space: PhaseSpace) {
    if free & (free &- 1) == 0 { collect(top, space) }
  }

  /// Finds the place for the point after the next.
  @inline(__always)
  private mutating func advance(_ space: PhaseSpace) {
    next = space.place(free.trailingZeroBitCount)
    free &= free &- 1
  }

  /// Frees all places but those of the stretches on the stack and the present next one.
  @inline(never)
  private mutating func collect(_ top: UnsafeMutablePointer<Stretch>, _ space: PhaseSpace) {
    var held: UInt64 = 1 << UInt64(space.number(next))
    for k in 0...(top - stack) {
      held |= 1 << UInt64(space.number(stack[k].first))
      held |= 1 << UInt64(space.number(stack[k].last))
      held |= 1 << UInt64(space.number(stack[k].sample))
    }
    free = ~held & (~0 >> UInt64(64 - TrajectoryTree.places(maximumDepth)))
  }

  /// Returns the next number of (0, 1).
  @inline(__always)
  private mutating func uniform() -> Double { (Double(nextChoice()) + 0.5) * 0x1p-32 }

  /// Returns the next 32 random bits.
  @inline(__always)
  private mutating func nextChoice() -> UInt32 {
    if used == TrajectoryTree.batch { refill() }
    let choice = bits[used]
    used &+= 1
    return choice
  }

  /// Makes the next random bits.
  @inline(never)
  private mutating func refill() {
    let count = TrajectoryTree.batch / 2
    let words = UnsafeMutableRawPointer(bits).assumingMemoryBound(to: UInt64.self)
    key.fillBits(UnsafeMutableBufferPointer(start: words, count: count), from: nextBits)
    nextBits += UInt64(count)
    used = 0
  }
}
