// SPDX-License-Identifier: MIT
//
// The posterior-predictive check is quiet where the model is right and names what is wrong where it is not.

import Distributions
import Foundation
import GalaxyFitting
import GalaxyModels
import Inference
import Numerics
import Rendering
import Tensors
import Testing

@Suite("Posterior-predictive check")
struct PredictiveCheckTests {
  /// Returns a galaxy's image with noise, changed where asked for.
  static func image(
    seed: UInt64, noise: Double = 1, rms: Double = 1, _ change: (inout [Double]) -> Void = { _ in }
  ) throws -> ObservedImage {
    let light = Sersic(xc: 20.3, yc: 19.6, flux: 100, rEff: 4, n: 1.5, ellip: 0.3, theta: 0.8)
    var clean = try FitSingleTests.clean(light.lightProfile, sky: .flat(0.1), width: 41, height: 39)
    change(&clean)
    let key = RandomKey(seed)
    let noisy = clean.enumerated().map { $1 + 0.03 * noise * key.normal(UInt64($0)) }
    return try FitSingleTests.image(noisy, sigma: 0.03 * rms, width: 41, height: 39)
  }

  /// Returns the check of a fit.
  static func check(_ image: ObservedImage, _ loss: ImageLoss = .gaussian) throws -> PredictiveCheck
  {
    try FitSingle(image, prior: autoprior(image, .sersic, sky: .flat), loss: loss)
      .estimatePosterior(.laplace, draws: 1000).predictiveCheck(key: 3)
  }

  @Test("a right model passes, whatever its loss, and its shares are spread over the whole range")
  func quiet() throws {
    var shares: [Double] = []
    for seed in 0..<12 {
      let check = try Self.check(Self.image(seed: UInt64(seed)))
      shares += check.comparisons.map(\.pValue)
      // Sixty shares: one below 0.005 has a chance of 0.26 if they were independent and uniform, two 0.04; the keys are fixed.
      #expect(check.isSound, "seed \(seed): \(check)")
      #expect(check.verdict.contains("look like the noise"))
      #expect(check.draws == 400 && check.comparisons.count == 5)
    }
    // A third of 60 shares would lie below 1/3 by chance: 20 ± 3.7; correlated ones scatter twice as much.
    #expect((8...36).contains(shares.count { $0 < 1.0 / 3 }), "\(shares.sorted())")
    #expect((8...36).contains(shares.count { $0 > 2.0 / 3 }), "\(shares.sorted())")
    for loss in [ImageLoss.studentT(dof: 5), .mixture(), .gaussian(free: .fraction)] {
      #expect(try Self.check(Self.image(seed: 3), loss).isSound, "\(loss)")
    }
  }

  @Test("counts are drawn as counts")
  func counts() throws {
    let light = Sersic(xc: 20.3, yc: 19.6, flux: 20000, rEff: 4, n: 1.5, ellip: 0.3, theta: 0.8)
    let clean = try FitSingleTests.clean(light.lightProfile, sky: .flat(40), width: 41, height: 39)
    let drawn = Poisson(Tensor(clean)).sample(key: 5, sampleShape: []).elements
    let image = try ObservedImage(
      width: 41, height: 39, science: drawn, rms: drawn.map { max($0, 1).squareRoot() },
      psf: FitSingleTests.psf())
    #expect(try Self.check(image, .poisson(gain: 1)).isSound)
  }

  @Test("a nucleus that the model lacks, a cosmic ray, and a wrong rms are each told apart")
  func loud() throws {
    let nucleus = try Self.check(
      Self.image(seed: 1) { pixels in
        for (k, share) in [(19 * 41 + 20, 0.4), (20 * 41 + 20, 0.25), (19 * 41 + 21, 0.25)] {
          pixels[k] += 1.5 * share
        }
      })
    #expect(!nucleus.isSound && nucleus[.core]?.standsOut == true, "\(nucleus)")
    #expect(nucleus.verdict.contains("structure"))
    let ray = try Self.check(Self.image(seed: 1) { $0[300] += 0.3 })
    #expect(ray[.largest]?.standsOut == true && ray.verdict.contains("cosmic rays"), "\(ray)")
    let arms = try Self.check(
      Self.image(seed: 1) { pixels in
        for k in pixels.indices { pixels[k] += 0.02 * sin(Double(k % 41) / 2) }
      })
    #expect(arms[.correlation]?.standsOut == true, "\(arms)")
    let small = try Self.check(Self.image(seed: 1, noise: 1.2))
    #expect(small[.chiSquared]?.standsOut == true, "\(small)")
    let large = try Self.check(Self.image(seed: 1, noise: 0.8))
    #expect(!large.isSound && large.verdict.contains("the rms is too large"), "\(large)")
    // With a free noise the same images are sound.
    #expect(try Self.check(Self.image(seed: 1, noise: 1.2), .gaussian(free: .fraction)).isSound)
  }

  @Test(
    "a maximum alone, a scene and a record from a file can be checked; a point source has no core")
  func others() throws {
    let image = try Self.image(seed: 2)
    let best = try FitSingle(image, prior: autoprior(image, .sersic, sky: .flat)).findMAP()
    let check = try best.predictiveCheck(key: 3)
    #expect(check.isSound)
    try RecordScene.inFolder { folder in
      try best.save(to: "\(folder)/best.fits")
      let again = try FitRecord(contentsOf: "\(folder)/best.fits").predictiveCheck(key: 3)
      #expect(again.comparisons.map(\.pValue) == check.comparisons.map(\.pValue))
    }
    var scene = SimulatedScene.five
    // The noise of seed 1 has a χ² 2.6 standard deviations below its mean, which the check says.
    scene.seed = 2
    let many = try scene.image()
    let fit = try FitMulti(many, prior: scene.catalog.prior(in: many, sky: .flat))
    let whole = try fit.findMAP().predictiveCheck(draws: 200)
    #expect(whole.isSound, "\(whole)")
    let star = try FitSingle(image, prior: autoprior(image, .pointsource, sky: .flat)).findMAP()
    let poor = try star.predictiveCheck(draws: 200)
    #expect(poor[.core] == nil && !poor.isSound)
  }
}
