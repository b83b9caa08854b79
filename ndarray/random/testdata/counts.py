# SPDX-License-Identifier: BSD-3-Clause
"""Writes counts.json: cumulative probabilities of Poisson and binomial distributions, by mpmath, at whole numbers of standard deviations from the mean.

Run: python counts.py > counts.json
"""
import json

import mpmath as mp

mp.mp.dps = 40


def poisson(lam, k):
    return mp.gammainc(k + 1, lam, mp.inf, regularized=True)


def binomial(n, p, k):
    return mp.mpf(1) if k >= n else mp.betainc(n - k, k + 1, 0, 1 - mp.mpf(p), regularized=True)


def places(mean, sd, last=None):
    ks = sorted({max(0, int(mean + z * sd)) for z in (-6, -4, -2, -1, 0, 1, 2, 4, 6)})
    return [k for k in ks if last is None or k <= last]


out = []
for lam in (0.001, 0.5, 1.0, 3.75, 10.0, 1000.5, 123456.7):
    for k in places(lam, lam**0.5):
        out.append({"name": "poisson", "args": [lam], "k": k, "below": float(poisson(mp.mpf(lam), k))})
for n, p in ((1, 0.25), (10, 0.5), (40, 0.9), (1000, 0.001), (12345, 0.3)):
    for k in places(n * p, (n * p * (1 - p)) ** 0.5, n):
        out.append({"name": "binomial", "args": [n, p], "k": k, "below": float(binomial(n, p, k))})
print(json.dumps({"mpmath": mp.__version__, "points": out}, indent=1))
