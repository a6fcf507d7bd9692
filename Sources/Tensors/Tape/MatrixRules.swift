// SPDX-License-Identifier: MIT
//
// Matrix products, triangular solves and Cholesky factors on the tape, with their reverse rules.
//
// Source: Giles 2008, "Collected matrix derivative results"; Murray 2016, arXiv 1602.07527, for the Cholesky factor.

/// The linear-algebra instructions; matrices are row-major.
enum MatrixRules<T: TapeScalar> {
  // MARK: - Product

  /// out[m, n] = a[m, k] · b[k, n], for `d` pairs of matrices; extents: outer = m, n = k, inner = n.
  static func multiply(_ i: Instruction, _ v: UnsafeMutablePointer<T>) {
    let (m, k, n) = (Int(i.outer), Int(i.n), Int(i.inner))
    for pair in 0..<Int(i.d) {
      let a = v + Int(i.a) + pair * i.stride(0) * m * k
      let b = v + Int(i.b) + pair * i.stride(1) * k * n
      let out = v + Int(i.out) + pair * m * n
      for e in 0..<(m * n) { out[e] = T(0) }
      T.addProduct(a, false, b, false, out, m, k, n)
    }
  }

  /// Ā += Ō Bᵀ, B̄ += Aᵀ Ō.
  static func reverseMultiply(_ i: Instruction, _ memory: Memory<T>) {
    let (m, k, n) = (Int(i.outer), Int(i.n), Int(i.inner))
    let v = memory.values
    for pair in 0..<Int(i.d) {
      let (ia, ib) = (pair * i.stride(0) * m * k, pair * i.stride(1) * k * n)
      let g = memory.adjoints + Int(i.out) + pair * m * n
      if i.isActive(0) {
        T.addProduct(g, false, v + Int(i.b) + ib, true, memory.adjoints + Int(i.a) + ia, m, n, k)
      }
      if i.isActive(1) {
        T.addProduct(v + Int(i.a) + ia, true, g, false, memory.adjoints + Int(i.b) + ib, k, m, n)
      }
    }
  }

  /// Adds op(x)[m, k] · op(y)[k, n] to `out` by plain loops.
  static func addProduct(
    _ x: UnsafePointer<T>, _ transposeX: Bool, _ y: UnsafePointer<T>, _ transposeY: Bool,
    _ out: UnsafeMutablePointer<T>, _ m: Int, _ k: Int, _ n: Int
  ) {
    for r in 0..<m {
      for l in 0..<k {
        let factor = transposeX ? x[l * m + r] : x[r * k + l]
        let row = out + r * n
        if transposeY {
          for c in 0..<n { row[c] += factor * y[c * k + l] }
        } else {
          for c in 0..<n { row[c] += factor * y[l * n + c] }
        }
      }
    }
  }

  // MARK: - Triangular solve

  /// Solves L X = B (variant 0) or Lᵀ X = B (variant 1); L[m, m] lower, B[m, inner]; n = m; `outer` systems.
  static func triangularSolve(_ i: Instruction, _ v: UnsafeMutablePointer<T>) {
    let (m, columns) = (Int(i.n), Int(i.inner))
    for system in 0..<Int(i.outer) {
      let out = v + Int(i.out) + system * m * columns
      let b = v + Int(i.b) + system * m * columns
      for e in 0..<(m * columns) { out[e] = b[e] }
      T.solveLower(
        v + Int(i.a) + system * i.stride(0) * m * m, i.variant & 1 != 0, out, m, columns)
    }
  }

  /// B̄ += S⁻ᵀ X̄ and S̄ −= (S⁻ᵀ X̄) Xᵀ on the lower triangle, S = L or Lᵀ.
  static func reverseTriangularSolve(_ i: Instruction, _ memory: Memory<T>) {
    let (m, columns) = (Int(i.n), Int(i.inner))
    let v = memory.values
    let transposed = i.variant & 1 != 0
    // The scratch area holds S⁻ᵀ X̄.
    let w = v + Int(i.scratch)
    for system in 0..<Int(i.outer) {
      let (matrix, side) = (system * i.stride(0) * m * m, system * m * columns)
      let x = v + Int(i.out) + side
      let g = memory.adjoints + Int(i.out) + side
      for e in 0..<(m * columns) { w[e] = g[e] }
      T.solveLower(v + Int(i.a) + matrix, !transposed, w, m, columns)
      if i.isActive(1) {
        let gb = memory.adjoints + Int(i.b) + side
        for e in 0..<(m * columns) { gb[e] += w[e] }
      }
      guard i.isActive(0) else { continue }
      let ga = memory.adjoints + Int(i.a) + matrix
      for r in 0..<m {
        for c in 0...r {
          let (p, q) = transposed ? (c, r) : (r, c)
          var total = T(0)
          for j in 0..<columns { total += w[p * columns + j] * x[q * columns + j] }
          ga[r * m + c] = ga[r * m + c] - total
        }
      }
    }
  }

