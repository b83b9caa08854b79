# SPDX-License-Identifier: BSD-3-Clause
"""Writes fft.json: transforms of small arrays by numpy.fft, in long double where NumPy computes in it, as decimal numbers.

    python fft.py > fft.json

Made with Python 3.11.7, NumPy 2.4.6 (whose pocketfft has long double transforms). The elements of an operand are those of elements in fft_test.go.
"""
import json

import numpy as np

SHAPES = [(1,), (2,), (30,), (73,), (97,), (5, 6), (4, 1, 9), (3, 4, 5)]
DTYPES = ["float64", "float32", "complex128", "complex64", "float16", "int16", "bool"]
ONE = ["fft", "ifft", "rfft", "irfft", "hfft", "ihfft"]
MANY = ["fftn", "ifftn", "rfftn", "irfftn", "fft2", "ifft2", "rfft2", "irfft2"]


def elements(shape, dtype):
    i = np.arange(np.prod(shape, dtype=int))
    x = ((i * 37 + 11 + i // 7 * 5) % 101) / 4 - 10
    if dtype.startswith("complex"):
        x = x + 1j * (((i * 53 + 7) % 89) / 4 - 9)
    return (x > 8 if dtype == "bool" else x.astype(dtype)).reshape(shape)


def main():
    rng = np.random.default_rng(5)
    out = []
    for n in range(170):
        shape = SHAPES[rng.integers(len(SHAPES))]
        dtype = DTYPES[rng.integers(len(DTYPES))]
        rank = len(shape)
        name = ONE[rng.integers(len(ONE))] if rank == 1 or rng.random() < 0.3 else MANY[rng.integers(len(MANY))]
        if dtype.startswith("complex") and name in ("rfft", "ihfft", "rfftn", "rfft2"):
            continue
        kw = {}
        if name in ONE:
            if rng.random() < 0.6:
                kw["axis"] = int(rng.integers(-rank, rank))
            if rng.random() < 0.5:
                kw["n"] = int(rng.integers(1, 40))
            if name in ("irfft", "hfft") and shape[kw.get("axis", -1)] == 1:
                kw["n"] = 5
        else:
            if rng.random() < 0.6:
                axes = rng.permutation(rank)[: 2 if name.endswith("2") else int(rng.integers(1, rank + 1))]
                kw["axes"] = tuple(int(a) - rank * int(rng.integers(2)) for a in axes)
            count = len(kw.get("axes", range(2 if name.endswith("2") else rank)))
            if rng.random() < 0.5 or name.startswith("irfft"):
                if name.endswith("n") and "axes" not in kw:
                    kw["axes"] = tuple(range(rank))
                kw["s"] = tuple(int(v) for v in rng.integers(1, 12, count))
        norm = (None, "backward", "ortho", "forward")[rng.integers(4)]
        if norm:
            kw["norm"] = norm
        a = elements(shape, dtype)
        f = getattr(np.fft, name)
        want = f(a.astype(np.clongdouble if a.dtype.kind == "c" else np.longdouble), **kw)
        case = {"expr": f"fft.{name}(a{''.join(f', {k}={v!r}' for k, v in kw.items())})", "dtype": dtype, "shape": shape,
                "chunks": [int(rng.integers(1, k + 1)) for k in shape], "to": str(f(a, **kw).dtype), "result": want.shape,
                "real": [float(v) for v in want.real.ravel()]}
        if want.dtype.kind == "c":
            case["imag"] = [float(v) for v in want.imag.ravel()]
        out.append(case)
    for text in ("fft.fftfreq(7, 0.1)", "fft.fftfreq(8, d=2)", "fft.fftfreq(1)", "fft.rfftfreq(7)", "fft.rfftfreq(8, 0.25)",
                 "fft.fftshift(a)", "fft.ifftshift(a)", "fft.fftshift(a, axes=1)", "fft.ifftshift(a, axes=(0, -1))"):
        a = elements((3, 4, 5), "float64")
        want = eval(text, {"fft": np.fft, "a": a})
        out.append({"expr": text, "dtype": "float64", "shape": (3, 4, 5), "chunks": (2, 3, 2), "to": "float64", "result": want.shape, "real": want.ravel().tolist()})
    print("[\n" + ",\n".join(json.dumps(c) for c in out) + "\n]")


main()
