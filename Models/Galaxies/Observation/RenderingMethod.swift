// SPDX-License-Identifier: MIT
//
// How a scene is rendered, and how much time may be spent on preparing it.

/// The way from a light profile to an image.
public enum RenderingMethod: String, Sendable, Hashable, Codable, CaseIterable {
  /// The radial Fourier table: one inverse FFT for all components.
  case fourier
  /// Exact integrals over pixels, and a linear convolution: slower; needed for optical PSFs and without a PSF.
  case pixel
}
