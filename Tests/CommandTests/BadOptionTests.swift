// SPDX-License-Identifier: MIT
//
// Wrong options: the command says what there is, before it reads or computes anything, with status 2.

import Foundation
import Testing

@Suite(
  "Command: wrong options", .enabled(if: SersicProcess.path != nil, "the command is not built"))
struct BadOptionTests {
  /// Words of a fit whose files need not exist, and what its refusal must say.
  struct Case: Sendable, CustomTestStringConvertible {
    /// The words after `fit image.fits --rms rms.fits`.
    let words: [String]
    /// What standard error must contain.
    let said: [String]

    /// Creates a case.
    init(_ words: String..., says said: [String]) {
      self.words = words
      self.said = said
    }

    var testDescription: String { words.joined(separator: " ") }
  }

  static let cases = [
    Case("--profile", "spiral", says: ["spiral", "sersic", "exp", "dev", "pointsource"]),
    Case("--profile", "doublespergel", says: ["doublesersic", "sersic_exp", "spergel"]),
    Case("--sky", "cloudy", says: ["none", "flat", "tilted-plane"]),
    Case("--loss", "huber", says: ["--loss", "gaussian", "student-t"]),
    Case("--loss", "pseudo-huber:delta=0", says: ["delta > 0", "0"]),
    Case("--loss", "mixture:c=1", says: ["outliers > 1", "5"]),
    Case("--loss", "poisson:gain=0", says: ["gain > 0"]),
    Case("--loss", "poisson-frac", says: ["poisson-frac", "all but poisson"]),
    Case("--loss", "student-t:dof=0", says: ["dof > 0", "0"]),
    Case("--loss", "student-t:dof=2", says: ["scale", "dof ≤ 2"]),
    Case("--loss", "student-t:dof=5,scale=-1", says: ["scale > 0", "-1"]),
    Case("--loss", "student-t:degrees=5", says: ["degrees", "dof"]),
    Case("--loss", "gaussian:dof=5", says: ["gaussian", "no arguments"]),
    Case("--method", "mcmc", says: ["mcmc", "map", "laplace", "svi-mvn", "svi-flow", "nuts"]),
    Case("--renderer", "mosaic", says: ["mosaic", "fourier", "hybrid", "pixel"]),
    Case("--pixel-response", "maybe", says: ["included", "integrated"]),
    Case("--prior-style", "mine", says: ["default", "pysersic"]),
    Case("--optimizer", "adam", says: ["levenberg-marquardt", "lbfgs"]),
    Case("--draws", "-1", says: ["--draws", "-1"]),
    Case("--draws", "0", says: ["--draws", "from 2 draws"]),
    Case("--seed", "many", says: ["--seed"]),
    Case("--seed", "-1", says: ["--seed", "-1"]),
    Case("--center", "12", says: ["--center", "X,Y"]),
    Case("--psf-oversampling", "0", says: ["--psf-oversampling"]),
    Case("--chains", "0", says: ["--chains"]),
    Case("--target-acceptance", "1", says: ["--target-acceptance", "between 0 and 1"]),
    Case("--variance", "v.fits", says: ["exactly one"]),
    Case("--mask-good-value", "1", says: ["--mask"]),
    Case("--normalize-psf", says: ["--psf"]),
    // Priors.
    Case("--prior", "bulge=normal(0,1)", says: ["bulge", "xc, yc, flux, r_eff, n, ellip, theta"]),
    Case("--prior", "sky_x_sl=normal(0,1)", says: ["sky_x_sl", "sky_back"]),
    Case("--prior", "n", says: ["--prior", "NAME=VALUE", "n=normal(2,0.5)"]),
    Case(
      "--prior", "n=gauss(2,0.5)", says: ["prior of n", "normal(mean, sd)", "uniform(low, high)"]),
    Case("--prior", "n=gauss(2,0.5)", says: ["truncated-normal(mean, sd", "half-cauchy(scale)"]),
    Case("--prior", "n=normal(2)", says: ["mean, sd", "normal(2)"]),
    Case("--prior", "n=normal(2,0.5,1)", says: ["mean, sd"]),
    Case("--prior", "n=normal(2,0.5", says: ["close the bracket"]),
    Case("--prior", "n=normal(two,0.5)", says: ["expected numbers", "two"]),
    Case("--prior", "n=normal(2,-1)", says: ["sd > 0", "-1"]),
    Case("--prior", "n=normal(2,width=1)", says: ["width"]),
    Case("--prior", "n=normal(nan,1)", says: ["NaN"]),
    Case("--prior", "n=uniform(4,1)", says: ["low < high", "4.0 and 1.0"]),
    Case("--prior", "n=uniform(1,1)", says: ["low < high"]),
    Case(
      "--prior", "n=uniform(-2,3)", says: ["prior of n", "bounds within 0.25 … 12.0", "-2.0 … 3.0"]),
    Case("--prior", "ellip=uniform(0,2)", says: ["prior of ellip", "0.0 … 0.99"]),
    Case("--prior", "r_eff=cauchy(3,1)", says: ["prior of r_eff", "lognormal"]),
    Case("--prior", "n=normal(100,1)", says: ["next to nothing"]),
    Case("--prior", "flux=uniform(0,inf)", says: ["finite bounds"]),
    Case("--prior", "theta=gamma(1,1)", says: ["theta", "circular()"]),
    Case("--prior", "flux=circular()", says: ["only theta"]),
    // Fixed and starting values.
    Case("--fix", "n", says: ["--fix", "NAME=VALUE"]),
    Case("--fix", "n=four", says: ["--fix", "four"]),
    Case("--fix", "n=nan", says: ["finite"]),
    Case("--fix", "n=50", says: ["0.25", "12", "50"]),
    Case("--fix", "ellip=1", says: ["0.99"]),
    Case("--fix", "radius=3", says: ["radius", "r_eff"]),
    Case("--start", "radius=3", says: ["radius", "r_eff"]),
    Case("--start", "n=", says: ["--start", "NAME=VALUE"]),
    Case("--frobnicate", says: ["--frobnicate"]),
  ]

