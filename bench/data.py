# SPDX-License-Identifier: BSD-3-Clause
"""The data of the comparisons: arrays in .npy files on a RAM disk, and files on disk. Everything is made once and is
the same on every machine."""
import os
import zlib

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
DISK = os.path.join(HERE, "data")
RAM = os.path.join("/dev/shm" if os.path.isdir("/dev/shm") else DISK, "arrayrun-bench")


def array(name, kind, dtype, shape):
    """Returns the path of an array of the kind: x in -4..4, pos in 0.5..8, nan with 1.4% missing, packed int16 with 1% fill."""
    path = os.path.join(RAM, f"{name}_{kind}_{dtype}_{'x'.join(map(str, shape))}.npy")
    if os.path.exists(path):
        return path
    os.makedirs(RAM, exist_ok=True)
    r = np.random.default_rng(zlib.crc32(f"{name} {kind}".encode()))
    out = np.lib.format.open_memmap(path + ".part", mode="w+", dtype=dtype, shape=shape)
    flat = out.reshape(-1)
    for i in range(0, flat.size, 1 << 20):
        part = flat[i : i + (1 << 20)]
        u = r.random(part.size, dtype="f4")
        if kind == "packed":
            part[:] = (u * 20000 - 10000).astype("i2")
            part[r.random(part.size, dtype="f4") < 0.01] = -32768
            continue
        part[:] = u * 7.5 + 0.5 if kind == "pos" else u * 8 - 4
        if dtype == "f8":
            part += r.random(part.size) * 1e-7
        if kind == "nan":
            part[r.random(part.size, dtype="f4") < 0.014] = np.nan
    del out, flat
    os.rename(path + ".part", path)
    return path


def forget(keep):
    """Removes the arrays whose paths are not in keep."""
    if os.path.isdir(RAM):
        for f in os.listdir(RAM):
            if os.path.join(RAM, f) not in keep:
                os.remove(os.path.join(RAM, f))


def once(path):
    """Reports whether path is there; makers write to a partial name and rename."""
    os.makedirs(DISK, exist_ok=True)
    return os.path.exists(path)


def w3():
    """int16 1000³ in Zarr v2: smooth numbers with noise, so that they compress somewhat."""
    import numcodecs
    import zarr

    path = os.path.join(DISK, "w3.zarr")
    if once(path):
        return
    z = zarr.create_array(path + ".part", shape=(1000,) * 3, chunks=(200,) * 3, dtype="i2", zarr_format=2, overwrite=True,
                          compressors=numcodecs.Blosc("lz4", 5, numcodecs.Blosc.SHUFFLE))
    r = np.random.default_rng(3)
    y = (1000 * np.sin(np.arange(1000) / 60)).astype("i2")
    for i in range(0, 1000, 200):
        z[i : i + 200] = y[None, :, None] + y[None, None, :] + r.integers(-50, 50, (200, 1000, 1000), dtype="i2")
    os.rename(path + ".part", path)


def w5():
    """Two float32 fields in Zarr v3, ten steps a chunk, Blosc LZ4."""
    import zarr

    path = os.path.join(DISK, "w5.zarr")
    if once(path):
        return
    g = zarr.open_group(path + ".part", mode="w")
    r = np.random.default_rng(5)
    for name in "uv":
        z = g.create_array(name, shape=(300, 987, 1920), chunks=(10, 987, 1920), dtype="f4",
                           compressors=zarr.codecs.BloscCodec(cname="lz4", clevel=5, shuffle="shuffle", typesize=4))
        for i in range(0, 300, 10):
            # 12 bits of fraction, as packed model output has: it compresses as such fields do.
            z[i : i + 10] = np.round(r.standard_normal(size=(10, 987, 1920), dtype="f4") * 4096) / 4096
    os.rename(path + ".part", path)


def w6():
    """float64 noise, which does not compress and is not compressed, a day a chunk, with the kind of each day."""
    import xarray as xr

    path = os.path.join(DISK, "w6.zarr")
    if once(path):
        return
    r = np.random.default_rng(6)
    kind = ("time", np.arange(2000) % 20)
    for i in range(0, 2000, 100):
        x = xr.DataArray(r.normal(size=(100, 100000)), dims=("time", "pixel"), name="x").chunk(time=1)
        ds = x.to_dataset().assign_coords(kind=("time", kind[1][i : i + 100]))
        if i == 0:
            ds.to_zarr(path + ".part", mode="w", zarr_format=3, consolidated=False, encoding={"x": {"compressors": None}})
        else:
            ds.to_zarr(path + ".part", append_dim="time", consolidated=False)
    os.rename(path + ".part", path)


