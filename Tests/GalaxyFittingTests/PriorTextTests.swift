// SPDX-License-Identifier: MIT
//
// Priors, losses, skies and noise as text: what each text means, and what is refused.

import Distributions
import GalaxyFitting
import GalaxyModels
import Inference
import Numerics
import Rendering
import Tensors
import Testing

@Suite("Options as text")
struct PriorTextTests {
  @Test(
    "each distribution is made with its numbers, by place or by name",
    arguments: [
      ("normal(2, 0.5)", "Normal(loc: 2.0, scale: 0.5)"),
      ("gaussian(sd=0.5, mean=2)", "Normal(loc: 2.0, scale: 0.5)"),
      ("uniform(-1,1)", "Uniform(low: -1.0, high: 1.0)"),
      ("Log-Normal(1,0.5)", "LogNormal(loc: 1.0, scale: 0.5)"),
      ("half_normal(3)", "HalfNormal(scale: 3.0)"),
      ("student-t(5, 0, 2)", "StudentT(dof: 5.0, loc: 0.0, scale: 2.0)"),
      ("cauchy(0,1)", "Cauchy(loc: 0.0, scale: 1.0)"),
      ("half-cauchy(1)", "HalfCauchy(scale: 1.0)"),
      ("laplace(0,1)", "Laplace(loc: 0.0, scale: 1.0)"),
      ("logistic(0,1)", "Logistic(loc: 0.0, scale: 1.0)"),
      ("gamma(2,3)", "Gamma(shape: 2.0, rate: 3.0)"),
      ("inverse-gamma(2,3)", "InverseGamma(shape: 2.0, scale: 3.0)"),
      ("beta(2,3)", "Beta(a: 2.0, b: 3.0)"),
      ("exponential(1e2)", "Exponential(rate: 100.0)"),
    ])
  func distributions(text: String, description: String) throws {
    #expect(try prior(from: text, for: "flux").description == description)
  }

