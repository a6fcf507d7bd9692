// SPDX-License-Identifier: MIT
//
// One parameter of a source over the bands of a joint model: its sites, and its value in a band or at a wavelength.

import Distributions
import Tensors

/// One parameter of a source over the bands of a joint model.
public struct LinkedParameter: Sendable, Hashable {
  /// The name without a band: `n`, or `n_1` of source 1 of several.
  public let name: String

  /// The site of a single source: `n`.
  public let quantity: String

  /// The number of the source; nil where there is only one.
  public let source: Int?

  /// How it depends on the wavelength.
  public let link: WavelengthLink

  /// The sites whose values make it, in order.
  public let sites: [String]

  /// The names of its values in the bands: `n_g`, ….
  public let bandNames: [String]

  /// The weights of the sites in each band, on the scale of the link; empty where the parameter is free.
  private let weights: [[Double]]

  /// The wavelengths from the shortest to the longest; nil where they do not matter.
  private let range: ClosedRange<Double>?

  /// Creates a parameter.
  init(
    _ quantity: String, source: Int?, link: WavelengthLink, bands: [String],
    wavelengths: [Double]
  ) {
    self.quantity = quantity
    self.source = source
    self.link = link
    let name = quantity + (source.map { "_\($0)" } ?? "")
    self.name = name
    bandNames = bands.map { "\(name)_\($0)" }
    let range =
      wavelengths.min().flatMap { low in wavelengths.max().map { low...$0 } }
    self.range = range
    switch link {
    case .constant: sites = [name]
    case .free: sites = bandNames
    case .polynomial: sites = (0..<(link.coefficientCount ?? 0)).map { "\(name)_poly_\($0)" }
    case .bSpline: sites = (0..<(link.coefficientCount ?? 0)).map { "bspl_w_\(name)_\($0)" }
    }
    switch link {
    case .constant: weights = bands.map { _ in [1] }
    case .free: weights = []
    case .polynomial, .bSpline:
      weights = wavelengths.compactMap { x in range.flatMap { link.weights(at: x, in: $0) } }
    }
  }

  /// Returns the parameter in a band.
  ///
  /// - Parameters:
  ///   - values: The values of the sites, in order; tensors of one shape.
  ///   - band: The number of the band.
  ///   - support: The support of the sites' prior.
  /// - Returns: The value in the band, element by element.
  func value(_ values: [Tensor], band: Int, support: Constraint) -> Tensor {
    link == .free
      ? values[band] : Self.combined(values, weights: weights[band], support: support)
  }

  /// Returns the parameter at a wavelength; nil where it has no value there.
  func value(_ values: [Tensor], wavelength: Double, support: Constraint) -> Tensor? {
    if link == .constant { return values[0] }
    guard let range, let weights = link.weights(at: wavelength, in: range) else { return nil }
    return Self.combined(values, weights: weights, support: support)
  }

  /// Returns the weighted sum of values on the scale that a support has, as a value in the support.
  private static func combined(
    _ values: [Tensor], weights: [Double], support: Constraint
  ) -> Tensor {
    // One value alone goes through no scale, where it would lose its last digits.
    if let only = weights.firstIndex(of: 1), weights.allSatisfy({ $0 == 0 || $0 == 1 }) {
      return values[only]
    }
    /// Returns the sum over the values of what a function makes of each, times its weight.
    func sum(_ body: (Tensor) -> Tensor) -> Tensor {
      zip(values, weights).dropFirst().reduce(weights[0] * body(values[0])) {
        $0 + $1.1 * body($1.0)
      }
    }
    if case .circular(let low, let period) = support {
      // Directions, not numbers: the ends of the range are one place.
      let turn = 2 * Double.pi / period
      let phase = atan2(
        sum { sin(turn * ($0 - low)) }, sum { cos(turn * ($0 - low)) })
      return low + phase / turn
    }
    guard let scale = bijector(to: support) else { return sum { $0 } }
    return scale.forward(sum { scale.inverse($0) })
  }
}
