// SPDX-License-Identifier: MIT
//
// Files of several image and table HDUs, written under a temporary name and renamed when complete (FITS Standard 4.0).

import Numerics

internal import CCFITSIO

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// An image HDU to be written.
public struct FITSOutputImage: Sendable {
  /// How the pixels are stored.
  public enum PixelType: Sendable, Hashable, CaseIterable {
    /// 64-bit floating point: every bit is kept.
    case float64
    /// 32-bit floating point.
    case float32
    /// Unsigned bytes, for masks and flags: values are rounded and limited to 0 … 255, NaN becomes 255.
    case uint8
    /// 32-bit whole numbers, for maps of segments: values are rounded and limited, NaN becomes 0.
    case int32
  }

  /// EXTNAME; none is written if it is empty.
  public var name: String

  /// The number of columns.
  public var width: Int

  /// The number of rows.
  public var height: Int

  /// The pixels, row by row, x fastest; empty for an HDU without data.
  public var values: [Double]

  /// How the pixels are stored.
  public var pixelType: PixelType

  /// Cards after the structural ones, in this order; structural keywords among them are skipped.
  public var cards: [FITSCard]

  /// Creates an image HDU.
  ///
  /// - Parameters:
  ///   - name: EXTNAME, such as `MODEL`.
  ///   - width: Number of columns, positive.
  ///   - height: Number of rows, positive.
  ///   - values: The pixels, row by row, x fastest.
  ///   - pixelType: How they are stored.
  ///   - cards: More cards, for instance `image.header.worldCoordinates` of the input.
  /// - Precondition: There are `width · height` values.
  public init(
    name: String, width: Int, height: Int, values: [Double], pixelType: PixelType = .float64,
    cards: [FITSCard] = []
  ) {
    demand(
      width > 0 && height > 0 && values.count == width * height,
      "FITSOutputImage: expected \(width) × \(height) values, got \(values.count)")
    self.name = name
    self.width = width
    self.height = height
    self.values = values
    self.pixelType = pixelType
    self.cards = cards
  }

  /// Creates a mask HDU: bytes, 1 where the mask is true.
  ///
  /// - Precondition: There are `width · height` values.
  public init(name: String, width: Int, height: Int, mask: [Bool], cards: [FITSCard] = []) {
    self.init(
      name: name, width: width, height: height, values: mask.map { $0 ? 1 : 0 },
      pixelType: .uint8, cards: cards)
  }

  /// Creates an HDU with cards only.
  public init(name: String, cards: [FITSCard]) {
    self.name = name
    width = 0
    height = 0
    values = []
    pixelType = .uint8
    self.cards = cards
  }
}

/// Writes FITS files.
public enum FITSWriter {
  /// Writes HDUs to a file; the first is the primary HDU.
  ///
  /// The file appears complete or not at all: it is written under another name in the same folder and then renamed.
  /// Each HDU has DATASUM and CHECKSUM. The path is taken literally, brackets and all.
  ///
  /// - Parameters:
  ///   - images: At least one HDU.
  ///   - tables: Tables after them.
  ///   - path: The file; its folder must exist.
  ///   - overwrite: Whether a file of that name may be replaced.
  /// - Throws: `FITSError` with kind `notWritable`; an old file is then as it was.
  /// - Precondition: `images` is not empty.
  public static func write(
    _ images: [FITSOutputImage], tables: [FITSOutputTable] = [], to path: String,
    overwrite: Bool = true
  ) throws(FITSError) {
    demand(!images.isEmpty, "FITSWriter.write: expected at least one HDU")
    let target = try checkedTarget(path, overwrite: overwrite)
    let slash = target.lastIndex(of: "/").map { target.index(after: $0) } ?? target.startIndex
    let token = String(UInt64.random(in: .min ... .max), radix: 36)
    let temporary = "\(target[..<slash]).\(token).fits.part"
    do throws(FITSError) {
      try withLibrary { () throws(FITSError) in
        try create(images, tables, at: temporary, for: path)
      }
      guard rename(temporary, target) == 0 else {
        throw FITSError(
          .notWritable, file: path, "the complete file cannot be put in place: \(systemMessage()).")
      }
    } catch {
      unlink(temporary)
      throw error
    }
  }

  /// Returns the path to replace, links followed, after finding that it may be written.
  private static func checkedTarget(_ path: String, overwrite: Bool) throws(FITSError) -> String {
    if [".gz", ".fz", ".bz2"].contains(where: path.lowercased().hasSuffix) {
      throw FITSError(
        .notWritable, file: path,
        "files are written uncompressed. Leave out the last suffix and compress the result.")
    }
    switch PathKind(path) {
    case .absent: return path
    case .folder:
      throw FITSError(.notWritable, file: path, "there is a folder of that name. Name a file.")
    case .special:
      throw FITSError(.notWritable, file: path, "this is no ordinary file. Name another.")
    case .file:
      guard overwrite else {
        throw FITSError(
          .notWritable, file: path, "the file exists. Remove it, or allow overwriting.")
      }
      guard access(path, W_OK) == 0 else {
        throw FITSError(
          .notWritable, file: path, "the file is read-only. Change its permissions or name another."
        )
      }
    }
    guard let real = realpath(path, nil) else { return path }
    defer { free(real) }
    return String(cString: real)
  }

