# Writes calendars.json: dates that cftime reads from numbers, and reference dates that xarray reads
# from free forms. Made with cftime 1.6.6.1, xarray 2026.9.0, pandas 3, numpy 2.4.6:
#   python calendars.py > calendars.json
import json, random, warnings
import cftime, numpy as np, pandas as pd
from xarray.coding import times
warnings.simplefilter('ignore')
random.seed(20261125)

def row(cal, units, v):
    try:
        d = cftime.num2date(v, units, cal, only_use_cftime_datetimes=True)
    except Exception:
        return None
    if abs(d.year) > 200000:
        return None
    try:
        dow = d.dayofwk
    except Exception:
        dow = -1
    dim = d.daysinmonth
    return [d.year, d.month, d.day, d.hour, d.minute, d.second, d.microsecond, d.dayofyr, dow, dim]

cases = []
CALS = ['standard', 'gregorian', 'proleptic_gregorian', 'julian', 'noleap', '365_day', 'all_leap', '366_day', '360_day']
REFS = ['2000-01-01', '1-1-1 00:00:00', '1582-10-04 18:00', '1850-1-1', '2000-02-28T12:30:15.25', '1900-03-01 00:00:0.0',
        '1970-01-01 00:00:00 -05:30', '1999-12-31 23:00 +0200', '-4713-01-01 12:00', '0000-06-15', '1582-10-15', '2001']
UNITS = {'days': 900000, 'hours': 2e7, 'minutes': 1e9, 'seconds': 5e10, 'milliseconds': 5e13, 'microseconds': 5e16, 'd': 3000, 'hr': 100000}
for cal in CALS:
    for ref in REFS:
        for unit, scale in UNITS.items():
            units = f'{unit} since {ref}'
            for i in range(2):
                s = random.choice([scale, scale / 30, scale / 1000])
                v = np.int64(random.uniform(-s, s))
                r = row(cal, units, v)
                if r: cases.append([cal, units, 'i', int(v), r])
                f = random.choice([float(v) + 0.5, random.uniform(-s, s), round(random.uniform(-s, s), 2), random.randint(-1000, 1000) / 24, random.randint(-1000, 1000) / 86400, float(np.float32(random.uniform(-s, s)))])
                r = row(cal, units, np.float64(f))
                if r: cases.append([cal, units, 'f', f, r])
for v in [0, 1, 2.5, -3, 11.25, 1e4 / 3]:
    cases.append(['360_day', 'months since 2000-01-01', 'f', v, row('360_day', 'months since 2000-01-01', np.float64(v))])
    cases.append(['noleap', 'common_years since 2000-01-01', 'f', v, row('noleap', 'common_years since 2000-01-01', np.float64(v))])

refs = []
FREE = ['Jan 1, 2000', '1 January 2000', '2000-1-1', '1-1-2000', '13-1-2000', '2000/01/01', '01/02/2000', '13/02/2000',
  '2000-01-01T00:00:00Z', '2000-01-01 00:00:00 +01:00', '2000-01-01 00:00:00 UTC', '2000-01-01 12', '2000-01-01 6:00', '2000-01',
  '2000', '20000101', '20000101T060000', '1 Jan 2000 12:30', 'January 2000', '2000 Jan 1', '2000-01-01 00:00:0.0', 'Jan 1 2000 1pm',
  '1-JAN-2000 00:00:00', 'Saturday, Jan 1, 2000', '0001-01-01', '2000-01-01 00:00:00 -0530', '1.1.2000', '31.12.2000', '12.31.2000',
  '2000.01.01', '1st of January 2000', 'Jan. 1, 2000', 'Sept 1 2000', '01-Jan-2000', '5 Jan 2000 at 06:00', '2000-01-01 00:00:00 GMT',
  '2000-1-1 0:0:0', '1-1-1', '1-1-1 00:00:0.0', '0001-1-1', '1800-01-01 00:00:0.0', '1958-01-01 00:00:00.000000', '2000-01-01 00:00:00.123456',
  '1601-01-01T00:00:00+00:00', 'Feb 30, 2000', '2000-02-30', 'not a date', '2000-13-01', '1 Marvember 2000', '2000-01-01 EST', 'December 31, 1999 11:30 PM']
for s in FREE:
    for cal in ['standard', 'proleptic_gregorian', 'noleap']:
        try:
            d = times.decode_cf_datetime(np.array([0]), 'days since ' + s, cal)[0]
            d = pd.Timestamp(d) if isinstance(d, np.datetime64) else d
            refs.append([s, cal, [d.year, d.month, d.day, d.hour, d.minute, d.second, d.microsecond]])
        except Exception as e:
            refs.append([s, cal, None])
print('{"cases":[')
print(',\n'.join(json.dumps(c) for c in cases))
print('],"references":[')
print(',\n'.join(json.dumps(c) for c in refs))
print(']}')
