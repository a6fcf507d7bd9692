// SPDX-License-Identifier: MIT
//
// Images on a canvas: every image pixel is a flat rectangle with sharp edges; averaged only where it is smaller than a dot.

import Numerics

internal import CCairo

extension Canvas {
  /// Draws an image so that its pixels fill a rectangle as flat tiles.
  ///
  /// In a raster format each dot takes the colours of the tiles it covers in proportion to area: edges stay where they
  /// belong, and images larger than the picture are averaged, not thinned out.
  ///
  /// - Parameters:
  ///   - colors: `width · height` colours as 0x00RRGGBB, row by row, the lowest row first, x fastest.
  ///   - width: The number of columns.
  ///   - height: The number of rows.
  ///   - rect: The rectangle to fill.
  /// - Precondition: There are `width · height` colours.
  public func image(_ colors: [UInt32], width: Int, height: Int, in rect: PlotRect) {
    demand(
      colors.count == width * height,
      "Canvas.image: expected \(width) × \(height) colours, got \(colors.count)")
    guard width > 0, height > 0, rect.width > 0, rect.height > 0 else { return }
    if let scale {
      let left = (rect.x * scale).rounded()
      let top = (rect.y * scale).rounded()
      let columns = max(1, Int((rect.right * scale).rounded() - left))
      let rows = max(1, Int((rect.bottom * scale).rounded() - top))
      let dots = AreaResampling.resample(
        colors, width: width, height: height, columns: columns, rows: rows)
      cairo_save(context)
      cairo_identity_matrix(context)
      cairo_translate(context, left, top)
      paint(dots, columns: columns, rows: rows)
      cairo_restore(context)
    } else {
      // Viewers may blur images that they enlarge: tiles of several equal pixels keep the blur to a hairline.
      let repeats = max(1, 800 / max(width, height))
      let dots = AreaResampling.repeated(colors, width: width, height: height, times: repeats)
      cairo_save(context)
      cairo_translate(context, rect.x, rect.y)
      cairo_scale(
        context, rect.width / Double(width * repeats), rect.height / Double(height * repeats))
      paint(dots, columns: width * repeats, rows: height * repeats)
      cairo_restore(context)
    }
  }

  /// Paints dots, the uppermost row first, at the origin, one unit each.
  private func paint(_ dots: [UInt32], columns: Int, rows: Int) {
    guard
      let surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, Int32(columns), Int32(rows)),
      let data = cairo_image_surface_get_data(surface)
    else { return }
    defer { cairo_surface_destroy(surface) }
    cairo_surface_flush(surface)
    let stride = Int(cairo_image_surface_get_stride(surface))
    dots.withUnsafeBytes { source in
      guard let base = source.baseAddress else { return }
      for row in 0..<rows {
        UnsafeMutableRawPointer(data + row * stride)
          .copyMemory(from: base + row * columns * 4, byteCount: columns * 4)
      }
    }
    cairo_surface_mark_dirty(surface)
    cairo_set_source_surface(context, surface, 0, 0)
    cairo_pattern_set_filter(cairo_get_source(context), CAIRO_FILTER_NEAREST)
    cairo_rectangle(context, 0, 0, Double(columns), Double(rows))
    cairo_fill(context)
  }
}

/// Changes of the size of images of packed colours.
enum AreaResampling {
  /// The pixels that one dot covers on one axis.
  private struct Span {
    /// The first pixel.
    var first: Int
    /// How many pixels.
    var count: Int
    /// Where their shares of the dot start in the list of shares.
    var start: Int
  }

  /// Returns dots, the uppermost row first, each the mean by area of the pixels it covers (the lowest row first).
  static func resample(
    _ colors: [UInt32], width: Int, height: Int, columns: Int, rows: Int
  ) -> [UInt32] {
    let across = spans(width, columns)
    let down = spans(height, rows)
    var wide = [SIMD4<Float>](repeating: .zero, count: columns * height)
    for y in 0..<height {
      for column in 0..<columns {
        let span = across.spans[column]
        var sum = SIMD4<Float>.zero
        for k in 0..<span.count {
          sum += across.shares[span.start + k] * components(colors[y * width + span.first + k])
        }
        wide[y * columns + column] = sum
      }
    }
    var result = [UInt32](repeating: 0, count: columns * rows)
    for row in 0..<rows {
      let span = down.spans[row]
      for column in 0..<columns {
        var sum = SIMD4<Float>.zero
        for k in 0..<span.count {
          let y = height - 1 - span.first - k
          sum += down.shares[span.start + k] * wide[y * columns + column]
        }
        let c = sum.rounded(.toNearestOrEven)
        result[row * columns + column] = UInt32(c.x) << 16 | UInt32(c.y) << 8 | UInt32(c.z)
      }
    }
    return result
  }

  /// Returns the image turned upside down with each pixel repeated `times` × `times`.
  static func repeated(_ colors: [UInt32], width: Int, height: Int, times: Int) -> [UInt32] {
    var result: [UInt32] = []
    result.reserveCapacity(colors.count * times * times)
    for y in (0..<height).reversed() {
      var row: [UInt32] = []
      row.reserveCapacity(width * times)
      for x in 0..<width {
        for _ in 0..<times { row.append(colors[y * width + x]) }
      }
      for _ in 0..<times { result += row }
    }
    return result
  }

  /// Returns the pixels covered by each of `count` equal parts of a line of `length` pixels, and their shares of it.
  private static func spans(_ length: Int, _ count: Int) -> (spans: [Span], shares: [Float]) {
    let step = Double(length) / Double(count)
    var spans: [Span] = []
    var shares: [Float] = []
    for index in 0..<count {
      let start = Double(index) * step
      let end = Double(index + 1) * step
      // A share below a thousandth is left out: it would be rounding, not area.
      let first = min(Int(start + 1e-3 * step), length - 1)
      let last = max(first, min(Int((end - 1e-3 * step).rounded(.up)) - 1, length - 1))
      let areas = (first...last).map { pixel in
        max(0, min(end, Double(pixel + 1)) - max(start, Double(pixel)))
      }
      let total = areas.reduce(0, +)
      spans.append(Span(first: first, count: areas.count, start: shares.count))
      shares += areas.map { Float($0 / total) }
    }
    return (spans, shares)
  }

  /// Returns red, green and blue as numbers from 0 to 255.
  @inline(__always)
  private static func components(_ color: UInt32) -> SIMD4<Float> {
    SIMD4(Float(color >> 16 & 255), Float(color >> 8 & 255), Float(color & 255), 0)
  }
}
