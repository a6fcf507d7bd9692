// SPDX-License-Identifier: MIT
//
// Where results go: folders that cannot be written, full disks, closed pipes, Ctrl-C. What was computed is never lost.

import Foundation
import Testing

@Suite("Command: output", .enabled(if: SersicProcess.path != nil, "the command is not built"))
struct OutputTests {
  @Test("an output that is a file, or lies below one, is refused before the fit")
  func notAFolder() throws {
    let scene = try CommandScene()
    let file = try scene.run(sky: "none", "--output", "rms.fits")
    #expect(file.status == 2 && file.output == "" && file.errors.contains("rms.fits"))
    #expect(file.errors.contains("found a file"))
    let below = try scene.run(sky: "none", "--output", "rms.fits/deep/er")
    #expect(below.status == 2 && below.output == "" && !below.errors.contains("fitting"))
  }

  @Test("an output folder that cannot be written is refused before the fit")
  func notWritable() throws {
    let scene = try CommandScene()
    // Below /proc nobody can make a folder, not even root.
    let outcome = try scene.run(sky: "none", "--output", "/proc/sersic-results")
    #expect(outcome.status == 2 && outcome.output == "" && !outcome.errors.contains("fitting"))
    #expect(outcome.errors.contains("--output"))
    let locked = scene.folder.url.appending(path: "locked")
    try FileManager.default.createDirectory(
      at: locked, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o555])
    // Permissions do not bind root.
    guard !FileManager.default.isWritableFile(atPath: locked.path) else { return }
    let refused = try scene.run(sky: "none", "--output", "locked")
    #expect(refused.status == 2 && refused.errors.contains("locked"))
  }

  @Test("folders are made with their parents, and results replace older ones")
  func makesFolders() throws {
    let scene = try CommandScene()
    for _ in 0..<2 {
      let outcome = try scene.run(sky: "none", "--output", "a/b/c/", "--method", "laplace")
      #expect(outcome.status == 0, "\(outcome.errors)")
    }
    #expect(
      scene.folder.names(in: "a/b/c") == [
        "corner.png", "model.fits", "posterior.asdf", "residual.png", "result.json",
      ])
    #expect(try scene.run(sky: "none", "--output", "plain", "--no-plots").status == 0)
    #expect(scene.folder.names(in: "plain") == ["model.fits", "result.json"])
  }

  @Test("without --output nothing is written, and the command says how to keep the results")
  func noOutput() throws {
    let scene = try CommandScene()
    let before = scene.folder.names(in: ".")
    let outcome = try scene.run()
    #expect(outcome.status == 0 && outcome.errors.contains("--output DIR"))
    #expect(scene.folder.names(in: ".") == before)
  }

  @Test("a file that does not fit on the disk fails alone: the table and the other files are there")
  func fullDisk() throws {
    let scene = try CommandScene()
    // 16 blocks of 512 bytes hold result.json (6 kB), but not model.fits (130 kB).
    let outcome = try SersicProcess.run(
      scene.words(sky: "none") + ["--output", "out"], in: scene.folder.url, fileBlocks: 16)
    #expect(outcome.status == 1, "\(outcome.errors)")
    #expect(outcome.output.contains("r_eff") && outcome.output.contains("converged"))
    #expect(outcome.errors.contains("out/model.fits was not written"))
    #expect(outcome.errors.contains("wrote result.json"))
    // The advice does not send to a file that is not there.
    #expect(!outcome.errors.contains("RESIDUAL") && outcome.errors.contains("make room in out"))
    // Nothing is left half written.
    #expect(scene.folder.names(in: "out") == ["result.json"])
    #expect(scene.folder.json("out/result.json")["schema"] as? String == "swift-sersic/result/1")
  }

  @Test(
    "a standard output that takes nothing does not keep the files from being written",
    .enabled(if: FileManager.default.fileExists(atPath: "/dev/full"), "there is no /dev/full"))
  func fullStandardOutput() throws {
    let scene = try CommandScene()
    let outcome = try SersicProcess.run(
      scene.words(sky: "none") + ["--output", "out"], in: scene.folder.url, output: "/dev/full")
    #expect(outcome.status == 1 && outcome.errors.contains("standard output"))
    #expect(scene.folder.names(in: "out").contains("result.json"))
    let help = try SersicProcess.run(["--help"], output: "/dev/full")
    #expect(help.status == 1)
  }

  @Test("a simulation that does not fit on the disk says which files are missing")
  func fullDiskSimulation() throws {
    let scene = try CommandScene()
    let words = CommandScene.truth.flatMap { ["--param", "\($0)=\($1)"] }
    let outcome = try SersicProcess.run(
      ["simulate", "--size", "90x90", "--output", "sim"] + words, in: scene.folder.url,
      fileBlocks: 16)
    #expect(outcome.status == 1 && outcome.errors.contains("sim/image.fits was not written"))
    #expect(scene.folder.names(in: "sim") == ["truth.json"])
  }

  @Test(
    "a request to end, like Ctrl-C, stops the search and keeps the best point so far, table and files"
  )
  func interrupted() throws {
    let folder = try TemporaryFolder()
    let words = CommandScene.truth.merging(["xc": 200, "yc": 200, "r_eff": 40, "n": 5]) { $1 }
      .flatMap { ["--param", "\($0)=\($1)"] }
    let simulated = try SersicProcess.run(
      ["simulate", "--size", "401x401", "--noise", "gaussian:0.001", "--output", "."] + words,
      in: folder.url)
    #expect(simulated.status == 0, "\(simulated.errors)")
    // Integration over pixels of such an image takes a tenth of a second and more for each of many steps.
    let outcome = try SersicProcess.run(
      ["fit", "image.fits", "--rms", "rms.fits", "--output", "out", "--no-plots"], in: folder.url,
      interruptAfter: "fitting")
    #expect(outcome.status == 1, "\(outcome.errors)")
    #expect(outcome.errors.contains("[interrupted]"))
    #expect(outcome.output.contains("stopped on request") && outcome.output.contains("r_eff"))
    let fit = folder.json("out/result.json")["fit"] as? [String: Any]
    #expect(fit?["converged"] as? Bool == false && fit?["reason"] as? String == "cancelled")
  }
}
