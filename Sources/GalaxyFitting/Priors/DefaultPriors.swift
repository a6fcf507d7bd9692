// SPDX-License-Identifier: MIT
//
// Priors guessed from the image, in our style and in pysersic's.

import Distributions
public import GalaxyModels
public import Rendering

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Returns priors for all parameters of a stock model, guessed from an image.
///
/// - Parameters:
///   - image: The image.
///   - profile: The profile of the source.
///   - sky: The sky under it.
///   - style: Whose default priors.
///   - position: Where the source is, roughly; the frame's centre unless given.
/// - Returns: The priors, with starting values from the same guesses.
public func autoprior(
  _ image: ObservedImage, _ profile: GalaxyProfile, sky: SkyKind = .flat,
  style: PriorStyle = .default, position: ImagePoint? = nil
) -> GalaxyPrior {
  SourceProperties(image, style: style, position: position).prior(profile, sky: sky)
}

extension SourceProperties {
  /// Returns the default priors of a stock model around these guesses.
  ///
  /// Default style: flux ~ Normal(F, 0.5 |F| + 5 σ_F); r_eff ~ LogNormal(log guess, 0.7); xc, yc ~ Normal(guess,
  /// max(1, 0.3 r_eff)); n ~ Uniform(0.3, 10); nu ~ Uniform(−0.85, 4); ellip ~ Uniform(0, 0.95); theta uniform on the
  /// circle; f_1, f_ps ~ Uniform(0, 1); of two components r_eff_1 ~ LogNormal(log guess/1.5, 0.7), and r_eff_2 ~
  /// LogNormal(log 1.5·guess, 0.7) above r_eff_1; sky_back ~ Normal(border median, border scatter), its slopes ~
  /// Normal(0, scatter / r_eff guess · 0.1).
  ///
  /// pysersic's style: flux ~ Normal(guess, 2√|guess|); r_eff ~ TruncatedNormal(guess, 2√guess, low 0.5); xc, yc ~
  /// Normal(guess, 1); n ~ Uniform(0.65, 8); 1/(1 + nu) ~ Uniform(0.2, 10); ellip ~ Uniform(0, 0.9); f_1, f_ps ~
  /// Uniform(0, 1); r_eff_1, r_eff_2 ~ TruncatedNormal(c, √c, low 0.5), c = guess/1.5 and 1.5·guess, in no order; n_1,
  /// and n of a Sérsic profile with a disk, ~ TruncatedNormal(4, 1, 0.65, 8); n_2 ~ TruncatedNormal(1, 1, 0.65, 8);
  /// sky_back ~ Normal(guess, error), slopes ~ Normal(0, 0.1 error).
  public func prior(_ profile: GalaxyProfile, sky: SkyKind = .flat) -> GalaxyPrior {
    var prior = GalaxyPrior(profile, sky: sky)
    for site in prior.sites { prior[site] = distribution(site, profile) }
    prior.isOrdered = style == .default
    prior.guesses = [
      GalaxySite.xc: xc, GalaxySite.yc: yc, GalaxySite.flux: flux,
      GalaxySite.rEff: style == .pysersic ? max(rEff, 0.6) : rEff, GalaxySite.ellip: ellip,
      GalaxySite.theta: theta, GalaxySite.n: 2, GalaxySite.nu: 0, GalaxySite.skyBack: self.sky,
      GalaxySite.skyXSl: 0, GalaxySite.skyYSl: 0, GalaxySite.f1: 0.4, GalaxySite.fPs: 0.1,
      GalaxySite.rEff1: max(rEff / componentRatio, 0.6),
      GalaxySite.rEff2: max(rEff * componentRatio, 0.7), GalaxySite.n1: 2.5, GalaxySite.n2: 1,
      GalaxySite.ellip1: ellip, GalaxySite.ellip2: ellip,
    ].filter { prior.sites.contains($0.key) }
    return prior
  }

  /// The ratio of the second component's radius to that of the whole, and of that to the first one's: pysersic's.
  private var componentRatio: Double { 1.5 }

  /// Returns the default prior of one site.
  private func distribution(_ site: String, _ profile: GalaxyProfile) -> any Distribution {
    let isPysersic = style == .pysersic
    // A width of zero is no distribution: it can come from a border without scatter, or a flux of zero.
    let smallest = Double.leastNormalMagnitude
    let fluxWidth = max(
      isPysersic ? 2 * abs(flux).squareRoot() : 0.5 * abs(flux) + 5 * fluxError, smallest)
    let skyWidth = max(skyError, smallest)
    switch site {
    case GalaxySite.xc: return Normal(xc, isPysersic ? 1 : max(1, 0.3 * rEff))
    case GalaxySite.yc: return Normal(yc, isPysersic ? 1 : max(1, 0.3 * rEff))
    case GalaxySite.flux: return Normal(flux, fluxWidth)
    case GalaxySite.rEff:
      return isPysersic
        ? TruncatedNormal(rEff, 2 * rEff.squareRoot(), low: 0.5) : LogNormal(log(rEff), 0.7)
    case GalaxySite.rEff1: return radius(rEff / componentRatio)
    case GalaxySite.rEff2: return radius(rEff * componentRatio)
    case GalaxySite.n1 where isPysersic: return TruncatedNormal(4, 1, low: 0.65, high: 8)
    case GalaxySite.n where isPysersic && profile == .sersicExp:
      return TruncatedNormal(4, 1, low: 0.65, high: 8)
    case GalaxySite.n2 where isPysersic: return TruncatedNormal(1, 1, low: 0.65, high: 8)
    case GalaxySite.n, GalaxySite.n1, GalaxySite.n2:
      return isPysersic ? Uniform(0.65, 8) : Uniform(0.3, 10)
    case GalaxySite.nu:
      return isPysersic ? SpergelIndexPrior() : Uniform(-0.85, 4)
    case GalaxySite.f1, GalaxySite.fPs: return Uniform(0, 1)
    case GalaxySite.ellip, GalaxySite.ellip1, GalaxySite.ellip2:
      return Uniform(0, isPysersic ? 0.9 : 0.95)
    case GalaxySite.theta: return CircularUniform(period: Double.pi)
    case GalaxySite.skyBack: return Normal(sky, skyWidth)
    default:
      // A slope that changes the sky by its own uncertainty over ten half-light radii.
      let slope = isPysersic ? 0.1 * skyWidth : 0.1 * skyWidth / max(1, rEff)
      return Normal(0, max(slope, smallest))
    }
  }

  /// Returns the default prior of the radius of one of two components, around a guess.
  private func radius(_ guess: Double) -> any Distribution {
    style == .pysersic
      ? TruncatedNormal(guess, guess.squareRoot(), low: 0.5) : LogNormal(log(guess), 0.7)
  }
}
