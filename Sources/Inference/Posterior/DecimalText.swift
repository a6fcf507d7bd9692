// SPDX-License-Identifier: MIT
//
// Numbers as short decimal text, whatever the locale, and tables of such texts.

/// Returns a number with a given number of decimals; `nan`, `inf` and `-inf` for what is not finite.
func decimalText(_ x: Double, decimals: Int) -> String {
  guard x.isFinite else { return x.isNaN ? "nan" : x < 0 ? "-inf" : "inf" }
  var scale = 1.0
  for _ in 0..<max(0, decimals) { scale *= 10 }
  let scaled = (abs(x) * scale).rounded()
  // Beyond 2⁵³ there are no further decimals to round to.
  guard scaled < 0x1p53 else { return scientificText(x, digits: max(2, decimals)) }
  var digits = "\(UInt64(scaled))"
  if decimals > 0 {
    if digits.count <= decimals {
      digits = String(repeating: "0", count: decimals + 1 - digits.count) + digits
    }
    digits.insert(".", at: digits.index(digits.endIndex, offsetBy: -decimals))
  }
  return x < 0 && scaled > 0 ? "-" + digits : digits
}

/// Returns a number as digits and a power of ten, like `1.23e-18`.
///
/// - Parameters:
///   - x: The number.
///   - digits: The number of significant digits.
/// - Returns: The text.
func scientificText(_ x: Double, digits: Int) -> String {
  guard x.isFinite, x != 0 else { return decimalText(x, decimals: 0) }
  var exponent = decade(x)
  var mantissa = decimalText(x / powerOfTen(exponent), decimals: max(0, digits - 1))
  if mantissa.drop(while: { $0 == "-" }).hasPrefix("10") {
    exponent += 1
    mantissa = decimalText(x / powerOfTen(exponent), decimals: max(0, digits - 1))
  }
  return mantissa + (exponent < 0 ? "e-" : "e+") + (abs(exponent) < 10 ? "0" : "")
    + "\(abs(exponent))"
}

/// Returns the power of ten at or below the size of a finite number that is not zero.
func decade(_ x: Double) -> Int {
  var exponent = Int((logarithm(abs(x)) / logarithm(10)).rounded(.down))
  // The quotient of logarithms may round across a whole number.
  if powerOfTen(exponent + 1) <= abs(x) { exponent += 1 }
  if powerOfTen(exponent) > abs(x) { exponent -= 1 }
  return exponent
}

/// Returns 10 to a whole power.
private func powerOfTen(_ exponent: Int) -> Double {
  // Correctly rounded, as the standard library reads it.
  Double("1e\(exponent)") ?? .nan
}

/// Returns a number with as many digits as its uncertainty warrants: two significant digits of the latter.
///
/// - Parameters:
///   - x: The number.
///   - uncertainty: Its standard deviation; where it says nothing, four significant digits of the number are shown.
/// - Returns: The text, as a power of ten outside 0.0001 … 10 000 000.
func roundedText(_ x: Double, to uncertainty: Double) -> String {
  guard x.isFinite else { return decimalText(x, decimals: 0) }
  let isKnown = uncertainty.isFinite && uncertainty > 0
  let size = max(abs(x), isKnown ? uncertainty : 0)
  guard size > 0 else { return "0" }
  let last = isKnown ? decade(uncertainty) - 1 : decade(size) - 3
  let top = decade(size)
  if top < -4 || top >= 7 || last < -15 {
    // A number far below its own uncertainty still gets one digit.
    return x == 0 ? "0" : scientificText(x, digits: max(1, decade(x) - last + 1))
  }
  return decimalText(x, decimals: max(0, -last))
}

/// A table of texts, aligned for a typewriter.
struct TextTable {
  /// The titles of the columns; the first is that of the names.
  let header: [String]

  /// The rows, each as long as the header.
  var rows: [[String]] = []

  /// The table: names on the left, numbers flush right, two spaces between columns.
  var text: String {
    let widths = header.indices.map { column in
      (rows.map { $0[column].count } + [header[column].count]).max() ?? 0
    }
    return ([header] + rows).map { row in
      var line = row.indices.map { column -> String in
        let space = String(repeating: " ", count: widths[column] - row[column].count)
        return column == 0 ? row[column] + space : space + row[column]
      }.joined(separator: "  ")
      while line.last == " " { line.removeLast() }
      return line
    }.joined(separator: "\n")
  }
}
