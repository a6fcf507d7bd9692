// SPDX-License-Identifier: MIT
//
// What the tests of Plotting share: decoded PNG files, numbers of a canvas, a scratch folder, and the error a call throws.

import CCairo
import Foundation
import Plotting
import Synchronization

/// A PNG file, decoded by the library that the package draws with.
struct Picture {
  /// The number of columns.
  let width: Int
  /// The number of rows.
  let height: Int
  /// The colours as 0x00RRGGBB, the uppermost row first.
  let colors: [UInt32]

  /// Decodes a PNG file, or returns nil if it is none.
  init?(path: String) {
    guard let surface = cairo_image_surface_create_from_png(path) else { return nil }
    defer { cairo_surface_destroy(surface) }
    guard cairo_surface_status(surface) == CAIRO_STATUS_SUCCESS,
      let data = cairo_image_surface_get_data(surface)
    else { return nil }
    let (columns, rows) = (
      Int(cairo_image_surface_get_width(surface)), Int(cairo_image_surface_get_height(surface))
    )
    let stride = Int(cairo_image_surface_get_stride(surface))
    (width, height) = (columns, rows)
    colors = (0..<rows).flatMap { row in
      (0..<columns).map { column in
        UnsafeRawPointer(data).load(fromByteOffset: row * stride + 4 * column, as: UInt32.self)
          & 0xffffff
      }
    }
  }

  /// Returns the colour at a place given in points, for a picture of so many dots per inch.
  func color(at point: PlotPoint, dotsPerInch: Double) -> UInt32 {
    let scale = dotsPerInch / 72
    return colors[Int(point.y * scale) * width + Int(point.x * scale)]
  }
}

/// Numbers that only a canvas can tell, such as widths of texts.
struct Measured {
  /// What is measured.
  private let body: @Sendable (Canvas) -> [Double]

  /// Creates numbers from what measures them.
  init(_ body: @escaping @Sendable (Canvas) -> [Double]) { self.body = body }

  /// The numbers.
  var values: [Double] {
    get throws {
      let found = Mutex<[Double]>([])
      let body = body
      let figure = Figure(width: 10, height: 10) { canvas in
        let numbers = body(canvas)
        found.withLock { $0 = numbers }
      }
      _ = try figure.encoded(as: .pdf)
      return found.withLock(\.self)
    }
  }
}

/// A folder of its own for one test, removed afterwards.
final class Scratch {
  /// The path of the folder.
  let path: String

  /// Creates the folder.
  init() throws {
    path = NSTemporaryDirectory() + "/plot-tests-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit {
    try? FileManager.default.removeItem(atPath: path)
  }

  /// The names of the files in the folder, hidden ones too.
  var files: [String] {
    get throws { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }
  }
}

/// Returns the error that the body throws.
func failure(_ body: () throws(PlotError) -> Void) -> PlotError? {
  do throws(PlotError) {
    try body()
    return nil
  } catch {
    return error
  }
}

/// A generator of the same numbers each time: a linear congruence (Knuth's MMIX constants).
struct Repeatable: RandomNumberGenerator {
  /// The state.
  var state: UInt64 = 44

  /// Returns the next number, its best bits spread by a multiplication.
  mutating func next() -> UInt64 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return (state ^ (state >> 33)) &* 0xff51_afd7_ed55_8ccd
  }

  /// Returns a number with mean 0 and variance 1, nearly normal (a sum of twelve uniform ones).
  mutating func normal() -> Double {
    (0..<12).reduce(-6) { sum, _ in sum + Double.random(in: 0..<1, using: &self) }
  }
}
