// SPDX-License-Identifier: MIT
//
// A resumed run equals an uninterrupted one, wherever it was interrupted; a file of another run, or half a file, is refused.

import Distributions
import Foundation
import Inference
import Numerics
import PPL
import Synchronization
import Tensors
import Testing

/// A folder that is removed with this value.
private final class Folder {
  let path: String

  init() throws {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    path = url.path
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// The path of a checkpoint.
  var file: String { path + "/run.chains" }

  /// The names of the files in the folder.
  var names: [String] {
    (try? FileManager.default.contentsOfDirectory(atPath: path).sorted()) ?? []
  }
}

/// Says true from the given call on.
private final class Fuse: Sendable {
  private let calls = Atomic(0)
  private let limit: Int

  init(_ limit: Int) { self.limit = limit }

  /// Whether the calls are used up.
  func isBurnt() -> Bool { calls.add(1, ordering: .relaxed).newValue > limit }
}

@Suite("Checkpoints")
struct CheckpointTests {
  /// A run of three chains with 80 + 50 iterations: 390 questions of cancellation, and some more.
  private static func run(
    _ checkpoint: Checkpoint?, draws: Int = 50, thinning: Int = 1, threads: Int = 1,
    model: Model<Void> = noncentred, key: RandomKey = 6, warmUp: Int = 80,
    kernel: NUTS = NUTS(), sites: StoredSites = .latent, chains: Int = 3,
    initial: InitialStrategy = .uniform(radius: 2),
    adaptation: WindowedAdaptation<NUTS> = .diagonal, until limit: Int = .max
  ) throws -> Draws {
    let fuse = Fuse(limit)
    return try kernel.run(
      model.logDensity(), chains: chains, warmUp: warmUp, draws: draws, thinning: thinning,
      key: key, initial: initial, adaptation: adaptation, sites: sites, keepsUnconstrained: true,
      threads: threads, checkpoint: checkpoint
    ) { fuse.isBurnt() }
  }

