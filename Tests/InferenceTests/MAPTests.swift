// SPDX-License-Identifier: MIT
//
// The maximum of any model's joint density: known answers, bounds, densities without a maximum, several modes.

import Distributions
import Inference
import Numerics
import PPL
import Tensors
import Testing

@Suite("Maximum of a model's joint density")
struct MAPTests {
  @Test("a conjugate model: the values of the formula, for each optimiser")
  func conjugate() throws {
    // Gamma(3, 2) prior, Poisson counts: the joint density has its maximum at (Σ y + 2) / (n + 2).
    let counts: [Double] = [4, 2, 7, 3]
    let density = try Model { m in
      let rate = m.sample("rate", Gamma(3, 2))
      m.factor("counts", (Tensor(counts) * log(rate) - rate).sum())
    }.logDensity()
    for optimizer in MultiStartTests.optimizers {
      let best = try density.findMAP(optimizer: optimizer)
      #expect(best.isConverged && best.warnings.isEmpty, "\(best.warnings)")
      // A sixth of a standard deviation of 0.7 at the tolerance is 1e-5.
      #expect(abs(best["rate"].item() - 18.0 / 6) < 2e-5)
      #expect(best.search.modes.count == 1 && best.search.modes[0].searches == [0, 1, 2, 3])
    }
  }

  @Test("the maximum does not depend on how the model is written, and has no Jacobian")
  func reparameterized() throws {
    let model = Model { m in
      let scale = m.sample("scale", LogNormal(0, 0.5))
      m.plate("groups", 5) {
        let x = m.sample("x", Normal(1, scale))
        m.observe("y", Normal(x, 0.3), [0.2, 1.1, 2.4, 0.7, 1.9])
      }
    }
    let a = try model.logDensity().findMAP()
    let b = try model.reparameterized(["x": LocScale()]).logDensity().findMAP()
    #expect(a.isConverged && b.isConverged && a.values.keys == b.values.keys)
    #expect(near(a.logJoint, b.logJoint, 1e-9))
    for (x, y) in zip(a["x"].elements, b["x"].elements) { #expect(near(x, y, 1e-4)) }
    #expect(near(a["scale"].item(), b["scale"].item(), 1e-4))
  }

  @Test("a value at a bound is found, named, and pulled inside for what comes after")
  func bounds() throws {
    let density = try Model { m in
      // The data pull each value through a wall: the upper end of an interval, zero, and a lower bound of its own.
      let a = m.sample("a", Uniform(0, 2))
      let b = m.sample("b", HalfNormal(1))
      let c = m.sample("c", TruncatedNormal(0, 1, low: 0.5))
      let d = m.sample("d", Normal(0, 1))
      m.observe("y", Normal(Tensor.stack([a, b, c, d]), 0.1), [5, -3, -2, 0.7])
    }.logDensity()
    let best = try density.findMAP()
    #expect(best.isConverged, "\(best.optimum.explanation) \(best.driftingSites)")
    #expect(best.bounds.map(\.site) == ["a", "b", "c"])
    #expect(best.bounds.map(\.bound) == [2, 0, 0.5])
    #expect(best.driftingSites.isEmpty && best.levelSites.isEmpty)
    // Precision 100 against 1.
    #expect(abs(best["d"].item() - 0.7 * 100 / 101) < 1e-5)
    #expect(
      best.warnings.count == 3 && best.warnings.allSatisfy { $0.code == .atBound }
        && best.warnings[0].message.contains("a = "))
    // At the maximum itself the Jacobian underflows; inside, the search for the mode finds its way.
    let posterior = try LaplaceApproximation(density, from: best.interiorPoint)
    #expect(posterior.mode.isConverged && posterior.warnings.isEmpty, "\(posterior.warnings)")
    let values = density.constrain(best.interiorPoint)
    #expect((values["a"]?.item() ?? 2) < 1.99 && (values["b"]?.item() ?? 0) > 1e-3)
  }

  @Test("elements of arrays at bounds that depend on other sites are named by their index")
  func dependentBounds() throws {
    let density = try Model { m in
      let low = m.sample("low", Normal(1, 0.01))
      m.plate("p", 3) {
        let x = m.sample("x", Uniform(low, low + 2))
        m.observe("y", Normal(x, 0.1), [2, -4, 9])
      }
    }.logDensity()
    let best = try density.findMAP()
    #expect(best.bounds.map(\.element) == [1, 2])
    let low = best["low"].item()
    #expect(zip(best.bounds.map(\.bound), [low, low + 2]).allSatisfy { abs($0 - $1) < 1e-9 })
    #expect(best.warnings.contains { $0.code == .atBound && $0.subject == "x[2]" })
  }

