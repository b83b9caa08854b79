# SPDX-License-Identifier: BSD-3-Clause
"""What is compared: arrays in memory (CASES) and whole programs over files (PROGRAMS). Two literal tables.

A case has a formula for the product, in its own notation, and one for each peer. Peers write to arrays that are there
(o) where they can, else they set r to their results. NumPy's answers are the measure for all others.
"""
import dataclasses

M = 1 << 20
N = 64 * M


@dataclasses.dataclass
class Case:
    name: str
    group: str
    arrays: dict  # name: (kind, dtype, shape); kinds are in data.py
    product: str
    peers: dict  # library: Python that computes; "jax" and "numba" take an expression
    results: list = dataclasses.field(default_factory=list)  # (dtype, shape) of o; empty: reductions, whose peers set r
    stream: str = "copy"  # the pattern of memory traffic it is measured against
    goal: float = 0  # share of that pattern's bandwidth to reach
    beat: float = 1  # how many times faster than the fastest peer to be
    rival: str = ""  # the one peer that beat speaks of; "": all
    tol: float = 1e-5  # largest difference from NumPy's answer, relative to the larger of it and 1
    npy: bool = False  # also from .npy files to a .npy file by the command line
    signs: bool = True  # False: an answer may have other signs, as singular vectors may


def elementwise(name, dtype, kinds, formula, goal=0.85, beat=1.0, group="elementwise", numexpr=None, numpy=None, n=N, product=None, npy=True):
    """A formula in NumPy's names over one to three arrays a, b, c."""
    arrays = {k: (kind, dtype, (n,)) for k, kind in zip("abc", kinds)}
    short = {"f4": "f32", "f8": "f64"}[dtype]
    return Case(
        name=f"{name} {short}", group=group, arrays=arrays, product=product or formula, results=[(dtype, (n,))],
        stream="copy" if len(kinds) == 1 else "triad", goal=goal, beat=beat, npy=npy,
        tol=2e-5 if dtype == "f4" else 1e-11,
        peers={"numpy": numpy, "numexpr": numexpr or formula, "jax": formula, "numba": formula},
    )


def fives(dtype):
    return elementwise(
        "maximum((a*b+a-1.5)/3, b)", dtype, ["x", "x"], "maximum((a*b+a-1.5)/3.0, b)",
        numexpr="where((a*b+a-k15)/k3 > b, (a*b+a-k15)/k3, b)",
        numpy="p=o[0]; np.multiply(a,b,out=p); np.add(p,a,out=p); np.subtract(p,1.5,out=p); np.divide(p,3,out=p); np.maximum(p,b,out=p)")


def fma(dtype):
    return elementwise("a*b+c", dtype, ["x", "x", "x"], "a*b+c", numpy="np.multiply(a,b,out=o[0]); np.add(o[0],c,out=o[0])")


def hypot(dtype):
    return elementwise("sqrt(a*a+b*b)", dtype, ["x", "x"], "sqrt(a*a+b*b)",
                       numpy="p=o[0]; np.multiply(a,a,out=p); np.add(p,b*b,out=p); np.sqrt(p,out=p)")


def one(f, kind="x", **more):
    return elementwise(f"{f}(a)", "f8", [kind], f"{f}(a)", goal=0, beat=2.0, numpy=f"np.{f}(a,out=o[0])", **more)


DECODE = "where(p == -32768, nan, p.astype('float32') * 0.01 + 273.15)"
DECODE_NE = "where(p == fill, kn, p*k01+k273)"
DECODE_NP = "np.multiply(p,np.float32(0.01),out=q,dtype='f4',casting='unsafe'); np.add(q,np.float32(273.15),out=q); q[p==-32768]=np.nan"
DECODE_JAX = "where(p == -32768, float32(nan), p.astype('float32')*float32(0.01)+float32(273.15))"
DAYS, PIXELS = 1024, 65536
CUBE = (100, 600, 1200)


def axis(k):
    return Case(
        f"sum over axis {k} of {CUBE} f32", "reductions", {"a": ("pos", "f4", CUBE)}, f"sum(a, axis={k})", stream="sum", goal=0.85,
        peers={"numpy": f"r=[a.sum(axis={k},dtype='f8')]", "numpy f32": f"r=[a.sum(axis={k})]", "jax": f"jnp.sum(a, axis={k})",
               "bottleneck": f"r=[bn.nansum(a,axis={k})]"})


def running(k):
    """Sums up to each element: NumPy's own order, which JAX does not keep."""
    return Case(
        f"cumsum over axis {k} of {CUBE} f32", "scans", {"a": ("pos", "f4", CUBE)}, f"cumsum(a, axis={k})", results=[("f4", CUBE)], tol=1e-4,
        peers={"numpy": f"np.cumsum(a,axis={k},out=o[0])", "jax": f"jnp.cumsum(a, axis={k})"})


