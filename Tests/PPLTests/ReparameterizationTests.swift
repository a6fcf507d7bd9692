// SPDX-License-Identifier: MIT
//
// Reparameterisation: another way to write a site, the same distribution, under every other handler.

import Distributions
import Numerics
import PPL
import Tensors
import TestSupport
import Testing

@Suite("Reparameterisation")
struct ReparameterizationTests {
  static let families: [(String, any Distribution)] = [
    ("Normal", Normal(3, 2)),
    ("Cauchy", Cauchy(3, 2)),
    ("StudentT", StudentT(4, 3, 2)),
    ("Laplace", Laplace(3, 2)),
    ("Logistic", Logistic(3, 2)),
  ]

  /// Returns a model with one latent site.
  private static func single(_ distribution: any Distribution) -> Model<Tensor> {
    func open(_ d: some Distribution) -> Model<Tensor> { Model { m in m.sample("x", d) } }
    return open(distribution)
  }

  @Test(
    "a location-scale family keeps its density and its marginal distribution",
    arguments: families.indices)
  func locationScale(_ index: Int) throws {
    let (name, distribution) = Self.families[index]
    let plain = Self.single(distribution)
    let model = plain.reparameterized(["x": LocScale()])
    let trace = try model.trace(key: 3)
    #expect(trace.names == ["x_base", "x"])
    #expect(trace["x"].site.kind == .deterministic && trace["x_base"].site.isAuxiliary)
    let (base, value) = (trace["x_base"].value.item(), trace["x"].value.item())
    #expect(near(value, 3 + 2 * base))
    // Change of variables: log p(x) = log p(base) − log scale.
    let direct = distribution.logProbability(of: Tensor(value)).item()
    #expect(near(direct, trace.logJoint.item() - 0.6931471805599453))
    #expect(near(trace["x"].site.originalLogProbability.item(), direct))
    #expect(trace["x_base"].site.originalLogProbability.item() == 0)
    try checkHandler(name, model)

    // Two samples of 2000 by the two ways: the Kolmogorov–Smirnov distance exceeds 1.95 √(2/2000) = 0.0617 in
    // 1 of 1000 keys; at 2.5 √(2/2000) in 8 of a million.
    let count = 2000
    let draws = { (model: Model<Tensor>, offset: UInt64) in
      try (0..<count).map { try model(key: RandomKey(UInt64($0) + offset)).item() }.sorted()
    }
    let (a, b) = (try draws(plain, 0), try draws(model, 100_000))
    var (i, j, distance) = (0, 0, 0.0)
    while i < count && j < count {
      if a[i] <= b[j] { i += 1 } else { j += 1 }
      distance = max(distance, abs(Double(i - j)) / Double(count))
    }
    #expect(distance < 0.079, "\(name): \(distance)")
  }

  @Test("a centring between 0 and 1 keeps the density, up to the derivative of the map")
  func centring() throws {
    let (location, scale) = (Tensor([3, -1, 0.5]), Tensor([2, 0.4, 7]))
    let plain = Model { m in m.sample("x", Normal(location, scale)) }
    for centring in [Tensor(0), Tensor(0.3), Tensor(1), Tensor([0, 0.3, 1])] {
      let model = plain.reparameterized(["x": LocScale(centring: centring)])
      let trace = try model.trace(key: 3)
      #expect(trace.names == ["x_base", "x"])
      let (base, x) = (trace["x_base"].value, trace["x"].value)
      // log p(base) = log p(x) + Σ log dx/dbase, dx/dbase = scale^(1 − c).
      let direct = try plain.substituting(["x": x]).trace().logJoint.item()
      let slope = ((1 - centring) * Tensors.log(scale)).sum().item()
      #expect(near(trace.logJoint.item(), direct + slope), "\(centring)")
      #expect(near(trace["x"].site.originalLogProbability.item(), direct), "\(centring)")
      // The base lies at c · loc with scale^c, and its value follows from one of the original site.
      let origin = try #require(trace["x_base"].site.origin)
      let parts = centring.broadcast(to: [3]).elements
      for k in 0..<3 {
        let c = parts[k]
        let z = (x[k].item() - location[k].item()) / scale[k].item()
        let kept = Tensors.pow(scale[k], c).item()
        #expect(near(base[k].item(), c * location[k].item() + kept * z), "\(centring): \(k)")
        #expect(near(origin.inverse(x)[k].item(), base[k].item()), "\(centring): \(k)")
      }
      try checkHandler("centring \(centring)", model)
    }
    // The ends are the two forms that have names.
    let noncentred = try plain.reparameterized(["x": LocScale()]).trace(key: 3)
    let zero = try plain.reparameterized(["x": LocScale(centring: 0)]).trace(key: 3)
    #expect(zero["x_base"].value.elements == noncentred["x_base"].value.elements)
  }

