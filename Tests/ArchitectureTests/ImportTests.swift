// SPDX-License-Identifier: MIT
//
// The rows of the house: a module imports lower rows only, never its own (Sources/README.md is the map).

import Testing

/// The rows of the house and what else modules may import.
private enum House {
  /// The row of each module of the package; tutorials by their folder.
  static let rows: [String: Int] = [
    "CKernels": -1, "CFFTW": -1, "CCFITSIO": -1, "COpenBLAS": -1, "CCairo": -1,
    "CSEP": -1, "CWCS": -1,
    "Numerics": 0, "Tensors": 1, "Distributions": 2,
    "PPL": 3, "Rendering": 3, "FITS": 3, "ASDF": 3, "JSON": 3, "Plotting": 3,
    "Inference": 4, "GalaxyModels": 5, "ReferenceModels": 5, "GalaxyFitting": 6,
    "SwiftSersic": 7, "sersic": 8, "Benchmarks": 8, "01-FirstFit": 8, "02-ManySources": 8,
    "03-SeveralBands": 8, "04-YourOwnGalaxy": 8, "05-NewKernel": 8,
  ]

  /// The module that a folder holds, where its name is not the folder's.
  static let folders = ["Models/Galaxies": "GalaxyModels", "Models/Reference": "ReferenceModels"]

  /// Modules of the toolchain and of packages, and who may import them; nil: everybody.
  static let outside: [String: Set<String>?] = [
    "Glibc": nil, "Darwin": nil, "Musl": nil, "Synchronization": nil, "Dispatch": nil,
    "Foundation": [
      "FITS", "ASDF", "JSON", "Plotting", "GalaxyModels", "GalaxyFitting", "sersic", "Benchmarks",
      "01-FirstFit", "02-ManySources", "03-SeveralBands", "04-YourOwnGalaxy", "05-NewKernel",
    ],
    "ArgumentParser": ["sersic", "Benchmarks"],
    "SwiftCSV": ["GalaxyFitting"],
    "Yams": ["ASDF", "GalaxyFitting"],
  ]

  /// Lower rows that a module must not know all the same.
  static let unknown: [String: Set<String>] = [
    // Rendering knows profiles, PSFs and images, but no priors and no sites.
    "Rendering": ["Distributions"],
    // Files and drawings are made of arrays.
    "FITS": ["Tensors", "Distributions"],
    "Plotting": ["Tensors", "Distributions"],
    "ASDF": ["Tensors", "Distributions"],
    "JSON": ["Tensors", "Distributions"],
    // Models do not know how they are fitted.
    "GalaxyModels": ["Inference"],
    "ReferenceModels": ["Inference"],
  ]

  /// Returns the module of a file.
  static func module(_ file: SourceFile) -> String {
    folders[file.folder] ?? String(file.folder.split(separator: "/").last ?? "")
  }

  /// Returns the module that a line of code imports, or nil.
  static func imported(_ line: String) -> String? {
    var words = line.split(whereSeparator: { $0 == " " || $0 == "\t" }).map { String($0) }
    let before: Set<String> = [
      "public", "package", "internal", "fileprivate", "private", "@_exported", "@preconcurrency",
      "@testable",
    ]
    while let first = words.first, before.contains(first) { words.removeFirst() }
    guard words.first == "import", words.count > 1 else { return nil }
    let kinds: Set<String> = ["struct", "class", "enum", "protocol", "func", "let", "var"]
    let path = kinds.contains(words[1]) && words.count > 2 ? words[2] : words[1]
    return path.split(separator: ".").first.map { String($0) }
  }
}

@Suite("Imports")
struct ImportTests {
  @Test("the reader of imports sees every form of them")
  func readsImports() {
    #expect(House.imported("import PPL") == "PPL")
    #expect(House.imported("  @_exported public import Tensors") == "Tensors")
    #expect(House.imported("package import struct FITS.FITSImage") == "FITS")
    #expect(House.imported("important(PPL)") == nil)
  }

  @Test("every module has its row in the house")
  func knownModules() {
    let unknown = Set(SourceTree.modules.map { House.module($0) }).filter { House.rows[$0] == nil }
    #expect(unknown.sorted() == [], "give each a row here and a line in Sources/README.md")
    #expect(SourceTree.modules.count > 50, "the walk over the sources found too little")
  }

  @Test("a module imports lower rows only")
  func downwards() {
    var violations: [String] = []
    for file in SourceTree.modules {
      let module = House.module(file)
      for name in file.code.compactMap({ House.imported($0) }) {
        if let problem = problem(module, imports: name) {
          violations.append("\(file.path): \(problem)")
        }
      }
    }
    #expect(violations == [])
  }

  /// Returns why a module must not import another, or nil where it may.
  private func problem(_ module: String, imports name: String) -> String? {
    if let row = House.rows[name] {
      if row >= House.rows[module] ?? 9 {
        return "\(module) imports \(name), which is not in a lower row"
      }
      if House.unknown[module]?.contains(name) ?? false { return "\(module) must not know \(name)" }
      return nil
    }
    guard let importers = House.outside[name] else {
      return "\(module) imports \(name), which has no place in the house"
    }
    if let importers, !importers.contains(module) { return "\(module) must do without \(name)" }
    return nil
  }
}
