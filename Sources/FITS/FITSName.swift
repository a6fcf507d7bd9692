// SPDX-License-Identifier: MIT
//
// Names of files with CFITSIO's extended syntax: which part is the file, which HDU and which section are meant.

/// A file name taken apart: `image.fits[SCI][101:221,51:171]`.
struct FITSName: Sendable, Hashable {
  /// Which HDU the name asks for.
  enum HDU: Sendable, Hashable {
    /// By position; 0 is the primary HDU.
    case number(Int)
    /// By EXTNAME, in any case, and EXTVER if given.
    case name(String, version: Int?)
  }

  /// A range of pixels on one axis, counted from 1 as FITS does, both ends included.
  struct Range: Sendable, Hashable {
    /// The first pixel; nil for the whole axis.
    var first: Int?
    /// The last pixel; nil for the whole axis.
    var last: Int?
  }

  /// The name as given.
  var full: String
  /// The path of the file, which may have brackets of its own.
  var path: String
  /// The HDU asked for, if any.
  var hdu: HDU?
  /// The ranges of the section asked for, x first; empty for the whole image.
  var section: [Range]
  /// Whether the name uses syntax (filters, binning, steps, other protocols) that only CFITSIO itself understands.
  var needsLibrary: Bool

  /// Takes a name apart; `exists` tells whether a file of exactly that name exists, and decides whose the brackets are.
  init(_ full: String, exists: (String) -> Bool) {
    self.full = full
    section = []
    needsLibrary = false
    var groups: [String] = []
    var rest = Substring(full)
    while !exists(String(rest)), rest.last == "]", let open = rest.lastIndex(of: "[") {
      groups.insert(String(rest[rest.index(after: open)...].dropLast()), at: 0)
      rest = rest[..<open]
    }
    path = String(rest)
    if !exists(path), let plus = path.lastIndex(of: "+"), exists(String(path[..<plus])),
      let number = Int(path[path.index(after: plus)...]), number >= 0
    {
      hdu = .number(number)  // the older form, image.fits+1
      path = String(path[..<plus])
    }
    if !exists(path), path.contains("://") || path == "-" { needsLibrary = true }
    for group in groups {
      if let ranges = FITSName.ranges(group), section.isEmpty {
        section = ranges
      } else if hdu == nil, section.isEmpty, let parsed = FITSName.hdu(group) {
        hdu = parsed
      } else {
        needsLibrary = true
      }
    }
  }

  /// Returns the ranges in a group such as `101:221,51:171` or `*,*,3`, or nil if the group is something else.
  private static func ranges(_ group: String) -> [Range]? {
    guard group.contains(":") || group.contains("*") else { return nil }
    var result: [Range] = []
    for part in group.split(separator: ",", omittingEmptySubsequences: false) {
      let text = String(part).trimmingSpaces
      if text == "*" {
        result.append(Range())
        continue
      }
      let ends = text.split(separator: ":", omittingEmptySubsequences: false).map {
        Int(String($0).trimmingSpaces)
      }
      guard (1...2).contains(ends.count), let first = ends[0], let last = ends[ends.count - 1],
        first <= last
      else { return nil }
      result.append(Range(first: first, last: last))
    }
    return result
  }

  /// Returns the HDU in a group such as `1`, `SCI` or `SCI,2`, or nil if the group is something else.
  private static func hdu(_ group: String) -> HDU? {
    let parts = group.split(separator: ",", omittingEmptySubsequences: false).map {
      String($0).trimmingSpaces
    }
    guard let first = parts.first, !first.isEmpty, parts.count <= 2 else { return nil }
    // Operators occur in filters and in binning, never in the names of extensions that people use.
    guard !first.contains(where: { "=<>;()#&|!".contains($0) }) else { return nil }
    let keyword = first.split(separator: " ").first.map { $0.lowercased() } ?? ""
    let filters: Set<String> = [
      "bin", "col", "pix", "pixr", "pixb", "pixi", "pixj", "pixd", "compress",
    ]
    if filters.contains(keyword), first.contains(" ") { return nil }
    if parts.count == 1, let number = Int(first) { return number >= 0 ? .number(number) : nil }
    guard parts.count == 2 else { return .name(first, version: nil) }
    guard let version = Int(parts[1]) else { return nil }
    return .name(first, version: version)
  }
}

/// Returns the path of the file that a name with extended syntax stands for, compressed or not.
package func pathOfFITSName(_ name: String) -> String {
  let path = FITSName(name) { PathKind($0) != .absent }.path
  return ["", ".gz", ".fz"].map { path + $0 }.first { PathKind($0) == .file } ?? path
}
