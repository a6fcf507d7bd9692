// SPDX-License-Identifier: MIT
//
// The coefficients of Runge–Kutta methods with an embedded error estimate.

/// The coefficients of a method whose first stage is explicit and whose last stage is the result of the step.
///
/// Y_i = y + h Σ_{j ≤ i} a_ij k_j and k_i = f(t + c_i h, Y_i), i from 0; Y_0 = y, and the last Y is the state at t + h, so its
/// slope is the first of the next step. All stages but the first have the same `diagonal`: 0 for an explicit method.
struct RungeKuttaTableau: Sendable {
  /// The number of stages.
  let stages: Int

  /// The coefficients a_ij below the diagonal, row by row, `[stages, stages]`.
  let below: [Double]

  /// The coefficient a_ii of all stages but the first.
  let diagonal: Double

  /// The places of the stages in the step, c_i.
  let nodes: [Double]

  /// The weights of the slopes in the error estimate: those of the result minus those of the embedded method.
  let errorWeights: [Double]

  /// The order of the error estimate in the step size.
  let errorOrder: Double

  /// Creates a tableau from the rows below the diagonal and the embedded weights, which count the diagonal in.
  private init(
    rows: [[Double]], diagonal: Double, nodes: [Double], embedded: [Double], errorOrder: Double
  ) {
    let stages = rows.count
    var below = [Double](repeating: 0, count: stages * stages)
    for (i, row) in rows.enumerated() {
      for (j, value) in row.enumerated() { below[i * stages + j] = value }
    }
    self.stages = stages
    self.below = below
    self.diagonal = diagonal
    self.nodes = nodes
    self.errorOrder = errorOrder
    errorWeights = (0..<stages).map { j in
      let weight = j == stages - 1 ? diagonal : below[(stages - 1) * stages + j]
      return weight - embedded[j]
    }
  }

  /// The explicit pair of orders 5 and 4, of which the fifth is kept.
  ///
  /// ### Source
  ///
  /// Dormand & Prince 1980, J. Comp. Appl. Math. 6, 19; Hairer, Nørsett & Wanner 1993, table II.5.2.
  static let dormandPrince = RungeKuttaTableau(
    rows: [
      [],
      [1.0 / 5],
      [3.0 / 40, 9.0 / 40],
      [44.0 / 45, -56.0 / 15, 32.0 / 9],
      [19372.0 / 6561, -25360.0 / 2187, 64448.0 / 6561, -212.0 / 729],
      [9017.0 / 3168, -355.0 / 33, 46732.0 / 5247, 49.0 / 176, -5103.0 / 18656],
      [35.0 / 384, 0, 500.0 / 1113, 125.0 / 192, -2187.0 / 6784, 11.0 / 84],
    ],
    diagonal: 0, nodes: [0, 1.0 / 5, 3.0 / 10, 4.0 / 5, 8.0 / 9, 1, 1],
    embedded: [
      5179.0 / 57600, 0, 7571.0 / 16695, 393.0 / 640, -92097.0 / 339200, 187.0 / 2100, 1.0 / 40,
    ], errorOrder: 5)

  /// The implicit pair of orders 4 and 3, of which the fourth is kept: L-stable, all stages of second order.
  ///
  /// ### Source
  ///
  /// Kennedy & Carpenter 2003, Appl. Numer. Math. 44, 139, appendix: the implicit half of ARK4(3)6L[2]SA.
  static let kennedyCarpenter = RungeKuttaTableau(
    rows: [
      [],
      [1.0 / 4],
      [8611.0 / 62500, -1743.0 / 31250],
      [5012029.0 / 34652500, -654441.0 / 2922500, 174375.0 / 388108],
      [
        15267082809.0 / 155376265600, -71443401.0 / 120774400, 730878875.0 / 902184768,
        2285395.0 / 8070912,
      ],
      [82889.0 / 524892, 0, 15625.0 / 83664, 69875.0 / 102672, -2260.0 / 8211],
    ],
    diagonal: 1.0 / 4, nodes: [0, 1.0 / 2, 83.0 / 250, 31.0 / 50, 17.0 / 20, 1],
    embedded: [
      4586570599.0 / 29645900160, 0, 178811875.0 / 945068544, 814220225.0 / 1159782912,
      -3700637.0 / 11593932, 61727.0 / 225920,
    ], errorOrder: 4)
}
