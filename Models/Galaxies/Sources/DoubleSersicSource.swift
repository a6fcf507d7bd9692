// SPDX-License-Identifier: MIT
//
// Two Sérsic profiles with a common centre and angle, a bulge and a disk, as a probabilistic program.

public import PPL
public import Rendering
import Tensors

/// Returns the model of two Sérsic profiles: sites xc, yc, flux, f_1, r_eff_1, n_1, ellip_1, r_eff_2, n_2, ellip_2, theta.
///
/// f_1 is the first one's share of the flux. Priors are ordered unless they say otherwise: r_eff_1 < r_eff_2.
public func doubleSersicSource(_ prior: GalaxyPrior) -> Model<LightProfile> {
  Model { m in
    let xc = m.sample(GalaxySite.xc, prior.distribution(GalaxySite.xc))
    let yc = m.sample(GalaxySite.yc, prior.distribution(GalaxySite.yc))
    let flux = m.sample(GalaxySite.flux, prior.distribution(GalaxySite.flux))
    let f1 = m.sample(GalaxySite.f1, prior.distribution(GalaxySite.f1))
    let rEff1 = m.sample(GalaxySite.rEff1, prior.distribution(GalaxySite.rEff1))
    let n1 = m.sample(GalaxySite.n1, prior.distribution(GalaxySite.n1))
    let ellip1 = m.sample(GalaxySite.ellip1, prior.distribution(GalaxySite.ellip1))
    let rEff2 = m.sample(GalaxySite.rEff2, prior.distribution(GalaxySite.rEff2, above: rEff1))
    let n2 = m.sample(GalaxySite.n2, prior.distribution(GalaxySite.n2))
    let ellip2 = m.sample(GalaxySite.ellip2, prior.distribution(GalaxySite.ellip2))
    let theta = m.sample(GalaxySite.theta, prior.distribution(GalaxySite.theta))
    let inner = Sersic(
      xc: xc, yc: yc, flux: flux * f1, rEff: rEff1, n: n1, ellip: ellip1, theta: theta)
    let outer = Sersic(
      xc: xc, yc: yc, flux: flux * (1 - f1), rEff: rEff2, n: n2, ellip: ellip2, theta: theta)
    return inner + outer
  }
}
