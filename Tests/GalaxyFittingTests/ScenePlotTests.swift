// SPDX-License-Identifier: MIT
//
// The numbers of sources in pictures of scenes: those of the names of their parameters.

import GalaxyFitting
import GalaxyModels
import Testing

@Suite("Pictures of scenes") struct ScenePlotTests {
  @Test("several sources have the numbers of their sites")
  func severalSources() throws {
    var scene = SimulatedScene(sources: [
      (.pointsource, ["xc": 12.2, "yc": 15.4, "flux": 60]),
      (.pointsource, ["xc": 30.1, "yc": 9.7, "flux": 40]),
    ])
    scene.width = 41
    scene.height = 31
    let image = try scene.image()
    let best = try FitMulti(image, prior: scene.catalog.prior(in: image)).findMAP()
    let report = FitResult(best).record.report
    let numbers = report.sources.map { report.pictureNumber(of: $0) }
    #expect(numbers == ["0", "1"])
    #expect(zip(report.sources, numbers).allSatisfy { $0.site("xc") == "xc_" + $1 })
  }

  @Test("one source has none")
  func oneSource() throws {
    let report = try RecordScene.result("map").record.report
    #expect(report.sources.map { report.pictureNumber(of: $0) } == [""])
  }
}
