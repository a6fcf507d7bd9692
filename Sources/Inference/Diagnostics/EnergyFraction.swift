// SPDX-License-Identifier: MIT
//
// E-BFMI: how well the resampling of momenta explores the energies of the target.
//
// Source: Betancourt 2016, arXiv 1604.00695, eq. 27; the estimator is that of ArviZ.

/// Returns the mean squared change of the energy over its variance, for each chain.
///
/// - Parameters:
///   - energy: The energies at the start of the steps, chain after chain.
///   - chains: The number of chains.
/// - Returns: A number for each chain; below 0.3 the tails of the energy are hardly reached. NaN without energies.
public func energyFractions(_ energy: [Double], chains: Int) -> [Double] {
  let length = energy.count / max(1, chains)
  return (0..<chains).map { chain in
    let own = Array(energy[(chain * length)..<((chain + 1) * length)])
    guard own.count > 1 else { return .nan }
    let changes = zip(own.dropFirst(), own).map { ($0 - $1) * ($0 - $1) }
    let variance = ChainStatistics.squares(own) / Double(own.count - 1)
    return variance == 0 ? .nan : ChainStatistics.mean(changes) / variance
  }
}

/// The energies of all steps of a chain, summed up: what E-BFMI needs, whatever is stored of the steps.
struct EnergyMoments: Sendable, Codable {
  private var count = 0.0
  private var mean = 0.0
  private var squares = 0.0
  private var changes = 0.0
  private var last = Double.nan

  /// Adds the energy of the next step.
  mutating func add(_ energy: Double) {
    if count > 0 { changes += (energy - last) * (energy - last) }
    count += 1
    let before = energy - mean
    mean += before / count
    squares += before * (energy - mean)
    last = energy
  }

  /// The mean squared change of the energy over its variance; NaN without energies, or where they are all alike.
  var fraction: Double { count > 1 && squares > 0 ? changes / squares : .nan }
}