def w12():
    """A stack of uint16 512³ in Zarr v3, as OME-Zarr has them: some three thousand bright cells of many sizes, blurred, with noise."""
    import zarr
    from scipy import ndimage

    path = os.path.join(DISK, "w12.zarr")
    if once(path):
        return
    n, r = 512, np.random.default_rng(12)
    cells = np.zeros((n, n, n), "f4")
    ball = {k: np.sum((np.mgrid[-k : k + 1, -k : k + 1, -k : k + 1]) ** 2, axis=0) <= k * k for k in range(4, 10)}
    for _ in range(3600):
        k = int(r.integers(4, 10))
        z, y, x = r.integers(0, n - 2 * k, 3)
        part = cells[z : z + 2 * k + 1, y : y + 2 * k + 1, x : x + 2 * k + 1]
        part[ball[k][: part.shape[0], : part.shape[1], : part.shape[2]]] = r.integers(1500, 6000)
    ndimage.uniform_filter(cells, 3, output=cells)
    z = zarr.create_array(path + ".part", name="image", shape=(n, n, n), chunks=(128,) * 3, dtype="u2", dimension_names=("z", "y", "x"),
                          compressors=zarr.codecs.BloscCodec(cname="lz4", clevel=5, shuffle="shuffle", typesize=2))
    for i in range(0, n, 128):
        z[i : i + 128] = (cells[i : i + 128] + r.normal(400, 90, (128, n, n)).astype("f4")).clip(0, 65535).astype("u2")
    os.rename(path + ".part", path)


def w7():
    """The packed daily data set: (3652, 180, 360) int16, chunks of one day."""
    import netCDF4

    path = os.path.join(DISK, "daily.nc")
    if once(path):
        return
    r = np.random.default_rng(1)
    with netCDF4.Dataset(path + ".part", "w") as d:
        for name, n in (("time", None), ("lat", 180), ("lon", 360)):
            d.createDimension(name, n)
        t = d.createVariable("time", "f8", ("time",))
        t.units, t.calendar, t.standard_name = "days since 2001-01-01", "standard", "time"
        lat, lon = (d.createVariable(n, "f8", (n,)) for n in ("lat", "lon"))
        lat.units, lon.units = "degrees_north", "degrees_east"
        lat.standard_name, lon.standard_name = "latitude", "longitude"
        lat[:], lon[:] = np.arange(180) - 89.5, np.arange(360) + 0.5
        v = d.createVariable("tas", "i2", ("time", "lat", "lon"), zlib=True, complevel=4, shuffle=True, chunksizes=(1, 180, 360), fill_value=-32768)
        v.scale_factor, v.add_offset, v.units = 0.01, 273.15, "K"
        v.set_auto_maskandscale(False)
        base = 3000 * np.cos(np.deg2rad(lat[:]))[:, None] - 1500 + np.zeros(360)
        swing = -1200 * np.sin(np.deg2rad(lat[:]))[:, None] + np.zeros(360)
        t[:] = np.arange(3652)
        for i in range(3652):
            smooth = r.normal(size=(18, 36)).repeat(10, 0).repeat(10, 1) * 200
            x = base + swing * np.cos(2 * np.pi * i / 365.25) + smooth + r.normal(size=(180, 360)) * 30
            x = np.round(x).astype("i2")
            x[r.random((180, 360)) < 0.01] = -32768
            v[i] = x
    os.rename(path + ".part", path)


def w11():
    """A global field at a quarter of a degree, poles included: (100, 721, 1440) float32 with two decimals, chunks of one step."""
    import netCDF4

    path = os.path.join(DISK, "quarter.nc")
    if once(path):
        return
    r = np.random.default_rng(11)
    with netCDF4.Dataset(path + ".part", "w") as d:
        for name, n in (("time", None), ("latitude", 721), ("longitude", 1440)):
            d.createDimension(name, n)
        t = d.createVariable("time", "i4", ("time",))
        t.units, t.calendar, t.standard_name = "hours since 2000-01-01", "standard", "time"
        lat, lon = (d.createVariable(n, "f4", (n,)) for n in ("latitude", "longitude"))
        lat.units, lon.units = "degrees_north", "degrees_east"
        lat[:], lon[:] = 90 - np.arange(721) / 4, np.arange(1440) / 4
        v = d.createVariable("t2m", "f4", ("time", "latitude", "longitude"), zlib=True, complevel=1, shuffle=True, chunksizes=(1, 721, 1440))
        v.units = "K"
        base = 250 + 50 * np.cos(np.deg2rad(lat[:]))[:, None] + 5 * np.sin(np.deg2rad(3 * lon[:]))
        t[:] = 6 * np.arange(100)
        for i in range(100):
            v[i] = np.round(base + r.normal(size=base.shape), 2)
    os.rename(path + ".part", path)