def product(title, dtype, shapes, formula, out, numpy):
    """A product of matrices. NumPy has OpenBLAS with as many threads as everyone."""
    short = {"f4": "f32", "f8": "f64"}[dtype]
    return Case(
        name=f"{title} {short}", group="products", arrays={k: ("x", dtype, s) for k, s in zip("ab", shapes)}, product=formula,
        results=[(dtype, out)] if out else [], tol=1e-3 if dtype == "f4" else 1e-9,
        peers={"numpy": numpy, "jax": formula})


def square(n, dtype):
    return product(f"a @ b, ({n}, {n})", dtype, [(n, n), (n, n)], "a @ b", (n, n), "np.matmul(a,b,out=o[0])")


W2 = (365, 721, 720)

CASES = [
    fma("f4"), hypot("f4"), fives("f4"),
    elementwise("exp(-a*a/2)", "f4", ["x"], "exp(-a*a/2.0)", numexpr="exp(-a*a/k2)",
                numpy="p=o[0]; np.multiply(a,a,out=p); np.divide(p,-2,out=p); np.exp(p,out=p)"),
    elementwise("sin(a)", "f4", ["x"], "sin(a)", numpy="np.sin(a,out=o[0])"),
    fma("f8"), hypot("f8"), fives("f8"),
    one("exp"), one("sin"), one("log", "pos"),
    elementwise("a**b", "f8", ["pos", "x"], "a**b", goal=0, beat=2.0, numpy="np.power(a,b,out=o[0])"),
    elementwise("sin(a)**2+cos(b)**2", "f8", ["x", "x"], "sin(a)**2+cos(b)**2", goal=0, beat=2.0,
                numpy="p=o[0]; np.sin(a,out=p); p*=p; q=np.cos(b); q*=q; p+=q"),
    elementwise(".25a³+.75a²−1.5a−2", "f8", ["x"], "0.25*a*a*a+0.75*a*a-1.5*a-2.0", goal=0, beat=4.0, group="W1",
                numexpr="((0.25*a+0.75)*a-1.5)*a-2.0", product="((0.25*a+0.75)*a-1.5)*a-2.0", npy=False,
                numpy="p=o[0]; np.multiply(a,0.25,out=p); p+=0.75; p*=a; p-=1.5; p*=a; p-=2"),
    elementwise("sin(a)²+cos(a)²", "f8", ["x"], "sin(a)**2+cos(a)**2", goal=0, beat=4.0, group="W1", npy=False,
                numpy="p=o[0]; np.sin(a,out=p); p*=p; q=np.cos(a); q*=q; p+=q"),
    Case("sum f32", "reductions", {"a": ("pos", "f4", (N,))}, "sum(a)", stream="sum", goal=0.9,
         peers={"numpy": "r=[a.sum(dtype='f8')]", "numpy f32": "r=[a.sum()]", "numexpr": "r=[ne.evaluate('sum(a)')]", "jax": "jnp.sum(a)",
                "bottleneck": "r=[bn.nansum(a)]"}),
    Case("nansum f32", "reductions", {"a": ("nan", "f4", (N,))}, "nansum(a)", stream="sum", goal=0.9,
         peers={"numpy": "r=[np.nansum(a,dtype='f8')]", "numpy f32": "r=[np.nansum(a)]", "jax": "jnp.nansum(a)", "bottleneck": "r=[bn.nansum(a)]"}),
    Case("mean and var f32", "reductions", {"a": ("pos", "f4", (N,))}, "m = mean(a); v = var(a)", stream="sum", goal=0.75,
         peers={"numpy": "r=[a.mean(dtype='f8'), a.var(dtype='f8')]", "numpy f32": "r=[a.mean(), a.var()]", "jax": "jnp.mean(a), jnp.var(a)",
                "bottleneck": "r=[bn.nanmean(a), bn.nanvar(a)]"}),
    axis(0), axis(1), axis(2),
    running(0), running(1), running(2),
    square(2048, "f4"), square(2048, "f8"),
    product("a.T @ a, (500000, 32)", "f8", [(500000, 32)], "a.T @ a", (32, 32), "np.matmul(a.T,a,out=o[0])"),
    Case("decode int16 to f32", "packed", {"p": ("packed", "i2", (N,))}, DECODE, results=[("f4", (N,))], goal=0.85, npy=True,
         peers={"numpy": "q=o[0]; " + DECODE_NP, "numexpr": DECODE_NE, "jax": DECODE_JAX}),
    Case("mean over time of packed int16", "packed", {"p": ("packed", "i2", (DAYS, PIXELS))}, f"nanmean({DECODE}, axis=0)", stream="sum", goal=0.85,
         peers={"numpy": f"q=np.empty(p.shape,'f4'); {DECODE_NP}; r=[np.nanmean(q,axis=0,dtype='f8')]", "jax": f"jnp.nanmean({DECODE_JAX}, axis=0)",
                "bottleneck": f"q=np.empty(p.shape,'f4'); {DECODE_NP}; r=[bn.nanmean(q,axis=0)]"}),
    Case("nanmean₀, nanstd₀, sum, min, max", "W2", {"a": ("nan", "f4", W2)},
         "m = nanmean(a, axis=0); s = nanstd(a, axis=0); t = sum(a); lo = min(a); hi = max(a)", stream="sum", beat=5, rival="numpy", tol=1e-3,
         peers={"numpy": "r=[np.nanmean(a,axis=0), np.nanstd(a,axis=0), a.sum(), a.min(), a.max()]",
                "jax": "jnp.nanmean(a,axis=0), jnp.nanstd(a,axis=0), jnp.sum(a), jnp.min(a), jnp.max(a)",
                "bottleneck": "r=[bn.nanmean(a,axis=0), bn.nanstd(a,axis=0), a.sum(), a.min(), a.max()]"}),
    Case("10 by 10 of a filter of (10000, 10000) f64 in 40,000 chunks", "W13", {},
         "ndimage.uniform_filter(ones((10000, 10000), chunks=(50, 50)) * sin(arange(10000.)), 3)[5000:5010, 7000:7010]", beat=100,
         peers={"dask": "x=da.ones((10000,10000),chunks=(50,50))*da.sin(da.arange(10000.,chunks=50)); "
                        "r=[x.map_overlap(ndimage.uniform_filter,depth=1,boundary='reflect',size=3)[5000:5010,7000:7010].compute()]"}),
    Case("(a @ a.T).sum(), (4096, 4096) f64", "W14", {"a": ("x", "f8", (4096, 4096))}, "(a @ a.T).sum()", tol=1e-9,
         peers={"numpy": "r=[(a@a.T).sum()]", "jax": "(a @ a.T).sum()", "dask": "d=da.from_array(a,chunks=1024); r=[(d@d.T).sum().compute()]"}),
    Case("singular value decomposition of (500000, 32) f64", "W14", {"a": ("x", "f8", (500000, 32))},
         "d = linalg.svd(a, full_matrices=False); u = d.U; s = d.S; vh = d.Vh", results=[("f8", (500000, 32)), ("f8", (32,)), ("f8", (32, 32))], tol=1e-8, signs=False,
         peers={"numpy": "r=np.linalg.svd(a,full_matrices=False)", "jax": "jnp.linalg.svd(a, full_matrices=False)",
                "dask": "r=dask.compute(*da.linalg.svd(da.from_array(a,chunks=(62500,32))))"}),
]


