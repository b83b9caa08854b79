# Writes filters.json: what SciPy's filters make of small arrays, whose elements are a formula that the test repeats.
# Made with scipy 1.17.1 and numpy 2.4.6:
#   python filters.py > filters.json
# With a number, that many other cases of that seed are written as files and jobs for "arrayrun eval --batch" and compared:
#   python filters.py SEED COUNT FOLDER ARRAYRUN [FLAGS]
import json, os, subprocess, sys, warnings
import numpy as np
from scipy import ndimage as ni
warnings.simplefilter('ignore')

MODES = ['reflect', 'constant', 'nearest', 'mirror', 'wrap']
LINE = ['correlate1d', 'convolve1d']
WINDOW = ['minimum_filter', 'maximum_filter', 'median_filter', 'rank_filter', 'percentile_filter', 'grey_erosion', 'grey_dilation', 'grey_opening',
          'grey_closing', 'white_tophat', 'black_tophat', 'morphological_gradient']
BINARY = ['binary_erosion', 'binary_dilation', 'binary_opening', 'binary_closing']
OTHERS = ['gaussian_filter', 'gaussian_filter1d', 'gaussian_laplace', 'gaussian_gradient_magnitude', 'correlate', 'convolve', 'sobel', 'prewitt', 'laplace', 'uniform_filter']
# What is negative has no place in unsigned integers: SciPy leaves that to C, which wraps or not; here it saturates.
SIGNED = LINE + OTHERS[:-1] + ['white_tophat', 'black_tophat', 'morphological_gradient']

