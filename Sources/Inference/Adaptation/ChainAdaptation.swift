// SPDX-License-Identifier: MIT
//
// What tunes a kernel while a chain warms up: the contract between adaptations and the runner.

public import Numerics

/// The tuning of a kernel during the warm-up of one chain.
///
/// A value that is saved with the chain, so that a warm-up can be interrupted and resumed to the bit: what it has learnt
/// lies in stored properties. Before `begin` it holds its options only.
public protocol ChainAdaptation<Tuned>: Sendable, Codable {
  associatedtype Tuned: Kernel

  /// Checks, before a run that has a warm-up, that the adaptation can tune such a kernel.
  ///
  /// - Throws: What is in the way, in words; a run throws it on.
  func validate() throws

  /// Prepares kernel and state before a warm-up of a number of iterations, which is positive.
  mutating func begin(
    _ kernel: inout Tuned, _ state: inout Tuned.State, _ target: some LogDensity, iterations: Int,
    key: RandomKey)

  /// Learns from one step of the warm-up, and changes the kernel (and where a change of metric asks for it, the state).
  ///
  /// The key is the same at each iteration, and another than that of `begin`: fold the iteration in.
  mutating func update(
    _ kernel: inout Tuned, _ state: inout Tuned.State, _ info: Tuned.Info, iteration: Int,
    _ target: some LogDensity, key: RandomKey)

  /// Sets the kernel that draws are made with.
  mutating func end(_ kernel: inout Tuned)

  /// Whether it learns a metric, so that a first one may be given to a kernel that has none before `begin`; false where nothing is said.
  ///
  /// An adaptation that wraps another one hands on its answer.
  var learnsMetric: Bool { get }

  /// What the tuning could not do as it should, in words.
  var warnings: [String] { get }
}

extension ChainAdaptation {
  public func validate() throws {}
  public var learnsMetric: Bool { false }
  public var warnings: [String] { [] }
}

/// The adaptation of a kernel that has nothing to tune: its warm-up steps are only thrown away.
public struct NoAdaptation<Tuned: Kernel>: ChainAdaptation {
  /// Creates the adaptation.
  public init() {}

  public mutating func begin(
    _ kernel: inout Tuned, _ state: inout Tuned.State, _ target: some LogDensity, iterations: Int,
    key: RandomKey
  ) {}

  public mutating func update(
    _ kernel: inout Tuned, _ state: inout Tuned.State, _ info: Tuned.Info, iteration: Int,
    _ target: some LogDensity, key: RandomKey
  ) {}

  public mutating func end(_ kernel: inout Tuned) {}
}
