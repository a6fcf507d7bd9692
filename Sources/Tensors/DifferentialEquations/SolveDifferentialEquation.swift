// SPDX-License-Identifier: MIT
//
// Ordinary differential equations with steps chosen by the error, as one operation of a program.

import Numerics

/// A method of solving ordinary differential equations.
public enum DifferentialEquationMethod: Sendable, CaseIterable {
  /// Dormand & Prince's explicit method of order 5(4): for equations that are not stiff, the first to try.
  case dormandPrince

  /// Kennedy & Carpenter's L-stable, diagonally implicit method of order 4(3): for stiff equations of few variables.
  case kennedyCarpenter

  /// The coefficients.
  var tableau: RungeKuttaTableau {
    switch self {
    case .dormandPrince: .dormandPrince
    case .kennedyCarpenter: .kennedyCarpenter
    }
  }
}

/// Returns the solution of dy/dt = f(t, y, parameters) at given times, with steps that keep the error to a tolerance.
///
/// The right-hand side is recorded once and replayed. Steps end at each of the times; between them their sizes are such that the
/// estimated error of a step is at most `absoluteTolerance` + `relativeTolerance` · |y| in root mean square over the elements.
/// Derivatives are those of the computed solution with the sizes of its steps held constant, to second order.
///
/// What `f` needs of the latent variables has to go through `parameters`: a traced tensor that the closure takes from outside
/// stops the program. All else (data, constants) may be used as it is. An `f` that reads numbers out of its arguments is
/// recorded anew at each evaluation: right, and many times slower.
///
/// Where `f` or the solution is not finite, where the steps become too small, or too many, the states from there on are NaN,
/// and so are derivatives of them: a sampler rejects the point.
///
/// ### Source
///
/// Hairer, Nørsett & Wanner 1993, section II.4 (steps); Hairer & Wanner 1996, section IV.8 (stage equations). The methods'
/// coefficients: Dormand & Prince 1980; Kennedy & Carpenter 2003.
///
/// - Parameters:
///   - start: The state at `times[0]`, any shape.
///   - times: The times, all ascending or all descending; the first is that of `start`.
///   - parameters: Tensors of any shape that the right-hand side depends on.
///   - method: The method.
///   - relativeTolerance: The error of a step relative to the state, from 1e-13 to 1.
///   - absoluteTolerance: The error of a step in the unit of the state, `> 0`: what may be wrong in elements near zero.
///   - maximumSteps: The number of steps, rejected ones included, after which the solution is given up.
///   - f: The right-hand side, given time (a scalar), state and parameters; it returns the shape of the state.
/// - Returns: The states, shape `[times.count] + start.shape`.
/// - Precondition: There is at least one time, all are finite and in order; the tolerances are in their ranges.
/// - Complexity: Six evaluations of `f` for each explicit step; some fifteen, and n for the Jacobian, for each implicit one. As
///   many pullbacks of `f`, or n for each implicit stage, for the gradient. Each evaluator keeps some 50 bytes for each step and element of
///   the state, of the solution with the most steps so far.
public func solveDifferentialEquation(
  from start: Tensor, times: [Double], parameters: [Tensor] = [],
  method: DifferentialEquationMethod = .dormandPrince, relativeTolerance: Double = 1e-8,
  absoluteTolerance: Double = 1e-8, maximumSteps: Int = 100_000,
  _ f: @escaping @Sendable (_ time: Tensor, _ state: Tensor, _ parameters: [Tensor]) -> Tensor
) -> Tensor {
  let name = "solveDifferentialEquation"
  demand(!times.isEmpty, "\(name): expected at least one time, that of the start")
  let ascending = zip(times, times.dropFirst()).allSatisfy { $0 < $1 }
  let descending = zip(times, times.dropFirst()).allSatisfy { $0 > $1 }
  demand(
    times.allSatisfy(\.isFinite) && (ascending || descending),
    "\(name): expected finite times, all ascending or all descending, got \(times.prefix(20))")
  demand(
    relativeTolerance >= 1e-13 && relativeTolerance <= 1,
    "\(name): expected a relative tolerance from 1e-13 to 1, got \(relativeTolerance)")
  demand(
    absoluteTolerance > 0 && absoluteTolerance.isFinite,
    "\(name): expected an absolute tolerance above 0, got \(absoluteTolerance)")
  demand(maximumSteps > 0, "\(name): expected at least one step, got \(maximumSteps)")
  let point = [Tensor(times[0]), start] + parameters
  let function = CompiledFunction(
    at: point.map { Tensor($0.recordedElements, shape: $0.shape) }
  ) { inputs in
    let slope = f(inputs[0], inputs[1], Array(inputs[2...]))
    demand(
      slope.shape == inputs[1].shape,
      "\(name): expected a derivative of the state's shape \(inputs[1].shape), got \(slope.shape)")
    return [slope]
  }
  let equation = DifferentialEquation(
    function: function, tableau: method.tableau, times: times,
    relativeTolerance: relativeTolerance, absoluteTolerance: absoluteTolerance,
    maximumSteps: maximumSteps)
  return equation.apply([start] + parameters)
}

/// A differential equation with its start and parameters open: the operation of start and parameters that gives the solution.
final class DifferentialEquation: Primitive {
  /// The right-hand side, of time, state and parameters.
  let function: CompiledFunction

  /// The coefficients of the method.
  let tableau: RungeKuttaTableau

  /// The times of the start and of the states wanted.
  let times: [Double]

  /// The error of a step relative to the state.
  let relativeTolerance: Double

  /// The error of a step in the unit of the state.
  let absoluteTolerance: Double

  /// The number of steps after which the solution is given up.
  let maximumSteps: Int

  /// Creates the operation.
  init(
    function: CompiledFunction, tableau: RungeKuttaTableau, times: [Double],
    relativeTolerance: Double, absoluteTolerance: Double, maximumSteps: Int
  ) {
    self.function = function
    self.tableau = tableau
    self.times = times
    self.relativeTolerance = relativeTolerance
    self.absoluteTolerance = absoluteTolerance
    self.maximumSteps = maximumSteps
  }

  var name: String { "solution of a differential equation" }

  func outputShape(_ inputShapes: [Shape]) -> Shape { [times.count] + inputShapes[0] }

  func makeInstance(inputShapes: [Shape]) -> any PrimitiveInstance {
    DifferentialEquationSolver(self)
  }
}
