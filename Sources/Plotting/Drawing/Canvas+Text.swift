// SPDX-License-Identifier: MIT
//
// Text on a canvas: aligned, turned, with raised and lowered parts, and readable where fonts lack symbols.

internal import CCairo

/// Where text stands relative to its point, across.
public enum TextAlignment: Sendable {
  /// The text starts at the point.
  case left
  /// The text's middle is at the point.
  case center
  /// The text ends at the point.
  case right
}

/// Where text stands relative to its point, up and down.
public enum TextBaseline: Sendable {
  /// Capitals hang from the point.
  case top
  /// Capitals are centred on the point.
  case middle
  /// Letters stand on the point.
  case bottom
}

extension Canvas {
  /// A part of a text, set at one size and height.
  private struct Run {
    /// The letters.
    var text: String
    /// The size as a share of the text's.
    var size = 1.0
    /// The height above the line as a share of the text's size.
    var rise = 0.0
    /// Whether the next run starts where this one starts.
    var isStacked = false
  }

  /// What is done with the letters of a text.
  private enum Pass {
    /// They are only measured.
    case measure
    /// Their outlines become the current path.
    case outline
    /// They are painted.
    case paint
  }

  /// The height of capitals as a share of the font's size, near 0.72 in common sans-serif fonts.
  static let capHeight = 0.72

  /// The width of the border around letters as a share of the font's size.
  static let borderShare = 0.12

  /// Draws text; `^{…}` raises and `_{…}` lowers a part, and one directly after the other are stacked.
  ///
  /// - Parameters:
  ///   - text: One line of text.
  ///   - point: Where it stands.
  ///   - size: The size of the font in points.
  ///   - align: Which end is at the point.
  ///   - baseline: Which height is at the point.
  ///   - angle: The angle in degrees, counter-clockwise.
  ///   - color: The colour.
  ///   - isBold: Whether the letters are bold.
  ///   - border: The colour of a thin border around the letters; none if nil.
  public func text(
    _ text: String, at point: PlotPoint, size: Double, align: TextAlignment = .left,
    baseline: TextBaseline = .bottom, angle: Double = 0, color: PlotColor = .ink,
    isBold: Bool = false, border: PlotColor? = nil
  ) {
    let runs = parse(text)
    let width = advance(runs, size: size, isBold: isBold, .measure)
    let shift: Double =
      switch align {
      case .left: 0
      case .center: -width / 2
      case .right: -width
      }
    let drop: Double =
      switch baseline {
      case .top: Canvas.capHeight * size
      case .middle: Canvas.capHeight * size / 2
      case .bottom: 0
      }
    cairo_save(context)
    cairo_translate(context, point.x, point.y)
    cairo_rotate(context, -angle * .pi / 180)
    cairo_translate(context, shift, drop)
    if let border {
      _ = advance(runs, size: size, isBold: isBold, .outline)
      // Half of the line lies under the letters.
      finishStroke(border, 2 * Canvas.borderShare * size, [])
    }
    use(color)
    _ = advance(runs, size: size, isBold: isBold, .paint)
    cairo_restore(context)
  }

  /// Returns the width of a text in points.
  public func width(of text: String, size: Double, isBold: Bool = false) -> Double {
    advance(parse(text), size: size, isBold: isBold, .measure)
  }

  /// Returns the size, at most the given one, at which a text is no wider than `room`; never below 5 points.
  public func fittingSize(
    of text: String, size: Double, room: Double, isBold: Bool = false
  ) -> Double {
    let natural = width(of: text, size: size, isBold: isBold)
    return natural <= room ? size : max(size * room / natural, min(size, 5))
  }

  /// Returns the text cut at its end, with dots, to be no wider than `room`.
  public func shortened(
    _ text: String, size: Double, room: Double, isBold: Bool = false
  ) -> String {
    guard width(of: text, size: size, isBold: isBold) > room, !text.contains("{") else {
      return text
    }
    var result = text
    while !result.isEmpty, width(of: result + "…", size: size, isBold: isBold) > room {
      result.removeLast()
    }
    return result + "…"
  }

  /// Draws the title of a figure in bold type from its upper left: smaller where it would be wider than `room`, and cut where that
  /// would be too small to read.
  func title(_ text: String, at place: PlotPoint, size: Double, room: Double) {
    let (line, fitting) = fittedTitle(text, size: size, room: room)
    self.text(line, at: place, size: fitting, baseline: .top, isBold: true)
  }

