// SPDX-License-Identifier: MIT
//
// A curvature in blocks of coordinates that do not touch, bordered by a few coordinates that touch all.

import Numerics

/// The curvature of −log density in a block of coordinates, ready to be solved with.
public struct CurvatureBlock: Sendable {
  /// The coordinates of the block.
  public let coordinates: [Int]

  /// The factor of the curvature.
  private let factor: CholeskyFactor

  /// Factors the curvature in a block; nil where it is not positive definite.
  ///
  /// - Parameters:
  ///   - coordinates: The coordinates of the block, distinct.
  ///   - curvature: Minus the second derivatives by them, row-major.
  /// - Precondition: `curvature` has `coordinates.count²` elements.
  public init?(_ coordinates: [Int], curvature: [Double]) {
    let n = coordinates.count
    demand(
      curvature.count == n * n,
      "CurvatureBlock: expected \(n * n) second derivatives, got \(curvature.count)")
    guard let factor = CholeskyFactor(curvature, n) else { return nil }
    self.coordinates = coordinates
    self.factor = factor
  }

  /// Replaces the block's part of a vector by its product with the inverse of the curvature.
  func solve(_ vector: inout [Double]) {
    let part = factor.solve(coordinates.map { vector[$0] })
    for (k, coordinate) in coordinates.enumerated() { vector[coordinate] = part[k] }
  }
}

/// A curvature of −log density with the shape of an arrow: blocks on the diagonal, and a border of a few coordinates that
/// each have to do with all others.
///
/// Its inverse is taken by the blocks' own and the Schur complement of the border; no matrix of all coordinates is made.
public struct ArrowCurvature: Sendable {
  /// The blocks.
  private let blocks: [CurvatureBlock]

  /// The coordinates of the border.
  private let border: [Int]

  /// For each coordinate of the border, its second derivatives with the blocks, solved with them; zero on the border.
  private let reach: [[Double]]

  /// The border's curvature less what the blocks take up.
  private let complement: CurvatureBlock?

  /// Assembles the curvature.
  ///
  /// Where what is left of the border's curvature is not positive definite, the blocks and its own diagonal are used.
  ///
  /// - Parameters:
  ///   - blocks: The blocks, no coordinate in two of them.
  ///   - border: The coordinates of the border, none of them in a block.
  ///   - columns: For each coordinate of the border minus the second derivatives by it and every coordinate.
  public init(_ blocks: [CurvatureBlock], border: [Int], columns: [[Double]]) {
    demand(
      border.count == columns.count,
      "ArrowCurvature: expected \(border.count) columns, got \(columns.count)")
    self.blocks = blocks
    self.border = border
    let bare = columns.map { column in
      var column = column
      for k in border { column[k] = 0 }
      return column
    }
    let reach = bare.map { column in
      var column = column
      for block in blocks { block.solve(&column) }
      return column
    }
    var left: [Double] = []
    for (i, column) in columns.enumerated() {
      for (j, k) in border.enumerated() { left.append(column[k] - dot(reach[i], bare[j])) }
    }
    if let complement = CurvatureBlock(Array(border.indices), curvature: left) {
      self.complement = complement
      self.reach = reach
    } else {
      let n = border.count
      var diagonal = [Double](repeating: 0, count: n * n)
      for (i, k) in border.enumerated() { diagonal[i * n + i] = max(abs(columns[i][k]), 1e-12) }
      complement = CurvatureBlock(Array(border.indices), curvature: diagonal)
      self.reach = []
    }
  }

  /// Returns the product of a vector with the inverse of the curvature; coordinates in no block and no border stay.
  func solve(_ vector: [Double]) -> [Double] {
    var result = vector
    for block in blocks { block.solve(&result) }
    var edge = border.map { vector[$0] }
    for (i, column) in reach.enumerated() { edge[i] -= dot(column, vector) }
    complement?.solve(&edge)
    for (i, k) in border.enumerated() { result[k] = edge[i] }
    for (i, column) in reach.enumerated() {
      for k in result.indices { result[k] -= edge[i] * column[k] }
    }
    return result
  }
}
