// SPDX-License-Identifier: MIT
//
// What the columns of catalogues mean: our names, and those of SExtractor, SEP and photutils.

import GalaxyModels

/// A quantity of a source that a column can hold.
enum CatalogQuantity: String, CaseIterable {
  case x, y, flux, radius, ellip, theta, profile
}

/// How a column becomes a quantity: its name in lower case, and what is done to its numbers.
struct CatalogColumn: Sendable {
  /// The name of the column, in lower case.
  let name: String

  /// The quantity.
  let quantity: CatalogQuantity

  /// What its numbers are, for messages; empty where they are taken as they are.
  let remark: String

  /// Returns the quantity of a number of the column.
  let convert: @Sendable (Double) -> Double

  /// Creates a column whose numbers are taken as they are, unless something is to be done to them.
  init(
    _ name: String, _ quantity: CatalogQuantity, _ remark: String = "",
    _ convert: @escaping @Sendable (Double) -> Double = { $0 }
  ) {
    self.name = name
    self.quantity = quantity
    self.remark = remark
    self.convert = convert
  }
}

extension CatalogColumn {
  /// FITS counts pixels from 1.
  private static let fromOne = "counted from 1 in the catalogue, from 0 here"

  /// The half-light radius of a Gaussian in its standard deviations: √(2 ln 2).
  private static let gaussianHalfLight = 1.1774100225154747

  /// Returns an angle from +x, in degrees or radians, as one from +y in [0, π) radians.
  private static func fromX(_ unit: Double) -> @Sendable (Double) -> Double {
    { angle in
      let turned = (angle * unit - .pi / 2).truncatingRemainder(dividingBy: .pi)
      return turned < 0 ? turned + .pi : turned
    }
  }

  /// The columns that are understood; where several stand for a quantity, the first in this list is used.
  static let known: [CatalogColumn] = {
    let degree = Double.pi / 180
    let degrees = "degrees from +x in the catalogue, radians from +y here"
    let moments = "the second moment's axis, times 1.177 as for a Gaussian"
    var list: [CatalogColumn] = []
    for (axis, quantity) in [("x", CatalogQuantity.x), ("y", .y)] {
      list += [axis, axis + "c", axis + "_fit", axis + "centroid", axis + "_centroid"].map {
        CatalogColumn($0, quantity)
      }
      list += [axis + "win_image", axis + "psf_image", axis + "model_image", axis + "_image"].map {
        CatalogColumn($0, quantity, fromOne) { $0 - 1 }
      }
    }
    list += [
      "flux", "flux_auto", "kron_flux", "flux_petro", "segment_flux", "flux_model", "flux_iso",
      "flux_isocor", "cflux",
    ].map { CatalogColumn($0, .flux) }
    list += ["r", "r_eff", "radius", "flux_radius", "half_light_radius", "fluxfrac_radius"].map {
      CatalogColumn($0, .radius)
    }
    list += ["semimajor_sigma", "semimajor_axis_sigma", "awin_image", "a_image", "a"].map {
      CatalogColumn($0, .radius, moments) { gaussianHalfLight * $0 }
    }
    list += [CatalogColumn("ellip", .ellip), CatalogColumn("ellipticity", .ellip)]
    list.append(CatalogColumn("theta", .theta))
    list += ["thetawin_image", "theta_image", "orientation"].map {
      CatalogColumn($0, .theta, degrees, fromX(degree))
    }
    list += ["type", "profile", "profile_type"].map { CatalogColumn($0, .profile) }
    return list
  }()

  /// SEP's angle, which bears the name of ours.
  private static let thetaOfSEP = CatalogColumn(
    "theta", .theta, "SEP's: radians from +x in the catalogue, from +y here", fromX(1))

  /// Returns the column to use for each quantity among those of a catalogue.
  ///
  /// A catalogue with SEP's columns `cxx` and `cflux` has SEP's `theta`, too.
  static func choose(among names: [String]) -> [CatalogQuantity: CatalogColumn] {
    let present = Set(names.map { $0.lowercased() })
    let isFromSEP = present.contains("cxx") && present.contains("cflux")
    var chosen: [CatalogQuantity: CatalogColumn] = [:]
    for column in known where present.contains(column.name) && chosen[column.quantity] == nil {
      chosen[column.quantity] = column.name == "theta" && isFromSEP ? thetaOfSEP : column
    }
    return chosen
  }
}
