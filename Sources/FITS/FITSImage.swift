// SPDX-License-Identifier: MIT
//
// Two-dimensional images read as Double, with their header, from any name that CFITSIO's extended syntax allows.

import Numerics

internal import CCFITSIO

/// A two-dimensional image with its header.
public struct FITSImage: Sendable {
  /// The name it was read from; empty for an image that was not read.
  public let name: String

  /// The HDU it was read from, counted from 0.
  public let hduNumber: Int

  /// EXTNAME of that HDU, empty if there is none.
  public let hduName: String

  /// The number of columns (NAXIS1).
  public let width: Int

  /// The number of rows (NAXIS2).
  public let height: Int

  /// The pixels, row by row, x fastest; `width · height` values; NaN where the file has none (BLANK).
  public var values: [Double]

  /// The header; where a section was read, CRPIX and LTV are those of the section.
  public var header: FITSHeader

  /// The type of the pixels in the file: 8, 16, 32, 64, −32 or −64.
  public let bitsPerPixel: Int

  /// The column in the parent image, from 0, of the first column; 0 unless a section was read.
  public let x0: Int

  /// The row in the parent image, from 0, of the first row; 0 unless a section was read.
  public let y0: Int

  /// What the reader should know, such as which HDU was taken when none was named.
  public let notes: [String]

  /// Creates an image from pixels.
  ///
  /// - Parameters:
  ///   - width: Number of columns, positive.
  ///   - height: Number of rows, positive.
  ///   - values: The pixels, row by row, x fastest.
  ///   - header: Cards to go with it.
  /// - Precondition: There are `width · height` values.
  public init(width: Int, height: Int, values: [Double], header: FITSHeader = FITSHeader()) {
    demand(
      values.count == width * height,
      "FITSImage: expected \(width) × \(height) values, got \(values.count)")
    name = ""
    hduNumber = 0
    hduName = ""
    self.width = width
    self.height = height
    self.values = values
    self.header = header
    bitsPerPixel = -64
    x0 = 0
    y0 = 0
    notes = []
  }

  /// Reads an image; BSCALE and BZERO are applied and BLANK becomes NaN.
  ///
  /// With no HDU named, the first image that has data is taken. Axes of length 1 are dropped. A file that exists under
  /// the very name given is opened as it is, brackets and all.
  ///
  /// ### Source
  ///
  /// Names: CFITSIO User's Guide, chapter 10; sections with steps, filters and binning are left to CFITSIO.
  ///
  /// - Parameter name: A path, with an HDU and a section if wanted: `image.fits[SCI][101:221,51:171]`.
  /// - Throws: `FITSError`, for each way in which a name or a file can be wrong.
  public init(reading name: String) throws(FITSError) {
    self = try withLibrary { () throws(FITSError) in try FITSImage(unlocked: name) }
  }

  /// Reads an image; to be called inside `withLibrary`.
  private init(unlocked text: String) throws(FITSError) {
    let parsed = FITSName(text) { PathKind($0) != .absent }
    let file = try LibraryFile(reading: parsed)
    var hdu: HDUSummary
    var remarks: [String] = []
    if parsed.needsLibrary {
      var number: Int32 = 0
      ffghdn(file.handle, &number)
      hdu = try file.currentSummary(number: Int(number) - 1)
      guard hdu.content == .image, hdu.hasData else {
        throw FITSError(
          hdu.content == .image ? .emptyHDU : .notAnImage, file: text, hdu: hdu.label,
          "expected an image, found \(hdu.description). Name the HDU in brackets.")
      }
      remarks.append("the name has a filter: pixel coordinates are those of the filtered image")
    } else {
      let choice = try file.select(.image, among: try file.summaries())
      hdu = choice.hdu
      if let note = choice.note { remarks.append(note) }
      try file.move(to: hdu)
    }
    let ranges = try FITSImage.ranges(of: hdu, parsed)
    var status: Int32 = 0
    var type: Int32 = 0
    ffgidt(file.handle, &type, &status)
    try file.check(status, "reading the pixel type", hdu: hdu)
    let lengths = ranges.map(\.count)
    self.name = text
    hduNumber = hdu.number
    hduName = hdu.name
    width = lengths[0]
    height = lengths[1]
    bitsPerPixel = Int(type)
    let isSection = !parsed.section.isEmpty
    x0 = isSection ? ranges[0].lowerBound - 1 : 0
    y0 = isSection ? ranges[1].lowerBound - 1 : 0
    let whole = try file.header(of: hdu)
    header = isSection ? whole.shifted(byX: x0, y: y0) : whole
    values = try FITSImage.pixels(of: file, hdu, ranges, isFloat: type < 0)
    notes = remarks
  }

