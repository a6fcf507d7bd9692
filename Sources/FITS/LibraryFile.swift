// SPDX-License-Identifier: MIT
//
// The hold on CFITSIO: one lock, open files that close themselves, the error stack as text, and the list of HDUs.

internal import CCFITSIO
internal import Synchronization

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// The lock around CFITSIO, whose error stack and table of open files are global.
private let libraryLock = Mutex<Void>(())

/// Calls the body while no other thread is in CFITSIO, with an empty error stack before and after.
func withLibrary<Result: Sendable>(
  _ body: () throws(FITSError) -> Result
) throws(FITSError) -> Result {
  try libraryLock.withLock { _ throws(FITSError) in
    ffcmsg()
    defer { ffcmsg() }
    return try body()
  }
}

/// Returns the meaning of a status number followed by the messages on CFITSIO's error stack, which is emptied.
func libraryMessages(_ status: Int32) -> [String] {
  var buffer = [CChar](repeating: 0, count: Int(FLEN_ERRMSG) + 1)
  ffgerr(status, &buffer)
  var messages = ["status \(status), " + string(of: buffer)]
  while ffgmsg(&buffer) != 0 { messages.append(string(of: buffer)) }
  return messages
}

/// Returns the text in a buffer that ends with a zero.
func string(of buffer: [CChar]) -> String {
  let bytes = buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
  return String(decoding: bytes, as: UTF8.self)
}

/// What kind of thing a path leads to.
enum PathKind {
  /// Nothing.
  case absent
  /// An ordinary file.
  case file
  /// A folder.
  case folder
  /// A device, pipe or socket.
  case special

  /// Looks at a path, following links.
  init(_ path: String) {
    var info = stat()
    guard stat(path, &info) == 0 else {
      self = .absent
      return
    }
    switch info.st_mode & S_IFMT {
    case S_IFREG: self = .file
    case S_IFDIR: self = .folder
    default: self = .special
    }
  }
}

/// What the first bytes of a file say about its format.
enum FITSMagic {
  /// FITS, or a compressed file that may hold it.
  case plausible
  /// Neither.
  case foreign
  /// The file cannot be read.
  case unknown

  /// Looks at the first bytes of a file.
  init(path: String) {
    guard PathKind(path) == .file, let file = fopen(path, "rb") else {
      self = .unknown
      return
    }
    defer { fclose(file) }
    var start = [UInt8](repeating: 0, count: 6)
    let count = fread(&start, 1, 6, file)
    let isFITS = count == 6 && start == Array("SIMPLE".utf8)
    // gzip, compress, pack and lzh, then zip and bzip2.
    let isCompressed =
      count >= 2
      && ((start[0] == 0x1f && [0x8b, 0x9d, 0x1e, 0xa0].contains(start[1]))
        || (start[0] == 0x50 && start[1] == 0x4b) || (start[0] == 0x42 && start[1] == 0x5a))
    self = isFITS || isCompressed ? .plausible : .foreign
  }
}

/// One HDU in the list of a file.
struct HDUSummary: Sendable {
  /// The kinds of HDU.
  enum Content: Sendable {
    /// An image, plain or tile-compressed.
    case image
    /// A binary or ASCII table.
    case table
  }

  /// The position; 0 is the primary HDU.
  var number: Int
  /// EXTNAME, empty if there is none.
  var name: String
  /// EXTVER, 1 if there is none.
  var version: Int
  /// Image or table.
  var content: Content
  /// The axes, NAXIS1 first: of the image, or columns and rows of the table.
  var axes: [Int]

  /// Whether there are data.
  var hasData: Bool { !axes.isEmpty && axes.allSatisfy { $0 > 0 } }

  /// The number with the name, for messages.
  var label: String { name.isEmpty ? "\(number)" : "\(number) (\(name))" }

  /// One line for messages: number, name, shape.
  var description: String {
    let size = axes.map(String.init).joined(separator: " × ")
    let what =
      switch content {
      case .image: hasData ? "image \(size)" : "no data"
      case .table: "table of \(axes.first ?? 0) columns, \(axes.last ?? 0) rows"
      }
    return "[\(number)] \(name.isEmpty ? "(no name)" : name): \(what)"
  }
}

/// An open FITS file, closed when it goes out of scope; to be used inside `withLibrary` only.
struct LibraryFile: ~Copyable {
  /// CFITSIO's handle.
  let handle: UnsafeMutablePointer<fitsfile>
  /// The name for messages.
  let name: FITSName

