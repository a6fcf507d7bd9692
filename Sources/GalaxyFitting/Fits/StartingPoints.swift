// SPDX-License-Identifier: MIT
//
// Where searches for the maximum of one source start: the guesses from the image, and variants of them.

import Distributions
import GalaxyModels
import Tensors

/// The points from which the parameters of one source may be searched, best guess first.
struct StartingPoints {
  /// The priors.
  let prior: GalaxyPrior

  /// Values that the user has set, by site: no variant changes them.
  let given: [String: Double]

  /// The values of the free parameters at each point.
  private(set) var points: [[String: Double]] = []

  /// Makes the points.
  ///
  /// - Parameters:
  ///   - prior: The priors of a source; its sky and noise may be among them.
  ///   - given: Values that the user has set, by site.
  init(_ prior: GalaxyPrior, given: [String: Double]) {
    self.prior = prior
    self.given = given
    var base: [String: Double] = [:]
    for site in prior.freeSites {
      let guess = given[site] ?? prior.guesses[site]
      base[site] = inside(site, guess ?? prior[site]?.median?.item())
    }
    points = [base]
    if prior.profile.hasTwoRadii {
      points += divisions(base)
      // Without order the names of two Sérsic profiles can be exchanged: that is a maximum of its own.
      if prior.profile == .doublesersic, !prior.isOrdered, given.isEmpty {
        points.append(exchanged(points[1]))
      }
    } else {
      vary(GalaxySite.n) { _ in 1 }
      vary(GalaxySite.n) { _ in 4 }
      vary(GalaxySite.nu) { _ in 0.7 }
      vary(GalaxySite.nu) { _ in -0.6 }
      // A nucleus can hide in a cusp, and a cusp in a nucleus.
      vary(GalaxySite.fPs) { _ in 0.4 }
    }
    // A guess of the angle from moments can be off by a quarter turn where a neighbour is bright.
    vary(GalaxySite.theta) { $0 + Double.pi / 2 }
    if prior.profile.hasTwoRadii { points = points.map(ordered) }
  }

  /// Adds a variant of the first guess, unless the user has set that parameter.
  private mutating func vary(_ site: String, _ value: (Double) -> Double) {
    guard given[site] == nil, let base = points.first, let old = base[site] else { return }
    var point = base
    point[site] = inside(site, value(old))
    points.append(point)
  }

  /// Returns points that divide the light between two components in different ways.
  private func divisions(_ base: [String: Double]) -> [[String: Double]] {
    // Share, radii over the guess of the whole, index of the first component: a compact cusp, a halo around a disk, an
    // extended cusp, and two disks.
    let divisions: [(f1: Double, r1: Double, r2: Double, n1: Double, n2: Double)] = [
      (0.2, 0.25, 1.2, 3, 1), (0.7, 0.8, 2.5, 1, 1), (0.6, 0.6, 1.6, 4, 1), (0.5, 0.6, 1.5, 1, 2.5),
    ]
    let whole = (prior.guesses[GalaxySite.rEff1] ?? 1) * 1.5
    return divisions.map { division in
      var point = base
      for (site, value) in [
        (GalaxySite.f1, division.f1), (GalaxySite.rEff1, division.r1 * whole),
        (GalaxySite.rEff2, division.r2 * whole), (GalaxySite.n1, division.n1),
        (GalaxySite.n2, division.n2), (GalaxySite.n, division.n1),
      ] where given[site] == nil && base[site] != nil {
        point[site] = inside(site, value)
      }
      return point
    }
  }

  /// Returns a point with the two components of a double profile in each other's place.
  private func exchanged(_ point: [String: Double]) -> [String: Double] {
    var result = point
    for (a, b) in [
      (GalaxySite.rEff1, GalaxySite.rEff2), (GalaxySite.n1, GalaxySite.n2),
      (GalaxySite.ellip1, GalaxySite.ellip2),
    ] {
      if result[a] != nil { result[a] = inside(a, point[b] ?? prior.fixed[b]) }
      if result[b] != nil { result[b] = inside(b, point[a] ?? prior.fixed[a]) }
    }
    if let share = point[GalaxySite.f1] { result[GalaxySite.f1] = inside(GalaxySite.f1, 1 - share) }
    return result
  }

  /// Returns a point whose second radius lies above the first where that is asked for.
  private func ordered(_ point: [String: Double]) -> [String: Double] {
    let first = point[GalaxySite.rEff1] ?? prior.fixed[GalaxySite.rEff1]
    guard prior.isOrdered, let first, let second = point[GalaxySite.rEff2], second < 1.05 * first
    else { return point }
    var result = point
    if given[GalaxySite.rEff2] == nil {
      result[GalaxySite.rEff2] = inside(GalaxySite.rEff2, 1.5 * first)
    } else if given[GalaxySite.rEff1] == nil, prior.fixed[GalaxySite.rEff1] == nil {
      result[GalaxySite.rEff1] = inside(GalaxySite.rEff1, second / 1.5)
    }
    return result
  }

  /// Returns a value pulled well inside the support of a site.
  private func inside(_ site: String, _ guess: Double?) -> Double {
    feasible(guess, under: prior[site])
  }
}

/// Returns a value pulled well inside the support of a prior; a feasible one where there is no guess.
func feasible(_ guess: Double?, under prior: (any Distribution)?) -> Double {
  guard let prior else { return guess ?? 0 }
  let support = prior.support
  let value = guess ?? support.feasibleValue(shape: []).item()
  switch support {
  case .interval(let low, let high):
    let (low, high) = (low.item(), high.item())
    let margin = 0.02 * (high - low)
    return min(max(value, low + margin), high - margin)
  case .unitInterval: return min(max(value, 0.02), 0.98)
  case .positive: return max(value, 1e-6)
  case .greaterThan(let low):
    return max(value, low.item() + 1e-3 * max(1, abs(low.item())))
  case .lessThan(let high):
    return min(value, high.item() - 1e-3 * max(1, abs(high.item())))
  default: return value
  }
}
