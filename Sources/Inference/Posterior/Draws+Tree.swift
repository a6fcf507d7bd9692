// SPDX-License-Identifier: MIT
//
// Draws as documents: one layout for JSON and ASDF, that of ArviZ.

public import ASDF
public import JSON
import Tensors

/// A document that does not hold draws, with the place.
public struct DrawsError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The place in the document, like `posterior/mu`.
  public let location: String

  /// What was expected, what was found, and what to do.
  public let explanation: String

  public var description: String { "\(location): \(explanation)" }
}

/// What draws keep about the sampler, as arrays with the names that ArviZ has for them.
enum SamplerColumns {
  /// The names of arrays of numbers, `[chains, draws]`.
  static var numbers: [(String, WritableKeyPath<SamplerStatistics, [Double]>)] {
    [("acceptance_rate", \.acceptance), ("energy", \.energy), ("lp", \.logDensity)]
  }

  /// The names of arrays of whole numbers, `[chains, draws]`.
  static var integers: [(String, WritableKeyPath<SamplerStatistics, [Int]>)] {
    [("n_steps", \.gradients), ("tree_depth", \.treeDepth)]
  }

  /// The names of single whole numbers about the run.
  static var counts: [(String, WritableKeyPath<SamplerStatistics, Int>)] {
    [
      ("warm_up", \.warmUp), ("requested_draws", \.requestedDraws), ("thinning", \.thinning),
      ("warm_up_gradients", \.warmUpGradients), ("warm_up_divergences", \.warmUpDivergences),
    ]
  }

  /// The name of the divergences, `[chains, draws]`.
  static let diverging = "diverging"

  /// The name of the step sizes, one for each chain, which files repeat for each draw: ArviZ wants all arrays `[chains, draws]`.
  static let stepSize = "step_size"

  /// The name of the energy fractions, one for each chain, among what there is to know about the run as a whole.
  static let energyFractions = "bfmi"

  /// The names that a kernel's own numbers cannot have: those of all arrays and of ArviZ's statistics of a chain.
  static var names: [String] {
    // ArviZ names its axes so.
    var names = [diverging, stepSize, energyFractions, "chain", "draw"]
    for (name, _) in numbers { names.append(name) }
    for (name, _) in integers { names.append(name) }
    return names.sorted()
  }
}

// MARK: - ASDF

extension Draws {
  /// The draws as the tree of an ASDF file.
  ///
  /// `posterior` {name: array `[chains, draws, …]`}, `periods` of angles, and where a Markov chain made the draws `sample_stats`
  /// {`acceptance_rate`, `diverging`, `energy`, `lp`, `n_steps`, `step_size`, `tree_depth` and the kernel's
  /// ``SamplerStatistics/extras`` by their own names: arrays `[chains, draws]`} and `sampler`, what there is to know about the run as a
  /// whole. Metrics and unconstrained vectors are left out. `posterior` and `sample_stats` are what `arviz.from_dict` of ArviZ 0.x takes.
  public var asdf: ASDFValue {
    var members = [
      ASDFValue.Member(
        "posterior",
        .map(
          sites.map { site in
            ASDFValue.Member(
              site.name, .array(ASDFArray(site.values, shape: [chains, draws] + site.shape)))
          }))
    ]
    let periods = sites.compactMap { site in
      site.period.map { ASDFValue.Member(site.name, .number($0)) }
    }
    if !periods.isEmpty { members.append(ASDFValue.Member("periods", .map(periods))) }
    if let statistics {
      let shape = [chains, draws]
      var columns: [ASDFValue.Member] = []
      for (name, path) in SamplerColumns.numbers where statistics[keyPath: path].count == count {
        columns.append(
          ASDFValue.Member(name, .array(ASDFArray(statistics[keyPath: path], shape: shape))))
      }
      for (name, path) in SamplerColumns.integers where statistics[keyPath: path].count == count {
        columns.append(
          ASDFValue.Member(name, .array(ASDFArray(statistics[keyPath: path], shape: shape))))
      }
      if statistics.diverged.count == count {
        columns.append(
          ASDFValue.Member(
            SamplerColumns.diverging, .array(ASDFArray(statistics.diverged, shape: shape))))
      }
      if statistics.stepSizes.count == chains {
        let repeated = statistics.stepSizes.flatMap { [Double](repeating: $0, count: draws) }
        columns.append(
          ASDFValue.Member(SamplerColumns.stepSize, .array(ASDFArray(repeated, shape: shape))))
      }
      for (name, values) in statistics.extras.sorted(by: { $0.key < $1.key })
      where values.count == count {
        columns.append(ASDFValue.Member(name, .array(ASDFArray(values, shape: shape))))
      }
      members.append(ASDFValue.Member("sample_stats", .map(columns)))
      members.append(ASDFValue.Member("sampler", statistics.asdf))
    }
    return .map(members)
  }

