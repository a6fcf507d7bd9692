// SPDX-License-Identifier: MIT
//
// `sersic check`: sound inputs pass, doubtful ones are remarked on, unusable ones end with status 2.

import Foundation
import Testing

@Suite("Command: check", .enabled(if: SersicProcess.path != nil, "the command is not built"))
struct CheckCommandTests {
  @Test("sound inputs are measured and pass")
  func sound() throws {
    let scene = try CommandScene()
    let outcome = try scene.run("check")
    #expect(outcome.status == 0, "\(outcome.errors)")
    for word in ["49 × 45", "PSF", "source", "can be fitted"] {
      #expect(outcome.output.contains(word), "\(outcome.output)")
    }
    let json = try scene.run("check", "--json").json
    #expect(json["usable"] as? Bool == true && json["schema"] as? String == "swift-sersic/check/1")
    let source = json["source"] as? [String: Any]
    // A guess: within a pixel of the truth.
    #expect(abs((source?["xc"] as? Double ?? .nan) - 23.3) < 1)
  }

  @Test("inputs that cannot be used end with status 2 and say why")
  func unusable() throws {
    let scene = try CommandScene()
    let outcome = try scene.run("check", image: "absent.fits", "--json")
    #expect(outcome.status == 2 && outcome.json["usable"] as? Bool == false)
    let findings = outcome.json["findings"] as? [[String: String]]
    #expect(findings?.first?["severity"] == "error")
    #expect(try scene.run("check", psf: "absent.fits").output.contains("cannot be fitted: 1 error"))
  }

  @Test(
    "the guesses are drawn where that is asked for, and a picture that cannot be written is said")
  func picture() throws {
    let scene = try CommandScene()
    let outcome = try scene.run("check", "--plot", "guesses.png")
    #expect(outcome.status == 0 && outcome.output.contains("can be fitted"), "\(outcome.errors)")
    let bytes = try Data(contentsOf: scene.folder.url.appending(path: "guesses.png"))
    #expect(bytes.starts(with: [0x89, 0x50, 0x4e, 0x47]))
    let wrong = try scene.run("check", "--plot", "absent/guesses.png")
    #expect(wrong.status == 1 && wrong.errors.contains("absent/guesses.png"), "\(wrong.errors)")
    // The report is not lost with the picture.
    #expect(wrong.output.contains("can be fitted"))
  }
}
