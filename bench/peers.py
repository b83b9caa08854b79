# SPDX-License-Identifier: BSD-3-Clause
"""The peers' side. python peers.py serve LIBRARY speaks the lines of bench/driver with cases of cases.py;
python peers.py once PROGRAM LIBRARY PREFIX runs a program and prints its seconds on the wall and on processors, without imports, as JSON."""
import json
import os
import re
import sys
import time

import numpy as np

import cases
import data

THREADS = int(os.environ.get("BENCH_THREADS", "2"))
CONSTANTS = {"k15": 1.5, "k3": 3, "k2": 2, "k01": 0.01, "k273": 273.15, "kn": np.nan}


class Server:
    """One library. A subclass compiles a case to a function without arguments that returns its results."""

    def __init__(self):
        self.arrays = {}
        self.runs = {}

    def load(self, name, path):
        self.arrays[name] = np.load(path)

    def drop(self):
        self.arrays, self.runs, self.results = {}, {}, None

    def outputs(self, case):
        return [np.zeros(shape, dtype) for dtype, shape in case.results]

    def program(self, case, source):
        """Python over the arrays, o (memory for results) and r (results)."""
        o = self.outputs(case)
        names = {"np": np, "o": o, **self.arrays}
        code = compile(source, case.name, "exec")
        self.extend(names)

        def run():
            names["r"] = None
            exec(code, names)
            return o if names["r"] is None else [np.asarray(x) for x in names["r"]]

        return run

    def extend(self, names):
        pass

    def compile(self, case, source):
        return self.program(case, source)


class Bottleneck(Server):
    def extend(self, names):
        import bottleneck

        names["bn"] = bottleneck


class Numexpr(Server):
    def extend(self, names):
        import numexpr

        numexpr.set_num_threads(THREADS)
        names["ne"] = numexpr

    def compile(self, case, source):
        if "ne." in source:
            return self.program(case, source)
        import numexpr

        numexpr.set_num_threads(THREADS)
        dtype = np.dtype(case.results[0][0]).type
        names = {k: dtype(v) for k, v in CONSTANTS.items()}
        names.update(self.arrays, fill=np.int16(-32768))
        o = self.outputs(case)

        def run():
            numexpr.evaluate(source, local_dict=names, out=o[0], casting="same_kind")
            return o

        return run


class Jax(Server):
    def compile(self, case, source):
        import jax

        jax.config.update("jax_enable_x64", True)
        import jax.numpy as jnp

        names = {"jnp": jnp, "nan": float("nan"), "float32": jnp.float32}
        names.update({f: getattr(jnp, f) for f in ("sqrt", "exp", "log", "sin", "cos", "maximum", "where")})
        f = jax.jit(eval(f"lambda {', '.join(self.arrays)}: ({source},)", names))
        args = [jnp.array(a) for a in self.arrays.values()]
        self.arrays = {k: None for k in self.arrays}

        def run():
            out = f(*args)
            out = out[0] if isinstance(out[0], tuple) else out
            return [x.block_until_ready() for x in out]

        return run


class Numba(Server):
    def compile(self, case, source):
        import numba

        numba.set_num_threads(THREADS)
        names = {f: getattr(np, f) for f in ("sqrt", "exp", "log", "sin", "cos", "maximum")}
        names.update(T=np.dtype(case.results[0][0]).type, prange=numba.prange)
        typed = re.sub(r"([0-9]+[.][0-9]+)", r"T(\1)", source)
        arrays = list(self.arrays)
        lines = [f"def f(out, {', '.join(x + '_' for x in arrays)}):", " for i in prange(out.size):"]
        lines += [f"  {x} = {x}_[i]" for x in arrays] + [f"  out[i] = {typed}"]
        exec("\n".join(lines), names)
        f = numba.njit(parallel=True)(names["f"])
        o = self.outputs(case)
        args = list(self.arrays.values())

        def run():
            f(o[0], *args)
            return o

        return run


