// SPDX-License-Identifier: MIT
//
// What a model can do wrong: thrown at the end of the run, with site, shapes and plates; never a trap.

import Distributions
import Numerics
import PPL
import Tensors
import Testing

@Suite("Misuse")
struct MisuseTests {
  @Test("data are not repeated to fill a batch, a plate or an event")
  func shortData() {
    let four = Tensor([0.0, 1, 2, 3])
    let models: [(String, Shape, Model<Void>)] = [
      ("batch", [4], Model<Void> { m in m.observe("y", Normal(four, 1), [1.0]) }),
      ("scalar", [4], Model<Void> { m in m.observe("y", Normal(four, 1), 1) }),
      (
        "plate", [4],
        Model<Void> { m in _ = m.plate("p", 4) { m.observe("y", Normal(0, 1), [1.0]) } }
      ),
      (
        "scalar in a plate", [4],
        Model<Void> { m in _ = m.plate("p", 4) { m.observe("y", Normal(0, 1), 1) } }
      ),
      (
        "event", [2],
        Model<Void> { m in
          m.observe("y", MultivariateNormal([0, 0], covariance: [[1.0, 0], [0, 1]]), [5.0])
        }
      ),
    ]
    for (name, shape, model) in models {
      do {
        _ = try model.trace()
        Issue.record("\(name): expected a shape mismatch, found none")
      } catch {
        guard case .shapeMismatch(let expected, _)? = (error as? ModelError)?.kind else {
          Issue.record("\(name): \(error)")
          continue
        }
        #expect(expected == shape, "\(name)")
      }
    }
  }

  @Test("one datum for one variable is taken, and more data than variables are")
  func sufficientData() throws {
    let model = Model { m in
      m.observe("a", Normal(0, 1), 1)
      m.observe("b", Normal(0, 1), [1.0, 2, 3])
      m.plate("p", 1) { m.observe("c", Normal(0, 1), 1) }
      m.plate("q", 3) { m.observe("d", Normal(0, 1), [1.0, 2, 3]) }
      m.observe("e", Normal([0.0], 1), 1)
    }
    #expect(try model.trace().sites.count { $0.isObserved } == 5)
  }

  @Test("two sites of one name")
  func duplicate() {
    let error = mistake {
      _ = try Model { m in
        m.sample("x", Normal(0, 1))
        m.plate("p", 2) { m.deterministic("x", 1) }
      }.trace()
    }
    #expect(error?.kind == .duplicateSite)
    #expect(error?.site == "x" && error?.plates == ["p"])
    #expect(error.map { "\($0)".contains("\"x\" in plate p") } ?? false)
  }

  @Test("data of a wrong shape are reported, and the run goes on to its end")
  func dataShape() {
    let model = Model { m in
      m.plate("outer", 8) {
        let seen = m.observe("y", Normal(0, 1), Tensor([1, 2, 3]))
        // The statement's value has the right shape, so this does not stop the program.
        m.deterministic("sum", seen + Tensor.ones([8]))
      }
    }
    let error = mistake { _ = try model.trace() }
    #expect(error?.kind == .shapeMismatch(expected: [8], found: [3]))
    #expect(error?.site == "y" && error?.plates == ["outer"])
  }

  @Test("data that would spread over other axes than the distribution's are reported")
  func crossShape() {
    let error = mistake {
      _ = try Model { m in
        m.observe("y", Normal(Tensor.zeros([4, 1]), 1), Tensor([1, 2, 3, 4]))
      }.trace()
    }
    #expect(error?.kind == .shapeMismatch(expected: [4, 1], found: [4]))
  }

  @Test("a condition or substitution of a wrong shape")
  func valueShape() {
    for model in [
      eightSchools.conditioned(on: ["theta": [1, 2]]),
      eightSchools.substituting(["theta": [1, 2]]),
    ] {
      let error = mistake { _ = try model.trace() }
      #expect(error?.kind == .shapeMismatch(expected: [8], found: [2]))
      #expect(error?.site == "theta" && error?.plates == ["schools"])
    }
  }

  @Test("a mask of a wrong shape")
  func maskShape() {
    let error = mistake {
      _ = try eightSchools.masked(Tensor([1, 0, 1])).trace().logJoint
    }
    #expect(error?.kind == .shapeMismatch(expected: [], found: [3]))
    let nested = mistake {
      _ = try pair.masked(Tensor([1, 0, 1])).masked(Tensor([1, 0])).trace().logJoint
    }
    #expect(nested?.kind == .shapeMismatch(expected: [3], found: [2]))
  }

