// SPDX-License-Identifier: MIT
//
// Where the ticks of an axis go and what they say: steps of 1, 2 and 5 times powers of ten, as few digits as will do.

/// The ticks of one axis.
public struct Ticks: Sendable, Hashable {
  /// Where the ticks are, ascending.
  public var values: [Double]

  /// What they say, in units of ten to the power `exponent`.
  public var labels: [String]

  /// The power of ten that multiplies all labels; 0 unless the numbers would be long.
  public var exponent: Int

  /// Returns ticks at multiples of 1, 2 or 5 times a power of ten.
  ///
  /// - Parameters:
  ///   - low: One end of the axis.
  ///   - high: The other end; the order does not matter.
  ///   - limit: The largest number of ticks, at least 2.
  ///   - minimalStep: The smallest step, 1 for an axis that counts; 0 for none.
  /// - Returns: Ticks within the ends. An axis without length has one tick; one that is not finite has none.
  public static func linear(
    from low: Double, to high: Double, atMost limit: Int, minimalStep: Double = 0
  ) -> Ticks {
    let (a, b) = (min(low, high), max(low, high))
    guard a.isFinite, b.isFinite else { return Ticks(values: [], labels: [], exponent: 0) }
    // Below this the steps would drown in the rounding of the numbers themselves.
    guard b - a > 1e-12 * max(abs(a), abs(b)) else { return labelled([a], step: abs(a)) }
    let allowed = Double(max(limit, 2))
    let slack = 1e-9 * (b - a)
    let start = Int(decimalLogarithm((b - a) / allowed).rounded(.down)) - 1
    for exponent in start...(start + 3) {
      for digit in [1.0, 2, 5] {
        let step = max(digit * tenTo(exponent), minimalStep)
        let first = ((a - slack) / step).rounded(.up)
        let last = ((b + slack) / step).rounded(.down)
        guard last - first + 1 <= allowed else { continue }
        guard last >= first else { return labelled([a], step: b - a) }
        return labelled((0...Int(last - first)).map { (first + Double($0)) * step }, step: step)
      }
    }
    return labelled([a, b], step: b - a)
  }

  /// Returns ticks at powers of ten and, where there are few of those, at 2 and 5 times them.
  ///
  /// - Parameters:
  ///   - low: The lower end, positive.
  ///   - high: The upper end, positive.
  ///   - limit: The largest number of ticks, at least 2.
  /// - Returns: Ticks within the ends; evenly spaced ones where less than a factor of some ten is between them.
  public static func logarithmic(from low: Double, to high: Double, atMost limit: Int) -> Ticks {
    guard low > 0, high > low, high.isFinite else {
      return linear(from: low, to: high, atMost: limit)
    }
    let first = Int(decimalLogarithm(low).rounded(.down))
    let last = Int(decimalLogarithm(high).rounded(.up))
    for digits in [[1.0, 2, 5], [1.0, 3], [1.0]] {
      var values: [Double] = []
      for power in first...last {
        for digit in digits {
          let value = digit * tenTo(power)
          if value >= low * (1 - 1e-9), value <= high * (1 + 1e-9) { values.append(value) }
        }
      }
      if values.count <= limit, values.count >= 2 {
        return Ticks(values: values, labels: logLabels(values), exponent: 0)
      }
    }
    let stride = max(1, (last - first) / max(limit - 1, 1) + 1)
    let values = Swift.stride(from: first, through: last, by: stride).map { tenTo($0) }
      .filter { $0 >= low * (1 - 1e-9) && $0 <= high * (1 + 1e-9) }
    guard values.count >= 2 else { return linear(from: low, to: high, atMost: limit) }
    return Ticks(values: values, labels: logLabels(values), exponent: 0)
  }