  /// Creates the file under its temporary name; to be called inside `withLibrary`.
  private static func create(
    _ images: [FITSOutputImage], _ tables: [FITSOutputTable], at temporary: String,
    for path: String
  ) throws(FITSError) {
    var status: Int32 = 0
    var created: UnsafeMutablePointer<fitsfile>?
    errno = 0
    ffdkinit(&created, temporary, &status)
    guard status == 0, let file = created else {
      let reason = systemMessage()
      throw FITSError(
        .notWritable, file: path,
        "no file can be created in its folder: \(reason). Check that the folder exists and can be "
          + "written.", library: libraryMessages(status))
    }
    for image in images where status == 0 {
      write(image, to: file, &status)
    }
    for table in tables where status == 0 { table.append(to: file, &status) }
    let reason = systemMessage()
    var closing: Int32 = 0
    ffclos(file, &closing)
    guard status == 0, closing == 0 else {
      throw FITSError(
        .notWritable, file: path,
        "writing stopped before the end: \(reason). Is the disk full?",
        library: libraryMessages(status == 0 ? closing : status))
    }
    try sync(temporary, for: path)
  }

  /// Waits until the file is on the disk, so that a rename cannot put an incomplete one in place.
  private static func sync(_ temporary: String, for path: String) throws(FITSError) {
    let descriptor = open(temporary, O_RDONLY)
    guard descriptor >= 0 else {
      throw FITSError(.notWritable, file: path, "the new file is gone: \(systemMessage()).")
    }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else {
      throw FITSError(
        .notWritable, file: path, "writing did not finish: \(systemMessage()). Is the disk full?")
    }
  }

  /// Returns what the system says about its latest failure.
  private static func systemMessage() -> String {
    String(cString: strerror(errno))
  }

  /// Appends one HDU.
  private static func write(
    _ image: FITSOutputImage, to file: UnsafeMutablePointer<fitsfile>, _ status: inout Int32
  ) {
    let type =
      switch image.pixelType {
      case .float64: DOUBLE_IMG
      case .float32: FLOAT_IMG
      case .uint8: BYTE_IMG
      case .int32: LONG_IMG
      }
    var axes = image.values.isEmpty ? [] : [image.width, image.height]
    ffcrim(file, type, Int32(axes.count), &axes, &status)
    if !image.name.isEmpty {
      ffpkls(file, "EXTNAME", printable(image.name), "name of this HDU", &status)
    }
    for card in image.cards where card.role != .structural {
      write(card, to: file, &status)
    }
    let count = LONGLONG(image.values.count)
    if count > 0 {
      switch image.pixelType {
      case .float64:
        var values = image.values
        ffppr(file, TDOUBLE, 1, count, &values, &status)
      case .float32:
        // Converted here, because CFITSIO calls infinity an overflow.
        var values = image.values.map { Float($0) }
        ffppr(file, TFLOAT, 1, count, &values, &status)
      case .uint8:
        var values = image.values.map { $0.isNaN ? 255 : UInt8(min(max($0.rounded(), 0), 255)) }
        ffppr(file, TBYTE, 1, count, &values, &status)
      case .int32:
        let limits = (low: Double(Int32.min), high: Double(Int32.max))
        var values = image.values.map {
          $0.isNaN ? 0 : Int32(min(max($0.rounded(), limits.low), limits.high))
        }
        ffppr(file, TINT, 1, count, &values, &status)
      }
    }
    ffpcks(file, &status)
  }

  /// Appends one card.
  static func write(
    _ card: FITSCard, to file: UnsafeMutablePointer<fitsfile>, _ status: inout Int32
  ) {
    let comment = printable(card.comment)
    if card.isCommentary {
      switch card.keyword {
      case "HISTORY": ffphis(file, comment, &status)
      case "COMMENT": ffpcom(file, comment, &status)
      default: ffprec(file, String(repeating: " ", count: 8) + comment, &status)
      }
      return
    }
    let keyword = printable(card.keyword)
    switch card.value {
    case .string(let text): ffpkls(file, keyword, printable(text), comment, &status)
    case .integer(let value): ffpkyj(file, keyword, LONGLONG(value), comment, &status)
    case .logical(let value): ffpkyl(file, keyword, value ? 1 : 0, comment, &status)
    case .undefined: ffpkyu(file, keyword, comment, &status)
    case .real(let value):
      if value.isFinite {
        ffpkyd(file, keyword, value, -significantDigits(value), comment, &status)
      } else {
        ffpkyu(file, keyword, comment, &status)  // the standard has no infinity and no NaN
      }
    case .other(let text):
      let name = keyword.padded(to: 8)
      ffprec(file, "\(name)= \(text)" + (comment.isEmpty ? "" : " / \(comment)"), &status)
    }
  }

  /// Returns how many significant digits a number needs to be read back the same.
  private static func significantDigits(_ value: Double) -> Int32 {
    let mantissa = "\(value)".prefix { $0 != "e" }
    let digits = mantissa.filter(\.isNumber).drop { $0 == "0" }
    return Int32(min(max(digits.count, 1), 17))
  }

  /// What stands for signs that headers cannot hold.
  private static let spellings: [Character: String] = [
    "χ": "chi", "σ": "sigma", "²": "2", "±": "+-", "×": "x", "–": "-", "−": "-", "·": "*",
    "≤": "<=", "≥": ">=",
    "″": "\"", "°": " deg", "…": "...", "é": "e",
  ]

  /// Returns the text in printable ASCII, as headers require, with a question mark for each sign that has no spelling there.
  static func printable(_ text: String) -> String {
    text.map { sign in
      sign.isASCII && sign >= " " && sign <= "~" ? String(sign) : spellings[sign] ?? "?"
    }.joined()
  }
}

extension String {
  /// Returns the string with blanks added up to a length.
  fileprivate func padded(to length: Int) -> String {
    self + String(repeating: " ", count: max(0, length - count))
  }
}