  /// Opens a file for reading: literally, or by CFITSIO's own reading of the name where it has filters.
  init(reading name: FITSName) throws(FITSError) {
    self.name = name
    var status: Int32 = 0
    var opened: UnsafeMutablePointer<fitsfile>?
    if name.needsLibrary {
      _ = ffopentest(CFITSIO_SONAME, &opened, name.full, READONLY, &status)
    } else {
      let path = try LibraryFile.existingPath(name)
      _ = ffdkopn(&opened, path, READONLY, &status)
    }
    guard status == 0, let opened else {
      throw LibraryFile.openingError(status, name)
    }
    handle = opened
  }

  deinit {
    var status: Int32 = 0
    ffclos(handle, &status)
  }

  /// Returns the path to open: the one given, or the compressed file in its place.
  private static func existingPath(_ name: FITSName) throws(FITSError) -> String {
    for suffix in ["", ".gz", ".fz"] {
      switch PathKind(name.path + suffix) {
      case .file, .special:
        guard access(name.path + suffix, R_OK) == 0 else {
          throw FITSError(
            .fileNotReadable, file: name.full,
            "expected a file that can be read; permission is denied. Change its permissions.")
        }
        return name.path + suffix
      case .folder:
        throw FITSError(
          .fileNotReadable, file: name.full,
          "expected a FITS file, found a folder. Name a file in it.")
      case .absent: continue
      }
    }
    throw FITSError(
      .fileNotFound, file: name.full,
      "expected a FITS file, found none of that name (nor with .gz or .fz). Check the path.")
  }

  /// Returns the error for a file that does not open.
  private static func openingError(_ status: Int32, _ name: FITSName) -> FITSError {
    let said = libraryMessages(status)
    let isForeign = FITSMagic(path: name.path) == .foreign
    switch status {
    case _ where isForeign:
      return FITSError(
        .notFITS, file: name.full,
        "expected a FITS file (first bytes \"SIMPLE  =\"), found something else. Convert it or "
          + "name another file.", library: said)
    case FILE_NOT_OPENED where name.needsLibrary && PathKind(name.path) == .absent:
      return FITSError(
        .fileNotFound, file: name.full, "expected a FITS file, found none. Check the path.",
        library: said)
    case END_OF_FILE, READ_ERROR, DATA_DECOMPRESSION_ERR:
      return FITSError(
        .truncated, file: name.full,
        "the file ends too early or cannot be unpacked. Fetch or write it again.", library: said)
    case FILE_NOT_OPENED, UNKNOWN_REC, BAD_SIMPLE, NO_SIMPLE, NO_BITPIX, NO_NAXIS, NO_END:
      return FITSError(
        .notFITS, file: name.full,
        "the file does not start with a FITS header. Convert it or name another file.",
        library: said)
    case URL_PARSE_ERROR, BAD_URL_PREFIX, PARSE_SYNTAX_ERR, PARSE_BAD_TYPE, PARSE_BAD_OUTPUT:
      return FITSError(
        .badName, file: name.full,
        "the part in brackets is not understood. Use [HDU] or [HDU][x1:x2,y1:y2].", library: said)
    case BAD_HDU_NUM:
      return FITSError(
        .noSuchHDU, file: name.full, "there is no such HDU. List the HDUs of \(name.path).",
        library: said)
    default:
      return FITSError(
        .library(status: Int(status)), file: name.full, "the file cannot be opened.",
        library: said)
    }
  }

  /// Throws if a call has failed; the message says what was being done.
  func check(_ status: Int32, _ doing: String, hdu: HDUSummary? = nil) throws(FITSError) {
    guard status != 0 else { return }
    let said = libraryMessages(status)
    switch status {
    case END_OF_FILE, READ_ERROR, DATA_DECOMPRESSION_ERR:
      throw FITSError(
        .truncated, file: name.full, hdu: hdu?.label,
        "the data end before the header says they should, while \(doing). Fetch or write the "
          + "file again.", library: said)
    default:
      let isHeader = (200..<260).contains(status)
      throw FITSError(
        isHeader ? .badHeader : .library(status: Int(status)), file: name.full, hdu: hdu?.label,
        "failed while \(doing)." + (isHeader ? " Mend the header." : ""), library: said)
    }
  }

  /// Makes an HDU the current one; 0 is the primary HDU.
  func move(to hdu: HDUSummary) throws(FITSError) {
    var status: Int32 = 0
    ffmahd(handle, Int32(hdu.number + 1), nil, &status)
    try check(status, "moving to the HDU", hdu: hdu)
  }

