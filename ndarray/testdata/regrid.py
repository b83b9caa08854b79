# SPDX-License-Identifier: BSD-3-Clause
"""Writes the folder regrid: small fields on several grids, and in cases.json what CDO (remapbil, remapnn, remapcon, remapdis), iris (AreaWeighted,
whose mdtol is the part that may be missing) and xarray (interp) make of them on others. Neighbours are searched by CDO on curvilinear copies of the sources: of
rectilinear ones it looks at the four corners around a place only. iris leaves out targets that reach beyond
the source; CDO regrids what of them does not. Bilinear targets lie between the source's rows, where CDO does not
extrapolate, and targets do not coincide with source points near missing values, where CDO's answer depends on the order of its search.
Made with CDO 2.1.1, scitools-iris 3.14.1, xarray 2026.9.0, numpy 2.4.6, netCDF4 1.7.5, Python 3.11:
    python regrid.py"""
import json
import os
import subprocess
import tempfile
import warnings

import iris
import iris.analysis
import netCDF4
import numpy as np
import xarray as xr

warnings.simplefilter("ignore")
HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "regrid")
os.makedirs(HERE, exist_ok=True)
os.chdir(HERE)
OUT = os.path.join(tempfile.mkdtemp(), "out.nc")
R = np.random.default_rng(20)
NAMES = {"lat": ("latitude", "degrees_north"), "lon": ("longitude", "degrees_east")}


def cells(at, lo=None, hi=None):
    """Edges that are not half way."""
    inner = at[:-1] + (at[1:] - at[:-1]) * R.uniform(0.35, 0.65, len(at) - 1)
    e = np.concatenate([[at[0] - (at[1] - at[0]) * 0.4 if lo is None else lo], inner, [at[-1] + (at[-1] - at[-2]) * 0.4 if hi is None else hi]])
    return np.stack([e[:-1], e[1:]], 1)


def steps(first, step, n):
    return first + step * np.arange(n)


def grid(lat, lon, latb=None, lonb=None):
    return dict(lat=np.asarray(lat, "f8"), lon=np.asarray(lon, "f8"), latb=latb, lonb=lonb)


y, x = np.mgrid[0:9, 0:11]
U = np.sort(R.uniform(-55, 55, 9))
V = np.cumsum(R.uniform(3, 12, 12)) + 100
GRIDS = {
    "global": grid(steps(-84, 12, 15), steps(0, 15, 24)),
    "poles": grid(steps(90, -15, 13), steps(-180, 18, 20)),
    "turned": grid(steps(86.25, -7.5, 24), np.concatenate([steps(180, 20, 9), steps(0, 20, 9)])),
    "region": grid(steps(-40, 3.7, 14), steps(-20, 4.1, 13)),
    "uneven": grid(U[::-1], V),
    "bounded": grid(U, V, cells(U), cells(V)),
    "round": grid(steps(-75, 30, 6), steps(10, 40, 9), cells(steps(-75, 30, 6), -90, 90), cells(steps(10, 40, 9), -8, 352)),
    "target": grid(steps(-68.3, 8.9, 16), steps(3.3, 22.5, 16)),
    "fine": grid(steps(58.7, -5.3, 20), steps(-31.4, 6.1, 21)),
    "coarse": grid(steps(-80, 40, 5), steps(-150, 60, 6)),
    "box": grid(steps(-30.5, 9.7, 5), steps(97, 13, 7)),
    "inner": grid(steps(26, -5.1, 9), steps(115.3, 8.3, 6)),
    "curved": dict(lat=-30 + 5.3 * y + 2.5 * np.sin(x), lon=150 + 6.1 * x + 3 * np.cos(y / 2.0), latb=None, lonb=None),
}


def put(d, name, dims, values, key):
    v = d.createVariable(name, "f8", dims)
    v[:] = values
    v.standard_name, v.units = NAMES[key]
    return v


def write(path, g, x):
    with netCDF4.Dataset(path, "w", format="NETCDF3_64BIT_OFFSET") as d:
        flat = g["lat"].ndim == 2
        shape = g["lat"].shape if flat else (len(g["lat"]), len(g["lon"]))
        dims = ("y", "x") if flat else ("lat", "lon")
        for n, k in zip(dims, shape):
            d.createDimension(n, k)
        d.createDimension("time", len(x))
        d.createDimension("bnds", 2)
        for k in ("lat", "lon"):
            v = put(d, k, dims if flat else (k,), g[k], k)
            if g[k + "b"] is not None:
                v.bounds = k + "_bnds"
                d.createVariable(k + "_bnds", "f8", (k, "bnds"))[:] = g[k + "b"]
        t = d.createVariable("time", "f8", ("time",))
        t.units, t[:] = "days since 2000-01-01", np.arange(len(x))
        v = d.createVariable("v", "f8", ("time", *dims), fill_value=-9e33)
        v[:] = np.where(np.isnan(x), -9e33, x)
        if flat:
            v.coordinates = "lat lon"


