// SPDX-License-Identifier: MIT
//
// The Swift of the catalogue's articles on the language and on compiled densities, line by line: change both together.

import Foundation
import SwiftSersic

// MARK: - The landing page

/// The first model of the landing page.
func catalogueFirstModel(y: [Double], sigma: [Double]) throws -> Draws {
  let eightSchools = Model { m in
    let mu = m.sample("mu", Normal(0, 5))
    let tau = m.sample("tau", HalfCauchy(5))
    m.plate("schools", 8) {
      let theta = m.sample("theta", Normal(mu, tau))
      m.observe("y", Normal(theta, sigma), y)
    }
  }
  let density = try eightSchools.reparameterized(["theta": LocScale()]).logDensity()
  let draws = try NUTS().run(density, chains: 4, warmUp: 1000, draws: 1000, key: 1)
  print(draws.summary(), draws.diagnostics)
  return draws
}

// MARK: - Statements

/// Heights by age; nil predicts them.
func growth(age: [Double], height: [Double]?) -> Model<Void> {
  Model { m in
    let start = m.sample("start", Normal(50, 10))
    let rate = m.sample("rate", LogNormal(2, 0.5))
    let scatter = m.sample("scatter", HalfNormal(5))
    let mean = m.deterministic("mean", start + rate * Tensor(age))
    m.observe("height", Normal(mean, scatter), height)
  }
}

/// The log joint density at a point, term by term.
func checkGrowth(age: [Double], height: [Double]) throws -> Trace {
  let model = growth(age: age, height: height)
  let trace = try model.substituting(["start": 50, "rate": 7, "scatter": 2]).trace()
  print(trace.names, trace.logJoint.item())
  print(trace["height"].logProbability.item(), trace["mean"].value.elements)
  return trace
}

/// Groups in a plate.
func schools(y: [Double]?, sigma: [Double]) -> Model<Void> {
  Model { m in
    let mu = m.sample("mu", Normal(0, 5))
    let tau = m.sample("tau", HalfCauchy(5))
    m.plate("schools", sigma.count) {
      let theta = m.sample("theta", Normal(mu, tau))
      m.observe("y", Normal(theta, sigma), y)
    }
  }
}

/// One plate inside another: an effect of each row of a table.
func rowEffects(_ y: Tensor) -> Model<Void> {
  Model { m in
    m.plate("rows", y.shape[0], axis: -2) {
      let row = m.sample("row", Normal(0, 1))
      m.plate("columns", y.shape[1], axis: -1) { m.observe("y", Normal(row, 0.5), y) }
    }
  }
}

// MARK: - Handlers

/// What handlers make of a model.
func handledGrowth(age: [Double], height: [Double]) throws -> [Trace] {
  let model = growth(age: age, height: height)
  let fixed = model.conditioned(on: ["scatter": 2])
  let predicted = model.unconditioned(["height"])
  let without = model.intervened(on: ["rate": 0])
  let traces = try [model, fixed, predicted, without].map { try $0.trace(key: 1) }
  for trace in traces { print(trace.logJoint.item(), trace["height"].value.elements) }
  return traces
}

/// A handler that counts latent sites.
struct SiteCounter: Handler {
  var latent = 0
  mutating func postprocess(_ site: inout Site) { if site.isLatent { latent += 1 } }
}

/// Counts the latent sites of a model.
func countSites(_ model: Model<Void>) throws -> Int {
  let (_, counter) = try model.run(under: SiteCounter(), key: 1)
  print(counter.latent)
  return counter.latent
}

/// A handler that gives data a part of their weight.
struct PowerPrior: Handler {
  var weight: Double
  mutating func process(_ site: inout Site) { if site.isObserved { site.scale *= weight } }
}

/// Weighs the data of a model.
func downweighted(_ model: Model<Void>) -> Model<Void> {
  let weaker = model.handled(by: PowerPrior(weight: 0.5))
  return weaker
}

/// Non-centres the effects of schools, whole or in part.
func reparameterizedSchools(y: [Double], sigma: [Double]) throws -> [String] {
  let centred = schools(y: y, sigma: sigma)
  let noncentred = centred.reparameterized(["theta": LocScale()])
  let between = centred.reparameterized(["theta": LocScale(centring: 0.3)])
  print(try noncentred.logDensity().layout.names)  // ["mu", "tau", "theta_base"]
  print(try between.logDensity().authoredNames)  // ["mu", "tau", "theta"]
  return try noncentred.logDensity().layout.names
}

/// A model of data from a file.
func growth(contentsOf path: String) throws -> Model<Void> {
  let data = try ModelData(contentsOf: path)
  let model = try growth(age: data.vector("age"), height: data.vector("height"))
  return model
}

/// A program made of two, whose sites have prefixes.
func twoGroups(_ first: [Double], _ second: [Double], _ age: [Double]) -> Model<Void> {
  Model { m in
    m.scope("girls") { m.call(growth(age: age, height: first)) }
    m.scope("boys") { m.call(growth(age: age, height: second)) }
  }
}

// MARK: - Compiled densities

