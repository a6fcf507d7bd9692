// SPDX-License-Identifier: MIT
//
// The checks of an image's inputs: what throws, what is masked, and what is only remarked on.

internal import Rendering

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The checks of one image's inputs, which gather findings as they go.
struct ObservedImageChecks {
  /// The arrays of an image after unusable pixels have been masked.
  struct Pixels {
    /// The pixels, 0 where there is no number.
    var science: [Double]
    /// The rms, the median where unusable.
    var rms: [Double]
    /// True where bad.
    var mask: [Bool]
    /// True where the science input has no number.
    var isMissing: [Bool]
  }

  /// A mask of more than this share is remarked on.
  static let largeMask = 0.5

  /// The number of columns.
  let width: Int

  /// The number of rows.
  let height: Int

  /// The names of the inputs.
  let names: InputNames

  /// What was found so far.
  private(set) var findings: [InputFinding] = []

  /// Creates the checks of an image of the given shape.
  init(width: Int, height: Int, names: InputNames) {
    self.width = width
    self.height = height
    self.names = names
  }

  /// Adds a finding.
  private mutating func add(
    _ severity: InputFinding.Severity, _ code: String, _ subject: String, _ message: String
  ) {
    findings.append(InputFinding(severity, code, subject: subject, message))
  }

  // MARK: - Pixels

  /// Returns usable arrays, with unusable pixels masked.
  ///
  /// - Throws: `ObservedImageError` where lengths differ, no pixel is good, or a noise cannot be squared.
  mutating func pixels(
    science: [Double], noise: NoiseMap, mask: [Bool]?
  ) throws(ObservedImageError) -> Pixels {
    guard width > 0, height > 0 else {
      throw ObservedImageError(
        .emptyImage(width: width, height: height), subject: names.science)
    }
    let count = width * height
    let lengths = [
      (science.count, names.science), (noise.values.count, names.noise),
      (mask?.count ?? count, names.mask ?? "mask"),
    ]
    for (found, subject) in lengths where found != count {
      throw ObservedImageError(.wrongCount(expected: count, found: found), subject: subject)
    }

    var result = Pixels(
      science: science, rms: noise.values, mask: mask ?? [Bool](repeating: false, count: count),
      isMissing: [Bool](repeating: false, count: count))
    let masked = result.mask.count { $0 }
    maskMissing(&result, masked: mask)
    maskNoise(&result, noise: noise, masked: mask)
    guard result.mask.contains(false) else {
      throw ObservedImageError(
        .everythingMasked(masked: masked, unusable: count - masked),
        subject: mask == nil || masked < count ? names.science : names.mask ?? "mask")
    }
    // Losses divide by the square of the rms.
    for (rms, isMasked) in zip(result.rms, result.mask)
    where !isMasked && !(rms * rms).isNormal {
      throw ObservedImageError(.noiseOutOfRange(rms), subject: names.noise)
    }
    let values = zip(result.science, result.mask).lazy.filter { !$0.1 }.map { $0.0 }
    let goodCount = result.mask.count { !$0 }
    if goodCount > 1, let least = values.min(), let most = values.max(), least == most {
      add(
        .warning, "science-constant", names.science,
        "expected an image of a galaxy, found \(least) in every good pixel. Check the file and its extension."
      )
    }
    return result
  }

  /// Masks the pixels whose value is not a number, and says how many were not masked already.
  private mutating func maskMissing(_ pixels: inout Pixels, masked: [Bool]?) {
    var fresh = 0
    for i in pixels.science.indices where !pixels.science[i].isFinite {
      pixels.science[i] = 0
      pixels.isMissing[i] = true
      if !pixels.mask[i] { fresh += 1 }
      pixels.mask[i] = true
    }
    if fresh > 0 {
      add(
        .warning, "science-not-finite", names.science,
        "expected finite numbers, found \(fresh) unmasked pixels of NaN or infinity; they are masked. "
          + "Mask them in the mask to silence this.")
    }
  }

