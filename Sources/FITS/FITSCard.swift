// SPDX-License-Identifier: MIT
//
// One header card: keyword, typed value, comment; read from its 80 bytes by the rules of FITS Standard 4.0, §4.

internal import CCFITSIO

/// The value of a header card.
public enum FITSValue: Sendable, Hashable {
  /// A character string, without its quotes and trailing blanks.
  case string(String)
  /// An integer.
  case integer(Int)
  /// A real number.
  case real(Double)
  /// A logical value, T or F.
  case logical(Bool)
  /// A keyword without a value.
  case undefined
  /// A value of a type that is kept as text only (complex numbers, integers beyond 64 bits).
  case other(String)

  /// The value as a number, if it is one.
  public var number: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .real(let value): value
    case .string, .logical, .undefined, .other: nil
    }
  }

  /// The value as a string, if it is one.
  public var text: String? {
    if case .string(let value) = self { value } else { nil }
  }
}

/// One card of a FITS header.
public struct FITSCard: Sendable, Hashable {
  /// What a card is for, which decides what happens to it when a header is copied.
  package enum Role: Sendable, Hashable {
    /// Describes the layout of the data unit, its scaling, compression or checksum: belongs to one file only.
    case structural
    /// World coordinates and their reference system.
    case worldCoordinates
    /// COMMENT, HISTORY or blank.
    case commentary
    /// All the rest.
    case other
  }

  /// The keyword in capitals; empty for a blank card.
  public var keyword: String

  /// The value; `undefined` for commentary cards.
  public var value: FITSValue

  /// The comment, or the text of a commentary card.
  public var comment: String

  /// Creates a card with any value.
  public init(_ keyword: String, _ value: FITSValue, comment: String = "") {
    self.keyword = keyword.uppercased()
    self.value = value
    self.comment = comment
  }

  /// Creates a card with a string.
  public init(_ keyword: String, _ value: String, comment: String = "") {
    self.init(keyword, .string(value), comment: comment)
  }

  /// Creates a card with an integer.
  public init(_ keyword: String, _ value: Int, comment: String = "") {
    self.init(keyword, .integer(value), comment: comment)
  }

  /// Creates a card with a real number, written with as many digits as it takes to read the same number back.
  public init(_ keyword: String, _ value: Double, comment: String = "") {
    self.init(keyword, .real(value), comment: comment)
  }

  /// Creates a card with a logical value.
  public init(_ keyword: String, _ value: Bool, comment: String = "") {
    self.init(keyword, .logical(value), comment: comment)
  }

  /// Returns a HISTORY card; a long text takes several cards in the file.
  public static func history(_ text: String) -> FITSCard {
    FITSCard("HISTORY", .undefined, comment: text)
  }

  /// Returns a COMMENT card; a long text takes several cards in the file.
  public static func comment(_ text: String) -> FITSCard {
    FITSCard("COMMENT", .undefined, comment: text)
  }

  /// Whether the card is COMMENT, HISTORY or blank, and so has text but no value.
  public var isCommentary: Bool {
    keyword.isEmpty || keyword == "COMMENT" || keyword == "HISTORY"
  }

  /// What the card is for.
  package var role: Role {
    if isCommentary { return .commentary }
    if FITSCard.structuralKeywords.contains(keyword) { return .structural }
    if FITSCard.distortionPrefixes.contains(where: keyword.hasPrefix) { return .worldCoordinates }
    // The card is padded to eight columns because CFITSIO classifies its first eight characters.
    var name = keyword.utf8.map { CChar(truncatingIfNeeded: $0) }
    name += Array(repeating: CChar(32), count: max(0, 8 - name.count))
    name += [61, 32, 0]  // "= " and the end of the string
    switch ffgkcl(&name) {
    case TYP_WCS_KEY, TYP_REFSYS_KEY: return .worldCoordinates
    case TYP_STRUC_KEY, TYP_CMPRS_KEY, TYP_SCAL_KEY, TYP_NULL_KEY, TYP_RANG_KEY, TYP_HDUID_KEY,
      TYP_CKSUM_KEY, TYP_DIM_KEY, TYP_DISP_KEY:
      return .structural
    default: return .other
    }
  }

  /// Structural keywords that CFITSIO's classification leaves out, or puts elsewhere.
  private static let structuralKeywords: Set<String> = [
    "SIMPLE", "BITPIX", "NAXIS", "EXTEND", "GROUPS", "PCOUNT", "GCOUNT", "XTENSION", "TFIELDS",
    "THEAP", "BSCALE", "BZERO", "BLANK", "EXTNAME", "EXTVER", "EXTLEVEL", "HDUNAME", "INHERIT",
    "CHECKSUM", "DATASUM", "ZHECKSUM", "ZDATASUM", "CONTINUE", "LONGSTRN", "ZSIMPLE", "ZEXTEND",
    "ZTENSION", "ZPCOUNT", "ZGCOUNT", "ZDITHER0", "ZBLOCKED", "END",
  ]

