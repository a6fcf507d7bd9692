// SPDX-License-Identifier: MIT
//
// Whether a point-spread function already contains the response of the pixel.

/// Says whether the PSF image contains the pixel response; the two conventions differ by 0.3–10 % of the peak.
public enum PixelResponse: String, Sendable, Hashable, Codable, CaseIterable {
  /// The PSF was measured from stars on pixels, and contains the response: an effective PSF.
  case included
  /// The PSF is optical, or there is none: the profile is integrated over each pixel first.
  case integrated
}
