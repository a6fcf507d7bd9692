// SPDX-License-Identifier: MIT
//
// The cards of one HDU, with look-up by keyword and the parts that travel to another file.

/// The header of one HDU.
public struct FITSHeader: Sendable, Hashable {
  /// The cards in the order of the file; long strings are joined.
  public var cards: [FITSCard]

  /// Creates a header.
  public init(_ cards: [FITSCard] = []) {
    self.cards = cards
  }

  /// Returns the value of the first card with a keyword (any case), or nil if there is none.
  public subscript(keyword: String) -> FITSValue? {
    let name = keyword.uppercased()
    return cards.first { $0.keyword == name }?.value
  }

  /// The cards of world coordinates (CTYPE, CRPIX, CD, SIP …) and of their reference system (RADESYS, EQUINOX, MJD-OBS …).
  public var worldCoordinates: [FITSCard] {
    cards.filter { $0.role == .worldCoordinates }
  }

  /// The cards that keep their meaning in another file: all but those of layout, scaling, compression and checksum.
  public var portable: [FITSCard] {
    cards.filter { $0.role != .structural }
  }

  /// Returns the header of a part of the image whose first pixel was at (x, y), counted from 0, in the whole.
  ///
  /// CRPIX1, CRPIX2 (and those of alternative systems, CRPIX1A …) move with the frame, as do LTV1 and LTV2 where present.
  func shifted(byX x: Int, y: Int) -> FITSHeader {
    var result = self
    for index in result.cards.indices {
      let keyword = result.cards[index].keyword
      guard let number = result.cards[index].value.number else { continue }
      let suffix = keyword.dropFirst(6)
      let isAlternative =
        suffix.isEmpty || (suffix.count == 1 && suffix.allSatisfy { "A"..."Z" ~= $0 })
      if keyword == "LTV1" || (keyword.hasPrefix("CRPIX1") && isAlternative) {
        result.cards[index].value = .real(number - Double(x))
      } else if keyword == "LTV2" || (keyword.hasPrefix("CRPIX2") && isAlternative) {
        result.cards[index].value = .real(number - Double(y))
      }
    }
    return result
  }

  /// Creates a header from the raw cards of a file, joining strings continued by the CONTINUE convention.
  init(rawCards: [[UInt8]]) {
    cards = []
    for raw in rawCards {
      let card = FITSCard(bytes: raw)
      if card.keyword == "CONTINUE", let last = cards.last,
        case .string(let start) = last.value, start.hasSuffix("&"),
        case .string(let more) = card.value
      {
        cards[cards.count - 1].value = .string(start.dropLast() + more)
        if !card.comment.isEmpty { cards[cards.count - 1].comment += card.comment }
      } else {
        cards.append(card)
      }
    }
  }
}
