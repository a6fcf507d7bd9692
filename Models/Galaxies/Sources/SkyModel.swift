// SPDX-License-Identifier: MIT
//
// The sky under the sources, as a value and as a probabilistic program.

public import PPL
public import Rendering
public import Tensors

/// A sky: its form and its parameters.
public struct Sky: Sendable {
  /// The form.
  public let kind: SkyKind

  /// The parameters, scalars: sky_back, sky_x_sl, sky_y_sl as far as the form has them.
  public let parameters: [Tensor]

  /// Creates a sky from its parts.
  private init(_ kind: SkyKind, _ parameters: [Tensor]) {
    self.kind = kind
    self.parameters = parameters
  }

  /// No sky.
  public static let none = Sky(.none, [])

  /// Returns one constant, in image units per pixel.
  public static func flat(_ back: some TensorConvertible) -> Sky { Sky(.flat, [back.tensor]) }

  /// Returns a plane: its value at the frame's centre, and its slopes along x and y per pixel.
  public static func tiltedPlane(
    _ back: some TensorConvertible, x: some TensorConvertible, y: some TensorConvertible
  ) -> Sky {
    Sky(.tiltedPlane, [back.tensor, x.tensor, y.tensor])
  }
}

/// Returns the model of a sky: sites sky_back, sky_x_sl, sky_y_sl as far as the form has them.
public func skyModel(_ prior: some ModelPrior) -> Model<Sky> {
  Model { m in
    switch prior.sky {
    case .none: return .none
    case .flat:
      return .flat(m.sample(GalaxySite.skyBack, prior.table.distribution(GalaxySite.skyBack)))
    case .tiltedPlane:
      let back = m.sample(GalaxySite.skyBack, prior.table.distribution(GalaxySite.skyBack))
      let x = m.sample(GalaxySite.skyXSl, prior.table.distribution(GalaxySite.skyXSl))
      let y = m.sample(GalaxySite.skyYSl, prior.table.distribution(GalaxySite.skyYSl))
      return .tiltedPlane(back, x: x, y: y)
    }
  }
}
