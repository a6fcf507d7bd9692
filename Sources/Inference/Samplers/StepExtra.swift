// SPDX-License-Identifier: MIT
//
// Numbers of a step that only its kernel knows: how they are named and read, and what a chain stores of them.

/// A number of each step beyond those of ``StepInfo``, which a run keeps: its name, and how it is read.
///
/// ```swift
/// struct Info: StepInfo {
///   var acceptance, energyError: Double
///   var diverged: Bool { !(energyError < 1000) }
///
///   static var extras: [StepExtra<Info>] { [StepExtra("energy_error") { $0.energyError }] }
/// }
/// ```
///
/// A run stores them as ``SamplerStatistics/extras``: `draws.statistics?.extras["energy_error"]`. They are in checkpoints and in
/// the files of draws, too.
public struct StepExtra<Info>: Sendable {
  /// The name, another than those of the numbers that every kernel has.
  public let name: String

  /// Returns the number of a step.
  let value: @Sendable (Info) -> Double

  /// Creates a number of each step.
  ///
  /// - Parameters:
  ///   - name: The name under which a run keeps it.
  ///   - value: Returns the number of a step; NaN and infinity are kept as they are.
  public init(_ name: String, _ value: @escaping @Sendable (Info) -> Double) {
    self.name = name
    self.value = value
  }
}

/// What a chain stores of the numbers that only its kernel knows: a column for each, and the steps since the last draw.
///
/// A chain whose kernel has none does not come here: the calls are behind one test, and none of them is inlined.
struct ExtraColumns: Sendable, Codable {
  /// The numbers of the draws.
  private(set) var columns: [[Double]]

  /// The sums over the steps since the last draw.
  private var sums: [Double]

  /// The number of these steps.
  private var count = 0

  /// Starts without draws.
  init(_ extras: Int) {
    columns = [[Double]](repeating: [], count: extras)
    sums = [Double](repeating: 0, count: extras)
  }

  /// Whether these are the columns of a number of extras and of draws.
  func holds(_ extras: Int, draws: Int) -> Bool {
    columns.count == extras && sums.count == extras && columns.allSatisfy { $0.count == draws }
  }

  /// Makes room for a number of draws.
  mutating func reserve(_ draws: Int) {
    for k in columns.indices { columns[k].reserveCapacity(draws) }
  }

  /// Adds a step.
  @inline(never)
  mutating func add<Info>(_ info: Info, _ extras: [StepExtra<Info>]) {
    count += 1
    for k in sums.indices {
      let value = extras[k].value(info)
      // The first is taken as it is: 0 + −0 is another number than −0.
      sums[k] = count == 1 ? value : sums[k] + value
    }
  }

  /// Ends a draw with the means over its steps.
  @inline(never)
  mutating func endDraw() {
    for k in sums.indices { columns[k].append(sums[k] / Double(max(1, count))) }
    count = 0
  }

  /// Returns what is wrong with the names of extras, or nil.
  static func problem(_ names: [String]) -> String? {
    if names.isEmpty { return nil }
    let taken = SamplerColumns.names
    let isRepeated = Set(names).count < names.count
    guard isRepeated || names.contains(where: { $0.isEmpty || taken.contains($0) }) else {
      return nil
    }
    return
      "expected names for a step's extras that differ from each other and from \(taken), found \(names); rename them in the extras of the kernel's StepInfo"
  }
}
