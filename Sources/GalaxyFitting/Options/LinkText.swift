// SPDX-License-Identifier: MIT
//
// Links over wavelengths as text: `constant`, `free`, `polynomial:degree=1`, `b-spline:coefficients=3,degree=2`.

public import GalaxyModels

/// Returns the link that a text stands for; the forms are those of `WavelengthLink`'s description.
///
/// - Parameter text: A name with its options.
/// - Returns: The link.
/// - Throws: ``OptionError`` that says which links there are.
public func link(from text: String) throws(OptionError) -> WavelengthLink {
  let option = try OptionText(text, subject: "link")
  /// Returns an option as a whole number.
  func whole(_ value: Double?, _ name: String, default standard: Int? = nil) throws(OptionError)
    -> Int
  {
    guard let value = value ?? standard.map(Double.init), let number = Int(exactly: value) else {
      throw OptionError(
        option.subject, "\(option.word): expected a whole number as \(name), found \"\(text)\"")
    }
    return number
  }
  switch option.word.filter({ $0 != "-" && $0 != "_" }) {
  case "constant":
    _ = try option.values([], required: 0)
    return .constant
  case "free":
    _ = try option.values([], required: 0)
    return .free
  case "polynomial", "poly":
    let values = try option.values(["degree|order"], required: 1)
    return .polynomial(degree: try whole(values[0], "degree"))
  case "bspline", "spline":
    let values = try option.values(["coefficients|knots", "degree|k"], required: 1)
    return .bSpline(
      coefficients: try whole(values[0], "coefficients"),
      degree: try whole(values[1], "degree", default: 2))
  default:
    throw OptionError(
      option.subject,
      "expected constant, free, polynomial:degree=1 or b-spline:coefficients=3,degree=2, found \"\(text)\""
    )
  }
}
