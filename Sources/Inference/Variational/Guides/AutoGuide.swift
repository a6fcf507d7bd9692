// SPDX-License-Identifier: MIT
//
// Automatic guides: programs made from the latent sites of a model.

import Distributions
import Numerics
public import PPL
import Tensors

/// A guide made from the latent sites of a model.
///
/// Its program is ordinary: it has `param` sites and can be called inside a guide written by hand, which states the other
/// sites (make it of the model with those blocked or conditioned).
public protocol AutoGuide: Sendable {
  /// The guide as a program.
  var program: Model<Void> { get }
}

extension SVI {
  /// Compiles the fit of an automatic guide to a model.
  ///
  /// - Parameters:
  ///   - model: The model that the guide was made for.
  ///   - guide: The guide.
  ///   - optimizer: The rule of the steps.
  ///   - loss: The estimate of the evidence lower bound.
  /// - Throws: `ModelError` where the two do not fit; see ``CompiledELBO``.
  public init(
    _ model: Model<some Any>, _ guide: some AutoGuide,
    optimizer: some StochasticOptimizer = .adam(0.01), loss: some ELBO = TraceELBO()
  ) throws {
    try self.init(model, guide.program, optimizer: optimizer, loss: loss)
  }
}

/// A guide that is one member of a family over all latent sites together.
public protocol VectorAutoGuide: AutoGuide {
  /// The space, the family and the program.
  var core: VectorGuide { get }
}

extension VectorAutoGuide {
  public var program: Model<Void> { core.program }

  /// The family.
  public var family: any VectorFamily { core.family }
}

/// What the guides over one vector have in common: a space, a family, and their program.
public struct VectorGuide: Sendable {
  /// The space of the latent sites.
  let space: GuideSpace

  /// The family of the vector, whitened where the space says so.
  public let family: any VectorFamily

  /// The name before those of the params: `PREFIX_loc`.
  public let prefix: String

  /// Creates a guide from a family that is made for a location and a scale.
  init(
    _ model: Model<some Any>, start: InitialStrategy, scale: Double, key: RandomKey,
    prefix: String, _ family: (_ location: [Double], _ scale: Double) -> any VectorFamily
  ) throws {
    let space = try GuideSpace(model.erased, start: start, key: key)
    self.init(space, scale: scale, prefix: prefix, family)
  }

  /// Creates a guide over a space; in whitened coordinates the family starts as the standard normal distribution.
  init(
    _ space: GuideSpace, scale: Double, prefix: String,
    _ family: (_ location: [Double], _ scale: Double) -> any VectorFamily
  ) {
    self.space = space
    self.prefix = prefix
    self.family =
      space.whitening == nil
      ? family(space.origin, scale)
      : family([Double](repeating: 0, count: space.dimension), 1)
  }

  /// The guide as a program.
  var program: Model<Void> {
    let (space, family, prefix) = (space, family, prefix)
    let latent = "\(prefix)_latent"
    let noise = "\(prefix)_noise"
    let starts = family.parameters.map(\.initial)
    return Model<Void> { m in
      let p = family.parameters.map {
        m.param("\(prefix)_\($0.name)", $0.initial, constraint: $0.constraint)
      }
      guard family.logDensity(of: .zeros([family.dimension]), starts) == nil else {
        let w = m.sample(latent, FamilyMember(family: family, parameters: p))
        let y = space.whitening?.apply(w) ?? w
        let rest = Tensor(-(space.whitening?.logDeterminant ?? 0))
        space.place(y, logDensity: rest, turns: turns(y, p, m), in: m, prefix)
        return
      }
      let base = Normal(Tensor.zeros([family.noiseCount]), 1)
      let noise = m.sample(noise, base.toEvent(1))
      let draw = family.transform(noise, p)
      let y = space.whitening?.apply(draw.value) ?? draw.value
      let rest = draw.logDensity - base.logProbabilitySum(of: noise)
      space.place(
        y, logDensity: rest - (space.whitening?.logDeterminant ?? 0), turns: turns(y, p, m),
        path: draw.score.map { ($0 * draw.value).sum() }, in: m, prefix)
    }.configured([
      latent: Site.auxiliaryHint, noise: Site.noiseHint, GuideSpace.pathName(prefix): Site.pathHint,
    ])
  }

  /// Returns the log density of the turns of angles, by the guide's own means and deviations where it knows them, else by
  /// params `PREFIX_turn_loc` and `PREFIX_turn_scale`.
  private func turns(_ y: Tensor, _ p: [Tensor], _ m: ModelContext) -> Tensor {
    turns(y, p) { name, start, constraint in
      m.param("\(prefix)_\(name)", start, constraint: constraint)
    }
  }

  /// Returns the log density of the turns of angles, with a way to parameters of these names.
  func turns(
    _ y: Tensor, _ p: [Tensor],
    _ parameter: (_ name: String, _ start: Tensor, _ constraint: Constraint) -> Tensor
  ) -> Tensor {
    let angles = space.coordinates.angles
    guard !angles.isEmpty else { return Tensor(0) }
    let rows = angles.map { angle -> [Double] in
      if let whitening = space.whitening { return whitening.row(angle.place) }
      return (0..<space.dimension).map { $0 == angle.place ? 1 : 0 }
    }
    if let moments = family.moments(rows.tensor, p) {
      // Not differentiated: whatever they are the bound holds, and the guide's own are all but the best.
      let origin = angles.map { space.whitening?.location[$0.place] ?? 0 }
      return space.coordinates.logTurns(
        y, center: (moments.mean + Tensor(origin)).stoppingGradient(),
        scale: moments.deviation.stoppingGradient())
    }
    let widths = rows.map { space.whitening == nil ? 1 : dot($0, $0).squareRoot() }
    let center = parameter("turn_loc", Tensor(angles.map(\.center)), .real)
    let scale = parameter("turn_scale", Tensor(widths), .positive)
    return space.coordinates.logTurns(y, center: center, scale: scale)
  }
}
