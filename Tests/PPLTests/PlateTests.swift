// SPDX-License-Identifier: MIT
//
// Plates: shapes, nesting, subsampling, scaling.

import Distributions
import Numerics
import PPL
import Tensors
import TestSupport
import Testing

@Suite("Plates")
struct PlateTests {
  @Test("a plate gives its sites its elements along its axis, independent draws each")
  func shapes() throws {
    let model = Model { m in
      m.plate("p", 4) {
        m.sample("x", Normal(0, 1))
        m.sample("v", Normal(0, Tensor([1, 2, 3])).toEvent(1))
      }
    }
    let error = mistake { _ = try model.trace() }
    #expect(error == nil)
    let trace = try model.trace()
    #expect(trace["x"].value.shape == [4])
    #expect(Set(trace["x"].value.elements).count == 4)
    #expect(trace["v"].value.shape == [4, 3])
    #expect(trace["v"].site.distribution?.batchShape == [4])
    #expect(trace["x"].site.plates.map(\.name) == ["p"])
    try checkHandler("plate", model)
  }

  @Test("nested plates take axes from the back, the outer one the last")
  func nested() throws {
    let model = Model { m in
      m.plate("columns", 3) {
        m.sample("a", Normal(0, 1))
        m.plate("rows", 2) {
          m.sample("x", Normal(0, 1))
          m.plate("sheets", 5) { m.sample("deep", Normal(0, 1)) }
        }
      }
    }
    let trace = try model.trace()
    #expect(trace["a"].value.shape == [3])
    #expect(trace["x"].value.shape == [2, 3])
    #expect(trace["deep"].value.shape == [5, 2, 3])
    #expect(trace["deep"].site.plates.map(\.name) == ["columns", "rows", "sheets"])
    #expect(trace["deep"].site.plates.map(\.axis) == [-1, -2, -3])
    try checkHandler("nested plates", model)
  }

  @Test("an axis can be chosen")
  func chosenAxis() throws {
    let model = Model { m in
      m.plate("rows", 2, axis: -2) {
        m.plate("columns", 3) { m.sample("x", Normal(0, 1)) }
        m.sample("y", Normal(0, 1))
      }
    }
    let trace = try model.trace()
    #expect(trace["x"].value.shape == [2, 3])
    #expect(trace["y"].value.shape == [2, 1])
  }

  @Test("a plate around a model that has plates adds an axis to all of them")
  func plateAroundModel() throws {
    let model = Model { m in m.plate("copies", 2, axis: -2) { m.call(eightSchools) } }
    let trace = try model.trace(key: 3)
    #expect(trace["mu"].value.shape == [2, 1])
    #expect(trace["theta"].value.shape == [2, 8])
    // The data are shared by the copies, and count once for each.
    let theta = trace["theta"].value.elements
    let expected = (0..<16).reduce(0.0) {
      $0 + logNormal((y ?? [])[$1 % 8], theta[$1], sigma[$1 % 8])
    }
    #expect(near(trace["y"].logProbability.item(), expected))
  }

  @Test("a full plate does not scale, a subsampled one scales by size / subsample")
  func scaling() throws {
    let model = { (subsample: Int) in
      Model { m in
        m.plate("data", 10, subsample: subsample) { (indices: Tensor) in
          m.observe("y", Normal(0, 1), indices)
          m.deterministic("d", indices)
          m.factor("f", 1)
        }
      }
    }
    #expect(try model(10).trace()["y"].site.scale.item() == 1)
    let trace = try model(4).trace(key: 2)
    let indices = trace["d"].value.elements
    #expect(indices.count == 4 && Set(indices).count == 4)
    #expect(indices.allSatisfy { $0 >= 0 && $0 < 10 })
    let expected = 2.5 * indices.reduce(0) { $0 + logNormal($1, 0, 1) }
    #expect(near(trace["y"].logProbability.item(), expected))
    #expect(trace["f"].logProbability.item() == 10)
    #expect(trace["d"].site.scale.item() == 1)
    try checkHandler("subsampled", model(4))
    // Under the handler for predictions the plate is whole, and its densities are their own.
    let whole = model(4).withWholePlates()
    try checkHandler("whole", whole)
    let all = try whole.trace(key: 2)
    #expect(all["d"].value.elements == (0..<10).map { Double($0) })
    #expect(all["y"].site.scale.item() == 1 && all["f"].logProbability.item() == 10)
  }

  @Test("nested subsampled plates multiply their scales")
  func nestedScaling() throws {
    let model = Model { m in
      m.plate("a", 6, subsample: 2) { _ in
        m.plate("b", 8, subsample: 2) { _ in m.factor("f", Tensor(1)) }
      }
    }
    // One for each of the 48 elements.
    #expect(try model.trace().logJoint.item() == 48)
  }

  @Test("the indices of a subsample depend on the key and the plate's name, not on the order")
  func indices() throws {
    let alone = Model { m in m.plate("data", 100, subsample: 5) { $0 } }
    let later = Model { m in
      m.sample("x", Normal(0, 1))
      m.plate("more", 100, subsample: 5) { _ in }
      return m.plate("data", 100, subsample: 5) { $0 }
    }
    #expect(try alone(key: 3).elements == later(key: 3).elements)
    #expect(try alone(key: 3).elements != alone(key: 4).elements)
    // The same plate opened again has the same elements.
    let twice = Model { m in
      (m.plate("p", 50, subsample: 3) { $0 }, m.plate("p", 50, subsample: 3) { $0 })
    }
    let (first, second) = try twice(key: 1)
    #expect(first.elements == second.elements)
    #expect(try alone.substituting(["data": [1, 2, 3, 4, 5]])().elements == [1, 2, 3, 4, 5])
  }

  @Test("every element of a plate is as likely to be in a subsample")
  func uniformIndices() throws {
    let model = Model { m in m.plate("data", 7, subsample: 3) { $0 } }
    var counts = [Double](repeating: 0, count: 7)
    let runs = 7000
    for run in 0..<runs {
      for k in try model(key: RandomKey(UInt64(run))).elements { counts[Int(k)] += 1 }
    }
    // Expected 3000 each, sd 41; five of them: a false failure in 2 · 10⁻⁶ of keys.
    for count in counts { #expect(abs(count - 3000) < 5 * 41.4) }
  }

  @Test("a factor in a plate counts for each of its elements")
  func factors() throws {
    let model = Model { m in m.plate("p", 4) { m.factor("f", 0.5) } }
    #expect(try model.trace().logJoint.item() == 2)
  }

  @Test("a discrete and a bounded distribution keep their families in a plate")
  func families() throws {
    let model = Model { m in
      m.plate("p", 3) {
        m.sample("k", Poisson(4))
        m.sample("u", Uniform(-1, Tensor([1, 2, 3])))
        m.sample("t", TruncatedNormal(0, 1, low: 0.5))
        m.sample("a", CircularUniform(period: Double.pi))
        m.sample("d", Delta(2))
      }
    }
    let trace = try model.trace(key: 1)
    for name in trace.names { #expect(trace[name].value.shape == [3]) }
    #expect(trace["d"].value.elements == [2, 2, 2])
    #expect(trace.logJoint.item().isFinite)
    try checkHandler("families", model)
  }
}
