# SPDX-License-Identifier: BSD-3-Clause
"""The same work in NumPy, Dask, xarray: python peers.py NAME [ARGS]. Times are the best of several runs."""
import sys
import time

import numpy as np


def best(f, n=15):
    times = []
    for _ in range(n):
        t = time.perf_counter()
        f()
        times.append(time.perf_counter() - t)
    return min(times)


def fused():
    n = 64 << 20
    x = (np.arange(n) % 1000).astype("f4") * np.float32(0.5)
    y = (np.arange(n) % 1000).astype("f4") * np.float32(0.25)
    t = best(lambda: np.maximum((x * y + x - 1.5) / 3.0, y))
    print(f"numpy {np.__version__}: fused expression, 64M float32: {t:.4f} s, {t / n * 1e9:.3f} ns per element")
    buf = np.empty_like(x)

    def in_place():
        np.multiply(x, y, out=buf)
        np.add(buf, x, out=buf)
        np.subtract(buf, np.float32(1.5), out=buf)
        np.divide(buf, np.float32(3), out=buf)
        np.maximum(buf, y, out=buf)

    t = best(in_place)
    print(f"numpy {np.__version__}: the same in place: {t:.4f} s, {t / n * 1e9:.3f} ns per element")
    try:
        import numexpr as ne
    except ImportError:
        return
    one, three = np.float32(1.5), np.float32(3)
    names = {"x": x, "y": y, "c": one, "d": three}
    t = best(lambda: ne.evaluate("where((x*y+x-c)/d > y, (x*y+x-c)/d, y)", local_dict=names))
    print(f"numexpr {ne.__version__}, {ne.nthreads} threads: {t:.4f} s, {t / n * 1e9:.3f} ns per element")


def sums():
    n = 64 << 20
    x = ((np.arange(n) % 1000).astype("f4") * np.float32(0.5)).reshape(-1, 1024)
    for name, axis in (("all", None), ("first", 0), ("last", 1)):
        t = best(lambda: x.sum(axis=axis, dtype="f8"))
        u = best(lambda: x.sum(axis=axis))
        print(f"numpy {np.__version__}: sum {name}, 64M float32: {t:.4f} s in float64, {u:.4f} s in float32")


def chunks():
    import dask
    import dask.array as da

    t = best(lambda: (da.ones((10000, 10000), chunks=(32, 32)) + 1).sum().compute(), 1)
    print(f"dask {dask.__version__}: (ones((10000, 10000), chunks=(32, 32)) + 1).sum(): {t:.2f} s")


def data(path):
    """The packed daily data set of the anomaly comparison: (3652, 180, 360) int16, chunks of one day."""
    import netCDF4

    r = np.random.default_rng(1)
    with netCDF4.Dataset(path, "w") as d:
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


def anomaly(src, dst):
    import xarray as xr

    t = time.perf_counter()
    with xr.open_dataset(src, chunks={"time": 365}) as ds:
        g = ds.tas.groupby("time.month")
        (g - g.mean()).astype("f4").to_netcdf(dst, encoding={"tas": {"zlib": True, "complevel": 1, "chunksizes": (1, 180, 360)}})
    print(f"xarray {xr.__version__} with dask: {time.perf_counter() - t:.1f} s")


def compare(a, b):
    """The largest difference between two anomaly files."""
    import netCDF4

    worst = 0.0
    with netCDF4.Dataset(a) as x, netCDF4.Dataset(b) as y:
        for i in range(0, 3652, 100):
            p, q = (np.ma.filled(np.ma.masked_invalid(d["tas"][i]).astype("f8"), np.nan) for d in (x, y))
            assert (np.isnan(p) == np.isnan(q)).all(), f"day {i}: other gaps"
            worst = max(worst, float(np.nanmax(np.abs(p - q))))
    print(f"largest difference of the two anomalies: {worst:.2e} K")


if __name__ == "__main__":
    {"fused": fused, "sum": sums, "chunks": chunks, "data": data, "anomaly": anomaly, "compare": compare}[sys.argv[1]](*sys.argv[2:])
