// SPDX-License-Identifier: MIT
//
// Configurations of GALFIT and imfit, written by hand: what is read, in whose numbers, and what is refused.

import Foundation
import GalaxyFitting
import GalaxyModels
import Inference
import Numerics
import Rendering
import Tensors
import Testing

@Suite("GALFIT and imfit configurations")
struct GalfitTests {
  /// A configuration as people write them.
  static let feedme = """
    ================================================================
    # IMAGE and GALFIT CONTROL PARAMETERS
    A) gal.fits            # Input data image (FITS file)
    B) imgblock.fits       # Output data image block
    C) none                # Sigma image name (made from data if blank or "none")
    D) psf.fits   #        # Input PSF image and (optional) diffusion kernel
    E) 2                   # PSF fine sampling factor relative to data
    F) bad.fits            # Bad pixel mask
    G) limits.txt          # File with parameter constraints (ASCII file)
    H) 11   93   21   90   # Image region to fit (xmin xmax ymin ymax)
    I) 100    100          # Size of the convolution box (x y)
    J) 26.563              # Magnitude photometric zeropoint
    K) 0.038  0.038        # Plate scale (dx dy)   [arcsec per pixel]
    O) regular
    P) 0

    # Object number: 1
     0) sersic             #  object type
     1) 48.5180  51.2800  1 0  #  position x, y
     3) 20.0890     1      #  total magnitude
     4) 5.1160      1      #  R_e
     5) 4.2490      0      #  Sersic index
     6) 0.0000      0      #     -----
     7) 0.0000      0      #     -----
     8) 0.0000      0      #     -----
     9) 0.7570      1      #  axis ratio (b/a)
    10) -60.3690    1      #  position angle (PA) [deg: Up=0, Left=90]
     Z) 0                  #  leave in [1] or subtract [0] this comp from data?

     0) expdisk
     1) 48.5  1
     2) 51.3  0
     3) 21.0  1
     4) 10.0  1
     9) 0.5   1
    10) 30.0  1
     Z) 1

     0) devauc
     1) 20 30 1 1
     3) 22.5 1
     4) 3 1
     9) 1.0 0
    10) 0 0

     0) gaussian
     1) 20 30
     3) 22.5 1
     4) 6 1
     9) 0.9 1
    10) 10 1

     0) moffat
     1) 20 30 1 1
     3) 22.5 1
     4) 6 1
     5) 2.5 1
     9) 0.9 1
    10) 10 1

     0) psf
     1) 20 30 1 1
     3) 19 1

     0) sky
     1) 1.3920      1      #  sky background at center of fitting region [ADUs]
     2) 0.001       0
     3) -0.002      1
    """

  /// Returns the numbers of the first scene.
  private func values(_ scene: ImportedScene) -> [String: Double] {
    Dictionary(scene.firstValues.map { ($0.site, $0.value) }) { $1 }
  }

