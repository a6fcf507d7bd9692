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
