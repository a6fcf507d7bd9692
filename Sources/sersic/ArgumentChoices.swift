// SPDX-License-Identifier: MIT
//
// The enumerations that options choose from: a wrong word is answered with the list of what there is.

public import ArgumentParser
public import GalaxyFitting
public import GalaxyModels
public import Rendering

extension GalaxyProfile: ExpressibleByArgument {}
extension SkyKind: ExpressibleByArgument {}
extension RenderingMethod: ExpressibleByArgument {}
extension PixelResponse: ExpressibleByArgument {}
extension PriorStyle: ExpressibleByArgument {}
extension MAPOptimizer: ExpressibleByArgument {}
extension BandsConfiguration.Method: ExpressibleByArgument {}

/// A way of fitting.
enum FitMethod: String, CaseIterable, ExpressibleByArgument {
  /// The maximum of the posterior.
  case map
  /// A normal approximation of the posterior at its mode.
  case laplace
  /// The normal distribution closest to the posterior.
  case sviMVN = "svi-mvn"
  /// A normalising flow.
  case sviFlow = "svi-flow"
  /// Markov chains: the no-U-turn sampler.
  case nuts
}
