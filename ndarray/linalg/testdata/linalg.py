# SPDX-License-Identifier: BSD-3-Clause
"""Writes linalg.json: what numpy.linalg makes of small matrices. Where signs and order of vectors are nobody's promise, the expression makes of them what is
one's only.

    python linalg.py > linalg.json

Made with Python 3.11.7, NumPy 2.4.6 (OpenBLAS). Elements of operands are those of elements in linalg_test.go.
"""
import json

import numpy as np

# Operands: shape, what is added to the diagonal, and whether a matrix times its transpose is taken.
SQUARE = [((3, 3), 4, False), ((1, 1), 3, False), ((2, 3, 5, 5), 6, False), ((9, 9), 7, False), ((0, 3, 3), 0, False), ((2, 0, 0), 0, False)]
DEFINITE = [((4, 4), 3, True), ((3, 2, 2), 1, True), ((7, 7), 1, True)]
ANY = [((4, 3), 0, False), ((3, 4), 0, False), ((2, 5, 3), 0, False), ((3, 1), 0, False), ((1, 4), 0, False), ((6, 6), 0, False)]
TALL = [((120, 3), 0, False), ((97, 2), 0, False), ((250, 4), 0, False)]
TALLER = [((2000, 1), 0, False), ((1111, 2), 0, False)]
REAL, ALL = ("float64", "float32", "int32"), ("float64", "float32", "complex128", "complex64", "int32")

CASES = [
    (SQUARE, ALL, ["linalg.inv(a)", "linalg.det(a)", "linalg.slogdet(a).sign", "linalg.slogdet(a)[1]", "linalg.solve(a, a[..., :2])", "linalg.matrix_power(a, 3)",
                   "linalg.matrix_power(a, 0)", "linalg.matrix_power(a, -2)", "linalg.cond(a, 1)", "linalg.cond(a, -inf)", "linalg.cond(a, 'fro')"]),
    (SQUARE, REAL, ["t = linalg.eig(a); abs(a @ t.eigenvectors - t.eigenvectors * t.eigenvalues[..., None, :])", "abs(linalg.eigvals(a).sum(axis=-1))",
                    "sort(abs(linalg.eigvals(a)), axis=-1)"]),
    (SQUARE[:1], ALL, ["linalg.solve(a, a[0])", "linalg.multi_dot([a, a, a[0]])"]),
    (DEFINITE, ALL, ["linalg.cholesky(a)", "linalg.cholesky(a, upper=True)", "linalg.eigvalsh(a)", "linalg.eigvalsh(a, 'U')"]),
    (DEFINITE, REAL, ["t = linalg.eigh(a); t.eigenvectors * t.eigenvalues[..., None, :] @ t.eigenvectors.mT", "linalg.eigh(a, UPLO='U')[0]"]),
    (ANY, ALL, ["linalg.svdvals(a)", "linalg.pinv(a, rtol=1e-3)", "linalg.matrix_rank(a)", "linalg.cond(a, -2)", "linalg.matrix_norm(a, ord=2)",
                "linalg.matrix_norm(a, ord=-2, keepdims=True)", "linalg.matrix_norm(a, ord='nuc')"]),
    (ANY, REAL, ["linalg.qr(a).Q", "linalg.qr(a)[1]", "linalg.qr(a, mode='complete').R", "t = linalg.qr(a, mode='complete'); t.Q @ t.R", "linalg.qr(a, mode='r')",
                 "t = linalg.svd(a, full_matrices=False); (t.U * t.S[..., None, :]) @ t.Vh", "t = linalg.svd(a); t.U @ t.U.mT", "t = linalg.svd(a); t.Vh @ t.Vh.mT",
                 "linalg.svd(a, compute_uv=False)"]),
    (ANY[:2], REAL, ["linalg.lstsq(a, a[:, :2])[0]", "linalg.lstsq(a, a[:, 0] * 2 + 1).x", "linalg.lstsq(a, a).rank", "linalg.lstsq(a, a)[3]", "linalg.norm(a, 2)", "linalg.norm(a, 'nuc')",
                     "linalg.matrix_rank(a, tol=3.5)", "linalg.norm(a, -2, axis=(1, 0))"]),
    (ANY[:1], REAL, ["linalg.lstsq(a, a[:, :2] ** 2)[1]", "linalg.lstsq(a, a[:, 0] ** 2)[1]"]),
    (ANY[2:3], ALL, ["linalg.norm(a, 2, axis=(2, 0))", "linalg.norm(a, 'nuc', axis=(0, 1), keepdims=True)"]),
    (TALL + TALLER, REAL, ["linalg.svdvals(a)", "t = linalg.qr(a); t.Q @ t.R", "t = linalg.qr(a); t.Q.T @ t.Q", "abs(linalg.qr(a).R)", "abs(linalg.qr(a, mode='r'))",
                           "t = linalg.svd(a, full_matrices=False); (t.U * t.S) @ t.Vh", "t = linalg.svd(a, full_matrices=False); t.U.T @ t.U", "linalg.svd(a, full_matrices=False).S"]),
    ([((4,), 0, False), ((1,), 0, False)], REAL, ["linalg.matrix_rank(a)"]),
]