CELLS = ("s = ndimage.gaussian_filter(image.astype('float32'), 2); l = ndimage.label(s > filters.threshold_otsu(s)).labels; "
         "t = measure.regionprops_table(l, image, properties=['label', 'area', 'intensity_mean', 'centroid'])")


@dataclasses.dataclass
class Program:
    name: str
    title: str
    data: str  # function of data.py that makes the input
    argv: list  # the product's command; {d} is the data folder, {o} a prefix for outputs
    outputs: list  # files the product writes under {o}; empty: stdout is the answer
    peers: list  # functions of peers.py NAME_peer, or "cdo"
    cap: int = 0  # MiB that the product may take
    beat: float = 1
    cdo: list = dataclasses.field(default_factory=list)
    rounds: int = 2
    tol: float = 1e-4
    var: str = ""  # outputs are files with this variable, which peers write too
    parts: list = dataclasses.field(default_factory=list)  # of it, to compare


def steps(stop, step=1):
    return [(i,) for i in range(0, stop, step)]


CAP = ["--progress", "none", "--memory", "464MiB", "--overwrite"]

PROGRAMS = [
    Program("W3", "(a − a.mean(0)).sum(), int16 1000³ of Zarr v2, Blosc LZ4, chunks of 200³", "w3",
            ["eval", *CAP, "(a - a.mean(axis=0)).sum()", "a={d}/w3.zarr"], [], ["dask"], cap=512, beat=2, tol=1e-3),
    Program("W4", "dx·u − dy·v, u and v with their first row and column behind the last, f64 (1500, 1500, 48) each, Zarr v3 to Zarr v3", "w4",
            ["eval", *CAP, "p = ((0, 1), (0, 1), (0, 0)); vort = dx[..., None] * pad(u, p, mode='wrap') - dy[..., None] * pad(v, p, mode='wrap')",
             *(f"{k}={{d}}/w4.zarr#{k}" for k in ("dx", "dy", "u", "v")), "-o", "vort={o}vort.zarr"], ["vort.zarr"], ["dask", "numpy"],
            cap=512, var="vort", parts=[(..., k) for k in (0, 21, 47)], tol=0),
    Program("W5", "mean(u²), mean(v²), mean(u·v) over time, f32 (300, 987, 1920) each, Zarr v3", "w5",
            ["eval", *CAP, "uu = (u*u).mean(axis=0); vv = (v*v).mean(axis=0); uv = (u*v).mean(axis=0)", "u={d}/w5.zarr#u", "v={d}/w5.zarr#v",
             "-o", "uu={o}uu.npy", "-o", "vv={o}vv.npy", "-o", "uv={o}uv.npy"], ["uu.npy", "vv.npy", "uv.npy"], ["dask"], cap=512, beat=5),
    Program("W6", "anomaly from the mean of 20 kinds of days, then its mean, f64 (2000, 100000), Zarr v3", "w6",
            ["eval", *CAP, "g = x.groupby('kind'); m = (g - g.mean()).mean('time')", "x={d}/w6.zarr#x", "-o", "m={o}m.npy"], ["m.npy"], ["xarray", "numpy"],
            cap=512, beat=5, tol=1e-9),
    Program("W7", "daily anomaly from the monthly climatology, packed int16 NetCDF-4 (3652, 180, 360) to NetCDF-4", "w7",
            ["eval", "--progress", "none", "--memory", "256MiB", "--overwrite", "t = tas.astype('float32'); t - t.groupby('time.month').mean()", "{d}/daily.nc",
             "-o", "tas={o}anomaly.nc"], ["anomaly.nc"], ["cdo", "xarray"], cap=320, var="tas", parts=steps(3652, 100),
            cdo=["-s", "-L", "-b", "F32", "-f", "nc4", "-O", "ymonsub", "{d}/daily.nc", "-ymonmean", "{d}/daily.nc", "{o}anomaly.nc"]),
    Program("W10", "chunks of a step to chunks of a region, f32 (1460, 360, 720), Zarr v3 to Zarr v3", "w10",
            ["rechunk", *CAP, "{d}/w10.zarr", "{o}pencils.zarr", "--chunks", "time=-1,lat=36,lon=36", "--codec", "blosc-lz4"], ["pencils.zarr"], ["dask", "numpy"],
            cap=512, var="t2m", parts=[(slice(None), slice(y, y + 36), slice(y, y + 36)) for y in range(0, 360, 72)], tol=0),
    *(Program(name, f"{method} regridding from 0.25 to 1 degree, f32 NetCDF-4 (100, 721, 1440) to NetCDF-4", "w11",
              ["eval", "--progress", "none", "--memory", "256MiB", "--overwrite", f"t2m.regrid('r360x180', method='{method}')", "{d}/quarter.nc", "-o", "t2m={o}" + name + ".nc"],
              [name + ".nc"], peers, cap=320, var="t2m", parts=steps(100), cdo=["-s", "-L", "-P", "2", "-f", "nc4", "-O", operator + ",r360x180", "{d}/quarter.nc", "{o}" + name + ".nc"])
      for name, method, operator, peers in (("W11", "bilinear", "remapbil", ["cdo", "xarray"]), ("W11c", "conservative", "remapcon", ["cdo"]))),
    Program("W12", "Gaussian σ=2, Otsu, label, area, mean and centroid of each label, uint16 512³ to a table", "w12",
            ["eval", "--progress", "none", "--memory", "4GiB", "--overwrite", CELLS, "image={d}/w12.zarr", "-o", "t={o}cells.csv"],
            ["cells.csv"], ["scipy"], tol=1e-5, beat=2),
    Program("W12", "the same inside 512 MiB", "w12",
            ["eval", "--progress", "none", "--memory", "448MiB", "--overwrite", CELLS, "image={d}/w12.zarr", "-o", "t={o}cells.csv"],
            ["cells.csv"], ["scipy"], cap=512, tol=1e-5),
    Program("W16", "120 files of a month as one, mean weighted by the cosine of latitude for each day, packed int16 NetCDF-4", "w16",
            ["eval", *CAP, "tas.weighted(cos(deg2rad(tas.lat))).mean(('lat', 'lon'))", "{d}/months/*.nc", "-o", "tas={o}series.nc"], ["series.nc"], ["cdo", "xarray"],
            cap=512, var="tas", parts=[...], tol=5e-4, cdo=["-s", "-L", "-b", "F64", "-f", "nc4", "-O", "fldmean", "-mergetime", "[", "{d}/months/*.nc", "]", "{o}series.nc"]),
    Program("W17", "mean of 200 steps of f32 (1400, 1400) over each of 3,000 counties, Zarr v3", "w17",
            ["eval", *CAP, "rain.groupby(county).mean()", "rain={d}/w17.zarr#rain", "county={d}/w17.zarr#county", "-o", "{o}zones.npy"], ["zones.npy"], ["xarray", "numpy"], cap=512),
]