  @Test("a distribution that does not fit its plate, with the whole path of plates")
  func plateShape() {
    let model = Model { m in
      m.plate("outer", 3) {
        m.plate("inner", 4) {
          let x = m.sample("x", Normal(Tensor.zeros([5, 3]), 1))
          m.deterministic("sum", x + Tensor.ones([4, 3]))
        }
      }
    }
    let error = mistake { _ = try model.trace() }
    #expect(error?.kind == .plateMismatch(batchShape: [5, 3]))
    #expect(error?.site == "x" && error?.plates == ["outer", "inner"])
    let factor = mistake {
      _ = try Model { m in m.plate("p", 4) { m.factor("f", Tensor([1, 2, 3])) } }.trace()
    }
    #expect(factor?.kind == .plateMismatch(batchShape: [3]) && factor?.site == "f")
  }

  @Test(
    "impossible plates", arguments: [(0, 1, -1), (4, 0, -1), (4, 5, -1), (4, 4, 0), (-3, -3, -1)])
  func impossiblePlate(_ size: Int, _ subsample: Int, _ axis: Int) {
    let error = mistake {
      _ = try Model { m in
        m.plate("p", size, subsample: subsample, axis: axis) { (indices: Tensor) in
          m.observe("y", Normal(0, 1), indices)
        }
      }.trace()
    }
    #expect(error?.kind == .invalidPlate && error?.site == "p")
  }

  @Test("two plates with one axis, or one inside another of its name")
  func sharedAxis() {
    let axes = mistake {
      _ = try Model { m in
        m.plate("a", 3, axis: -1) { m.plate("b", 3, axis: -1) { m.sample("x", Normal(0, 1)) } }
      }.trace()
    }
    #expect(axes?.kind == .invalidPlate && axes?.site == "x" && axes?.plates == ["a", "b"])
    let names = mistake {
      _ = try Model { m in
        m.plate("a", 3) { m.plate("a", 2) { m.sample("x", Normal(0, 1)) } }
      }.trace()
    }
    #expect(names?.kind == .invalidPlate)
  }

  @Test("indices of a wrong number for a subsampled plate")
  func indexCount() {
    let model = Model { m in m.plate("p", 10, subsample: 3) { (indices: Tensor) in indices } }
    let error = mistake { _ = try model.substituting(["p": [1, 2]]).trace() }
    #expect(error?.kind == .shapeMismatch(expected: [3], found: [2]) && error?.site == "p")
  }

  @Test("a scale that is not one number")
  func arrayScale() {
    let error = mistake { _ = try pair.scaled(by: [1.0, 2.0]).trace().logJoint }
    #expect(error?.kind == .misuse && error?.site == "x")
  }

  @Test("a parameter that comes out impossible is an error with its site")
  func impossibleParameters() {
    let scale = mistake {
      _ = try Model { m in
        let depth = m.sample("depth", HalfNormal(1)) + 800
        m.sample("x", Normal(0, exp(-depth)))
      }.trace()
    }
    #expect(scale?.kind == .outsideSupport && scale?.site == "x")
    #expect(scale?.explanation.contains("expected scale > 0, got 0.0") ?? false)
    let rate = mistake {
      _ = try Model { m in m.observe("n", Poisson(-1), 3) }.trace()
    }
    #expect(rate?.site == "n")
    // The site keeps its shape, so that what follows in the program is possible.
    let plate = mistake {
      _ = try Model { m in
        let x = m.plate("p", 9) { m.sample("x", Normal(0, exp(-Tensor(800)))) }
        m.deterministic("last", x[8])
      }.trace()
    }
    #expect(plate?.site == "x")
    // A distribution that is no site's.
    let density = mistake {
      _ = try Model { m in
        let x = m.sample("x", Normal(0, 1))
        m.factor("f", Gamma(0, 1).logProbability(of: x))
      }.trace()
    }
    #expect(density?.kind == .outsideSupport && density?.site == nil)
    // A program that is called within another one tells of its own.
    let inner = Model { m in m.sample("z", Beta(0, 1)) }
    let called = mistake { _ = try Model { m in m.call(inner) }.trace() }
    #expect(called?.site == "z")
  }

  @Test("the first of several mistakes is the one that is thrown")
  func first() {
    let error = mistake {
      _ = try Model { m in
        m.observe("y", Normal(0, Tensor([1, 1])), Tensor([1, 2, 3]))
        m.sample("x", Normal(0, 1))
        m.sample("x", Normal(0, 1))
      }.trace()
    }
    #expect(error?.site == "y")
  }
}