  @Test("a wrong choice is refused with what there is", arguments: cases)
  func refused(example: Case) throws {
    let outcome = try SersicProcess.run(
      ["fit", "absent.fits", "--rms", "absent.fits"] + example.words)
    #expect(outcome.status == 2, "\(outcome.errors)")
    #expect(outcome.output == "")
    for word in example.said { #expect(outcome.errors.contains(word), "\(outcome.errors)") }
  }

  @Test("options that contradict each other are refused")
  func contradictions() throws {
    for words in [
      ["--fix", "n=4", "--prior", "n=normal(4,1)"], ["--fix", "n=4", "--start", "n=2"],
      ["--fix", "n=4", "--fix", "n=2"], ["--prior", "n=uniform(1,2)", "--prior", "n=uniform(1,3)"],
    ] {
      let outcome = try SersicProcess.run(["fit", "a.fits", "--rms", "a.fits"] + words)
      #expect(outcome.status == 2 && outcome.errors.contains("n "), "\(outcome.errors)")
    }
    let detection = try SersicProcess.run([
      "multi", "a.fits", "--rms", "a.fits", "--catalog", "c.csv", "--threshold", "3",
    ])
    #expect(detection.status == 2 && detection.errors.contains("--catalog"), "\(detection.errors)")
    let acceptance = try SersicProcess.run([
      "fit", "a.fits", "--rms", "a.fits", "--method", "laplace", "--target-acceptance", "0.9",
    ])
    #expect(acceptance.status == 2 && acceptance.errors.contains("nuts"), "\(acceptance.errors)")
    let all = ["xc=1", "yc=1", "flux=1"].flatMap { ["--fix", $0] }
    let outcome = try SersicProcess.run(
      ["fit", "a.fits", "--rms", "a.fits", "--profile", "pointsource", "--sky", "none"] + all)
    #expect(outcome.status == 2 && outcome.errors.contains("at least one free parameter"))
  }

  @Test("no image, no noise and no subcommand of that name are refused; nothing at all is help")
  func missing() throws {
    #expect(try SersicProcess.run(["fit"]).status == 2)
    let noise = try SersicProcess.run(["fit", "a.fits"])
    #expect(noise.status == 2 && noise.errors.contains("--weight"))
    #expect(try SersicProcess.run(["dance"]).status == 2)
    let help = try SersicProcess.run([])
    #expect(help.status == 0 && help.output.contains("SUBCOMMANDS"))
  }

  @Test("values that only the image can judge are refused, too")
  func afterReading() throws {
    let scene = try CommandScene()
    let start = try scene.run("fit", image: "image.fits", sky: "none", "--start", "n=11")
    #expect(start.status == 2 && start.errors.contains("n: expected a value that the prior"))
    let center = try scene.run(sky: "none", "--center", "70,10")
    #expect(center.status == 2 && center.errors.contains("49 × 45"))
    let source = try scene.run(psf: nil, "--profile", "pointsource")
    #expect(source.status == 2 && source.errors.contains("PSF"))
    let hybrid = try scene.run(
      sky: "none", "--renderer", "hybrid", "--pixel-response", "integrated")
    #expect(hybrid.status == 2 && hybrid.errors.contains("renderer: expected"), "\(hybrid.errors)")
    try scene.alter("image.fits", to: "negative.fits") { $0[3] = -5 }
    let counts = try scene.run(image: "negative.fits", "--loss", "poisson:gain=2")
    #expect(
      counts.status == 2 && counts.errors.contains("negative.fits: expected counts"),
      "\(counts.errors)")
  }

