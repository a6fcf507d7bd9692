// SPDX-License-Identifier: MIT
//
// The models of these tests, and the plain formulas they are checked with.

import Distributions
import PPL
import Synchronization
import Tensors
import Testing

/// The effects of Rubin 1981.
let y: [Double]? = [28, 8, -3, 7, -1, 1, 18, 12]

/// Their standard errors.
let sigma: [Double] = [15, 10, 16, 11, 9, 11, 10, 18]

/// Rubin's eight schools, as the design writes it.
let eightSchools = Model { m in
  let mu = m.sample("mu", Normal(0, 5))
  let tau = m.sample("tau", HalfCauchy(5))
  m.plate("schools", 8) {
    let theta = m.sample("theta", Normal(mu, tau))
    m.observe("y", Normal(theta, sigma), y)
  }
}

/// Two normal variables, the second observed.
let pair = Model { m in
  let x = m.sample("x", Normal(1, 2))
  return m.observe("z", Normal(x, 0.5), 3.0)
}

/// ½ log 2π.
let halfLogTwoPi = 0.5 * 1.8378770664093453

/// Returns the log density of a normal variable.
func logNormal(_ x: Double, _ loc: Double, _ scale: Double) -> Double {
  let z = (x - loc) / scale
  return -0.5 * z * z - Tensors.log(Tensor(scale)).item() - halfLogTwoPi
}

/// Whether two numbers agree to some rounding errors of sums of a few dozen terms.
func near(_ x: Double, _ y: Double, _ tolerance: Double = 1e-12) -> Bool {
  abs(x - y) <= tolerance * max(1, abs(x), abs(y))
}

/// Returns the first mistake that `body` throws, or nil.
func mistake(_ body: () throws -> Void) -> ModelError? {
  do {
    try body()
    return nil
  } catch {
    return error as? ModelError
  }
}

/// A user's handler, as the design writes it.
struct Tempered: Handler {
  var beta: Double
  mutating func process(_ site: inout Site) { if site.isObserved { site.scale *= beta } }
}

/// A user's handler with state: counts the sites that pass.
struct SiteCounter: Handler {
  var count = 0
  mutating func process(_ site: inout Site) { if site.kind == .sample { count += 1 } }
}

/// What several handlers have written, in order.
final class Log: Sendable {
  private let entries = Mutex<[String]>([])
  func append(_ entry: String) { entries.withLock { $0.append(entry) } }
  var text: String { entries.withLock { $0.joined(separator: " ") } }
}

/// A user's handler that notes its name on the way out and on the way back.
struct Note: Handler {
  var name: String
  var log: Log
  mutating func process(_ site: inout Site) { log.append(name + ">" + site.name) }
  mutating func postprocess(_ site: inout Site) { log.append(name + "<" + site.name) }
}
