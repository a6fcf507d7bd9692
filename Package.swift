// swift-tools-version: 6.2
// SPDX-License-Identifier: MIT
//
// The package of swift-sersic: modules by row, lowest first; Sources/README.md is the map.

import PackageDescription

/// The settings of every Swift target.
let settings: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .treatAllWarnings(as: .error),
]

/// Returns a Swift module, in `Sources/NAME` unless another folder is given.
func module(_ name: String, _ dependencies: [Target.Dependency] = [], path: String? = nil) -> Target
{
  .target(name: name, dependencies: dependencies, path: path, swiftSettings: settings)
}

/// Returns the tests of a module, in `Tests/NAMETests`.
func tests(
  _ name: String, _ dependencies: [Target.Dependency] = [], resources: [Resource] = []
) -> Target {
  .testTarget(
    name: name + "Tests", dependencies: dependencies + ["TestSupport"],
    resources: resources, swiftSettings: settings)
}

/// Returns a program, in `Sources/NAME`.
func program(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .executableTarget(name: name, dependencies: dependencies, swiftSettings: settings)
}

/// Returns the tutorial NUMBER, in `Tutorials/NUMBER-NAME`; its program is `TutorialNUMBERNAME`.
func tutorial(_ number: String, _ name: String, _ dependencies: [Target.Dependency] = []) -> Target
{
  .executableTarget(
    name: "Tutorial" + number + name, dependencies: ["SwiftSersic"] + dependencies,
    path: "Tutorials/\(number)-\(name)", exclude: ["README.md", "Pictures"],
    swiftSettings: settings)
}

/// Returns a C library of the system, found by pkg-config.
func system(_ name: String, _ pkgConfig: String, apt: String, brew: String) -> Target {
  .systemLibrary(
    name: name, pkgConfig: pkgConfig, providers: [.apt([apt]), .brew([brew])])
}

let arguments: Target.Dependency = .product(
  name: "ArgumentParser", package: "swift-argument-parser")
let yaml: Target.Dependency = .product(name: "Yams", package: "Yams")

let csv: Target.Dependency = .product(name: "SwiftCSV", package: "SwiftCSV")

