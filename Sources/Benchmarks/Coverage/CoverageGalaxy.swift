// SPDX-License-Identifier: MIT
//
// A galaxy drawn elsewhere, the noise that is put on it, and what a fit says of its truth.

import FITS
import Foundation
import SwiftSersic

/// The galaxies of a folder, as Scripts/coverage/galsim_galaxies.py writes them.
struct CoverageFolder: Sendable {
  /// The truth of one galaxy.
  struct Galaxy: Sendable, Decodable {
    let file: String
    let psf: String
    let fwhm, snr: Double
    let xc, yc, flux, r_eff, n, ellip, theta: Double

    /// The true value of a site.
    func truth(_ site: String) -> Double? {
      [
        GalaxySite.xc: xc, GalaxySite.yc: yc, GalaxySite.flux: flux, GalaxySite.rEff: r_eff,
        GalaxySite.n: n, GalaxySite.ellip: ellip, GalaxySite.theta: theta,
        GalaxySite.skyBack: CoverageFolder.sky,
      ][site]
    }
  }

  /// The sky that is put under every galaxy, image units; the rms of a pixel is 1.
  static let sky = 5.0

  /// The folder.
  let path: String

  /// The galaxies.
  let galaxies: [Galaxy]

  /// Reads the truth.
  ///
  /// - Throws: `BenchmarkError` where the file is not there or of another format.
  init(_ path: String) throws {
    /// The file.
    struct Contents: Decodable {
      let format: String
      let galaxies: [Galaxy]
    }
    let url = URL(filePath: path).appending(path: "galaxies.json")
    do {
      let contents = try JSONDecoder().decode(Contents.self, from: Data(contentsOf: url))
      try require(
        contents.format == "sersic-coverage/1",
        "\(url.path): expected format sersic-coverage/1, found \(contents.format)")
      galaxies = contents.galaxies
      self.path = path
    } catch let error as BenchmarkError {
      throw error
    } catch {
      throw BenchmarkError(
        "\(url.path): expected what Scripts/coverage/galsim_galaxies.py writes: \(error)")
    }
  }

  /// Returns the image of a galaxy with noise.
  func image(_ number: Int, _ flaw: CoverageFlaw, key: RandomKey) throws -> ObservedImage {
    let galaxy = galaxies[number]
    let light = try FITSImage(reading: path + "/" + galaxy.file)
    let psf = try FITSImage(
      reading: path + "/psf_\(galaxy.psf)\(flaw == .widePSF ? "_wide" : "").fits")
    let noise = flaw.noise(light.width, light.height, key: key)
    return try ObservedImage(
      width: light.width, height: light.height,
      science: zip(light.values, noise).map { galaxy.flux * $0 + Self.sky + $1 },
      rms: noise.map { _ in flaw.claimedRMS },
      psf: PointSpreadFunction(width: psf.width, height: psf.height, values: psf.values))
  }
}

/// What is wrong with the inputs of a fit.
enum CoverageFlaw: String, CaseIterable, Sendable {
  /// Nothing.
  case none
  /// The noise of neighbours is correlated: each pixel is the mean of 2 × 2 white ones, with the rms that is claimed.
  case correlated
  /// The PSF that is given is 2 % too wide.
  case widePSF = "wide-psf"
  /// The rms that is given is 10 % too small.
  case lowRMS = "low-rms"
  /// The rms that is given is 10 % too large.
  case highRMS = "high-rms"

  /// The rms that the fit is told; the true one is 1.
  var claimedRMS: Double {
    switch self {
    case .lowRMS: 0.9
    case .highRMS: 1.1
    default: 1
    }
  }

  /// Returns the noise of a frame, of variance 1.
  func noise(_ width: Int, _ height: Int, key: RandomKey) -> [Double] {
    guard self == .correlated else {
      return (0..<width * height).map { key.normal(UInt64($0)) }
    }
    let wide = width + 1
    let white = (0..<wide * (height + 1)).map { key.normal(UInt64($0)) }
    return (0..<width * height).map { k in
      let at = k / width * wide + k % width
      return (white[at] + white[at + 1] + white[at + wide] + white[at + wide + 1]) / 2
    }
  }
}

/// What a posterior says of the true values.
struct CoverageOutcome: Sendable {
  /// The parameters that are judged.
  static let sites = [
    GalaxySite.xc, GalaxySite.yc, GalaxySite.flux, GalaxySite.rEff, GalaxySite.n, GalaxySite.ellip,
    GalaxySite.theta, GalaxySite.skyBack,
  ]

  /// The galaxy.
  let galaxy: CoverageFolder.Galaxy

  /// For each parameter the share of draws below the true value; an angle's on the branch around its mean.
  let ranks: [Double]

  /// For each parameter (mean − truth) / sd.
  let pulls: [Double]

  /// The mean of the posterior of the index, and of the ellipticity.
  let found: (n: Double, ellip: Double)

  /// The time of the fit in seconds.
  let seconds: Double

  /// The codes of what the fit warned of.
  let warnings: [String]

  /// For each parameter whether the fit warned that its posterior cannot be trusted.
  let isDoubtful: [Bool]

  /// The codes of such warnings.
  private static let doubts: Set<FitFindingCode> = [
    .nearBound, .atBound, .angleUndetermined, .rHat, .laplaceFlat, .laplaceNotConverged,
  ]

  /// Examines a posterior.
  init(_ galaxy: CoverageFolder.Galaxy, _ posterior: PosteriorFit) throws {
    self.galaxy = galaxy
    var ranks: [Double] = []
    var pulls: [Double] = []
    var means: [String: Double] = [:]
    for site in Self.sites {
      guard let truth = galaxy.truth(site),
        let scalar = posterior.draws.scalars.first(where: { $0.name == site })
      else { throw BenchmarkError("expected draws of \(site), found none") }
      var offset = truth - scalar.mean
      if let period = scalar.period { offset -= period * (offset / period).rounded() }
      let place = scalar.mean + offset
      let below = scalar.unwrapped.count { $0 < place }
      means[site] = scalar.mean
      ranks.append(Double(below) / Double(scalar.values.count))
      pulls.append(-offset / scalar.standardDeviation)
    }
    self.ranks = ranks
    self.pulls = pulls
    found = (means[GalaxySite.n] ?? .nan, means[GalaxySite.ellip] ?? .nan)
    seconds = posterior.best.seconds + posterior.seconds
    let findings = posterior.findings + posterior.best.findings
    warnings = findings.map(\.code)
    let subjects = Set(
      findings.filter { $0.fitCode.map(Self.doubts.contains) ?? false }.map(\.subject))
    isDoubtful = Self.sites.map { site in
      subjects.contains(site) || subjects.contains("posterior")
        // Where a galaxy is round its angle is as doubtful as its ellipticity.
        || (site == GalaxySite.theta && subjects.contains(GalaxySite.ellip))
    }
  }

  /// Returns whether the central interval of a probability holds the true value of a parameter.
  func covers(_ parameter: Int, _ probability: Double) -> Bool {
    abs(ranks[parameter] - 0.5) <= probability / 2
  }
}
