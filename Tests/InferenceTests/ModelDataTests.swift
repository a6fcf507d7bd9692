// SPDX-License-Identifier: MIT
//
// Data of models in JSON: every kind is read, and what does not fit is named.

import Foundation
import Inference
import JSON
import Tensors
import Testing

@Suite("Model data") struct ModelDataTests {
  /// A document with data of every kind.
  private static let text = """
    {"N": 3, "scale": 1.5, "isHigh": [true, false, true], "one": 7, "county": [1, 2, 1],
     "X": [[1, 2.5], [3, -4], [5, 6]], "ragged": [[1, 2], [3]], "y": [0.5, null, "NA", 2],
     "deep": [[[1], [2]], [[3], [4]]], "empty": [], "title": "wells", "inner": {"k": [1, 2]}}
    """

  /// The data.
  private let data: ModelData

  /// Reads the document from a file.
  init() throws {
    let path = FileManager.default.temporaryDirectory
      .appending(path: "model-data-\(UUID().uuidString).json").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try Data(Self.text.utf8).write(to: URL(filePath: path))
    data = try ModelData(contentsOf: path)
  }

  @Test("numbers, lists, indices and matrices are read as they stand")
  func kinds() throws {
    #expect(try data.integer("N") == 3 && data.number("scale") == 1.5 && data.number("N") == 3)
    #expect(try data.vector("isHigh") == [1, 0, 1] && data.vector("one") == [7])
    #expect(try data.integers("county") == [1, 2, 1] && data.indices("county") == [0, 1, 0])
    #expect(try data.indices("county", from: 0) == [1, 2, 1])
    let x = try data.tensor("X")
    #expect(x.shape == [3, 2] && x.elements == [1, 2.5, 3, -4, 5, 6])
    #expect(try data.tensor("deep").shape == [2, 2, 1] && data.tensor("scale").shape == [])
    #expect(try data.optionalVector("y") == [0.5, nil, nil, 2])
    #expect(try data.vector("empty").isEmpty && data.tensor("empty").shape == [0])
    #expect(try data.group("inner").vector("k") == [1, 2])
    #expect(try data.group("inner").tensors().mapValues(\.elements) == ["k": [1, 2]])
    #expect(mistake { _ = try data.tensors() } != nil)
    #expect(data.names.first == "N" && data.names.last == "inner")
  }

  /// Returns the error that reading throws.
  private func mistake(_ read: () throws -> Void) -> ModelDataError? {
    do { try read() } catch { return error as? ModelDataError }
    return nil
  }

  @Test("what is missing or of another kind is named, with what was found")
  func mistakes() throws {
    #expect(mistake { _ = try data.vector("z") }?.explanation.contains("there are") == true)
    #expect(mistake { _ = try data.vector("y") }?.explanation.contains("null at place 1") == true)
    #expect(mistake { _ = try data.integer("scale") }?.explanation.contains("1.5") == true)
    #expect(mistake { _ = try data.number("X") }?.explanation.contains("a list of 3") == true)
    #expect(mistake { _ = try data.tensor("ragged") }?.name == "ragged")
    #expect(mistake { _ = try data.tensor("title") }?.name == "title")
    #expect(mistake { _ = try data.group("N") } != nil)
    #expect(mistake { _ = try data.indices("isHigh") }?.explanation.contains("found 0") == true)
    #expect(mistake { _ = try ModelData(.array([])) }?.name == nil)
    #expect(throws: JSONFileError.self) { try ModelData(contentsOf: "/nowhere.json") }
  }
}
