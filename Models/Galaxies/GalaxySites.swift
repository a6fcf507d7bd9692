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
  /// The ellipticity 1 − b/a.
  public static let ellip = "ellip"
  /// The angle of the major axis from +y towards −x, in radians, in [0, π).
  public static let theta = "theta"
  /// The sky at the frame's centre, in image units per pixel.
  public static let skyBack = "sky_back"
  /// The slope of the sky along x, in image units per pixel per pixel.
  public static let skyXSl = "sky_x_sl"
  /// The slope of the sky along y, in image units per pixel per pixel.
  public static let skyYSl = "sky_y_sl"
  /// The model image.
  public static let model = "model"
  /// The observed pixels.
  public static let loss = "loss"

  /// The names of latent sites, each with its Swift name.
  public static let pairs: [(swift: String, site: String)] = [
    ("xc", xc), ("yc", yc), ("flux", flux), ("rEff", rEff), ("n", n), ("ellip", ellip),
    ("theta", theta), ("skyBack", skyBack), ("skyXSl", skyXSl), ("skyYSl", skyYSl),
  ]

  /// Returns the unit of a site; empty for pure numbers.
  public static func unit(of site: String) -> String {
    switch site {
    case xc, yc, rEff: "pixels"
    case flux: "image units"
    case theta: "radians"
    case skyBack: "image units / pixel"
    case skyXSl, skyYSl: "image units / pixel²"
    default: ""
    }
  }
}
