// SPDX-License-Identifier: MIT
//
// Saved results read back the same, from every format and of every method, and say where a file is not as expected.

import FITS
import Foundation
import GalaxyFitting
import GalaxyModels
import Inference
import JSON
import Numerics
import Rendering
import Tensors
import Testing

/// A small galaxy whose image has everything that a record must keep, and fits of it.
enum RecordScene {
  /// The formats of files.
  static let formats = ["asdf", "fits", "json"]

  /// The cards of an image of 0.2 arcseconds a pixel, turned by 30°.
  static let header = FITSHeader([
    FITSCard("OBJECT", "not kept"),
    FITSCard("CTYPE1", "RA---TAN", comment: "axis 1"), FITSCard("CTYPE2", "DEC--TAN"),
    FITSCard("CRVAL1", 150.1), FITSCard("CRVAL2", 2.2), FITSCard("CRPIX1", 20.5),
    FITSCard("CRPIX2", 18), FITSCard("CD1_1", -0.2 / 3600 * cos(Double.pi / 6)),
    FITSCard("CD1_2", 0.2 / 3600 * sin(Double.pi / 6)),
    FITSCard("CD2_1", 0.2 / 3600 * sin(Double.pi / 6)),
    FITSCard("CD2_2", 0.2 / 3600 * cos(Double.pi / 6)),
  ])

  /// An image of 37 × 33 pixels, a section of another, with a mask, a missing pixel, a PSF off its middle, and coordinates.
  static func image() throws -> ObservedImage {
    let (width, height, sigma) = (37, 33, 0.02)
    let psf = try PointSpreadFunction.moffat(fwhm: 2.5, beta: 3, size: 21)
    let rms = (0..<(width * height)).map { sigma * (1 + 0.1 * Double($0 % 7)) }
    let blank = try ObservedImage(
      width: width, height: height, science: rms.map { _ in 0 }, rms: rms, psf: psf)
    let light = Sersic(xc: 17.6, yc: 16.2, flux: 80, rEff: 3, n: 1.4, ellip: 0.35, theta: 3.1)
    let key = RandomKey(21)
    var science = try blank.rendered(light).enumerated().map {
      $1 + 0.05 + rms[$0] * key.normal(UInt64($0))
    }
    var mask = science.map { _ in false }
    for k in [40, 41, 77, 500] { mask[k] = true }
    science[300] = .nan
    return try ObservedImage(
      width: width, height: height, science: science, noise: .rms(rms), mask: mask, psf: psf,
      origin: ImagePoint(x: 100, y: 50), header: header,
      names: InputNames(
        science: "galaxy π.fits[SCI][101:137,51:83]", noise: "rms.fits", mask: "mask.fits",
        psf: "psf.fits"),
      zeroPoint: 25)
  }

  /// The methods of a fit.
  static let methods = ["map", "laplace", "svi-mvn", "svi-flow", "nuts"]

  /// Returns the result of a method.
  static func result(_ method: String, loss: ImageLoss = .studentT(dof: 5)) throws -> FitResult {
    let image = try image()
    var prior = autoprior(image, .sersic, sky: .flat)
    prior.fix("ellip", at: 0.35)
    let fit = try FitSingle(image, prior: prior, loss: loss)
    let best = try fit.findMAP()
    let provenance = FitProvenance(
      inputs: [InputFile(role: "image", name: "galaxy.fits")], seed: UInt64.max - 3,
      command: "sersic fit \"a b\" --sky flat", defaults: ["draws": "100"])
    let remarks = [InputFinding(.note, "fits", subject: "x", "a remark with \\ and \"quotes\"")]
    switch method {
    case "map": return FitResult(best, provenance: provenance, remarks: remarks)
    case "nuts":
      return FitResult(
        try fit.sample(chains: 3, warmUp: 100, draws: 60, from: best, key: 4),
        provenance: provenance, remarks: remarks)
    default:
      let estimate = try fit.estimatePosterior(
        PosteriorMethod(rawValue: method) ?? .laplace, from: best, draws: 300, key: 4)
      return FitResult(estimate, provenance: provenance, remarks: remarks)
    }
  }

  /// A folder that goes away.
  static func inFolder<Value>(_ body: (String) throws -> Value) throws -> Value {
    let folder = FileManager.default.temporaryDirectory.appending(path: "record-\(UUID())").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    return try body(folder)
  }
}

@Suite("Saved results")
struct FitRecordTests {
  @Test(
    "every method's result reads back the same from every format", arguments: RecordScene.methods)
  func roundTrip(method: String) throws {
    let result = try RecordScene.result(method)
    #expect(result.record.draws?.chains == (method == "map" ? nil : method == "nuts" ? 3 : 1))
    try RecordScene.inFolder { folder in
      for format in RecordScene.formats {
        let path = "\(folder)/fit.\(format)"
        try result.save(to: path)
        let record = try FitRecord(contentsOf: path)
        #expect(record.report == result.record.report, "\(format)")
        #expect(record.pixels == result.record.pixels, "\(format)")
        #expect(record == result.record, "\(format)")
        // What follows from a record is the same, too.
        #expect(record.table == result.table && record.report.json == result.json)
        if method != "map" {
          #expect(try record.quantiles([0.3]) == result.quantiles([0.3]))
        }
        // A record that is saved again, in any format, is the same.
        for other in RecordScene.formats {
          try record.save(to: "\(folder)/again.\(other)")
          #expect(try FitRecord(contentsOf: "\(folder)/again.\(other)") == record)
        }
      }
    }
  }

