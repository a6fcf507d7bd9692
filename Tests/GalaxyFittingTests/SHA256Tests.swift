// SPDX-License-Identifier: MIT
//
// SHA-256 against the examples of FIPS 180-4 and against pieces of other lengths.

import Foundation
import GalaxyFitting
import Testing

@Suite("SHA-256")
struct SHA256Tests {
  @Test(
    "digests are those of the standard's examples",
    arguments: [
      ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
      ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
      (
        "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
      ),
      (
        "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
        "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"
      ),
    ])
  func examples(text: String, digest: String) {
    #expect(sha256(Array(text.utf8)) == digest)
  }

  @Test("a million letters a have the standard's digest, in memory and in a file")
  func million() throws {
    let digest = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
    let bytes = [UInt8](repeating: 97, count: 1_000_000)
    #expect(sha256(bytes) == digest)
    let file = FileManager.default.temporaryDirectory.appending(
      path: "sersic-sha-\(UUID().uuidString)")
    try Data(bytes).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    #expect(sha256(ofFile: file.path) == digest)
    #expect(sha256(ofFile: file.path + ".absent") == nil)
  }
}
