# SPDX-License-Identifier: BSD-3-Clause
"""What other people's programs make of files: the oracle of the verbs' tests.

  peers.py make FILE.nc            the data set of the tests, by netCDF4-python
  peers.py describe FILE.nc        what netCDF4-python reads of it, values as stored, as JSON
  peers.py same A B                xarray's assert_identical of every group of two files
  peers.py references REFS.json    MD5 of every array that zarr-python reads through fsspec

made.nc and made.json were made with netCDF4 1.7.5 (netCDF 4.10.1, HDF5 2.0.0) and numpy 2.
"""
import hashlib
import json
import sys

import numpy as np


def make(path):
    import netCDF4

    rng = np.random.default_rng(1)
    with netCDF4.Dataset(path, "w") as d:
        d.title, d.version, d.weights = "made for tests", np.int32(3), np.array([0.5, 0.25], "f4")
        d.setncattr_string("names", ["a", "bb"])
        d.createDimension("time", None)
        d.createDimension("lat", 7)
        d.createDimension("lon", 9)
        d.createDimension("nchar", 4)
        d.createDimension("unused", 5)
        t = d.createVariable("time", "f8", ("time",), chunksizes=(4,))
        t.units, t.calendar = "days since 2001-01-01", "noleap"
        lat = d.createVariable("lat", "f4", ("lat",))
        lat.units, lat.valid_range = "degrees_north", np.array([-90, 90], "f4")
        lon = d.createVariable("lon", "f4", ("lon",))
        lon.units = "degrees_east"
        air = d.createVariable("air", "i2", ("time", "lat", "lon"), zlib=True, complevel=4, chunksizes=(4, 4, 5), fill_value=-999)
        air.scale_factor, air.add_offset, air.units = np.float32(0.01), np.float32(273.15), "K"
        rain = d.createVariable("rain", "f4", ("time", "lat"), zlib=True, fill_value=np.float32(1e20))
        rain.flag_values = np.array([1, 2, 3], "i1")
        mask = d.createVariable("mask", "u1", ("lat", "lon"))
        mask.long_name = "m\u00e4sk"
        big = d.createVariable("count", "i8", ("time",), fill_value=-1)
        big.valid_max = np.uint16(60000)
        code = d.createVariable("code", "S1", ("lat", "nchar"))
        word = d.createVariable("word", str, ("lat",))
        d.createVariable("crs", "i4").grid_mapping_name = "latitude_longitude"
        for v in d.variables.values():
            v.set_auto_maskandscale(False)
        t[:] = np.arange(10) * 30.0
        lat[:] = np.linspace(60, -60, 7)
        lon[:] = np.arange(9) * 40
        air[:] = rng.integers(-3000, 3000, (10, 7, 9))
        air[3, 2, :] = -999
        rain[:8] = rng.random((8, 7))
        mask[:] = rng.integers(0, 2, (7, 9))
        big[:] = np.arange(10) * 10**15
        code[:] = np.frombuffer(b"AB  CDE FGHIJ   KL  MNOPQRS ", "S1").reshape(7, 4)
        word[:] = np.array(["", "two", "drei", "\u56db", "five five", "6", "seven"], object)
        d["crs"][...] = 7
        g = d.createGroup("fc")
        g.model = "IFS"
        g.createDimension("step", 3)
        g.createDimension("run", None)
        x = g.createVariable("t2m", "f4", ("run", "step", "lat"), zlib=True, fill_value=np.float32(np.nan))
        x[:] = rng.random((2, 3, 7))
        k = g.createGroup("members")
        k.n = np.int16(2)
        y = k.createVariable("id", "i2", ("step",))
        y[:] = [1, 2, 3]


def value(v):
    a = np.asarray(v)
    if a.dtype.kind in "OU":
        return a.tolist()
    return [str(a.dtype), "NaN" if a.dtype.kind == "f" and a.ndim == 0 and np.isnan(a) else a.tolist()]


def group(g):
    out = {"attrs": {k: value(g.getncattr(k)) for k in g.ncattrs()}, "vars": {}, "groups": {},
           "dims": {n: [len(d), d.isunlimited()] for n, d in g.dimensions.items()}}
    for n, v in g.variables.items():
        v.set_auto_maskandscale(False)
        v.set_auto_chartostring(False)
        a = np.asarray(v[...])
        if a.dtype.kind == "O":
            b = "\0".join(a.ravel()).encode()
        else:
            b = np.ascontiguousarray(a).tobytes()
        out["vars"][n] = {"dims": list(v.dimensions), "dtype": str(v.dtype), "shape": list(v.shape), "md5": hashlib.md5(b).hexdigest(),
                          "attrs": {k: value(v.getncattr(k)) for k in v.ncattrs()}}
    for n, s in g.groups.items():
        out["groups"][n] = group(s)
    return out


def describe(path):
    import netCDF4

    with netCDF4.Dataset(path) as d:
        return group(d)


def same(a, b):
    import xarray as xr

    def tree(p):
        return xr.open_datatree(p, engine="zarr" if p.endswith(".zarr") else "netcdf4", mask_and_scale=False)

    x, y = tree(a), tree(b)
    names = {n.path for n in x.subtree}
    if names != {n.path for n in y.subtree}:
        raise SystemExit(f"groups differ: {names}")
    for p in names:
        xr.testing.assert_identical(x[p].to_dataset().load(), y[p].to_dataset().load())
    return "identical"


def references(path):
    import fsspec
    import zarr

    store = zarr.storage.FsspecStore.from_mapper(fsspec.filesystem("reference", fo=path).get_mapper(""))
    root = zarr.open_group(store, mode="r", zarr_format=2, use_consolidated=False)
    with open(path) as f:
        names = [k[: -len("/.zarray")] for k in json.load(f)["refs"] if k.endswith("/.zarray")]
    out = {}
    for n in names:
        v = np.asarray(root[n][...])
        if v.dtype.kind in "OT":
            b = "\0".join(str(x) for x in v.ravel()).encode()
        else:
            b = np.ascontiguousarray(v.astype(v.dtype.newbyteorder("<"))).tobytes()
        out[n] = hashlib.md5(b).hexdigest()
    return out


if __name__ == "__main__":
    what, args = sys.argv[1], sys.argv[2:]
    if what == "make":
        make(*args)
    else:
        print(json.dumps({"describe": describe, "same": same, "references": references}[what](*args), indent=1, sort_keys=True))