  /// Checks that two runs have the same draws and statistics, to the last bit.
  private static func expectEqual(_ a: Draws, _ b: Draws, _ what: String) {
    /// Returns the bits of numbers, so that NaN equals NaN.
    func bits(_ x: [Double]) -> [UInt64] { x.map(\.bitPattern) }
    #expect(a.draws == b.draws && a.names == b.names, "\(what): \(a.draws), \(b.draws)")
    for (x, y) in zip(a.sites, b.sites) { #expect(bits(x.values) == bits(y.values), "\(what)") }
    #expect(a.unconstrained?.elements == b.unconstrained?.elements, "\(what)")
    guard let s = a.statistics, let t = b.statistics else { return #expect(Bool(false), "\(what)") }
    #expect(bits(s.acceptance) == bits(t.acceptance), "\(what)")
    #expect(bits(s.energy) == bits(t.energy) && s.diverged == t.diverged, "\(what)")
    #expect(s.gradients == t.gradients && s.treeDepth == t.treeDepth, "\(what)")
    #expect(s.stepSizes == t.stepSizes && s.metrics == t.metrics, "\(what)")
    #expect(s.warmUpGradients == t.warmUpGradients, "\(what)")
  }

  @Test(
    "a run that is interrupted and resumed equals one that is not, with other numbers of threads",
    arguments: [0, 1, 2, 50, 170, 240, 241, 260, 330, 388], [1, 3])
  func resumed(interruption: Int, threads: Int) throws {
    let folder = try Folder()
    let whole = try Self.run(nil)
    let first = try Self.run(Checkpoint(folder.file), until: interruption)
    #expect(first.statistics?.wasCancelled ?? false)
    #expect(first.draws < 50)
    let second = try Self.run(Checkpoint(folder.file), threads: threads)
    Self.expectEqual(second, whole, "interrupted after \(interruption)")
    #expect(second.statistics?.wasCancelled == false && second.statistics?.warnings == [])
    #expect(folder.names == ["run.chains"])
  }

  @Test("a run that is interrupted again and again ends as one that is not", arguments: [1, 3])
  func often(thinning: Int) throws {
    let folder = try Folder()
    let whole = try Self.run(nil, thinning: thinning, adaptation: .dense)
    var draws = try Self.run(
      Checkpoint(folder.file), thinning: thinning, adaptation: .dense, until: 37)
    var times = 1
    while draws.statistics?.wasCancelled ?? false {
      times += 1
      draws = try Self.run(
        Checkpoint(folder.file), thinning: thinning, threads: times % 3 + 1, adaptation: .dense,
        until: 37)
    }
    #expect(times > 8)
    Self.expectEqual(draws, whole, "interrupted \(times) times")
  }

  @Test("more draws extend a run, fewer cut it, and the file keeps all")
  func extended() throws {
    let folder = try Folder()
    let long = try Self.run(nil, draws: 90, thinning: 2)
    _ = try Self.run(Checkpoint(folder.file), draws: 30, thinning: 2)
    let extended = try Self.run(Checkpoint(folder.file), draws: 90, thinning: 2)
    Self.expectEqual(extended, long, "extended")
    #expect(extended.statistics?.resumedDraws == [30, 30, 30])
    let short = try Self.run(Checkpoint(folder.file), draws: 20, thinning: 2)
    Self.expectEqual(short, try Self.run(nil, draws: 20, thinning: 2), "cut")
    let again = try Self.run(Checkpoint(folder.file), draws: 90, thinning: 2, until: 0)
    Self.expectEqual(again, long, "read only")
  }

  @Test("checkpoints in the middle of a run, not only at its end, can be resumed")
  func periodic() throws {
    let folder = try Folder()
    let density = try noncentred.logDensity()
    let (file, place) = (folder.file, folder.path)
    let copies = Mutex<[String]>([])
    let calls = Atomic(0)
    /// Copies the file away now and then, while the run goes on.
    @Sendable func copy() {
      guard calls.add(1, ordering: .relaxed).newValue % 1500 == 0 else { return }
      copies.withLock { list in
        let copy = place + "/copy\(list.count)"
        if (try? FileManager.default.copyItem(atPath: file, toPath: copy)) != nil {
          list.append(copy)
        }
      }
    }
    /// Returns a run of three chains on two threads, which takes many slices of time.
    func run(_ checkpoint: Checkpoint?, _ watch: @escaping @Sendable () -> Void) throws -> Draws {
      try NUTS().run(
        density, chains: 3, warmUp: 2000, draws: 3000, key: 9, threads: 2, checkpoint: checkpoint
      ) {
        watch()
        return false
      }
    }
    // Every saving is due at once.
    let whole = try run(Checkpoint(file, every: 0), copy)
    Self.expectEqual(try run(nil) {}, whole, "without checkpoints")
    let list = copies.withLock { $0 }
    #expect(list.count >= 3, "\(list.count) copies")
    for copy in [list[0], list[list.count / 2], list[list.count - 1]] {
      let resumed = try run(Checkpoint(copy)) {}
      Self.expectEqual(resumed, whole, copy)
    }
  }

  @Test("any kernel can be resumed, one of one's own, too")
  func otherKernels() throws {
    let folder = try Folder()
    let density = try line.logDensity()
    /// Returns a run of a random walk.
    func run(_ checkpoint: Checkpoint?, until limit: Int) throws -> Draws {
      let fuse = Fuse(limit)
      return try RandomWalkMetropolis().run(
        density, chains: 2, warmUp: 100, draws: 100, threads: 1, checkpoint: checkpoint
      ) { fuse.isBurnt() }
    }
    let whole = try run(nil, until: .max)
    for limit in [20, 60, 130, 40] {
      let part = try run(Checkpoint(folder.file), until: limit)
      #expect(part.statistics?.wasCancelled ?? false)
    }
    Self.expectEqual(try run(Checkpoint(folder.file), until: .max), whole, "random walk")
  }

  @Test("a run that is cancelled while starts are searched for is resumed as if it had not been")
  func searches() throws {
    let folder = try Folder()
    let whole = try Self.run(nil, initial: .usual)
    for limit in [0, 3, 40, 200] {
      let part = try Self.run(Checkpoint(folder.file), initial: .usual, until: limit)
      #expect(part.statistics?.wasCancelled ?? false)
    }
    Self.expectEqual(try Self.run(Checkpoint(folder.file), initial: .usual), whole, "searches")
  }

  @Test("NaN and infinity in stored sites survive")
  func notFinite() throws {
    let model = Model<Void> { m in
      let x = m.sample("x", Normal(0, 1))
      m.deterministic("root", Tensors.sqrt(x))
      m.deterministic("inverse", 1 / (x + abs(x)))
      m.observe("y", Normal(x, 1), 0.3)
    }
    let folder = try Folder()
    let whole = try Self.run(nil, model: model, sites: .all)
    #expect(whole["root"].elements.contains { $0.isNaN })
    #expect(whole["inverse"].elements.contains(Double.infinity))
    _ = try Self.run(Checkpoint(folder.file), model: model, sites: .all, until: 300)
    Self.expectEqual(
      try Self.run(Checkpoint(folder.file), model: model, sites: .all), whole, "NaN")
  }

  // MARK: - Refusals

  /// Returns the error of a run.
  private func refusal(_ body: () throws -> Draws) -> CheckpointError? {
    do {
      _ = try body()
      return nil
    } catch {
      return error as? CheckpointError
    }
  }

  @Test("the checkpoint of another run is refused, and the message says what differs")
  func otherRun() throws {
    let folder = try Folder()
    _ = try Self.run(Checkpoint(folder.file), until: 200)
    let file = Checkpoint(folder.file)
    let data = Model<Void> { m in
      let mu = m.sample("mu", Normal(0, 5))
      let tau = m.sample("tau", HalfCauchy(5))
      m.plate("schools", 8) {
        let theta = m.sample("theta", Normal(mu, tau))
        m.observe("y", Normal(theta, errors), effects.map { $0 + 1e-6 })
      }
    }.reparameterized(["theta": LocScale()])
    let cases: [(String, CheckpointError?)] = [
      ("key", refusal { try Self.run(file, key: 7) }),
      ("warmUp", refusal { try Self.run(file, warmUp: 81) }),
      ("thinning", refusal { try Self.run(file, thinning: 2) }),
      ("chains", refusal { try Self.run(file, chains: 2) }),
      ("initial", refusal { try Self.run(file, initial: .uniform(radius: 1)) }),
      (
        "kernel.targetAcceptance",
        refusal { try Self.run(file, kernel: NUTS(targetAcceptance: 0.9)) }
      ),
      ("kernel.maximumDepth", refusal { try Self.run(file, kernel: NUTS(maximumDepth: 8)) }),
      ("adaptation.metric", refusal { try Self.run(file, adaptation: .dense) }),
      ("sites", refusal { try Self.run(file, sites: ["mu"]) }),
      ("log density", refusal { try Self.run(file, model: data) }),
    ]
    for (name, error) in cases {
      #expect(error?.kind == .mismatch([name]), "\(name): \(error?.description ?? "no error")")
      #expect(error?.explanation.contains("in the file") ?? false)
    }
    let depth = cases[6].1?.description ?? ""
    #expect(depth.contains("kernel.maximumDepth is 10 in the file, 8 here"), "\(depth)")
    let other = refusal { try Self.run(file, model: eightSchools) }
    guard case .mismatch(let names)? = other?.kind else { return #expect(Bool(false)) }
    #expect(names.contains("coordinates") && names.contains("sites") == false)
    let walk = refusal {
      try RandomWalkMetropolis().run(noncentred.logDensity(), chains: 3, checkpoint: file)
    }
    guard case .mismatch(let parts)? = walk?.kind else { return #expect(Bool(false)) }
    #expect(parts.contains("kernel") && !parts.contains { $0.hasPrefix("kernel.") })
    // Nothing was lost by the refusals.
    Self.expectEqual(try Self.run(file), try Self.run(nil), "after refusals")
  }

  @Test("a file that is cut off, damaged or of another kind is refused")
  func damaged() throws {
    let folder = try Folder()
    _ = try Self.run(Checkpoint(folder.file), until: 250)
    let bytes = [UInt8](try Data(contentsOf: URL(filePath: folder.file)))
    /// Returns the error of resuming from bytes.
    func error(_ bytes: [UInt8]) throws -> CheckpointError? {
      try Data(bytes).write(to: URL(filePath: folder.file))
      return refusal { try Self.run(Checkpoint(folder.file)) }
    }
    for length in [0, 1, 8, 12, 16, 24, 31, 100, bytes.count / 2, bytes.count - 1] {
      let found = try error(Array(bytes.prefix(length)))
      #expect(found?.kind == .damaged, "\(length) bytes: \(found?.description ?? "no error")")
    }
    for place in stride(from: 0, to: bytes.count, by: 997) {
      var changed = bytes
      changed[place] ^= 0x10
      let found = try error(changed)
      // The version has a message of its own.
      #expect(found != nil && ((8..<16).contains(place) || found?.kind == .damaged), "\(place)")
    }
    var newer = bytes
    newer[8] = 3
    #expect(try error(newer)?.kind == .version(3))
    #expect(try error(Array("a poem, not a run".utf8))?.kind == .damaged)
    #expect(try error(bytes + [0])?.kind == .damaged)
    #expect(try error(bytes) == nil)
    try Data("junk".utf8).write(to: URL(filePath: folder.file))
    let anew = try Self.run(Checkpoint(folder.file, resume: false))
    Self.expectEqual(anew, try Self.run(nil), "replaced")
    #expect(refusal { try Self.run(Checkpoint(folder.path)) }?.kind == .unreadable)
  }

  @Test("a path that cannot be written is refused before the run, with the reason")
  func unwritable() throws {
    let refused = refusal { try Self.run(Checkpoint("/nowhere/at/all/run.chains")) }
    #expect(refused?.kind == .unwritable)
    #expect(refused?.description.contains("/nowhere/at/all/run.chains") ?? false)
    #expect(refused?.description.contains("No such file or directory") ?? false)
    guard FileManager.default.fileExists(atPath: "/dev/full") else { return }
    // The partial file of a path is written first: a device that is always full stands in its place.
    let folder = try Folder()
    try FileManager.default.createSymbolicLink(
      atPath: folder.file + ".partial", withDestinationPath: "/dev/full")
    let full = refusal { try Self.run(Checkpoint(folder.file)) }
    #expect(full?.description.contains("No space left on device") ?? false)
    #expect(folder.names == [])
  }

  @Test("a folder that vanishes during a run costs no draws, and the result says so")
  func vanished() throws {
    let folder = try Folder()
    let path = folder.path
    let draws = try NUTS().run(
      noncentred.logDensity(), chains: 2, warmUp: 50, draws: 50, key: 1,
      checkpoint: Checkpoint(folder.file)
    ) {
      try? FileManager.default.removeItem(atPath: path)
      return false
    }
    let warnings = try #require(draws.statistics).warnings
    #expect(draws.count == 100 && warnings.count == 1)
    #expect(warnings.first?.contains("No such file or directory") ?? false, "\(warnings)")
  }
}