  /// Returns the letters and the size of a title.
  package func fittedTitle(
    _ text: String, size: Double, room: Double
  ) -> (text: String, size: Double) {
    let fitting = fittingSize(of: text, size: size, room: room, isBold: true)
    let least = min(size, Canvas.leastTitle)
    // What was scaled to fit may be wider by a rounding: it is not measured again.
    guard fitting < least else { return (text, fitting) }
    return (shortened(text, size: least, room: room, isBold: true), least)
  }

  /// The size below which a title is cut, that of the smallest ticks.
  private static let leastTitle = 7.0

  /// Goes through the runs, does with them what the pass does, and returns how far the pen moved.
  private func advance(_ runs: [Run], size: Double, isBold: Bool, _ pass: Pass) -> Double {
    cairo_select_font_face(
      context, "sans-serif", CAIRO_FONT_SLANT_NORMAL,
      isBold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL)
    var x = 0.0
    var reach = 0.0
    for run in runs {
      cairo_set_font_size(context, size * run.size)
      var extents = cairo_text_extents_t()
      cairo_text_extents(context, run.text, &extents)
      switch pass {
      case .measure: break
      case .outline:
        cairo_move_to(context, x, -run.rise * size)
        cairo_text_path(context, run.text)
      case .paint:
        cairo_move_to(context, x, -run.rise * size)
        cairo_show_text(context, run.text)
      }
      reach = max(reach, x + extents.x_advance)
      if !run.isStacked { x = reach }
    }
    return reach
  }

  /// Splits a text into its parts.
  private func parse(_ text: String) -> [Run] {
    let plain = hasSymbols ? text : Canvas.spelledOut(text)
    guard plain.contains("{") else { return [Run(text: plain)] }
    var runs: [Run] = []
    var current = ""
    var rest = Substring(plain)
    while let first = rest.first {
      rest.removeFirst()
      guard first == "^" || first == "_", rest.first == "{", let end = rest.firstIndex(of: "}")
      else {
        current.append(first)
        continue
      }
      if !current.isEmpty { runs.append(Run(text: current)) }
      current = ""
      let inner = String(rest[rest.index(after: rest.startIndex)..<end])
      rest = rest[rest.index(after: end)...]
      let follows = rest.hasPrefix("^{") || rest.hasPrefix("_{")
      let isPair = follows || runs.last?.isStacked == true
      let rise = first == "^" ? (isPair ? 0.44 : 0.36) : (isPair ? -0.26 : -0.16)
      // Only the first of a stacked pair holds the pen back.
      let isStacked = follows && runs.last?.isStacked != true
      runs.append(Run(text: inner, size: isPair ? 0.68 : 0.72, rise: rise, isStacked: isStacked))
    }
    if !current.isEmpty { runs.append(Run(text: current)) }
    return runs
  }

  /// Returns whether the current fonts have the symbols that plots use.
  func findSymbols() -> Bool {
    cairo_select_font_face(
      context, "sans-serif", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_NORMAL)
    guard let font = cairo_get_scaled_font(context) else { return false }
    let probe = "σχ²−×"
    var glyphs: UnsafeMutablePointer<cairo_glyph_t>?
    var count: Int32 = 0
    let status = cairo_scaled_font_text_to_glyphs(
      font, 0, 0, probe, -1, &glyphs, &count, nil, nil, nil)
    defer { if let glyphs { cairo_glyph_free(glyphs) } }
    // Cairo's built-in face, used where there are no fonts at all, has no type of its own file format.
    guard status == CAIRO_STATUS_SUCCESS, let glyphs,
      cairo_scaled_font_get_type(font) != CAIRO_FONT_TYPE_USER
    else { return false }
    return (0..<Int(count)).allSatisfy { glyphs[$0].index != 0 }
  }

  /// Returns the text with symbols written in ASCII.
  static func spelledOut(_ text: String) -> String {
    let names: [Character: String] = [
      "σ": "sigma", "χ": "chi", "θ": "theta", "μ": "mu", "β": "beta", "α": "alpha", "γ": "gamma",
      "λ": "lambda", "²": "^2", "³": "^3", "−": "-", "–": "-", "—": "-", "×": "x", "·": "-",
      "±": "+/-", "°": " deg", "≤": "<=", "≥": ">=", "é": "e", "…": "...", "“": "\"", "”": "\"",
      "’": "'",
    ]
    return text.reduce(into: "") { result, letter in
      result += letter.isASCII ? String(letter) : names[letter] ?? "?"
    }
  }
}