// The plugin that builds the documentation is for `make docs` alone, which sets the variable: nobody else has to fetch it.
let documentation: [Package.Dependency] =
  Context.environment["SERSIC_DOCS"] == nil
  ? [] : [.package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.5.0")]

// SEP, which finds sources, is packaged by Debian and Ubuntu, not by Homebrew: elsewhere the package does without it.
#if os(Linux)
  let sourceExtractor: [Target] = [.systemLibrary(name: "CSEP", providers: [.apt(["libsep-dev"])])]
#else
  let sourceExtractor: [Target] = []
#endif
let sourceExtractorDependencies = sourceExtractor.map { Target.Dependency(stringLiteral: $0.name) }

let package = Package(
  name: "swift-sersic",
  platforms: [.macOS(.v15)],
  products: [
    .library(name: "SwiftSersic", targets: ["SwiftSersic"]),
    .library(
      name: "PPL",
      targets: ["Tensors", "Distributions", "PPL", "Inference", "ReferenceModels", "JSON"]),
    .executable(name: "sersic", targets: ["sersic"]),
  ],
  dependencies: documentation + [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
    .package(url: "https://github.com/swiftcsv/SwiftCSV", from: "0.10.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
  ],
  targets: sourceExtractor + [
    // Row -1: C.
    .target(name: "CKernels"),
    system("CFFTW", "fftw3", apt: "libfftw3-dev", brew: "fftw"),
    system("CCFITSIO", "cfitsio", apt: "libcfitsio-dev", brew: "cfitsio"),
    system("COpenBLAS", "openblas", apt: "libopenblas-dev", brew: "openblas"),
    system("CCairo", "cairo", apt: "libcairo2-dev", brew: "cairo"),
    system("CWCS", "wcslib", apt: "wcslib-dev", brew: "wcslib"),
    // Row 0: machine.
    module("Numerics", ["CKernels", "CFFTW", "COpenBLAS"]),
    // Row 1: arrays.
    module("Tensors", ["CKernels", "Numerics"]),
    // Row 2: densities.
    module("Distributions", ["Numerics", "Tensors"]),
    // Row 3: language, and the leaves that know images.
    module("PPL", ["Numerics", "Tensors", "Distributions"]),
    module("Rendering", ["CKernels", "Numerics", "Tensors"]),
    module("FITS", ["CCFITSIO", "CWCS", "Numerics"]),
    module("Plotting", ["CCairo", "Numerics"]),
    module("ASDF", [yaml, "Numerics"]),
    module("JSON"),
    // Row 4: inference.
    module(
      "Inference", ["CKernels", "Numerics", "Tensors", "Distributions", "PPL", "ASDF", "JSON"]),
    // Row 5: models.
    module(
      "GalaxyModels", ["Numerics", "Tensors", "Distributions", "PPL", "Rendering", "FITS"],
      path: "Models/Galaxies"),
    module(
      "ReferenceModels", ["Numerics", "Tensors", "Distributions", "PPL"], path: "Models/Reference"),
    // Row 6: workflow.
    module(
      "GalaxyFitting",
      [
        "Numerics", "Tensors", "Distributions", "PPL", "Rendering", "FITS", "Plotting",
        "Inference", "GalaxyModels", "JSON", "ASDF", csv, yaml,
      ] + sourceExtractorDependencies),
    // Row 7: face.
    module(
      "SwiftSersic",
      [
        "Numerics", "Tensors", "Distributions", "PPL", "Rendering", "Inference", "GalaxyModels",
        "GalaxyFitting", "Plotting", "JSON",
      ]
    ),
    // Row 8: programs.
    program(
      "sersic",
      [
        "Numerics", "Rendering", "FITS", "ASDF", "Inference", "GalaxyModels", "GalaxyFitting",
        "JSON", "Plotting", arguments,
      ]),
    program(
      "Benchmarks",
      [
        "SwiftSersic", "FITS", "Rendering", "Inference", "ReferenceModels", "PPL", "Tensors",
        "Numerics",
        arguments,
      ]),
    tutorial("01", "FirstFit"),
    tutorial("02", "ManySources"),
    tutorial("03", "SeveralBands"),
    tutorial("04", "YourOwnGalaxy"),
    tutorial("05", "NewKernel", ["ReferenceModels"]),
    // Tests, by module.
    .target(
      name: "TestSupport",
      dependencies: ["Numerics", "Tensors", "Distributions", "PPL", "Inference"],
      path: "Tests/TestSupport", swiftSettings: settings),
    tests("Architecture"),
    tests("Readme", ["SwiftSersic", "FITS"]),
    tests("SwiftSersic", ["SwiftSersic"]),
    tests("Numerics", ["Numerics"], resources: [.copy("Golden")]),
    .target(name: "AllocationCounter", path: "Tests/AllocationCounter"),
    tests("Tensors", ["Tensors", "Numerics", "AllocationCounter"], resources: [.copy("Golden")]),
    tests("Distributions", ["Distributions", "Tensors", "Numerics"], resources: [.copy("Golden")]),
    tests("PPL", ["PPL", "Distributions", "Tensors", "Numerics"]),
    tests(
      "Inference",
      [
        "Inference", "PPL", "Distributions", "Tensors", "Numerics", "ASDF", "JSON",
        "AllocationCounter",
      ],
      resources: [.copy("Golden")]),
    tests(
      "ReferenceModels",
      ["ReferenceModels", "Inference", "PPL", "Distributions", "Tensors", "Numerics"]),
    tests(
      "TypeChecking", ["Inference", "PPL", "Distributions", "Tensors"],
      resources: [.copy("Fixtures")]),
    tests(
      "Rendering", ["Rendering", "Tensors", "Numerics", "FITS", "AllocationCounter"],
      resources: [.copy("Golden")]),
    tests("FITS", ["FITS"], resources: [.copy("Golden")]),
    tests("ASDF", ["ASDF"], resources: [.copy("Golden")]),
    tests("JSON", ["JSON"]),
    tests("Plotting", ["Plotting", "CCairo"]),
    tests(
      "GalaxyFitting", ["GalaxyFitting", "GalaxyModels", "Rendering", "FITS", "Numerics", "JSON"],
      resources: [.copy("Golden")]),
    tests("Command", ["sersic", "FITS", "ASDF"], resources: [.copy("Golden")]),
    tests(
      "Tutorials",
      [
        "Tutorial01FirstFit", "Tutorial02ManySources", "Tutorial03SeveralBands",
        "Tutorial04YourOwnGalaxy", "Tutorial05NewKernel",
      ]),
  ],
  swiftLanguageModes: [.v6]
)
