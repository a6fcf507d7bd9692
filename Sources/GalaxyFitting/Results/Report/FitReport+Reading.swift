// SPDX-License-Identifier: MIT
//
// Reports read back from JSON of the schema swift-sersic/result/1, with the place of what is not as expected.

import GalaxyModels
public import JSON
import Rendering

extension FitReport {
  /// Reads a report from a JSON document of the schema `swift-sersic/result/1`.
  ///
  /// - Parameter document: The document; members that are not known are passed over.
  /// - Throws: ``FitRecordError`` with the place where the document is not as expected.
  public init(json document: JSONValue) throws(FitRecordError) {
    try self.init(JSONPlace(document))
  }

  /// Reads a report from its place in a document.
  init(_ place: JSONPlace) throws(FitRecordError) {
    guard case .string(Self.schema)? = place.value["schema"] else {
      throw FitRecordError(
        place.location,
        "expected a result of the schema \(Self.schema), found \(place.value["schema"].map { "\($0)" } ?? "none"); give a result.json, posterior.asdf or a folder that sersic fit wrote"
      )
    }
    method = try place.member("method").string()
    title = try place.member("profile").string()
    sources = try Self.sources(place, title: title)
    sky = try place.member("sky").word(SkyKind.self)
    loss = try Self.loss(place.member("loss"))
    renderer = try place.member("renderer").word(RenderingMethod.self)
    pixelResponse = try place.member("pixel_response").word(PixelResponse.self)
    parameters = try Self.summaries(place.member("parameters"))
    parentParameters =
      try place.optional("parent_image").map { (p) throws(FitRecordError) in
        try Self.summaries(p.member("parameters"))
      } ?? []
    derived = try place.optional("derived").map(Self.summaries) ?? []
    search = try SearchReport(place.member("fit"))
    covariance = try place.optional("covariance").map(CovarianceMatrix.init)
    posterior = try place.optional("posterior").map(PosteriorReport.init)
    sampler = try place.optional("sampler").map(SamplerReport.init)
    variational = try place.optional("variational").map(VariationalReport.init)
    findings = []
    for (name, severity) in [("warnings", InputFinding.Severity.warning), ("notes", .note)] {
      for item in try place.member(name).elements() {
        findings.append(
          InputFinding(
            try item.optional("severity")?.word(InputFinding.Severity.self) ?? severity,
            try item.member("code").string(), subject: try item.member("subject").string(),
            try item.member("message").string()))
      }
    }
    priors = try place.member("priors").texts()
    let frame = try place.member("image")
    image = try ImageReport(frame)
    calibration = Calibration(
      zeroPoint: try frame.optional("zero_point")?.double(),
      pixelScale: try Self.positive(frame.optional("pixel_scale")))
    var inputs: [InputFile] = []
    for (role, input) in try place.member("inputs").members() {
      inputs.append(
        InputFile(
          role: role, name: try input.member("name").string(),
          sha256: try input.optional("sha256")?.string()))
    }
    provenance = FitProvenance(
      inputs: inputs, seed: try Self.seed(place.member("seed")),
      command: try place.optional("command")?.string(),
      version: try place.member("version").string(),
      defaults: try place.member("defaults").texts())
  }

  /// Reads a positive number; nil where there is none.
  private static func positive(_ place: JSONPlace?) throws(FitRecordError) -> Double? {
    guard let place else { return nil }
    let value = try place.double()
    guard value > 0, value.isFinite else { throw place.error(expected: "a number > 0") }
    return value
  }

  /// Reads a seed, which is a text where it exceeds a signed whole number.
  private static func seed(_ place: JSONPlace) throws(FitRecordError) -> UInt64 {
    if case .string(let text) = place.value, let seed = UInt64(text) { return seed }
    guard let seed = UInt64(exactly: try place.integer()) else {
      throw place.error(expected: "a whole number from 0")
    }
    return seed
  }

  /// Reads the sources: those of a scene, of an imported one, or a single one, whose profile is the title.
  private static func sources(
    _ place: JSONPlace, title: String
  ) throws(FitRecordError) -> [Source] {
    for (key, first) in [("profiles", 0), ("components", 1)] {
      guard let several = try place.optional(key) else { continue }
      var list: [Source] = []
      for item in try several.elements() {
        list.append(Source(number: first + list.count, profile: try SourceProfile(item)))
      }
      return list
    }
    return GalaxyProfile(rawValue: title).map { [Source(number: nil, profile: .stock($0))] } ?? []
  }

  /// Reads a loss.
  private static func loss(_ place: JSONPlace) throws(FitRecordError) -> ImageLoss {
    let text = try place.string()
    do throws(OptionError) {
      return try GalaxyFitting.loss(from: text)
    } catch {
      throw FitRecordError(place.location, error.explanation)
    }
  }

