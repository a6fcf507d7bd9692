// SPDX-License-Identifier: MIT
//
// A loop on all processors whose results are in order.

import Dispatch
import Synchronization

/// Returns what a function makes of each number below a count, in order, on all processors.
///
/// - Parameters:
///   - count: The number of results.
///   - block: The number of results that a processor makes before it hands them in.
///   - body: Makes one of them, on any thread.
/// - Returns: The results.
/// - Complexity: Loops of one block stay on the caller's thread.
package func concurrentMap<Result: Sendable>(
  _ count: Int, block: Int = 16, _ body: @Sendable (Int) -> Result
) -> [Result] {
  guard count > block else { return (0..<count).map(body) }
  let blocks = (count + block - 1) / block
  let results = Mutex([[Result]](repeating: [], count: blocks))
  DispatchQueue.concurrentPerform(iterations: blocks) { number in
    let own = (number * block..<min(count, (number + 1) * block)).map(body)
    results.withLock { $0[number] = own }
  }
  return results.withLock { $0.flatMap { $0 } }
}
