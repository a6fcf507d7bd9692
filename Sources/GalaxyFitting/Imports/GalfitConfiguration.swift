// SPDX-License-Identifier: MIT
//
// A GALFIT configuration (Peng et al. 2010, AJ 139, 2097): what it says of files and components, in its own numbers.

/// A GALFIT configuration: files, region, zero point, and components with their flags, as they are written.
///
/// Numbers keep GALFIT's meaning: the first pixel is 1, magnitudes, angles in degrees; ``ImportedScene`` has them in ours.
public struct GalfitConfiguration: Sendable, Hashable {
  /// A number with its flag.
  public struct Value: Sendable, Hashable {
    /// The number.
    public var value: Double
    /// Whether GALFIT may change it.
    public var isFree: Bool

    /// Creates a number.
    public init(_ value: Double, isFree: Bool = true) {
      self.value = value
      self.isFree = isFree
    }
  }

  /// The sorts of components that are understood.
  public enum Kind: String, Sendable, Hashable, CaseIterable {
    /// A Sérsic profile.
    case sersic
    /// An exponential disk, by its scale length.
    case expdisk
    /// A de Vaucouleurs profile.
    case devauc
    /// A Gaussian, by its full width at half maximum.
    case gaussian
    /// A Moffat profile, by its full width at half maximum and its exponent.
    case moffat
    /// A point source.
    case psf
    /// A plane of sky.
    case sky

    /// The parameters in the order of the file.
    public var parameters: [Parameter] {
      switch self {
      case .sersic, .moffat: [.x, .y, .magnitude, .radius, .index, .axisRatio, .positionAngle]
      case .expdisk, .devauc, .gaussian:
        [.x, .y, .magnitude, .radius, .axisRatio, .positionAngle]
      case .psf: [.x, .y, .magnitude]
      case .sky: [.sky, .skyX, .skyY]
      }
    }
  }

  /// A parameter of a component.
  public enum Parameter: String, Sendable, Hashable, CaseIterable {
    /// The column, first pixel 1.
    case x
    /// The row, first pixel 1.
    case y
    /// The total magnitude.
    case magnitude
    /// R_e of `sersic` and `devauc`, R_s of `expdisk`, the full width at half maximum of `gaussian` and `moffat`, in pixels.
    case radius
    /// The index of `sersic`, the exponent of `moffat`.
    case index
    /// b/a.
    case axisRatio
    /// The position angle in degrees, from up to the left.
    case positionAngle
    /// The sky in the middle of the region, in counts per pixel.
    case sky
    /// Its slope along x.
    case skyX
    /// Its slope along y.
    case skyY

    /// The number of its line.
    var line: Int {
      switch self {
      case .x, .y, .sky: 1
      case .skyX: 2
      case .magnitude, .skyY: 3
      case .radius: 4
      case .index: 5
      case .axisRatio: 9
      case .positionAngle: 10
      }
    }
  }

  /// A component.
  public struct Component: Sendable, Hashable {
    /// The sort.
    public var kind: Kind
    /// The parameters.
    public var values: [Parameter: Value]
    /// Whether it is left out of the model that GALFIT subtracts (Z).
    public var isSkipped: Bool

    /// Creates a component.
    public init(_ kind: Kind, _ values: [Parameter: Value], isSkipped: Bool = false) {
      self.kind = kind
      self.values = values
      self.isSkipped = isSkipped
    }
  }

  /// A part of the image, the first pixel is 1, both ends included.
  public struct Region: Sendable, Hashable {
    /// The columns.
    public var x: ClosedRange<Int>
    /// The rows.
    public var y: ClosedRange<Int>

    /// Creates a region.
    public init(x: ClosedRange<Int>, y: ClosedRange<Int>) {
      self.x = x
      self.y = y
    }
  }

  /// The data (A).
  public var image: String?
  /// The file that GALFIT writes (B).
  public var output: String?
  /// The rms of each pixel (C).
  public var sigma: String?
  /// The PSF (D).
  public var psf: String?
  /// The number of PSF pixels along one of the image (E).
  public var psfSampling = 1
  /// The mask, not 0 where a pixel is bad (F).
  public var mask: String?
  /// The file of constraints (G).
  public var constraintFile: String?
  /// The part of the image that is fitted (H).
  public var region: Region?
  /// The box in which GALFIT convolves (I); it has no meaning here.
  public var convolutionBox: (x: Int, y: Int)? {
    get { box.map { ($0[0], $0[1]) } }
    set { box = newValue.map { [$0.x, $0.y] } }
  }
  /// The same as a value that can be compared.
  private var box: [Int]?
  /// The magnitude of one count per second (J).
  public var zeroPoint = 0.0
  /// Arcseconds per pixel along x and y (K).
  public var plateScale: [Double] = []
  /// The components, in the order of the file.
  public var components: [Component] = []
  /// The constraints.
  public var constraints: [GalfitConstraint] = []

  /// Creates an empty configuration.
  public init() {}
}

/// A line of a GALFIT file of constraints.
public struct GalfitConstraint: Sendable, Hashable {
  /// What it asks for.
  public enum Kind: Sendable, Hashable {
    /// The parameter keeps its distance from that of the first component.
    case offset
    /// The parameter keeps its ratio to that of the first component.
    case ratio
    /// A range of the parameter.
    case range(ClosedRange<Double>)
    /// A range of the parameter around its first value.
    case around(ClosedRange<Double>)
    /// A range of the difference or of the ratio of two components' parameters.
    case between(String)
  }

  /// The numbers of the components, from 1, in the order of the line.
  public var components: [Int]
  /// The parameter.
  public var parameter: GalfitConfiguration.Parameter
  /// What it asks for.
  public var kind: Kind
  /// The line, for messages.
  public var text: String
}
