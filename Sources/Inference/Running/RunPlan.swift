// SPDX-License-Identifier: MIT
//
// The settings of a run, in one place.

import Numerics

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The settings of a run.
struct RunPlan: Sendable {
  /// The number of chains.
  let chains: Int
  /// The iterations of each chain's warm-up.
  let warmUp: Int
  /// The draws of each chain.
  let draws: Int
  /// The number of steps from one draw to the next.
  let thinning: Int
  /// The key of the run.
  let key: RandomKey
  /// Where chains start.
  let initial: InitialStrategy
  /// The sites that are stored.
  let sites: StoredSites
  /// Whether the unconstrained vectors are stored, too.
  let keepsUnconstrained: Bool
  /// The number of threads.
  let threads: Int
  /// Who is told how far the run is.
  let progress: Progress
  /// Where the run is saved.
  let checkpoint: Checkpoint?
  /// Asked between steps.
  let isCancelled: @Sendable () -> Bool

  /// The number of processors that are in use by the system.
  static var processors: Int { max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }

  /// The steps of each chain.
  var iterations: Int { warmUp + draws * thinning }
}
