// SPDX-License-Identifier: MIT
//
// Tests of the keyed random numbers: known answers, independence of order, and their distributions.

import Foundation
import Numerics
import Testing

@Suite("Random keys") struct RandomKeyTests {
  @Test("Threefry-2x64-20 gives the published known answers")
  func knownAnswers() {
    // Random123's kat_vectors: zeros, ones, digits of π.
    let zero = threefry2x64(key: (0, 0), counter: (0, 0))
    #expect(zero == (0xc2b6_e3a8_c2c6_9865, 0x6f81_ed42_f350_084d))
    let ones = threefry2x64(key: (.max, .max), counter: (.max, .max))
    #expect(ones == (0xe02c_b7c4_d95d_277a, 0xd066_33d0_893b_8b68))
    let pi = threefry2x64(
      key: (0xa409_3822_299f_31d0, 0x082e_fa98_ec4e_6c89),
      counter: (0x243f_6a88_85a3_08d3, 0x1319_8a2e_0370_7344))
    #expect(pi == (0x263c_7d30_bb0f_0af1, 0x56be_8361_d331_1526))
  }

  @Test("a draw depends on its key and index alone")
  func order() {
    let key: RandomKey = 7
    let forwards = (0..<100).map { key.normal(UInt64($0)) }
    let backwards = (0..<100).reversed().map { key.normal(UInt64($0)) }
    #expect(forwards == backwards.reversed())
    #expect(forwards == key.normals(100))
    var odd = [Double](repeating: 0, count: 7)
    odd.withUnsafeMutableBufferPointer { key.fillUniform($0, from: 3) }
    #expect(odd == (3..<10).map { key.uniform(UInt64($0)) })
  }

  @Test("keys derived by names and numbers differ from each other and from their parent")
  func folding() {
    let key: RandomKey = 1
    var keys: Set<RandomKey> = [key]
    // Names of every length up to three blocks, with zero bytes that padding must not hide.
    for length in 0...40 {
      keys.insert(key.folding(in: String(repeating: "a", count: length)))
      keys.insert(key.folding(in: String(repeating: "\0", count: length)))
    }
    for number in 0..<100 { keys.insert(key.folding(in: number)) }
    // 41 + 41 names share the empty one.
    #expect(keys.count == 1 + 81 + 100)
    #expect(key.folding(in: "mu").folding(in: 1) != key.folding(in: 1).folding(in: "mu"))
  }

  @Test("a name's key stays the same in every process and version")
  func stability() throws {
    // Computed once with this implementation; a change would change every seeded result.
    let key = RandomKey(44).folding(in: "theta").folding(in: 3)
    #expect(key.bits(0) == 6_745_541_690_532_065_968)
    #expect(key.uniform(5) == 0.470_687_253_113_908)
    let copy = try JSONDecoder().decode(RandomKey.self, from: JSONEncoder().encode(key))
    #expect(copy == key)
  }

