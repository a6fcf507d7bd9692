// SPDX-License-Identifier: MIT
//
// Derivatives of a solution by its start and parameters, backwards through the accepted steps.
//
// With λ the adjoint of the state after a step and κ that of its last slope (the first of the next step), the adjoint of the
// slope of stage i is r_i + h Σ_{j > i} a_ji Ȳ_j, where Ȳ_j = J_jᵀ k̄_j (+ λ for the last stage), and r the given part; λ before
// the step is λ + Σ Ȳ, κ before it the adjoint of slope 0. An implicit stage has itself in the sum: (1 − h γ J)ᵀ k̄ = r + h γ λ.
// Handing κ on, instead of pulling it back by J at once, keeps stiff components from amplifying roundings: it meets
// (1 − h γ J)⁻ᵀ first.
//
// Source: Hager 2000, Numer. Math. 87, 247 (adjoints of Runge–Kutta methods); Sandu 2006, LNCS 3994, 550.

/// The sums of one backward pass: adjoints, or how they change along a tangent.
final class AdjointSweep {
  /// The adjoints of the slopes of a step's stages, `[stages, n]`.
  let slopes: UnsafeMutablePointer<Double>

  /// The adjoint of the state.
  let state: UnsafeMutablePointer<Double>

  /// The adjoint of the stage at hand by what comes after it other than through its slope.
  let stage: UnsafeMutablePointer<Double>

  /// The adjoints of the parameters.
  let parameters: UnsafeMutablePointer<Double>

  /// The product of the stage's adjoint with the derivatives of the right-hand side, `[1 + n + parameters]`.
  let product: UnsafeMutablePointer<Double>

  /// The adjoint of an implicit stage's slope.
  let solved: UnsafeMutablePointer<Double>

  /// The numbers of elements of slopes, state and parameters.
  private let counts: (slopes: Int, state: Int, parameters: Int)

  /// The memory of vectors.
  private let memory = VectorMemory()

  /// Creates zeroed sums for a state of n elements.
  init(stages: Int, _ n: Int, parameters parameterCount: Int) {
    counts = (stages * n, n, parameterCount)
    slopes = memory.vector(stages * n)
    state = memory.vector(n)
    stage = memory.vector(n)
    parameters = memory.vector(parameterCount)
    product = memory.vector(1 + n + parameterCount)
    solved = memory.vector(n)
  }

  /// Sets the sums to zero.
  func clear() {
    slopes.update(repeating: 0, count: counts.slopes)
    state.update(repeating: 0, count: counts.state)
    parameters.update(repeating: 0, count: counts.parameters)
  }
}

extension DifferentialEquationSolver {
  func pullback(
    _ inputs: PrimitiveInputs, output: UnsafeBufferPointer<Double>,
    adjoint: UnsafeBufferPointer<Double>, into inputAdjoints: PrimitiveAdjoints
  ) {
    pullBack(adjoint, secondOrder: false)
    add(values, isKnown: isKnown(adjoint), to: inputAdjoints)
  }

  func pullbackTangent(
    _ inputs: PrimitiveInputs, tangents inputTangents: PrimitiveInputs,
    output: UnsafeBufferPointer<Double>,
    adjoint: UnsafeBufferPointer<Double>, into inputAdjoints: PrimitiveAdjoints
  ) -> Bool {
    setTangents(inputTangents)
    pullBack(adjoint, secondOrder: true)
    add(changes, isKnown: isKnown(adjoint), to: inputAdjoints)
    return true
  }

  /// Returns whether no adjoint comes from a time that was not reached.
  private func isKnown(_ adjoint: UnsafeBufferPointer<Double>) -> Bool {
    adjoint.dropFirst(stepsTo.count * n).allSatisfy { $0 == 0 }
  }

  /// Adds the sums to the adjoints of start and parameters; NaN where they are not known.
  private func add(_ sweep: AdjointSweep, isKnown: Bool, to inputAdjoints: PrimitiveAdjoints) {
    if let start = inputAdjoints[0] {
      for k in 0..<n { start[k] += isKnown ? sweep.state[k] : .nan }
    }
    var next = 0
    for index in 1..<max(1, inputAdjoints.counts.count) {
      if let target = inputAdjoints[index] {
        for k in target.indices { target[k] += isKnown ? sweep.parameters[next + k] : .nan }
      }
      next += inputAdjoints.counts[index]
    }
  }

  // MARK: - Backwards

  /// Runs the sums back from the last time reached to the start.
  private func pullBack(_ adjoint: UnsafeBufferPointer<Double>, secondOrder: Bool) {
    values.clear()
    if secondOrder { changes.clear() }
    var row = stepsTo.count - 1
    // Nothing flows before the last time that has an adjoint; each step hands its own back.
    var isEmpty = true
    for number in (0...steps.count).reversed() {
      while row >= 0 && stepsTo[row] == number {
        for k in 0..<n {
          values.state[k] += adjoint[row * n + k]
          if adjoint[row * n + k] != 0 { isEmpty = false }
        }
        row -= 1
      }
      guard !isEmpty else { continue }
      if number > 0 {
        pullBackStep(number - 1, secondOrder)
      } else if !steps.isEmpty {
        pullBackFirstSlope(secondOrder)
      }
    }
  }

  /// Hands the adjoint of the very first slope to start and parameters.
  private func pullBackFirstSlope(_ secondOrder: Bool) {
    move(to: equation.times[0], states)
    pullBackSlope(
      values.slopes, changes.slopes, stageTangent: tangentIfNeeded(0, secondOrder))
    addFirstSlope(values)
    if secondOrder { addFirstSlope(changes) }
  }

