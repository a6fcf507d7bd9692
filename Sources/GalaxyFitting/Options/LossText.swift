// SPDX-License-Identifier: MIT
//
// Losses and skies as text: `student-t:dof=5`, `mixture-sys`, `flat:0.1`, `tilted-plane:back=0.1,x=0.001`.

public import GalaxyModels
public import Rendering

/// Returns the loss that a text stands for.
///
/// The names are those of `ImageLoss`'s description, and pysersic's: `gaussian_loss_w_frac`, `cash_loss`,
/// `student_t_loss_free_sys`, `gaussian_mixture_w_sys`, ….
///
/// - Parameter text: A name with its options: `gaussian`, `student-t:dof=5,scale=1.2`, `mixture-sys:c=5`,
///   `poisson:gain=2,sky=100`.
/// - Returns: The loss.
/// - Throws: ``OptionError`` that says which losses there are, or which numbers are impossible.
public func loss(from text: String) throws(OptionError) -> ImageLoss {
  let option = try OptionText(text, subject: "--loss")
  guard let (family, free) = lossName(option.word) else {
    throw OptionError(
      "--loss",
      "expected \(LossFamily.allCases.map(\.form).joined(separator: ", ")), all but poisson also with -frac or -sys after the name, found \"\(text)\""
    )
  }
  let values = try option.values(family.options, required: 0)
  let loss = family.loss(values, free: free)
  do {
    try loss.validate()
  } catch {
    throw OptionError("--loss", "\(family.rawValue): \(error)")
  }
  return loss
}

/// A loss by name, without what is free in its scale.
private enum LossFamily: String, CaseIterable {
  case gaussian
  case studentT = "student-t"
  case pseudoHuber = "pseudo-huber"
  case mixture
  case poisson

  /// Other names, without hyphens.
  var aliases: [String] {
    switch self {
    case .gaussian: ["gaussian", "normal"]
    case .studentT: ["studentt"]
    case .pseudoHuber: ["pseudohuber"]
    case .mixture: ["mixture", "gaussianmixture"]
    case .poisson: ["poisson", "cash"]
    }
  }

  /// The names of the options in order, other spellings after a bar.
  var options: [String] {
    switch self {
    case .gaussian: []
    case .studentT: ["dof|nu", "scale"]
    case .pseudoHuber: ["delta"]
    case .mixture: ["c|scale"]
    case .poisson: ["gain", "sky"]
    }
  }

  /// The name with its options at their defaults, for messages.
  var form: String {
    switch self {
    case .gaussian: rawValue
    case .studentT: "\(rawValue)[:dof=5,scale=…]"
    case .pseudoHuber: "\(rawValue)[:delta=3]"
    case .mixture: "\(rawValue)[:c=5]"
    case .poisson: "\(rawValue)[:gain=1,sky=0]"
    }
  }

  /// Returns the loss with given options, those of pysersic where they are not given.
  func loss(_ values: [Double?], free: NoiseFreedom?) -> ImageLoss {
    switch self {
    case .gaussian: .gaussian(free: free)
    case .studentT: .studentT(dof: values[0] ?? 5, scale: values[1], free: free)
    case .pseudoHuber: .pseudoHuber(delta: values[0] ?? 3, free: free)
    case .mixture: .mixture(outlierScale: values[0] ?? 5, free: free)
    case .poisson: .poisson(gain: values[0] ?? 1, sky: values[1] ?? 0)
    }
  }
}

/// Returns what a name of a loss stands for; nil for an unknown one.
private func lossName(_ word: String) -> (LossFamily, NoiseFreedom?)? {
  var parts = word.split { $0 == "-" || $0 == "_" }.map { String($0) }
  var free: NoiseFreedom?
  switch parts.last {
  case "frac", "fraction": free = .fraction
  case "sys", "systematic": free = .systematic
  default: break
  }
  if free != nil { parts.removeLast() }
  // As in gaussian_loss_w_frac, student_t_loss_free_sys.
  if free != nil, parts.last == "w" || parts.last == "free" { parts.removeLast() }
  if parts.count > 1, parts.last == "loss" { parts.removeLast() }
  let name = parts.joined()
  guard let family = LossFamily.allCases.first(where: { $0.aliases.contains(name) }),
    free == nil || family != .poisson
  else { return nil }
  return (family, free)
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
