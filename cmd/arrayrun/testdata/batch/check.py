# SPDX-License-Identifier: BSD-3-Clause
"""Compares the results of a batch with what gen.py expects: `python check.py OUT`; exit 1 on a difference."""
import json
import os
import sys

import numpy as np


def ulps(got, want):
    """The distance in units in the last place of want's dtype, 0 where both are NaN."""
    i = {2: np.int16, 4: np.int32, 8: np.int64}[want.dtype.itemsize]

    def line(x):  # floats as integers in the same order
        b = np.ascontiguousarray(x).view(i).astype(object)
        return np.where(b < 0, -(b + 2 ** (8 * want.dtype.itemsize - 1)), b)

    d = np.abs(line(got) - line(want)).astype(float)
    return np.where(np.isnan(got) & np.isnan(want), 0, np.where(np.isnan(got) | np.isnan(want), np.inf, d))


def differs(got, want, case):
    if got.dtype != want.dtype:
        return f"dtype {got.dtype}, want {want.dtype}"
    if got.shape != want.shape:
        return f"shape {got.shape}, want {want.shape}"
    if want.dtype.kind != "f":
        bad = got != want
    elif case["rtol"]:
        bad = ~(np.isclose(got, want, rtol=case["rtol"], atol=0, equal_nan=True))
    elif case["ulp"]:
        bad = ulps(got, want) > case["ulp"]
    else:
        bad = ~((got == want) | np.isnan(got) & np.isnan(want))
        if case["zeros"]:
            bad |= (np.signbit(got) != np.signbit(want)) & ~np.isnan(want)
    if not np.any(bad):
        return ""
    at = tuple(int(i) for i in np.argwhere(bad)[0])
    return f"{int(np.sum(bad))} of {want.size} differ, first at {at}: {got[at]!r}, want {want[at]!r}"


def main(out):
    n = failed = 0
    for line in open(os.path.join(out, "cases.jsonl")):
        case = json.loads(line)
        n += 1
        want = np.load(os.path.join(out, "expected", case["id"] + ".npy"))
        try:
            with np.errstate(all="ignore"):
                why = differs(np.load(os.path.join(out, "out", case["id"] + ".npy")), want, case)
        except OSError as e:
            why = f"no result: {e}"
        if why:
            failed += 1
            print(f"{case['id']}: {case['expr']}: {why}")
    print(f"{n} cases, {failed} differ")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
