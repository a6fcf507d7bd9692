// SPDX-License-Identifier: MIT
//
// The maximum for several sources: each by itself on a stamp, brightest first, then all together.

import Distributions
import GalaxyModels
import Inference
import Tensors

extension FitMulti {
  /// The number of coordinates up to which the joint search uses the whole curvature.
  private static let fullCurvatureLimit = 80

  /// The number of times that every source is fitted by itself before all are fitted together.
  private static let sweeps = 2

  /// Finds the maximum of the joint density of the parameters of all sources.
  ///
  /// Each source is first fitted by itself, brightest first, on a stamp from which the present light of the others has been
  /// taken: from several starts in the first of two rounds. Then all are fitted together, where there are many with the
  /// curvatures that the stamps have shown.
  public func findMAP(
    start: [String: Double] = [:], optimizer: MAPOptimizer = .levenbergMarquardt,
    isCancelled: () -> Bool = { false }
  ) throws -> MAPFit {
    let clock = ContinuousClock()
    let begin = clock.now
    try checkStarts(start)
    var scene = SceneState(self, start)
    var blocks: [CurvatureBlock] = []
    var evaluations = 0
    for sweep in 0..<Self.sweeps where !isCancelled() {
      blocks = []
      for number in scene.brightestFirst where !isCancelled() {
        let ends = try scene.improve(number, triesAll: sweep == 0, isCancelled)
        evaluations += ends.evaluations
        if let block = ends.block { blocks.append(block) }
      }
    }
    let point = try density.unconstrain(scene.values)
    let evaluator = density.makeJointEvaluator()
    let joint: Optimum
    switch optimizer {
    case .levenbergMarquardt where density.dimension <= Self.fullCurvatureLimit:
      joint = LevenbergMarquardt().fallingBack(on: LBFGS()).maximize(
        evaluator, from: point, isCancelled: isCancelled)
    case .trustRegion:
      joint = NewtonTrustRegion().maximize(evaluator, from: point, isCancelled: isCancelled)
    case .levenbergMarquardt, .lbfgs:
      var search = LBFGS()
      search.memory = 30
      search.curvature = curvature(evaluator, point, blocks)
      joint = search.maximize(evaluator, from: point, isCancelled: isCancelled)
    }
    let modes = joint.isConverged ? [SearchResult.Mode(optimum: joint, searches: [0])] : []
    return MAPFit(
      self, joint, modes: modes, evaluations: evaluations + joint.evaluations,
      seconds: (clock.now - begin).seconds)
  }

  /// Returns the curvatures of the stamps, bordered by the coordinates that no stamp has shown: those of the sky and of the
  /// noise, which have to do with every source, and those of lost sources.
  private func curvature(
    _ evaluator: DensityEvaluator, _ point: [Double], _ blocks: [CurvatureBlock]
  ) -> ArrowCurvature {
    let covered = Set(blocks.flatMap(\.coordinates))
    let border = point.indices.filter { !covered.contains($0) }
    var columns = border.map { k in
      var direction = [Double](repeating: 0, count: point.count)
      direction[k] = 1
      var product = direction
      _ = evaluator.hessianVectorProduct(at: point, direction, into: &product)
      return product.map { -$0 }
    }
    for k in density.anglePairs {
      guard let i = border.firstIndex(of: k), let j = border.firstIndex(of: k + 1) else { continue }
      let outward = outwardCurvature(
        point[k], point[k + 1], columns[i][k], columns[i][k + 1], columns[j][k + 1])
      columns[i][k] += outward.xx
      columns[i][k + 1] += outward.xy
      columns[j][k] += outward.xy
      columns[j][k + 1] += outward.yy
    }
    return ArrowCurvature(blocks, border: border, columns: columns)
  }
}

