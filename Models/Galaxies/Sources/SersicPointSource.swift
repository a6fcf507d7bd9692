// SPDX-License-Identifier: MIT
//
// A Sérsic galaxy with a point source, an active nucleus, at its centre, as a probabilistic program.

public import PPL
public import Rendering
import Tensors

/// Returns the model of a galaxy with a nucleus: sites xc, yc, flux, f_ps, r_eff, n, ellip, theta.
///
/// f_ps is the point source's share of the flux.
public func sersicPointSource(_ prior: GalaxyPrior) -> Model<LightProfile> {
  Model { m in
    let xc = m.sample(GalaxySite.xc, prior.distribution(GalaxySite.xc))
    let yc = m.sample(GalaxySite.yc, prior.distribution(GalaxySite.yc))
    let flux = m.sample(GalaxySite.flux, prior.distribution(GalaxySite.flux))
    let fPs = m.sample(GalaxySite.fPs, prior.distribution(GalaxySite.fPs))
    let rEff = m.sample(GalaxySite.rEff, prior.distribution(GalaxySite.rEff))
    let n = m.sample(GalaxySite.n, prior.distribution(GalaxySite.n))
    let ellip = m.sample(GalaxySite.ellip, prior.distribution(GalaxySite.ellip))
    let theta = m.sample(GalaxySite.theta, prior.distribution(GalaxySite.theta))
    let galaxy = Sersic(
      xc: xc, yc: yc, flux: flux * (1 - fPs), rEff: rEff, n: n, ellip: ellip, theta: theta)
    let nucleus = PointSource(xc: xc, yc: yc, flux: flux * fPs)
    return galaxy + nucleus
  }
}
