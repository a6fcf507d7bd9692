# SPDX-License-Identifier: MIT
#
# Writes python.asdf, a file as Python's asdf writes it, for the reader of this module. Run by hand: python make_golden.py
#
# Needs asdf 6 and numpy.

import pathlib

import asdf
import numpy as np

base = np.arange(24, dtype=np.float64).reshape(4, 6)
tree = {
    "posterior": {"mu": np.linspace(-1, 1, 6).reshape(2, 3), "g/flux": np.array([[1e-300, np.nan]])},
    "view": base[1:, ::2],
    "base": base,
    "transposed": base.T,
    "big": np.arange(5, dtype=">i4"),
    "single": np.arange(3, dtype=np.float32) / 3,
    "bools": np.array([True, False, True]),
    "bytes": np.arange(4, dtype=np.uint8),
    "numbers": [1, 2.5, 1e-05, float("inf"), True, None, "text", "yes", "1e5"],
    "nested": {"a": {"b": [{"c": 1}]}},
}
asdf.AsdfFile(tree).write_to(pathlib.Path(__file__).with_name("python.asdf"))
# The same with arrays in the tree.
asdf.AsdfFile({"inline": base, "text": "é χ²"}).write_to(
    pathlib.Path(__file__).with_name("inline.asdf"), all_array_storage="inline"
)
