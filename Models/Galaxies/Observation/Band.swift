// SPDX-License-Identifier: MIT
//
// One band of a joint model: an image with its sky and loss, and where the joint frame lies on it.

import Numerics
public import Distributions
public import Rendering

/// One band of a joint model.
///
/// ```swift
/// let g = Band("g", try ObservedImage(science: "g.fits", rms: "g_rms.fits", psf: "g_psf.fits"), wavelength: 480)
/// ```
public struct Band: Sendable {
  /// The name: sites of the stock model end in `_NAME`; in models of one's own it may be a scope.
  public let name: String

  /// The image.
  public let image: ObservedImage

  /// The wavelength, in any unit that all bands share; nil where no parameter follows it.
  public let wavelength: Double?

  /// The sky of the stock model.
  public let sky: SkyKind

  /// The density of the pixels around the stock model's image.
  public let loss: ImageLoss

  /// The prior of the flux in this band, for models of one's own; the stock model has it in ``BandsPrior``.
  public let fluxPrior: any Distribution

  /// Where the joint frame lies on the band's pixels, where that was said; nil: the world coordinates of the headers tell.
  public let givenMap: PlaneMap?

  /// Where the joint frame lies on the band's pixels; the same pixels where nothing was said.
  public var map: PlaneMap { givenMap ?? PlaneMap() }

  /// Creates a band.
  ///
  /// - Parameters:
  ///   - name: The name of the band.
  ///   - image: The image of the band.
  ///   - wavelength: The wavelength, in any unit that all bands share.
  ///   - sky: The sky of the stock model.
  ///   - loss: The density of the pixels in the stock model.
  ///   - fluxPrior: The prior of the flux, in the band's image units, for models of one's own.
  ///   - map: From the joint frame to the band's pixels; by the world coordinates of the headers in the stock model, and
  ///     the same pixels in ``project(_:)``, unless given.
  public init(
    _ name: String, _ image: ObservedImage, wavelength: Double? = nil, sky: SkyKind = .flat,
    loss: ImageLoss = .gaussian, fluxPrior: any Distribution = ImproperUniform(.real),
    map: PlaneMap? = nil
  ) {
    if let map {
      demand(
        map.determinant != 0, "Band \(name): expected a map with a determinant ≠ 0, got \(map)")
    }
    self.name = name
    self.image = image
    self.wavelength = wavelength
    self.sky = sky
    self.loss = loss
    self.fluxPrior = fluxPrior
    givenMap = map
  }

  /// Returns a light of the joint frame in the band's pixels: centre, r_eff, ellip and theta are mapped, flux is kept.
  public func project(_ light: some LightComponent) -> LightProfile { map.project(light) }
}
