// SPDX-License-Identifier: MIT
//
// Progress on a terminal: one line that is drawn anew, or plain lines at widening intervals where nobody looks on.

import Synchronization

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

extension Progress {
  /// Progress on standard error: one line that is drawn anew on a terminal, plain lines at widening intervals in a file.
  ///
  /// Work of less than two seconds writes nothing.
  public static var terminal: Progress {
    let isTerminal = isatty(STDERR_FILENO) == 1
    let meter = ProgressMeter(isTerminal: isTerminal) {
      isTerminal ? ProgressMeter.terminalWidth() : 120
    } write: { text in
      var rest = Array(text.utf8)[...]
      while !rest.isEmpty {
        let count = rest.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
        // A terminal that is gone is no reason to stop.
        guard count > 0 else { return }
        rest = rest.dropFirst(count)
      }
    }
    return Progress { meter.take($0) }
  }
}

/// Turns updates into lines.
package final class ProgressMeter: Sendable {
  /// What is remembered between updates.
  private struct Memory: Sendable {
    /// The stage of the last update.
    var stage = ""
    /// Times and counts of the last seconds, for the rate.
    var recent: [(seconds: Double, completed: Int)] = []
    /// The number of plain lines so far.
    var lines = 0
    /// Whether a line stands on the terminal.
    var hasDrawn = false
  }

  /// Work that takes less, in seconds, is not reported.
  private static let patience = 2.0

  /// The time over which the rate is measured, in seconds.
  private static let window = 10.0

  /// When plain lines are written, in seconds; from the last on in equal steps.
  private static let times: [Double] = [2, 5, 10, 20, 40, 60, 120, 300, 600, 1200, 1800]

  private let isTerminal: Bool
  private let width: @Sendable () -> Int
  private let write: @Sendable (String) -> Void
  private let memory = Mutex(Memory())

  /// Creates a meter.
  ///
  /// - Parameters:
  ///   - isTerminal: Whether a line can be drawn anew.
  ///   - width: The number of characters of a line.
  ///   - write: Takes what is to be written.
  package init(
    isTerminal: Bool, width: @escaping @Sendable () -> Int,
    write: @escaping @Sendable (String) -> Void
  ) {
    self.isTerminal = isTerminal
    self.width = width
    self.write = write
  }

  /// Takes an update and writes what it asks for.
  package func take(_ update: ProgressUpdate) {
    let text = memory.withLock { memory -> String? in
      // A stage of its own speed, or another run.
      if update.stage != memory.stage || update.seconds < memory.recent.last?.seconds ?? 0 {
        memory.stage = update.stage
        memory.recent = []
      }
      memory.recent.append((update.seconds, update.completed))
      while memory.recent.count > 2, memory.recent[1].seconds < update.seconds - Self.window {
        memory.recent.removeFirst()
      }
      defer { if update.isLast { memory = Memory() } }
      guard update.seconds >= Self.patience else { return nil }
      let line = Self.line(update, rate: Self.rate(memory.recent), width: width())
      if isTerminal {
        memory.hasDrawn = true
        return "\r" + line + "\u{1B}[K" + (update.isLast ? "\n" : "")
      }
      guard update.isLast || update.seconds >= Self.time(memory.lines) else { return nil }
      while update.seconds >= Self.time(memory.lines) { memory.lines += 1 }
      return line + "\n"
    }
    if let text { write(text) }
  }

  /// Returns when a plain line is written, in seconds.
  private static func time(_ line: Int) -> Double {
    let last = times[times.count - 1]
    return line < times.count ? times[line] : last * Double(line - times.count + 2)
  }

  /// Returns the units done in a second; nil where nothing has been done yet.
  private static func rate(_ recent: [(seconds: Double, completed: Int)]) -> Double? {
    guard let first = recent.first, let last = recent.last, last.seconds > first.seconds,
      last.completed > first.completed
    else { return nil }
    return Double(last.completed - first.completed) / (last.seconds - first.seconds)
  }

  // MARK: - Text

  /// Returns the line of an update: stage, bar, share, count, rate, time left, further numbers; shorter for a narrow terminal.
  package static func line(_ update: ProgressUpdate, rate: Double?, width: Int) -> String {
    // A line that is as wide as the terminal would wrap.
    for (cells, hasCount) in [(20, true), (20, false), (10, false), (4, false)] {
      let line = line(update, rate, cells: cells, hasCount: hasCount)
      if line.count < width { return line }
    }
    return String(line(update, rate, cells: 4, hasCount: false).prefix(max(0, width - 1)))
  }

  /// Returns the line of an update with a bar of a number of characters, with or without the count.
  private static func line(
    _ update: ProgressUpdate, _ rate: Double?, cells: Int, hasCount: Bool
  ) -> String {
    let share = update.total > 0 ? Double(update.completed) / Double(update.total) : 0
    let full = min(cells, max(0, Int(share * Double(cells))))
    let bar = String(repeating: "#", count: full) + String(repeating: ".", count: cells - full)
    var parts = [update.stage, "[\(bar)]", "\(Int(100 * share)) %"]
    if hasCount { parts.append("\(update.completed)/\(update.total) \(update.unit)") }
    if update.isLast {
      parts.append("in " + clock(update.seconds))
    } else if let rate {
      parts.append("\(quick(rate)) \(update.unit)/s")
      parts.append(clock(Double(update.total - update.completed) / rate) + " left")
    }
    parts += update.details.map { "\($0.name) \(short($0.value))" }
    return parts.joined(separator: "  ")
  }

  /// Returns a rate with three digits: the others change from line to line.
  private static func quick(_ rate: Double) -> String {
    guard rate >= 999.5 else { return short(rate) }
    var unit = 1.0
    while rate / unit >= 999.5 { unit *= 10 }
    return short((rate / unit).rounded() * unit)
  }

  /// Returns a time as minutes and seconds, with hours where there are any.
  static func clock(_ seconds: Double) -> String {
    guard seconds < 1e8 else { return "?" }
    let total = Int(seconds.rounded(.up))
    /// Returns two digits.
    func two(_ x: Int) -> String { x < 10 ? "0\(x)" : "\(x)" }
    let (hours, minutes) = (total / 3600, total / 60 % 60)
    return hours > 0
      ? "\(hours):\(two(minutes)):\(two(total % 60))" : "\(minutes):\(two(total % 60))"
  }

  /// Returns a number with three digits, or all digits of a whole number below a million.
  static func short(_ x: Double) -> String {
    guard x.isFinite else { return x.isNaN ? "nan" : x < 0 ? "-inf" : "inf" }
    if x == x.rounded() && abs(x) < 1e6 { return "\(Int(x))" }
    let size = abs(x)
    if size >= 1e6 || size < 1e-3 {
      var (mantissa, exponent) = (x, 0)
      while abs(mantissa) >= 9.995 {
        mantissa /= 10
        exponent += 1
      }
      while abs(mantissa) < 0.9995 {
        mantissa *= 10
        exponent -= 1
      }
      return "\((mantissa * 100).rounded() / 100)e\(exponent)"
    }
    let scale = size >= 99.95 ? 1.0 : size >= 9.995 ? 10 : size >= 0.9995 ? 100 : 1000
    let rounded = (x * scale).rounded() / scale
    return rounded == rounded.rounded() ? "\(Int(rounded))" : "\(rounded)"
  }

  /// Returns the width of the terminal of standard error.
  static func terminalWidth() -> Int {
    var size = winsize()
    guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
  }
}
