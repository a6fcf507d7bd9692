// SPDX-License-Identifier: MIT
//
// One point source as a probabilistic program.

public import PPL
public import Rendering

/// Returns the model of one point source: sites xc, yc, flux.
public func pointSource(_ prior: GalaxyPrior) -> Model<LightProfile> {
  Model { m in
    let xc = m.sample(GalaxySite.xc, prior.distribution(GalaxySite.xc))
    let yc = m.sample(GalaxySite.yc, prior.distribution(GalaxySite.yc))
    let flux = m.sample(GalaxySite.flux, prior.distribution(GalaxySite.flux))
    return PointSource(xc: xc, yc: yc, flux: flux).lightProfile
  }
}