  /// Returns the range on each axis, from 1; the first two are x and y, all others have length 1.
  private static func ranges(
    of hdu: HDUSummary, _ name: FITSName
  ) throws(FITSError) -> [ClosedRange<Int>] {
    let axes = hdu.axes
    let shape = axes.map(String.init).joined(separator: " × ")
    guard axes.count >= 2 else {
      throw FITSError(
        .notTwoDimensional(axes: axes), file: name.full, hdu: hdu.label,
        "expected an image with two axes, found \(shape). Name another HDU in brackets.")
    }
    var ranges = axes.map { 1...$0 }
    if !name.section.isEmpty {
      guard name.section.count >= 2, name.section.count <= axes.count else {
        throw FITSError(
          .badSection, file: name.full, hdu: hdu.label,
          "expected \(axes.count) ranges in the section, found \(name.section.count); "
            + "the image is \(shape).")
      }
      for (axis, range) in name.section.enumerated() {
        let first = range.first ?? 1
        let last = range.last ?? axes[axis]
        guard first >= 1, last <= axes[axis], first <= last else {
          throw FITSError(
            .badSection, file: name.full, hdu: hdu.label,
            "the section asks for \(first):\(last) on axis \(axis + 1), the image is \(shape). "
              + "Keep it within 1:\(axes[axis]).")
        }
        ranges[axis] = first...last
      }
    }
    guard ranges.dropFirst(2).allSatisfy({ $0.count == 1 }) else {
      let stars = "*,*" + String(repeating: ",1:1", count: axes.count - 2)
      throw FITSError(
        .notTwoDimensional(axes: axes), file: name.full, hdu: hdu.label,
        "expected an image with two axes, found \(shape). Choose one plane, for example "
          + "\(name.path)[\(hdu.number)][\(stars)].")
    }
    return ranges
  }

  /// Returns the pixels in the given ranges of the current HDU.
  private static func pixels(
    of file: borrowing LibraryFile, _ hdu: HDUSummary, _ ranges: [ClosedRange<Int>], isFloat: Bool
  ) throws(FITSError) -> [Double] {
    var status: Int32 = 0
    var first = ranges.map(\.lowerBound)
    var last = ranges.map(\.upperBound)
    var step = Array(repeating: 1, count: ranges.count)
    let count = ranges.reduce(1) { $0 * $1.count }
    // While looking for nulls CFITSIO turns subnormal numbers into zeros. Plain floating-point data carry their NaN
    // themselves, so there the search is off and every bit survives.
    let isPlainFloat = isFloat && fits_is_compressed_image(file.handle, &status) == 0
    var null = isPlainFloat ? 0 : Double.nan
    var anyNull: Int32 = 0
    let values = [Double](unsafeUninitializedCapacity: count) { buffer, initialized in
      buffer.initialize(repeating: 0)
      ffgsv(
        file.handle, TDOUBLE, &first, &last, &step, &null, buffer.baseAddress, &anyNull, &status)
      initialized = count
    }
    try file.check(status, "reading the pixels", hdu: hdu)
    return values
  }
}

/// A mask of the size of an image.
public struct FITSMask: Sendable {
  /// The number of columns.
  public let width: Int

  /// The number of rows.
  public let height: Int

  /// The mask, row by row, x fastest: true where the file has anything but 0, NaN and BLANK included.
  public var values: [Bool]

  /// The image it was made from.
  public let image: FITSImage

  /// Reads a mask; every pixel that is not 0 is true.
  ///
  /// - Parameter name: As for `FITSImage(reading:)`.
  /// - Throws: `FITSError` as `FITSImage(reading:)`.
  public init(reading name: String) throws(FITSError) {
    let image = try FITSImage(reading: name)
    width = image.width
    height = image.height
    values = image.values.map { $0 != 0 }
    self.image = image
  }
}
