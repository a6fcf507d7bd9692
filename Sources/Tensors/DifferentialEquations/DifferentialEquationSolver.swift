// SPDX-License-Identifier: MIT
//
// The working part of a differential equation: its memory, and the steps from time to time.
//
// Source: Hairer, Nørsett & Wanner 1993, section II.4. Goals, in order: no hang and no trap on any values; errors within the
// tolerance; derivatives exact for the steps taken; nothing allocated once the longest solution has been seen.

import Numerics

/// Solves a differential equation and keeps the stages of its accepted steps, from which derivatives are made.
final class DifferentialEquationSolver: PrimitiveInstance {
  /// An accepted step.
  struct Step {
    /// Where it begins.
    let time: Double

    /// Its size, negative where time runs backwards.
    let size: Double
  }

  /// The equation.
  let equation: DifferentialEquation

  /// The coefficients of the method.
  let tableau: RungeKuttaTableau

  /// The right-hand side.
  let slopeFunction: FunctionEvaluator

  /// The number of elements of the state.
  let n: Int

  /// The number of elements of all parameters.
  let parameterCount: Int

  /// The number of elements of time, state and parameters: what the right-hand side takes.
  var width: Int { 1 + n + parameterCount }

  /// Time, state and parameters, as the right-hand side takes them.
  let point: UnsafeMutableBufferPointer<Double>

  /// The coefficients a_ij below the diagonal, `[stages, stages]`.
  let coefficients: UnsafeMutablePointer<Double>

  /// The slopes of the present step's stages, `[stages, n]`.
  let slopes: UnsafeMutablePointer<Double>

  /// Room for an error, a stage's known part, a correction, a direction.
  let (error, known, unknown): (Target, Target, Target)

  /// The accepted steps.
  private(set) var steps: ContiguousArray<Step> = []

  /// The states at the stages, `[steps · (stages − 1) + 1, n]`: the last stage of a step is the first of the next.
  private(set) var states: UnsafeMutablePointer<Double>

  /// The number of elements that `states` has room for.
  private(set) var capacity: Int

  /// For each time, the number of steps that lead to it; as many entries as times were reached.
  private(set) var stepsTo: ContiguousArray<Int> = []

  /// The Jacobians and factors of implicit stages; nil for an explicit method.
  let stageEquation: StageEquation?

  /// The adjoints of a backward pass, and their changes along a tangent where second derivatives are wanted.
  let (values, changes): (AdjointSweep, AdjointSweep)

  /// The tangents of a solution; made when first needed.
  lazy var tangents = SolutionTangents(self)

  /// The memory of vectors.
  private let memory = VectorMemory()

  /// The memory of a vector.
  typealias Target = UnsafeMutablePointer<Double>

  /// Creates the memory for an equation.
  init(_ equation: DifferentialEquation) {
    self.equation = equation
    tableau = equation.tableau
    slopeFunction = equation.function.makeEvaluator()
    let shapes = equation.function.inputShapes
    n = shapes[1].elementCount
    parameterCount = shapes.dropFirst(2).reduce(0) { $0 + $1.elementCount }
    let width = 1 + n + parameterCount
    point = UnsafeMutableBufferPointer(start: memory.vector(width), count: width)
    coefficients = memory.vector(tableau.below.count)
    for (k, value) in tableau.below.enumerated() { coefficients[k] = value }
    slopes = memory.vector(tableau.stages * n)
    (error, known, unknown) = (memory.vector(n), memory.vector(n), memory.vector(n))
    values = AdjointSweep(stages: tableau.stages, n, parameters: parameterCount)
    changes = AdjointSweep(stages: tableau.stages, n, parameters: parameterCount)
    stageEquation = tableau.diagonal == 0 ? nil : StageEquation(n, width: width)
    capacity = 64 * tableau.stages * n
    states = .allocate(capacity: max(1, capacity))
  }

  deinit { states.deallocate() }

  /// Returns the states at the stages of a step, `[stages, n]`.
  func stages(of step: Int) -> Target { states + step * (tableau.stages - 1) * n }

  /// Makes room for the stages of one step more.
  private func reserve(_ count: Int) {
    let needed = ((count + 1) * (tableau.stages - 1) + 1) * n
    guard needed > capacity else { return }
    let larger = max(needed, 2 * capacity)
    let moved = Target.allocate(capacity: larger)
    moved.update(from: states, count: (count * (tableau.stages - 1) + 1) * n)
    states.deallocate()
    (states, capacity) = (moved, larger)
  }

  // MARK: - The right-hand side

  /// Sets the point at which the right-hand side is wanted.
  @inline(__always)
  func move(to time: Double, _ state: Target) {
    point[0] = time
    for k in 0..<n { point[1 + k] = state[k] }
  }

  /// Computes the slope at a time and state.
  @inline(__always)
  func setSlope(_ time: Double, _ state: Target, into slope: Target) {
    move(to: time, state)
    slopeFunction.evaluate(at: UnsafeBufferPointer(point), into: slope)
  }

  /// Copies the parameters behind time and state.
  private func load(_ inputs: PrimitiveInputs) {
    var next = 1 + n
    for index in 1..<max(1, inputs.count) {
      for value in inputs[index] {
        point[next] = value
        next += 1
      }
    }
  }

  // MARK: - Steps

  func forward(_ inputs: PrimitiveInputs, into output: UnsafeMutableBufferPointer<Double>) {
    output.update(repeating: .nan)
    load(inputs)
    steps.removeAll(keepingCapacity: true)
    stepsTo.removeAll(keepingCapacity: true)
    stageEquation?.step = -1
    reserve(0)
    for k in 0..<n { states[k] = inputs[0][k] }
    keep(row: 0, into: output)
    if equation.times.count > 1 { solve(into: output) }
  }