def w4():
    """Winds in float64 noise, a level a chunk, uncompressed, and the lengths that weigh them."""
    import zarr

    path = os.path.join(DISK, "w4.zarr")
    if once(path):
        return
    n, levels = 1500, 48
    g = zarr.open_group(path + ".part", mode="w")
    r = np.random.default_rng(4)
    for name in ("dx", "dy"):
        g.create_array(name, data=r.random((n + 1, n + 1)) + 0.5, chunks=(n + 1, n + 1), compressors=None)
    for name in "uv":
        z = g.create_array(name, shape=(n, n, levels), chunks=(n, n, 1), dtype="f8", compressors=None)
        for k in range(levels):
            z[:, :, k] = r.normal(size=(n, n))
    os.rename(path + ".part", path)


def w10():
    """A float32 field of six-hourly steps in Zarr v3, a step a chunk, Blosc Zstandard behind bitshuffle, 1.4% of it missing."""
    import zarr

    path = os.path.join(DISK, "w10.zarr")
    if once(path):
        return
    r = np.random.default_rng(10)
    shape = (1460, 360, 720)
    codec = zarr.codecs.BloscCodec(cname="zstd", clevel=3, shuffle="bitshuffle", typesize=4)
    z = zarr.open_group(path + ".part", mode="w").create_array(
        "t2m", shape=shape, chunks=(1, *shape[1:]), dtype="f4", compressors=codec, dimension_names=("time", "lat", "lon"))
    base = (280 + 30 * np.cos(np.linspace(-1.5, 1.5, 360)))[:, None]
    for i in range(0, shape[0], 20):
        x = np.round((base + 5 * np.sin(i / 200) + r.standard_normal((20, *shape[1:]), dtype="f4") * 2) * 16) / 16  # sixteenths of a kelvin
        x[r.random(x.shape, dtype="f4") < 0.014] = np.nan
        z[i : i + 20] = x.astype("f4")
    os.rename(path + ".part", path)


def w16():
    """The packed daily data set of w7 as 120 files of a month each."""
    import cftime
    import netCDF4

    w7()
    path = os.path.join(DISK, "months")
    if once(path):
        return
    os.makedirs(path + ".part", exist_ok=True)
    with netCDF4.Dataset(os.path.join(DISK, "daily.nc")) as d:
        d.set_auto_maskandscale(False)
        days = cftime.num2date(d["time"][:], d["time"].units, "standard")
        month = np.array([12 * t.year + t.month - 1 for t in days])
        for m in np.unique(month):
            with netCDF4.Dataset(f"{path}.part/tas_{m // 12:04d}{m % 12 + 1:02d}.nc", "w") as out:
                for name, v in d.variables.items():
                    of = np.flatnonzero(month == m) if v.dimensions[0] == "time" else slice(None)
                    for dim in v.dimensions:
                        if dim not in out.dimensions:
                            out.createDimension(dim, None if dim == "time" else d.dimensions[dim].size)
                    fill = {"fill_value": v._FillValue, "zlib": True, "complevel": 4, "shuffle": True, "chunksizes": (1, 180, 360)} if v.ndim == 3 else {}
                    w = out.createVariable(name, v.dtype, v.dimensions, **fill)
                    w.setncatts({k: v.getncattr(k) for k in v.ncattrs() if k != "_FillValue"})
                    w.set_auto_maskandscale(False)
                    w[:] = v[of]
    os.rename(path + ".part", path)


def w17():
    """A float32 field in Zarr v3 over a map of 3,000 counties: the land nearer to one of as many points than to all others."""
    import zarr
    from scipy.spatial import cKDTree

    path = os.path.join(DISK, "w17.zarr")
    if once(path):
        return
    n, groups = 1400, 3000
    r = np.random.default_rng(17)
    g = zarr.open_group(path + ".part", mode="w")
    where = np.stack(np.mgrid[:n, :n], axis=-1).reshape(-1, 2)
    county = cKDTree(r.random((groups, 2)) * n).query(where)[1].reshape(n, n).astype("i4")
    g.create_array("county", data=county, chunks=(350, 350), dimension_names=("y", "x"))
    z = g.create_array("rain", shape=(200, n, n), chunks=(10, 350, 350), dtype="f4", dimension_names=("time", "y", "x"),
                       compressors=zarr.codecs.BloscCodec(cname="lz4", clevel=5, shuffle="shuffle", typesize=4))
    for i in range(0, 200, 10):
        z[i : i + 10] = np.round(r.gamma(0.6, 4, (10, n, n)) * 256) / 256
    os.rename(path + ".part", path)
