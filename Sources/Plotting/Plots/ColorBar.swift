// SPDX-License-Identifier: MIT
//
// The bar that explains the colours of an image: ticks, label with unit, and points where values go beyond.

/// A bar of the colours of a map with the values they stand for.
struct ColorBar {
  /// The colours.
  var map: ColorMap
  /// The values.
  var scale: ImageScale
  /// The quantity with its unit.
  var label: String
  /// Whether some values shown lie below the lower end.
  var goesBelow = false
  /// Whether some values shown lie above the upper end.
  var goesAbove = false
  /// The sizes.
  var style = PlotStyle()

  /// Draws a bar that lies, its ticks and label below it.
  func drawHorizontal(on canvas: Canvas, in rect: PlotRect) {
    canvas.image(strip, width: 256, height: 1, in: rect)
    outline(on: canvas, rect, isUpright: false)
    let ticks = ticks(along: rect.width) { canvas.width(of: $0, size: style.tick) + 9 }
    for (value, text) in zip(ticks.values, ticks.labels) {
      let place = rect.x + scale.place(of: value) * rect.width
      canvas.line(
        PlotPoint(place, rect.bottom), PlotPoint(place, rect.bottom + style.tickLength),
        lineWidth: style.frame)
      canvas.text(
        text, at: PlotPoint(place, rect.bottom + style.tickLength + 3), size: style.tick,
        align: .center, baseline: .top)
    }
    let title = ticks.axisLabel(label)
    canvas.text(
      title, at: PlotPoint(rect.midX, rect.bottom + style.tickLength + style.tick + 8),
      size: canvas.fittingSize(of: title, size: style.label, room: rect.width + 14),
      align: .center, baseline: .top)
  }

  /// Draws a bar that stands, its ticks and label to its right.
  func drawVertical(on canvas: Canvas, in rect: PlotRect) {
    canvas.image(strip, width: 1, height: 256, in: rect)
    outline(on: canvas, rect, isUpright: true)
    let ticks = ticks(along: rect.height) { _ in style.tick * 1.7 }
    var widest = 0.0
    for (value, text) in zip(ticks.values, ticks.labels) {
      let place = rect.bottom - scale.place(of: value) * rect.height
      canvas.line(
        PlotPoint(rect.right, place), PlotPoint(rect.right + style.tickLength, place),
        lineWidth: style.frame)
      canvas.text(
        text, at: PlotPoint(rect.right + style.tickLength + 3, place), size: style.tick,
        baseline: .middle)
      widest = max(widest, canvas.width(of: text, size: style.tick))
    }
    let title = ticks.axisLabel(label)
    canvas.text(
      title, at: PlotPoint(rect.right + style.tickLength + widest + 8, rect.midY),
      size: canvas.fittingSize(of: title, size: style.label, room: rect.height + 14),
      align: .center, baseline: .top, angle: 90)
  }

  /// The colours from the lower to the upper end.
  private var strip: [UInt32] { (0..<256).map { map.packed(at: (Double($0) + 0.5) / 256) } }

  /// Returns the ticks of a bar of some length.
  private func ticks(along length: Double, room: (String) -> Double) -> Ticks {
    if case .linear = scale.stretch {
      let widest = room(fixed(scale.high, decimals: 1))
      return .linear(from: scale.low, to: scale.high, atMost: max(3, Int(length / widest)))
    }
    return .spread(
      from: scale.low, to: scale.high, near: scale.zero,
      position: { scale.place(of: $0) * length }, room: room)
  }

  /// Draws the outline, with a point at an end beyond which there are values.
  private func outline(on canvas: Canvas, _ rect: PlotRect, isUpright: Bool) {
    let tip = (isUpright ? rect.width : rect.height) * 0.8
    /// Returns a place given along and across the bar, from the lower end.
    func place(_ along: Double, _ across: Double) -> PlotPoint {
      isUpright
        ? PlotPoint(rect.x + across * rect.width, rect.bottom - along)
        : PlotPoint(rect.x + along, rect.bottom - across * rect.height)
    }
    let length = isUpright ? rect.height : rect.width
    var loop = [place(0, 0)]
    if goesBelow { loop.append(place(-tip, 0.5)) }
    loop.append(place(0, 1))
    loop.append(place(length, 1))
    if goesAbove { loop.append(place(length + tip, 0.5)) }
    loop.append(place(length, 0))
    // Each tip reaches a little under the strip, so that no seam shows.
    if goesBelow {
      canvas.fill(
        [[place(0.6, 0), place(0, 0), place(-tip, 0.5), place(0, 1), place(0.6, 1)]],
        PlotColor(packed: map.packed(at: 0)))
    }
    if goesAbove {
      canvas.fill(
        [
          [
            place(length - 0.6, 0), place(length, 0), place(length + tip, 0.5), place(length, 1),
            place(length - 0.6, 1),
          ]
        ],
        PlotColor(packed: map.packed(at: 1)))
    }
    canvas.polyline(loop, .ink, lineWidth: style.frame, isClosed: true)
  }
}

extension PlotColor {
  /// Creates a colour from 0x00RRGGBB.
  init(packed: UInt32) {
    self.init(
      Double(packed >> 16 & 255) / 255, Double(packed >> 8 & 255) / 255,
      Double(packed & 255) / 255)
  }
}
