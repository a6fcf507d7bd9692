// SPDX-License-Identifier: MIT
//
// A scene while its sources are fitted one by one: parameters, the light of each source, and what is left of the image.

import Distributions
import GalaxyModels
import Inference
import Tensors

/// The present parameters of a scene, and the light of each source that follows from them.
struct SceneState: Sendable {
  /// The fit.
  private let fit: FitMulti

  /// The sources.
  private let sources: [SourcePrior]

  /// Values that the user has set, by site.
  private let given: [String: Double]

  /// The values of the free parameters, by site.
  private(set) var values: [String: Double] = [:]

  /// The image of each source, row-major; empty where it cannot be drawn.
  private var images: [[Double]] = []

  /// The image less the sky and all sources.
  private var residual: [Double]

  /// The optimiser of one source: to a hundredth of a standard deviation, since the neighbours move as well, and all are searched
  /// together in the end; a faint source that has no sharp maximum gets no more than its share of steps.
  private static var optimizer: LevenbergMarquardt {
    var optimizer = LevenbergMarquardt()
    optimizer.maximumIterations = 50
    optimizer.tolerance = 1e-4
    return optimizer
  }

  /// Starts at the guesses.
  init(_ fit: FitMulti, _ given: [String: Double]) {
    self.fit = fit
    self.given = given
    sources = fit.prior.sources
    residual = fit.image.science
    for source in sources {
      let own = StartingPoints(source.prior, given: Self.own(given, source)).points[0]
      for (site, value) in own { values[source.site(site)] = value }
    }
    for site in fit.prior.freeSites where values[site] == nil {
      let prior = fit.prior[site]
      let guess = given[site] ?? fit.prior.guesses[site] ?? prior?.median?.item()
      values[site] = feasible(guess, under: prior)
    }
    let sky = sky
    for k in residual.indices { residual[k] -= sky[k] }
    let present = self
    images = concurrentMap(sources.count, block: 1) { present.image(of: $0) }
    for image in images {
      for k in image.indices { residual[k] -= image[k] }
    }
  }

  /// Scales the light of all sources and the sky to the image, where that raises the joint density.
  ///
  /// Each source is then searched for beside neighbours that are about as bright as they are: beside neighbours that are too
  /// faint it would take their light for its own, and keep it.
  ///
  /// - Throws: `ModelError` where a starting value cannot be used.
  mutating func scaleToImage() throws {
    let weights = zip(fit.image.rms, fit.image.mask).map { $1 ? 0 : 1 / ($0 * $0) }
    let free = Set(fit.prior.freeSites)
    /// Returns whether a site is to be found.
    func isFree(_ site: String) -> Bool { free.contains(site) && given[site] == nil }
    let scaling = SceneFluxes(
      images, residual: residual, weights: weights,
      isFree: sources.map { isFree($0.site(GalaxySite.flux)) },
      isSkyFree: isFree(GalaxySite.skyBack))
    var scaled = self
    for (number, source) in sources.enumerated() where scaling.factors[number] != 1 {
      let site = source.site(GalaxySite.flux)
      let old = value(site)
      let new = feasible(scaling.factors[number] * old, under: fit.prior[site])
      scaled.values[site] = new
      for k in residual.indices {
        let light = images[number][k]
        scaled.images[number][k] = light * (new / old)
        scaled.residual[k] += light - scaled.images[number][k]
      }
    }
    if scaling.sky != 0 {
      let old = value(GalaxySite.skyBack)
      let new = feasible(old + scaling.sky, under: fit.prior[GalaxySite.skyBack])
      scaled.values[GalaxySite.skyBack] = new
      for k in residual.indices { scaled.residual[k] += old - new }
    }
    let evaluator = fit.density.makeJointEvaluator()
    let (before, after) = (
      evaluator.value(at: try fit.density.unconstrain(values)),
      evaluator.value(at: try fit.density.unconstrain(scaled.values))
    )
    if after > before { self = scaled }
  }

  /// The sources in rounds: those of a round have stamps that do not meet, and each comes after all brighter ones whose stamps
  /// meet its own.
  var rounds: [[Int]] {
    let flux = sources.map { abs(value($0.site(GalaxySite.flux))) }
    let regions = sources.indices.map(region)
    var rounds: [[Int]] = []
    var round = [Int](repeating: 0, count: sources.count)
    var done: [Int] = []
    for number in sources.indices.sorted(by: { (flux[$0], $1) > (flux[$1], $0) }) {
      let before = done.filter { regions[$0].meets(regions[number]) }
      round[number] = 1 + (before.map { round[$0] }.max() ?? -1)
      if round[number] == rounds.count { rounds.append([]) }
      rounds[round[number]].append(number)
      done.append(number)
    }
    return rounds
  }

