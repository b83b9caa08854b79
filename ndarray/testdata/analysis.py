# SPDX-License-Identifier: BSD-3-Clause
"""Writes analysis.json: what xarray makes of pad, differentiate, integrate, interp, interpolate_na, cov, corr and upsampled periods of small arrays, whose
elements are the formula of windows.py. Every case is a text that both languages spell alike. Made with xarray 2026.9.0, numpy 2.4.6, scipy 1.17.1,
pandas 3.1.1, cftime 1.6.6:
    python analysis.py > analysis.json"""
import json
import re
import sys
import warnings

import cftime
import numpy as np
import xarray as xr

warnings.simplefilter("ignore")


def elements(shape, dtype, missing):
    i = np.arange(np.prod(shape))
    x = (i * 37 + 11) % 101 / 4 - 10
    if dtype[0] == "f" and missing:
        x[(i * i + i // 3) % missing == 0] = np.nan
    if dtype == "uint8":
        x = np.abs(x)
    return (x > 0 if dtype == "bool" else x).astype(dtype).reshape(shape)


def array(dims, n, dtype, missing, units, calendar, times):
    sizes = dict(time=n, lat=3, lon=4)
    shape = [sizes[d] for d in dims]
    da = xr.DataArray(elements(shape, dtype, missing), dims=dims, name="v", attrs={"long_name": "q"})
    ds = xr.Dataset({"v": da}, coords={"time": ("time", times, dict(units=units, calendar=calendar)), "lat": [10.0, 0.0, -10.0], "lon": [0.0, 90.0, 180.0, 270.0]})
    return xr.decode_cf(ds), dict(dims=dims, shape=shape, dtype=dtype, missing=missing, units=units, calendar=calendar, times=[float(t) for t in times])


T = ("time", "lat", "lon")
ARRAYS = [
    array(T, 6, "float64", 0, "days since 2000-01-20", "standard", np.array([0, 1, 2, 5, 9, 10])),
    array(T, 6, "float64", 4, "days since 2000-01-20", "standard", np.array([0, 1, 2, 5, 9, 10])),
    array(T, 5, "float32", 5, "hours since 2001-02-27 06:00", "noleap", np.array([0, 30.5, 48, 60, 96])),
    array(("lat", "time", "lon"), 5, "int32", 0, "days since 1999-12-30", "360_day", np.array([0, 1, 2, 5, 6])),
    array(("time",), 8, "float64", 3, "hours since 2003-12-31 18:00", "standard", np.array([0, 1, 5, 6, 7, 30, 31, 54])),
    array(T, 4, "uint8", 0, "days since 2000-02-25", "proleptic_gregorian", np.arange(4)),
    array(("lon", "time"), 6, "float32", 2, "days since 2000-02-25", "julian", np.arange(6) * 2),
    array(("lat", "lon"), 0, "float64", 6, "days since 2000-02-25", "standard", np.zeros(0)),
]
TEXTS = []
for mode in ("'constant'", "'edge'", "'reflect'", "'symmetric'", "'wrap'"):
    TEXTS += [f"v.pad(lat=(1, 2), mode={mode})", f"v.pad(time=2, lon=(0, 3), mode={mode})", f"v.pad(lat=7, mode={mode})"]
TEXTS += ["v.pad(lat=1)", "v.pad(lat=1, constant_values=3)", "v.pad(time=(0, 1), lat=1, constant_values=(7, -2.5))", "v.pad(lon=0)"]
for o in (1, 2):
    TEXTS += [f"v.differentiate('lat', edge_order={o})", f"v.differentiate('time', edge_order={o}, datetime_unit='D')", f"v.differentiate('time', {o}, 'h')", f"v.differentiate('time', edge_order={o})", f"v.differentiate('lon', {o})"]
TEXTS += ["v.integrate('lat')", "v.integrate('time')", "v.integrate('time', datetime_unit='D')", "v.integrate(['lat', 'lon'])", "v.integrate(('time', 'lat'), 's')", "v.cumulative_integrate('lat')", "v.cumulative_integrate('time', datetime_unit='h')",
          "v.cumulative_integrate(['lon', 'lat'])"]
for m in ("linear", "nearest"):
    TEXTS += [f"v.interp(lat=[0, 5, -3.5, 11, -10], method={m!r})", f"v.interp(lon=100, method={m!r})", f"v.interp(lat=[7.5, 2], lon=[45, 90, 200, 300], method={m!r})", f"v.interp(lat=-5, lon=[0.0, 1.5], method={m!r})",
              f"v.interp(time=['2000-01-21', '2000-01-23T06'], method={m!r})", f"v.interp(time='2000-01-28', method={m!r})", f"v.interp(time='2004-01-01T06:30', method={m!r})", f"v.interp(time=['2003-12-31T19', '2004-01-02', '2005-01-01'], method={m!r})",
              f"v.interp_like(v[..., ::2].isel(lat=[0, 1]).assign_coords(lat=[3.0, -4.0]), method={m!r})" if 0 else f"v.interp(lat=v.lat + 1, method={m!r})", f"v.interp_like(w, method={m!r})", f"v.interp(time=v.time[1:3], method={m!r})"]
TEXTS += ["v.interp(lat=[0, 5])", "v.interp(lon=[10, 20, 30])", "v.interp_like(w)"]
for d in ("time", "lat", "lon"):
    TEXTS += [f"v.interpolate_na({d!r})", f"v.interpolate_na(dim={d!r}, limit=1)", f"v.interpolate_na({d!r}, use_coordinate=False)", f"v.interpolate_na({d!r}, use_coordinate=False, limit=2)"]
for f in ("cov", "corr"):
    TEXTS += [f"{f}(v, v * v, dim='time')", f"{f}(v, v.isel(lat=0), dim='lat')", f"{f}(v, abs(v))", f"{f}(v, v.shift(time=1), dim=('time', 'lon'))", f"{f}(v, v * 2 + 1, 'lat')"]
for d, n in (("lat", 0), ("lat", 1), ("lon", 1), ("lon", 3), ("time", 1), ("lat", 2)):
    TEXTS += [f"v.polyfit({d!r}, {n}).polyfit_coefficients", f"xr.polyval(v.{d}, v.polyfit({d!r}, {n}).polyfit_coefficients)"]
TEXTS += ["cov(v, v * v, dim='time', ddof=0)", "xr.cov(v, v, 'lon', ddof=2)"]
for f in ("12h", "D", "36h", "6h", "2D", "MS"):
    TEXTS += [f"v.resample(time={f!r}).{m}()" for m in ("asfreq", "ffill", "bfill", "pad", "nearest", "interpolate")] + [f"v.resample(time={f!r}).{m}(tolerance='1D')" for m in ("ffill", "bfill", "nearest")] + [f"v.resample(time={f!r}).interpolate('nearest')"]
TEXTS += ["v.resample(time='D', closed='right', label='right').ffill()", "v.resample(time='D', label='right').interpolate()"]


def other(d):
    """What interp_like takes its labels from."""
    n = {"lat": [8.0, 3.0], "lon": [45.0, 90.0, 200.0]}
    return xr.DataArray(np.zeros((2, 3)), dims=("lat", "lon"), coords=n)


def numbers(v, info):
    if v.dtype.kind == "M":
        us = v.astype("M8[us]").astype(object)
        v = np.array([np.nan if t is None else cftime.date2num(cftime.datetime(t.year, t.month, t.day, t.hour, t.minute, t.second, t.microsecond, calendar="standard"), info["units"], "standard") for t in np.ravel(us)])
    elif v.dtype.kind == "O":
        v = np.array([cftime.date2num(t, info["units"], info["calendar"]) if t == t else np.nan for t in np.ravel(v)])
    return [None if np.isnan(t) else "inf" if np.isinf(t) else float("%.13g" % t) if t != int(t) else int(t) for t in np.ravel(v).astype(float).tolist()]


cases, skipped = [], []
for k, (d, info) in enumerate(ARRAYS):
    for text in TEXTS:
        if any(f"{n}=" in text and n not in d.v.dims for n in T):
            continue  # the language refuses dimensions that are not there
        if info["dtype"] == "uint8" and ("-2.5" in text or text[:3] in ("cov", "cor", "xr.")):
            continue  # what is out of range saturates; where() makes float64 of all integers
        fit = re.search(r"polyfit\('(\w+)', (\d)", text)
        if fit and fit[1] in d.v.dims and int(d.v.count(fit[1]).min()) <= int(fit[2]):
            continue  # fits of fewer values than coefficients are NaN
        try:
            w = eval(text, {"v": d.v, "w": other(d), "cov": xr.cov, "corr": xr.corr, "xr": xr, "abs": np.abs})
            if w.size > 110 or any(w[c].dtype.kind == "O" and c == "time" and info["calendar"] == "standard" for c in w.coords):
                raise ValueError(f"{w.size} elements")
            labels = {str(c): numbers(w[c].values, info) for c in w.coords if w[c].ndim < 2}
        except Exception as err:
            skipped += [f"{k} {text}: {type(err).__name__}"]
            continue
        cases.append(dict(array=k, expr=text, dims=list(w.dims), shape=list(w.shape), dtype=str(w.dtype), values=numbers(w.values, info), labels=labels))
print('{"arrays": [')
print(",\n".join(json.dumps(a) for _, a in ARRAYS))
print('], "cases": [')
print(",\n".join(json.dumps(c) for c in cases))
print("]}")
print(len(cases), "cases,", len(skipped), "that xarray refuses or that are large", file=sys.stderr)
