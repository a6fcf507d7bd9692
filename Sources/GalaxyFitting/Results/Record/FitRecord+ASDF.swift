// SPDX-License-Identifier: MIT
//
// A record as one tree for ASDF and JSON, in the layout of pysersic's files, and back.

import ASDF
import FITS
import GalaxyModels
import Inference
import JSON
import Rendering

extension FitRecord {
  /// The record as the tree of an ASDF file.
  ///
  /// `posterior` {name: array `[chains, draws]`}, `sample_stats` where Markov chains made the draws, `input_data` {`image`, `rms`,
  /// `mask`, `missing`: arrays `[height, width]`; `psf`}, `model_image`, `method_used`, `prior_info` {name: text}, and all of
  /// `result.json` under `result`.
  var asdf: ASDFValue {
    var members = draws?.asdf.members ?? []
    if let pixels {
      members.append(ASDFValue.Member("input_data", .map(pixels.members)))
      members.append(
        ASDFValue.Member(
          "model_image",
          .array(ASDFArray(pixels.model, shape: [pixels.image.height, pixels.image.width]))))
    }
    let priors = report.priors.sorted { $0.key < $1.key }.map {
      ASDFValue.Member($0.key, .string($0.value))
    }
    return .map(
      members + [
        ASDFValue.Member("method_used", .string(report.method)),
        ASDFValue.Member("prior_info", .map(priors)),
        ASDFValue.Member("result", ASDFValue(JSONValue.object(resultMembers))),
      ])
  }

  /// Creates a record from the tree of an ASDF file.
  ///
  /// - Throws: ``FitRecordError`` or `DrawsError` with the place where the tree is not as expected.
  init(asdf tree: ASDFValue) throws {
    guard let result = tree["result"] else {
      throw FitRecordError(
        "result",
        "expected the result of a fit, found none: the file was not written by sersic fit or save(to:)"
      )
    }
    let place = JSONPlace(JSONValue(result), "result")
    let report = try FitReport(place)
    let joint = try BandsReport(place)
    var pixels: FittedPixels?
    // The inputs of a joint fit lie under the names of its bands.
    if joint == nil { pixels = try FittedPixels(tree, report) }
    self.init(
      report, draws: tree["posterior"] == nil ? nil : try Draws(asdf: tree), pixels: pixels,
      joint: joint)
  }

  /// The members of `result.json`, with those of a joint fit.
  var resultMembers: [JSONValue.Member] {
    guard case .object(let list) = report.json else { return [] }
    return list + (joint?.members ?? [])
  }

  /// The record as one JSON document: that of ``FitReport/json``, with `draws` and `pixels`.
  var wholeJSON: JSONValue {
    var members = resultMembers
    if let draws { members.append(JSONValue.Member(name: "draws", value: draws.json)) }
    if let pixels {
      let tree =
        pixels.members + [
          ASDFValue.Member(
            "model_image",
            .array(ASDFArray(pixels.model, shape: [pixels.image.height, pixels.image.width])))
        ]
      members.append(JSONValue.Member(name: "pixels", value: JSONValue(.map(tree))))
    }
    return .object(members)
  }

  /// Creates a record from a JSON document, with or without draws and pixels.
  ///
  /// - Throws: ``FitRecordError`` or `DrawsError` with the place where the document is not as expected.
  init(json document: JSONValue) throws {
    let report = try FitReport(json: document)
    var pixels: FittedPixels?
    if let found = document["pixels"], case .object(let members) = found {
      let place = JSONPlace(found, "pixels")
      var arrays: [ASDFValue.Member] = []
      for member in members {
        let shape =
          member.name == "psf"
          ? [report.image.psf?.height ?? 0, report.image.psf?.width ?? 0]
          : [report.image.height, report.image.width]
        let array = try place.member(member.name).array(shape: shape)
        arrays.append(ASDFValue.Member(member.name, .array(array)))
      }
      let tree = ASDFValue.map([
        ASDFValue.Member("input_data", .map(arrays.filter { $0.name != "model_image" })),
        arrays.first { $0.name == "model_image" } ?? ASDFValue.Member("model_image", .null),
      ])
      pixels = try FittedPixels(tree, report)
    }
    self.init(
      report, draws: try document["draws"].map { try Draws(json: $0) }, pixels: pixels,
      joint: try BandsReport(JSONPlace(document)))
  }
}

extension FittedPixels {
  /// The image as members of a tree.
  fileprivate var members: [ASDFValue.Member] {
    let shape = [image.height, image.width]
    var inputs = [
      ASDFValue.Member("image", .array(ASDFArray(image.science, shape: shape))),
      ASDFValue.Member("rms", .array(ASDFArray(image.rms, shape: shape))),
      ASDFValue.Member("mask", .array(ASDFArray(image.mask, shape: shape))),
    ]
    if image.isMissing.contains(true) {
      inputs.append(ASDFValue.Member("missing", .array(ASDFArray(image.isMissing, shape: shape))))
    }
    if let psf = image.psf {
      inputs.append(
        ASDFValue.Member("psf", .array(ASDFArray(psf.values, shape: [psf.height, psf.width]))))
    }
    return inputs
  }