  /// Where the search for one source by itself begins.
  enum Beginning: Sendable {
    /// At its guesses, and other starts around them.
    case guesses
    /// Where it is now.
    case present
    /// Where it is now, but flat where it is round, at several angles: from a round galaxy no search by gradients leads away.
    case flattened
  }

  /// The ellipticity below which a source is taken for round, and that with which it begins anew.
  private static let (roundEllip, flatEllip) = (1e-3, 0.15)

  /// Whether an ellipticity and the angle of a source are free, and it has come out round.
  func isRound(_ number: Int) -> Bool {
    let source = sources[number]
    return source.prior.fixed[GalaxySite.theta] == nil
      && source.profile.sites.contains(GalaxySite.theta)
      && !roundSites(source).isEmpty
  }

  /// Returns the free ellipticities of a source that have come out as nothing, without the number of the source.
  private func roundSites(_ source: SourcePrior) -> [String] {
    source.profile.sites.filter { site in
      GalaxySite.quantity(of: site) == GalaxySite.ellip && source.prior.fixed[site] == nil
        && given[source.site(site)] == nil && value(source.site(site)) < Self.roundEllip
    }
  }

  /// Returns a point with its round components flattened, at four angles.
  private func flattened(_ source: SourcePrior, _ point: [String: Double]) -> [[String: Double]] {
    let sites = roundSites(source)
    return (0..<4).map { k in
      var turned = point
      for site in sites { turned[site] = feasible(Self.flatEllip, under: source.prior[site]) }
      turned[GalaxySite.theta] = Double.pi / 4 * Double(k)
      return turned
    }
  }

  /// Takes over values that a search for all sources together has come to.
  mutating func adopt(_ found: [String: Double]) {
    var sum = sky
    for k in sum.indices { sum[k] += residual[k] }
    values.merge(found) { $1 }
    let level = sky
    let present = self
    let new = concurrentMap(sources.count, block: 1) { present.image(of: $0) }
    for k in residual.indices {
      residual[k] = sum[k] - level[k]
      for number in sources.indices { residual[k] += images[number][k] - new[number][k] }
    }
    images = new
  }

  /// What the search for one source by itself came to.
  struct SourceEnd: Sendable {
    /// The number of evaluations of its density.
    var evaluations = 0

    /// Its curvature at the end, in the coordinates of the scene; nil where it has none.
    var block: CurvatureBlock?

    /// The values of its free parameters, by sites of the scene; empty where it stays as it is.
    fileprivate var values: [String: Double] = [:]

    /// Its image, row-major.
    fileprivate var image: [Double] = []
  }

  /// Fits sources one by one on all processors, each beside the present light of all others, and takes over what comes out.
  ///
  /// - Parameters:
  ///   - numbers: The sources.
  ///   - beginning: Where each search begins.
  ///   - isCancelled: Asked between steps, from several threads.
  /// - Returns: What the search for each came to.
  /// - Throws: `ModelError` where a starting value cannot be used.
  mutating func improve(
    _ numbers: [Int], from beginning: Beginning, _ isCancelled: @escaping @Sendable () -> Bool
  ) throws -> [SourceEnd] {
    let present = self
    let ends = try concurrentMap(numbers.count, block: 1) { k in
      Result { try present.improved(numbers[k], from: beginning, isCancelled) }
    }.map { try $0.get() }
    for (number, end) in zip(numbers, ends) where !end.values.isEmpty {
      values.merge(end.values) { $1 }
      for k in residual.indices { residual[k] += images[number][k] - end.image[k] }
      images[number] = end.image
    }
    return ends
  }

  /// Fits one source by itself.
  private func improved(
    _ number: Int, from beginning: Beginning, _ isCancelled: () -> Bool
  ) throws -> SourceEnd {
    let source = sources[number]
    guard source.profile.sites.contains(where: { source.prior.fixed[$0] == nil }) else {
      return SourceEnd()
    }
    let remainder = zip(residual, images[number]).map { $0 + $1 }
    let stamp: StampFit
    do {
      stamp = try StampFit(
        fit.image, source, remainder: remainder, region: region(of: number), loss: fit.loss,
        method: fit.method)
    } catch is ObservedImageError {
      // No good pixel near the source: its guess stands until all are searched together, where its prior decides.
      return SourceEnd()
    }
    var own = Self.own(given, source)
    if beginning != .guesses { own.merge(Self.own(values, source)) { $1 } }
    var all = StartingPoints(source.prior, given: own).points
    if beginning == .flattened { all = flattened(source, all[0]) }
    let points = try all.map { point in
      try stamp.density.unconstrain(noise(stamp.density).merging(point) { $1 })
    }
    let target = stamp.density.makeJointEvaluator()
    let result = MultiStart(Self.optimizer, roundSize: 1).search(
      target, from: points, isCancelled: isCancelled)
    var end = SourceEnd(evaluations: result.evaluations)
    guard result.best.value.isFinite else { return end }
    let sites = source.profile.sites.filter { source.prior.fixed[$0] == nil }
    // A coordinate that has run to infinity gives its bound itself, from which no search can start.
    let position = stamp.density.pulledInside(result.best.position, reference: points[0])
    let found = stamp.density.constrain(position, sites: sites)
    for site in sites { end.values[source.site(site)] = found[site]?.item() }
    end.image = image(of: number, found.compactMapValues { $0.item() })
    end.block = block(target, stamp.density, position, source, sites)
    return end
  }

