// SPDX-License-Identifier: MIT
//
// How a scene is rendered, and how much time may be spent on preparing it.

/// The way from a light profile to an image.
///
/// Where the PSF contains the pixel response all of them draw the same image: the profile convolved with the PSF, sampled at
/// pixel centres. Where it does not, or there is none, profiles are integrated over pixels whatever the way, and the hybrid
/// one is refused.
public enum RenderingMethod: String, Sendable, Hashable, Codable, CaseIterable {
  /// The radial Fourier table: one inverse FFT for all components; right to some 1e-6 of the peak.
  case fourier
  /// pysersic's fifteen Gaussians, half in Fourier space, half in pixels: for comparison with it; wrong by 0.03–17 % of the peak.
  case hybrid
  /// The integral over the profile itself, fine at the source: right to 1e-8 of the peak, and some hundred times slower.
  case pixel
}
