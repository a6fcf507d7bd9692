// SPDX-License-Identifier: MIT
//
// Writing GALFIT's configurations, as GALFIT 3 itself writes them.

import Foundation

extension GalfitConfiguration {
  /// The configuration as the text of a file that GALFIT 3 reads.
  public var text: String {
    /// Returns the name of a file, or none.
    func file(_ name: String?) -> String { name ?? "none" }
    let whole = region ?? Region(x: 1...1, y: 1...1)
    let box = convolutionBox ?? (100, 100)
    let scale = plateScale.count == 2 ? plateScale : [1, 1]
    var lines = [
      "# IMAGE and GALFIT CONTROL PARAMETERS",
      header("A", file(image), "Input data image (FITS file)"),
      header("B", file(output), "Output data image block"),
      header("C", file(sigma), "Sigma image"),
      header("D", file(psf), "Input PSF image"),
      header("E", "\(psfSampling)", "PSF fine sampling factor relative to data"),
      header("F", file(mask), "Bad pixel mask"),
      header("G", file(constraintFile), "File with parameter constraints"),
      header(
        "H",
        "\(whole.x.lowerBound) \(whole.x.upperBound) \(whole.y.lowerBound) \(whole.y.upperBound)",
        "Image region to fit (xmin xmax ymin ymax)"),
      header("I", "\(box.x) \(box.y)", "Size of the convolution box (x y)"),
      header("J", decimal(zeroPoint, 4), "Magnitude photometric zeropoint"),
      header("K", "\(scale[0]) \(scale[1])", "Plate scale (dx dy) [arcsec per pixel]"),
      header("O", "regular", "Display type (regular, curses, both)"),
      header("P", "0", "Choose: 0=optimize, 1=model, 2=imgblock, 3=subcomps"),
    ]
    for (number, component) in components.enumerated() {
      lines += ["", "# Component number: \(number + 1)"] + component.lines
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// Returns a line of the header.
  private func header(_ key: String, _ value: String, _ comment: String) -> String {
    let padded = value + String(repeating: " ", count: max(0, 26 - value.count))
    return "\(key)) \(padded) # \(comment)"
  }
}

extension GalfitConfiguration.Component {
  /// The lines of the component.
  fileprivate var lines: [String] {
    /// Returns a line.
    func line(_ number: Int, _ words: [String], _ comment: String) -> String {
      let text = words.joined(separator: " ")
      let padded = text + String(repeating: " ", count: max(0, 26 - text.count))
      return (number < 10 ? " " : "") + "\(number)) \(padded) # \(comment)"
    }
    /// Returns the flag of a parameter.
    func flag(_ parameter: GalfitConfiguration.Parameter) -> String {
      values[parameter]?.isFree == true ? "1" : "0"
    }
    /// Returns the number of a parameter.
    func number(_ parameter: GalfitConfiguration.Parameter) -> String {
      let value = values[parameter]?.value ?? .nan
      // Four decimals as GALFIT; slopes of the sky need more.
      return [.sky, .skyX, .skyY].contains(parameter)
        ? String(format: "%.6e", value) : decimal(value, 4)
    }
    var result = [line(0, [kind.rawValue], "Component type")]
    if kind != .sky {
      result.append(
        line(1, [number(.x), number(.y), flag(.x), flag(.y)], "Position x, y"))
    }
    for parameter in kind.parameters where parameter != .x && parameter != .y {
      result.append(
        line(parameter.line, [number(parameter), flag(parameter)], comment(parameter)))
    }
    result.append(
      " Z) \(isSkipped ? 1 : 0)                          # Skip this model in output image? (yes=1, no=0)"
    )
    return result
  }

  /// Returns what a parameter is, in GALFIT's words.
  private func comment(_ parameter: GalfitConfiguration.Parameter) -> String {
    switch parameter {
    case .x, .y: "Position"
    case .magnitude: "Integrated magnitude"
    case .radius:
      switch kind {
      case .expdisk: "R_s (disk scale-length) [pix]"
      case .gaussian, .moffat: "FWHM [pix]"
      default: "R_e (effective radius) [pix]"
      }
    case .index: kind == .moffat ? "Powerlaw" : "Sersic index n (de Vaucouleurs n=4)"
    case .axisRatio: "Axis ratio (b/a)"
    case .positionAngle: "Position angle (PA) [deg: Up=0, Left=90]"
    case .sky: "Sky background at center of fitting region [ADUs]"
    case .skyX: "dsky/dx (sky gradient in x) [ADUs/pix]"
    case .skyY: "dsky/dy (sky gradient in y) [ADUs/pix]"
    }
  }
}