/// Compiles a model and evaluates its density.
func evaluate(_ model: Model<Void>) throws -> (value: Double, gradient: [Double], count: Int) {
  let density = try model.logDensity()
  print(density.dimension, density.isDynamic, density.function.instructionCount)
  for entry in density.layout.entries { print(entry.name, entry.range, entry.shape) }

  let evaluator = density.makeEvaluator()
  let q = try density.initialPoint(key: 1)
  var gradient = [Double](repeating: 0, count: density.dimension)
  let value = evaluator.valueAndGradient(at: q, into: &gradient)
  var product = gradient
  _ = evaluator.hessianVectorProduct(at: q, gradient, into: &product)
  print(value, gradient, product, evaluator.evaluations)

  let values = density.constrain(q)
  let back = try density.unconstrain(values)
  let joint = density.makeJointEvaluator().value(at: back)
  print(values, joint)
  return (value, gradient, density.dimension)
}

/// Derivatives of a plain function.
func rosenbrockDerivatives() -> (value: Double, gradient: Tensor, hessian: Tensor) {
  let rosenbrock: @Sendable (Tensor) -> Tensor = { x in
    square(1 - x[0]) + 100 * square(x[1] - square(x[0]))
  }
  let (value, slope) = valueAndGradient(at: Tensor([0.5, 0.5]), of: rosenbrock)
  let curvature = hessian(at: Tensor([1, 1]), of: rosenbrock)
  let along = jvp(at: Tensor([0.5, 0.5]), Tensor([1, 0]), of: rosenbrock).tangent
  print(value, slope, curvature, along)

  let function = CompiledFunction(at: [Tensor([0.5, 0.5])]) { [rosenbrock($0[0])] }
  let evaluator = function.makeEvaluator()
  print(function.instructionCount, evaluator.hessian(at: [1, 1]), evaluator.evaluations)
  return (value, slope, curvature)
}

/// A slope that begins at a knee, by control flow on a value.
func knee(at x: Double) -> Model<Void> {
  Model { m in
    let knee = m.sample("knee", Normal(0, 1))
    let slope = m.sample("slope", Normal(0, 1))
    let rise = knee.item() < x ? slope * (x - knee) : Tensor(0)
    m.observe("y", Normal(rise, 0.1), 1.0)
  }
}

/// The same, by a selection that stays on the tape.
func selectedKnee(at x: Double) -> Model<Void> {
  Model { m in
    let knee = m.sample("knee", Normal(0, 1))
    let slope = m.sample("slope", Normal(0, 1))
    let rise = select(knee.isLess(than: x), slope * (x - knee), Tensor(0))
    m.observe("y", Normal(rise, 0.1), 1.0)
  }
}

/// Which of the two is recorded anew at each evaluation.
func compareKnees() throws -> (Bool, Bool) {
  let (dynamic, fixed) = (try knee(at: 0.5).logDensity(), try selectedKnee(at: 0.5).logDensity())
  print(dynamic.isDynamic, fixed.isDynamic)  // true false
  return (dynamic.isDynamic, fixed.isDynamic)
}

/// The logarithm of the hyperbolic cosine, element by element, without overflow.
final class LogCosh: Primitive {
  let name = "log cosh"

  func outputShape(_ inputShapes: [Shape]) -> Shape { inputShapes[0] }

  func makeInstance(inputShapes: [Shape]) -> any PrimitiveInstance { Instance() }

  final class Instance: PrimitiveInstance {
    func forward(_ inputs: PrimitiveInputs, into output: UnsafeMutableBufferPointer<Double>) {
      for k in output.indices {
        let x = abs(inputs[0][k])
        output[k] = x + log1p(exp(-2 * x)) - log(2.0)
      }
    }

    func pullback(
      _ inputs: PrimitiveInputs, output: UnsafeBufferPointer<Double>,
      adjoint: UnsafeBufferPointer<Double>, into inputAdjoints: PrimitiveAdjoints
    ) {
      guard let target = inputAdjoints[0] else { return }
      for k in target.indices { target[k] += adjoint[k] * tanh(inputs[0][k]) }
    }
  }
}

/// The gradient of a function with a primitive of one's own.
func logCoshGradient() -> Tensor {
  let logCosh = LogCosh()
  let slopes = gradient(at: Tensor([0.3, -2])) { logCosh($0).sum() }
  print(slopes)
  return slopes
}

// MARK: - Coming from NumPyro

/// A regression as it is written here.
func regression(x: [Double], y: [Double]?) -> Model<Void> {
  Model { m in
    let a = m.sample("a", Normal(0, 10))
    let b = m.sample("b", Normal(0, 10))
    let sigma = m.sample("sigma", HalfNormal(1))
    m.observe("y", Normal(a + b * Tensor(x), sigma), y)
  }
}

/// The regression, sampled and predicted.
func runRegression(x: [Double], y: [Double]) throws -> (draws: Draws, predictions: Draws) {
  let density = try regression(x: x, y: y).logDensity()
  let draws = try NUTS().run(density, chains: 4, warmUp: 1000, draws: 1000, key: 0)
  print(draws.summary())
  let predictions = try Predictive(regression(x: x, y: nil), draws).sample(key: 1)
  print(predictions["y"].shape)  // [4, 1000] + shape of y
  return (draws, predictions)
}
