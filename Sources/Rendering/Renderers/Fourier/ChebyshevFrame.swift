// SPDX-License-Identifier: MIT
//
// Smooth functions on the frame by their values on Chebyshev nodes: convolution by moments, and interpolation to pixels.

import CKernels

/// The moments of a point-spread function about its centre, in image pixels.
struct PointSpreadMoments: Sendable {
  /// The sum.
  let sum: Double
  /// The first moments.
  let x, y: Double
  /// The second moments.
  let xx, xy, yy: Double
  /// The larger of the fourth moments along x and y.
  let fourth: Double

  /// Measures a function.
  init(_ psf: PointSpreadFunction) {
    var m = [Double](repeating: 0, count: 8)
    let side = 1 / Double(psf.oversampling)
    for row in 0..<psf.height {
      for column in 0..<psf.width {
        let p = psf.values[row * psf.width + column]
        let dx = (Double(column) - psf.centerX) * side
        let dy = (Double(row) - psf.centerY) * side
        m[0] += p
        m[1] += p * dx
        m[2] += p * dy
        m[3] += p * dx * dx
        m[4] += p * dx * dy
        m[5] += p * dy * dy
        m[6] += p * dx * dx * dx * dx
        m[7] += p * dy * dy * dy * dy
      }
    }
    (sum, x, y, xx, xy, yy) = (m[0], m[1], m[2], m[3], m[4], m[5])
    fourth = max(m[6], m[7])
  }
}

/// Chebyshev nodes of the first kind on one axis of the frame.
struct ChebyshevAxis: Sendable {
  /// The number of nodes.
  let count: Int
  /// The nodes, in pixels, within −0.5 … pixels − 0.5.
  let nodes: [Double]
  /// The barycentric weights (Berrut & Trefethen 2004, equation 5.3).
  private let weights: [Double]

  /// Places the nodes of an axis with a given number of pixels.
  init(count: Int, pixels: Int) {
    self.count = count
    let half = Double(pixels) / 2
    nodes = (0..<count).map {
      half - 0.5 - half * cosine(.pi * (2 * Double($0) + 1) / Double(2 * count))
    }
    weights = (0..<count).map {
      ($0 % 2 == 0 ? 1 : -1) * sine(.pi * (2 * Double($0) + 1) / Double(2 * count))
    }
  }

  /// Returns the matrix from nodes to places, [places, count] (barycentric formula).
  func interpolation(to places: [Double]) -> [Double] {
    places.flatMap { x -> [Double] in
      if let hit = nodes.firstIndex(of: x) {
        return (0..<count).map { $0 == hit ? 1 : 0 }
      }
      let terms = (0..<count).map { weights[$0] / (x - nodes[$0]) }
      let sum = terms.reduce(0, +)
      return terms.map { $0 / sum }
    }
  }

  /// The matrix of the derivative at the nodes, [count, count] (Berrut & Trefethen 2004, equations 9.4 and 9.5).
  var differentiation: [Double] {
    var d = [Double](repeating: 0, count: count * count)
    for i in 0..<count {
      var diagonal = 0.0
      for j in 0..<count where j != i {
        let entry = weights[j] / weights[i] / (nodes[i] - nodes[j])
        d[i * count + j] = entry
        diagonal -= entry
      }
      d[i * count + i] = diagonal
    }
    return d
  }
}

/// A square grid of nodes over the frame, with the operators on functions given by their values there.
///
/// A function is convolved with the PSF through its Taylor series to second order: sum · f − first · ∇f + ½ second : ∇∇f,
/// each derivative that of the interpolating polynomial.
struct ChebyshevFrame: Sendable {
  /// The numbers of nodes on an axis that are on offer.
  static let counts = [6, 8, 12, 16, 24, 32, 48]

  /// The number of nodes on an axis.
  let count: Int
  /// The columns of the nodes, [count, count].
  let nodeX: [Double]
  /// The rows of the nodes, [count, count].
  let nodeY: [Double]
  /// The number of columns of the frame.
  private let width: Int
  /// The number of rows of the frame.
  private let height: Int
  /// sum − Mx D + ½ Mxx D², along x: the operator and its transpose.
  private let along, alongT: [Double]
  /// −My + Mxy D, along x: the operator and its transpose; D along y follows.
  private let mixed, mixedT: [Double]
  /// D along y.
  private let derivativeY: [Double]
  /// ½ Myy D² along y.
  private let curvatureY: [Double]
  /// From nodes to columns, [count, width].
  private let toColumnsT: [Double]
  /// From nodes to rows, [height, count].
  private let toRows: [Double]
  /// From a coarser frame's nodes, along y, [count, coarser], and along x transposed, [coarser, count].
  private let fromCoarserY, fromCoarserXT: [Double]
  /// From a coarser frame's nodes along x, [count, coarser].
  private let fromCoarserX: [Double]
  /// The number of nodes of the coarser frame on an axis.
  let coarserCount: Int

