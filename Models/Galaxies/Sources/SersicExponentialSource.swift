// SPDX-License-Identifier: MIT
//
// A Sérsic bulge in an exponential disk, with a common centre and angle, as a probabilistic program.

public import PPL
public import Rendering
import Tensors

/// Returns the model of a bulge and a disk: sites xc, yc, flux, f_1, r_eff_1, ellip_1, r_eff_2, n, ellip_2, theta.
///
/// n is the index of the first component, f_1 its share of the flux; the second one is exponential. Priors are ordered
/// unless they say otherwise: r_eff_1 < r_eff_2.
public func sersicExponentialSource(_ prior: GalaxyPrior) -> Model<LightProfile> {
  Model { m in
    let xc = m.sample(GalaxySite.xc, prior.distribution(GalaxySite.xc))
    let yc = m.sample(GalaxySite.yc, prior.distribution(GalaxySite.yc))
    let flux = m.sample(GalaxySite.flux, prior.distribution(GalaxySite.flux))
    let f1 = m.sample(GalaxySite.f1, prior.distribution(GalaxySite.f1))
    let rEff1 = m.sample(GalaxySite.rEff1, prior.distribution(GalaxySite.rEff1))
    let ellip1 = m.sample(GalaxySite.ellip1, prior.distribution(GalaxySite.ellip1))
    let rEff2 = m.sample(GalaxySite.rEff2, prior.distribution(GalaxySite.rEff2, above: rEff1))
    let n = m.sample(GalaxySite.n, prior.distribution(GalaxySite.n))
    let ellip2 = m.sample(GalaxySite.ellip2, prior.distribution(GalaxySite.ellip2))
    let theta = m.sample(GalaxySite.theta, prior.distribution(GalaxySite.theta))
    let bulge = Sersic(
      xc: xc, yc: yc, flux: flux * f1, rEff: rEff1, n: n, ellip: ellip1, theta: theta)
    let disk = Exponential(
      xc: xc, yc: yc, flux: flux * (1 - f1), rEff: rEff2, ellip: ellip2, theta: theta)
    return bulge + disk
  }
}
