// SPDX-License-Identifier: MIT
//
// The names of the sites of the stock models: the one place where a site's text and its Swift name are paired.

/// The names of sites, as they appear in traces, tables, files and on the command line (pysersic's names).
public enum GalaxySite {
  /// The column of the centre, in pixels, first pixel 0.
  public static let xc = "xc"
  /// The row of the centre, in pixels, first pixel 0.
  public static let yc = "yc"
  /// The total flux to infinity, in image units.
  public static let flux = "flux"
  /// The half-light radius on the major axis, in pixels, positive.
  public static let rEff = "r_eff"
  /// The Sérsic index.
  public static let n = "n"
  /// The index of a Spergel profile.
  public static let nu = "nu"
  /// The ellipticity 1 − b/a.
  public static let ellip = "ellip"
  /// The angle of the major axis from +y towards −x, in radians, in [0, π).
  public static let theta = "theta"
  /// The share of the first component in the flux.
  public static let f1 = "f_1"
  /// The half-light radius of the first component, as r_eff.
  public static let rEff1 = "r_eff_1"
  /// The Sérsic index of the first component.
  public static let n1 = "n_1"
  /// The ellipticity of the first component.
  public static let ellip1 = "ellip_1"
  /// The half-light radius of the second component, as r_eff.
  public static let rEff2 = "r_eff_2"
  /// The Sérsic index of the second component.
  public static let n2 = "n_2"
  /// The ellipticity of the second component.
  public static let ellip2 = "ellip_2"
  /// The share of the point source in the flux.
  public static let fPs = "f_ps"
  /// The sky at the frame's centre, in image units per pixel.
  public static let skyBack = "sky_back"
  /// The slope of the sky along x, in image units per pixel per pixel.
  public static let skyXSl = "sky_x_sl"
  /// The slope of the sky along y, in image units per pixel per pixel.
  public static let skyYSl = "sky_y_sl"
  /// The displacement of a band along x, in pixels of the first band.
  public static let dx = "dx"
  /// The displacement of a band along y, in pixels of the first band.
  public static let dy = "dy"
  /// How much larger the noise is than the rms, as a fraction, where that is free in a loss.
  public static let fracScatterIncrease = "frac_scatter_increase"
  /// The same in a mixture with outliers.
  public static let sigFrac = "sig_frac"
  /// Noise besides the rms, in units of the median rms.
  public static let sysScatterBase = "sys_scatter_base"
  /// Noise besides the rms, in image units.
  public static let sysScatter = "sys_scatter"
  /// The share of pixels that are outliers, in units of 1/20.
  public static let outlierFracBase = "outlier_frac_base"
  /// The share of pixels that are outliers.
  public static let outlierFrac = "outlier_frac"
  /// The model image.
  public static let model = "model"
  /// The observed pixels.
  public static let loss = "loss"

  /// The names of latent sites, each with its Swift name.
  public static let pairs: [(swift: String, site: String)] = [
    ("xc", xc), ("yc", yc), ("flux", flux), ("rEff", rEff), ("n", n), ("nu", nu),
    ("ellip", ellip), ("theta", theta), ("f1", f1), ("rEff1", rEff1), ("n1", n1),
    ("ellip1", ellip1), ("rEff2", rEff2), ("n2", n2), ("ellip2", ellip2), ("fPs", fPs),
    ("skyBack", skyBack), ("skyXSl", skyXSl), ("skyYSl", skyYSl),
    ("dx", dx), ("dy", dy),
    ("fracScatterIncrease", fracScatterIncrease), ("sigFrac", sigFrac),
    ("sysScatterBase", sysScatterBase), ("outlierFracBase", outlierFracBase),
  ]

  /// Returns the site of one component that a site of several stands for: `r_eff` for `r_eff_1`; others are themselves.
  public static func quantity(of site: String) -> String {
    switch site {
    case rEff1, rEff2: rEff
    case n1, n2: n
    case ellip1, ellip2: ellip
    default: site
    }
  }

  /// Returns the unit of a site; empty for pure numbers.
  public static func unit(of site: String) -> String {
    switch quantity(of: site) {
    case xc, yc, rEff, dx, dy: "pixels"
    case flux: "image units"
    case theta: "radians"
    case skyBack: "image units / pixel"
    case skyXSl, skyYSl: "image units / pixel²"
    case sysScatterBase: "median rms"
    case sysScatter: "image units"
    default: ""
    }
  }
}
