// SPDX-License-Identifier: MIT
//
// One Sérsic galaxy as a probabilistic program: copy it to start a model of your own.

public import PPL
public import Rendering

/// Returns the model of one Sérsic galaxy: sites xc, yc, flux, r_eff, n, ellip, theta.
public func sersicSource(_ prior: GalaxyPrior) -> Model<LightProfile> {
  Model { m in
    let xc = m.sample(GalaxySite.xc, prior.distribution(GalaxySite.xc))
    let yc = m.sample(GalaxySite.yc, prior.distribution(GalaxySite.yc))
    let flux = m.sample(GalaxySite.flux, prior.distribution(GalaxySite.flux))
    let rEff = m.sample(GalaxySite.rEff, prior.distribution(GalaxySite.rEff))
    let n = m.sample(GalaxySite.n, prior.distribution(GalaxySite.n))
    let ellip = m.sample(GalaxySite.ellip, prior.distribution(GalaxySite.ellip))
    let theta = m.sample(GalaxySite.theta, prior.distribution(GalaxySite.theta))
    return Sersic(xc: xc, yc: yc, flux: flux, rEff: rEff, n: n, ellip: ellip, theta: theta)
      .lightProfile
  }
}
