# Writes measure.json: what scikit-image and SciPy measure of small labelled images, their thresholds and ranges of intensities. NaN is null.
# Made with scikit-image 0.26.0, scipy 1.17.1 and numpy 2.4.6:
#   python measure.py > measure.json
import json
import warnings
import numpy as np
import skimage.exposure as ex
import skimage.filters as fi
import skimage.measure as me
from scipy import ndimage as ni

warnings.simplefilter('ignore')
np.seterr(all='ignore')
r = np.random.default_rng(20261130)
TYPES = ['uint8', 'int8', 'uint16', 'int16', 'int32', 'uint32', 'int64', 'float32', 'float64']
OF_LABELS = ['label', 'num_pixels', 'area', 'area_bbox', 'bbox', 'centroid', 'equivalent_diameter_area', 'extent']
OF_IMAGE = ['intensity_mean', 'intensity_std', 'intensity_min', 'intensity_max', 'intensity_median', 'centroid_weighted']


def flat(a):
    a = np.asarray(a)
    if a.dtype.kind == 'f':
        return [None if np.isnan(x) else float(x) for x in a.ravel()]
    return [int(x) for x in a.ravel()]


def image(shape, dt):
    if dt.startswith('f'):
        return (r.standard_normal(shape) * 10.0**r.integers(-3, 4) + r.integers(0, 100)).astype(dt)
    lo, hi = np.iinfo(dt).min, np.iinfo(dt).max
    return r.integers(max(lo, -3000), min(hi, 40000), shape).astype(dt)


def labels(shape, k):
    if k == 0:
        return np.zeros(shape, 'int32')
    if k == 1:
        return ni.label(r.random(shape) < .5)[0]
    if k == 2:
        return r.integers(0, 6, shape).astype('uint8')
    return (r.integers(-1, 5, shape) * 300001).astype('int64')  # with gaps, and negative ones


props, by, thresholds, ranges = [], [], [], []
for i in range(36):
    rank = 2 + i % 2
    shape = [int(x) for x in r.integers(1, [9, 6][rank - 2], rank)] if i else [1, 1]
    dt = TYPES[i % len(TYPES)]
    a, l = image(shape, dt), labels(shape, i % 4)
    if i % 4 == 3:
        l = np.abs(l) // 300001 * 7
    if i in (7, 16):
        a.flat[0] = np.nan
    t = me.regionprops_table(l, None if i % 4 == 0 else a, properties=OF_LABELS + (OF_IMAGE if i % 4 else []), spacing=[1] * rank if i % 5 else [.5, 2, 3][:rank])
    if dt.startswith('f') and np.isnan(a).any() and i % 4:  # NaN beside a part, but inside its box, is scikit-image's NaN too: not compared
        t = {k: v for k, v in t.items() if not k.startswith('centroid_weighted')}
    props.append(dict(Shape=shape, DType=dt, Image=flat(a), LabelType=str(l.dtype), Labels=flat(l), Spacing=None if i % 5 else [.5, 2, 3][:rank],
                      Columns=list(t), Values=[flat(v) for v in t.values()]))
SUMS = ['sum_labels', 'mean', 'variance', 'standard_deviation', 'minimum', 'maximum', 'minimum_position', 'maximum_position', 'center_of_mass', 'median', 'histogram']
for i in range(66):
    rank = 1 + i % 4
    shape = [int(x) for x in r.integers(1, [20, 7, 4, 3][rank - 1], rank)]
    dt = TYPES[r.integers(len(TYPES))]
    a, l = image(shape, dt), labels(shape, 1 + i % 3)
    if len(np.unique(a)) < a.size:
        a = r.permutation(a.size).reshape(shape).astype(dt)  # SciPy does not say which of equal extremes it finds
    name = SUMS[i % len(SUMS)]
    there = np.unique(l).tolist()
    missing = [] if name in ('median', 'histogram') else [999983]
    for mode, kw in enumerate([{}, dict(labels=l), dict(labels=l, index=there[-1]), dict(labels=l, index=there[::-1] + (missing if l.dtype.itemsize > 2 else []))]):
        if mode == 1 and not (l > 0).any():
            continue
        w = getattr(ni, name)(a, *([-20, 90, 5] if name == 'histogram' else []), **kw)
        if name == 'histogram' and mode == 3:
            w = np.stack(list(w))
        w = np.asarray(w)
        by.append(dict(Function=name, Shape=shape, DType=dt, Image=flat(a), LabelType=str(l.dtype), Labels=flat(l) if mode else None,
                       Index=np.atleast_1d(kw['index']).tolist() if mode > 1 else None, Single=mode == 2, Want=flat(w), WantShape=list(w.shape), WantType=str(w.dtype)))
for i in range(40):
    name = ['threshold_otsu', 'threshold_yen', 'threshold_isodata', 'threshold_triangle'][i % 4]
    dt = ['uint8', 'uint16', 'int16', 'int32', 'float32', 'float64'][i % 6]
    two = np.where(r.random(60) < .6, r.normal(40, 9, 60), r.normal(90, 14, 60))
    a = (two - (60 if dt.startswith('i') else 0)).astype(dt) if i > 3 else np.full(5, 7, dt)
    if i <= 3 and name in ('threshold_yen', 'threshold_isodata') and dt.startswith('f'):
        continue
    w = np.asarray(getattr(fi, name)(a))
    thresholds.append(dict(Function=name, DType=dt, Image=flat(a), Want=float(w)))
for i, kw in enumerate([{}, dict(in_range=(20, 70)), dict(out_range=(0, 255)), dict(out_range='uint8'), dict(in_range='dtype'), dict(in_range='uint10', out_range='float32'), dict(out_range='image'), dict(out_range='uint12')]):
    for dt in ['uint8', 'int8', 'uint16', 'int16', 'float32', 'float64']:
        for a in (r.normal(50, 20, 12), np.full(3, 60.0)):
            a = a.clip(1, 100).astype(dt) - (40 if i % 2 and not dt.startswith('u') else 0)
            a = a.astype(dt)
            try:
                w = ex.rescale_intensity(a, **kw)
            except Exception:
                continue
            ranges.append(dict(DType=dt, Image=flat(a), In=kw.get('in_range'), Out=kw.get('out_range'), Want=flat(w), WantType=str(w.dtype)))
print('{' + ',\n'.join(f'"{k}": [' + ',\n'.join(json.dumps(c) for c in v) + ']' for k, v in dict(Props=props, By=by, Thresholds=thresholds, Ranges=ranges).items()) + '}')
