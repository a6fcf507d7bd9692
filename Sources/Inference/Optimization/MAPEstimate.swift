// SPDX-License-Identifier: MIT
//
// The maximum of a model's joint density: values by site, other maxima, and a verdict in words.

import Numerics
import PPL
public import Tensors

/// The maximum of the joint density of a model's sites as their author wrote them: no Jacobian, whatever the coordinates.
public struct MAPEstimate: Sendable {
  /// The density.
  public let density: CompiledDensity

  /// All searches, and the maxima they found.
  public let search: SearchResult

  /// The values of the latent sites at the maximum, reparameterised ones under their own name.
  public let values: [String: Tensor]

  /// The values that lie at a bound of their support.
  public let bounds: [BoundValue]

  /// The sites that still move: the density rises, ever more slowly, and has no maximum in their values.
  public let driftingSites: [String]

  /// The sites along which the density is level at the maximum: the data and the prior do not determine them.
  public let levelSites: [String]

  /// A point near the maximum from which the Laplace approximation or a sampler can start, unconstrained.
  public let interiorPoint: [Double]

  /// Examines the best of some searches.
  ///
  /// - Parameters:
  ///   - density: The density.
  ///   - search: The searches of its authored joint density.
  ///   - reference: A point in the middle of the prior.
  init(_ density: CompiledDensity, _ search: SearchResult, reference: [Double]?) {
    self.density = density
    self.search = search
    let best = search.best
    values = density.constrain(best.position)
    let bounds = density.boundValues(at: best.position, reference: reference)
    self.bounds = bounds
    interiorPoint = density.pulledInside(best.position, reference: reference)
    let verdict = MAPEstimate.examine(density, best)
    // A coordinate on its way to a wall never comes to rest, but its value does.
    let atBound = Set(bounds.map(\.site))
    driftingSites = verdict.drifting.filter { !atBound.contains($0) }
    levelSites = verdict.level.filter { !atBound.contains($0) }
  }

  /// The end of the search that came highest.
  public var optimum: Optimum { search.best }

  /// The log joint density at the maximum.
  public var logJoint: Double { optimum.value }

  /// The value of a site.
  ///
  /// - Precondition: There is such a site.
  public subscript(name: String) -> Tensor {
    guard let value = values[name] else {
      stop("MAP: expected one of \(values.keys.sorted()), got \"\(name)\"")
    }
    return value
  }

  /// Whether the search converged in the values of the sites, those at a bound included.
  public var isConverged: Bool { optimum.isConverged && driftingSites.isEmpty }

  /// What makes the estimate doubtful, in words, with what to do; empty where nothing does.
  public var warnings: [DiagnosticWarning] {
    var list: [DiagnosticWarning] = []
    if !optimum.isConverged {
      list.append(
        DiagnosticWarning(
          .notConverged, "search", "the search for the maximum \(optimum.explanation)"))
    }
    if !driftingSites.isEmpty {
      let names = MAPEstimate.list(driftingSites)
      list.append(
        DiagnosticWarning(
          .noMaximum, names,
          "the density still rises along \(names), ever more slowly: it has no maximum there, and the value is only where the search stopped; give a proper prior"
        ))
    }
    if !levelSites.isEmpty {
      let names = MAPEstimate.list(levelSites)
      list.append(
        DiagnosticWarning(
          .flat, names,
          "the density is level along \(names): the value is one of many as good; fix it, or give an informative prior"
        ))
    }
    for bound in bounds {
      let isArray = (values[bound.site]?.count ?? 1) > 1
      let name = isArray ? "\(bound.site)[\(bound.element)]" : bound.site
      list.append(
        DiagnosticWarning(
          .atBound, name,
          "\(name) = \(bound.value) lies at the bound \(bound.bound) of its support; widen it if it can be wider, and start what comes after from the interior point"
        ))
    }
    // Below 8 another maximum has less than a 3000th of the density.
    let others = optimum.isConverged ? search.modes.dropFirst() : search.modes[...]
    if let rival = others.first, optimum.value - rival.optimum.value < 8 {
      let drop = ((optimum.value - rival.optimum.value) * 100).rounded() / 100
      list.append(
        DiagnosticWarning(
          .severalModes, "search",
          "another maximum is only \(drop) lower in log density; sample the posterior to weigh them"
        ))
    }
    return list
  }

