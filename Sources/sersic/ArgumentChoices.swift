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
extension FitMethod: ExpressibleByArgument {}
