# SPDX-License-Identifier: BSD-3-Clause
"""Writes joined.json: what xarray and CDO make of files of the corpus (shared/corpus/climate), whole fields as digests.

    python joined.py CORPUS_DIR/climate > joined.json

Made with xarray 2026.9.0, numpy 2.4.6, netCDF4 1.7.5, flox 0.11.2 and CDO 2.1.1. A digest is the SHA-256 of the little-endian
values in C order with every NaN the same: fields that have it are equal bit for bit.
"""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import warnings

import numpy as np
import xarray as xr

warnings.simplefilter("ignore")
DIR = sys.argv[1]
ERA, CO2, LCC, SST = "eraint_uvz.nc", "SMALL_total_column_co2.nc", "test_lcc.nc", "coads_climatology.nc4"
JOINED = ["feb.nc4", "jan.nc4"]


def open_files(files, **kw):
    paths = [os.path.join(DIR, f) for f in files]
    return xr.open_mfdataset(paths, **kw) if len(paths) > 1 else xr.open_dataset(paths[0], **kw)


def cdo(operator, file, name):
    """The variable of the operator's result, without CF time."""
    with tempfile.TemporaryDirectory() as tmp:
        out = os.path.join(tmp, "out.nc")
        subprocess.run(["cdo", "-s", "-L", *operator.split(), os.path.join(DIR, file), out], check=True)
        return xr.open_dataset(out, decode_times=False)[name].load()


def months(file):
    """The months of the steps, as CDO reads them."""
    out = subprocess.run(["cdo", "-s", "showdate", os.path.join(DIR, file)], check=True, capture_output=True, text=True).stdout
    return np.array([int(d.split("-")[1]) for d in out.split()])


# EXACT: equal bit for bit. CLOSE: the oracle adds in another order.
EXACT = [(ERA, "ds.%s" % v, lambda d, v=v: d[v]) for v in "zuv"]
EXACT += [(CO2, "ds.tcco2", lambda d: d.tcco2), (LCC, "ds.tas", lambda d: d.tas)]
EXACT += [(JOINED, "ds.%s" % v, lambda d, v=v: d[v]) for v in "PT"]
EXACT += [(JOINED, "ds.%s.groupby('time.month').%s()" % (v, f), lambda d, v=v, f=f: getattr(d[v].groupby("time.month"), f)())
          for v in "PT" for f in ("min", "max")]
EXACT += [(JOINED, "ds.T.sel(time=slice('2000-01-30', '2000-02-02'))", lambda d: d["T"].sel(time=slice("2000-01-30", "2000-02-02"))),
          (JOINED, "ds.T[::-7, 1]", lambda d: d["T"][::-7, 1])]
CLOSE = [(ERA, "ds.%s.mean()" % v, lambda d, v=v: d[v].astype("f8").mean().astype(d[v].dtype)) for v in "zuv"]
CLOSE += [(ERA, "ds.%s.mean(('latitude', 'longitude'))" % v, lambda d, v=v: d[v].mean(("latitude", "longitude"))) for v in "zuv"]
CLOSE += [(CO2, "ds.tcco2.mean()", lambda d: d.tcco2.astype("f8").mean().astype(d.tcco2.dtype)),
          (CO2, "ds.tcco2.mean(('latitude', 'longitude'))", lambda d: d.tcco2.mean(("latitude", "longitude"))),
          (LCC, "ds.tas.groupby('time.month').mean()", lambda d: d.tas.groupby("time.month").mean())]
CLOSE += [(JOINED, "ds.%s.groupby('time.month').%s()" % (v, f), lambda d, v=v, f=f: getattr(d[v].groupby("time.month"), f)())
          for v in "PT" for f in ("mean", "std", "sum")]
CLOSE += [(JOINED, "(ds.T - ds.T.groupby('time.month').mean())[::9]",
           lambda d: (d["T"].groupby("time.month") - d["T"].groupby("time.month").mean())[::9])]


def entry(files, expr, r, exact):
    v = np.asarray(r.values)
    e = dict(files=[files] if isinstance(files, str) else files, expr=expr, dims=list(r.dims), shape=list(v.shape), dtype=str(v.dtype))
    if exact:
        c = np.where(np.isnan(v), np.array(np.nan, v.dtype), v).astype(v.dtype.newbyteorder("<"))
        e["digest"] = hashlib.sha256(c.tobytes()).hexdigest()
    else:
        step = v.size // 200 | 1
        e["step"] = step
        e["values"] = [None if np.isnan(x) else float(x) for x in v.ravel()[::step]]
        e["missing"] = int(np.isnan(v).sum())
    return e


out = []
for cases, exact in ((EXACT, True), (CLOSE, False)):
    for files, expr, f in cases:
        names = [files] if isinstance(files, str) else files
        with open_files(names) as d:
            out.append(entry(files, expr, f(d), exact))

# Year 0: xarray reads the numbers, CDO the months.
with open_files([SST], decode_times=False) as d:
    out.append(entry(SST, "ds.SST", d.SST, True))
    out.append(entry(SST, "ds.SST.mean('TIME')", d.SST.mean("TIME"), False))
    out.append(entry(SST, "ds.TIME.dt.month", xr.DataArray(months(SST).astype("f8"), dims="TIME"), False))
    monthly = cdo("ymonmean -selname,SST", SST, "SST").rename(TIME="month")
    out.append(entry(SST, "ds.SST.groupby('TIME.month').mean()", monthly, True))
    yearly = cdo("timmean -selname,SST", SST, "SST").isel(TIME=0)
    out.append(entry(SST, "ds.SST.groupby('TIME.month').mean().mean('month')", yearly, False))

print("[")
print(",\n".join(json.dumps(e) for e in out))
print("]")
