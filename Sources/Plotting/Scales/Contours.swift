// SPDX-License-Identifier: MIT
//
// Closed lines of equal density by marching squares (Maple 2003), joined into loops that can be filled.

extension DensityGrid {
  /// Returns the closed loops around all places where the density is above a level, in shares of the axes.
  ///
  /// The grid is continued outside its edges by its own rim and then by nothing: a loop that meets an edge runs outside
  /// along it, to be clipped by the frame.
  package func contours(at level: Double) -> [[PlotPoint]] {
    let side = bins + 4
    /// Returns the density at a node of the widened grid.
    func node(_ column: Int, _ row: Int) -> Double {
      guard (1..<(side - 1)).contains(column), (1..<(side - 1)).contains(row) else { return -1 }
      let x = min(max(column - 2, 0), bins - 1)
      let y = min(max(row - 2, 0), bins - 1)
      return values[y * bins + x]
    }
    /// Returns the place of a node in shares of the axes.
    func place(_ column: Double, _ row: Double) -> PlotPoint {
      PlotPoint((column - 1.5) / Double(bins), (row - 1.5) / Double(bins))
    }
    // An edge is named by its lower or left node and its direction; each crossing leads to the next one.
    var next: [Int: Int] = [:]
    for row in 0..<(side - 1) {
      for column in 0..<(side - 1) {
        let corners = [
          node(column, row), node(column + 1, row), node(column + 1, row + 1),
          node(column, row + 1),
        ]
        let south = 2 * (row * side + column)
        let edges = [south, 2 * (row * side + column + 1) + 1, south + 2 * side, south + 1]
        let center = corners.reduce(0, +) / 4
        for (from, to) in DensityGrid.segments(corners.map { $0 > level }, center > level) {
          next[edges[from]] = edges[to]
        }
      }
    }
    /// Returns where the level is crossed on an edge.
    func crossing(_ edge: Int) -> PlotPoint {
      let (column, row) = (edge / 2 % side, edge / 2 / side)
      let isUpright = edge % 2 == 1
      let a = node(column, row)
      let b = isUpright ? node(column, row + 1) : node(column + 1, row)
      let t = min(max((level - a) / (b - a), 0), 1)
      return isUpright
        ? place(Double(column), Double(row) + t) : place(Double(column) + t, Double(row))
    }
    var loops: [[PlotPoint]] = []
    for start in next.keys.sorted() {
      var loop: [PlotPoint] = []
      var edge = start
      while let following = next.removeValue(forKey: edge) {
        loop.append(crossing(edge))
        edge = following
      }
      if loop.count > 2 { loops.append(loop) }
    }
    return loops
  }

  /// Returns the lines in a cell as pairs of its edges (south, east, north, west), the high side on the left.
  private static func segments(_ isHigh: [Bool], _ isCenterHigh: Bool) -> [(Int, Int)] {
    var entries: [Int] = []
    var exits: [Int] = []
    // Going round counter-clockwise, a line leaves the cell where high turns to low and enters where low turns to high.
    for edge in 0..<4 {
      let (a, b) = (isHigh[edge], isHigh[(edge + 1) % 4])
      if a && !b { entries.append(edge) }
      if !a && b { exits.append(edge) }
    }
    guard entries.count == 2 else { return Array(zip(entries, exits)) }
    // In a saddle the centre decides which corners belong together.
    return entries.map { entry in
      (entry, isCenterHigh ? (entry + 1) % 4 : (entry + 3) % 4)
    }
  }
}
