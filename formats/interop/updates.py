# SPDX-License-Identifier: BSD-3-Clause
"""Appends to and regions of Zarr: xarray writes to arrayrun's stores, and arrayrun to xarray's."""
import shutil

import numpy as np

from common import arrayrun, check, peer

PACKED = {"dtype": "i2", "scale_factor": 0.01, "add_offset": 273.15, "_FillValue": -32768}


def sample(xr, first, n, units="days since 2000-01-01"):
    tas = (np.random.default_rng(first).random((n, 4, 5)) * 30 + 260).round(2).astype("f4")
    tas[0, 0, 0] = np.nan
    ds = xr.Dataset({"tas": (("time", "lat", "lon"), tas), "mask": (("lat", "lon"), np.arange(20, dtype="i2").reshape(4, 5))},
                    {"time": ("time", np.arange(first, first + n), {"units": "days since 2000-01-01"}), "lat": np.arange(4.0), "lon": np.arange(5.0)})
    ds = xr.decode_cf(ds)
    ds.time.encoding.update(units=units, dtype="i8", calendar="proleptic_gregorian")
    return ds


def both_ways():
    xr, zarr = peer("xarray"), peer("zarr")
    if not xr or not zarr:
        return

    def compare(path, want):
        with xr.open_zarr(path) as d:
            ok = d.equals(want) or d.sizes == want.sizes and all(np.allclose(d[n].values, want[n].values, atol=0.0051, equal_nan=True)
                                                                 for n in ["tas", "mask", "lat", "lon"]) and (d.time.values == want.time.values).all()
            check(path, ok, f"is {d}, want {want}")
        with xr.open_zarr(path, consolidated=False) as d:
            check(path, d.sizes == want.sizes, f"without consolidated metadata it has {dict(d.sizes)}, want {dict(want.sizes)}")

    for version in [2, 3]:
        for shards in [False, True] if version == 3 else [False]:
            theirs, ours = f"theirs-{version}-{shards}.zarr", f"append-{version}-{shards}.zarr"
            for p in [theirs, ours]:
                shutil.rmtree(p, ignore_errors=True)
            a, b, c = sample(xr, 0, 5), sample(xr, 5, 7), sample(xr, 12, 3, "hours since 2000-01-01")
            new = sample(xr, 3, 4)
            new["tas"] += 7
            for d, name in [(a, "a"), (b, "b")]:
                d.to_netcdf(name + "-append.nc", encoding={"tas": PACKED})
            c.to_netcdf("c-append.nc")
            new.to_netcdf("new-append.nc")
            want = xr.concat([a, b, c], "time", data_vars="minimal", coords="minimal", compat="override").load()
            want["tas"][3:7] = new.tas.values

            a.to_zarr(theirs, zarr_format=version, consolidated=True, encoding={"tas": {**PACKED, "chunks": (2, 2, 3), **({"shards": (4, 4, 6)} if shards else {})}})
            arrayrun(theirs, "convert", "b-append.nc", theirs, "--append", "time")
            arrayrun(theirs, "eval", "tas", "c-append.nc", "-o", theirs, "--append", "time")  # packed, and in their units of time
            arrayrun(theirs, "eval", "tas", "new-append.nc", "-o", theirs, "--region", "time=2000-01-04:2000-01-07")
            compare(theirs, want)

            cut = ["--chunks", "time=2,lat=2,lon=3"] + (["--shards", "time=4,lat=4,lon=6"] if shards else [])
            arrayrun(ours, "convert", "a-append.nc", ours, "--zarr-version", str(version), "--append", "time", *cut)
            b.to_zarr(ours, append_dim="time")
            c.to_zarr(ours, append_dim="time")
            new[["tas"]].drop_vars(["lat", "lon"]).to_zarr(ours, region={"time": slice(3, 7)})
            compare(ours, want)
            arrayrun(ours, "diff", theirs, ours, "--atol", "0.0051")
            check(ours, arrayrun(ours, "verify", ours) is not None)
