// SPDX-License-Identifier: MIT
//
// The noise of simulated images: none, Gaussian, or that of photons and read-out.

import Distributions
public import Numerics
import Tensors

/// The noise of a simulated image.
public enum ImageNoise: Sendable, Hashable, CustomStringConvertible {
  /// None at all; the rms that goes with it is a thousandth of the model's peak.
  case none
  /// The same normal noise in all pixels, in image units.
  case gaussian(sigma: Double)
  /// Photon noise of model and sky, and normal read noise: `gain` in electrons per image unit, `read` in electrons.
  case poisson(gain: Double, read: Double)

  /// Reads `none`, `gaussian:SIGMA` or `poisson:gain=G,read=R`.
  ///
  /// - Throws: ``OptionError`` that says what there is, or which numbers are impossible.
  public init(_ text: String) throws(OptionError) {
    let option = try OptionText(text, subject: "--noise")
    switch option.word {
    case "none":
      _ = try option.values([], required: 0)
      self = .none
    case "gaussian":
      let sigma = try option.values(["sigma|sd|rms"], required: 1)[0] ?? 0
      guard sigma > 0, sigma.isFinite else {
        throw OptionError(
          "--noise", "gaussian: expected sigma > 0, found \(sigma); use none for no noise")
      }
      self = .gaussian(sigma: sigma)
    case "poisson":
      let values = try option.values(["gain", "read"], required: 1)
      let (gain, read) = (values[0] ?? 1, values[1] ?? 0)
      guard gain > 0, gain.isFinite else {
        throw OptionError("--noise", "poisson: expected gain > 0 electrons per unit, found \(gain)")
      }
      guard read >= 0, read.isFinite else {
        throw OptionError("--noise", "poisson: expected read ≥ 0 electrons, found \(read)")
      }
      self = .poisson(gain: gain, read: read)
    default:
      throw OptionError(
        "--noise", "expected none, gaussian:SIGMA or poisson:gain=G,read=R, found \"\(text)\"")
    }
  }

  /// Returns the rms of each pixel around a model, all positive.
  ///
  /// Without noise any constant will do: a thousandth of the largest modulus makes fits to these images as sharp as
  /// single precision allows. Photon noise has a floor of one electron, for pixels without light and without read noise.
  ///
  /// - Parameter model: The model image with its sky, in image units.
  /// - Returns: One standard deviation of each pixel, in image units.
  public func rms(of model: [Double]) -> [Double] {
    switch self {
    case .none:
      let peak = model.reduce(0) { max($0, abs($1)) }
      return model.map { _ in peak > 0 ? 1e-3 * peak : 1 }
    case .gaussian(let sigma): return model.map { _ in sigma }
    case .poisson(let gain, let read):
      return model.map { max($0 * gain + read * read, 1).squareRoot() / gain }
    }
  }

  /// Returns a noisy image; pixel i depends on the key and i alone.
  ///
  /// - Parameters:
  ///   - model: The model image with its sky, in image units; negative pixels have no photons.
  ///   - key: The key of the noise.
  /// - Returns: The noisy pixels, in image units.
  public func applied(to model: [Double], key: RandomKey) -> [Double] {
    switch self {
    case .none: return model
    case .gaussian(let sigma):
      let noise = Normal(0, sigma).sample(key: key, sampleShape: [model.count]).elements
      return zip(model, noise).map { $0 + $1 }
    case .poisson(let gain, let read):
      let electrons = Poisson(Tensor(model.map { max($0, 0) * gain }))
        .sample(key: key.folding(in: "photons")).elements
      guard read > 0 else { return electrons.map { $0 / gain } }
      let noise = Normal(0, read).sample(
        key: key.folding(in: "read"), sampleShape: [model.count]
      ).elements
      return zip(electrons, noise).map { ($0 + $1) / gain }
    }
  }

  public var description: String {
    switch self {
    case .none: "none"
    case .gaussian(let sigma): "gaussian:\(sigma)"
    case .poisson(let gain, let read): "poisson:gain=\(gain),read=\(read)"
    }
  }
}
