# SPDX-License-Identifier: BSD-3-Clause
"""records.py make DIR: records of numbers, texts and records, by h5py (r.h5) and by zarr-python in both versions (z2.zarr, z3.zarr).
records.py read DIR: compares what zarr-python, 3.2 or later, reads of DIR/out2.zarr and out3.zarr with them."""
import sys
import warnings

import h5py
import numpy as np
import zarr

warnings.simplefilter("ignore")
kind = np.dtype([("id", "<i4"), ("x", "<f8"), ("flag", "?"), ("name", "S5"), ("c", "<c8"), ("in", [("a", "<u2"), ("b", "<f4")])])
a = np.zeros((5, 3), kind)
a["id"] = np.arange(15).reshape(5, 3)
a["x"], a["flag"], a["name"], a["c"] = a["id"] / 7, a["id"] % 2, np.char.mod("%d", a["id"]).astype("S5"), a["id"] + 1j
a["in"]["a"], a["in"]["b"] = a["id"] * 3, -a["id"]

what, where = sys.argv[1:]
if what == "make":
    with h5py.File(f"{where}/r.h5", "w") as f:
        f.create_dataset("little", data=a, chunks=(2, 3), compression="gzip")
        f.create_dataset("big", data=a.astype(kind.newbyteorder(">")), chunks=(2, 2))
    for version in (2, 3):
        g = zarr.open_group(f"{where}/z{version}.zarr", mode="w", zarr_format=version)
        g.create_array("little", shape=a.shape, dtype=kind, chunks=(2, 2))[:] = a
elif tuple(int(x) for x in zarr.__version__.split(".")[:2]) < (3, 2):
    print("old")  # it knows no record within a record in version 2, and version 3's records by their former name only
else:
    for version in (2, 3):
        g = zarr.open_group(f"{where}/out{version}.zarr", mode="r")
        for name in ("little", "big"):
            got = g[name][...]
            assert got.dtype.newbyteorder("<") == kind, got.dtype
            assert (got == a).all(), (version, name)
    print("equal")
