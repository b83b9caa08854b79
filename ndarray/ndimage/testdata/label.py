# Writes label.json: how SciPy numbers the connected parts of small arrays, whose elements are a formula that the test repeats.
# Made with scipy 1.17.1 and numpy 2.4.6:
#   python label.py > label.json
import json
import numpy as np
from scipy import ndimage as ni

r = np.random.default_rng(20261130)
out = []
while len(out) < 60:
    rank = int(r.integers(1, 4))
    shape = [int(x) for x in r.integers(1, [60, 14, 7][rank - 1], rank)]
    seed, share = int(r.integers(1, 1000)), int(r.integers(10, 70))
    i = np.arange(np.prod(shape), dtype='uint64')
    a = ((i * np.uint64(2654435761) + np.uint64(seed)) * np.uint64(40503) // np.uint64(1 << 20) % np.uint64(100) < share).reshape(shape)
    s = ni.generate_binary_structure(rank, int(r.integers(1, rank + 1)))
    if r.random() < .25:
        s = r.random((3,) * rank) < .5
        s = s | s[(slice(None, None, -1),) * rank]
        s[(1,) * rank] = True
    labels, n = ni.label(a, s)
    out.append(dict(Shape=shape, Seed=seed, Share=share, Structure=s.ravel().tolist(), Count=n, Labels=labels.ravel().tolist()))
print('[' + ',\n'.join(json.dumps(c) for c in out) + ']')