  @Test("a centring serves a hierarchy in a plate, and has to fit the site")
  func centredPlates() async throws {
    let model = eightSchools.reparameterized(["theta": LocScale(centring: 0.5)])
    let trace = try model.trace(key: 1)
    #expect(trace["theta_base"].value.shape == [8])
    let values = [
      "mu": trace["mu"].value, "tau": trace["tau"].value, "theta": trace["theta"].value,
    ]
    let direct = try eightSchools.substituting(values).trace().logJoint.item()
    let authored = trace.sites.reduce(0) { $0 + $1.originalLogProbability.item() }
    #expect(near(authored, direct))
    // Eight slopes √tau.
    let slope = 4 * Tensors.log(trace["tau"].value).item()
    #expect(near(trace.logJoint.item(), direct + slope))
    let error = mistake {
      _ = try eightSchools.reparameterized(["theta": LocScale(centring: [0.5, 0.5])]).trace()
    }
    #expect(error?.kind == .shapeMismatch(expected: [8], found: [2]) && error?.site == "theta")
    await #expect(processExitsWith: .failure) { _ = LocScale(centring: 1.5) }
  }

  @Test("a transformed distribution is sampled by its base")
  func transform() throws {
    let model = Model { m in m.sample("x", LogNormal(1, 0.5)) }
      .reparameterized(["x": TransformReparameterization()])
    let trace = try model.trace(key: 3)
    #expect(trace.names == ["x_base", "x"])
    #expect(near(trace["x"].value.item(), Tensors.exp(trace["x_base"].value).item()))
    #expect(near(trace.logJoint.item(), logNormal(trace["x_base"].value.item(), 1, 0.5)))
    try checkHandler("log-normal", model)

    let affine = TransformedDistribution(Normal(0, 1), AffineBijector(Tensor(2), Tensor(-3)))
    let other = try Model { m in m.sample("x", affine) }
      .reparameterized(["x": TransformReparameterization()]).trace(key: 1)
    #expect(near(other["x"].value.item(), 2 - 3 * other["x_base"].value.item()))
  }

  @Test("one reparameterisation can be applied to the base of another")
  func chain() throws {
    let model = Model { m in m.sample("x", LogNormal(1, 0.5)) }
      .reparameterized(["x": TransformReparameterization()])
      .reparameterized(["x_base": LocScale()])
    let trace = try model.trace(key: 3)
    #expect(trace.names == ["x_base_base", "x_base", "x"])
    let base = trace["x_base_base"].value.item()
    #expect(near(trace["x"].value.item(), Tensors.exp(Tensor(1 + 0.5 * base)).item()))
    // The author wrote one density only.
    let authored = trace.sites.reduce(0) { $0 + $1.originalLogProbability.item() }
    let direct = LogNormal(1, 0.5).logProbability(of: trace["x"].value).item()
    #expect(near(authored, direct))
    // The base's own value for a value of the original site.
    let origin = trace["x_base_base"].site.origin
    #expect(origin?.name == "x")
    #expect(near(origin?.inverse(trace["x"].value).item() ?? .nan, base))
  }

  @Test("under plates the base has the plate's shape, outside them too")
  func plates() throws {
    let inner = eightSchools.reparameterized(["theta": LocScale()])
    let trace = try inner.trace(key: 1)
    #expect(trace["theta_base"].value.shape == [8])
    #expect(trace["theta"].site.plates.map(\.name) == ["schools"])
    let outer = try Model { m in m.plate("copies", 2, axis: -2) { m.call(inner) } }.trace(key: 1)
    #expect(outer["theta_base"].value.shape == [2, 8])
    #expect(outer["theta"].value.shape == [2, 8])
    #expect(outer["theta"].site.original?.batchShape == [2, 8])
    // The same joint density, as its author wrote it.
    let values = [
      "mu": outer["mu"].value, "tau": outer["tau"].value, "theta": outer["theta"].value,
    ]
    let centred = try Model { m in m.plate("copies", 2, axis: -2) { m.call(eightSchools) } }
      .substituting(values).trace()
    let authored = outer.sites.reduce(0) { $0 + $1.originalLogProbability.item() }
    #expect(near(authored, centred.logJoint.item()))
  }

