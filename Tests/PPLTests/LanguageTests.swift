// SPDX-License-Identifier: MIT
//
// The language as a user writes it: eight schools and its uses, statements, models in models.

import Distributions
import Numerics
import PPL
import Tensors
import TestSupport
import Testing

@Suite("Language")
struct LanguageTests {
  @Test("eight schools reads and runs as the design writes it")
  func eightSchoolsProgram() throws {
    let prior = try eightSchools.trace(key: 0)
    #expect(prior.names == ["mu", "tau", "theta", "y"])
    let (mu, tau) = (prior["mu"].value.item(), prior["tau"].value.item())
    let theta = prior["theta"].value.elements
    #expect(theta.count == 8)
    #expect(prior["y"].value.elements == y)
    var expected = logNormal(mu, 0, 5)
    let ratio = tau / 5
    expected += Tensors.log(Tensor(2 / (Double.pi * 5 * (1 + ratio * ratio)))).item()
    for (k, effect) in (y ?? []).enumerated() {
      expected += logNormal(theta[k], mu, tau) + logNormal(effect, theta[k], sigma[k])
    }
    #expect(near(prior.logJoint.item(), expected))

    let half = eightSchools.conditioned(on: ["mu": 3]).handled(by: Tempered(beta: 0.5))
    let trace = try half.trace(key: 0)
    #expect(trace["mu"].value.item() == 3)
    #expect(near(trace["mu"].logProbability.item(), 0.5 * logNormal(3, 0, 5)))
    #expect(near(trace["y"].logProbability.item(), 0.5 * observed(trace)))

    let noncentred = eightSchools.reparameterized(["theta": LocScale()])
    #expect(try noncentred.trace(key: 0).names == ["mu", "tau", "theta_base", "theta", "y"])

    let (output, counter): (Void, SiteCounter) = try eightSchools.run(under: SiteCounter(), key: 1)
    #expect(output == ())
    #expect(counter.count == 4)
  }

  /// Returns the log likelihood of a trace of eight schools.
  private func observed(_ trace: Trace) -> Double {
    let theta = trace["theta"].value.elements
    return (y ?? []).enumerated().reduce(0) { $0 + logNormal($1.1, theta[$1.0], sigma[$1.0]) }
  }

  @Test("every way to dress eight schools obeys the law of handlers")
  func law() throws {
    try checkHandler("plain", eightSchools)
    try checkHandler("non-centred", eightSchools.reparameterized(["theta": LocScale()]))
    try checkHandler("conditioned", eightSchools.conditioned(on: ["mu": 3]))
    try checkHandler("substituted", eightSchools.substituting(["tau": 2]))
    try checkHandler("intervened", eightSchools.intervened(on: ["tau": 2]))
    try checkHandler("unconditioned", eightSchools.unconditioned())
    try checkHandler("seeded", eightSchools.seeded(3))
    try checkHandler("masked", eightSchools.masked(1))
    try checkHandler("scaled", eightSchools.scaled(by: 0.3))
    try checkHandler("scoped", eightSchools.scoped("a").scoped("b"))
    try checkHandler("configured", eightSchools.configured(["mu": ["prior": "wide"]]))
    try checkHandler("tempered", eightSchools.handled(by: Tempered(beta: 0.5)))
  }

  @Test("data that are nil are predicted, and left out of the density")
  func prediction() throws {
    let nothing: [Double]? = nil
    let model = Model { m in
      let x = m.sample("x", Normal(0, 1))
      return m.observe("y", Normal(x, Tensor([1, 2, 3])), nothing)
    }
    let trace = try model.trace(key: 4)
    #expect(trace["y"].value.shape == [3])
    #expect(trace["y"].logProbability.item() == 0)
    #expect(trace.logJoint.item() == trace["x"].logProbability.item())
    #expect(try model(key: 4).elements == trace["y"].value.elements)
    #expect(try model.trace(key: 5)["y"].value.elements != trace["y"].value.elements)
    // Given later, they count.
    let given = try model.conditioned(on: ["y": [1, 2, 3]]).trace(key: 4)
    #expect(given["y"].logProbability.item() != 0)
    #expect(given["x"].value.item() == trace["x"].value.item())
  }