  /// Reads summaries by name.
  private static func summaries(_ place: JSONPlace) throws(FitRecordError) -> [ParameterSummary] {
    var list: [ParameterSummary] = []
    for (name, item) in try place.members() {
      list.append(try ParameterSummary(name: name, item))
    }
    return list
  }
}

extension SearchReport {
  /// Reads the verdict of a search.
  fileprivate init(_ place: JSONPlace) throws(FitRecordError) {
    logPosterior = try place.optional("log_posterior")?.double() ?? .nan
    chiSquared = try place.optional("chi2")?.double() ?? .nan
    pixelCount = try place.member("n_pixels").integer()
    freeCount = try place.member("n_free").integer()
    isConverged = try place.member("converged").bool()
    reason = try place.member("reason").string()
    explanation = try place.optional("explanation")?.string() ?? reason
    iterations = try place.member("iterations").integer()
    evaluations = try place.member("evaluations").integer()
    fluxFractionInside = try place.optional("flux_fraction_inside")?.double() ?? .nan
    seconds = try place.member("seconds").double()
  }
}

extension CovarianceMatrix {
  /// Reads a matrix with its names.
  fileprivate init(_ place: JSONPlace) throws(FitRecordError) {
    names = []
    matrix = []
    for name in try place.member("names").elements() { names.append(try name.string()) }
    for row in try place.member("matrix").elements() { matrix.append(try row.doubles()) }
    guard matrix.count == names.count, matrix.allSatisfy({ $0.count == names.count }) else {
      throw place.error(expected: "a square matrix of \(names.count) rows")
    }
  }
}

extension PosteriorReport {
  /// Reads what is known of a posterior.
  fileprivate init(_ place: JSONPlace) throws(FitRecordError) {
    chains = try place.member("chains").integer()
    draws = try place.member("draws").integer()
    logEvidence = try place.optional("log_evidence")?.double()
    paretoK = try place.optional("pareto_k")?.double()
    effectiveDraws = try place.optional("effective_draws")?.double()
    flatDirections = try place.optional("flat_directions")?.integer()
    isConverged = try place.optional("converged")?.bool()
    seconds = try place.member("seconds").double()
  }
}

extension SamplerReport {
  /// Reads what a sampler met.
  fileprivate init(_ place: JSONPlace) throws(FitRecordError) {
    chains = try place.member("chains").integer()
    draws = try place.member("draws").integer()
    warmUp = try place.member("warm_up").integer()
    divergences = try place.member("divergences").integer()
    leapfrogs = try place.member("leapfrogs").integer()
    warmUpLeapfrogs = try place.member("warm_up_leapfrogs").integer()
    stepSizes = try place.member("step_size").doubles()
    acceptance = try place.optional("acceptance")?.double() ?? .nan
    largestTreeDepth = try place.member("largest_tree_depth").integer()
    energyFractions = try place.member("e_bfmi").doubles()
    wasCancelled = try place.member("was_cancelled").bool()
  }
}

extension VariationalReport {
  /// Reads what a variational fit is worth.
  fileprivate init(_ place: JSONPlace) throws(FitRecordError) {
    reason = try place.member("reason").string()
    gradients = try place.member("gradients").integer()
    elbo = try place.optional("elbo")?.double()
    elboError = try place.optional("elbo_error")?.double()
    paretoK = try place.optional("pareto_k")?.double()
    efficiency = try place.optional("efficiency")?.double()
    logEvidence = try place.optional("log_evidence")?.double()
  }
}

extension ImageReport {
  /// Reads what is known of an image.
  fileprivate init(_ place: JSONPlace) throws(FitRecordError) {
    width = try place.member("width").integer()
    height = try place.member("height").integer()
    maskedCount = try place.member("masked_pixels").integer()
    if let columns = try place.optional("psf_width")?.integer() {
      let rows = try place.member("psf_height").integer()
      var center = ImagePoint(x: Double(columns - 1) / 2, y: Double(rows - 1) / 2)
      if let given = try place.optional("psf_center") { center = try Self.point(given) }
      psf = PointSpread(
        width: columns, height: rows, oversampling: try place.member("psf_oversampling").integer(),
        sum: try place.member("psf_sum").double(), center: center)
    }
    origin = try place.optional("origin").map(Self.point) ?? ImagePoint(x: 0, y: 0)
    names = InputNames()
    if let given = try place.optional("names") {
      names = InputNames(
        science: try given.member("science").string(), noise: try given.member("noise").string(),
        mask: try given.optional("mask")?.string(), psf: try given.optional("psf")?.string())
    }
    worldCoordinates = []
    for card in try place.optional("world_coordinates")?.elements() ?? [] {
      worldCoordinates.append(try WorldCoordinateCard(card))
    }
  }

  /// Reads a position.
  private static func point(_ place: JSONPlace) throws(FitRecordError) -> ImagePoint {
    let numbers = try place.doubles()
    guard numbers.count == 2 else { throw place.error(expected: "a position [x, y]") }
    return ImagePoint(x: numbers[0], y: numbers[1])
  }
}