  @Test("a density that rises for ever has no maximum, and that is said")
  func separable() throws {
    // Perfectly separated classes and a flat prior: the likelihood rises with the slope without end.
    let x = Tensor([-2, -1, -0.5, 0.5, 1, 2])
    let sign = Tensor([-1, -1, -1, 1, 1, 1])
    let flat = try Model { m in
      let slope = m.sample("slope", Normal(0, 1))
      m.factor("flat", 0.5 * square(slope) - softplus(-sign * slope * x).sum())
    }.logDensity()
    for optimizer in MultiStartTests.optimizers {
      let best = try flat.findMAP(optimizer: optimizer)
      #expect(!best.isConverged, "\(optimizer): \(best.optimum.explanation) \(best.values)")
      #expect(best.driftingSites == ["slope"] || !best.optimum.isConverged)
      #expect([.noMaximum, .notConverged].contains(best.warnings.first?.code), "\(best.warnings)")
    }
    // A proper prior mends it.
    let proper = try Model { m in
      let slope = m.sample("slope", Normal(0, 5))
      m.factor("data", -softplus(-sign * slope * x).sum())
    }.logDensity()
    let best = try proper.findMAP()
    #expect(best.isConverged && best.warnings.isEmpty)
    // The derivative vanishes: slope / 25 = Σ |x| / (1 + exp(slope |x|)).
    let slope = best["slope"].item()
    let pull = x.elements.reduce(0.0) { $0 + plain(slope * abs($1)) { sigmoid(-$0) } * abs($1) }
    #expect(abs(slope / 25 - pull) < 1e-5)
  }

  @Test("sites that nothing determines are named")
  func level() throws {
    let density = try Model { m in
      let x = m.sample("x", Normal(0, 1))
      let z = m.sample("z", Normal(0, 1))
      m.factor("f", 0.5 * square(z))
      m.observe("y", Normal(x, 1), 1)
    }.logDensity()
    let best = try density.findMAP()
    #expect(best.isConverged && best.levelSites == ["z"] && best.warnings.map(\.code) == [.flat])
    #expect(abs(best["x"].item() - 0.5) < 1e-5)
  }

  @Test("two maxima of nearly the same height are both reported")
  func rivals() throws {
    let density = try Model { m in
      let x = m.sample("x", Normal(0.1, 3))
      m.observe("y", Normal(square(x), 0.5), 4)
    }.logDensity()
    let best = try density.findMAP(starts: [
      .points([[1.5], [-1.5]]), .strategy(.prior, count: 4),
    ])
    #expect(best.search.modes.count == 2 && best.search.searches.count == 6)
    let tops = best.search.modes.map { $0.optimum.position[0] }
    // The prior's mean favours the positive one: by 2 · 2 · 0.1 / 9 = 0.044 in log density.
    #expect(abs(tops[0] - 2) < 0.01 && abs(tops[1] + 2) < 0.01, "\(tops)")
    let drop = best.search.modes[0].optimum.value - best.search.modes[1].optimum.value
    #expect(abs(drop - 0.4 / 9) < 1e-3)
    #expect(best.warnings.map(\.code) == [.severalModes])
  }

  @Test("an angle's maximum is found, its redundant coordinate is no flat direction")
  func angle() throws {
    let density = try Model { m in
      let theta = m.sample("theta", CircularUniform(period: Double.pi))
      m.observe("y", Normal(cos(2 * theta), 0.1), 0.3)
      m.observe("z", Normal(sin(2 * theta), 0.1), 0.9)
    }.logDensity()
    let best = try density.findMAP()
    #expect(
      best.isConverged && best.levelSites.isEmpty && best.warnings.isEmpty, "\(best.warnings)")
    let expected = 0.5 * plain(3) { atan($0) }
    #expect(abs(best["theta"].item() - expected) < 1e-5)
    let radius = best.interiorPoint.reduce(0) { $0 + $1 * $1 }
    #expect(abs(radius - 1) < 1e-12)
  }

  @Test("the same for any key of the machine's threads; progress and cancellation")
  func control() throws {
    let density = try noncentred.logDensity()
    let (a, b) = (try density.findMAP(key: 4), try density.findMAP(key: 4))
    #expect(a.optimum.position == b.optimum.position)
    #expect(a.search.searches.map(\.evaluations) == b.search.searches.map(\.evaluations))
    let stopped = try density.findMAP(key: 4, isCancelled: { true })
    #expect(!stopped.isConverged && stopped.warnings[0].message.contains("on request"))
    #expect(stopped.logJoint.isFinite)
  }
}