  /// Turns the map of the noise into an rms, masks the pixels where that fails, and says how many.
  private mutating func maskNoise(_ pixels: inout Pixels, noise: NoiseMap, masked: [Bool]?) {
    var notFinite = 0
    var notPositive = 0
    var zeroWeight = 0
    var usable: [Double] = []
    usable.reserveCapacity(pixels.rms.count)
    var isUsable = [Bool](repeating: true, count: pixels.rms.count)
    for (i, value) in pixels.rms.enumerated() {
      let rms: Double
      switch noise {
      case .rms: rms = value
      case .variance: rms = value < 0 ? value : value.squareRoot()
      case .weight: rms = value > 0 ? 1 / value.squareRoot() : value == 0 ? 0 : value
      }
      pixels.rms[i] = rms
      if rms.isFinite && rms > 0 {
        if !pixels.mask[i] { usable.append(rms) }
        continue
      }
      isUsable[i] = false
      if pixels.mask[i] { continue }
      pixels.mask[i] = true
      if !value.isFinite {
        notFinite += 1
      } else if case .weight = noise, value == 0 {
        zeroWeight += 1
      } else {
        notPositive += 1
      }
    }
    usable.sort()
    let fill = usable.isEmpty ? 1 : usable[usable.count / 2]
    for i in pixels.rms.indices where !isUsable[i] { pixels.rms[i] = fill }
    if notFinite > 0 {
      add(
        .warning, "rms-not-finite", names.noise,
        "expected finite numbers, found \(notFinite) unmasked pixels of NaN or infinity; they are masked. "
          + "Check how the \(noise.word) map was made.")
    }
    if notPositive > 0 {
      add(
        .warning, "rms-not-positive", names.noise,
        "expected a positive \(noise.word) in every good pixel, found \(notPositive) unmasked pixels that are not; "
          + "they are masked. Check how the \(noise.word) map was made.")
    }
    if zeroWeight > 0 {
      add(
        .note, "weight-zero", names.noise,
        "\(zeroWeight) unmasked pixels have weight 0: no data; they are masked.")
    }
  }

  // MARK: - Mask

  /// Remarks on a mask that covers much of the frame, or looks inverted.
  mutating func examineMask(_ mask: [Bool]?, pixels: Pixels) {
    guard let mask else { return }
    let share = Double(mask.count { $0 }) / Double(mask.count)
    guard share > Self.largeMask else { return }
    let subject = names.mask ?? "mask"
    let percent = (share * 1000).rounded() / 10
    if shareMaskedAtCenter(mask) > 0.5 {
      add(
        .warning, "mask-inverted", subject,
        "expected true (not 0) where pixels are bad, found \(percent) % masked and the frame's centre with them. "
          + "If the mask marks good pixels, say which value is good (mask good value).")
    } else {
      add(
        .warning, "mask-large", subject,
        "\(percent) % of the pixels are masked. If that is not meant, check the mask.")
    }
  }

  /// Returns the share of masked pixels among the central 3 × 3 (4 × 4 for even sizes).
  private func shareMaskedAtCenter(_ mask: [Bool]) -> Double {
    var masked = 0
    var count = 0
    for y in max(0, height / 2 - 1 - (height + 1) % 2)...min(height - 1, height / 2 + 1) {
      for x in max(0, width / 2 - 1 - (width + 1) % 2)...min(width - 1, width / 2 + 1) {
        count += 1
        if mask[y * width + x] { masked += 1 }
      }
    }
    return Double(masked) / Double(count)
  }

  // MARK: - Noise

  /// Remarks on an rms that does not look like one beside the scatter of neighbouring pixels.
  ///
  /// The scatter is 1.4826 · median|difference of horizontal neighbours| / √2, which is blind to smooth light. An rms
  /// of the right kind agrees within a small factor; where the square of the scatter, or one over it, agrees
  /// better than 1.5 while the scatter is off by more than 3, the map is a variance or a weight.
  mutating func examineNoise(_ pixels: Pixels) {
    var differences: [Double] = []
    var levels: [Double] = []
    for y in 0..<height {
      for x in stride(from: 0, to: width - 1, by: 1) {
        let i = y * width + x
        guard !pixels.mask[i], !pixels.mask[i + 1] else { continue }
        differences.append(abs(pixels.science[i + 1] - pixels.science[i]))
        levels.append(pixels.rms[i])
      }
    }
    // Fewer than 50 pairs do not give a scatter to 10 %.
    guard differences.count >= 50 else { return }
    differences.sort()
    levels.sort()
    let scatter = 1.4826 * differences[differences.count / 2] / 2.0.squareRoot()
    let rms = levels[levels.count / 2]
    guard scatter > 0, abs(log(scatter / rms)) > log(3) else { return }
    let form: String
    if abs(2 * log(scatter) - log(rms)) < log(1.5) {
      form = "variance"
    } else if abs(2 * log(scatter) + log(rms)) < log(1.5) {
      form = "weight (one over the variance)"
    } else {
      add(
        .note, "rms-scatter", names.noise,
        "the median rms is \(short(rms)), the scatter between neighbouring pixels \(short(scatter)): "
          + "correlated noise makes the scatter smaller, a wrong unit of the rms smaller or larger."
      )
      return
    }
    add(
      .warning, "rms-looks-like-\(form.prefix { $0 != " " })", names.noise,
      "expected an rms like the scatter between neighbouring pixels, \(short(scatter)), found a median of "
        + "\(short(rms)), which looks like a \(form). If it is one, give it as such.")
  }

