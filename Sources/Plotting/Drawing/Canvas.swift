// SPDX-License-Identifier: MIT
//
// What a figure is drawn on: lines, shapes and clipping over a cairo context, in points with y downwards.

internal import CCairo

/// The surface of a figure while it is being drawn; belongs to one drawing of one figure.
public final class Canvas {
  /// The cairo context.
  let context: OpaquePointer

  /// The width in points.
  public let width: Double

  /// The height in points.
  public let height: Double

  /// The pixels per point of a raster format; nil for vectors.
  let scale: Double?

  /// Whether the fonts at hand have Greek letters and mathematical signs.
  private(set) lazy var hasSymbols = findSymbols()

  /// Creates a canvas on a surface, or returns nil if cairo cannot.
  init?(surface: OpaquePointer, width: Double, height: Double, scale: Double?) {
    guard let context = cairo_create(surface) else { return nil }
    self.context = context
    self.width = width
    self.height = height
    self.scale = scale
    if let scale { cairo_scale(context, scale, scale) }
    // Unhinted metrics make the layout the same in all formats.
    let options = cairo_font_options_create()
    cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE)
    cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF)
    cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY)
    cairo_set_font_options(context, options)
    cairo_font_options_destroy(options)
    cairo_set_line_join(context, CAIRO_LINE_JOIN_ROUND)
  }

  deinit {
    cairo_destroy(context)
  }

  /// The state of the cairo context.
  var status: cairo_status_t { cairo_status(context) }

  // MARK: - Shapes

  /// Fills a rectangle.
  public func fill(_ rect: PlotRect, _ color: PlotColor) {
    cairo_rectangle(context, rect.x, rect.y, rect.width, rect.height)
    use(color)
    cairo_fill(context)
  }

  /// Draws the outline of a rectangle.
  public func stroke(_ rect: PlotRect, _ color: PlotColor = .ink, lineWidth: Double = 0.7) {
    cairo_rectangle(context, rect.x, rect.y, rect.width, rect.height)
    finishStroke(color, lineWidth, [])
  }

  /// Draws a straight line; `dash` gives lengths of strokes and gaps in points.
  public func line(
    _ start: PlotPoint, _ end: PlotPoint, _ color: PlotColor = .ink, lineWidth: Double = 0.7,
    dash: [Double] = []
  ) {
    cairo_move_to(context, start.x, start.y)
    cairo_line_to(context, end.x, end.y)
    finishStroke(color, lineWidth, dash)
  }

  /// Draws a line through points; one that is not finite makes a gap.
  public func polyline(
    _ points: [PlotPoint], _ color: PlotColor = .ink, lineWidth: Double = 1, dash: [Double] = [],
    isClosed: Bool = false
  ) {
    addPath(points, isClosed: isClosed)
    finishStroke(color, lineWidth, dash)
  }

  /// Fills the inside of loops; a loop inside another is a hole.
  public func fill(_ loops: [[PlotPoint]], _ color: PlotColor) {
    for loop in loops { addPath(loop, isClosed: true) }
    cairo_set_fill_rule(context, CAIRO_FILL_RULE_EVEN_ODD)
    use(color)
    cairo_fill(context)
  }

  /// Draws discs of a radius at points.
  public func dots(_ points: [PlotPoint], radius: Double, _ color: PlotColor) {
    use(color)
    for point in points where point.x.isFinite && point.y.isFinite {
      cairo_new_sub_path(context)
      cairo_arc(context, point.x, point.y, radius, 0, 2 * .pi)
    }
    cairo_set_fill_rule(context, CAIRO_FILL_RULE_WINDING)
    cairo_fill(context)
  }

  /// Draws with everything outside a rectangle left alone.
  public func clipped(to rect: PlotRect, _ body: (Canvas) -> Void) {
    cairo_save(context)
    cairo_rectangle(context, rect.x, rect.y, rect.width, rect.height)
    cairo_clip(context)
    body(self)
    cairo_restore(context)
  }

  // MARK: - Helpers

  /// Adds points to the current path, starting anew after one that is not finite.
  private func addPath(_ points: [PlotPoint], isClosed: Bool) {
    var isDown = false
    // Far outside, cairo's fixed-point numbers would overflow; no figure reaches this far.
    let limit = 30_000.0
    for point in points {
      guard point.x.isFinite, point.y.isFinite else {
        isDown = false
        continue
      }
      let x = min(max(point.x, -limit), limit)
      let y = min(max(point.y, -limit), limit)
      if isDown { cairo_line_to(context, x, y) } else { cairo_move_to(context, x, y) }
      isDown = true
    }
    if isClosed, isDown { cairo_close_path(context) }
  }

  /// Draws the current path.
  func finishStroke(_ color: PlotColor, _ lineWidth: Double, _ dash: [Double]) {
    use(color)
    cairo_set_line_width(context, lineWidth)
    cairo_set_dash(context, dash, Int32(dash.count), 0)
    cairo_stroke(context)
  }

  /// Makes a colour the current one.
  func use(_ color: PlotColor) {
    cairo_set_source_rgba(context, color.red, color.green, color.blue, color.alpha)
  }
}