  @Test("bits of a stream are balanced and uncorrelated with their neighbours")
  func bits() {
    let key: RandomKey = 5
    let count = 20_000
    var ones = [Int](repeating: 0, count: 64)
    var agreements = 0
    for i in 0..<count {
      let word = key.bits(UInt64(i))
      for bit in 0..<64 { ones[bit] += Int(word >> UInt64(bit) & 1) }
      agreements += (~(word ^ key.bits(UInt64(i + 1)))).nonzeroBitCount
    }
    // 5 sd of a binomial count, two-sided: 6e-7 each, 4e-5 for all 65. The key is fixed: it passes always or never.
    let sd = 0.5 * Double(count).squareRoot()
    for bit in 0..<64 { #expect(abs(Double(ones[bit]) - 0.5 * Double(count)) < 5 * sd) }
    let agreementSD = 0.5 * Double(64 * count).squareRoot()
    #expect(abs(Double(agreements) - 32 * Double(count)) < 5 * agreementSD)
  }

  @Test("uniform, normal, gamma and Poisson draws follow their distribution functions")
  func distributions() {
    let count = 20_000
    let key: RandomKey = 12
    // Kolmogorov: P(√n D > 2.2) = 1.2e-4; the key is fixed.
    let limit = 2.2 / Double(count).squareRoot()
    #expect(distance(key.uniforms(count)) { $0 } < limit)
    #expect(distance(key.normals(count), normalCDF) < limit)
    for shape in [0.05, 0.7, 1, 3.5, 80] {
      let part = key.folding(in: "gamma \(shape)")
      let draws = (0..<count).map { part.gamma(UInt64($0), shape: shape) }
      #expect(distance(draws) { regularizedGammaP(shape, $0) } < limit, "shape \(shape)")
    }
    // At whole numbers P(X ≤ k) = Q(k + 1, mean); for a lattice the bound is conservative.
    for mean in [0.3, 4, 25, 1000.0] {
      let part = key.folding(in: "poisson \(mean)")
      var cumulative = (0..<count).map { part.poisson(UInt64($0), mean: mean) }
      cumulative.sort()
      var largest = 0.0
      for i in 0..<count where i + 1 == count || cumulative[i + 1] > cumulative[i] {
        let expected = regularizedGammaQ(cumulative[i] + 1, mean)
        largest = max(largest, abs(Double(i + 1) / Double(count) - expected))
      }
      #expect(largest < limit, "mean \(mean)")
    }
  }

  @Test("a tiny gamma shape gives finite logarithms where the draws underflow")
  func tinyShape() {
    let key: RandomKey = 3
    let logs = (0..<200).map { key.logGamma(UInt64($0), shape: 1e-3) }
    #expect(logs.allSatisfy { $0.isFinite })
    #expect(logs.contains { $0 < -1000 })
    #expect(key.gamma(0, shape: -1).isNaN && key.gamma(0, shape: .nan).isNaN)
  }

  @Test("a subset is the head of a shuffle, with or without the array that is shuffled")
  func subsets() {
    let key: RandomKey = 11
    for (count, size) in [(0, 4), (1, 1), (3, 7), (5, 100), (40, 1000), (60, 60), (300, 400)] {
      var shuffled = Array(0..<size)
      for k in 0..<count {
        shuffled.swapAt(k, k + Int(key.bits(UInt64(k)) % UInt64(size - k)))
      }
      let expected = shuffled[..<count].map { Double($0) }
      #expect(key.subset(count, of: size) == expected)
      for needsScratch in [true, false] {
        let scratch = UnsafeMutablePointer<Double>.allocate(capacity: size)
        defer { scratch.deallocate() }
        var found = [Double](repeating: -1, count: count)
        found.withUnsafeMutableBufferPointer {
          key.fillSubset($0, of: size, scratch: needsScratch ? scratch : nil)
        }
        #expect(found == expected, "\(count) of \(size), scratch \(needsScratch)")
      }
    }
  }

  @Test(
    "a key survives the way through four numbers, and folding in a key is neither symmetric nor trivial"
  )
  func quarters() {
    let key = RandomKey(0xfedc_ba98_7654_3210).folding(in: "site")
    var numbers = [Double](repeating: 0, count: 4)
    numbers.withUnsafeMutableBufferPointer {
      if let start = $0.baseAddress { key.store(into: start) }
    }
    #expect(
      numbers.withUnsafeBufferPointer { $0.baseAddress.map { RandomKey(quarters: $0) } } == key)
    let other: RandomKey = 5
    #expect(key.folding(key: other) == key.folding(key: 5))
    #expect(key.folding(key: other) != other.folding(key: key))
    #expect(key.folding(key: 0) != key)
  }

  @Test("a negative number to fold in stops the program")
  func negative() async {
    await #expect(processExitsWith: .failure) { _ = RandomKey(1).folding(in: -1) }
  }

  /// Returns the largest distance between the empirical distribution function of draws and a given one.
  private func distance(_ draws: [Double], _ cdf: (Double) -> Double) -> Double {
    let sorted = draws.sorted()
    let n = Double(draws.count)
    var largest = 0.0
    for (i, x) in sorted.enumerated() {
      let p = cdf(x)
      largest = max(largest, abs(Double(i + 1) / n - p), abs(p - Double(i) / n))
    }
    return largest
  }
}