  // MARK: - PSF

  /// Returns the PSF to use, and remarks on what is unusual in it.
  ///
  /// A PSF larger than the image is used whole: its sum stays what it is, and light that it sends out of the frame is
  /// lost, as it is in the sky.
  ///
  /// - Throws: `ObservedImageError` where it has NaN, or a sum that is not positive or, unless it is normalised, far from 1.
  mutating func pointSpread(
    _ psf: PointSpreadFunction?, normalize: Bool
  ) throws(ObservedImageError) -> PointSpreadFunction? {
    guard let psf else { return nil }
    let subject = names.psf ?? "psf"
    let bad = psf.values.count { !$0.isFinite }
    guard bad == 0 else {
      throw ObservedImageError(.pointSpreadNotFinite(count: bad), subject: subject)
    }
    let sum = psf.values.reduce(0, +)
    // A cut or rescaled PSF may sum to half or twice 1; ten times as much is another image, or peaks at 1.
    guard sum > 0, normalize || (0.1...10).contains(sum) else {
      throw ObservedImageError(.pointSpreadSum(sum), subject: subject)
    }
    let diagnostics = psf.diagnostics
    for finding in psf.findings(imageWidth: width, imageHeight: height) {
      if normalize && finding == .notNormalized { continue }
      let text = diagnostics.describe(finding)
      add(
        finding == .evenSized ? .note : .warning, Self.code(of: finding), subject,
        (text.hasPrefix("PSF: ") ? String(text.dropFirst(5)) : text) + ".")
    }
    if !normalize { return psf }
    return PointSpreadFunction(
      width: psf.width, height: psf.height, values: psf.values.map { $0 / sum },
      centerX: psf.centerX, centerY: psf.centerY, oversampling: psf.oversampling)
  }

  /// Returns the stable word for a finding about a PSF.
  private static func code(of finding: PointSpreadDiagnostics.Finding) -> String {
    switch finding {
    case .nonFinite: "psf-not-finite"
    case .noFlux, .notNormalized: "psf-sum"
    case .offCenter: "psf-off-center"
    case .evenSized: "psf-even"
    case .negative: "psf-negative"
    case .undersampled: "psf-undersampled"
    case .largerThanImage: "psf-larger-than-image"
    }
  }

  /// Returns the pixel response to use.
  mutating func response(_ given: PixelResponse?, hasPSF: Bool) -> PixelResponse {
    if hasPSF { return given ?? .included }
    if given == .included {
      add(
        .warning, "pixel-response", names.science,
        "there is no PSF that could include the pixel response; the profile is integrated over each pixel. "
          + "Give a PSF, or ask for the integrated response.")
    }
    return .integrated
  }

  /// Returns a number with four significant digits.
  private func short(_ value: Double) -> String { shortened(value) }
}

/// Returns a number with four significant digits, for messages.
package func shortened(_ value: Double) -> String {
  guard value.isFinite, value != 0 else { return "\(value)" }
  let exponent = floor(log10(abs(value)))
  if exponent < -5 || exponent > 8 {
    let mantissa = (value / pow(10, exponent) * 1000).rounded() / 1000
    return "\(mantissa)e\(Int(exponent))"
  }
  // Powers of ten up to 22 are exact, so that one operation rounds once and the text is short.
  if exponent > 3 {
    let step = pow(10, exponent - 3)
    return "\((value / step).rounded() * step)"
  }
  let scale = pow(10, 3 - exponent)
  return "\((value * scale).rounded() / scale)"
}