  /// Returns names as text.
  private static func list(_ names: [String]) -> String { names.joined(separator: ", ") }

  // MARK: - Verdict

  /// The number of coordinates above which no Hessian is taken for the verdict.
  private static let largestDimension = 500

  /// Returns the sites that move on without coming to rest, and those along which the density is level.
  ///
  /// Newton's step from a maximum leaves almost nothing of the gradient. Where the density rises like −e⁻ᵘ to its
  /// supremum at infinity, each step is one unit of u and leaves 1/e of the gradient, however small the gain has become.
  private static func examine(_ density: CompiledDensity, _ best: Optimum)
    -> (drifting: [String], level: [String])
  {
    let n = density.dimension
    guard best.isConverged, n <= largestDimension else { return ([], []) }
    let evaluator = density.makeJointEvaluator()
    var matrix = evaluator.hessian(at: best.position, curvature: .full).map { -$0 }
    for k in density.anglePairs {
      // An angle's joint density does not know the radius of its two coordinates.
      let (u, v) = (best.position[k], best.position[k + 1])
      let square = max(u * u + v * v, 1e-300)
      matrix[k * n + k] += u * u / square
      matrix[k * n + k + 1] += u * v / square
      matrix[(k + 1) * n + k] += u * v / square
      matrix[(k + 1) * n + k + 1] += v * v / square
    }
    let scales = (0..<n).map { k in
      let curvature = abs(matrix[k * n + k]).squareRoot()
      return curvature > 0 ? curvature : 1
    }
    for r in 0..<n {
      for c in 0..<n { matrix[r * n + c] /= scales[r] * scales[c] }
    }
    guard let spectrum = SymmetricEigen(matrix, n) else { return ([], []) }
    let slopes = spectrum.coordinates(of: zip(best.gradient, scales).map { $0 / $1 })
    var step = [Double](repeating: 0, count: n)
    var isLevel = [Bool](repeating: false, count: n)
    for k in 0..<n {
      let direction = spectrum.vectors[(k * n)..<((k + 1) * n)]
      // Units of each coordinate's curvature: below this a curvature is rounding.
      if spectrum.values[k] <= 1e-10 {
        let part = 0.5 / Double(n).squareRoot()
        for (c, x) in direction.enumerated() where abs(x) >= part { isLevel[c] = true }
      } else {
        for (c, x) in direction.enumerated() { step[c] += slopes[k] / spectrum.values[k] * x }
      }
    }
    return (
      sites(density, moving(evaluator, best, step, scales)), sites(density, isLevel)
    )
  }

  /// Returns which coordinates keep their slope when Newton's step is taken.
  private static func moving(
    _ evaluator: DensityEvaluator, _ best: Optimum, _ step: [Double], _ scales: [Double]
  ) -> [Bool] {
    let none = [Bool](repeating: false, count: step.count)
    let promise = dot(step, step)
    // 1e-7 of a standard deviation: nearer to a maximum the gradient may be rounding, and so what is left of it.
    guard promise > 1e-14 else { return none }
    let moved = zip(best.position, zip(step, scales)).map { $0 + $1.0 / $1.1 }
    var gradient = best.gradient
    let value = evaluator.valueAndGradient(at: moved, into: &gradient)
    guard value.isFinite else { return none }
    let before = zip(best.gradient, scales).map { $0 / $1 }
    let after = zip(gradient, scales).map { $0 / $1 }
    let largest = before.reduce(0) { max($0, abs($1)) }
    // 1/e = 0.37 of the slope is left by an exponential tail; powers of the distance leave more.
    return before.indices.map {
      abs(after[$0]) > 0.2 * abs(before[$0]) && abs(before[$0]) > 0.1 * largest
    }
  }

  /// Returns the sites of flagged coordinates.
  private static func sites(_ density: CompiledDensity, _ flags: [Bool]) -> [String] {
    density.layout.entries.filter { entry in entry.range.contains { flags[$0] } }
      .map { $0.origin ?? $0.name }
  }
}
