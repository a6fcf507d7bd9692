// SPDX-License-Identifier: MIT
//
// L-BFGS that takes the curvature where it starts: for searches that begin near a maximum, in many coordinates.

import Tensors

/// A maximiser that asks for the curvature once, at its start, and for gradients from there on.
///
/// Near a maximum the curvature at the start tells most of what is needed, and a search of hundreds of coordinates, whatever their
/// scales and correlations, takes tens of gradients where conjugate gradients take thousands of Hessian-vector products. It costs as
/// many products as there are coordinates. Where the curvature at the start is not that of a maximum it begins without one.
public struct CurvedLBFGS: Optimizer {
  /// The search that follows.
  public var search: LBFGS

  /// Creates the optimiser.
  public init() {
    search = LBFGS()
    search.memory = 30
  }

  public func maximize(
    _ target: some LogDensity, from start: [Double], control: SearchControl
  ) -> Optimum {
    var ascent = Ascent(target, from: start, control)
    guard ascent.isFinite else { return ascent.end(.notFinite) }
    var curvature = ascent.curvature(.gaussNewton)
    let n = start.count
    // A direction without curvature must not take a step without end.
    for k in 0..<n { curvature[k * n + k] += 1e-9 * abs(curvature[k * n + k]) + 1e-300 }
    var search = search
    if curvature.allSatisfy(\.isFinite),
      let block = CurvatureBlock(Array(0..<n), curvature: curvature)
    {
      search.curvature = ArrowCurvature([block], border: [], columns: [])
    }
    var end = search.maximize(target, from: start, control: control)
    end.hessianProducts += n
    end.gradientEvaluations += 1
    return end
  }
}

/// The search for the mode of a Laplace approximation, from a place near it.
///
/// Up to ``StandardOptimizer/curvatureDimension`` coordinates the standard one; beyond, one whose curvature is taken once.
public struct ModeSearch: Optimizer {
  /// Creates the optimiser.
  public init() {}

  public func maximize(
    _ target: some LogDensity, from start: [Double], control: SearchControl
  ) -> Optimum {
    let standard = StandardOptimizer()
    // Beyond a few thousand coordinates the curvature, which the approximation needs, is out of reach anyway.
    guard start.count > standard.curvatureDimension else {
      return standard.maximize(target, from: start, control: control)
    }
    return CurvedLBFGS().fallingBack(on: standard).maximize(target, from: start, control: control)
  }
}
