// SPDX-License-Identifier: MIT
//
// Passes of output 0 into buffers of the caller: what a function that is called by another one's primitive needs.

extension FunctionEvaluator {
  /// Computes all values at a point and copies those of output 0.
  func evaluate(
    at input: UnsafeBufferPointer<Double>, into result: UnsafeMutablePointer<Double>
  ) {
    forward(input)
    for k in 0..<firstCount { result[k] = values[firstPlace + k] }
    if firstPlace < 0 { for (k, number) in copy(0).enumerated() { result[k] = number } }
  }

  /// Sets the products of vectors with the Jacobian of output 0 at a point, one to a row.
  ///
  /// - Parameters:
  ///   - input: The point.
  ///   - vectors: The vectors, `[rows, output elements]`.
  ///   - rows: Their number.
  ///   - products: The products, `[rows, input elements]`.
  func pullBack(
    at input: UnsafeBufferPointer<Double>, _ vectors: UnsafePointer<Double>, rows: Int,
    into products: UnsafeMutablePointer<Double>
  ) {
    forward(input)
    guard firstPlace >= 0 else {
      products.update(repeating: 0, count: rows * inputCount)
      return
    }
    for row in 0..<rows {
      clear(adjoints, 0)
      let (vector, product) = (vectors + row * firstCount, products + row * inputCount)
      for k in 0..<firstCount { adjoints[firstPlace + k] = vector[k] }
      withTape(values, adjoints) { Interpreter<Double>.reverse($0, $1) }
      for k in 0..<inputCount { product[k] = adjoints[k] }
    }
  }

  /// Sets the derivative of output 0 at a point along a direction.
  func pushForward(
    at input: UnsafeBufferPointer<Double>, _ direction: UnsafeBufferPointer<Double>,
    into tangent: UnsafeMutablePointer<Double>
  ) {
    let (slab, _) = dualForward(input, direction)
    for k in 0..<firstCount { tangent[k] = slab[firstPlace + k].tangent }
    if firstPlace < 0 { for k in copy(0).indices { tangent[k] = 0 } }
  }

  /// Sets the product of a vector with the Jacobian of output 0, and the product's change along a direction.
  ///
  /// - Parameters:
  ///   - input: The point.
  ///   - direction: The direction in which the point moves.
  ///   - vector: The vector.
  ///   - vectorTangent: How the vector moves with it.
  ///   - product: The product, as many elements as the input.
  ///   - productTangent: Its change, as many.
  func pullBack(
    at input: UnsafeBufferPointer<Double>, along direction: UnsafeBufferPointer<Double>,
    _ vector: UnsafePointer<Double>, _ vectorTangent: UnsafePointer<Double>,
    into product: UnsafeMutablePointer<Double>, _ productTangent: UnsafeMutablePointer<Double>
  ) {
    let (slab, adjointSlab) = dualForward(input, direction)
    if firstPlace >= 0 {
      for k in 0..<firstCount { adjointSlab[firstPlace + k] = Dual(vector[k], vectorTangent[k]) }
      withTape(slab, adjointSlab) { Interpreter<Dual>.reverse($0, $1, .full) }
    }
    for k in 0..<inputCount {
      product[k] = adjointSlab[k].value
      productTangent[k] = adjointSlab[k].tangent
    }
  }
}
