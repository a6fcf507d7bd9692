// SPDX-License-Identifier: MIT
//
// The face of the package: one import that brings all that a model author needs.

@_exported public import Distributions
@_exported public import GalaxyFitting
@_exported public import GalaxyModels
@_exported public import Inference
@_exported public import Numerics
@_exported public import PPL
@_exported public import Rendering
@_exported public import Tensors
