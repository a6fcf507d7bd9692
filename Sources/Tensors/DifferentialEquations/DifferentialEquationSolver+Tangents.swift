// SPDX-License-Identifier: MIT
//
// Derivatives of a solution along a direction of its start and parameters, forwards through the accepted steps.

/// The tangents of the stages of a solution.
final class SolutionTangents {
  /// The tangents of the states at the stages, laid out as those.
  private(set) var states: UnsafeMutablePointer<Double>

  /// The tangents of the slopes of a step's stages, `[stages, n]`.
  let slopes: UnsafeMutablePointer<Double>

  /// The tangent of time (always 0), state and parameters, as the right-hand side takes them.
  let direction: UnsafeMutableBufferPointer<Double>

  /// The number of elements of the state.
  private let n: Int

  /// The number of elements that `states` has room for.
  private var capacity = 0

  /// The memory of vectors.
  private let memory = VectorMemory()

  /// Creates zeroed tangents.
  init(_ solver: DifferentialEquationSolver) {
    n = solver.n
    slopes = memory.vector(solver.tableau.stages * solver.n)
    direction = UnsafeMutableBufferPointer(
      start: memory.vector(solver.width), count: solver.width)
    states = .allocate(capacity: 1)
  }

  deinit { states.deallocate() }

  /// Makes room for as many elements as the solution has.
  func reserve(_ count: Int) {
    guard count > capacity else { return }
    states.deallocate()
    states = .allocate(capacity: count)
    capacity = count
  }

  /// Sets the part of the direction that belongs to the state.
  func move(along tangent: UnsafeMutablePointer<Double>) {
    for k in 0..<n { direction[1 + k] = tangent[k] }
  }
}

extension DifferentialEquationSolver {
  func tangent(
    _ inputs: PrimitiveInputs, tangents inputTangents: PrimitiveInputs,
    output: UnsafeBufferPointer<Double>,
    into outputTangent: UnsafeMutableBufferPointer<Double>
  ) -> Bool {
    setTangents(inputTangents)
    outputTangent.update(repeating: .nan)
    for (row, number) in stepsTo.enumerated() {
      let state = tangents.states + number * (tableau.stages - 1) * n
      for k in 0..<n { outputTangent[row * n + k] = state[k] }
    }
    return true
  }

  /// Computes the tangents of all stages.
  func setTangents(_ inputTangents: PrimitiveInputs) {
    tangents.reserve(capacity)
    for k in 0..<n { tangents.states[k] = inputTangents[0][k] }
    var next = 1 + n
    for index in 1..<max(1, inputTangents.count) {
      for value in inputTangents[index] {
        tangents.direction[next] = value
        next += 1
      }
    }
    guard !steps.isEmpty else { return }
    move(to: equation.times[0], states)
    pushSlope(along: tangents.states, into: tangents.slopes)
    let (count, slopes) = (tableau.stages, tangents.slopes)
    for (number, step) in steps.enumerated() {
      let stages = stages(of: number)
      let start = tangents.states + number * (count - 1) * n
      for i in 1..<count {
        let (tangent, slope) = (start + i * n, slopes + i * n)
        addSlopes(i, step.size, start, slopes, into: tangent)
        let time = i == count - 1 ? step.time + step.size : step.time + tableau.nodes[i] * step.size
        move(to: time, stages + i * n)
        guard let stageEquation else {
          pushSlope(along: tangent, into: slope)
          continue
        }
        push(stageEquation, step.size, along: tangent, into: slope)
        for k in 0..<n { tangent[k] += step.size * tableau.diagonal * slope[k] }
      }
      slopes.update(from: slopes + (count - 1) * n, count: n)
    }
  }

  /// Sets the tangent of the slope at the present point.
  private func pushSlope(along tangent: Target, into slope: Target) {
    tangents.move(along: tangent)
    slopeFunction.pushForward(
      at: UnsafeBufferPointer(point), UnsafeBufferPointer(tangents.direction), into: slope)
  }

  /// Sets the tangent of an implicit stage's slope, (1 − h γ J)⁻¹ times that at the stage's known part.
  private func push(
    _ equation: StageEquation, _ step: Double, along tangent: Target, into slope: Target
  ) {
    tangents.move(along: tangent)
    equation.setJacobian(slopeFunction, at: UnsafeBufferPointer(point))
    equation.step = -1
    for r in 0..<n {
      let row = equation.jacobian + r * width
      var sum = 0.0
      for c in 0..<width { sum += row[c] * tangents.direction[c] }
      slope[r] = sum
    }
    guard equation.factor(step * tableau.diagonal) else {
      slope.update(repeating: .nan, count: n)
      return
    }
    equation.factors.solve(slope)
  }
}
