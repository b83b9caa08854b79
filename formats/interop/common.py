# SPDX-License-Identifier: BSD-3-Clause
"""What the cases of interop.py share: the arguments, the count of comparisons, values, and arrayrun's own report of a file."""
import argparse
import hashlib
import importlib
import json
import os
import shutil
import subprocess
import warnings

import numpy as np

warnings.filterwarnings("ignore")
ap = argparse.ArgumentParser()
ap.add_argument("--arrayrun", required=True)
ap.add_argument("--dir", required=True)
ap.add_argument("--require", action="store_true")
ap.add_argument("--only", nargs="*")
args = ap.parse_args()
AR = os.path.abspath(args.arrayrun)
os.makedirs(args.dir, exist_ok=True)
os.chdir(args.dir)

bad, done, absent = [], 0, set()
NUMBERS = ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f4", "f8"]
SHAPE = (23, 17)
TEXTS = ["é%d" % (i % 5) * (i % 3) for i in range(23)]


def fail(case, text):
    bad.append(case)
    print(f"DIFFERS {case}: {text}", flush=True)


def check(case, ok, text=""):
    global done
    done += 1
    if not ok:
        fail(case, text)


def peer(name):
    """The module or program of the name, None where it is not installed."""
    try:
        found = importlib.import_module(name)
    except ImportError:
        found = shutil.which(name)
    if found is None and name not in absent:
        absent.add(name)
        if args.require:
            fail(name, "is not installed")
    return found


def values(dt, seed=0):
    rng = np.random.default_rng(seed)
    a = rng.normal(50, 30, SHAPE)
    dt = np.dtype(dt)
    if dt.kind == "c":
        return (a + 1j * a[::-1]).astype(dt)
    if dt.kind == "b":
        return a > 50
    if dt.kind in "iu":
        a = np.clip(a, 0, 120)
    return a.astype(dt)


def md5(a):
    a = np.ascontiguousarray(a)
    return hashlib.md5(a.astype(a.dtype.newbyteorder("<")).tobytes()).hexdigest()


def text_md5(texts):
    return hashlib.md5(b"\0".join(x.encode() for x in texts)).hexdigest()


def arrayrun(case, *a):
    r = subprocess.run([AR, *a], capture_output=True, text=True)
    if r.returncode:
        fail(case, f"arrayrun {' '.join(a)}: exit {r.returncode}: {r.stderr.strip()[-400:]}")
        return None
    return r.stdout


def info(case, path):
    out = arrayrun(case, "info", "--json", "--checksums", path)
    return json.loads(out)["variables"] if out else None


def expect(case, path, want):
    """want: name -> array or list of texts, or (that, {field of info: value})."""
    got = info(case, path)
    if got is None:
        return
    for name, w in want.items():
        w, more = w if isinstance(w, tuple) else (w, {})
        g = got.get(name)
        if g is None:
            fail(case, f"{name} is missing")
            continue
        sums = text_md5(w) if isinstance(w, list) else md5(w)
        shape = [len(w)] if isinstance(w, list) else list(w.shape)
        check(case, g["error"] is None and g["checksum"] == sums and g["shape"] == shape, f"{name}: {g['error'] or g['checksum']} {g['shape']}, want {sums} {shape}")
        for k, x in more.items():
            check(case, g[k] == x, f"{name}: {k} is {g[k]}, want {x}")


def run(case, *command):
    r = subprocess.run(command, capture_output=True, text=True)
    check(case, r.returncode == 0, f"{' '.join(command)}: exit {r.returncode}: {(r.stderr + r.stdout).strip()[-400:]}")
    return r.stdout


def same(case, got, want):
    check(case, got.dtype == want.dtype.newbyteorder("=") and np.array_equal(got, want), f"{got.dtype} {got.shape}, want {want.dtype} {want.shape}, or other values")
