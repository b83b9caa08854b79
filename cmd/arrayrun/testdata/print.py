# SPDX-License-Identifier: BSD-3-Clause
"""Writes print.jsonl: arrays and what NumPy prints for them (made with NumPy 2.4.6)."""
import json
import os

import numpy as np

r = np.random.default_rng(1)
cases = [np.array(x) for x in (
    1.5, 0.1, 1e16, 1e-5, -0.0, np.nan, -np.inf, 3, True, 1 + 2j, 2j, -0.0 + 2j, 1.5 - 0j, 123456789.0, 1e15, 1e22)]
cases += [np.float32(x) for x in (0.1, 1e8, 1e16, 3.1415927)] + [np.float16(x) for x in (0.1, 65504, 1e-7)]
cases += [np.zeros(0), np.zeros((3, 0)), np.array([1]), np.arange(5), -np.arange(5), np.arange(6).reshape(2, 3),
          np.arange(24.0).reshape(2, 3, 4), np.arange(24.0).reshape(2, 1, 3, 4) / 7, np.array([True, False]),
          np.array([[True], [False]]), np.array([1.0, np.nan, 3]), np.array([np.inf, -np.inf, 1]), np.array([np.nan, np.nan]),
          np.array([np.inf, 1.5]), np.array([1e-5, 1]), np.array([1e8, 1]), np.array([99999999.0]), np.array([1e300, 1e-300]),
          np.array([1.0, 1000.5]), np.array([1.0, 1001.5]), np.array([0.1 + 0.2, 1 / 3]), np.array([-1.5, 2.25]), np.array([0.0, -0.0]),
          np.array([2**63 - 1, -2**63]), np.array([2**64 - 1], np.uint64), np.arange(30), np.arange(30.0) / 3, np.arange(1001),
          np.arange(1001.0) / 7, np.arange(1000), np.arange(10000).reshape(100, 100), np.arange(8000.0).reshape(20, 20, 20) * 1.1,
          np.arange(3003).reshape(3, 1001), np.arange(3003).reshape(1001, 3), np.arange(2000).reshape(2, 1, 1000),
          np.array([1 + 2j, 3.5 - 1j]), np.array([1e10 + 1j, 1]), np.array([np.nan + 1j, 1 - np.inf * 1j]),
          np.array([1 / 3], np.float32), np.array([1 / 3, 2000], np.float16), np.array([1e-8], np.float32), np.array([123456, 1], np.float32),
          np.array([1234567.8, 2e6], np.float32), np.array([1000.5], np.float16), np.array([999.5], np.float16),
          np.array([1e100, 1]), np.array([1e-100, 1e100]), np.array([[1e-5, np.nan], [1, np.inf]])]
for dt in ("f2", "f4", "f8", "c8", "c16", "i1", "u8", "i4"):
    for shape in ((7,), (3, 4), (2, 3, 2), (40,), (2000,), (9, 30, 8)):
        for scale in (1, 1e-3, 1e3, 1e6):
            x = r.normal(size=shape) * scale
            if dt[0] == "c":
                x = x + 1j * r.normal(size=shape) * scale
            if dt in ("i1", "u8"):
                x = np.abs(x)
            if dt == "i1":
                x = x % 100
            with np.errstate(all="ignore"):
                cases.append(x.astype(dt))
with open(os.path.join(os.path.dirname(__file__), "print.jsonl"), "w") as f:
    for a in cases:
        a = np.asarray(a)
        part = a
        if a.size > 1000:  # the text shows the corners only
            for i, n in enumerate(a.shape):
                part = np.take(part, [*range(3), *range(n - 3, n)] if n > 6 else range(n), axis=i)
        f.write(json.dumps({"dtype": a.dtype.name, "shape": a.shape, "data": np.ascontiguousarray(part).tobytes().hex(),
                            "text": str(a if a.shape else a[()])}) + "\n")
