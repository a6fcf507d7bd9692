// SPDX-License-Identifier: MIT
//
// Losses and skies as text: `student-t:dof=5,scale=1.2247`, `flat:0.1`, `tilted-plane:back=0.1,x=0.001`.

public import GalaxyModels
public import Rendering

/// Returns the loss that a text stands for.
///
/// - Parameter text: `gaussian`, or `student-t:dof=5` with `scale=…` if wanted.
/// - Returns: The loss.
/// - Throws: ``OptionError`` that says which losses there are, or which numbers are impossible.
public func loss(from text: String) throws(OptionError) -> ImageLoss {
  let option = try OptionText(text, subject: "--loss")
  switch option.word {
  case "gaussian":
    _ = try option.values([], required: 0)
    return .gaussian
  case "student-t":
    let values = try option.values(["dof|nu", "scale"], required: 0)
    // pysersic's default.
    let dof = values[0] ?? 5
    guard dof > 0, dof.isFinite else {
      throw OptionError("--loss", "student-t: expected dof > 0, found \(dof); 5 is a good value")
    }
    guard values[1] != nil || dof > 2 else {
      throw OptionError(
        "--loss",
        "student-t: expected a scale, since there is no variance for dof ≤ 2, found dof=\(dof) alone; add scale=…"
      )
    }
    if let scale = values[1], !(scale > 0 && scale.isFinite) {
      throw OptionError(
        "--loss", "student-t: expected scale > 0, the factor of the rms, found \(scale)")
    }
    return .studentT(dof: dof, scale: values[1])
  default:
    throw OptionError(
      "--loss", "expected gaussian or student-t[:dof=5,scale=…], found \"\(text)\"")
  }
}

/// A sky with its parameters.
public struct SkyLevel: Sendable, Hashable {
  /// The form of the sky.
  public let kind: SkyKind

  /// The parameters by site.
  public let parameters: [String: Double]

  /// Reads `none`, `flat:0.1`, or `tilted-plane:back=0.1,x=0.001,y=0.002`.
  ///
  /// - Throws: ``OptionError`` that says what there is.
  public init(_ text: String) throws(OptionError) {
    let option = try OptionText(text, subject: "--sky")
    let sites: [String]
    let values: [Double?]
    switch option.word {
    case "none":
      kind = .none
      sites = []
      values = try option.values([], required: 0)
    case "flat":
      kind = .flat
      sites = [GalaxySite.skyBack]
      values = try option.values(["back|\(GalaxySite.skyBack)"], required: 1)
    case "tilted-plane":
      kind = .tiltedPlane
      sites = [GalaxySite.skyBack, GalaxySite.skyXSl, GalaxySite.skyYSl]
      values = try option.values(
        ["back|\(GalaxySite.skyBack)", "x|\(GalaxySite.skyXSl)", "y|\(GalaxySite.skyYSl)"],
        required: 1)
    default:
      throw OptionError(
        "--sky",
        "expected none, flat:BACK or tilted-plane:back=BACK,x=SLOPE,y=SLOPE, found \"\(text)\"")
    }
    var parameters: [String: Double] = [:]
    for (site, value) in zip(sites, values) {
      guard (value ?? 0).isFinite else {
        throw OptionError("--sky", "expected finite numbers, found \"\(text)\"")
      }
      parameters[site] = value ?? 0
    }
    self.parameters = parameters
  }
}