  /// Adds a product of the first slope's adjoint to those of start and parameters.
  private func addFirstSlope(_ sweep: AdjointSweep) {
    for k in 0..<n { sweep.state[k] += sweep.product[1 + k] }
    addParameters(sweep)
  }

  /// Returns the tangent of a stage, counted over all steps, where second derivatives are wanted.
  private func tangentIfNeeded(_ stage: Int, _ secondOrder: Bool) -> Target? {
    secondOrder ? tangents.states + stage * n : nil
  }

  /// Sets the products of a slope's adjoint with the derivatives of the right-hand side at the present point.
  private func pullBackSlope(_ adjoint: Target, _ change: Target, stageTangent: Target?) {
    let here = UnsafeBufferPointer(point)
    guard let stageTangent else {
      slopeFunction.pullBack(at: here, adjoint, rows: 1, into: values.product)
      return
    }
    tangents.move(along: stageTangent)
    slopeFunction.pullBack(
      at: here, along: UnsafeBufferPointer(tangents.direction), adjoint, change,
      into: values.product, changes.product)
  }

  /// Adds the part of a product that belongs to the parameters.
  private func addParameters(_ sweep: AdjointSweep) {
    for k in 0..<parameterCount { sweep.parameters[k] += sweep.product[1 + n + k] }
  }

  /// Runs the sums back through one step.
  private func pullBackStep(_ number: Int, _ secondOrder: Bool) {
    let step = steps[number]
    let count = tableau.stages
    let stages = stages(of: number)
    begin(values)
    if secondOrder { begin(changes) }
    for i in (1..<count).reversed() {
      let time = i == count - 1 ? step.time + step.size : step.time + tableau.nodes[i] * step.size
      move(to: time, stages + i * n)
      let stageTangent = tangentIfNeeded(number * (count - 1) + i, secondOrder)
      if let stageEquation {
        pullBack(stageEquation, step.size, stage: i, stageTangent: stageTangent)
      } else {
        pullBackSlope(values.slopes + i * n, changes.slopes + i * n, stageTangent: stageTangent)
      }
      finish(values, stage: i, step.size)
      if secondOrder { finish(changes, stage: i, step.size) }
    }
  }

  /// Begins a step: the state's adjoint is that of the last stage, the first slope's that of the last slope.
  private func begin(_ sweep: AdjointSweep) {
    let last = sweep.slopes + (tableau.stages - 1) * n
    last.update(from: sweep.slopes, count: n)
    sweep.slopes.update(repeating: 0, count: (tableau.stages - 1) * n)
    sweep.stage.update(from: sweep.state, count: n)
    sweep.state.update(repeating: 0, count: n)
  }

  /// Adds the adjoint of a stage to those of the start of the step and of earlier slopes.
  private func finish(_ sweep: AdjointSweep, stage: Int, _ step: Double) {
    let row = coefficients + stage * tableau.stages
    for k in 0..<n {
      let whole = sweep.stage[k] + sweep.product[1 + k]
      sweep.stage[k] = 0
      sweep.state[k] += whole
      for j in 0..<stage { sweep.slopes[j * n + k] += step * row[j] * whole }
    }
    addParameters(sweep)
  }

  // MARK: - Implicit stages

  /// Sets the products of an implicit stage, whose slope stands on both sides of its equation.
  private func pullBack(
    _ equation: StageEquation, _ step: Double, stage: Int, stageTangent: Target?
  ) {
    let weight = step * tableau.diagonal
    equation.setJacobian(slopeFunction, at: UnsafeBufferPointer(point))
    equation.step = -1
    guard equation.factor(weight) else {
      values.product.update(repeating: .nan, count: width)
      changes.product.update(repeating: .nan, count: width)
      return
    }
    solve(values, equation, weight, stage: stage)
    guard let stageTangent else {
      multiply(values, equation)
      return
    }
    // (1 − h γ J)ᵀ k̄' = r' + h γ (λ' + J'ᵀ k̄).
    let change = changes.product
    tangents.move(along: stageTangent)
    changes.solved.update(repeating: 0, count: n)
    slopeFunction.pullBack(
      at: UnsafeBufferPointer(point), along: UnsafeBufferPointer(tangents.direction),
      values.solved, changes.solved, into: values.product, change)
    for k in 0..<n { changes.stage[k] += change[1 + k] }
    solve(changes, equation, weight, stage: stage)
    for k in 0..<n { changes.stage[k] -= change[1 + k] }
    for r in 0..<n {
      let row = equation.jacobian + r * width
      for c in 0..<width { change[c] += changes.solved[r] * row[c] }
    }
  }

  /// Solves for the adjoint of an implicit stage's slope.
  private func solve(
    _ sweep: AdjointSweep, _ equation: StageEquation, _ weight: Double, stage: Int
  ) {
    let given = sweep.slopes + stage * n
    for k in 0..<n { sweep.solved[k] = given[k] + weight * sweep.stage[k] }
    equation.factors.solveTransposed(sweep.solved)
  }

  /// Sets the product of the solved adjoint with the Jacobian.
  private func multiply(_ sweep: AdjointSweep, _ equation: StageEquation) {
    sweep.product.update(repeating: 0, count: width)
    for r in 0..<n {
      let row = equation.jacobian + r * width
      for c in 0..<width { sweep.product[c] += sweep.solved[r] * row[c] }
    }
  }
}
