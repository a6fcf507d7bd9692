// SPDX-License-Identifier: MIT
//
// The compiled density of a stock fit, and what its image does not allow as a mistake in the inputs.

import GalaxyModels
import Inference
import PPL
import Rendering

extension Model {
  /// Compiles the log density of a stock fit.
  ///
  /// - Throws: `GalaxyModelError` where an image does not go with the loss or the way of rendering; else `ModelError`.
  func fitDensity() throws -> CompiledDensity {
    do {
      return try logDensity()
    } catch let error as ModelError {
      switch error.underlying {
      case let cause as GalaxyModelError: throw cause
      case is RenderingError: throw GalaxyModelError(.unusableImage(error.explanation))
      default: throw error
      }
    }
  }
}
