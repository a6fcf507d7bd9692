// SPDX-License-Identifier: MIT
//
// One galaxy with a Spergel profile as a probabilistic program.

public import PPL
public import Rendering

/// Returns the model of one galaxy with a Spergel profile: sites xc, yc, flux, r_eff, nu, ellip, theta.
public func spergelSource(_ prior: GalaxyPrior) -> Model<LightProfile> {
  Model { m in
    let xc = m.sample(GalaxySite.xc, prior.distribution(GalaxySite.xc))
    let yc = m.sample(GalaxySite.yc, prior.distribution(GalaxySite.yc))
    let flux = m.sample(GalaxySite.flux, prior.distribution(GalaxySite.flux))
    let rEff = m.sample(GalaxySite.rEff, prior.distribution(GalaxySite.rEff))
    let nu = m.sample(GalaxySite.nu, prior.distribution(GalaxySite.nu))
    let ellip = m.sample(GalaxySite.ellip, prior.distribution(GalaxySite.ellip))
    let theta = m.sample(GalaxySite.theta, prior.distribution(GalaxySite.theta))
    return Spergel(xc: xc, yc: yc, flux: flux, rEff: rEff, nu: nu, ellip: ellip, theta: theta)
      .lightProfile
  }
}