  /// Copies the present state to the output at the next of the times.
  private func keep(row: Int, into output: UnsafeMutableBufferPointer<Double>) {
    let state = stages(of: steps.count)
    for k in 0..<n { output[row * n + k] = state[k] }
    stepsTo.append(steps.count)
  }

  /// Steps from time to time, until the end or until no step can be made.
  private func solve(into output: UnsafeMutableBufferPointer<Double>) {
    let times = equation.times
    var time = times[0]
    let span = abs(times[times.count - 1] - time)
    let direction: Double = times[1] > time ? 1 : -1
    setSlope(time, states, into: slopes)
    guard (0..<n).allSatisfy({ slopes[$0].isFinite && states[$0].isFinite }) else { return }
    var control = StepControl(errorOrder: tableau.errorOrder)
    // Steps that time does not notice, or of no size at all, are no steps; the numbers are far from any that work.
    let (roundings, smallestPart) = (8.0, 1e-100)
    var size = firstStep(time, direction, span)
    var attempts = 0
    for row in 1..<times.count {
      while time != times[row] {
        attempts += 1
        guard attempts <= equation.maximumSteps,
          size > max(roundings * time.ulp, smallestPart * span)
        else { return }
        // Steps of one size to the next time; a last one longer by a hundredth is better than one more.
        let remaining = times[row] - time
        let count = max(1, (abs(remaining) / size - 0.01).rounded(.up))
        let step = remaining / count
        reserve(steps.count)
        let error = attempt(time, step)
        if error <= 1 {
          let factor = control.factorAfterAccepting(error)
          // A step that was cut short to end on a time, and could have been longer than can be told, says nothing against `size`.
          let isCut = factor == StepControl.largestFactor
          size = isCut ? max(size, abs(step) * factor) : abs(step) * factor
          steps.append(Step(time: time, size: step))
          time = count == 1 ? times[row] : time + step
          slopes.update(from: slopes + (tableau.stages - 1) * n, count: n)
        } else {
          size = abs(step) * control.factorAfterRejecting(error)
        }
      }
      keep(row: row, into: output)
    }
  }

  /// Returns the size of the first step.
  private func firstStep(_ time: Double, _ direction: Double, _ span: Double) -> Double {
    StepControl.firstStep(
      state: norm(states, states, states), slope: norm(slopes, states, states),
      order: tableau.errorOrder, span: span
    ) { trial in
      for k in 0..<n { known[k] = states[k] + direction * trial * slopes[k] }
      setSlope(time + direction * trial, known, into: unknown)
      for k in 0..<n { unknown[k] = (unknown[k] - slopes[k]) / trial }
      return norm(unknown, states, states)
    }
  }

  /// Returns the root mean square of a vector, in units of the tolerance at two states; NaN where a state is not finite.
  func norm(_ vector: Target, _ first: Target, _ second: Target) -> Double {
    var sum = 0.0
    for k in 0..<n {
      guard second[k].isFinite else { return .nan }
      let scale =
        equation.absoluteTolerance
        + equation.relativeTolerance * max(abs(first[k]), abs(second[k]))
      let ratio = vector[k] / scale
      sum += ratio * ratio
    }
    return n == 0 ? 0 : (sum / Double(n)).squareRoot()
  }

  /// Computes the stages of a step behind those accepted, and returns its error in units of the tolerance.
  private func attempt(_ time: Double, _ step: Double) -> Double {
    let stages = stages(of: steps.count)
    let count = tableau.stages
    if let stageEquation {
      guard prepare(stageEquation, time, step, stages, number: steps.count) else { return .nan }
    }
    for i in 1..<count {
      let state = stages + i * n
      addSlopes(i, step, stages, slopes, into: state)
      let stageTime = i == count - 1 ? time + step : time + tableau.nodes[i] * step
      if let stageEquation {
        guard solve(stageEquation, stageTime, step, stages, stage: i) else { return .nan }
      } else {
        setSlope(stageTime, state, into: slopes + i * n)
      }
    }
    for k in 0..<n {
      var sum = 0.0
      for i in 0..<count { sum += tableau.errorWeights[i] * slopes[i * n + k] }
      error[k] = step * sum
    }
    // The estimate is of the size of the stiff components themselves, not of their errors (Shampine & Baca 1984).
    stageEquation?.factors.solve(error)
    return norm(error, stages, stages + (count - 1) * n)
  }

  /// Sets a stage to the start of the step and what the slopes of earlier stages add, h Σ a_ij k_j.
  @inline(__always)
  func addSlopes(
    _ stage: Int, _ step: Double, _ start: Target, _ slopes: Target, into state: Target
  ) {
    let row = coefficients + stage * tableau.stages
    for k in 0..<n {
      var sum = 0.0
      for j in 0..<stage { sum += row[j] * slopes[j * n + k] }
      state[k] = start[k] + step * sum
    }
  }
}

/// Zeroed vectors that live as long as their owner.
final class VectorMemory {
  /// The first elements.
  private var vectors: [UnsafeMutablePointer<Double>] = []

  deinit { for vector in vectors { vector.deallocate() } }

  /// Returns a new vector of zeros.
  func vector(_ count: Int) -> UnsafeMutablePointer<Double> {
    let vector = UnsafeMutablePointer<Double>.allocate(capacity: max(1, count))
    vector.initialize(repeating: 0, count: max(1, count))
    vectors.append(vector)
    return vector
  }
}