  /// Solves a lower-triangular system, or its transpose, in place, by plain loops.
  static func solve(
    _ l: UnsafePointer<T>, transposed: Bool, _ x: UnsafeMutablePointer<T>, _ m: Int, _ columns: Int
  ) {
    let order =
      transposed ? stride(from: m - 1, through: 0, by: -1) : stride(from: 0, through: m - 1, by: 1)
    for r in order {
      let row = x + r * columns
      let others = transposed ? (r + 1)..<m : 0..<r
      for k in others {
        let factor = transposed ? l[k * m + r] : l[r * m + k]
        let other = x + k * columns
        for j in 0..<columns { row[j] = row[j] - factor * other[j] }
      }
      let inverse = T(1) / l[r * m + r]
      for j in 0..<columns { row[j] = row[j] * inverse }
    }
  }

  // MARK: - Cholesky

  /// L with L Lᵀ = A, from the lower triangle of A[n, n]; NaN throughout where A is not positive definite; `outer` matrices.
  static func cholesky(_ i: Instruction, _ v: UnsafeMutablePointer<T>) {
    let n = Int(i.n)
    for matrix in 0..<Int(i.outer) {
      let a = v + Int(i.a) + matrix * n * n
      let l = v + Int(i.out) + matrix * n * n
      for r in 0..<n {
        for c in 0..<n { l[r * n + c] = c <= r ? a[r * n + c] : T(0) }
      }
      if !T.factor(l, n) { for e in 0..<(n * n) { l[e] = T(.nan) } }
    }
  }

  /// Replaces a lower triangle by its Cholesky factor by plain loops; false where it is not positive definite.
  static func factor(_ l: UnsafeMutablePointer<T>, _ n: Int) -> Bool {
    for c in 0..<n {
      var pivot = l[c * n + c]
      for k in 0..<c { pivot = pivot - l[c * n + k] * l[c * n + k] }
      guard pivot.primal > 0 else { return false }
      let root = T.sqrt(pivot)
      l[c * n + c] = root
      let inverse = T(1) / root
      for r in (c + 1)..<Swift.max(n, c + 1) {
        var total = l[r * n + c]
        for k in 0..<c { total = total - l[r * n + k] * l[c * n + k] }
        l[r * n + c] = total * inverse
      }
    }
    return true
  }

  /// The adjoints of Cholesky factors, in O(n³).
  ///
  /// Only the lower triangle of A is read by the factorisation, so only it receives adjoints.
  static func reverseCholesky(_ i: Instruction, _ memory: Memory<T>) {
    let n = Int(i.n)
    let w = memory.values + Int(i.scratch)
    for matrix in 0..<Int(i.outer) {
      let start = matrix * n * n
      let g = memory.adjoints + Int(i.out) + start
      for r in 0..<n {
        for c in 0..<n { w[r * n + c] = c <= r ? g[r * n + c] : T(0) }
      }
      T.pullFactor(
        memory.values + Int(i.out) + start, w, memory.adjoints + Int(i.a) + start, n)
    }
  }

  /// Adds the adjoint of a matrix to `ga`, given that of its Cholesky factor in the lower triangle of `w`, which is destroyed.
  ///
  /// The factorisation's loops run backwards.
  static func pullFactor(
    _ l: UnsafePointer<T>, _ w: UnsafeMutablePointer<T>, _ ga: UnsafeMutablePointer<T>, _ n: Int
  ) {
    for c in stride(from: n - 1, through: 0, by: -1) {
      let inverse = T(1) / l[c * n + c]
      for r in stride(from: n - 1, to: c, by: -1) {
        let gradient = w[r * n + c] * inverse
        w[c * n + c] = w[c * n + c] - gradient * l[r * n + c]
        for k in 0..<c {
          w[r * n + k] = w[r * n + k] - gradient * l[c * n + k]
          w[c * n + k] = w[c * n + k] - gradient * l[r * n + k]
        }
        ga[r * n + c] += gradient
      }
      let half = T(0.5) * w[c * n + c] * inverse
      for k in 0..<c { w[c * n + k] = w[c * n + k] - T(2) * half * l[c * n + k] }
      ga[c * n + c] += half
    }
  }
}