  @Test("normals of bounded parameters are truncated where they have no meaning")
  func truncated() throws {
    let n = try #require(try prior(from: "normal(2,1)", for: "n") as? TruncatedNormal)
    #expect(n.low?.item() == 0.25 && n.high?.item() == 12)
    let rEff = try #require(try prior(from: "normal(3,1)", for: "r_eff") as? TruncatedNormal)
    #expect(rEff.low?.item() == 1e-3 && rEff.high == nil)
    let given = try #require(
      try prior(from: "truncated-normal(2,1,low=1,high=3)", for: "n") as? TruncatedNormal)
    #expect(given.low?.item() == 1 && given.high?.item() == 3)
    let uniform = try prior(from: "uniform(0, 20)", for: "n")
    #expect(uniform.description == "Uniform(low: 0.25, high: 12.0)")
    #expect(throws: OptionError.self) { try prior(from: "uniform(13, 20)", for: "n") }
    let half = try #require(
      try prior(from: "truncated-normal(2,1,high=3)", for: "flux") as? TruncatedNormal)
    #expect(half.low == nil && half.high?.item() == 3)
  }

  @Test("angles get distributions on the circle; only a narrow uniform keeps its walls")
  func angles() throws {
    let normal = try #require(
      try prior(from: "normal(pi/4, 0.1)", for: "theta") as? WrappedNormal)
    #expect(normal.loc.item() == Double.pi / 4 && normal.period == Double.pi)
    for text in ["uniform(0, pi)", "uniform(0,3.1416)", "uniform(0, 2*pi)", "uniform(-pi/2, pi/2)"]
    {
      #expect(try prior(from: text, for: "theta") is CircularUniform, "\(text)")
    }
    #expect(try prior(from: "uniform(0, 1)", for: "theta") is Uniform)
    #expect(try prior(from: "circular()", for: "theta") is CircularUniform)
  }

  @Test("losses and skies are read with their numbers")
  func lossesAndSkies() throws {
    #expect(try loss(from: "gaussian") == .gaussian)
    #expect(try loss(from: "student-t:dof=3,scale=2") == .studentT(dof: 3, scale: 2))
    #expect(try loss(from: "student-t") == .studentT(dof: 5, scale: nil))
    #expect(try SkyLevel("none").kind == .none)
    #expect(try SkyLevel("flat:0.1").parameters == ["sky_back": 0.1])
    #expect(
      try SkyLevel("tilted-plane:back=1,y=2").parameters
        == ["sky_back": 1, "sky_x_sl": 0, "sky_y_sl": 2])
    #expect(throws: OptionError.self) { try SkyLevel("flat") }
    #expect(throws: OptionError.self) { try loss(from: "student-t:dof=1") }
  }

  @Test("simulated noise has the mean and the scatter it claims, and equal keys give equal noise")
  func noise() throws {
    let model = (0..<20_000).map { $0 < 10_000 ? 0.5 : 40.0 }
    for text in ["gaussian:0.3", "poisson:gain=2,read=3", "poisson:gain=2"] {
      let noise = try ImageNoise(text)
      let rms = noise.rms(of: model)
      let image = noise.applied(to: model, key: 5)
      #expect(
        image == noise.applied(to: model, key: 5) && image != noise.applied(to: model, key: 6))
      for part in [0..<10_000, 10_000..<20_000] {
        let mean = part.reduce(0) { $0 + image[$1] - model[$1] } / 1e4
        let variance =
          part.reduce(0) { $0 + (image[$1] - model[$1]) * (image[$1] - model[$1]) } / 1e4
        let expected = rms[part.lowerBound]
        // Five standard errors of 10⁴ pixels: 0.05 of the rms for the mean, 5 √2 / 100 of the variance.
        #expect(abs(mean) < 0.05 * expected, "\(text)")
        #expect(abs(variance / (expected * expected) - 1) < 0.08, "\(text)")
      }
    }
    #expect(try ImageNoise("none").applied(to: model, key: 1) == model)
    #expect(try ImageNoise("none").rms(of: [0, 0]).allSatisfy { $0 > 0 })
  }

  @Test("a printed prior is a table of all parameters, with what is held, missing and too much")
  func table() {
    var prior = GalaxyPrior(.sersic, sky: .flat)
    prior["xc"] = Normal(60.016653, 1.25)
    prior["flux"] = Normal(1826.6612345, 900)
    prior["r_eff"] = LogNormal(1.3, 0.7)
    prior["n"] = Uniform(0.3, 10)
    prior["ellip"] = Uniform(0, 0.95)
    prior["theta"] = CircularUniform(period: Double.pi)
    prior["sky_back"] = Normal(0.01, 0.05)
    prior["nu"] = Uniform(0, 1)
    prior.fix("n", at: 4)
    prior.guesses["flux"] = 1800
    let lines = prior.description.split(separator: "\n")
    /// Returns the cells of a line: columns are two blanks apart at least.
    func cells(_ line: Int) -> [String] {
      lines[line].split(separator: /\s{2,}/).map { String($0) }
    }
    #expect(lines.count == 1 + prior.sites.count + 1)
    #expect(cells(0) == ["parameter", "prior", "median", "68 %", "start", "unit"])
    #expect(
      cells(1) == [
        "xc", "Normal(loc: 60.02, scale: 1.25)", "60.02", "58.77 … 61.27", "60.02", "pixels",
      ])
    #expect(cells(2) == ["yc", "(no prior)", "pixels"])
    #expect(
      cells(3) == [
        "flux", "Normal(loc: 1827.0, scale: 900.0)", "1827.0", "926.8 … 2726.0", "1800.0",
        "image units",
      ])
    #expect(cells(5) == ["n", "held at 4.0"])
    #expect(cells(9) == ["nu", "(no parameter of sersic with sky flat)"])
    // All cells of a column begin in the same place.
    let start = lines[0].distance(
      from: lines[0].startIndex,
      to: lines[0].firstRange(of: "prior")?.lowerBound ?? lines[0].endIndex)
    for line in lines { #expect(Array(line)[start] != " " && Array(line)[start - 1] == " ") }
    #expect(prior.extraSites == ["nu"])
  }

  @Test("any parameter takes any distribution, by text or as a value, and the fit uses it")
  func anyDistribution() throws {
    let light = Sersic(xc: 20, yc: 20, flux: 60, rEff: 4, n: 2, ellip: 0.3, theta: 1)
    let pixels = try FitSingleTests.clean(light.lightProfile, width: 41, height: 41)
    let image = try FitSingleTests.image(pixels, sigma: 0.02, width: 41, height: 41)
    let texts = [
      "xc": ["student-t(3, 20, 1)", "laplace(20, 1)", "logistic(20, 0.5)", "uniform(10, 30)"],
      "flux": ["gamma(4, 0.06)", "inverse-gamma(5, 250)", "exponential(0.02)", "half-normal(100)"],
      "r_eff": ["gamma(4, 1)", "half-cauchy(4)", "uniform(1, 20)", "normal(4, 2)"],
      "n": ["lognormal(0.7, 0.4)", "truncated-normal(2, 1, 0.5, 8)", "normal(2, 1)"],
      "ellip": ["beta(2, 3)", "uniform(0, 0.8)", "normal(0.3, 0.2)"],
      "theta": ["normal(1, 0.3)", "uniform(0.2, 2)", "circular()"],
    ]
    for (site, forms) in texts {
      for form in forms {
        var prior = autoprior(image, .sersic, sky: .none)
        let settings = try PriorSettings(priors: ["\(site)=\(form)"], fix: [], start: [])
        try settings.apply(to: &prior)
        let fit = try FitSingle(image, prior: prior)
        let best = try fit.findMAP()
        #expect(best.isConverged, "\(site) \(form): \(best.optimum.explanation)")
        // Data without noise and an rms of 0.02 determine all to a few per cent; these priors allow the truth.
        #expect(abs(best["r_eff"] - 4) < 0.1 && abs(best["n"] - 2) < 0.1, "\(site) \(form)")
      }
    }
  }
}
