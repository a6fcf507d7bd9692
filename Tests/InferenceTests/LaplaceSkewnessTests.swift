// SPDX-License-Identifier: MIT
//
// The centre of a Laplace approximation to the next order, where the exact mean is known.

import Distributions
import Inference
import Numerics
import PPL
import Tensors
import Testing

@Suite("Skewness of the Laplace approximation")
struct LaplaceSkewnessTests {
  @Test("a normal posterior stays where it is")
  func normal() throws {
    let plain = try LaplaceApproximation(line.logDensity(), from: [0, 0])
    let corrected = plain.skewCorrected()
    for (a, b) in zip(plain.center, corrected.center) { #expect(abs(a - b) < 1e-12) }
    #expect(corrected.precision.lower == plain.precision.lower)
    #expect(corrected.logEvidence == plain.logEvidence)
  }

  @Test(
    "the mean of the logarithm of a gamma variable is right to the next order",
    arguments: [4.0, 16, 64])
  func gamma(shape: Double) throws {
    // log x of x ~ Gamma(a, 1) has mode log a and mean ψ(a) = log a − 1/(2a) − 1/(12a²) + …
    let model = Model<Void> { m in _ = m.sample("x", Gamma(shape, 1)) }
    let plain = try LaplaceApproximation(model.logDensity(), from: [1])
    let exact = plain.center[0] - 1 / (2 * shape) - 1 / (12 * shape * shape)
    let corrected = plain.skewCorrected().center[0]
    // With steps of a whole deviation the shift is −½ (1/a)(1 + 1/(12a) + …): off by 1/(8a²) at most.
    #expect(abs(corrected - exact) < 1 / (8 * shape * shape))
    #expect(abs(plain.center[0] - exact) > 20 * abs(corrected - exact) || shape < 10)
  }

  @Test("a polar pair has its radius right, whatever the angle", arguments: [0.0, 0.4, 1.9])
  func polar(theta: Double) throws {
    // A point in the plane, seen with errors of 1 at a distance of 5, under a prior that is flat in radius and angle. The density of
    // the radius alone is exp(−(r² + 25)/2) I₀(5 r), whose mean is near 5 − 1/10.
    let model = Model<Void> { m in
      let radius = m.sample("r", Uniform(0, 100))
      let angle = m.sample("theta", CircularUniform(period: .pi))
      m.observe("x", Normal(radius * cos(2 * angle), 1), 5 * cos(Tensor(2 * theta)))
      m.observe("y", Normal(radius * sin(2 * angle), 1), 5 * sin(Tensor(2 * theta)))
    }
    let density = try model.logDensity()
    let start = try density.unconstrain(["r": 5, "theta": theta])
    let plain = try LaplaceApproximation(density, from: start)
    /// Returns the mean radius of draws.
    func radius(_ approximation: LaplaceApproximation) -> Double {
      approximation.sample(40_000, key: 1).scalar("r").mean
    }
    // Draws are good to 0.005; what is left is of the next order, some (1/5)³.
    #expect(abs(radius(plain.skewCorrected()) - 4.9) < 0.03)
    #expect(radius(plain) > 5.15)
    // One site may move alone.
    let alone = plain.skewCorrected(["r"])
    #expect(abs(radius(alone) - 4.9) < 0.03)
    let range = try #require(density.layout["theta"]?.range)
    for k in range { #expect(abs(alone.center[k] - plain.center[k]) < 1e-12) }
    let angle = plain.skewCorrected().sample(40_000, key: 2).scalar("theta")
    #expect(abs((angle.mean - theta).remainder(dividingBy: .pi)) < 0.005)
  }

  @Test("flat directions leave the centre alone, and a shift ends at one deviation")
  func limits() throws {
    let flat = Model<Void> { m in
      let a = m.sample("a", ImproperUniform(.real))
      _ = m.sample("b", Normal(0 * a, 1))
    }
    let approximation = try LaplaceApproximation(flat.logDensity(), from: [0.2, 0.3])
    #expect(approximation.flatDirections == 1)
    #expect(approximation.skewCorrected().center == approximation.center)
    let skew = Model<Void> { m in _ = m.sample("x", Gamma(0.02, 1)) }
    let wild = try LaplaceApproximation(skew.logDensity(), from: [-3])
    let moved = abs(wild.skewCorrected().center[0] - wild.center[0])
    #expect(moved <= 1.000_001 * wild.covariance[0].squareRoot())
  }
}
