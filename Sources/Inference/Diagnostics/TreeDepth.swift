// SPDX-License-Identifier: MIT
//
// The depth at which the no-U-turn sampler cuts its trajectories off, as diagnostics ask for it.

extension NUTS {
  public var maximumTreeDepth: Int? { maximumDepth }
}
