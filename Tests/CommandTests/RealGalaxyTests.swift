// SPDX-License-Identifier: MIT
//
// A real galaxy against an independent accurate computation; skipped where the data are not beside the package.

import Foundation
import Testing

@Suite("Command: a real galaxy")
struct RealGalaxyTests {
  /// The folder of the galaxy, beside the package.
  static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "shared/data/gal1")

  /// Whether data and command are there.
  static var isPossible: Bool {
    SersicProcess.path != nil
      && FileManager.default.fileExists(atPath: folder.appending(path: "image.fits").path)
  }

  /// Values and standard deviations of an independent computation with an accurate renderer (its posterior is sampled).
  static let reference: [String: (value: Double, sd: Double)] = [
    "xc": (60.0461, 0.0046), "yc": (60.0530, 0.0049), "flux": (1726.61, 3.8),
    "r_eff": (3.24916, 0.011), "n": (1.87926, 0.020), "ellip": (0.263082, 0.0025),
    "theta": (0.48265, 0.0055),
  ]

  @Test(
    "maximum and standard deviations agree with an independent computation",
    .enabled(if: isPossible, "needs the command, and shared/data/gal1 beside the package"))
  func agrees() throws {
    let names = ["image", "rms", "psf", "mask"].map {
      Self.folder.appending(path: "\($0).fits").path
    }
    let outcome = try SersicProcess.run([
      "fit", names[0], "--rms", names[1], "--psf", names[2], "--mask", names[3], "--profile",
      "sersic", "--sky", "none", "--loss", "student-t:dof=5,scale=1.2247449", "--prior-style",
      "pysersic", "--method", "laplace", "--json",
    ])
    #expect(outcome.status == 0, "\(outcome.errors)")
    let parameters = try #require(outcome.json["parameters"] as? [String: [String: Any]])
    for (name, reference) in Self.reference {
      let map = parameters[name]?["map"] as? Double ?? .nan
      let sd = parameters[name]?["sd"] as? Double ?? .nan
      // A tenth of the standard deviation: the goal; the reference's last digit is a twentieth of it at most.
      #expect(abs(map - reference.value) < 0.1 * reference.sd, "\(name) \(map)")
      // 5 %: the goal; the reference has two digits, whose rounding alone is up to 2.2 %.
      #expect(abs(sd / reference.sd - 1) < 0.05, "\(name) sd \(sd)")
    }
  }
}
