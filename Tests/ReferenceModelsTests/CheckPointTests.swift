// SPDX-License-Identifier: MIT
//
// The reference models against the published check points of their log densities, where those lie beside the package.

import Foundation
import PPL
import ReferenceModels
import Tensors
import Testing

/// The folder of reference posteriors beside the package.
private let folder = URL(filePath: #filePath).deletingLastPathComponent()
  .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
  .appending(path: "shared/data/posteriordb")

/// The names of the posteriors found there.
private let names: [String] = {
  let files = try? FileManager.default.contentsOfDirectory(atPath: folder.path)
  return (files ?? []).filter { $0.hasSuffix(".json") }.map { String($0.dropLast(5)) }.sorted()
}()

@Suite("Check points of reference posteriors") struct CheckPointTests {
  /// A value of JSON as an array.
  private func tensor(_ value: Any) throws -> Tensor {
    if let number = value as? NSNumber { return Tensor(number.doubleValue) }
    let list = try #require(value as? [Any])
    return Tensor.stack(try list.map(tensor))
  }

  @Test(
    "differences of the log density agree to 1e-8, gradients to six digits",
    .enabled(if: !names.isEmpty, "../shared/data/posteriordb is not there"), arguments: names)
  func checkPoints(_ name: String) throws {
    let file = try Data(contentsOf: folder.appending(path: name + ".json"))
    let object = try #require(JSONSerialization.jsonObject(with: file) as? [String: Any])
    let data = try #require(object["data"] as? [String: Any]).mapValues(tensor)
    let posterior = try #require(ReferencePosterior.named(name), "no model of \(name)")
    let model = try posterior.model(data)
    let checks = try #require(object["logdensity_checks"] as? [String: Any])
    let points = try #require(checks["points"] as? [[String: Any]])
    #expect(points.count == 3)
    var first = 0.0
    for (index, point) in points.enumerated() {
      let values = try #require(point["params"] as? [String: Any]).mapValues(tensor)
      let value = logJoint(model, values).item()
      if index == 0 { first = value }
      let expected = try #require(point["delta_log_joint"] as? NSNumber).doubleValue
      // The published differences have ten digits.
      #expect(
        abs(value - first - expected) <= 1e-8 * max(1, abs(expected)),
        "point \(index): \(value - first), expected \(expected)")
      let gradients = try #require(point["grad_log_joint"] as? [String: Any])
      let wanted = try gradients.mapValues(tensor)
      let scale = wanted.values.flatMap(\.elements).map(abs).max() ?? 1
      for (site, gradient) in wanted {
        let found = Tensors.gradient(at: try #require(values[site])) { moved in
          logJoint(model, values.merging([site: moved]) { $1 })
        }
        #expect(found.shape == gradient.shape, "\(site)")
        for (a, b) in zip(found.elements, gradient.elements) {
          // Finite differences of the reference, to about six digits of the point's largest component.
          #expect(abs(a - b) <= 2e-6 * scale, "point \(index), \(site): \(a), expected \(b)")
        }
      }
    }
  }
}