  /// Computes the operators.
  init(
    count: Int, coarser: Int, width: Int, height: Int, moments: PointSpreadMoments
  ) {
    self.count = count
    self.width = width
    self.height = height
    coarserCount = coarser
    let x = ChebyshevAxis(count: count, pixels: width)
    let y = ChebyshevAxis(count: count, pixels: height)
    nodeX = (0..<count * count).map { x.nodes[$0 % count] }
    nodeY = (0..<count * count).map { y.nodes[$0 / count] }
    let dx = x.differentiation
    let dy = y.differentiation
    let dxx = Self.product(dx, dx, count)
    let dyy = Self.product(dy, dy, count)
    along = (0..<count * count).map {
      ($0 % (count + 1) == 0 ? moments.sum : 0) - moments.x * dx[$0] + 0.5 * moments.xx * dxx[$0]
    }
    mixed = (0..<count * count).map {
      ($0 % (count + 1) == 0 ? -moments.y : 0) + moments.xy * dx[$0]
    }
    alongT = Self.transpose(along, count, count)
    mixedT = Self.transpose(mixed, count, count)
    derivativeY = dy
    curvatureY = dyy.map { 0.5 * moments.yy * $0 }
    let toColumns = x.interpolation(to: (0..<width).map(Double.init))
    toColumnsT = Self.transpose(toColumns, width, count)
    toRows = y.interpolation(to: (0..<height).map(Double.init))
    let coarserX = ChebyshevAxis(count: coarser, pixels: width)
    let coarserY = ChebyshevAxis(count: coarser, pixels: height)
    fromCoarserX = coarserX.interpolation(to: x.nodes)
    fromCoarserXT = Self.transpose(fromCoarserX, count, coarser)
    fromCoarserY = coarserY.interpolation(to: y.nodes)
  }

  /// Returns a b for square matrices.
  private static func product(_ a: [Double], _ b: [Double], _ n: Int) -> [Double] {
    var c = [Double](repeating: 0, count: n * n)
    for i in 0..<n {
      for k in 0..<n {
        for j in 0..<n { c[i * n + j] += a[i * n + k] * b[k * n + j] }
      }
    }
    return c
  }

  /// Returns the transpose of a matrix [rows, columns].
  private static func transpose(_ a: [Double], _ rows: Int, _ columns: Int) -> [Double] {
    (0..<rows * columns).map { a[$0 % rows * columns + $0 / rows] }
  }

  /// The number of doubles of the scratch memory that the operators need.
  var scratchCount: Int { count * (2 * count + max(width, count)) }

  /// Adds a function on the coarser frame's nodes to `values`.
  func addCoarser(
    _ coarse: UnsafePointer<Double>, to values: UnsafeMutablePointer<Double>,
    scratch: UnsafeMutablePointer<Double>
  ) {
    let m = coarserCount
    scratch.update(repeating: 0, count: m * count)
    sersic_multiply_add(m, m, count, 1, coarse, fromCoarserXT, count, scratch, count)
    sersic_multiply_add(count, m, count, 1, fromCoarserY, scratch, count, values, count)
  }

  /// Sets `coarse` to the adjoint of `addCoarser`.
  func coarserAdjoint(
    _ adjoint: UnsafePointer<Double>, into coarse: UnsafeMutablePointer<Double>,
    scratch: UnsafeMutablePointer<Double>
  ) {
    let m = coarserCount
    scratch.update(repeating: 0, count: m * count)
    coarse.update(repeating: 0, count: m * m)
    sersic_multiply_add_transposed(
      m, count, count, 1, fromCoarserY, adjoint, count, scratch, count)
    sersic_multiply_add(m, count, m, 1, scratch, fromCoarserX, m, coarse, m)
  }

  /// Adds `factor` times the function at the nodes, convolved with the PSF, to the pixels.
  func add(
    _ values: UnsafePointer<Double>, factor: Double, to image: UnsafeMutablePointer<Double>,
    scratch: UnsafeMutablePointer<Double>
  ) {
    let m = count
    let smooth = scratch
    let part = scratch + m * m
    let rows = scratch + 2 * m * m
    scratch.update(repeating: 0, count: scratchCount)
    sersic_multiply_add(m, m, m, 1, values, alongT, m, smooth, m)
    sersic_multiply_add(m, m, m, 1, values, mixedT, m, part, m)
    sersic_multiply_add(m, m, m, 1, derivativeY, part, m, smooth, m)
    sersic_multiply_add(m, m, m, 1, curvatureY, values, m, smooth, m)
    sersic_multiply_add(m, m, width, 1, smooth, toColumnsT, width, rows, width)
    sersic_multiply_add(height, m, width, factor, toRows, rows, width, image, width)
  }

  /// Sets `out` to `factor` times the adjoint of `add` for an image adjoint.
  func adjoint(
    _ image: UnsafePointer<Double>, factor: Double, into out: UnsafeMutablePointer<Double>,
    scratch: UnsafeMutablePointer<Double>
  ) {
    let m = count
    let smooth = scratch
    let part = scratch + m * m
    let rows = scratch + 2 * m * m
    scratch.update(repeating: 0, count: scratchCount)
    out.update(repeating: 0, count: m * m)
    sersic_multiply_add_transposed(m, height, width, factor, toRows, image, width, rows, width)
    sersic_project_rows(m, width, m, 1, rows, width, toColumnsT, width, smooth)
    sersic_multiply_add(m, m, m, 1, smooth, along, m, out, m)
    sersic_multiply_add_transposed(m, m, m, 1, derivativeY, smooth, m, part, m)
    sersic_multiply_add(m, m, m, 1, part, mixed, m, out, m)
    sersic_multiply_add_transposed(m, m, m, 1, curvatureY, smooth, m, out, m)
  }
}
