// SPDX-License-Identifier: MIT
//
// Every handler, and the traps that lie in it.

import Distributions
import Numerics
import PPL
import Tensors
import TestSupport
import Testing

@Suite("Handlers")
struct HandlerTests {
  @Test("sites pass handlers from the innermost outwards, and come back the other way")
  func order() throws {
    let log = Log()
    let model = Model { m in m.sample("x", Normal(0, 1)) }.handled(by: Note(name: "a", log: log))
      .handled(by: Note(name: "b", log: log)).handled(by: Note(name: "c", log: log))
    _ = try model()
    #expect(log.text == "a>x b>x c>x c<x b<x a<x")
  }

  @Test("a handler that stops a site ends its way out, and its way back begins there")
  func stopping() throws {
    let log = Log()
    let model = pair.handled(by: Note(name: "a", log: log)).blocked(hiding: ["x"])
      .handled(by: Note(name: "b", log: log))
    _ = try model()
    #expect(log.text == "a>x a<x a>z b>z b<z a<z")
  }

  @Test("an inner value is seen by handlers outside, and the outer value wins")
  func outermostWins() throws {
    let model = pair.substituting(["x": 1]).substituting(["x": 2])
    #expect(try model.trace()["x"].value.item() == 2)
  }

  @Test("condition marks a site as observed, substitute does not")
  func conditionAndSubstitute() throws {
    let conditioned = try pair.conditioned(on: ["x": 2]).trace()["x"]
    let substituted = try pair.substituting(["x": 2]).trace()["x"]
    #expect(conditioned.value.item() == 2 && conditioned.site.isObserved)
    #expect(substituted.value.item() == 2 && substituted.site.isLatent)
    #expect(conditioned.logProbability.item() == substituted.logProbability.item())
    #expect(near(substituted.logProbability.item(), logNormal(2, 1, 2)))
  }

  @Test("conditioning one site does not shift the draws of the others")
  func conditionKeepsDraws() throws {
    let free = try eightSchools.trace(key: 6)
    let held = try eightSchools.conditioned(on: ["mu": free["mu"].value]).trace(key: 6)
    #expect(held["tau"].value.item() == free["tau"].value.item())
    #expect(held["theta"].value.elements == free["theta"].value.elements)
  }

  @Test("substitute leaves data alone, uncondition forgets them")
  func data() throws {
    #expect(try pair.substituting(["z": 9]).trace()["z"].value.item() == 3)
    let forgotten = try pair.unconditioned().trace(key: 1)["z"]
    #expect(forgotten.site.isPredicted && forgotten.value.item() != 3)
    #expect(forgotten.logProbability.item() == 0)
    let other = try pair.unconditioned(["elsewhere"]).trace(key: 1)["z"]
    #expect(other.site.isObserved && other.value.item() == 3)
  }

  @Test("do changes what follows and removes the site itself")
  func intervention() throws {
    let trace = try pair.intervened(on: ["x": 2]).trace()
    #expect(trace.names == ["z"])
    #expect(near(trace.logJoint.item(), logNormal(3, 2, 0.5)))
  }

  @Test("an intervention on an array takes one number for all elements")
  func interventionBroadcasts() throws {
    let trace = try eightSchools.intervened(on: ["theta": 0]).trace()
    let expected = zip(y ?? [], sigma).reduce(0) { $0 + logNormal($1.0, 0, $1.1) }
    #expect(near(trace["y"].logProbability.item(), expected))
  }

  @Test("hidden sites still get their draws from the keys outside")
  func blockFeedsKeys() throws {
    let plain = try pair.unconditioned().seeded(9).trace(key: 1)
    let hidden = try pair.unconditioned().blocked(hiding: ["x"]).seeded(9).trace(key: 2)
    #expect(hidden.names == ["z"])
    #expect(hidden["z"].value.item() == plain["z"].value.item())
    #expect(try pair.blocked(exposing: ["x"]).trace().names == ["x"])
  }

  @Test("hidden sites keep the scopes and plates outside, and so their own draws")
  func blockKeepsStructure() throws {
    let part = Model { m in m.sample("x", Normal(0, 1)) }.blocked(hiding: ["x"])
    let model = Model { m in
      let a = m.scope("a") { m.call(part) }
      let b = m.scope("b") { m.call(part) }
      let c = m.scope("c") { m.plate("p", 3) { m.call(part) } }
      return [a, b, c]
    }
    let values = try model(key: 3)
    #expect(values[0].item() != values[1].item())
    #expect(values[2].shape == [3])
    #expect(try model.trace(key: 3).names.isEmpty)
    // Hidden from conditions outside.
    #expect(try model.conditioned(on: ["a/x": 100])(key: 3)[0].item() == values[0].item())
  }

  @Test("a suffix names sites, plates and their replacements, inside and outside a prefix")
  func suffixes() throws {
    let part = Model { m in
      m.plate("p", 2) { m.sample("x", Normal(0, 1)) }
    }
    let model = Model { m in
      (0..<2).map { k in m.scope("scene") { m.scope(suffix: "_\(k)") { m.call(part) } } }
    }
    let trace = try model.trace(key: 3)
    #expect(trace.names == ["scene/x_0", "scene/x_1"])
    #expect(trace["scene/x_0"].site.plates.map(\.name) == ["p"])
    #expect(trace["scene/x_0"].value.elements != trace["scene/x_1"].value.elements)
    let moved = part.reparameterized(["x": LocScale()]).scoped(suffix: "_7")
    #expect(try moved.trace().names == ["x_base_7", "x_7"])
    let fixed = try moved.conditioned(on: ["x_7": Tensor([1, 2])]).trace(key: 1)
    #expect(fixed["x_7"].value.elements == [1, 2])
  }