def elements(shape, plus, definite, dtype):
    i = np.arange(np.prod(shape, dtype=int))
    x = ((i * 37 + 11 + i // 7 * 5) % 101) / 25 - 2
    if dtype.startswith("complex"):
        x = x + 1j * (((i * 53 + 7) % 89) / 25 - 1.5)
    if dtype.startswith("int"):
        x = np.floor(x)
    x = x.reshape(shape)
    if definite:
        x = x @ np.conj(np.swapaxes(x, -1, -2))
    if plus:
        x = x + plus * np.eye(shape[-1])
    return x.astype(dtype)


class linalg:
    """numpy.linalg with what it does not have, or has otherwise."""

    def __getattr__(self, name):
        return getattr(np.linalg, name)

    def lstsq(self, a, b):
        class Fit(tuple):
            x, rank = property(lambda s: s[0]), property(lambda s: np.int64(s[2]))

        return Fit(np.linalg.lstsq(a, b))

    def eigvals(self, a):
        return complexed(np.linalg.eigvals(a))


def complexed(w):
    return w.astype(np.result_type(w.dtype, np.complex64))


def main():
    rng = np.random.default_rng(3)
    out = []
    for operands, dtypes, texts in CASES:
        for text in texts:
            for shape, plus, definite in operands:
                for dtype in dtypes:
                    if rng.random() > (0.6 if len(operands) > 2 else 1) or len(shape) > 1 and min(shape[-2:]) == 0 and ("cond" in text or "[..., :2]" in text):
                        continue
                    if shape[-2:] == (120, 3) and "int" in dtype or max(shape) > 200 and ("@ t.R" in text or "@ t.Vh" in text):
                        continue
                    if shape == (3, 4) and "int" in dtype and "qr(" in text and "@" not in text:
                        continue  # two columns are one line: the sign is that of a rounding
                    a = elements(shape, plus, definite, dtype)
                    env = {"linalg": linalg(), "a": a, "inf": np.inf, "sort": np.sort}
                    *before, last = text.split("; ")
                    for s in before:
                        exec(s, env)
                    want = np.asarray(eval(last, env))
                    if "linalg.eig(" in text:
                        want = np.zeros_like(want)
                    case = {"expr": text, "shape": shape, "plus": plus, "definite": definite, "dtype": dtype, "to": str(want.dtype), "result": want.shape,
                            "scale": float(max(np.abs(a).max(), np.abs(want).max())) if a.size else 1.0, "real": [float(v) for v in want.real.ravel()]}
                    if want.dtype.kind == "c":
                        case["imag"] = [float(v) for v in want.imag.ravel()]
                    out.append(case)
    print("[\n" + ",\n".join(json.dumps(c) for c in out) + "\n]")


main()
