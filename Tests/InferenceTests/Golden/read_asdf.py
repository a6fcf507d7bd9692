# SPDX-License-Identifier: MIT
#
# Prints what Python's asdf finds in a file of draws: for each array its type, shape and the sum of its bit patterns.

import sys

import asdf
import numpy as np

with asdf.open(sys.argv[1]) as file:
    assert file.tree["asdf_library"]["name"] == "swift-sersic"
    for name, array in file["posterior"].items():
        values = np.ascontiguousarray(array)
        total = int(values.view(np.uint64).sum(dtype=np.uint64))
        print(name, values.dtype, ",".join(map(str, values.shape)), total)
    for name, array in file["sample_stats"].items():
        print(name, np.asarray(array).dtype, ",".join(map(str, array.shape)))
    assert abs(file["periods"]["angle"] - np.pi) < 1e-15
