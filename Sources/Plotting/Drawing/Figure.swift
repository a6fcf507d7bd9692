// SPDX-License-Identifier: MIT
//
// A figure: its size and how to draw it; the same drawing gives PNG, PDF and SVG files, written whole or not at all.

internal import CCairo

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// A picture that can be drawn again for each file format.
public struct Figure: Sendable {
  /// The file formats.
  public enum Format: String, Sendable, CaseIterable {
    /// Pixels.
    case png
    /// Vectors on a page of the figure's size.
    case pdf
    /// Vectors for the web.
    case svg

    /// The format that the ending of a file name stands for, in any case.
    ///
    /// - Throws: `PlotError` with kind `unknownFormat` if it is none of .png, .pdf, .svg.
    public init(path: String) throws(PlotError) {
      let name = path.split(separator: "/").last ?? ""
      let ending = name.contains(".") ? name.split(separator: ".").last?.lowercased() ?? "" : ""
      guard let format = Format(rawValue: ending) else {
        throw PlotError(
          .unknownFormat, file: path,
          "expected a name that ends in .png, .pdf or .svg, found \(ending.isEmpty ? "no ending" : ".\(ending)")."
            + " Change the name.")
      }
      self = format
    }
  }

  /// The width in points (1/72 inch).
  public let width: Double

  /// The height in points.
  public let height: Double

  /// The drawing, called once for each file.
  private let drawing: @Sendable (Canvas) -> Void

  /// Creates a figure.
  ///
  /// - Parameters:
  ///   - width: Width in points, positive.
  ///   - height: Height in points, positive.
  ///   - drawing: Draws everything; it must draw the same each time.
  public init(width: Double, height: Double, drawing: @escaping @Sendable (Canvas) -> Void) {
    // Whole points leave no half-covered dots at the edges.
    self.width = width.rounded(.up)
    self.height = height.rounded(.up)
    self.drawing = drawing
  }

  /// Writes the figure in the format that the file's ending names: .png, .pdf or .svg.
  ///
  /// The file appears complete or not at all.
  ///
  /// - Parameters:
  ///   - path: The file; its folder must exist. A file of that name is replaced.
  ///   - dotsPerInch: The resolution of a PNG; ignored otherwise.
  /// - Throws: `PlotError` if the ending is unknown or the file cannot be written.
  public func write(to path: String, dotsPerInch: Double = 150) throws(PlotError) {
    let format = try Format(path: path)
    do throws(PlotError) {
      try replaceFile(path, with: try encoded(as: format, dotsPerInch: dotsPerInch))
    } catch {
      throw PlotError(error.kind, file: path, error.message)
    }
  }

  /// Returns the contents of a file with the figure.
  ///
  /// - Parameters:
  ///   - format: The file format.
  ///   - dotsPerInch: The resolution of a PNG; ignored otherwise.
  /// - Returns: The bytes of the file.
  /// - Throws: `PlotError` if the figure is empty or too large, or the drawing library fails.
  public func encoded(
    as format: Format, dotsPerInch: Double = 150
  ) throws(PlotError) -> [UInt8] {
    let isRaster = format == .png
    let scale = isRaster ? dotsPerInch / 72 : 1
    let largest = 32_000.0  // cairo's images and paths are limited to 2^15 units
    guard width * scale >= 1, height * scale >= 1, width * scale <= largest,
      height * scale <= largest
    else {
      throw PlotError(
        .badSize,
        "expected 1 to 32000 units on each side, found \(width * scale) × \(height * scale). "
          + "Change the size or the resolution.")
    }
    let sink = ByteSink()
    let closure = Unmanaged.passUnretained(sink).toOpaque()
    let created: OpaquePointer? =
      switch format {
      case .png:
        cairo_image_surface_create(
          CAIRO_FORMAT_RGB24, Int32((width * scale).rounded(.up)),
          Int32((height * scale).rounded(.up)))
      case .pdf: cairo_pdf_surface_create_for_stream(appendBytes, closure, width, height)
      case .svg: cairo_svg_surface_create_for_stream(appendBytes, closure, width, height)
      }
    guard let surface = created else { throw PlotError(.badSize, "no surface could be made.") }
    defer { cairo_surface_destroy(surface) }
    if let canvas = Canvas(
      surface: surface, width: width, height: height, scale: isRaster ? scale : nil)
    {
      canvas.fill(PlotRect(x: -1, y: -1, width: width + 2, height: height + 2), .white)
      drawing(canvas)
      try check(canvas.status)
    }
    if isRaster {
      cairo_surface_flush(surface)
      try check(cairo_surface_write_to_png_stream(surface, appendBytes, closure))
    }
    cairo_surface_finish(surface)
    try check(cairo_surface_status(surface))
    return withExtendedLifetime(sink) { sink.bytes }
  }

  /// Throws if the drawing library reports a failure.
  private func check(_ status: cairo_status_t) throws(PlotError) {
    guard status != CAIRO_STATUS_SUCCESS else { return }
    throw PlotError(
      .library(status: Int(status.rawValue)),
      "drawing failed: \(String(cString: cairo_status_to_string(status))).")
  }
}

/// Where cairo puts the bytes of a file.
private final class ByteSink {
  /// The bytes so far.
  var bytes: [UInt8] = []
}

/// Appends bytes to the `ByteSink` behind the closure pointer; the callback that cairo asks for.
private func appendBytes(
  _ closure: UnsafeMutableRawPointer?, _ data: UnsafePointer<UInt8>?, _ count: UInt32
) -> cairo_status_t {
  guard let closure, let data else { return CAIRO_STATUS_WRITE_ERROR }
  let sink = Unmanaged<ByteSink>.fromOpaque(closure).takeUnretainedValue()
  sink.bytes.append(contentsOf: UnsafeBufferPointer(start: data, count: Int(count)))
  return CAIRO_STATUS_SUCCESS
}

/// Writes bytes to a new file beside the old one and renames it into place.
private func replaceFile(_ path: String, with bytes: [UInt8]) throws(PlotError) {
  var info = stat()
  var target = path
  if stat(path, &info) == 0 {
    guard info.st_mode & S_IFMT == S_IFREG, access(path, W_OK) == 0 else {
      throw PlotError(
        .notWritable, "expected an ordinary file that may be replaced. Choose another name.")
    }
    if let real = realpath(path, nil) {
      target = String(cString: real)
      free(real)
    }
  }
  let slash = target.lastIndex(of: "/").map { target.index(after: $0) } ?? target.startIndex
  let token = String(UInt64.random(in: .min ... .max), radix: 36)
  let temporary = "\(target[..<slash]).\(token).part"
  let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL, 0o666)
  guard descriptor >= 0 else {
    throw PlotError(
      .notWritable,
      "no file can be created in its folder: \(String(cString: strerror(errno))). Check that the "
        + "folder exists and can be written.")
  }
  var written = 0
  while written < bytes.count {
    let count = bytes.withUnsafeBytes { buffer in
      write(descriptor, buffer.baseAddress?.advanced(by: written), bytes.count - written)
    }
    guard count > 0 else { break }
    written += count
  }
  let isClosed = close(descriptor) == 0
  guard written == bytes.count, isClosed, rename(temporary, target) == 0 else {
    let reason = String(cString: strerror(errno))
    unlink(temporary)
    throw PlotError(.notWritable, "writing failed: \(reason). Is the disk full?")
  }
}