  @Test("two records that differ in one number are not the same")
  func inequality() throws {
    let record = try RecordScene.result("laplace").record
    var report = record.report
    report.search.chiSquared = report.search.chiSquared.nextUp
    #expect(FitRecord(report, draws: record.draws, pixels: record.pixels) != record)
    #expect(FitRecord(record.report, draws: nil, pixels: record.pixels) != record)
    let draws = try #require(record.draws)
    var sites = draws.sites
    var values = sites[0].values
    values[17] = values[17].nextUp
    sites[0] = Draws.Site(name: sites[0].name, shape: sites[0].shape, values: values)
    let other = Draws(chains: draws.chains, draws: draws.draws, sites: sites)
    #expect(FitRecord(record.report, draws: other, pixels: record.pixels) != record)
    let pixels = try #require(record.pixels)
    var model = pixels.model
    model[5] = model[5].nextUp
    let moved = FittedPixels(pixels.image, model: model)
    #expect(FitRecord(record.report, draws: record.draws, pixels: moved) != record)
  }

  @Test("scenes, double profiles and parameters of the noise read back the same")
  func others() throws {
    let scene = SimulatedScene.five
    let image = try scene.image()
    let many = FitResult(
      try FitMulti(image, prior: scene.catalog.prior(in: image, sky: .tiltedPlane))
        .estimatePosterior(.laplace, draws: 50))
    let small = try RecordScene.image()
    let double = FitResult(
      try FitSingle(
        small, prior: autoprior(small, .sersicExp, sky: .flat), loss: .mixture(free: .systematic)
      ).estimatePosterior(.laplace, draws: 50))
    try RecordScene.inFolder { folder in
      for result in [many, double] {
        for format in RecordScene.formats {
          try result.save(to: "\(folder)/fit.\(format)")
          let record = try FitRecord(contentsOf: "\(folder)/fit.\(format)")
          #expect(record == result.record)
          #expect(record.sourceCount == result.sourceCount)
          let (own, other) = (try record.components(), try result.components())
          #expect(own.map(\.name) == other.map(\.name) && own.map(\.image) == other.map(\.image))
        }
      }
      let second = try FitRecord(contentsOf: "\(folder)/fit.asdf").source(0)
      #expect(second.draws.count == double.draws?.names.filter { second[$0] != nil }.count)
    }
    #expect(try many.source(1).parameters.map(\.name) == GalaxyProfile.exp.sites)
  }