class Dask(Server):
    def extend(self, names):
        import dask
        import dask.array
        from scipy import ndimage

        dask.config.set(scheduler="threads", num_workers=THREADS)
        names.update(dask=dask, da=dask.array, ndimage=ndimage)


LIBRARIES = {"numpy": Server, "dask": Dask, "bottleneck": Bottleneck, "numexpr": Numexpr, "jax": Jax, "numba": Numba}


def serve(library):
    s = LIBRARIES[library]()
    for line in sys.stdin:
        w = line.rstrip("\n").split("\t")
        try:
            answer = ""
            if w[0] == "load":
                s.load(w[1], w[2])
            elif w[0] == "prepare":
                case = next(c for c in cases.CASES if c.name == w[1])
                s.runs[w[2]] = s.compile(case, case.peers[w[2]])
            elif w[0] == "run":
                t, c = time.perf_counter(), time.process_time()
                s.results = s.runs[w[1]]()
                t, c = time.perf_counter() - t, time.process_time() - c
                answer = f"{t:.9f} {c:.6f}"
            elif w[0] == "save":
                types = []
                for i, x in enumerate(s.results):
                    x = np.asarray(x).reshape(-1)[:: int(w[2])]
                    x.tofile(f"{w[1]}.{i}")
                    types.append(x.dtype.name)
                answer = " ".join(types)
            elif w[0] == "drop":
                s.drop()
            print(f"ok {answer}".rstrip(), flush=True)
        except Exception as e:
            print("error", type(e).__name__, str(e).replace("\n", " ")[:300], flush=True)


def w3_dask():
    import dask.array as da

    a = da.from_zarr(f"{data.DISK}/w3.zarr")
    return [(a - a.mean(axis=0)).sum().compute()]


def w4_dask(prefix):
    import dask.array as da

    dx, dy, u, v = (da.from_zarr(f"{data.DISK}/w4.zarr", component=c) for c in ("dx", "dy", "u", "v"))
    u, v = (da.pad(x, ((0, 1), (0, 1), (0, 0)), mode="wrap").rechunk((1501, 1501, 1)) for x in (u, v))
    (dx[..., None] * u - dy[..., None] * v).to_zarr(prefix + "vort.zarr", component="vort")


def w4_numpy(prefix):
    import zarr

    g = zarr.open_group(f"{data.DISK}/w4.zarr", mode="r")
    u, v = (np.pad(g[c][:], ((0, 1), (0, 1), (0, 0)), mode="wrap") for c in "uv")
    vort = g["dx"][:][..., None] * u - g["dy"][:][..., None] * v
    zarr.create_array(prefix + "vort.zarr", name="vort", data=vort, chunks=(1501, 1501, 1))


def w5_dask():
    import dask
    import dask.array as da

    u, v = (da.from_zarr(f"{data.DISK}/w5.zarr", component=c) for c in "uv")
    return list(dask.compute((u * u).mean(axis=0), (v * v).mean(axis=0), (u * v).mean(axis=0)))


def w6_xarray():
    import xarray as xr

    x = xr.open_zarr(f"{data.DISK}/w6.zarr", consolidated=False).x.chunk(time=50)
    x = x.assign_coords(kind=x.kind.load())  # groups must be known
    g = x.groupby("kind")
    return [(g - g.mean()).mean("time").compute().values]


def w6_numpy():
    import zarr

    g = zarr.open_group(f"{data.DISK}/w6.zarr", mode="r")
    x, kind = g["x"][:], g["kind"][:]
    c = np.stack([x[kind == k].mean(axis=0) for k in range(20)])
    return [(x - c[kind]).mean(axis=0)]