  @Test("scales and masks outside hold for the base and for the author's density alike")
  func scales() throws {
    let mask = Tensor([1, 0, 1, 1, 1, 1, 1, 1])
    let plain = Model { m in
      m.plate("p", 8) { m.sample("x", Normal(1, 2)) }
    }
    let dressed = plain.reparameterized(["x": LocScale()]).scaled(by: 0.25).masked(mask)
    let trace = try dressed.trace(key: 2)
    let direct = try plain.scaled(by: 0.25).masked(mask)
      .substituting(["x": trace["x"].value]).trace().logJoint.item()
    #expect(near(trace["x"].site.originalLogProbability.item(), direct))
    // 7 elements count, each log 2 away: log p(base) = log p(x) + log 2.
    #expect(near(trace["x_base"].logProbability.item(), direct + 0.25 * 7 * 0.6931471805599453))
  }

  @Test(
    "conditioning or substituting the original site outside takes the reparameterisation's place")
  func outerValues() throws {
    let model = eightSchools.reparameterized(["theta": LocScale()])
    let theta = [1.0, 2, 3, 4, 5, 6, 7, 8]
    let conditioned = try model.conditioned(on: ["theta": theta]).trace(key: 1)
    #expect(conditioned.names == ["mu", "tau", "theta", "y"])
    #expect(conditioned["theta"].site.isObserved)
    #expect(conditioned["theta"].value.elements == theta)
    let substituted = try model.substituting(["theta": theta]).trace(key: 1)
    #expect(substituted["theta"].site.isLatent)
    let centred = try eightSchools.substituting(["theta": theta]).trace(key: 1)
    #expect(substituted.logJoint.item() == centred.logJoint.item())
    // Through a scope the outer handler knows another name.
    let scoped = try model.scoped("s").conditioned(on: ["s/theta": theta]).trace(key: 1)
    #expect(scoped.names == ["s/mu", "s/tau", "s/theta", "s/y"])
    // A hidden site cannot be reached from outside.
    let hidden = try model.blocked(hiding: ["theta"]).conditioned(on: ["theta": theta]).trace(
      key: 1)
    #expect(hidden.names == ["mu", "tau", "theta_base", "y"])
    // A condition inside comes first.
    let inner = try eightSchools.conditioned(on: ["theta": theta])
      .reparameterized(["theta": LocScale()]).trace(key: 1)
    #expect(inner.names == ["mu", "tau", "theta", "y"])
    #expect(try model.intervened(on: ["theta": theta]).trace(key: 1).names == ["mu", "tau", "y"])
  }

  @Test("outer values for the base site give the original one")
  func baseValues() throws {
    let model = eightSchools.reparameterized(["theta": LocScale()])
      .conditioned(on: ["mu": 1, "tau": 2])
    let base = [0.0, 1, 2, 3, 4, 5, 6, 7]
    let trace = try model.substituting(["theta_base": base]).trace()
    #expect(trace["theta"].value.elements == base.map { 1 + 2 * $0 })
    let replayed = try eightSchools.reparameterized(["theta": LocScale()]).replayed(trace)
      .conditioned(on: ["mu": 1, "tau": 2]).trace(key: 9)
    #expect(replayed["theta"].value.elements == trace["theta"].value.elements)
  }

  @Test("observed sites are left alone, and other distributions are refused")
  func notApplicable() throws {
    #expect(try pair.reparameterized(["z": LocScale()]).trace().names == ["x", "z"])
    let error = mistake {
      _ = try Model { m in m.sample("g", Gamma(1, 1)) }.reparameterized(["g": LocScale()]).trace()
    }
    #expect(error?.kind == .misuse && error?.site == "g")
  }
}
