// SPDX-License-Identifier: MIT
//
// What the tests of pixel rendering share: reference images, a reader of float64 FITS files, renderers on arrays.

import Foundation
import Rendering
import Testing

/// A source as the lists of reference images describe it.
struct ReferenceSource: Decodable, Sendable, CustomTestStringConvertible {
  /// The name of the FITS file, if there is one.
  let file: String?
  /// The number of columns.
  let nx: Int
  /// The number of rows.
  let ny: Int
  /// The centre's column.
  let xc: Double
  /// The centre's row.
  let yc: Double
  /// The total flux, or the pixels for a flux of 1.
  let flux: Flux?
  /// The half-light radius on the major axis, in pixels.
  let rEff: Double
  /// The Sérsic index.
  let n: Double
  /// The ellipticity.
  let ellip: Double
  /// The angle, in radians.
  let theta: Double
  /// The derivative of the pixels by yc, if it is given.
  let byYc: [Double]?

  /// One flux, or the pixels of a source of unit flux.
  enum Flux: Decodable {
    /// The flux of the source.
    case total(Double)
    /// The fluxes in the pixels, row-major.
    case pixels([Double])

    /// Reads a number or a list.
    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let value = try? container.decode(Double.self) {
        self = .total(value)
      } else {
        self = .pixels(try container.decode([Double].self))
      }
    }
  }

  /// The Sérsic parameters with a given flux.
  func parameters(flux: Double) -> [Double] { [xc, yc, flux, rEff, n, ellip, theta] }

  /// The file's name, or what is special about the source.
  var testDescription: String { file ?? "n \(n), r_eff \(rEff), ellip \(ellip)" }
}

/// Reference images, and arrays in place of pointers.
enum PixelTestSupport {
  /// The folder of the shared reference images; it need not exist.
  static let referenceFolder = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "shared/data/render_reference")

  /// Whether the shared reference images are there.
  static var hasReferences: Bool {
    FileManager.default.fileExists(atPath: referenceFolder.appending(path: "index.json").path)
  }

  /// The sources of the shared reference images; empty where there are none.
  static let references: [ReferenceSource] = {
    guard let data = try? Data(contentsOf: referenceFolder.appending(path: "index.json")) else {
      return []
    }
    return (try? decoder.decode([ReferenceSource].self, from: data)) ?? []
  }()

  /// A decoder that turns r_eff into rEff.
  static var decoder: JSONDecoder {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return decoder
  }

  /// Returns a golden file, decoded.
  static func golden<Value: Decodable>(_ name: String, as type: Value.Type) throws -> Value {
    let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appending(path: "Golden/\(name).json")
    return try decoder.decode(type, from: Data(contentsOf: url))
  }

  /// Returns the float64 images of a FITS file's HDUs, in order: enough for the reference files.
  static func readImages(_ url: URL) throws -> [(width: Int, height: Int, values: [Double])] {
    let bytes = [UInt8](try Data(contentsOf: url))
    var images: [(width: Int, height: Int, values: [Double])] = []
    var offset = 0
    while offset < bytes.count {
      var cards: [String: String] = [:]
      var isOpen = true
      while isOpen {
        for card in 0..<36 {
          let start = offset + 80 * card
          let text = String(decoding: bytes[start..<start + 80], as: UTF8.self)
          let key = text.prefix(8).trimmingCharacters(in: .whitespaces)
          if key == "END" { isOpen = false }
          let value = text.dropFirst(10).split(separator: "/").first ?? ""
          cards[key] = value.trimmingCharacters(in: .whitespaces)
        }
        offset += 2880
      }
      let width = Int(cards["NAXIS1"] ?? "") ?? 0
      let height = Int(cards["NAXIS2"] ?? "") ?? 0
      let values = (0..<width * height).map { i in
        let start = offset + 8 * i
        return Double(bitPattern: bytes[start..<start + 8].reduce(0) { $0 << 8 | UInt64($1) })
      }
      images.append((width, height, values))
      offset += (8 * width * height + 2879) / 2880 * 2880
    }
    return images
  }

  /// Returns the largest modulus of an array.
  static func largest(_ values: [Double]) -> Double {
    values.reduce(0) { $1.isNaN ? .infinity : max($0, abs($1)) }
  }

  /// Returns the largest difference of two arrays over the largest modulus of the second.
  static func relativeError(_ found: [Double], _ expected: [Double]) -> Double {
    largest(zip(found, expected).map { $0 - $1 }) / largest(expected)
  }

  /// Returns pseudo-random numbers in −1...1 from a fixed linear congruential sequence.
  static func numbers(_ count: Int, seed: UInt64 = 1) -> [Double] {
    var state = seed
    return (0..<count).map { _ in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Double(state >> 11) * 0x1p-52 - 1
    }
  }
}

extension SceneRenderer {
  /// Returns the image of a scene.
  func image(_ parameters: [Double], _ pixels: Int) -> [Double] {
    var image = [Double](repeating: .nan, count: pixels)
    parameters.withUnsafeBufferPointer { p in
      image.withUnsafeMutableBufferPointer { render(p, into: $0) }
    }
    return image
  }

  /// Returns the product of an image adjoint with the derivative of the latest image.
  func gradient(_ parameters: [Double], adjoint: [Double]) -> [Double] {
    var gradient = [Double](repeating: 0, count: parameters.count)
    parameters.withUnsafeBufferPointer { p in
      adjoint.withUnsafeBufferPointer { a in
        gradient.withUnsafeMutableBufferPointer { pullback(p, imageAdjoint: a, into: $0) }
      }
    }
    return gradient
  }

  /// Returns the derivative of the latest image along a direction.
  func change(_ parameters: [Double], along direction: [Double], _ pixels: Int) -> [Double] {
    var change = [Double](repeating: .nan, count: pixels)
    parameters.withUnsafeBufferPointer { p in
      direction.withUnsafeBufferPointer { d in
        change.withUnsafeMutableBufferPointer { tangent(p, direction: d, into: $0) }
      }
    }
    return change
  }

  /// Returns the derivative images of the latest image, one for each parameter.
  func derivatives(_ parameters: [Double], _ pixels: Int) -> [[Double]] {
    var all = [Double](repeating: .nan, count: pixels * parameters.count)
    parameters.withUnsafeBufferPointer { p in
      all.withUnsafeMutableBufferPointer { jacobian(p, into: $0) }
    }
    return parameters.indices.map { Array(all[$0 * pixels..<($0 + 1) * pixels]) }
  }
}