  /// Returns the curvature of a source on its stamp in the coordinates of the scene.
  private func block(
    _ target: DensityEvaluator, _ density: CompiledDensity, _ point: [Double],
    _ source: SourcePrior, _ sites: [String]
  ) -> CurvatureBlock? {
    let n = density.dimension
    var curvature = target.hessian(at: point, curvature: .gaussNewton).map { -$0 }
    for k in density.anglePairs {
      let outward = outwardCurvature(
        point[k], point[k + 1], curvature[k * n + k], curvature[k * n + k + 1],
        curvature[(k + 1) * n + k + 1])
      curvature[k * n + k] += outward.xx
      curvature[k * n + k + 1] += outward.xy
      curvature[(k + 1) * n + k] += outward.xy
      curvature[(k + 1) * n + k + 1] += outward.yy
    }
    var from: [Int] = []
    var to: [Int] = []
    for site in sites {
      guard let own = density.layout[site], let whole = fit.density.layout[source.site(site)]
      else { return nil }
      from += own.range
      to += whole.range
    }
    var part = from.flatMap { i in from.map { j in curvature[i * n + j] } }
    // A direction in which a source has no curvature must not take a step without end.
    for k in from.indices { part[k * from.count + k] += 1e-6 * abs(part[k * from.count + k]) }
    return CurvatureBlock(to, curvature: part)
  }

  // MARK: - Parts

  /// Returns the values of a source's parameters, by sites without number.
  private static func own(
    _ values: [String: Double], _ source: SourcePrior
  ) -> [String: Double] {
    var own: [String: Double] = [:]
    for site in source.profile.sites { own[site] = values[source.site(site)] }
    return own
  }

  /// Returns the present values of the noise's parameters that a stamp has, too.
  private func noise(_ density: CompiledDensity) -> [String: Double] {
    var noise: [String: Double] = [:]
    for site in fit.loss.sites where density.layout[site] != nil { noise[site] = value(site) }
    return noise
  }

  /// Returns the value of a site, free or fixed.
  private func value(_ site: String) -> Double {
    values[site] ?? fit.prior.fixed[site] ?? 0
  }

  /// Returns the largest half-light radius of a source, pixels; 0 for a point.
  private func radius(of source: SourcePrior) -> Double {
    source.profile.sites.filter { GalaxySite.quantity(of: $0) == GalaxySite.rEff }
      .map { value(source.site($0)) }.max() ?? 0
  }

  /// Returns the stamp of a source where it is now.
  private func region(of number: Int) -> StampRegion {
    let source = sources[number]
    return StampRegion(
      fit.image,
      around: ImagePoint(
        x: value(source.site(GalaxySite.xc)), y: value(source.site(GalaxySite.yc))),
      radius: radius(of: source))
  }

  /// The sky, row-major.
  private var sky: [Double] {
    let image = fit.image
    let back = value(GalaxySite.skyBack)
    let slope = (x: value(GalaxySite.skyXSl), y: value(GalaxySite.skyYSl))
    return (0..<image.width * image.height).map { k in
      back + slope.x * (Double(k % image.width) - image.center.x)
        + slope.y * (Double(k / image.width) - image.center.y)
    }
  }

  /// Returns the image of a source, with values of its own sites instead of the present ones where there are such; nothing where
  /// it cannot be drawn.
  private func image(of number: Int, _ new: [String: Double] = [:]) -> [Double] {
    let source = sources[number]
    var own: [String: Double] = [:]
    for site in source.profile.sites { own[site] = new[site] ?? value(source.site(site)) }
    let drawn = try? fit.image.rendered(source.profile.light(own), method: fit.method)
    guard let drawn, drawn.allSatisfy(\.isFinite) else {
      return [Double](repeating: 0, count: residual.count)
    }
    return drawn
  }
}
