// SPDX-License-Identifier: MIT
//
// Tests of the BLAS and LAPACK wrappers against plain loops: order of rows, transposes, triangles.

import Numerics
import Testing

/// A row-major matrix with obvious, slow operations.
private struct Matrix: Equatable {
  /// The number of rows.
  let rows: Int

  /// The number of columns.
  let columns: Int

  /// The elements, row by row.
  var elements: [Double]

  /// Creates a matrix of pseudo-random elements in [-1, 1).
  init(_ rows: Int, _ columns: Int, _ key: RandomKey) {
    self.rows = rows
    self.columns = columns
    elements = key.uniforms(rows * columns).map { 2 * $0 - 1 }
  }

  /// The element at a row and a column.
  subscript(i: Int, j: Int) -> Double {
    get { elements[i * columns + j] }
    set { elements[i * columns + j] = newValue }
  }

  /// The transpose.
  var transposed: Matrix {
    var result = Matrix(columns, rows, 0)
    for i in 0..<rows { for j in 0..<columns { result[j, i] = self[i, j] } }
    return result
  }

  /// The lower triangle, with the diagonal moved away from zero.
  var lower: Matrix {
    var result = self
    for i in 0..<rows {
      for j in 0..<columns where j > i { result[i, j] = 0 }
      result[i, i] += result[i, i] < 0 ? -1.5 : 1.5
    }
    return result
  }

  /// The product by the definition.
  static func * (a: Matrix, b: Matrix) -> Matrix {
    var c = Matrix(a.rows, b.columns, 0)
    for i in 0..<a.rows {
      for j in 0..<b.columns { c[i, j] = (0..<a.columns).reduce(0) { $0 + a[i, $1] * b[$1, j] } }
    }
    return c
  }

  /// The largest difference of elements.
  func distance(_ other: Matrix) -> Double {
    zip(elements, other.elements).reduce(0) { max($0, abs($1.0 - $1.1)) }
  }
}

@Suite("Linear algebra") struct LinearAlgebraTests {
  /// Sums of at most 7 products below 4, and solutions of well-conditioned systems: 1e-13 is some 100 roundings.
  let tolerance = 1e-13

  @Test(
    "products agree with the definition for every transposition", arguments: [false, true],
    [false, true])
  func products(_ ta: Bool, _ tb: Bool) {
    let a = Matrix(4, 7, 1)
    let b = Matrix(7, 3, 2)
    let c = Matrix(4, 3, 3)
    var out = c
    LinearAlgebra.gemm(
      transposeA: ta, transposeB: tb, m: 4, n: 3, k: 7, alpha: 2,
      ta ? a.transposed.elements : a.elements, tb ? b.transposed.elements : b.elements, beta: 0.5,
      into: &out.elements)
    var expected = a * b
    for i in expected.elements.indices {
      expected.elements[i] = 2 * expected.elements[i] + 0.5 * c.elements[i]
    }
    #expect(out.distance(expected) < tolerance)
  }

  @Test("matrix times vector, outer product, inner product and scaled sum are right")
  func vectors() {
    let a = Matrix(4, 7, 1)
    let x = Matrix(7, 1, 2)
    let y = Matrix(4, 1, 3)
    var ax = Matrix(4, 1, 4)
    LinearAlgebra.gemv(rows: 4, columns: 7, a.elements, x.elements, into: &ax.elements)
    #expect(ax.distance(a * x) < tolerance)
    var aty = Matrix(7, 1, 4)
    LinearAlgebra.gemv(
      transpose: true, rows: 4, columns: 7, a.elements, y.elements, into: &aty.elements)
    #expect(aty.distance(a.transposed * y) < tolerance)
    // yᵀ(Ax) = (Aᵀy)ᵀx.
    let left = LinearAlgebra.dot(y.elements, ax.elements, count: 4)
    #expect(abs(left - LinearAlgebra.dot(aty.elements, x.elements, count: 7)) < tolerance)
    var outer = Matrix(4, 7, 5)
    let before = outer
    LinearAlgebra.ger(rows: 4, columns: 7, alpha: 3, y.elements, x.elements, into: &outer.elements)
    #expect(abs(outer[2, 5] - before[2, 5] - 3 * y[2, 0] * x[5, 0]) < tolerance)
    var sum = x.elements
    LinearAlgebra.axpy(-2, x.elements, into: &sum, count: 7)
    #expect(sum == x.elements.map { -$0 })
  }

  @Test(
    "triangular solves undo triangular products on either side",
    arguments: [(false, false), (false, true), (true, false), (true, true)], [true, false])
  func triangular(_ flags: (Bool, Bool), _ lower: Bool) {
    let (transpose, fromRight) = flags
    let l = Matrix(fromRight ? 3 : 5, fromRight ? 3 : 5, 1).lower
    let t = lower ? l : l.transposed
    let b = Matrix(5, 3, 2)
    let op = transpose ? t.transposed : t
    var product = b
    LinearAlgebra.multiplyTriangular(
      lower: lower, transpose: transpose, fromRight: fromRight, rows: 5, columns: 3, t.elements,
      into: &product.elements)
    #expect(product.distance(fromRight ? b * op : op * b) < tolerance)
    LinearAlgebra.solveTriangular(
      lower: lower, transpose: transpose, fromRight: fromRight, rows: 5, columns: 3, t.elements,
      into: &product.elements)
    #expect(product.distance(b) < tolerance)
  }

  @Test("the Cholesky factor is lower triangular and multiplies back")
  func cholesky() {
    let l = Matrix(6, 6, 8).lower
    let a = l * l.transposed
    var factor = a
    // Nothing above the diagonal may be read.
    for i in 0..<6 { for j in (i + 1)..<6 { factor[i, j] = .nan } }
    #expect(LinearAlgebra.cholesky(&factor.elements, n: 6))
    for i in 0..<6 { for j in (i + 1)..<6 { #expect(factor[i, j] == 0) } }
    #expect((factor * factor.transposed).distance(a) < tolerance)
    let x = Matrix(6, 2, 9)
    var solution = a * x
    LinearAlgebra.solveCholesky(factor.elements, n: 6, columns: 2, into: &solution.elements)
    // The condition number here is below 1e3.
    #expect(solution.distance(x) < 1e-11)
  }

  @Test("an indefinite matrix has no Cholesky factor")
  func indefinite() {
    var a = [1.0, 2, 2, 1]
    #expect(!LinearAlgebra.cholesky(&a, n: 2))
  }

  @Test("rows are eigenvectors, with eigenvalues in ascending order")
  func eigen() {
    let l = Matrix(6, 6, 8)
    let a = l * l.transposed
    var vectors = a
    var values = [Double](repeating: 0, count: 6)
    #expect(LinearAlgebra.symmetricEigen(&vectors.elements, n: 6, values: &values))
    #expect(values == values.sorted())
    for k in 0..<6 {
      var vector = Matrix(6, 1, 0)
      for i in 0..<6 { vector[i, 0] = vectors[k, i] }
      let image = a * vector
      for i in 0..<6 { #expect(abs(image[i, 0] - values[k] * vector[i, 0]) < tolerance) }
    }
    let identity = vectors * vectors.transposed
    for i in 0..<6 {
      for j in 0..<6 { #expect(abs(identity[i, j] - (i == j ? 1 : 0)) < tolerance) }
    }
  }
}