  /// Returns ticks for a bar on which values are not spread evenly: round numbers first, each where there is room.
  ///
  /// - Parameters:
  ///   - low: The lower end.
  ///   - high: The upper end.
  ///   - zero: The value about which the bar is most stretched; finer steps are sought near it and near 0.
  ///   - position: The place of a value in points, monotonic.
  ///   - room: The room that a label takes along the bar in points, gap included.
  /// - Returns: Ticks within the ends whose labels keep apart.
  static func spread(
    from low: Double, to high: Double, near zero: Double, position: (Double) -> Double,
    room: (String) -> Double
  ) -> Ticks {
    guard low.isFinite, high.isFinite, high > low else { return labelled([low], step: abs(low)) }
    let largest = max(abs(low), abs(high))
    let exponent = commonExponent(largest)
    let top = Int(decimalLogarithm(largest).rounded(.down))
    var accepted: [(value: Double, label: String, place: Double, half: Double)] = []
    /// Accepts a value if its label finds room.
    func offer(_ value: Double, power k: Int) {
      guard value >= low, value <= high else { return }
      // The last digit that the step can change decides how many are shown.
      let label = trimmed(fixed(value / tenTo(exponent), decimals: max(0, exponent - k)))
      let (place, half) = (position(value), room(label) / 2)
      let isFree = accepted.allSatisfy { abs($0.place - place) >= $0.half + half }
      if isFree { accepted.append((value, label, place, half)) }
    }
    offer(0, power: exponent)
    for k in Swift.stride(from: top, through: top - 6, by: -1) {
      for step in [5 * tenTo(k), 2 * tenTo(k), tenTo(k)] {
        if zero == 0 {
          offer(step, power: k)
          offer(-step, power: k)
          continue
        }
        for anchor in [(zero / step).rounded(), (low / step).rounded(.up)] {
          for offset in -5...9 {
            let value = (anchor + Double(offset)) * step
            // Finer steps than there is room for would only put odd numbers into the gaps.
            let reach = abs(position(value + step) - position(value))
            if reach >= 0.6 * room("0000") { offer(value, power: k) }
          }
        }
      }
    }
    guard accepted.count > 1 else { return linear(from: low, to: high, atMost: 4) }
    accepted.sort { $0.value < $1.value }
    return Ticks(
      values: accepted.map(\.value), labels: accepted.map(\.label), exponent: exponent)
  }

  /// Returns the text for a power of ten that multiplies labels, such as `10^{5}`; empty for 0.
  static func factor(_ exponent: Int) -> String {
    exponent == 0 ? "" : "10^{" + "\(exponent)".replacingMinus + "}"
  }

  /// The label of an axis with the power of ten of its ticks.
  func axisLabel(_ label: String) -> String {
    guard exponent != 0 else { return label }
    let factor = "× " + Ticks.factor(exponent)
    return label.isEmpty ? factor : "\(label)  (\(factor))"
  }

  // MARK: - Labels

  /// Returns ticks with labels that distinguish values one step apart.
  private static func labelled(_ values: [Double], step: Double) -> Ticks {
    let exponent = commonExponent(values.map { abs($0) }.max() ?? 0)
    var decimals = 0
    if step > 0 {
      let power = Int((decimalLogarithm(step) + 1e-9).rounded(.down))
      decimals = min(max(0, exponent - power), 12)
    }
    let unit = tenTo(exponent)
    return Ticks(
      values: values, labels: values.map { fixed($0 / unit, decimals: decimals) },
      exponent: exponent)
  }

  /// Returns the power of ten to take out of numbers up to a size: none from 0.001 to 99 999.
  private static func commonExponent(_ largest: Double) -> Int {
    guard largest > 0, largest.isFinite else { return 0 }
    let power = Int((decimalLogarithm(largest) + 1e-9).rounded(.down))
    return (-3...4).contains(power) ? 0 : power
  }

  /// Returns the labels of a logarithmic axis: plain if all lie from 0.001 to 9999, else powers of ten.
  private static func logLabels(_ values: [Double]) -> [String] {
    let powers = values.map { Int((decimalLogarithm($0) + 1e-9).rounded(.down)) }
    if powers.allSatisfy({ (-3...3).contains($0) }) {
      return zip(values, powers).map { fixed($0, decimals: max(0, -$1)) }
    }
    return zip(values, powers).map { value, power in
      let digit = Int((value / tenTo(power)).rounded())
      return (digit == 1 ? "" : "\(digit)×") + "10^{" + "\(power)".replacingMinus + "}"
    }
  }

  /// Returns the label without zeros at the end of its decimals.
  private static func trimmed(_ label: String) -> String {
    guard label.contains(".") else { return label }
    var result = Substring(label)
    while result.last == "0" { result.removeLast() }
    if result.last == "." { result.removeLast() }
    return String(result)
  }
}

/// Returns ten to an integer power, exact where a double can be.
func tenTo(_ exponent: Int) -> Double {
  power(10, Double(exponent))
}

/// Returns a number with a fixed count of decimals and a true minus sign; `−0` is written 0.
func fixed(_ value: Double, decimals: Int) -> String {
  guard value.isFinite else { return value.isNaN ? "nan" : (value < 0 ? "−∞" : "∞") }
  let places = max(0, min(decimals, 15))
  let scaled = (abs(value) * tenTo(places)).rounded()
  guard scaled < 9e15 else { return "\(value)".replacingMinus }
  var digits = String(Int(scaled))
  if places > 0 {
    if digits.count <= places {
      digits = String(repeating: "0", count: places + 1 - digits.count) + digits
    }
    digits.insert(".", at: digits.index(digits.endIndex, offsetBy: -places))
  }
  return value < 0 && scaled != 0 ? "−" + digits : digits
}

extension String {
  /// The string with hyphens replaced by minus signs.
  var replacingMinus: String { String(map { $0 == "-" ? "−" : $0 }) }
}