  @Test("an angle that is held comes out within half a turn")
  func heldAngle() throws {
    let scene = try CommandScene()
    let fit = try scene.run(sky: "none", "--fix", "theta=5", "--json")
    let angle = (fit.json["parameters"] as? [String: [String: Any]])?["theta"]?["map"] as? Double
    #expect(abs((angle ?? .nan) - (5 - Double.pi)) < 1e-12, "\(fit.errors)")
  }

  @Test("a result lists the defaults of those options that played a part")
  func usedDefaults() throws {
    let scene = try CommandScene()
    let best = try scene.run(sky: "none", "--json").json["defaults"] as? [String: String] ?? [:]
    #expect(Set(best.keys).isDisjoint(with: ["draws", "chains", "warmup"]))
    #expect(best["optimizer"] == "levenberg-marquardt" && best["method"] == "map")
    let normal = try scene.run(sky: "none", "--method", "laplace", "--json").json["defaults"]
    let names = Set((normal as? [String: String] ?? [:]).keys)
    #expect(names.isSuperset(of: ["draws", "seed"]) && !names.contains("chains"))
  }

  @Test("what the guesses and the fit both say is said once")
  func once() throws {
    let scene = try CommandScene()
    try scene.alter("image.fits", to: "hole.fits") { $0[23 * 49 + 23] = .nan }
    let fit = try scene.run(image: "hole.fits")
    #expect(fit.errors.components(separatedBy: "[peak-masked]").count == 2, "\(fit.errors)")
  }

  @Test("simulations with unknown, missing and impossible parameters are refused")
  func simulations() throws {
    let folder = try TemporaryFolder()
    let good = CommandScene.truth
    /// Runs a simulation with some parameters and more words.
    func simulate(_ parameters: [String: Double], _ more: String...) throws -> Outcome {
      let words = parameters.flatMap { ["--param", "\($0)=\($1)"] }
      return try SersicProcess.run(
        ["simulate", "--output", folder.path("sim")] + words
          + (more.contains("--size") ? [] : ["--size", "20x20"]) + more)
    }
    let examples: [(Outcome, String)] = [
      (try simulate(good.merging(["flavour": 1]) { $1 }), "flavour"),
      (try simulate(good.filter { $0.key != "r_eff" }), "--param r_eff=VALUE"),
      (try simulate(good.merging(["n": 40]) { $1 }), "0.25"),
      (try simulate(good.merging(["ellip": 1.5]) { $1 }), "ellip"),
      (try simulate(good.merging(["r_eff": -3]) { $1 }), "r_eff"),
      (try simulate(good, "--size", "20"), "121x101"),
      (try simulate(good, "--size", "0x20"), "--size"),
      (try simulate(good, "--noise", "pink"), "poisson:gain=G,read=R"),
      (try simulate(good, "--noise", "gaussian:-1"), "sigma > 0"),
      (try simulate(good, "--noise", "poisson:gain=0"), "gain > 0"),
      (try simulate(good, "--sky", "flat"), "back"),
      (try simulate(good, "--psf", "moffat:fwhm=3"), "beta"),
      (try simulate(good, "--psf", "gaussian:fwhm=0"), "width"),
      (try simulate(good, "--psf", "absent.fits"), "absent.fits"),
      (try simulate(good, "--pixel-response", "included"), "--psf"),
      (try simulate(good, "--source", "sersic:xc=1"), "--param"),
      (try simulate([:], "--source", "sersic:xc=1", "--profile", "exp"), "--profile"),
      (try simulate([:], "--source", "sersic:xc=1", "--catalog", "c.csv"), "found both"),
      (try simulate([:], "--source", "bulge:xc=1"), "sersic_pointsource"),
      (try simulate([:], "--source", "xc=1,yc=1"), "PROFILE:NAME=VALUE"),
      (try simulate([:], "--source", "exp:xc=1,yc=1,flux=1,r_eff=2,ellip=0"), "add theta=VALUE"),
      (try simulate([:], "--source", "pointsource:xc=1,yc=1,flux=1"), "--psf"),
      (try simulate([:], "--source", "pointsource:xc=1,yc=1,flux=1,n=2"), "found n"),
      (try simulate([:], "--source", "pointsource:xc=1,xc=2,yc=1,flux=1"), "twice"),
      (try simulate([:], "--source", "pointsource:1,2,3"), "NAME=VALUE"),
      (try simulate([:], "--catalog", "absent.csv"), "absent.csv"),
    ]
    for (outcome, said) in examples {
      #expect(outcome.status == 2 && outcome.errors.contains(said), "\(outcome.errors)")
    }
    #expect(folder.names(in: "sim") == [])
  }
}
