# SPDX-License-Identifier: BSD-3-Clause
"""Writes promote.txt: numpy.promote_types for every pair of dtypes.

Run: python promote.py > promote.txt
"""
import numpy as np

NAMES = ("bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 "
         "float16 float32 float64 complex64 complex128").split()
print(f"# numpy {np.__version__}: promote.py")
for a in NAMES:
    for b in NAMES:
        print(a, b, np.promote_types(a, b))
