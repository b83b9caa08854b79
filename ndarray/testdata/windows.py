# Writes windows.json: what xarray makes of resample, rolling, coarsen, shift, roll, diff, idxmax and idxmin of small arrays, whose elements are
# a formula that the test repeats. Made with xarray 2026.9.0, pandas 3.1.1, flox 0.11.2, bottleneck 1.6.0, numpy 2.4.6, cftime 1.6.6:
#   python windows.py > windows.json
import json, random, sys, warnings
import cftime, numpy as np, xarray as xr
warnings.simplefilter('ignore')
R = random.Random(20261130)

def elements(shape, dtype, missing):
    i = np.arange(np.prod(shape))
    x = (i * 37 + 11) % 101 / 4 - 10
    if dtype[0] == 'f' and missing:
        x[(i * i + i // 3) % missing == 0] = np.nan
    if dtype == 'uint8':
        x = np.abs(x)
    return (x > 0 if dtype == 'bool' else x).astype(dtype).reshape(shape)

def array(dims, n, dtype, missing, units, calendar, times):
    sizes = dict(time=n, lat=3, lon=4)
    shape = [sizes[d] for d in dims]
    da = xr.DataArray(elements(shape, dtype, missing), dims=dims, name='v')
    ds = xr.Dataset({'v': da}, coords={'time': ('time', times, dict(units=units, calendar=calendar)),
                                       'lat': [10., 0., -10.], 'lon': [0., 90., 180., 270.]})
    return xr.decode_cf(ds), dict(dims=dims, shape=shape, dtype=dtype, missing=missing, units=units, calendar=calendar, times=[float(t) for t in times])

T = ('time', 'lat', 'lon')
ARRAYS = [
 array(T, 14, 'float64', 5, 'days since 2000-01-20', 'standard', np.arange(14) * 9),
 array(T, 12, 'float32', 4, 'hours since 2001-02-27 06:00', 'noleap', np.arange(12) * 30.5),
 array(('lat', 'time', 'lon'), 10, 'int32', 0, 'days since 1999-12-30', '360_day', np.array([0, 1, 2, 3, 30, 31, 31, 90, 91, 400])),
 array(('lat', 'lon', 'time'), 9, 'float64', 3, 'hours since 2003-12-31 18:00', 'standard', np.array([0, 1, 5, 6, 7, 30, 31, 54, 55])),
 array(T, 8, 'uint8', 0, 'days since 2000-02-25', 'julian', np.arange(8)),
 array(T, 10, 'float64', 0, 'days since 1850-06-15 12:00', 'all_leap', np.arange(10) * 100.25),
 array(T, 9, 'float32', 2, 'seconds since 2010-05-30', 'proleptic_gregorian', np.arange(9) * 86400 * 3),
]
FREQS = ['MS', 'ME', 'QS', 'QS-DEC', 'QE', 'QE-NOV', 'YS', 'YS-JUL', 'YE', 'D', '3D', '10D', 'h', '12h', '36h', 'W', 'W-WED', '2MS', '2W', '3ME']
AGGS = ['mean', 'sum', 'min', 'max', 'std', 'var', 'median', 'count', 'first', 'last', 'any', 'all', 'quantile']
FOLDS = ['mean', 'sum', 'min', 'max', 'std', 'var', 'median', 'count', 'prod']

def resample(d):
    f, agg, kw = R.choice(FREQS), R.choice(AGGS), {}
    if R.random() < .25: kw['closed'] = R.choice(['left', 'right'])
    if R.random() < .25: kw['label'] = R.choice(['left', 'right'])
    if f.lstrip('0123456789') in ('D', 'h') and R.random() < .4: kw['origin'] = R.choice(['start', 'epoch', 'end', 'end_day'])
    text = ''.join(f', {k}={v!r}' for k, v in kw.items())
    q = '0.3' if agg == 'quantile' else ''
    def run():
        g = d.v.isel(lat=1).resample(time=f, **kw)
        w = getattr(g, agg)(*([.3] if q else []))
        empty = g.count().values
        if np.isnan(empty).any():  # the language: counts of empty periods are 0, truths those of none, and integers have NaN there
            if agg in ('count', 'any', 'all'): w = w.fillna(agg == 'all').astype('int64' if agg == 'count' else 'bool')
            if agg in ('first', 'last') and w.dtype.kind in 'iub': w = w.astype('float64').where(g.count().notnull())
        return w
    return f'v.isel(lat=1).resample(time={f!r}{text}).{agg}({q})', run

def coarsen(d):
    dims = R.sample(['time', 'lat', 'lon'], R.choice([1, 1, 2, 3]))
    b, side, agg = R.choice(['exact', 'trim', 'pad']), R.choice(['left', 'right']), R.choice(FOLDS + ['any', 'all'])
    w = {k: R.choice([q for q in range(1, d.sizes[k] + 1) if d.sizes[k] % q == 0 or b != 'exact']) for k in dims}
    text = ', '.join(f'{k}={v}' for k, v in w.items())
    return f'v.coarsen({text}, boundary={b!r}, side={side!r}).{agg}()', lambda: getattr(d.v.coarsen(w, boundary=b, side=side), agg)()

def rolling(d):
    dims = R.sample(['time', 'lat', 'lon'], R.choice([1, 1, 1, 2, 3]))
    w = {k: R.randint(1, d.sizes[k]) for k in dims}
    kw, agg = {}, R.choice(FOLDS)
    if R.random() < .5: kw['center'] = True
    if R.random() < .6: kw['min_periods'] = R.randint(1, int(np.prod(list(w.values()))))
    text = ', '.join(f'{k}={v}' for k, v in {**w, **kw}.items())
    dt = d.v.dtype if d.v.dtype.kind == 'f' and agg != 'count' else np.dtype('float64')
    return f'v.rolling({text}).{agg}()', lambda: getattr(d.v.astype('float64').rolling(w, **kw), agg)().astype(dt)

def neighbours(d):
    op, k = R.choice(['shift', 'roll', 'diff', 'idxmax', 'idxmin']), R.choice(['time', 'lat', 'lon'])
    n = R.randint(-d.sizes[k] - 1, d.sizes[k] + 1)
    if op == 'shift':
        fill = R.choice([{}, {'fill_value': 3}])
        return f'v.shift({k}={n}' + (', fill_value=3)' if fill else ')'), lambda: d.v.shift({k: n}, **fill)
    if op == 'roll':
        c = R.random() < .5
        return f'v.roll({k}={n}, roll_coords={c})', lambda: d.v.roll({k: n}, roll_coords=c)
    if op == 'diff':
        n, label = R.randint(1, 2), R.choice(['upper', 'lower'])
        return f'v.diff({k!r}, n={n}, label={label!r})', lambda: d.v.diff(k, n=n, label=label)
    return f'v.{op}({k!r})', lambda: getattr(d.v, op)(k)

def numbers(v, info):
    if v.dtype.kind == 'M':
        us = v.astype('M8[us]').astype(object)
        v = np.array([np.nan if t is None else cftime.date2num(cftime.datetime(t.year, t.month, t.day, t.hour, t.minute, t.second, t.microsecond, calendar='standard'),
                      info['units'], 'standard') for t in np.ravel(us)])
    elif v.dtype.kind == 'O':
        v = np.array([cftime.date2num(t, info['units'], info['calendar']) if t == t else np.nan for t in np.ravel(v)])
    return [None if np.isnan(t) else 'inf' if np.isinf(t) else float('%.12g' % t) if t != int(t) else int(t) for t in np.ravel(v).astype(float).tolist()]

cases = []
for make, count in (resample, 90), (coarsen, 40), (rolling, 50), (neighbours, 40):
    while count:
        k = R.randrange(len(ARRAYS))
        d, info = ARRAYS[k]
        expr, run = make(d)
        try:
            w = run()
        except Exception as err:
            print(k, expr, repr(err), file=sys.stderr)
            continue
        if w.size > 120 or w.dtype.kind in 'OM' and not expr.startswith('v.idx') or any(c['expr'] == expr and c['array'] == k for c in cases):
            continue
        cases.append(dict(array=k, expr=expr, dims=list(w.dims), shape=list(w.shape), dtype='time' if w.dtype.kind in 'OM' else str(w.dtype), values=numbers(w.values, info),
                          labels={str(c): numbers(w[c].values, info) for c in w.dims if c in w.coords}))
        count -= 1
print('{"arrays": [')
print(',\n'.join(json.dumps(a) for _, a in ARRAYS))
print('], "cases": [')
print(',\n'.join(json.dumps(c) for c in cases))
print(']}')