  /// Creates draws from the tree of an ASDF file; what else it holds is passed over.
  ///
  /// - Parameter tree: A tree with `posterior`.
  /// - Throws: ``DrawsError`` with the place where the tree is not as expected.
  public init(asdf tree: ASDFValue) throws(DrawsError) {
    guard let posterior = tree["posterior"]?.members else {
      throw DrawsError(
        location: "posterior",
        explanation: "expected a map of arrays, found none: the file holds no draws")
    }
    var extents: [Int]?
    var sites: [Site] = []
    for member in posterior {
      let place = "posterior/" + member.name
      guard let array = member.value.array, array.shape.count >= 2 else {
        throw DrawsError(
          location: place, explanation: "expected an array [chains, draws, …], found another value")
      }
      let own = Array(array.shape.prefix(2))
      guard extents == nil || extents == own else {
        throw DrawsError(
          location: place,
          explanation:
            "expected \(extents ?? []) chains and draws, as of \(posterior[0].name), found \(own)")
      }
      extents = own
      sites.append(
        Site(
          name: member.name, shape: Array(array.shape.dropFirst(2)),
          period: tree["periods"]?[member.name]?.double, values: array.doubles))
    }
    self.init(chains: extents?[0] ?? 0, draws: extents?[1] ?? 0, sites: sites)
    if let stats = tree["sample_stats"] {
      var result = try statistics(of: stats)
      if let sampler = tree["sampler"] { result.read(sampler) }
      // What is no word for each chain is not about these chains.
      if result.starts.count != chains { result.starts = [] }
      statistics = result
    }
  }

  /// Returns the statistics in a tree.
  private func statistics(of tree: ASDFValue) throws(DrawsError) -> SamplerStatistics {
    /// Returns an array of a given shape, or nil where there is none.
    func array(_ name: String, _ shape: [Int]) throws(DrawsError) -> ASDFArray? {
      guard let value = tree[name] else { return nil }
      guard let array = value.array, array.shape == shape else {
        throw DrawsError(
          location: "sample_stats/" + name,
          explanation:
            "expected an array \(shape), found \(value.array.map { "\($0.shape)" } ?? "another value")"
        )
      }
      return array
    }
    var result = SamplerStatistics()
    for (name, path) in SamplerColumns.numbers {
      if let found = try array(name, [chains, draws]) { result[keyPath: path] = found.doubles }
    }
    for (name, path) in SamplerColumns.integers {
      if let found = try array(name, [chains, draws]) {
        result[keyPath: path] = found.integers ?? found.doubles.map { Int($0) }
      }
    }
    if let found = try array(SamplerColumns.diverging, [chains, draws]) {
      result.diverged = found.doubles.map { $0 != 0 }
    }
    // Of a step size that changes from draw to draw, which other programs may have, the first counts.
    if tree[SamplerColumns.stepSize]?.array?.shape == [chains] {
      result.stepSizes = tree[SamplerColumns.stepSize]?.array?.doubles ?? []
    } else if let sizes = try array(SamplerColumns.stepSize, [chains, draws])?.doubles, draws > 0 {
      result.stepSizes = (0..<chains).map { sizes[$0 * draws] }
    }
    // A number to each draw under another name is what some kernel, of this package or not, has told.
    let known = Set(SamplerColumns.names)
    for member in tree.members ?? [] where !known.contains(member.name) {
      guard let found = member.value.array, found.shape == [chains, draws] else { continue }
      result.extras[member.name] = found.doubles
    }
    return result
  }
}

extension SamplerStatistics {
  /// What there is to know about the run as a whole, as a tree.
  fileprivate var asdf: ASDFValue {
    var members = SamplerColumns.counts.map { name, path in
      ASDFValue.Member(name, .integer(self[keyPath: path]))
    }
    if let maximumTreeDepth {
      members.append(ASDFValue.Member("maximum_tree_depth", .integer(maximumTreeDepth)))
    }
    members.append(ASDFValue.Member("seconds", .number(seconds)))
    if !energyFractions.isEmpty {
      members.append(
        ASDFValue.Member(
          SamplerColumns.energyFractions, .list(energyFractions.map { .number($0) })))
    }
    if !starts.isEmpty {
      members.append(ASDFValue.Member("starts", .list(starts.map { .string($0) })))
    }
    if let cancellation { members.append(ASDFValue.Member("cancellation", .string(cancellation))) }
    if !warnings.isEmpty {
      members.append(ASDFValue.Member("warnings", .list(warnings.map { .string($0) })))
    }
    return .map(members)
  }

  /// Takes what a tree tells about the run as a whole.
  fileprivate mutating func read(_ tree: ASDFValue) {
    for (name, path) in SamplerColumns.counts {
      if case .integer(let value)? = tree[name]?.untagged { self[keyPath: path] = value }
    }
    if case .integer(let value)? = tree["maximum_tree_depth"]?.untagged { maximumTreeDepth = value }
    seconds = tree["seconds"]?.double ?? 0
    energyFractions = (tree[SamplerColumns.energyFractions]?.elements ?? []).map {
      // JSON has infinities as texts.
      $0.double ?? ["inf": Double.infinity, "-inf": -Double.infinity][$0.text ?? ""] ?? .nan
    }
    starts = (tree["starts"]?.elements ?? []).compactMap(\.text)
    cancellation = tree["cancellation"]?.text
    warnings = (tree["warnings"]?.elements ?? []).compactMap(\.text)
  }
}

