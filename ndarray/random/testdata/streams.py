# SPDX-License-Identifier: BSD-3-Clause
"""Writes streams.json: what NumPy's Generator(Philox(seed)) draws, call after call.

Each stream has a seed, the numbers of the children spawned on the way to it, its key, and calls: name, arguments, shape, dtype and the
elements' bytes in hex, or, of many, their SHA-256.

Run: python streams.py > streams.json
"""
import hashlib
import json

import numpy as np

PAIRS = [
    ("random", [], [5], "float64"), ("random", [], [3], "float32"), ("random", [], [2], "float64"), ("random", [], [2, 3], "float32"),
    ("bits", [], [3], "uint64"), ("bits", [], [5], "uint32"), ("bits", [], [7], "uint16"), ("bits", [], [11], "uint8"),
    ("random", [], [1], "float32"), ("bits", [], [2], "uint8"), ("bits", [], [4], "uint16"), ("random", [], [], "float64"),
    ("integers", [0, 2**20], [5], "int64"), ("integers", [-(2**31), 2**31], [3], "int64"), ("integers", [-5, 2**40 - 5], [4], "int64"),
    ("integers", [7, 8], [4], "int64"), ("integers", [-7, -6], [2], "int16"), ("integers", [-3, 2**33 - 3], [3, 2], "int64"), ("integers", [0, 2**63 - 2**62], [3], "uint64"),
    ("integers", [-(2**31), 2**31], [3], "int32"), ("integers", [10, 14], [9], "int32"), ("integers", [-8, 8], [7], "int16"), ("integers", [0, 2**15], [3], "uint16"),
    ("integers", [-64, 64], [9], "int8"), ("integers", [-128, 128], [5], "int8"), ("integers", [5, 7], [6], "uint8"),
    ("random", [], [0, 4], "float64"), ("random", [], [0], "float32"), ("uniform", [-2.5, 3.25], [4], "float64"), ("exponential", [1.0], [6], "float64"),
    ("choice", [4, [0.1, 0.2, 0.3, 0.4]], [20], "int64"), ("choice", [3, [0.0, 1.0, 0.0]], [5], "int64"), ("choice", [16, None], [7], "int64"),
    ("random", [], [300, 401], "float64"), ("random", [], [301, 203], "float32"), ("bits", [], [50_001], "uint8"), ("bits", [], [50_003], "uint16"),
    ("bits", [], [33, 3, 101], "uint64"), ("random", [], [3], "float32"),
]


def call(g, name, args, shape, dtype):
    shape = tuple(shape)
    if name == "random":
        return g.random(shape, dtype)
    if name == "bits":
        return g.integers(0, 2 ** (8 * np.dtype(dtype).itemsize), shape, dtype)
    if name == "integers":
        return g.integers(*args, shape, dtype)
    if name == "uniform":
        return g.uniform(*args, shape)
    if name == "exponential":
        return args[0] * g.standard_exponential(shape, method="inv")
    return g.choice(args[0], shape, p=args[1])


streams = []
for seed, path in [(0, []), (42, []), (2**32 + 5, []), (2**64 - 1, []), (42, [0]), (42, [1, 2]), (2**40, [3])]:
    seq = np.random.SeedSequence(seed, spawn_key=path)
    g = np.random.Generator(np.random.Philox(seq))
    calls = []
    for name, args, shape, dtype in PAIRS:
        a = np.asarray(call(g, name, args, shape, dtype))
        assert a.dtype == dtype and list(a.shape) == shape, (name, a.dtype, a.shape)
        c = {"name": name, "args": args, "shape": shape, "dtype": dtype}
        if a.size < 100:
            c["hex"] = a.tobytes().hex()
        else:
            c["sha256"] = hashlib.sha256(a.tobytes()).hexdigest()
        calls.append(c)
    streams.append({"seed": seed, "path": path, "key": [int(k) for k in seq.generate_state(2, np.uint64)], "calls": calls})
root = np.random.Generator(np.random.Philox(42))
for want, child in zip(streams[4:5], root.spawn(1)):
    assert want["calls"][0]["hex"] == child.random(5).tobytes().hex()
print(json.dumps({"numpy": np.__version__, "streams": streams}, indent=1))
