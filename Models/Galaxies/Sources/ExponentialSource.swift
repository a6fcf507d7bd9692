// SPDX-License-Identifier: MIT
//
// One exponential disk as a probabilistic program.

public import PPL
public import Rendering

/// Returns the model of one exponential disk (n = 1): sites xc, yc, flux, r_eff, ellip, theta.
public func exponentialSource(_ prior: GalaxyPrior) -> Model<LightProfile> {
  Model { m in
    let xc = m.sample(GalaxySite.xc, prior.distribution(GalaxySite.xc))
    let yc = m.sample(GalaxySite.yc, prior.distribution(GalaxySite.yc))
    let flux = m.sample(GalaxySite.flux, prior.distribution(GalaxySite.flux))
    let rEff = m.sample(GalaxySite.rEff, prior.distribution(GalaxySite.rEff))
    let ellip = m.sample(GalaxySite.ellip, prior.distribution(GalaxySite.ellip))
    let theta = m.sample(GalaxySite.theta, prior.distribution(GalaxySite.theta))
    return Exponential(xc: xc, yc: yc, flux: flux, rEff: rEff, ellip: ellip, theta: theta)
      .lightProfile
  }
}