  @Test(
    "the folder of the command is a record: whole with a posterior, with the pixels of a maximum")
  func folders() throws {
    for method in ["map", "laplace"] {
      let result = try RecordScene.result(method)
      try RecordScene.inFolder { folder in
        #expect(
          result.write(to: try OutputFolder(folder), plots: false).allSatisfy { $0.failure == nil })
        #expect(try FitRecord(contentsOf: folder + "/") == result.record)
        #expect(try FitRecord(contentsOf: "\(folder)/result.json") == result.record)
        // The report alone has the table, and says what it lacks for more.
        for name in ["posterior.asdf", "model.fits"] {
          try? FileManager.default.removeItem(atPath: "\(folder)/\(name)")
        }
        let bare = try FitRecord(contentsOf: folder)
        #expect(bare.table == result.table && bare.draws == nil && bare.pixels == nil)
        #expect(throws: FitRecordError.self) { try bare.residualPlot() }
        #expect(throws: FitRecordError.self) { try bare.cornerPlot() }
        let error = #expect(throws: FitRecordError.self) { try bare.quantiles([0.5]) }
        let advice = method == "map" ? "--method laplace" : "posterior.asdf"
        #expect("\(error.map { "\($0)" } ?? "")".contains(advice))
      }
    }
  }

  @Test("files of an older fit in the same folder are not mixed in")
  func staleFiles() throws {
    try RecordScene.inFolder { folder in
      let old = try RecordScene.result("laplace")
      try old.save(to: "\(folder)/posterior.asdf")
      let new = try RecordScene.result("svi-mvn")
      try (new.json.text + "\n").write(
        toFile: "\(folder)/result.json", atomically: true, encoding: .utf8)
      let record = try FitRecord(contentsOf: "\(folder)/result.json")
      #expect(record.report == new.record.report && record.draws == nil)
    }
  }

  @Test("what is wrong with a file is said with the file and the place")
  func errors() throws {
    try RecordScene.inFolder { folder in
      let result = try RecordScene.result("map")
      /// Returns what is said of a file with some text.
      func said(_ name: String, _ text: String) throws -> String {
        let path = "\(folder)/\(name)"
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        do {
          _ = try FitRecord(contentsOf: path)
          return ""
        } catch {
          return "\(error)"
        }
      }
      let text = result.json.text
      for (found, wanted, place) in [
        ("swift-sersic/result/1", "something/else", "something/else"),
        ("\"n_pixels\": ", "\"n_pixels\": 0.5, \"x\": ", "fit/n_pixels: expected a whole number"),
        ("\"sky\": \"flat\"", "\"sky\": \"curved\"", "sky: expected one of none, flat"),
        ("\"map\": ", "\"map\": \"x\", \"y\": ", "parameters/xc/map: expected a number"),
        ("\"notes\"", "\"remarks\"", "notes: expected this member, found none"),
        ("student-t:dof=5.0", "student-u", "loss: "),
      ] {
        #expect(text.contains(found))
        let message = try said("result.json", text.replacing(found, with: wanted))
        #expect(message.hasPrefix("\(folder)/result.json") && message.contains(place), "\(message)")
      }
      #expect(try said("fit.json", "{").contains("expected a JSON document"))
      #expect(try said("fit.asdf", "no ASDF").contains("not an ASDF file"))
      #expect(try said("fit.fits", "no FITS").contains("fit.fits"))
      #expect(try said("fit.txt", "text").contains("expected result.json"))
      for path in ["\(folder)/none.asdf", "\(folder)/nowhere"] {
        #expect(throws: FitRecordError.self) { try FitRecord(contentsOf: path) }
      }
      let empty = "\(folder)/empty"
      try FileManager.default.createDirectory(
        atPath: empty, withIntermediateDirectories: true)
      let error = #expect(throws: FitRecordError.self) { try FitRecord(contentsOf: empty) }
      #expect("\(error.map { "\($0)" } ?? "")".contains("result.json"))
      #expect(throws: FitRecordError.self) { try result.save(to: "\(folder)/fit.txt") }
    }
  }

  @Test("the FITS file has a table of parameters and one of draws that any reader understands")
  func tables() throws {
    let result = try RecordScene.result("nuts")
    try RecordScene.inFolder { folder in
      let path = "\(folder)/fit.fits"
      try result.save(to: path)
      let table = try FITSTable(reading: "\(path)[PARAMETERS]")
      let names = try table.strings("NAME")
      #expect(names == (result.parameters + result.derived).map(\.name))
      #expect(try table.numbers("MAP") == (result.parameters + result.derived).map(\.map))
      let place = try #require(names.firstIndex(of: "ellip"))
      #expect(try table.numbers("FIXED")[place] == 1 && table.numbers("MEAN")[place].isNaN)
      let draws = try FITSTable(reading: "\(path)[DRAWS]")
      #expect(draws.rowCount == 180)
      #expect(try draws.numbers("flux") == result.draws?["flux"].elements)
      #expect(try draws.numbers("CHAIN")[179] == 2 && draws.numbers("DRAW")[179] == 59)
      let data = try FITSImage(reading: "\(path)[DATA]")
      #expect(data.header["CD1_2"] != nil && data.values[300].isNaN)
    }
  }

  @Test("Python's asdf opens a result, its numbers to the bit")
  func python() throws {
    let probe = try Python.run(["-c", "import asdf, numpy"])
    guard probe.status == 0 else {
      print("Python's asdf is not installed: the file is not read by it")
      return
    }
    try RecordScene.inFolder { folder in
      let result = try RecordScene.result("nuts")
      let path = "\(folder)/posterior.asdf"
      try result.save(to: path)
      let script = """
        import asdf, numpy, sys
        with asdf.open(sys.argv[1]) as f:
            print(f["posterior"]["flux"].shape, f["method_used"], f["result"]["schema"])
            print(numpy.asarray(f["posterior"]["theta"]).view("uint64").sum(dtype="uint64"))
            print(f["input_data"]["image"].shape, f["input_data"]["mask"].dtype, f["input_data"]["psf"].shape)
            print(numpy.asarray(f["model_image"]).view("uint64").sum(dtype="uint64"))
            print(f["prior_info"]["ellip"], f["result"]["parameters"]["flux"]["unit"])
        """
      let output = try Python.run(["-c", script, path])
      #expect(output.status == 0, "\(output.text)")
      /// Returns the sum of the bit patterns as whole numbers modulo 2⁶⁴.
      func sum(_ values: [Double]) -> UInt64 { values.reduce(0) { $0 &+ $1.bitPattern } }
      let theta = try #require(result.draws?.site("theta")).values
      let lines = output.text.split(separator: "\n").map { String($0) }
      #expect(
        lines == [
          "(3, 60) nuts swift-sersic/result/1", "\(sum(theta))", "(33, 37) bool (21, 21)",
          "\(sum(result.best.modelImage))", "fixed at 0.35 image units",
        ])
    }
  }
}

/// The Python interpreter of the machine, or the one that the environment names.
enum Python {
  /// Runs Python and returns its exit status and what it printed; status 127 where there is none.
  static func run(_ arguments: [String]) throws -> (status: Int32, text: String) {
    let process = Process()
    let name = ProcessInfo.processInfo.environment["PYTHON"] ?? "python3"
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [name] + arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: data, as: UTF8.self))
  }
}
