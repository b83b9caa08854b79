# SPDX-License-Identifier: BSD-3-Clause
# Makes levels.txt: how small the C libraries pack made-up arrays at each of their levels. One case a line: array, codec,
# CRC-32 of the array's bytes, their number, then the packed bytes of zlib's levels 1 to 9 or zstd's 1 to 22.
# levels_test.go makes the same arrays.
import zlib
import numpy as np
import numcodecs

T, Y, X = 4, 128, 256
n = np.arange(T * Y * X, dtype="u8")
t, y, x = n // (Y * X), n // X % Y, n % X


def noise(stream):
    """splitmix64 of the position: four numbers of 16 bits, added, around zero and below 4."""
    z = n * np.uint64(0x9E3779B97F4A7C15) + np.uint64(stream)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    parts = [(z >> np.uint64(s)) & np.uint64(0xFFFF) for s in (0, 16, 32, 48)]
    return sum(p.astype("f8") for p in parts) / 32768 - 4, z


r, z = noise(1)
dx, dy = x.astype("f8") - 128, y.astype("f8") - 64
field = dx * dx / 512 - dy * dy / 256 + dx * dy / 1024 + t / 4
noisy = (280 + field + r).astype("f4")
arrays = {
    "smooth": (280 + field).astype("f4"),
    "smooth8": 280 + field * 1.0009765625,
    "noisy": noisy,
    "quantised": (np.floor((280 + field + r) * 16) / 16).astype("f4"),
    "masked": np.where((x + 2 * y) // 32 % 3 == 0, np.float32(1e20), noisy),
    "packed": np.floor((field + r) * 100).astype("i2"),
    "counts": ((z & 1) + (z >> np.uint64(1) & 1) + (z >> np.uint64(2) & 1) * (x // 16 % 3)).astype("i4"),
    "times": np.cumsum(3600 + (z & np.uint64(3)).astype("i8")),
    "classes": z[(y // 7 * 37 + (x + 3 * t) // 9).astype("i8")].astype("u1") % 29,
}
cases = {}
for name, a in arrays.items():
    planes = a.view("u1").reshape(-1, a.dtype.itemsize).T
    cases[name] = planes.tobytes()
    if name in ("quantised", "packed", "counts"):
        cases[name + "-plain"] = a.tobytes()

with open("levels.txt", "w") as f:
    print("# zlib", zlib.ZLIB_RUNTIME_VERSION, "numcodecs", numcodecs.__version__, file=f)
    for name, b in cases.items():
        print(name, "zlib", f"{zlib.crc32(b):08x}", len(b), *(len(zlib.compress(b, l)) for l in range(1, 10)), file=f)
        print(name, "zstd", f"{zlib.crc32(b):08x}", len(b), *(len(numcodecs.Zstd(l).encode(b)) for l in range(1, 23)), file=f)
