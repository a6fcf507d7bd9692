// SPDX-License-Identifier: MIT
//
// The statements of the language: sample, observe, param, deterministic, factor, plate, key, call, scope.

public import Distributions
public import Numerics
public import Tensors

extension ModelContext {
  /// Draws a latent random variable, or takes the value that a handler gives it.
  @discardableResult
  public func sample(_ name: String, _ distribution: some Distribution) -> Tensor {
    var site = Site(.sample, name)
    site.distribution = sound(distribution, name)
    return emit(site).value ?? distribution.feasibleValue
  }

  /// Returns a site's distribution, or after a report one of its shape where a parameter is impossible: a draw with it might never end.
  private func sound(_ distribution: some Distribution, _ name: String) -> any Distribution {
    guard let fault = ParameterFaults.current?.take() else { return distribution }
    report(
      ModelError(
        .outsideSupport, site: name, "\(fault), in a distribution that is made here or just before")
    )
    return Delta(distribution.feasibleValue).toEvent(distribution.eventShape.count)
  }

  /// States that a random variable has been observed.
  ///
  /// - Parameters:
  ///   - name: The name of the site.
  ///   - distribution: The distribution of the data.
  ///   - data: The data, at least one for each element of the distribution and its plates: data are not repeated, but for
  ///     those of a whole program along plates around it; nil to predict them: they are then drawn, and left out of a density.
  /// - Returns: The data, or the prediction.
  @discardableResult
  public func observe(
    _ name: String, _ distribution: some Distribution, _ data: (any TensorConvertible)?
  ) -> Tensor {
    var site = Site(.sample, name)
    site.distribution = sound(distribution, name)
    if let data {
      site.value = data.tensor
      site.isObserved = true
    } else {
      site.isPredicted = true
    }
    return emit(site).value ?? distribution.feasibleValue
  }

  /// Declares a parameter that is optimised, not sampled.
  ///
  /// - Parameters:
  ///   - name: The name of the site.
  ///   - initial: Its value until an optimiser gives another.
  ///   - constraint: Where the values lie.
  /// - Returns: The current value.
  @discardableResult
  public func param(
    _ name: String, _ initial: some TensorConvertible, constraint: Constraint = .real
  ) -> Tensor {
    var site = Site(.param, name)
    site.constraint = constraint
    site.value = initial.tensor
    return emit(site).value ?? initial.tensor
  }

  /// Names a computed value, so that it appears in traces and results; it has no density.
  @discardableResult
  public func deterministic(_ name: String, _ value: some TensorConvertible) -> Tensor {
    var site = Site(.deterministic, name)
    site.value = value.tensor
    return emit(site).value ?? value.tensor
  }

  /// Adds a term to the log density.
  public func factor(_ name: String, _ logDensity: some TensorConvertible) {
    var site = Site(.factor, name)
    site.value = logDensity.tensor
    _ = emit(site)
  }

  /// Returns a random key of the model's own, another one at each evaluation; a density of a model that uses one is not fixed.
  public func key(_ name: String) -> RandomKey {
    let site = emit(Site(.key, name))
    return (site.key ?? key).ofThisEvaluation.folding(in: site.name)
  }

  /// Runs statements whose variables are independent along one axis of their batch shape.
  ///
  /// - Parameters:
  ///   - name: The name of the plate.
  ///   - size: The number of elements.
  ///   - axis: The axis, counted from the back; by default the last one that no enclosing plate holds.
  ///   - body: The statements.
  /// - Returns: What `body` returns.
  @discardableResult
  public func plate<Output>(
    _ name: String, _ size: Int, axis: Int? = nil, _ body: () throws -> Output
  ) rethrows -> Output {
    try plate(name, size, subsample: size, axis: axis) { _ in try body() }
  }

  /// Runs statements on a random subset of the elements of a plate; densities inside are scaled up by size / subsample.
  ///
  /// - Parameters:
  ///   - name: The name of the plate.
  ///   - size: The number of elements.
  ///   - subsample: The number of elements in use.
  ///   - axis: The axis, counted from the back; by default the last one that no enclosing plate holds.
  ///   - body: The statements, given the indices in use, shape `[subsample]`.
  /// - Returns: What `body` returns.
  @discardableResult
  public func plate<Output>(
    _ name: String, _ size: Int, subsample: Int, axis: Int? = nil,
    _ body: (Tensor) throws -> Output
  ) rethrows -> Output {
    if size < 1 || subsample < 1 || subsample > size || (axis ?? -1) >= 0 {
      report(
        ModelError(
          .invalidPlate, site: name,
          "expected 1 ≤ subsample ≤ size and a negative axis, found size \(size), subsample \(subsample), axis \(axis ?? -1)"
        ))
    }
    // After a mistake the run goes on with the nearest plate that is possible.
    let whole = max(size, 1)
    var site = Site(.plate, name)
    site.plates = [
      PlateFrame(
        name: name, size: whole, subsampleSize: min(max(subsample, 1), whole),
        axis: axis.flatMap { $0 < 0 ? $0 : nil } ?? freeAxis)
    ]
    let stated = site.plates[0]
    site = emit(site)
    // A handler may have asked for the whole plate.
    let frame = site.plates.first ?? stated
    let handler = Plate(
      name: name, size: whole, subsampleSize: frame.subsampleSize, axis: stated.axis)
    var indices = site.value ?? .zeros([handler.subsampleSize])
    if indices.shape != [handler.subsampleSize] {
      report(
        ModelError(
          .shapeMismatch(expected: [handler.subsampleSize], found: indices.shape), site: name,
          "expected \(handler.subsampleSize) indices, found shape \(indices.shape)"))
      indices = .arange(handler.subsampleSize)
    }
    return try with(handler) { try body(indices) }.0
  }

  /// Runs another model inside this one, under the same handlers.
  @discardableResult
  public func call<Output>(_ model: Model<Output>) -> Output { model.body(self) }

  /// Runs statements with names prefixed by `prefix` and a slash.
  @discardableResult
  public func scope<Output>(_ prefix: String, _ body: () throws -> Output) rethrows -> Output {
    try with(Scope(prefix: prefix), body).0
  }

  /// Runs statements with `suffix` appended to their names: `m.scope(suffix: "_2") { … }` makes `xc` the site `xc_2`.
  @discardableResult
  public func scope<Output>(suffix: String, _ body: () throws -> Output) rethrows -> Output {
    try with(Scope(suffix: suffix), body).0
  }

  /// Runs statements whose densities count only where `mask` is not zero.
  @discardableResult
  public func mask<Output>(
    _ mask: some TensorConvertible, _ body: () throws -> Output
  ) rethrows -> Output {
    try with(Mask(mask: mask.tensor), body).0
  }

  /// Runs statements whose densities are multiplied by `factor`.
  @discardableResult
  public func scale<Output>(
    _ factor: some TensorConvertible, _ body: () throws -> Output
  ) rethrows -> Output {
    try with(Scale(factor: factor.tensor), body).0
  }
}