  /// Reads pixels from a tree; nil where it has none.
  fileprivate init?(_ tree: ASDFValue, _ report: FitReport) throws(FitRecordError) {
    guard let inputs = tree["input_data"], inputs["image"] != nil else { return nil }
    let shape = [report.image.height, report.image.width]
    /// Returns the numbers of an array that must have a shape.
    func numbers(
      _ name: String, _ value: ASDFValue?, _ shape: [Int]
    ) throws(FitRecordError) -> [Double] {
      guard let array = value?.array, array.shape == shape else {
        throw FitRecordError(
          name,
          "expected an array \(shape), found \(value?.array.map { "\($0.shape)" } ?? "none")")
      }
      return array.doubles
    }
    let model = try numbers("model_image", tree["model_image"], shape)
    var arrays: [String: [Double]] = [:]
    for name in ["image", "rms", "mask"] {
      arrays[name] = try numbers("input_data/\(name)", inputs[name], shape)
    }
    if let missing = inputs["missing"] {
      arrays["missing"] = try numbers("input_data/missing", missing, shape)
    }
    if let psf = report.image.psf {
      arrays["psf"] = try numbers("input_data/psf", inputs["psf"], [psf.height, psf.width])
    }
    self.init(arrays, model: model, report)
  }

  /// Puts arrays of checked lengths together; missing pixels are those of `missing`, none where it is not there.
  init(_ arrays: [String: [Double]], model: [Double], _ report: FitReport) {
    let frame = report.image
    let none = [Double](repeating: 0, count: frame.width * frame.height)
    let psf = frame.psf.flatMap { psf in
      arrays["psf"].map { values in
        PointSpreadFunction(
          width: psf.width, height: psf.height, values: values, centerX: psf.center.x,
          centerY: psf.center.y, oversampling: psf.oversampling)
      }
    }
    self.init(
      ObservedImage(
        checked: frame.width, height: frame.height, science: arrays["image"] ?? none,
        rms: arrays["rms"] ?? none, mask: (arrays["mask"] ?? none).map { $0 != 0 },
        isMissing: (arrays["missing"] ?? none).map { $0 != 0 }, psf: psf,
        pixelResponse: report.pixelResponse, origin: frame.origin,
        header: FITSHeader(frame.worldCoordinates.map(\.card)), names: frame.names,
        zeroPoint: report.calibration.zeroPoint), model: model)
  }
}

// MARK: - Trees

extension ASDFValue {
  /// Takes a JSON document as a tree.
  init(_ value: JSONValue) {
    switch value {
    case .null: self = .null
    case .bool(let flag): self = .bool(flag)
    case .integer(let number): self = .integer(number)
    case .number(let number): self = .number(number)
    case .string(let text): self = .string(text)
    case .array(let values): self = .list(values.map { ASDFValue($0) })
    case .object(let members):
      self = .map(members.map { ASDFValue.Member($0.name, ASDFValue($0.value)) })
    }
  }
}

extension JSONValue {
  /// Takes a tree as a JSON document, arrays as nested lists; truth values are 0 and 1.
  init(_ value: ASDFValue) {
    switch value {
    case .null: self = .null
    case .bool(let flag): self = .bool(flag)
    case .integer(let number): self = .integer(number)
    case .number(let number): self = .number(number)
    case .string(let text): self = .string(text)
    case .list(let values): self = .array(values.map { JSONValue($0) })
    case .map(let members):
      self = .object(
        members.map { JSONValue.Member(name: $0.name, value: JSONValue($0.value)) })
    case .tagged(_, let inner): self = JSONValue(inner)
    case .array(let array):
      let leaves: [JSONValue] =
        array.integers?.map { .integer($0) } ?? array.doubles.map { .number($0) }
      let columns = max(1, array.shape.last ?? 1)
      self = .array(
        stride(from: 0, to: leaves.count, by: columns).map {
          .array(Array(leaves[$0..<($0 + columns)]))
        })
    }
  }
}

extension JSONPlace {
  /// Reads a nested list of numbers of a shape.
  fileprivate func array(shape: [Int]) throws(FitRecordError) -> ASDFArray {
    var numbers: [Double] = []
    numbers.reserveCapacity(shape.reduce(1, *))
    let rows = try elements()
    guard rows.count == shape[0] else { throw error(expected: "a list of \(shape[0]) rows") }
    for row in rows {
      let values = try row.doubles()
      guard values.count == shape[1] else { throw row.error(expected: "a list of \(shape[1])") }
      numbers += values
    }
    return ASDFArray(numbers, shape: shape)
  }
}
