// SPDX-License-Identifier: MIT
//
// The error for a quantity that a report does not have, and what it would take to have it.

extension FitReport {
  /// Returns the error for a name that is none of those known, with what the quantity lacks where it is one that could be had.
  func unknown(_ name: String, among known: [String]) -> FitRecordError {
    let words = name.lowercased()
    var advice = ""
    if words.hasPrefix("mag") || words.hasPrefix("mu_") {
      if calibration.zeroPoint == nil {
        advice = "; magnitudes need a zero point (--zero-point)"
      }
    } else if words.contains("arcsec") {
      if calibration.pixelScale == nil {
        advice = "; arcseconds need the side of a pixel (--pixel-scale)"
      }
    } else if ["ra", "dec"].contains(where: { words == $0 || words.hasPrefix($0 + "_") }) {
      advice = "; positions on the sky need world coordinates in the header of the image"
    }
    return FitRecordError(
      "parameters", "expected some of \(known.joined(separator: ", ")), found \"\(name)\"\(advice)")
  }
}
