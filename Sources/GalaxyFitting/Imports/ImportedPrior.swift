// SPDX-License-Identifier: MIT
//
// The priors of an imported scene as those of a stock model: free parameters with theirs, the others at their first values.

import Distributions
public import GalaxyModels
public import Rendering

/// The priors of an imported scene: those of its free parameters, and the values at which the others are held.
///
/// Sites carry the number of their component, from 1: `xc_1`, `flux_2`. A parameter that follows from others is none of them.
public struct ImportedPrior: ModelPrior {
  /// The scene.
  public let scene: ImportedScene

  public var table = PriorTable()

  /// Makes the priors of a scene around its first values.
  init(_ scene: ImportedScene, _ image: ObservedImage) {
    self.scene = scene
    let free = Set(scene.freeSites)
    let priors = scene.priors(image)
    for (site, first) in scene.firstValues where scene.ties[site] == nil {
      if free.contains(site) {
        self[site] = priors[site]
        guesses[site] = first
      } else {
        fix(site, at: first)
      }
    }
  }

  /// None, since not every component is a stock profile; ``ImportedFit/sources`` has them.
  public var sources: [SourcePrior] { [] }

  public var sky: SkyKind { scene.sky }

  public var title: String {
    let names = scene.components.map(\.kind.name)
    var kinds: [String] = []
    for name in names where !kinds.contains(name) { kinds.append(name) }
    let counts = kinds.map { kind in "\(names.count { $0 == kind }) \(kind)" }
    return
      "\(names.count) component\(names.count == 1 ? "" : "s") (\(counts.joined(separator: ", ")))"
  }

  public var sites: [String] {
    scene.firstValues.map { $0.site }.filter { scene.ties[$0] == nil } + (loss?.sites ?? [])
  }

  public func parameter(_ site: String) -> String {
    guard let cut = site.lastIndex(of: "_"), let number = Int(site[site.index(after: cut)...]),
      scene.components.indices.contains(number - 1)
    else { return site }
    let name = String(site[..<cut])
    return scene.components[number - 1].sites.contains(name) ? name : site
  }

  /// Whether two extended components trade light along a ridge, as those of a double profile do: their centres are nearer than the
  /// smaller half-light radius.
  public var hasTwoRadii: Bool {
    let extended = scene.components.filter(\.kind.isExtended)
    return extended.indices.contains { i in
      extended[..<i].contains { other in
        /// Returns the distance of both first values of a parameter.
        func distance(_ site: String) -> Double {
          (extended[i].values[site] ?? .nan) - (other.values[site] ?? .nan)
        }
        let (dx, dy) = (distance(GalaxySite.xc), distance(GalaxySite.yc))
        let smaller = min(
          extended[i].values[GalaxySite.rEff] ?? 0, other.values[GalaxySite.rEff] ?? 0)
        return dx * dx + dy * dy < smaller * smaller
      }
    }
  }

  public var texts: [String: String] {
    var result: [String: String] = [:]
    for site in sites {
      result[site] = fixed[site].map { "fixed at \($0)" } ?? self[site].map { "\($0)" }
    }
    for (site, tie) in scene.ties { result[site] = "tied to \(tie)" }
    return result
  }
}
