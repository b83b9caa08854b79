# SPDX-License-Identifier: BSD-3-Clause
"""Writes sortby.json: results of xarray for the cases of sortby_test.go.

Made with xarray 2026.9.0, NumPy 2.4.6: python sortby.py > sortby.json
"""
import json
import sys

import numpy as np
import xarray as xr

t, k = [3.0, 0.0, 2.0, 1.0], [1, 0, 1, 0]
v = xr.DataArray([[1.0, 5, 5], [np.nan, 2, 1], [4, np.nan, 4], [0, -1, 7]], dims=("time", "x"), coords={"time": t, "k": ("time", k)})
cases = {
    "time": v.sortby("time"), "time down": v.sortby("time", ascending=False), "k and time": v.sortby(["k", "time"]), "k down": v.sortby("k", ascending=False),
    "rank time": v.rank("time"), "rank x": v.rank("x", pct=True),
}
json.dump({n: [None if np.isnan(e) else float(e) for e in c.values.ravel()] for n, c in cases.items()}, sys.stdout, separators=(",", ":"))