  @Test("files, region, sampling, zero point and components are read, flags too")
  func reading() throws {
    let c = try GalfitConfiguration(Self.feedme, name: "galfit.feedme")
    #expect(c.image == "gal.fits" && c.output == "imgblock.fits" && c.sigma == nil)
    #expect(c.psf == "psf.fits" && c.psfSampling == 2 && c.mask == "bad.fits")
    #expect(c.constraintFile == "limits.txt" && c.zeroPoint == 26.563)
    #expect(c.region == GalfitConfiguration.Region(x: 11...93, y: 21...90))
    #expect(c.plateScale == [0.038, 0.038])
    #expect(
      c.components.map(\.kind) == [.sersic, .expdisk, .devauc, .gaussian, .moffat, .psf, .sky])
    let first = c.components[0].values
    #expect(first[.x] == .init(48.518, isFree: true) && first[.y] == .init(51.28, isFree: false))
    #expect(first[.index] == .init(4.249, isFree: false))
    #expect(first[.positionAngle] == .init(-60.369, isFree: true))
    // The centre in two lines, without flags, and a component that is not subtracted.
    #expect(c.components[1].values[.y] == .init(51.3, isFree: false) && c.components[1].isSkipped)
    #expect(c.components[3].values[.x] == .init(20, isFree: true))
  }

  @Test("the numbers become ours: pixels from 0 in the region, counts, half-light radii, radians")
  func conventions() throws {
    let c = try GalfitConfiguration(Self.feedme, name: "galfit.feedme")
    let frame = GalfitFrame(zeroPoint: 26.563, exposure: 100, origin: ImagePoint(x: 10, y: 20))
    let scene = try ImportedScene(c, frame)
    let v = values(scene)
    // Pixel 11 of the file is the region's first, our 0.
    #expect(abs((v["xc_1"] ?? .nan) - 37.518) < 1e-12 && abs((v["yc_1"] ?? .nan) - 30.28) < 1e-12)
    // 2.5 log10(flux/100) = 26.563 − 20.089 = 6.474: by hand 100 · 10^2.5896 = 38868.7.
    #expect(abs((v["flux_1"] ?? .nan) / 38868.7 - 1) < 1e-5)
    #expect(v["r_eff_1"] == 5.116 && v["n_1"] == 4.249)
    #expect(abs((v["ellip_1"] ?? .nan) - 0.243) < 1e-12)
    #expect(abs((v["theta_1"] ?? .nan) + 60.369 * Double.pi / 180) < 1e-12)
    // Half of the light of an exponential disk lies within 1.67835 scale lengths: 1 − (1 + x) e^(−x) = ½.
    let x = (v["r_eff_2"] ?? .nan) / 10
    #expect(abs((1 + x) * exp(-x) - 0.5) < 1e-14)
    // A Gaussian's half-light radius is half of its width at half maximum.
    #expect(v["r_eff_4"] == 3)
    let moffat = Moffat(
      xc: 0, yc: 0, flux: 1, fwhm: 6, beta: 2.5, ellip: 0, theta: 0)
    #expect(abs((v["r_eff_5"] ?? .nan) - moffat.rEff.item()) < 1e-12)
    #expect(v["beta_5"] == 2.5 && v["sky_back"] == 1.392 && v["sky_y_sl"] == -0.002)
    #expect(scene.sky == .tiltedPlane && scene.freeSky == ["sky_back", "sky_y_sl"])
    let free = Set(scene.freeSites)
    #expect(!free.contains("yc_1") && !free.contains("n_1") && free.contains("theta_1"))
    #expect(!free.contains("ellip_3") && !free.contains("sky_x_sl"))
    #expect(
      scene.components.map(\.kind.name) == [
        "sersic", "exp", "dev", "gaussian", "moffat", "pointsource",
      ])
  }

  @Test("what is written is read back, and is what GALFIT would have had")
  func writing() throws {
    let c = try GalfitConfiguration(Self.feedme, name: "galfit.feedme")
    let again = try GalfitConfiguration(c.text, name: "written")
    #expect(again == c)
    let frame = GalfitFrame(zeroPoint: 26.563, exposure: 100, origin: ImagePoint(x: 10, y: 20))
    let same = c.updated(values(try ImportedScene(c, frame)), frame)
    for (a, b) in zip(same.components, c.components) {
      for (parameter, value) in b.values {
        let found = try #require(a.values[parameter])
        // There and back again: rounding.
        #expect(abs(found.value - value.value) < 1e-9 && found.isFree == value.isFree)
      }
    }
  }

  @Test("a light becomes a configuration; what GALFIT does not have is refused")
  func export() throws {
    let light =
      Sersic(xc: 9, yc: 19, flux: 100, rEff: 4, n: 2, ellip: 0.25, theta: Double.pi / 4)
      + Exponential(xc: 9, yc: 19, flux: 10, rEff: 1.678_346_990_016_660_5, ellip: 0, theta: 0)
      + PointSource(xc: 9, yc: 19, flux: 1)
    let frame = GalfitFrame(zeroPoint: 25, origin: ImagePoint(x: 100, y: 200))
    let c = try GalfitConfiguration(light, sky: [0.5], frame)
    #expect(c.components.map(\.kind) == [.sersic, .expdisk, .psf, .sky])
    let v = c.components.map { $0.values.mapValues(\.value) }
    #expect(
      v[0][.x] == 110 && v[0][.y] == 220 && v[0][.magnitude] == 20 && v[0][.axisRatio] == 0.75)
    #expect(abs((v[0][.positionAngle] ?? .nan) - 45) < 1e-12 && v[1][.radius] == 1)
    #expect(v[2][.magnitude] == 25 && v[3][.sky] == 0.5)
    #expect(c.components[3].values[.skyX] == .init(0, isFree: false))
    let spergel = Spergel(xc: 0, yc: 0, flux: 1, rEff: 1, nu: 0.5, ellip: 0, theta: 0)
    #expect(throws: OptionError.self) { try GalfitConfiguration(spergel.lightProfile, frame) }
  }

  @Test("constraints that hold offsets, ratios and ranges are carried over, the others are told of")
  func constraints() throws {
    var c = try GalfitConfiguration(Self.feedme, name: "galfit.feedme")
    c.constraints = try GalfitConstraint.list(
      """
      # Component/    parameter   constraint	Comment
      1_2    x    offset      # hard
      2_1    mag  offset
      3_5_4  re   ratio
      1      q    0.5 to 0.9  # soft
      2      rs   -3 5
      6      mag  18 to 20
      1      pa   -5 5
      1-2    mag  -1 2
      1/3    re   1 3
      """, name: "limits.txt")
    let frame = GalfitFrame(zeroPoint: 26.563)
    let scene = try ImportedScene(c, frame)
    let tie = try #require(scene.ties["xc_2"])
    #expect(tie.reference == "xc_1" && abs((tie.offset ?? .nan) + 0.018) < 1e-12)
    // 21 − 20.089 magnitudes fainter.
    #expect(abs((scene.ties["flux_2"]?.ratio ?? .nan) - pow(10, -0.4 * 0.911)) < 1e-12)
    #expect(scene.ties["yc_2"] == nil && scene.ties["r_eff_4"] == nil)
    #expect(scene.components[0].bounds["ellip"].map { abs($0.lowerBound - 0.1) < 1e-12 } == true)
    let disk = try #require(scene.components[1].bounds["r_eff"])
    #expect(
      abs(disk.lowerBound - 7 * 1.678347) < 1e-4 && abs(disk.upperBound - 15 * 1.678347) < 1e-4)
    let star = try #require(scene.components[5].bounds["flux"])
    #expect(abs(star.lowerBound / frame.flux(20) - 1) < 1e-12)
    #expect(abs(star.upperBound / frame.flux(18) - 1) < 1e-12)
    // A ratio with a Moffat profile, an angle, a difference and a quotient.
    #expect(scene.findings.count == 4 && scene.findings.allSatisfy { $0.code == "constraint" })
    for text in ["9 x offset", "1_8 x offset", "1_1 x offset", "1/1 x 1 3"] {
      var wrong = c
      wrong.constraints = try GalfitConstraint.list(text, name: "limits.txt")
      #expect(throws: OptionError.self) { try ImportedScene(wrong, frame) }
    }
    for text in ["1 x", "a x offset", "1 dust offset", "1 n 5 to 2", "1 n about 3"] {
      #expect(throws: OptionError.self) { try GalfitConstraint.list(text, name: "limits.txt") }
    }
  }

  @Test("a second tie of a parameter, and a range of a tied one, are told of")
  func constraintsTwice() throws {
    var c = try GalfitConfiguration(Self.feedme, name: "galfit.feedme")
    for (text, bound) in [
      ("1_3 x offset\n2_3 x offset", "2_3 x offset"), ("1_2 x offset\n2 x 10 to 60", "2 x 10"),
      ("2 x 10 to 60\n1_2 x offset", "2 x 10"), ("1_2 x offset\n2 x -3 3", "2 x -3"),
    ] {
      c.constraints = try GalfitConstraint.list(text, name: "limits.txt")
      let scene = try ImportedScene(c, GalfitFrame(zeroPoint: 26.563))
      #expect(scene.findings.map(\.code) == ["constraint"], "\(text)")
      #expect(scene.findings.contains { "\($0)".contains(bound) }, "\(scene.findings)")
      #expect(scene.ties.values.map(\.reference) == ["xc_1"])
      #expect(scene.components.allSatisfy { $0.bounds.isEmpty })
    }
  }

  @Test(
    "ranges of which nothing is left are refused with what is permitted",
    arguments: [
      ("2 n 20 to 30", "n_2", "0.25 to 12.0, found 20.0 to 30.0"),
      ("2 n 0.01 to 0.2", "n_2", "0.25 to 12"), ("1 q 1.1 to 1.5", "ellip_1", "0 to 0.99"),
      ("3 n 0.5 to 1", "beta_3", "1.1 to 50.0, found 0.5 to 1.0"),
      ("1 rs -5 to -1", "r_eff_1", "0 to inf"), ("1 mag -2000 to -1900", "flux_1", "0 to inf"),
    ])
  func impossibleRanges(_ text: String, _ site: String, _ says: String) throws {
    let light =
      Exponential(xc: 30, yc: 30, flux: 100, rEff: 4, ellip: 0.2, theta: 1)
      + Sersic(xc: 30, yc: 30, flux: 100, rEff: 4, n: 2, ellip: 0.2, theta: 1)
      + Moffat(xc: 30, yc: 30, flux: 100, rEff: 4, beta: 3, ellip: 0.2, theta: 1)
    let frame = GalfitFrame(zeroPoint: 25)
    var c = try GalfitConfiguration(light, frame)
    c.constraints = try GalfitConstraint.list(text, name: "limits.txt")
    let error = #expect(throws: OptionError.self) { try ImportedScene(c, frame) }
    #expect(error?.subject == site && error?.explanation.contains(says) == true, "\(error as Any)")
    // Of a parameter that is held they mean nothing.
    for k in c.components.indices {
      for parameter in c.components[k].values.keys {
        c.components[k].values[parameter]?.isFree = false
      }
    }
    _ = try ImportedScene(c, frame)
  }

  @Test("magnitudes that are no fluxes, and exponents that are none, are refused")
  func impossibleValues() throws {
    let frame = GalfitFrame(zeroPoint: 25)
    let light = Moffat(xc: 30, yc: 30, flux: 100, rEff: 4, beta: 3, ellip: 0.2, theta: 1)
    let c = try GalfitConfiguration(light.lightProfile, frame)
    for (parameter, value) in [
      (GalfitConfiguration.Parameter.magnitude, 1800.0), (.magnitude, -1800), (.index, 0.5),
    ] {
      var wrong = c
      wrong.components[0].values[parameter]?.value = value
      let error = #expect(throws: OptionError.self) { try ImportedScene(wrong, frame) }
      #expect(error?.subject == "component 1, moffat", "\(error as Any)")
    }
  }

  @Test(
    "what is not understood is refused, with its line",
    arguments: [
      ("0) sersic", "0) edgedisk", "edgedisk"), ("E) 2", "E) two", "line 7"),
      ("J) 26.563", "J)", "J)"), ("0.038  0.038", "0.038  0.05", "square"),
      ("H) 11   93", "H) 93   11", "xmin"), ("psf.fits   #", "psf.fits diff.fits #", "diffusion"),
      ("8) 0.0000      0", "8) 0.5   1", "GALFIT 2"), ("9) 0.7570", "9) 1.7570", "axis ratio"),
      ("4) 5.1160", "4) -5", "radius > 0"), ("1) 48.5180  51.2800  1 0", "1) here", "number"),
      ("3) 20.0890     1", "3) 20.0890     2", "free"),
      ("6) 0.0000      0      #     -----", "F1) 0.1 30 1 1", "Fourier"),
      ("5) 4.2490      0      #  Sersic index", "# none", "index"),
    ])
  func refusals(_ old: String, _ new: String, _ says: String) throws {
    let text = Self.feedme.replacing(old, with: new, maxReplacements: 1)
    #expect(text != Self.feedme)
    do {
      _ = try GalfitConfiguration(text, name: "galfit.feedme")
      Issue.record("expected an error for \(new)")
    } catch {
      #expect(error.description.contains(says), "\(error)")
      #expect(error.description.contains("galfit.feedme"))
    }
    #expect(throws: OptionError.self) { try GalfitConfiguration("hello\n", name: "x") }
    // Modes that are off say nothing.
    _ = try GalfitConfiguration(
      Self.feedme.replacing("6) 0.0000      0", with: "C0) 0.0      0", maxReplacements: 1),
      name: "x")
  }

  // MARK: - imfit

  /// A configuration of imfit.
  static let imfit = """
    GAIN 4.7           # e-/ADU
    READNOISE 4.3
    X0   33.0    28,38
    Y0   33.5    fixed
    FUNCTION Sersic   # bulge
    PA    18.0    0,90
    ell    0.2    0,1
    n      2.5    0.5,5
    I_e    15     0,500
    r_e    4
    FUNCTION Exponential
    PA    20.0
    ell    0.5   fixed
    I_0    40    0,500
    h      6.0   2,12
    X0   50
    Y0   12
    FUNCTION Moffat
    PA    0 fixed
    ell   0 fixed
    I_0   100
    fwhm  3  fixed
    beta  3.5 fixed
    FUNCTION FlatSky
    I_sky 0.5 0,2
    """

  @Test("imfit's functions have their integrals as flux, and one centre for each set")
  func imfitScene() throws {
    #expect(ImfitConfiguration.isLikely(Self.imfit) && !ImfitConfiguration.isLikely(Self.feedme))
    let c = try ImfitConfiguration(Self.imfit, name: "c.dat")
    #expect(c.options == ["GAIN": 4.7, "READNOISE": 4.3])
    let image = try ObservedImage(
      width: 60, height: 50, science: [Double](repeating: 0, count: 3000),
      rms: [Double](repeating: 1, count: 3000))
    let scene = try ImportedScene(c, image)
    let v = values(scene)
    #expect(v["xc_1"] == 32 && v["yc_1"] == 32.5 && v["xc_3"] == 49 && v["yc_3"] == 11)
    #expect(scene.ties["xc_2"]?.reference == "xc_1" && scene.ties["xc_3"] == nil)
    #expect(!Set(scene.freeSites).contains("yc_1") && !Set(scene.freeSites).contains("yc_2"))
    // By hand: I_e 2π n r² q e^b b^(−2n) Γ(2n), b = 4.6707 for n = 2.5, Γ(5) = 24.
    let b = 4.670_908_9
    let sersic = 15 * 2 * Double.pi * 2.5 * 16 * 0.8 * exp(b) * pow(b, -5) * 24
    #expect(abs((v["flux_1"] ?? .nan) / sersic - 1) < 1e-5)
    #expect(abs((v["flux_2"] ?? .nan) / (40 * 2 * Double.pi * 36 * 0.5) - 1) < 1e-12)
    // π α² I0 / (β − 1), α = 1.5 / √(2^(1/3.5) − 1).
    let alpha2 = 2.25 / (pow(2, 1 / 3.5) - 1)
    #expect(abs((v["flux_3"] ?? .nan) / (100 * Double.pi * alpha2 / 2.5) - 1) < 1e-12)
    #expect(abs((v["theta_1"] ?? .nan) - Double.pi / 10) < 1e-12 && v["ellip_2"] == 0.5)
    #expect(scene.components[0].bounds["xc"] == 27...37)
    #expect(scene.components[1].bounds["r_eff"].map { abs($0.upperBound - 20.14) < 0.01 } == true)
    #expect(scene.sky == .flat && scene.skyValues == ["sky_back": 0.5])
    for (old, new, site) in [
      ("n      2.5    0.5,5", "n 2 13,20", "n_1"),
      ("ell    0.2    0,1", "ell 0.2 1,1.2", "ellip_1"),
    ] {
      let text = Self.imfit.replacing(old, with: new, maxReplacements: 1)
      let wrong = try ImfitConfiguration(text, name: "c.dat")
      let error = #expect(throws: OptionError.self) { try ImportedScene(wrong, image) }
      #expect(error?.subject == site, "\(error as Any)")
    }
    // Limits of I_e, I_0 and PA.
    #expect(scene.findings.count == 3)
    for (old, new) in [
      ("FUNCTION Sersic", "FUNCTION Core-Sersic"), ("r_e    4", "# no radius"),
      ("n      2.5    0.5,5", "n 2.5 5,0.5"), ("h      6.0", "h six"),
    ] {
      let text = Self.imfit.replacing(old, with: new, maxReplacements: 1)
      #expect(throws: OptionError.self, "\(new)") { try ImfitConfiguration(text, name: "c.dat") }
    }
  }
}
