// SPDX-License-Identifier: MIT
//
// The static structure of a scene: which profiles, which sky, and where their numbers lie in one parameter vector.

import CKernels

/// The form of the sky under the sources.
public enum SkyKind: String, Sendable, Hashable, Codable, CaseIterable {
  /// No sky.
  case none
  /// One constant: sky_back.
  case flat
  /// A plane about the frame's centre ((nx − 1)/2, (ny − 1)/2): sky_back, sky_x_sl, sky_y_sl.
  case tiltedPlane = "tilted-plane"

  /// The number of parameters of the sky.
  public var parameterCount: Int {
    switch self {
    case .none: 0
    case .flat: 1
    case .tiltedPlane: 3
    }
  }
}

extension SkyKind {
  /// Returns the derivative of a sky by its k-th parameter in a pixel: 1, or the distance from the frame's centre.
  static func derivative(_ k: Int, _ x: Int, _ y: Int, width: Int, height: Int) -> Double {
    switch k {
    case 0: 1
    case 1: Double(x) - Double(width - 1) / 2
    default: Double(y) - Double(height - 1) / 2
    }
  }

  /// Adds the product of an image adjoint with the derivative of each parameter to the adjoints of the parameters.
  static func addAdjoint(
    _ image: UnsafePointer<Double>, to parameters: UnsafeMutableBufferPointer<Double>, width: Int,
    height: Int
  ) {
    guard !parameters.isEmpty else { return }
    withUnsafeTemporaryAllocation(of: Double.self, capacity: 3) { sums in
      sersic_plane_sums(width, height, image, sums.baseAddress)
      for (k, p) in parameters.indices.enumerated() { parameters[p] += sums[k] }
    }
  }

  /// Sets the derivative images of all parameters, one after the other.
  static func fillJacobian(
    _ images: UnsafeMutableBufferPointer<Double>, width: Int, height: Int
  ) {
    for (i, place) in images.indices.enumerated() {
      let pixel = i % (width * height)
      images[place] = derivative(
        i / (width * height), pixel % width, pixel / width, width: width, height: height)
    }
  }

  /// Adds a sky with given parameters to an image, row-major, x fastest.
  static func add(
    _ parameters: UnsafeBufferPointer<Double>, to image: UnsafeMutablePointer<Double>, width: Int,
    height: Int
  ) {
    guard !parameters.isEmpty else { return }
    withUnsafeTemporaryAllocation(of: Double.self, capacity: 3) { plane in
      plane.initialize(repeating: 0)
      for (k, p) in parameters.indices.enumerated() { plane[k] = parameters[p] }
      sersic_add_plane(width, height, plane.baseAddress, image)
    }
  }
}

/// The components of a scene in order, and its sky; the parameter vector is theirs one after the other, the sky last.
public struct SceneLayout: Sendable, Hashable {
  /// The components, in the order of their parameters.
  public var components: [ProfileKind]

  /// The sky, whose parameters come last.
  public var sky: SkyKind

  /// Creates a layout.
  public init(_ components: [ProfileKind], sky: SkyKind = .none) {
    self.components = components
    self.sky = sky
  }

  /// The length of the parameter vector.
  public var parameterCount: Int {
    components.reduce(sky.parameterCount) { $0 + $1.parameterCount }
  }
}

/// What turns the parameter vector of a scene into an image, and image adjoints into parameter adjoints.
///
/// An instance has its own buffers and belongs to one thread. `parameters` has `layout.parameterCount` elements; images
/// have `width · height`, row-major, x fastest. `pullback`, `tangent` and `jacobian` refer to the latest `render`.
public protocol SceneRenderer: AnyObject {
  /// The structure of the scene.
  var layout: SceneLayout { get }

  /// Sets `image` to the sum of the components and the sky.
  func render(
    _ parameters: UnsafeBufferPointer<Double>, into image: UnsafeMutableBufferPointer<Double>)

  /// Adds the product of the image adjoint with the derivative of the image to `parameterAdjoint`.
  func pullback(
    _ parameters: UnsafeBufferPointer<Double>, imageAdjoint: UnsafeBufferPointer<Double>,
    into parameterAdjoint: UnsafeMutableBufferPointer<Double>)

  /// Sets the derivative of the image along a direction of the parameters.
  func tangent(
    _ parameters: UnsafeBufferPointer<Double>, direction: UnsafeBufferPointer<Double>,
    into imageTangent: UnsafeMutableBufferPointer<Double>)

  /// Sets the derivative images of all parameters, one after the other.
  func jacobian(
    _ parameters: UnsafeBufferPointer<Double>, into jacobian: UnsafeMutableBufferPointer<Double>)
}