  /// Returns all HDUs of the file in order.
  func summaries() throws(FITSError) -> [HDUSummary] {
    var count: Int32 = 0
    var status: Int32 = 0
    ffthdu(handle, &count, &status)
    try check(status, "counting the HDUs")
    var result: [HDUSummary] = []
    for number in 0..<Int(count) {
      ffmahd(handle, Int32(number + 1), nil, &status)
      try check(status, "moving to HDU \(number)")
      result.append(try currentSummary(number: number))
    }
    return result
  }

  /// Returns the summary of the current HDU, which is the one of the given number.
  func currentSummary(number: Int) throws(FITSError) -> HDUSummary {
    var status: Int32 = 0
    var type: Int32 = 0
    ffghdt(handle, &type, &status)
    try check(status, "reading the type of HDU \(number)")
    var axes: [Int] = []
    if type == IMAGE_HDU {
      var count: Int32 = 0
      ffgidm(handle, &count, &status)
      axes = Array(repeating: 0, count: Int(count))
      ffgisz(handle, count, &axes, &status)
    } else {
      var columns: Int32 = 0
      var rows = 0
      ffgncl(handle, &columns, &status)
      ffgnrw(handle, &rows, &status)
      axes = [Int(columns), rows]
    }
    try check(status, "reading the shape of HDU \(number)")
    var name = [CChar](repeating: 0, count: Int(FLEN_VALUE) + 1)
    if ffgkys(handle, "EXTNAME", &name, nil, &status) != 0 {
      status = 0
      name = [0]
    }
    var version: Int32 = 1
    if ffgky(handle, TINT, "EXTVER", &version, nil, &status) != 0 { version = 1 }
    ffcmsg()  // an absent keyword is no failure
    return HDUSummary(
      number: number, name: string(of: name).trimmingSpaces, version: Int(version),
      content: type == IMAGE_HDU ? .image : .table, axes: axes)
  }

  /// Returns the cards of the current HDU.
  func header(of hdu: HDUSummary) throws(FITSError) -> FITSHeader {
    var count: Int32 = 0
    var status: Int32 = 0
    ffghsp(handle, &count, nil, &status)
    try check(status, "reading the header", hdu: hdu)
    var raw: [[UInt8]] = []
    raw.reserveCapacity(Int(count))
    var buffer = [CChar](repeating: 0, count: Int(FLEN_CARD) + 1)
    for index in 1..<max(Int(count) + 1, 1) {
      ffgrec(handle, Int32(index), &buffer, &status)
      try check(status, "reading card \(index) of the header", hdu: hdu)
      raw.append(buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) })
    }
    return FITSHeader(rawCards: raw)
  }

  /// Returns the HDU that the name asks for, or the first of the wanted content that has data, with a note if one is due.
  func select(
    _ wanted: HDUSummary.Content, among all: [HDUSummary]
  ) throws(FITSError) -> (hdu: HDUSummary, note: String?) {
    let list = all.map(\.description).joined(separator: ", ")
    let noun = wanted == .image ? "image" : "table"
    guard let asked = name.hdu else {
      if let first = all.first(where: { $0.content == wanted && $0.hasData }) {
        let isPlain = first.number == (wanted == .image ? 0 : 1)
        let note = "no HDU was named; HDU \(first.label) is the first \(noun) with data"
        return (first, isPlain ? nil : note)
      }
      let kind: FITSError.Kind =
        switch wanted {
        case .image: all.contains { $0.content == .table && $0.hasData } ? .notAnImage : .emptyHDU
        case .table: all.contains { $0.hasData } ? .notATable : .emptyHDU
        }
      throw FITSError(
        kind, file: name.full,
        "expected \(noun == "image" ? "an" : "a") \(noun), found \(list). Name another file.")
    }
    let found: HDUSummary? =
      switch asked {
      case .number(let number): all.indices.contains(number) ? all[number] : nil
      case .name(let text, let version):
        all.first {
          $0.name.lowercased() == text.lowercased() && (version == nil || $0.version == version)
        }
      }
    guard let found else {
      throw FITSError(
        .noSuchHDU, file: name.full,
        "there is no such HDU; the file has \(list). Put one of these numbers or names in the "
          + "brackets.")
    }
    guard found.content == wanted else {
      throw FITSError(
        wanted == .image ? .notAnImage : .notATable, file: name.full, hdu: found.label,
        "expected \(noun == "image" ? "an" : "a") \(noun), found \(found.description). "
          + "The file has \(list). Name another HDU in brackets.")
    }
    guard found.hasData else {
      throw FITSError(
        .emptyHDU, file: name.full, hdu: found.label,
        "expected data, found none. The file has \(list). Name another HDU in brackets.")
    }
    return (found, nil)
  }
}