def w12_scipy():
    import zarr
    from scipy import ndimage
    from skimage.filters import threshold_otsu

    image = zarr.open_array(f"{data.DISK}/w12.zarr/image", mode="r")[:]
    s = ndimage.gaussian_filter(image.astype("f4"), 2)
    labels, n = ndimage.label(s > threshold_otsu(s))
    index = np.arange(1, n + 1)
    area = np.bincount(labels.ravel(), minlength=n + 1)[1:]
    mean = ndimage.mean(image, labels, index)
    center = np.array(ndimage.center_of_mass(np.broadcast_to(np.float32(1), image.shape), labels, index))
    return [np.column_stack([index, area, mean, center])]


def w7_xarray(prefix):
    import xarray as xr

    with xr.open_dataset(f"{data.DISK}/daily.nc", chunks={"time": 365}) as ds:
        g = ds.tas.groupby("time.month")
        (g - g.mean()).astype("f4").to_netcdf(prefix + "anomaly.nc", encoding={"tas": {"zlib": True, "complevel": 1, "chunksizes": (1, 180, 360)}})


def lz4():
    """What the product's blosc-lz4 is."""
    import zarr

    return zarr.codecs.BloscCodec(cname="lz4", clevel=5, shuffle="shuffle", typesize=4)


def w10_dask(prefix):
    import dask.array as da

    x = da.from_zarr(f"{data.DISK}/w10.zarr", component="t2m").rechunk((1460, 36, 36))
    x.to_zarr(prefix + "pencils.zarr", component="t2m", compressors=lz4())


def w10_numpy(prefix):
    import zarr

    x = zarr.open_array(f"{data.DISK}/w10.zarr/t2m", mode="r")[:]
    zarr.create_array(prefix + "pencils.zarr", name="t2m", data=x, chunks=(1460, 36, 36), compressors=lz4())


def w11_xarray(prefix):
    import xarray as xr

    with xr.open_dataset(f"{data.DISK}/quarter.nc", chunks={"time": 1}) as ds:
        r = ds.t2m.interp(latitude=np.arange(180) - 89.5, longitude=np.arange(360.0)).rename(latitude="lat", longitude="lon")
        r.astype("f4").to_netcdf(prefix + "W11.nc")


def w16_xarray(prefix):
    import glob

    import xarray as xr

    with xr.open_mfdataset(sorted(glob.glob(f"{data.DISK}/months/*.nc")), combine="by_coords", data_vars="minimal", coords="minimal", compat="override") as ds:
        ds.tas.weighted(np.cos(np.deg2rad(ds.lat))).mean(("lat", "lon")).rename("tas").to_netcdf(prefix + "series.nc")


def w17_xarray():
    import xarray as xr

    ds = xr.open_zarr(f"{data.DISK}/w17.zarr", consolidated=False)
    # Groups must be known. flox's own choice of method, cohorts, gives another mean for one county.
    return [ds.rain.groupby(ds.county.load()).mean(method="map-reduce").compute().values]


def w17_numpy():
    import zarr

    g = zarr.open_group(f"{data.DISK}/w17.zarr", mode="r")
    rain, county = g["rain"][:], g["county"][:].ravel()
    size = np.bincount(county)
    return [np.stack([np.bincount(county, weights=x.ravel()) / size for x in rain])]


def chunks_dask(prefix):
    import dask.array as da

    return [(da.ones((10000, 10000), chunks=(32, 32)) + 1).sum().compute()]


def once(program, library, prefix):
    import dask
    import dask.array  # noqa: F401
    import scipy.ndimage  # noqa: F401
    import skimage.filters  # noqa: F401
    import xarray  # noqa: F401
    import zarr  # noqa: F401

    dask.config.set(scheduler="threads", num_workers=THREADS)
    f = globals()[f"{program.lower()}_{library}"]
    args = [prefix] if f.__code__.co_argcount else []
    t, c = time.perf_counter(), time.process_time()
    r = f(*args)
    t, c = time.perf_counter() - t, time.process_time() - c
    for i, x in enumerate(r or []):
        np.save(f"{prefix}{i}.npy", x)
    print(json.dumps([t, c]))


if __name__ == "__main__":
    {"serve": serve, "once": once}[sys.argv[1]](*sys.argv[2:])