// MARK: - JSON

extension Draws {
  /// The draws as a JSON document: the members of ``asdf``, arrays as nested lists; NaN is null, infinities are texts.
  public var json: JSONValue { Self.json(asdf) }

  /// Returns the JSON form of a tree.
  private static func json(_ value: ASDFValue) -> JSONValue {
    switch value {
    case .null: .null
    case .bool(let value): .bool(value)
    case .integer(let value): .integer(value)
    case .number(let value): json(value)
    case .string(let value): .string(value)
    case .list(let list): .array(list.map(json))
    case .map(let members):
      .object(members.map { JSONValue.Member(name: $0.name, value: json($0.value)) })
    case .tagged(_, let value): json(value)
    case .array(let array): nested(array)
    }
  }

  /// Returns a number, or what stands for one that JSON does not have.
  private static func json(_ x: Double) -> JSONValue {
    x.isInfinite ? .string(x < 0 ? "-inf" : "inf") : x.isNaN ? .null : .number(x)
  }

  /// Returns an array as nested lists.
  private static func nested(_ array: ASDFArray) -> JSONValue {
    let leaves: [JSONValue]
    switch array.elements {
    case .numbers(let values): leaves = values.map { json($0) }
    case .integers(let values):
      leaves = values.map { array.datatype == .bool8 ? .bool($0 != 0) : .integer(Int($0)) }
    }
    /// Returns the list of an axis.
    func list(_ axis: Int, _ start: Int) -> JSONValue {
      if axis == array.shape.count { return leaves[start] }
      let step = array.shape[(axis + 1)...].reduce(1, *)
      return .array((0..<array.shape[axis]).map { list(axis + 1, start + $0 * step) })
    }
    return list(0, 0)
  }

  /// Creates draws from a JSON document, of which ``json`` is the form; what else it holds is passed over.
  ///
  /// - Parameter document: A document with `posterior`.
  /// - Throws: ``DrawsError`` with the place where the document is not as expected.
  public init(json document: JSONValue) throws(DrawsError) {
    var members: [ASDFValue.Member] = []
    for group in ["posterior", "sample_stats"] {
      guard let value = document[group] else { continue }
      guard case .object(let arrays) = value else {
        throw DrawsError(location: group, explanation: "expected an object, found another value")
      }
      var list: [ASDFValue.Member] = []
      for member in arrays {
        list.append(
          ASDFValue.Member(
            member.name, .array(try Self.array(member.value, at: group + "/" + member.name))))
      }
      members.append(ASDFValue.Member(group, .map(list)))
    }
    if case .object(let periods)? = document["periods"] {
      let numbers = periods.compactMap { member in
        Self.number(member.value).map { ASDFValue.Member(member.name, .number($0)) }
      }
      members.append(ASDFValue.Member("periods", .map(numbers)))
    }
    if let sampler = document["sampler"] {
      members.append(ASDFValue.Member("sampler", Self.plain(sampler)))
    }
    try self.init(asdf: .map(members))
  }

  /// Returns a document as a tree.
  private static func plain(_ value: JSONValue) -> ASDFValue {
    switch value {
    case .null: .null
    case .bool(let value): .bool(value)
    case .integer(let value): .integer(value)
    case .number(let value): .number(value)
    case .string(let value): .string(value)
    case .array(let list): .list(list.map(plain))
    case .object(let members): .map(members.map { ASDFValue.Member($0.name, plain($0.value)) })
    }
  }

  /// Returns a number of a document, or nil for another value.
  private static func number(_ value: JSONValue) -> Double? {
    switch value {
    case .number(let x): x
    case .integer(let x): Double(x)
    case .bool(let x): x ? 1 : 0
    case .null: .nan
    case .string("inf"): .infinity
    case .string("-inf"): -.infinity
    default: nil
    }
  }

  /// Returns nested lists as an array.
  private static func array(
    _ value: JSONValue, at place: String
  ) throws(DrawsError) -> ASDFArray {
    var shape: [Int] = []
    var level: JSONValue? = value
    while case .array(let list)? = level {
      shape.append(list.count)
      level = list.first
    }
    var leaves: [Double] = []
    leaves.reserveCapacity(shape.elementCount)
    try append(value, shape[...], to: &leaves, at: place)
    return ASDFArray(leaves, shape: shape)
  }

  /// Appends the numbers of nested lists of a given shape.
  private static func append(
    _ value: JSONValue, _ shape: ArraySlice<Int>, to leaves: inout [Double], at place: String
  ) throws(DrawsError) {
    guard let extent = shape.first else {
      guard let x = number(value) else {
        throw DrawsError(location: place, explanation: "expected a number, found another value")
      }
      leaves.append(x)
      return
    }
    guard case .array(let list) = value, list.count == extent else {
      throw DrawsError(
        location: place, explanation: "expected lists of \(extent) elements, found another one")
    }
    for (index, element) in list.enumerated() {
      try append(element, shape.dropFirst(), to: &leaves, at: "\(place)/\(index)")
    }
  }
}