/// Returns a curvature for the distance from the centre of an angle's circle, as that of its two coordinates: the one that the angle
/// has along the circle, or 1 where that is less.
///
/// The joint density does not know that distance. Left flat, it would take steps without end as soon as the angle turns, since what
/// was outward before is then in part along the circle.
///
/// - Parameters:
///   - u: The first coordinate.
///   - v: The second.
///   - uu: The second derivatives of −log density: by the first coordinate,
///   - uv: by both,
///   - vv: by the second.
/// - Returns: What is to be added to each of the three.
private func outwardCurvature(
  _ u: Double, _ v: Double, _ uu: Double, _ uv: Double, _ vv: Double
) -> (xx: Double, xy: Double, yy: Double) {
  let square = u * u + v * v
  guard square > 0 else { return (1, 0, 1) }
  let along = max(1, (v * v * uu - 2 * u * v * uv + u * u * vv) / square) / square
  return (along * u * u, along * u * v, along * v * v)
}

/// The present parameters of a scene, and the light of each source that follows from them.
private struct SceneState {
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
    for number in sources.indices {
      images.append(image(of: number))
      subtract(images[number])
    }
  }

  /// The numbers of the sources, brightest first.
  var brightestFirst: [Int] {
    let flux = sources.map { abs(value($0.site(GalaxySite.flux))) }
    return sources.indices.sorted { flux[$0] > flux[$1] }
  }

  /// Fits one source by itself, and takes over what comes out.
  ///
  /// - Parameters:
  ///   - number: The source.
  ///   - triesAll: Whether to search from all starts rather than from where the source is.
  ///   - isCancelled: Asked between steps.
  /// - Returns: The evaluations, and the curvature at the end in the coordinates of the scene.
  /// - Throws: `ModelError` where a starting value cannot be used.
  mutating func improve(
    _ number: Int, triesAll: Bool, _ isCancelled: () -> Bool
  ) throws -> (evaluations: Int, block: CurvatureBlock?) {
    let source = sources[number]
    guard source.profile.sites.contains(where: { source.prior.fixed[$0] == nil }) else {
      return (0, nil)
    }
    let remainder = zip(residual, images[number]).map { $0 + $1 }
    let position = ImagePoint(
      x: value(source.site(GalaxySite.xc)), y: value(source.site(GalaxySite.yc)))
    let stamp: StampFit
    do {
      stamp = try StampFit(
        fit.image, source, remainder: remainder, position: position, radius: radius(of: source),
        loss: fit.loss, method: fit.method)
    } catch is ObservedImageError {
      // No good pixel near the source: its guess stands until all are searched together, where its prior decides.
      return (0, nil)
    }
    var own = Self.own(given, source)
    if !triesAll { for (site, value) in Self.own(values, source) { own[site] = value } }
    let points = try StartingPoints(source.prior, given: own).points.map { point in
      try stamp.density.unconstrain(noise(stamp.density).merging(point) { $1 })
    }
    let target = stamp.density.makeJointEvaluator()
    let result = MultiStart(LevenbergMarquardt().fallingBack(on: LBFGS()), roundSize: 1).search(
      target, from: points, isCancelled: isCancelled)
    guard result.best.value.isFinite else { return (result.evaluations, nil) }
    let sites = source.profile.sites.filter { source.prior.fixed[$0] == nil }
    let found = stamp.density.constrain(result.best.position, sites: sites)
    for site in sites { values[source.site(site)] = found[site]?.item() }
    let image = image(of: number)
    for k in image.indices { residual[k] = remainder[k] - image[k] }
    images[number] = image
    return (result.evaluations, block(target, stamp.density, result.best.position, source, sites))
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

  /// Returns the image of a source; nothing where it cannot be drawn.
  private func image(of number: Int) -> [Double] {
    let source = sources[number]
    var own: [String: Double] = [:]
    for site in source.profile.sites { own[site] = value(source.site(site)) }
    let drawn = try? fit.image.rendered(source.profile.light(own), method: fit.method)
    guard let drawn, drawn.allSatisfy(\.isFinite) else {
      return [Double](repeating: 0, count: residual.count)
    }
    return drawn
  }

  /// Takes an image off the residual.
  private mutating func subtract(_ image: [Double]) {
    for k in image.indices { residual[k] -= image[k] }
  }
}
