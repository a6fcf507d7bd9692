// SPDX-License-Identifier: MIT
//
// From a configuration to a joint fit: images are read, priors made and changed, links set.

import Distributions
import FITS
public import GalaxyModels
import Tensors

extension BandsConfiguration {
  /// What a configuration leads to.
  public struct Prepared: Sendable {
    /// The fit.
    public let fit: FitMultiBand
    /// Starting values, by name.
    public let starts: [String: Double]
    /// What was remarked on before the fit.
    public let remarks: [InputFinding]
    /// The inputs with their checksums.
    public let inputs: [InputFile]
  }

  /// Reads the images, and makes the fit.
  ///
  /// - Returns: The fit with its starting values.
  /// - Throws: ``OptionError``, `FITSError`, `ObservedImageError` or `GalaxyModelError`, which name the file and what to do.
  public func prepare() throws -> Prepared {
    let images = try bands.map { try image($0) }
    let joint = zip(bands, images).map { entry, image in
      Band(
        entry.name, image, wavelength: entry.wavelength, sky: entry.sky, loss: entry.loss,
        map: entry.map)
    }
    var remarks: [InputFinding] = []
    var prior: BandsPrior
    if let catalog {
      let sources = try SourceCatalog(reading: catalog)
      remarks += sources.findings
      guard sources.count > 0 else {
        throw OptionError(
          "\(file): catalog",
          "expected sources in \(catalog), found none; fit one source without a catalogue")
      }
      prior = try sources.prior(in: joint, style: priorStyle)
    } else {
      prior = try autoprior(joint, profile, style: priorStyle, position: center)
    }
    if let hidden = zip(bands, images).first(where: { $1.psf == nil }),
      prior.profiles.contains(where: \.hasPointSource)
    {
      throw OptionError(
        hidden.0.place, "expected a PSF for a point source, found none; add the key psf")
    }
    try change(&prior)
    remarks += extrapolations(prior)
    let fit = try FitMultiBand(joint, prior: prior, method: renderer)
    return Prepared(
      fit: fit, starts: Dictionary(starts.map { ($0.entry.name, $0.value) }) { $1 },
      remarks: remarks, inputs: zip(bands, images).flatMap(inputs))
  }

  /// Reads the image of a band.
  private func image(_ entry: BandEntry) throws -> ObservedImage {
    /// Returns the file of the noise where it has a form.
    func noise(_ form: String) -> String? { entry.noise.form == form ? entry.noise.file : nil }
    return try ObservedImage(
      science: entry.image, rms: noise("rms"), variance: noise("variance"),
      weight: noise("weight"), psf: entry.psf, mask: entry.mask,
      maskGoodValue: entry.maskGoodValue, normalizePSF: entry.normalizesPSF,
      psfOversampling: entry.oversampling, psfCenter: entry.psfCenter,
      pixelResponse: entry.pixelResponse, zeroPoint: entry.zeroPoint)
  }

  /// Returns the inputs of a band, their roles with its name.
  private func inputs(_ entry: BandEntry, _ image: ObservedImage) -> [InputFile] {
    FitProvenance.inputs(of: image, noise: entry.noise.form).map {
      InputFile(role: "\($0.role)_\(entry.name)", name: $0.name)
    }
  }

  // MARK: - Priors

  /// Sets links, displacements, priors and fixed values.
  private func change(_ prior: inout BandsPrior) throws {
    for (entry, link) in links {
      do {
        try prior.link(entry.name, link)
      } catch {
        throw OptionError(entry.place, "\(error)")
      }
    }
    try checkWavelengths(prior)
    if let offsets { prior.allowOffsets(offsets) }
    for entry in priors {
      try check(entry, prior)
      let distribution: any Distribution
      do throws(OptionError) {
        distribution = try GalaxyFitting.prior(
          from: entry.text, for: prior.parameter(entry.name))
      } catch {
        throw OptionError(entry.place, error.explanation)
      }
      prior[entry.name] = distribution
      // The guess of the image may lie where the new prior has nothing; its median does not.
      for site in prior.named(entry.name) {
        if let guess = prior.guesses[site], !distribution.support.contains(Tensor(guess)).isTrue {
          prior.guess(site, nil)
        }
      }
    }
    for (entry, value) in fixed {
      try check(entry, prior)
      guard !priors.contains(where: { $0.name == entry.name }) else {
        throw OptionError(
          entry.place, "expected no prior for a fixed parameter, found one; drop one of them")
      }
      if let range = meaningfulRange(of: prior.parameter(entry.name)), !range.contains(value) {
        throw OptionError(
          entry.place,
          "expected a number from \(range.lowerBound) to \(range.upperBound), found \(value)")
      }
      prior.fix(entry.name, at: value)
    }
    for (entry, value) in starts {
      try check(entry, prior)
      for site in prior.named(entry.name) {
        guard prior.fixed[site] == nil else {
          throw OptionError(
            entry.place, "expected a free parameter, found a fixed one; drop one of them")
        }
        if let own = prior[site], !own.support.contains(Tensor(value)).isTrue {
          throw OptionError(
            entry.place,
            "expected a value that the prior \(own) allows, found \(value); change one of them")
        }
      }
    }
  }

  /// Checks that linked parameters have values at the wavelengths at which they are to be told.
  private func checkWavelengths(_ prior: BandsPrior) throws(OptionError) {
    guard !wavelengths.isEmpty else { return }
    let linked = prior.parameters.filter(\.link.needsWavelengths)
    guard !linked.isEmpty else {
      throw OptionError(
        "\(file): wavelengths",
        "expected a parameter that is linked by a polynomial or a B-spline, found none; link one, or drop the key"
      )
    }
    for parameter in linked {
      let outside = wavelengths.filter { !prior.hasValue(parameter, wavelength: $0) }
      guard outside.isEmpty else {
        throw OptionError(
          "\(file): wavelengths",
          "expected wavelengths between the bands for \(parameter.name), a \(parameter.link), found \(outside.map { "\($0)" }.joined(separator: ", ")); drop them"
        )
      }
    }
  }

  /// Returns a warning for each parameter that is to be told at wavelengths outside the bands.
  private func extrapolations(_ prior: BandsPrior) -> [InputFinding] {
    let known = bands.compactMap(\.wavelength)
    guard let shortest = known.min(), let longest = known.max() else { return [] }
    let outside = wavelengths.filter { $0 < shortest || $0 > longest }
    guard !outside.isEmpty else { return [] }
    let list = outside.map { "\($0)" }.joined(separator: ", ")
    return prior.parameters.filter(\.link.needsWavelengths).map { parameter in
      InputFinding(
        .warning, FitFindingCode.extrapolated.rawValue, subject: parameter.name,
        "expected wavelengths from \(shortest) to \(longest), those of the bands, found \(list): there the \(parameter.link) goes on without data, and its errors leave out that it may not; drop them, or add a band"
      )
    }
  }

  /// Checks that the priors have a parameter.
  private func check(_ entry: Entry, _ prior: BandsPrior) throws(OptionError) {
    guard prior.names.contains(entry.name) else {
      throw OptionError(
        entry.place,
        "expected parameters of \(prior.title) (\(prior.names.joined(separator: ", "))), found \(entry.name); remove or rename it"
      )
    }
  }
}
