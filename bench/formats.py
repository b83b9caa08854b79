# SPDX-License-Identifier: BSD-3-Clause
"""Lets product and peers read and write the same files in random turns and writes bench/results/DATE-formats.md; bench/run formats starts it.

A round lets everyone run once, in random order; a ratio is the median of the rounds' ratios. Answers are compared before any
time counts. The product appears twice: with the C libraries that were found, and with codecs in Go alone.
"""
import argparse
import datetime
import json
import os
import random
import shutil
import sys

import numpy as np

import data
import formats_cases as cases
import suite
from suite import BIN, HERE, THREADS, Process, Report, clock, median, spawn

PRODUCT = {"arrayrun": {}, "Go alone": {"ARRAYRUN_CODECS": "go"}}
PACKAGES = ["zarr", "zarrs", "tensorstore", "numcodecs", "h5py", "netCDF4", "xarray", "numpy"]
BESIDE = {"zarr"}  # shown, no goal speaks of it
OUT = os.path.join(data.DISK, "formats-out")


class Turns:
    """Everyone who may run: processes that live until the end."""

    def __init__(self, rep, rounds):
        self.rep, self.rounds, self.random = rep, rounds, random.Random(1)
        self.product = {n: Process(os.path.join(BIN, "driver"), **env) for n, env in PRODUCT.items()}
        self.peers = {}

    def peer(self, name):
        p = self.peers.get(name)
        if p is None or p.p.poll() is not None:
            p = self.peers[name] = Process(sys.executable, os.path.join(HERE, "formats_peers.py"), name)
        return p

    def close(self):
        for p in [*self.product.values(), *self.peers.values()]:
            p.close()

    def rotate(self, runs):
        """Seconds of each of runs, a list for each name: every round in another order."""
        times = {n: [] for n in runs}
        for _ in range(self.rounds):
            order = list(runs)
            self.random.shuffle(order)
            for n in order:
                times[n].append(runs[n]())
        return times

    def read(self, c):
        path = cases.made(c.array, c.make)
        runs, notes = {}, {}
        want = np.load(cases.values(c.array), mmap_mode="r")
        if c.part:
            want = want[eval(f"np.s_{c.part}")]
        step = max(1, want.size // 300_000 | 1)
        want = want.reshape(-1)[::step]
        prefix = os.path.join(data.RAM, "formats-got")

        def same(p, who):
            types = p.ask("save", prefix, str(step)).split()
            got = np.fromfile(prefix + ".0", types[0])
            if not np.array_equal(got, want):
                raise RuntimeError(f"{who} reads other values")

        for n, p in self.product.items():
            p.ask("open", "v", path)
            p.ask("prepare", "v" + c.part)
            p.ask("run")
            same(p, n)
            runs[n] = lambda p=p: p.seconds(threads=int(THREADS))
        for n in c.peers:
            p = self.peer(n)
            try:
                p.ask("open", path)
                p.ask("prepare", c.part)
                p.ask("run")
                same(p, n)
            except RuntimeError as e:
                notes[n] = "cannot: " + str(e).split(": ", 2)[-1][:60].replace("|", "/")
                continue
            at_work = 1 if c.make["version"] == "nc" else int(THREADS)  # the HDF5 library has one lock
            runs[n] = lambda p=p, w=at_work: clock(*map(float, p.ask("run").split()), w)
        times = self.rotate(runs)
        goals = []
        for n, least in (("arrayrun", c.beat), ("Go alone", c.alone or c.beat)):
            ratios = {p: median(t / m for t, m in zip(times[p], times[n], strict=True)) for p in c.peers if p in times and p not in BESIDE}
            worst = min(ratios, key=ratios.get)
            goals.append(f"{'met' if ratios[worst] >= least else 'MISSED'}: {n} {least:g}x ({worst} {ratios[worst]:.2f}x)")
        self.row(c.name, f"{os.path.getsize(path) / 2**20:.0f}" if os.path.isfile(path) else f"{size(path) / 2**20:.0f}", times, c.peers, notes, goals)
        for p in self.product.values():
            p.ask("drop")

    def write(self, c):
        chunks = cases.CHUNKS[c.array]
        npy, sizes, runs, notes = cases.values(c.array), {}, {}, {}
        os.makedirs(OUT, exist_ok=True)
        want = np.load(npy, mmap_mode="r")
        step = want.size // 300_000 | 1
        for n, env in PRODUCT.items():
            out = os.path.join(OUT, n.replace(" ", "-") + "." + c.ending)
            argv = [os.path.join(BIN, "arrayrun"), "convert", "--progress", "none", "--overwrite", "--codecs", env.get("ARRAYRUN_CODECS", "auto"),
                    *c.product, "--chunks", ",".join(map(str, chunks)), npy, out]

            def run(argv=argv, out=out):
                shutil.rmtree(out, ignore_errors=True)  # as the peers' is, before the clock
                return clock(*spawn(argv)[:2], int(THREADS))

            run()
            p = self.peer("h5py" if c.ending == "nc" else "tensorstore")
            p.ask("open", out + "/data" if os.path.isdir(out + "/data") else out)
            p.ask("prepare", "")
            p.ask("run")
            prefix = os.path.join(data.RAM, "formats-got")
            got = np.fromfile(prefix + ".0", p.ask("save", prefix, str(step)))
            if not np.array_equal(got, want.reshape(-1)[::step]):
                raise RuntimeError(f"{out} holds other values")
            sizes[n], runs[n] = size(out), run
        for n, make in c.peers.items():
            p, out = self.peer(n), os.path.join(OUT, n + "." + c.ending)
            words = json.dumps({**make, "chunks": chunks})

            def run(p=p, out=out, words=words):
                if os.path.isdir(out):
                    shutil.rmtree(out)
                return clock(*map(float, p.ask("write", npy, out, words).split()), 1 if c.ending == "nc" else int(THREADS))

            try:
                run()
            except RuntimeError as e:
                notes[n] = "cannot: " + str(e).split(": ", 2)[-1][:60].replace("|", "/")
                continue
            sizes[n], runs[n] = size(out), run
        times = self.rotate(runs)
        goals = []
        smallest = min(s for n, s in sizes.items() if n not in PRODUCT)
        for n, least in (("arrayrun", c.parity), ("Go alone", c.beat)):
            ratios = {p: median(t / m for t, m in zip(times[p], times[n], strict=True)) for p in times if p not in PRODUCT and p not in BESIDE}
            worst = min(ratios, key=ratios.get)
            goals.append(f"{'met' if ratios[worst] >= least else 'MISSED'}: {n} {least:g}x ({worst} {ratios[worst]:.2f}x)")
            goals.append(f"{'met' if sizes[n] <= c.size * smallest else 'MISSED'}: {n} {c.size:g} of their size ({sizes[n] / smallest:.3f})")
        self.row(c.name, ", ".join(f"{n} {s / 2**20:.1f}" for n, s in sizes.items()), times, list(c.peers), notes, goals)
        shutil.rmtree(OUT)

    def row(self, name, mib, times, peers, notes, goals):
        mine = times["arrayrun"]
        cells = [name, mib, *(f"{median(times[n]) * 1e3:.1f}" for n in PRODUCT)]
        them = []
        for n in peers:
            if n in times:
                them.append(f"{n} {median(times[n]) * 1e3:.1f} ({median(t / m for t, m in zip(times[n], mine, strict=True)):.2f}x)")
            else:
                them.append(f"{n} {notes[n]}")
        self.rep.add("| " + " | ".join([*cells, ", ".join(them), "; ".join(goals)]) + " |")

    def small(self):
        path = cases.small()
        want = float((np.arange(1024, dtype="f8").sum() + 1024 * (np.arange(cases.SMALL) % 7)).sum())
        argv = [os.path.join(BIN, "arrayrun"), "eval", "--progress", "none", "x.sum()", f"x={path}"]
        mine, wall, theirs = [], [], {n: [] for n in ("tensorstore", "zarrs")}
        for i in range(self.rounds + 1):
            w, c, _, out = spawn(argv)
            if suite.off(float(out), want) > 1e-6:
                raise RuntimeError(f"x.sum() is {out}, want {want}")
            if i:  # the first warms the page cache
                mine.append(clock(w, c, int(THREADS)))
                wall.append(w)
            if i in (1, 2, 3):
                for n, times in theirs.items():
                    p = self.peer(n)
                    p.ask("open", path)
                    p.ask("prepare", "")
                    times.append(clock(*map(float, p.ask("run").split()), int(THREADS)))
        them = ", ".join(f"{n} {median(t):.2f} s ({median(t) / median(mine):.1f}x)" for n, t in theirs.items())
        self.rep.add(f"| x.sum() of 100,000 chunks of 4 KiB | {median(mine):.2f} | {min(wall):.2f} | {them} | {'met' if median(mine) < 1 else 'MISSED'}: 1 s |")


def size(path):
    if os.path.isfile(path):
        return os.path.getsize(path)
    return sum(os.path.getsize(os.path.join(d, f)) for d, _, files in os.walk(path) for f in files)


def main():
    p = argparse.ArgumentParser(prog="bench/run formats", description=__doc__.split("\n")[0])
    p.add_argument("names", nargs="*", default=["read", "write", "small"], help="any of read, write, small; or words that names of cases contain")
    p.add_argument("--rounds", type=int, default=7)
    p.add_argument("--clock", choices=["wall", "processor"], default="wall", help="processor: time on processors over the threads used, for a machine that others use as well")
    p.add_argument("-o", default=os.path.join(HERE, "results", f"{datetime.date.today()}-formats.md"), help="where the report goes")
    a = p.parse_args()
    suite.CLOCK = a.clock
    rep = Report(a.o)

    def wanted(kind, name=""):
        return any(n == kind or n in name for n in a.names if n)

    doctor = spawn([os.path.join(BIN, "arrayrun"), "doctor"])[3].splitlines()
    libraries = ["arrayrun doctor: " + " ".join(x.split()) for x in doctor if " libdeflate " in x or " libzstd " in x]
    suite.head(rep, "formats " + " ".join(x for x in sys.argv[1:] if x not in ("-o", a.o)), PACKAGES, libraries)
    rep.add(f"Times are medians of {a.rounds} rounds in which everyone runs once in random order; (1.40x) is how many times longer a peer takes. Whole arrays go to "
            "memory that is there before, but netCDF4's and xarray's, which allocate their results. zarr is zarr-python; no goal speaks of it. "
            f"i2 is noisy packed int16, q float32 in steps of 1/16, noise float32 with noise in all its bits, {cases.MIB} MiB each; page cache warm.")
    t = Turns(rep, a.rounds)
    head = "| case | MiB stored | arrayrun ms | Go alone ms | peers ms | goals |\n|---|---|---|---|---|---|"
    for kind, table, f in (("read", cases.READS, t.read), ("write", cases.WRITES, t.write)):
        todo = [c for c in table if wanted(kind, c.name)]
        if todo:
            rep.add(f"\n## {kind}\n")
            if kind == "write":
                rep.add("The product's time is of the whole process `arrayrun convert`, which reads a .npy file; a peer's is of writing an array it has.\n")
            rep.add(head)
        for c in todo:
            try:
                f(c)
            except RuntimeError as e:
                rep.fail(f"{c.name}: {e}")
    if wanted("small"):
        rep.add("\n## small chunks\n\nThe product's time is of the whole process; a peer's of reading alone, in memory that is there before. zarr-python takes more than a minute.\n")
        rep.add("| case | arrayrun s | best on the wall | peers | goal |\n|---|---|---|---|---|")
        t.small()
    t.close()
    print(f"written to {os.path.relpath(a.o)}", file=sys.stderr)
    return 1 if rep.failures else 0


if __name__ == "__main__":
    sys.exit(main())
