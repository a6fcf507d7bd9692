// SPDX-License-Identifier: MIT
//
// A loop on all processors whose results are in order.

import Dispatch
import Synchronization

/// The number of results that a processor makes before it hands them in.
private let concurrentBlock = 16

/// Returns what a function makes of each number below a count, in order, on all processors.
///
/// - Complexity: Short loops stay on the caller's thread.
func concurrentMap<Result: Sendable>(
  _ count: Int, _ body: @Sendable (Int) -> Result
) -> [Result] {
  guard count > concurrentBlock else { return (0..<count).map(body) }
  let blocks = (count + concurrentBlock - 1) / concurrentBlock
  let results = Mutex([[Result]](repeating: [], count: blocks))
  DispatchQueue.concurrentPerform(iterations: blocks) { block in
    let own = (block * concurrentBlock..<min(count, (block + 1) * concurrentBlock)).map(body)
    results.withLock { $0[block] = own }
  }
  return results.withLock { $0.flatMap { $0 } }
}
