// SPDX-License-Identifier: MIT
//
// The face of the package: one import for what a model author and a fitter need.

@_exported public import Distributions
@_exported public import GalaxyFitting
@_exported public import GalaxyModels
@_exported public import Inference
@_exported public import JSON
@_exported public import Numerics
@_exported public import PPL
@_exported public import Plotting
@_exported public import Rendering
@_exported public import Tensors
