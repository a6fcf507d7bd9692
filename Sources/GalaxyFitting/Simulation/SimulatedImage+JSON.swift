// SPDX-License-Identifier: MIT
//
// The truth behind a simulated image as JSON: the schema swift-sersic/truth/1.

import GalaxyModels
public import JSON
import Rendering

extension SimulatedImage {
  /// Returns what the image was made of as a JSON document of the schema `swift-sersic/truth/1`.
  ///
  /// - Parameters:
  ///   - seed: The seed of the noise.
  ///   - command: The command line; nil for a program.
  /// - Returns: The document.
  public func truth(seed: UInt64, command: String? = nil) -> JSONValue {
    let recipe = simulation
    return .members([
      "schema": "swift-sersic/truth/1",
      "version": .string(swiftSersicVersion),
      "command": command.map { .string($0) },
      "profile": .string(recipe.title),
      "profiles": recipe.isScene
        ? .array(recipe.sources.map { .string($0.profile.rawValue) }) : nil,
      "sky": .string(recipe.sky.rawValue),
      "parameters": .object(
        recipe.sites.map {
          JSONValue.Member(name: $0, value: .number(recipe.parameters[$0] ?? .nan))
        }),
      "width": .integer(recipe.width),
      "height": .integer(recipe.height),
      "noise": .string("\(recipe.noise)"),
      "pixel_response": .string(recipe.pixelResponse.rawValue),
      "psf_width": recipe.psf.map { .integer($0.width) },
      "psf_height": recipe.psf.map { .integer($0.height) },
      "psf_sum": recipe.psf.map { .number($0.values.reduce(0, +)) },
      "seed": .integer(Int(clamping: seed)),
    ])
  }
}