def field(g):
    lat, lon = (g["lat"], g["lon"]) if g["lat"].ndim == 2 else np.meshgrid(g["lat"], g["lon"], indexing="ij")
    x = 2 * np.sin(np.radians(lat)) + np.cos(np.radians(lat)) * np.cos(np.radians(2 * lon)) + R.normal(size=(2, *lat.shape)) * 0.3
    x = np.round(x, 3)
    x[1][R.random(x[1].shape) < 0.2] = np.nan
    return x


FIELDS = {k: field(GRIDS[k]) for k in ("global", "poles", "turned", "region", "uneven", "bounded", "round", "curved")}
for k, g in GRIDS.items():
    write(f"{k}.nc", g, FIELDS.get(k, np.zeros((1, *(g["lat"].shape if g["lat"].ndim == 2 else (len(g["lat"]), len(g["lon"])))))))


def cdo(op, source, target, env=None, before=()):
    if os.path.exists(OUT):
        os.remove(OUT)
    to = target if target not in GRIDS else target + ".nc"
    subprocess.run(["cdo", "-s", "-L", "-b", "F64", "-f", "nc4", f"{op},{to}", *before, source + ".nc", OUT], check=True, env={**os.environ, **(env or {})})
    with netCDF4.Dataset(OUT) as d:
        return np.ma.filled(d["v"][:].astype("f8"), np.nan)


def cube(source):
    c = iris.load_cube(source + ".nc", "v")
    for k in ("latitude", "longitude"):
        if not c.coord(k).has_bounds():
            c.coord(k).guess_bounds()
    return c


def area(source, target, mdtol):
    r = cube(source).regrid(cube(target), iris.analysis.AreaWeighted(mdtol=mdtol))
    return np.ma.filled(r.data.astype("f8"), np.nan)


def linear(source, target):
    with xr.open_dataset(source + ".nc") as d:
        g = GRIDS[target]
        lon = d.lon.values
        return d.v.interp(lat=g["lat"], lon=lon[0] + (g["lon"] - lon[0]) % 360).values


CASES = []


def case(tool, source, target, options, values):
    CASES.append(dict(tool=tool, source=source, target=target, options=options, shape=list(values.shape),
                      values=[None if np.isnan(v) else float(f"{v:.13g}") for v in values.ravel()]))


for s, t in (("global", "target"), ("poles", "target"), ("turned", "target"), ("region", "fine"), ("uneven", "box"), ("poles", "global_45"), ("region", "coarse"), ("global", "curved")):
    case("cdo remapbil", s, t, "method='bilinear'", cdo("remapbil", s, t))
for s, t in (("region", "fine"), ("uneven", "box")):
    case("xarray interp", s, t, "method='bilinear'", linear(s, t))
flat = ("-setgridtype,curvilinear",)
for s, t in (("global", "target"), ("turned", "fine"), ("region", "coarse"), ("uneven", "target"), ("curved", "box"), ("curved", "fine"), ("global", "curved")):
    before = flat if s != "curved" else ()
    case("cdo remapnn", s, t, "method='nearest'", cdo("remapnn", s, t, before=before))
    case("cdo remapdis", s, t, "method='distance'", cdo("remapdis", s, t, before=before))
for s, t in (("global", "target"), ("poles", "coarse"), ("poles", "r18x9"), ("turned", "target"), ("region", "fine"), ("region", "coarse"), ("bounded", "box"), ("bounded", "coarse"), ("round", "coarse"), ("round", "fine"), ("global", "round"),
             ("global", "bounded")):
    case("cdo remapcon", s, t, "method='conservative'", cdo("remapcon", s, t))
    case("cdo remapcon", s, t, "method='conservative', norm='destarea'", cdo("remapcon", s, t, {"CDO_REMAP_NORM": "destarea"}))
for s, t in (("bounded", "inner"), ("uneven", "inner"), ("global", "coarse"), ("global", "box")):
    for m in (0, 0.3, 0.5, 1):
        options = "skipna=False" if m == 0 else f"na_thres={m}"
        case("iris AreaWeighted", s, t, f"method='conservative', {options}", area(s, t, m))


with open("cases.json", "w") as f:
    f.write("[\n" + ",\n".join(json.dumps(c, separators=(",", ":")) for c in CASES) + "\n]\n")