  @Test("param, deterministic and factor do what they say")
  func otherStatements() throws {
    let model = Model { m in
      let a = m.param("a", [1.0, 2.0], constraint: .positive)
      let b = m.deterministic("b", a * 2)
      m.factor("f", b.sum() * -1)
      m.factor("g", Tensor([0.5, 0.25]))
      return b
    }
    let trace = try model.trace()
    #expect(trace.names == ["a", "b", "f", "g"])
    #expect(trace["b"].value.elements == [2, 4])
    #expect(trace["b"].logProbability.item() == 0)
    #expect(trace["a"].logProbability.item() == 0)
    #expect(trace.logJoint.item() == -6 + 0.75)
    #expect(try model().elements == [2, 4])
    #expect(try model.substituting(["a": [3, 4]])().elements == [6, 8])
  }

  @Test("a model that is called inside another runs under the same handlers and returns its output")
  func nestedCall() throws {
    struct Source: Sendable { var flux: Tensor; var size: Tensor }
    let source = Model { m in
      Source(flux: m.sample("flux", LogNormal(1, 0.5)), size: m.sample("size", HalfNormal(2)))
    }
    let scene = Model { m in
      var total = Tensor(0)
      for name in ["a", "b"] { m.scope(name) { total += m.call(source).flux } }
      let sum = m.call(source.scoped("c"))
      m.observe("sum", Normal(total + sum.flux, 1), 3)
      return total
    }
    let trace = try scene.trace(key: 2)
    #expect(
      trace.names == ["a/flux", "a/size", "b/flux", "b/size", "c/flux", "c/size", "sum"])
    #expect(trace["a/flux"].value.item() != trace["b/flux"].value.item())
    #expect(
      try scene(key: 2).item() == trace["a/flux"].value.item() + trace["b/flux"].value.item())
    let fixed = scene.conditioned(on: ["a/flux": 1, "b/flux": 2])
    #expect(try fixed(key: 2).item() == 3)
    // Inside a scope the inner name is the one that an inner handler knows.
    let inner = Model { m in m.scope("s") { m.call(source.conditioned(on: ["flux": 7])) }.flux }
    #expect(try inner().item() == 7)
    try checkHandler("nested", scene)
  }

  @Test("a struct returned by a model carries the values of its draws")
  func typedOutput() throws {
    struct Line: Sendable { var slope: Tensor; var height: Tensor }
    let line = Model { m in
      Line(slope: m.sample("slope", Normal(0, 1)), height: m.sample("height", Normal(5, 1)))
    }
    let drawn = try line.substituting(["slope": 2, "height": 4])()
    #expect(drawn.slope.item() == 2 && drawn.height.item() == 4)
  }

  @Test("draws depend on the key and the name, not on the order of statements")
  func order() throws {
    let forwards = Model { m in
      m.sample("a", Normal(0, 1))
      m.sample("b", Gamma(2, 1))
      m.sample("c", Normal(0, Tensor([1, 2])))
    }
    let backwards = Model { m in
      m.sample("c", Normal(0, Tensor([1, 2])))
      m.sample("new", Normal(0, 1))
      m.sample("b", Gamma(2, 1))
      m.sample("a", Normal(0, 1))
    }
    let (one, two) = (try forwards.trace(key: 8), try backwards.trace(key: 8))
    for name in ["a", "b", "c"] { #expect(one[name].value.elements == two[name].value.elements) }
    #expect(try forwards.trace(key: 9)["a"].value.item() != one["a"].value.item())
  }

  @Test("an element of a plate has its draw whatever the size of the plate")
  func globalIndex() throws {
    let model = { (size: Int) in
      Model { m in m.plate("p", size) { m.sample("x", Normal(0, 1)) } }
    }
    let (small, large) = (try model(3)(key: 1).elements, try model(5)(key: 1).elements)
    #expect(Array(large[0..<3]) == small)
  }

  @Test("a model's own key depends on the run's key and its name")
  func ownKey() throws {
    let model = Model { m in (m.key("one"), m.key("two")) }
    let (first, again, other) = (try model(key: 1), try model(key: 1), try model(key: 2))
    #expect(first.0 == again.0 && first.1 == again.1)
    #expect(first.0 != first.1)
    #expect(first.0 != other.0)
    #expect(try model.seeded(1)(key: 2).0 == first.0)
  }
}
