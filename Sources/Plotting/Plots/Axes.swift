// SPDX-License-Identifier: MIT
//
// A rectangle with coordinates: from values to places, frame, ticks and labels.

/// How values are spread along an axis.
public enum AxisScale: Sendable, Hashable {
  /// Evenly.
  case linear
  /// By their logarithm; the ends must be positive.
  case logarithmic
}

/// One axis: its ends, its spread, its label.
struct Axis: Sendable {
  /// The value at the left or lower end.
  var low: Double
  /// The value at the right or upper end.
  var high: Double
  /// The spread.
  var scale = AxisScale.linear
  /// What is written beside it.
  var label = ""
  /// The smallest step between ticks.
  var minimalStep = 0.0

  /// Returns the share of the way from low to high at which a value lies.
  func share(_ value: Double) -> Double {
    switch scale {
    case .linear: (value - low) / (high - low)
    case .logarithmic:
      (decimalLogarithm(value) - decimalLogarithm(low))
        / (decimalLogarithm(high) - decimalLogarithm(low))
    }
  }

  /// Returns at most so many ticks.
  func ticks(atMost limit: Int) -> Ticks {
    switch scale {
    case .linear: .linear(from: low, to: high, atMost: limit, minimalStep: minimalStep)
    case .logarithmic: .logarithmic(from: low, to: high, atMost: limit)
    }
  }
}

/// The sizes of text and ticks in a plot, in points.
struct PlotStyle: Sendable {
  /// The size of figure titles.
  var title = 11.5
  /// The size of axis labels and panel titles.
  var label = 9.5
  /// The size of tick labels.
  var tick = 8.0
  /// The length of ticks.
  var tickLength = 3.2
  /// The width of frames.
  var frame = 0.7
}

/// A rectangle with two axes.
struct Axes {
  /// The inside of the frame.
  var rect: PlotRect
  /// The horizontal axis.
  var x: Axis
  /// The vertical axis.
  var y: Axis
  /// The sizes.
  var style = PlotStyle()
  /// How far numbers of the horizontal axis may stand out beyond the frame; those beyond are left out.
  var overhang = 7.0

  /// Which parts of an axis are drawn.
  struct Parts: OptionSet {
    /// The bits.
    let rawValue: Int
    /// Tick marks.
    static let marks = Parts(rawValue: 1)
    /// Numbers at the ticks.
    static let numbers = Parts(rawValue: 2)
    /// The label of the axis.
    static let label = Parts(rawValue: 4)
    /// All of them.
    static let all: Parts = [.marks, .numbers, .label]
  }

  /// Returns the place of a pair of values.
  func point(_ xValue: Double, _ yValue: Double) -> PlotPoint {
    PlotPoint(
      rect.x + x.share(xValue) * rect.width, rect.bottom - y.share(yValue) * rect.height)
  }

  /// Draws the frame with ticks and labels outside it.
  func draw(
    on canvas: Canvas, xParts: Parts = .all, yParts: Parts = .all, xTicks: Int? = nil,
    yTicks: Int? = nil
  ) {
    canvas.stroke(rect, .ink, lineWidth: style.frame)
    drawHorizontal(on: canvas, parts: xParts, limit: xTicks)
    drawVertical(on: canvas, parts: yParts, limit: yTicks)
  }

  /// Draws the ticks and labels below the frame.
  private func drawHorizontal(on canvas: Canvas, parts: Parts, limit: Int?) {
    var ticks = x.ticks(atMost: limit ?? max(2, Int(rect.width / 28)))
    // Fewer ticks until the numbers keep apart.
    var count = ticks.values.count
    while count > 2, !areApart(ticks, canvas) {
      count -= 1
      ticks = x.ticks(atMost: count)
    }
    for (value, label) in zip(ticks.values, ticks.labels) {
      let place = rect.x + x.share(value) * rect.width
      if parts.contains(.marks) {
        canvas.line(
          PlotPoint(place, rect.bottom), PlotPoint(place, rect.bottom + style.tickLength),
          lineWidth: style.frame)
      }
      let half = canvas.width(of: label, size: style.tick) / 2
      let fits = place - half >= rect.x - overhang && place + half <= rect.right + overhang
      if parts.contains(.numbers), fits {
        canvas.text(
          label, at: PlotPoint(place, rect.bottom + style.tickLength + 3), size: style.tick,
          align: .center, baseline: .top)
      }
    }
    if parts.contains(.label) {
      let text = ticks.axisLabel(x.label)
      canvas.text(
        text, at: PlotPoint(rect.midX, rect.bottom + style.tickLength + style.tick + 8),
        size: canvas.fittingSize(of: text, size: style.label, room: rect.width + 14),
        align: .center, baseline: .top)
    }
  }

  /// Returns whether the numbers of a horizontal axis keep a gap between them.
  private func areApart(_ ticks: Ticks, _ canvas: Canvas) -> Bool {
    var end = -Double.infinity
    for (value, label) in zip(ticks.values, ticks.labels) {
      let half = canvas.width(of: label, size: style.tick) / 2
      let place = x.share(value) * rect.width
      if place - half < end + 5 { return false }
      end = place + half
    }
    return true
  }

  /// Draws the ticks and labels left of the frame.
  private func drawVertical(on canvas: Canvas, parts: Parts, limit: Int?) {
    let ticks = y.ticks(atMost: limit ?? max(2, Int(rect.height / 26)))
    var widest = 0.0
    for (value, label) in zip(ticks.values, ticks.labels) {
      let place = rect.bottom - y.share(value) * rect.height
      if parts.contains(.marks) {
        canvas.line(
          PlotPoint(rect.x - style.tickLength, place), PlotPoint(rect.x, place),
          lineWidth: style.frame)
      }
      if parts.contains(.numbers) {
        canvas.text(
          label, at: PlotPoint(rect.x - style.tickLength - 3, place), size: style.tick,
          align: .right, baseline: .middle)
        widest = max(widest, canvas.width(of: label, size: style.tick))
      }
    }
    if parts.contains(.label) {
      let text = ticks.axisLabel(y.label)
      canvas.text(
        text, at: PlotPoint(rect.x - style.tickLength - 8 - widest, rect.midY),
        size: canvas.fittingSize(of: text, size: style.label, room: rect.height + 14),
        align: .center, baseline: .bottom, angle: 90)
    }
  }
}
