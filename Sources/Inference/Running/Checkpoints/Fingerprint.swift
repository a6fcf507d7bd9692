// SPDX-License-Identifier: MIT
//
// By what a checkpoint knows its run: the target by its coordinates and values at fixed points, the settings by name.

import Numerics

/// What decides the draws of a run, in words and numbers.
struct Fingerprint {
  /// The settings and what they are, in a fixed order.
  let settings: [(name: String, value: String)]

  /// The log density at fixed points.
  let values: [Double]

  /// Describes a run.
  init<K: Kernel, A: ChainAdaptation<K>>(
    _ plan: RunPlan, _ kernel: K, _ adaptation: A, _ columns: [DrawColumn],
    _ target: some SamplingTarget
  ) throws {
    var list: [(name: String, value: String)] = [
      ("dimension", "\(target.dimension)"), ("coordinates", target.coordinates),
      ("kernel", "\(K.self)"), ("adaptation", "\(A.self)"),
    ]
    list += try Record(encoding: kernel).leaves("kernel").map { ($0.path, $0.text) }
    list += try Record(encoding: adaptation).leaves("adaptation").map { ($0.path, $0.text) }
    list += [
      ("key", "\(plan.key)"), ("chains", "\(plan.chains)"), ("warmUp", "\(plan.warmUp)"),
      ("thinning", "\(plan.thinning)"), ("initial", plan.initial.text),
      ("sites", columns.map { "\($0.name)\($0.shape)" }.joined(separator: ", ")),
      ("keepsUnconstrained", "\(plan.keepsUnconstrained)"),
    ]
    let extras = K.Info.extras.map { $0.name }
    // Left out where there are none, as in files that are older than extras.
    if !extras.isEmpty { list.append(("extras", extras.joined(separator: ", "))) }
    settings = list
    let evaluator = target.makeEvaluator()
    let key = RandomKey(0).folding(in: "fingerprint")
    values = (0..<3).map { point in
      // Within ±1, where the random starts of chains lie, too.
      let own = key.folding(in: point)
      return evaluator.value(at: (0..<target.dimension).map { 2 * own.uniform(UInt64($0)) - 1 })
    }
  }

  /// Reads a fingerprint; nil where a record is none.
  init?(_ record: Record) {
    guard case .list(let names)? = record["names"], case .list(let texts)? = record["texts"],
      case .doubles(let values)? = record["values"], names.count == texts.count
    else { return nil }
    var list: [(name: String, value: String)] = []
    for case (.text(let name), .text(let text)) in zip(names, texts) { list.append((name, text)) }
    settings = list
    self.values = values
  }

  /// The fingerprint as a record.
  var record: Record {
    .fields([
      ("names", .list(settings.map { .text($0.name) })),
      ("texts", .list(settings.map { .text($0.value) })), ("values", .doubles(values)),
    ])
  }

  /// The difference of log densities, relative to their size, up to which two targets are one: FFT plans and processors
  /// differ by some 1e-14, data and priors by far more.
  private static let rounding = 1e-10

  /// Compares the fingerprint of a file with that of a run.
  ///
  /// - Returns: A warning where the target is the same up to rounding only.
  /// - Throws: ``CheckpointError`` with what differs.
  static func compare(file: Fingerprint, run: Fingerprint, path: String) throws -> String? {
    let found = Dictionary(file.settings.map { ($0.name, $0.value) }) { $1 }
    let expected = Dictionary(run.settings.map { ($0.name, $0.value) }) { $1 }
    var different = Set(found.keys).union(expected.keys).filter { found[$0] != expected[$0] }
      .sorted()
    // Parts of another type of kernel all differ: the type says enough.
    for whole in ["kernel", "adaptation"] where different.contains(whole) {
      different.removeAll { $0.hasPrefix(whole + ".") }
    }
    /// Returns a value short enough to be read.
    func short(_ text: String?) -> String {
      guard let text else { return "nothing" }
      return text.count <= 80 ? text : text.prefix(77) + "…"
    }
    var differences = different.map {
      "\($0) is \(short(found[$0])) in the file, \(short(expected[$0])) here"
    }
    var isExact = true
    if different.isEmpty || !different.contains("dimension") {
      for (before, now) in zip(file.values, run.values) where before.bitPattern != now.bitPattern {
        isExact = false
        if abs(before - now) <= rounding * max(1, abs(before)) || (before.isNaN && now.isNaN) {
          continue
        }
        different.append("log density")
        differences.append("the log density at a fixed point is \(before) in the file, \(now) here")
        break
      }
    }
    guard different.isEmpty else {
      throw CheckpointError(
        kind: .mismatch(different), path: path,
        explanation:
          "expected the checkpoint of this run, found that of another: \(differences.joined(separator: "; ")); use another path, give the settings of the file, or replace it by a run with resume: false"
      )
    }
    return isExact
      ? nil
      : "the run was resumed with a log density that differs from the checkpoint's by rounding (another machine or other FFT plans): its draws are valid, but not those of an uninterrupted run to the last bit"
  }
}