  /// Starts of keywords of distortion polynomials (SIP), which belong to the world coordinates.
  private static let distortionPrefixes = [
    "A_ORDER", "B_ORDER", "AP_ORDER", "BP_ORDER", "A_DMAX", "B_DMAX", "A_0", "A_1", "A_2", "A_3",
    "A_4", "A_5", "A_6", "A_7", "A_8", "A_9", "B_0", "B_1", "B_2", "B_3", "B_4", "B_5", "B_6",
    "B_7", "B_8", "B_9", "AP_0", "AP_1", "AP_2", "AP_3", "AP_4", "AP_5", "AP_6", "AP_7", "AP_8",
    "AP_9", "BP_0", "BP_1", "BP_2", "BP_3", "BP_4", "BP_5", "BP_6", "BP_7", "BP_8", "BP_9",
  ]
}

// MARK: - Reading

extension FITSCard {
  /// Creates a card from its bytes in a file, at most 80, without those of a CONTINUE card.
  init(bytes: [UInt8]) {
    let name = FITSCard.text(bytes.prefix(8)).trimmingSpaces
    // Trailing blanks have been stripped, so that the "=" of an undefined value may end the card.
    let hasValue = bytes.count > 8 && bytes[8] == 61 && (bytes.count == 9 || bytes[9] == 32)
    if name == "HIERARCH", !hasValue, let equals = bytes.firstIndex(of: 61) {
      keyword = FITSCard.text(bytes[8..<equals]).trimmingSpaces
      (value, comment) = FITSCard.parseValue(bytes[(equals + 1)...])
    } else if hasValue, name != "COMMENT", name != "HISTORY", !name.isEmpty {
      keyword = name
      (value, comment) = FITSCard.parseValue(bytes.dropFirst(10))
    } else if name == "CONTINUE" {
      keyword = name
      (value, comment) = FITSCard.parseValue(bytes.dropFirst(8))
    } else {
      keyword = name
      value = .undefined
      comment = FITSCard.text(bytes.dropFirst(8)).trimmingTrailingSpaces
    }
  }

  /// Returns the value and the comment in the part of a card after the value indicator.
  private static func parseValue(_ field: ArraySlice<UInt8>) -> (FITSValue, String) {
    let body = field.drop { $0 == 32 }
    if body.first == 39 { return parseString(body.dropFirst()) }
    let slash = body.firstIndex(of: 47) ?? body.endIndex
    let comment = text(body[slash...].dropFirst()).trimmingSpaces
    let token = text(body[..<slash]).trimmingSpaces
    return (value(of: token), comment)
  }

  /// Returns the string that starts after its opening quote, and the comment that follows it.
  private static func parseString(_ body: ArraySlice<UInt8>) -> (FITSValue, String) {
    var bytes: [UInt8] = []
    var index = body.startIndex
    while index < body.endIndex {
      if body[index] == 39 {
        guard index + 1 < body.endIndex, body[index + 1] == 39 else { break }
        index += 1  // two quotes stand for one
      }
      bytes.append(body[index])
      index += 1
    }
    let rest = body[min(index + 1, body.endIndex)...]
    let slash = rest.firstIndex(of: 47) ?? rest.endIndex
    let comment = text(rest[slash...].dropFirst()).trimmingSpaces
    return (.string(text(bytes[...]).trimmingTrailingSpaces), comment)
  }

  /// Returns the value written in a token that is not a quoted string.
  private static func value(of token: String) -> FITSValue {
    switch token {
    case "": return .undefined
    case "T": return .logical(true)
    case "F": return .logical(false)
    default: break
    }
    if let integer = Int(token) { return .integer(integer) }
    // FORTRAN writes double precision exponents with D. Words such as "nan" are no FITS numbers.
    let real = String(token.map { $0 == "D" || $0 == "d" ? "E" : $0 })
    let isNumeric = real.utf8.allSatisfy { "0123456789+-.eE".utf8.contains($0) }
    if isNumeric, let number = Double(real.hasSuffix(".") ? real + "0" : real) {
      return .real(number)
    }
    return .other(token)
  }

  /// Returns bytes as text, with a question mark for each that is not printable ASCII.
  private static func text(_ bytes: ArraySlice<UInt8>) -> String {
    String(decoding: bytes.map { (32...126).contains($0) ? $0 : 63 }, as: UTF8.self)
  }
}

extension String {
  /// The string without blanks at its end.
  var trimmingTrailingSpaces: String {
    var result = Substring(self)
    while result.last == " " { result.removeLast() }
    return String(result)
  }

  /// The string without blanks at both ends.
  var trimmingSpaces: String { String(trimmingTrailingSpaces.drop { $0 == " " }) }
}