def elements(shape, dtype):
    i = np.arange(np.prod(shape))
    x = (i * 37 + 11 + i // 7 * 5) % 101 / 4 - (0 if dtype[0] == 'u' else 10)
    return (x > 8 if dtype == 'bool' else x).astype(dtype).reshape(shape)

def literal(x):
    return repr(np.asarray(x).tolist())

def case(r, most):
    name = str(r.choice(LINE + WINDOW + BINARY + OTHERS))
    rank = int(r.integers(1, 4))
    shape = tuple(int(x) for x in r.integers(1, most[rank - 1], rank))
    dtype = str(r.choice(['bool', 'uint8'] if name in BINARY else ['float32', 'float64', 'int16', 'int32', 'int64'] + ['uint8', 'uint16'] * (name not in SIGNED)))
    a = elements(shape, dtype)
    axis = int(r.integers(-rank, rank))
    kw = {}
    if name not in BINARY:
        kw['mode'] = str(r.choice(MODES))
        if kw['mode'] == 'constant': kw['cval'] = int(r.integers(0, 5))
    if rank > 1 and name in ('uniform_filter', 'gaussian_filter') and r.random() < .3:
        kw['mode'] = [str(x) for x in r.choice(MODES, rank)]
    hit = r.random(tuple(int(x) for x in r.integers(1, 5, rank))) < .6
    hit.flat[0] = True
    if rank == 1: hit[:] = True # SciPy's ranks of lines take no notice of holes
    box = tuple(int(x) for x in r.integers(1, 6, rank))
    moved = lambda s: tuple(int(r.integers(-(n // 2), (n - 1) // 2 + 1)) for n in s)
    exact, pos = dtype[0] != 'f', []
    if name in LINE:
        n = int(r.integers(1, 9))
        w = r.choice([-1, 0, 1, 2, .5, .25, 3], n)
        if r.random() < .5: w = (w + r.choice([-1, 1]) * w[::-1]) / 2
        pos, exact = [w.tolist()], True
        kw.update(axis=axis, origin=moved([n])[0])
    elif name in ('correlate', 'convolve'):
        pos, exact = [r.choice([-1, 0, 1, 2, .5, .25], hit.shape).tolist()], True
        kw['origin'] = moved(hit.shape)
    elif name in ('sobel', 'prewitt'):
        kw['axis'], exact = axis, True
    elif name == 'laplace':
        exact = True
    elif name == 'uniform_filter':
        kw.update(size=box, origin=moved(box))
    elif name == 'gaussian_filter1d':
        pos = [float(r.choice([.7, 2, 5]))]
        kw['axis'] = axis
        exact = False
    elif name.startswith('gaussian'):
        pos = [tuple(float(x) for x in r.choice([0, .5, 1, 1.7, 3], rank))]
        if max(pos[0]) == 0: pos = [1.5]
        if name == 'gaussian_filter' and r.random() < .3: kw['order'] = int(r.integers(0, 4))
        exact = False
    elif name in WINDOW:
        exact = True
        if r.random() < .5: kw.update(size=box, origin=moved(box)); n = int(np.prod(box))
        else: kw.update(footprint=hit.tolist(), origin=moved(hit.shape)); n = int(hit.sum())
        if name == 'rank_filter': pos = [int(r.integers(-n, n))]
        if name == 'percentile_filter': pos = [int(r.integers(-100, 101))]
    else:
        exact = True
        kw['iterations'] = int(r.integers(1, 4))
        if r.random() < .6: kw.update(structure=hit.tolist(), origin=moved(hit.shape))
        if name in BINARY[:2] and r.random() < .5: kw['border_value'] = 1
    expr = f'ndimage.{name}(' + ', '.join(['a'] + [repr(p) for p in pos] + [f'{k}={v!r}' for k, v in kw.items()]) + ')'
    return a, expr, exact, getattr(ni, name)(a, *pos, **kw)

if len(sys.argv) == 1:
    r = np.random.default_rng(20261130)
    out = []
    while len(out) < 260:
        a, expr, exact, w = case(r, [20, 8, 5])
        out.append(dict(Expr=expr, Shape=a.shape, DType=str(a.dtype), Exact=exact, Result=str(w.dtype), Values=[float(x) for x in w.ravel()]))
    print('[' + ',\n'.join(json.dumps(c) for c in out) + ']')
else:
    r = np.random.default_rng(int(sys.argv[1]))
    folder = sys.argv[3]
    os.makedirs(folder, exist_ok=True)
    cases = [case(r, [60, 24, 14]) for _ in range(int(sys.argv[2]))]
    with open(folder + '/jobs.jsonl', 'w') as f:
        for i, (a, expr, _, _) in enumerate(cases):
            np.save(f'{folder}/a{i}.npy', a)
            chunks = [int(x) for x in r.integers(1, 12, a.ndim)]
            print(json.dumps(dict(id=str(i), expr=expr, inputs=dict(a=dict(uri=f'a{i}.npy', chunks=chunks)), outputs=dict(result=f'o{i}.npy'))), file=f)
    p = subprocess.run(sys.argv[4:5] + ['eval', '--batch', folder + '/jobs.jsonl', '--overwrite'] + sys.argv[5:], capture_output=True, text=True)
    bad = 0
    for line in p.stdout.splitlines():
        job = json.loads(line)
        a, expr, exact, w = cases[int(job['id'])]
        why = job.get('error')
        if job['ok']:
            g = np.load(f'{folder}/o{job["id"]}.npy')
            if g.dtype != w.dtype or g.shape != w.shape: why = f'{g.dtype} {g.shape}, want {w.dtype} {w.shape}'
            elif exact and not np.array_equal(g, w): why = f'{g.ravel()[:8]}, want {w.ravel()[:8]}'
            elif a.dtype.kind == 'f' and not np.allclose(g, w, rtol=2e-6 if a.dtype == 'float32' else 1e-10, atol=1e-5 if a.dtype == 'float32' else 1e-10): why = f'{g.ravel()[:8]}, want {w.ravel()[:8]}'
            elif np.abs(g.astype('float64') - w).max(initial=0) > 1: why = f'{g.ravel()[:8]}, want {w.ravel()[:8]}'
        if why: bad += 1; print(a.dtype, a.shape, expr, why)
    print(len(p.stdout.splitlines()), 'of', len(cases), 'cases,', bad, 'differ', p.stderr[-500:])
    sys.exit(bad > 0 or len(p.stdout.splitlines()) != len(cases))
