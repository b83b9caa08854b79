# Writes climate.json: what xarray makes of files of the corpus (shared/corpus/climate), for the expressions of the
# language beside it. Made with xarray 2026.9.0, flox 0.11.2, numpy 2.4.6, netCDF4:
#   python climate.py CORPUS_DIR > climate.json
import json, sys, os, warnings
import numpy as np, xarray as xr
warnings.simplefilter('ignore')
D = sys.argv[1]

def op(name, **kw):
    return xr.open_dataset(os.path.join(D, name), **kw)

# file, expression of the language, the same in xarray
CASES = [
 ('eraint_uvz.nc', 'ds.z.mean()', lambda d: d.z.mean()),
 ('eraint_uvz.nc', 'ds.u.mean("longitude")', lambda d: d.u.mean('longitude')),
 ('eraint_uvz.nc', 'ds.v.mean(("latitude", "longitude"))', lambda d: d.v.mean(('latitude', 'longitude'))),
 ('eraint_uvz.nc', 'ds.z[0, 0, ::40, ::80]', lambda d: d.z[0, 0, ::40, ::80]),
 ('eraint_uvz.nc', 'sqrt(ds.u**2 + ds.v**2).max("level")[:, ::60, ::60]', lambda d: np.sqrt(d.u**2 + d.v**2).max('level')[:, ::60, ::60]),
 ('eraint_uvz.nc', 'ds.z.sel(level=500, latitude=slice(10, -10)).mean("longitude")', lambda d: d.z.sel(level=500, latitude=slice(10, -10)).mean('longitude')),
 ('eraint_uvz.nc', 'ds.z.sel(latitude=45.1, longitude=100.2, method="nearest")', lambda d: d.z.sel(latitude=45.1, longitude=100.2, method='nearest')),
 ('eraint_uvz.nc', 'ds.z.weighted(cos(deg2rad(ds.latitude.astype("float64")))).mean(("latitude", "longitude"))', lambda d: d.z.weighted(np.cos(np.deg2rad(d.latitude.astype("float64")))).mean(('latitude', 'longitude'))),
 ('eraint_uvz.nc', 'ds.u.std(("latitude", "longitude"))', lambda d: d.u.std(('latitude', 'longitude'))),
 ('eraint_uvz.nc', 'ds.u.quantile([0.1, 0.9], dim="longitude")[:, :, :, ::60]', lambda d: d.u.quantile([0.1, 0.9], dim='longitude')[:, :, :, ::60]),
 ('SMALL_total_column_co2.nc', 'ds.tcco2.mean()', lambda d: d.tcco2.mean()),
 ('SMALL_total_column_co2.nc', 'ds.tcco2.mean("time")[::40, ::80]', lambda d: d.tcco2.mean('time')[::40, ::80]),
 ('SMALL_total_column_co2.nc', 'ds.tcco2[::10, ::40, ::80]', lambda d: d.tcco2[::10, ::40, ::80]),
 ('SMALL_total_column_co2.nc', 'ds.tcco2.groupby("time.hour").mean()[:, ::40, ::80]', lambda d: d.tcco2.groupby('time.hour').mean()[:, ::40, ::80]),
 ('SMALL_total_column_co2.nc', 'ds.tcco2.groupby("time.day").max()[:, ::80, ::80]', lambda d: d.tcco2.groupby('time.day').max()[:, ::80, ::80]),
 ('SMALL_total_column_co2.nc', 'ds.tcco2.sel(time="2006-01-03")[:, ::80, ::80]', lambda d: d.tcco2.sel(time='2006-01-03')[:, ::80, ::80]),
 ('test_lcc.nc', 'ds.tas.groupby("time.month").mean()[:, ::20, ::20]', lambda d: d.tas.groupby('time.month').mean()[:, ::20, ::20]),
 ('test_lcc.nc', 'ds.tas.groupby("time.season").mean()[:, ::20, ::20]', lambda d: d.tas.groupby('time.season').mean()[:, ::20, ::20]),
 ('test_lcc.nc', 'ds.tas.groupby("time.season").median()[:, ::20, ::20]', lambda d: d.tas.groupby('time.season').median()[:, ::20, ::20]),
 ('test_lcc.nc', '(ds.tas - ds.tas.groupby("time.season").mean())[::3, ::20, ::20]', lambda d: (d.tas.groupby('time.season') - d.tas.groupby('time.season').mean())[::3, ::20, ::20]),
 ('test_lcc.nc', 'ds.tas.count("time")[::10, ::10]', lambda d: d.tas.count('time')[::10, ::10]),
 ('test_lcc.nc', 'ds.tas.mean(("x", "y"))', lambda d: d.tas.mean(('x', 'y'))),
 ('test_lcc.nc', 'ds.tas.min("time")[::20, ::20]', lambda d: d.tas.min('time')[::20, ::20]),
 ('test_lcc.nc', 'ds.tas.sel(time="2010-03")[:, ::20, ::20]', lambda d: d.tas.sel(time='2010-03')[:, ::20, ::20]),
 ('test_lcc.nc', 'ds.tas.sel(time=slice("2010-03", "2010-05")).mean(("x", "y"))', lambda d: d.tas.sel(time=slice('2010-03', '2010-05')).mean(('x', 'y'))),
 ('test_lcc.nc', 'ds.tas.where(ds.tas > 10).mean()', lambda d: d.tas.where(d.tas > 10).mean()),
 ('test_lcc.nc', 'ds.tas.fillna(0).sum("time")[::20, ::20]', lambda d: d.tas.fillna(0).sum('time')[::20, ::20]),
 ('test_lcc.nc', 'ds.tas.isnull().sum()', lambda d: d.tas.isnull().sum()),
 ('test_lcc.nc', 'ds.time.dt.dayofyear', lambda d: d.time.dt.dayofyear),
 ('test_lcc.nc', 'ds.tas.groupby_bins("x", [250000, 280000, 300000, 320000]).mean()[::4, ::20]', lambda d: d.tas.groupby_bins('x', [250000, 280000, 300000, 320000]).mean()[::4, ::20]),
 ('test_lcc.nc', 'ds.tas.groupby("time.season").quantile(0.9)[:, ::20, ::20]', lambda d: d.tas.groupby('time.season').quantile(0.9)[:, ::20, ::20]),
 ('test_lcc.nc', 'ds.tas.groupby("time.season").std()[:, ::20, ::20]', lambda d: d.tas.groupby('time.season').std()[:, ::20, ::20]),
 ('test_lcc.nc', 'ds.tas.groupby("time.season").first()[:, ::20, ::20]', lambda d: d.tas.groupby('time.season').first()[:, ::20, ::20]),
 ('jan.nc4', 'ds.T.groupby("time.month").mean()', lambda d: d['T'].groupby('time.month').mean()),
 ('jan.nc4', 'ds.T.groupby("time.dayofyear").sum()[::10]', lambda d: d['T'].groupby('time.dayofyear').sum()[::10]),
 ('jan.nc4', 'ds.P.sel(time=slice("2000-01-10", "2000-01-12"))', lambda d: d.P.sel(time=slice('2000-01-10', '2000-01-12'))),
 ('jan.nc4', 'ds.P.sel(time="2000-01-10")', lambda d: d.P.sel(time='2000-01-10')),
 ('jan.nc4', 'ds.P - ds.T.mean(("lat", "lon"))', lambda d: d.P - d['T'].mean(('lat', 'lon'))),
 ('jan.nc4', 'ds.P.sel(lat=slice(41, 40))[::15]', lambda d: d.P.sel(lat=slice(41, 40))[::15]),
 ('jan.nc4', 'ds.P.sel(lon=[-103, -109])[::15]', lambda d: d.P.sel(lon=[-103, -109])[::15]),
 ('feb.nc4', 'ds.T.groupby("time.month").mean()', lambda d: d['T'].groupby('time.month').mean()),
 ('feb.nc4', 'ds.T.argmax("time")', lambda d: d['T'].argmax('time')),
 ('air.nc', 'ds.air.mean("time")[::5, ::10]', lambda d: d.air.mean('time')[::5, ::10]),
 ('air.nc', 'ds.air.groupby("time.season").mean()[:, ::5, ::10]', lambda d: d.air.groupby('time.season').mean()[:, ::5, ::10]),
 ('small_rotPole_precipitation.nc', 'ds.pr.mean("time")[::60, ::60]', lambda d: d.pr.mean('time')[::60, ::60]),
 ('small_rotPole_precipitation.nc', 'ds.pr.groupby_bins("lat", [30, 50, 60, 80]).mean()', lambda d: d.pr.groupby_bins('lat', [30, 50, 60, 80]).mean()),
 ('small_rotPole_precipitation.nc', 'ds.pr.groupby(ds.lat > 50).max()', lambda d: d.pr.groupby(d.lat > 50).max()),
 ('small_rotPole_precipitation.nc', 'ds.pr.sel(time="1958-01-02")[0, ::60, ::60]', lambda d: d.pr.sel(time='1958-01-02')[0, ::60, ::60]),
 ('data_C4.nc', 'ds.sample_data.mean()', lambda d: d.sample_data.mean()),
]
# Years before 1: xarray reads the numbers, months were taken from CDO's (1 to 12, one step each).
RAW = [
 ('coads_climatology.nc4', 'ds.SST.groupby("TIME.month").mean()[:, ::15, ::30]', lambda d: d.SST.rename(TIME='month')[:, ::15, ::30], dict(decode_times=False)),
 ('coads_climatology.nc4', 'ds.SST.groupby("TIME.month").mean().mean(("COADSX", "COADSY"))', lambda d: d.SST.mean(('COADSX', 'COADSY')).rename(TIME='month'), dict(decode_times=False)),
 ('coads_climatology.nc4', 'ds.SST.mean("TIME")[::15, ::30]', lambda d: d.SST.mean('TIME')[::15, ::30], dict(decode_times=False)),
 ('coads_climatology.nc4', 'ds.TIME.dt.month', lambda d: xr.DataArray(np.arange(1, 13), dims='TIME'), dict(decode_times=False)),
]

out = []
for c in CASES + RAW:
    f, e, x = c[:3]
    try:
        r = x(op(f, **(c[3] if len(c) > 3 else {})))
    except Exception as err:
        print(f, e, repr(err), file=sys.stderr)
        continue
    if r is None:
        continue
    v = np.asarray(r.values)
    out.append(dict(file=f, expr=e, dims=list(r.dims), shape=list(v.shape), dtype=str(v.dtype),
                    values=[None if np.isnan(float(t)) else float(t) for t in v.ravel()]))
print('[')
print(',\n'.join(json.dumps(o) for o in out))
print(']')