  @Test("replay gives latent sites their old values and leaves data alone")
  func replay() throws {
    let old = try pair.trace(key: 1)
    let new = try pair.conditioned(on: ["z": 7]).replayed(old).trace(key: 2)
    #expect(new["x"].value.item() == old["x"].value.item())
    #expect(new["z"].value.item() == 7)
  }

  @Test("the innermost seed is the key of a draw")
  func seed() throws {
    let value = try pair.seeded(3).trace(key: 1)["x"].value.item()
    #expect(try pair.seeded(3).trace(key: 2)["x"].value.item() == value)
    #expect(try pair.seeded(3).seeded(4).trace(key: 2)["x"].value.item() == value)
    #expect(try pair.trace(key: 3)["x"].value.item() == value)
  }

  @Test("the log density of a site is scale × masked log probability")
  func scaleAndMask() throws {
    let data = Tensor([1, 2, 3])
    let model = Model { m in m.observe("y", Normal(0, 1), data) }
    let mask = Tensor([1, 0, 1])
    let expected = 0.5 * (logNormal(1, 0, 1) + logNormal(3, 0, 1))
    let dressed = [
      model.masked(mask).scaled(by: 0.5), model.scaled(by: 0.5).masked(mask),
      Model { m in m.scale(0.5) { m.mask(mask) { m.call(model) } } },
      Model { m in m.mask(mask) { m.scale(0.5) { m.call(model) } } },
    ]
    for model in dressed { #expect(near(try model.trace().logJoint.item(), expected)) }
  }

  @Test("masks inside one another both hold, scales multiply")
  func nestedMasks() throws {
    let model = Model { m in m.observe("y", Normal(0, 1), Tensor([1, 2, 3])) }
      .masked([2, 0, 3] as [Double]).masked([1, 1, 0] as [Double]).scaled(by: 2).scaled(by: 3)
    #expect(near(try model.trace().logJoint.item(), 6 * logNormal(1, 0, 1)))
  }

  @Test("scale and mask hold for factors, and never for deterministic values")
  func scaleOfFactors() throws {
    let model = Model { m in
      m.factor("f", Tensor([1, 10]))
      m.deterministic("d", 5)
    }
    let trace = try model.scaled(by: 3).masked([0, 1] as [Double]).trace()
    #expect(trace.logJoint.item() == 30)
    #expect(trace["d"].value.item() == 5 && trace["d"].logProbability.item() == 0)
    #expect(trace["d"].site.scale.item() == 1)
  }

  @Test("masked NaN data poison neither value nor gradient")
  func maskedNaN() throws {
    let data = Tensor([1, .nan, 3])
    let mask = Tensor([1, 0, 1])
    let slope = gradient(at: Tensor([0.5, 2.0])) { x in
      let model = Model { m in
        m.mask(mask) { m.observe("y", Gamma(x[0], x[1]), data) }
      }
      return (try? model.trace().logJoint) ?? Tensor(.nan)
    }
    let clean = gradient(at: Tensor([0.5, 2.0])) { x in
      Gamma(x[0], x[1]).logProbability(of: Tensor([1, 3])).sum()
    }
    #expect(slope.elements.allSatisfy { $0.isFinite })
    for (a, b) in zip(slope.elements, clean.elements) { #expect(near(a, b)) }
  }

  @Test("scopes prefix names, nested ones with a slash between")
  func scope() throws {
    let model = Model { m in
      m.scope("outer") { m.scope("inner") { m.sample("x", Normal(0, 1)) } }
    }
    #expect(try model.trace().names == ["outer/inner/x"])
    #expect(try pair.scoped("g").conditioned(on: ["g/x": 4]).trace()["g/x"].value.item() == 4)
    #expect(try pair.conditioned(on: ["x": 4]).scoped("g").trace()["g/x"].value.item() == 4)
  }

  @Test("lift turns params into latent sites of the same shape")
  func lift() throws {
    let model = Model { m in
      let a = m.param("a", [1.0, 2.0])
      m.observe("y", Normal(a, 1), Tensor([0, 0]))
      return a
    }
    let trace = try model.lifted(["a": Normal(0, 10)]).trace(key: 1)
    #expect(trace["a"].site.isLatent && trace["a"].value.shape == [2])
    #expect(trace["a"].value.elements != [1, 2])
    let value = trace["a"].value.elements
    #expect(
      near(
        trace["a"].logProbability.item(), logNormal(value[0], 0, 10) + logNormal(value[1], 0, 10))
    )
    let wrong = mistake { _ = try model.lifted(["a": Normal(Tensor([0, 0, 0]), 1)]).trace() }
    #expect(wrong?.kind == .shapeMismatch(expected: [2], found: [3]))
  }

  @Test("hints travel with their sites, inner ones first")
  func hints() throws {
    let model = pair.configured(["x": ["step": "small"]])
      .configured(["x": ["step": "large", "note": "n"]])
    #expect(try model.trace()["x"].site.hints == ["step": "small", "note": "n"])
  }

  @Test("a user's handler keeps its own state from run to run apart")
  func valueSemantics() throws {
    let counter = SiteCounter()
    #expect(try pair.run(under: counter).1.count == 2)
    #expect(try pair.run(under: counter).1.count == 2)
    #expect(counter.count == 0)
  }
}
