// SPDX-License-Identifier: MIT
//
// The record of a fit: report, draws and pixels as plain values, which files hold and give back the same.

import Numerics
import FITS
public import GalaxyModels
public import Inference
import Rendering

/// A fit as plain values: what it says, its draws, the image with the model.
///
/// ```swift
/// try result.save(to: "fit.asdf")                        // or fit.fits, fit.json
/// let record = try FitRecord(contentsOf: "fit.asdf")     // record == result.record
/// print(record.table)
/// try record.cornerPlot().write(to: "corner.pdf")
/// ```
/// It says, draws and plots all that the result of a fit does; it cannot fit again.
public struct FitRecord: FitOutcome, Hashable {
  /// What the fit says.
  public let report: FitReport

  /// The draws of the free parameters, and of those that follow from them; nil without a posterior, and in a record read from
  /// `result.json` alone.
  public let draws: Draws?

  /// The image and the model at the maximum; nil in a record read from `result.json` alone.
  public let pixels: FittedPixels?

  /// What it has besides as the record of a joint fit of several bands; nil for a fit of one image.
  let joint: BandsReport?

  /// Creates a record.
  ///
  /// - Parameters:
  ///   - report: What the fit says.
  ///   - draws: The draws of the free parameters.
  ///   - pixels: The image and the model.
  public init(_ report: FitReport, draws: Draws?, pixels: FittedPixels?) {
    self.init(report, draws: draws, pixels: pixels, joint: nil)
  }

  /// Creates a record, perhaps of a joint fit.
  init(_ report: FitReport, draws: Draws?, pixels: FittedPixels?, joint: BandsReport?) {
    self.report = report
    self.draws = draws
    self.pixels = pixels
    self.joint = joint
  }

  public var record: FitRecord { self }

  /// The result as text: what was fitted, a table of the parameters, goodness of fit and verdict.
  public var table: String {
    joint.map { report.lines(of: $0.rows).joined(separator: "\n") + "\n" } ?? report.table
  }

  /// Returns the record with magnitudes and arcseconds by another zero point or pixel scale; that of a joint fit, whose bands
  /// have each their own, as it is.
  public func calibrated(by calibration: Calibration) -> FitRecord {
    guard joint == nil else { return self }
    return FitRecord(report.recalibrated(by: calibration, draws), draws: draws, pixels: pixels)
  }

  /// The report with the derived quantities that it does not list.
  var completeReport: FitReport {
    let quantities = DerivedQuantities(
      sources: report.sources, noise: [], calibration: report.calibration,
      sky: SkyFrame.of(report.image))
    let listed = Set((report.parameters + report.derived).map(\.name))
    var result = report
    result.derived += quantities.summaries(
      at: report.values, fixed: Set(report.parameters.filter(\.isFixed).map(\.name)), draws,
      all: true
    ).filter { !listed.contains($0.name) }
    return result
  }

  public static func == (a: FitRecord, b: FitRecord) -> Bool {
    a.report == b.report && a.pixels == b.pixels && a.joint == b.joint
      && isSame(a.draws, b.draws)
  }

  public func hash(into hasher: inout Hasher) { hasher.combine(report) }

  /// Returns whether two sets of draws are the same to the bit, with all that the sampler told.
  private static func isSame(_ a: Draws?, _ b: Draws?) -> Bool {
    guard let a, let b else { return a == nil && b == nil }
    guard a.chains == b.chains, a.draws == b.draws, a.sites.count == b.sites.count else {
      return false
    }
    for (x, y) in zip(a.sites, b.sites) {
      guard x.name == y.name, x.shape == y.shape, x.period == y.period, isSame(x.values, y.values)
      else { return false }
    }
    guard let s = a.statistics, let t = b.statistics else {
      return a.statistics == nil && b.statistics == nil
    }
    return isSame(s.acceptance, t.acceptance) && s.diverged == t.diverged
      && s.gradients == t.gradients && s.treeDepth == t.treeDepth && isSame(s.energy, t.energy)
      && isSame(s.logDensity, t.logDensity) && isSame(s.stepSizes, t.stepSizes)
      && isSame(s.energyFractions, t.energyFractions)
      && s.maximumTreeDepth == t.maximumTreeDepth && s.warmUp == t.warmUp
      && s.warmUpGradients == t.warmUpGradients && s.warmUpDivergences == t.warmUpDivergences
      && s.starts == t.starts && s.requestedDraws == t.requestedDraws && s.thinning == t.thinning
      && s.cancellation == t.cancellation && s.warnings == t.warnings && s.seconds == t.seconds
  }

  /// Returns whether two lists are the same to the bit.
  static func isSame(_ a: [Double], _ b: [Double]) -> Bool {
    a.count == b.count && zip(a, b).allSatisfy { $0.bitPattern == $1.bitPattern || $0 == $1 }
  }
}

/// The image that was fitted and the model at the maximum.
public struct FittedPixels: Sendable, Hashable {
  /// The image with its noise, mask and PSF; files keep neither its findings nor cards other than world coordinates.
  public let image: ObservedImage

  /// The model image, row-major, in image units.
  public let model: [Double]

  /// Creates the pixels of a fit.
  ///
  /// - Precondition: There are as many pixels in the model as in the image.
  public init(_ image: ObservedImage, model: [Double]) {
    demand(
      model.count == image.width * image.height,
      "FittedPixels: expected \(image.width * image.height) pixels, got \(model.count)")
    self.image = image
    self.model = model
  }

  /// The data less the model, in image units.
  public var residual: [Double] { zip(image.science, model).map { $0 - $1 } }

  /// The data, NaN where the input has no number.
  var data: [Double] { zip(image.science, image.isMissing).map { $1 ? .nan : $0 } }

  public static func == (a: FittedPixels, b: FittedPixels) -> Bool {
    let (x, y) = (a.image, b.image)
    return x.width == y.width && x.height == y.height && FitRecord.isSame(x.science, y.science)
      && FitRecord.isSame(x.rms, y.rms) && x.mask == y.mask && x.isMissing == y.isMissing
      && x.psf == y.psf && x.pixelResponse == y.pixelResponse && x.origin == y.origin
      && x.names == y.names
      && x.header.worldCoordinates == y.header.worldCoordinates
      && FitRecord.isSame(a.model, b.model)
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(model.count)
    hasher.combine(image.names)
  }
}
