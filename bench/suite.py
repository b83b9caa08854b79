# SPDX-License-Identifier: BSD-3-Clause
"""Runs product and peers in turns on the same data and writes bench/results/DATE-cpu.md; bench/run starts it.

One round lets STREAM, the product and every peer run once each, in random order, so that whatever else the machine does
and caches hold meets all of them. A ratio is the median of the rounds' ratios. Answers are compared before any time counts.
"""
import argparse
import datetime
import glob
import importlib.metadata
import json
import os
import platform
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

import cases
import data

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
BIN = os.path.join(HERE, "data", "bin")
THREADS = os.environ.get("BENCH_THREADS", "2")
CLOCK = "wall"  # or "processor"
ALONE = {"numpy", "scipy", "bottleneck", "cdo"}  # peers that use one thread
GROUPS = ["elementwise", "reductions", "scans", "products", "packed", "W1", "W2", "W3", "W4", "W5", "W6", "W7", "W10",
          "W11", "W11c", "W12", "W13", "W14", "W16", "W17", "chunks", "start"]
BESIDE = {"numba"}  # loops somebody has to write out: shown, but no goal speaks of them
median = statistics.median


class Process:
    """A program that answers lines."""

    def __init__(self, *argv, **more):
        env = dict(os.environ, **more, OMP_NUM_THREADS=THREADS, OMP_WAIT_POLICY="passive", MKL_NUM_THREADS=THREADS, OPENBLAS_NUM_THREADS=THREADS,
                   NUMEXPR_MAX_THREADS=THREADS, GOMAXPROCS=THREADS, JAX_PLATFORMS="cpu", BENCH_THREADS=THREADS, NUMBA_NUM_THREADS=THREADS)
        self.p = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env)

    def ask(self, *words):
        self.p.stdin.write("\t".join(words) + "\n")
        self.p.stdin.flush()
        line = self.p.stdout.readline().rstrip("\n")
        if not line.startswith("ok"):
            raise RuntimeError(f"{self.p.args[-1]}: {' '.join(words)[:80]}: {line or 'ended'}")
        return line[3:]

    def seconds(self, *words, threads):
        """The time of a run by the clock in use."""
        return clock(*(float(x) for x in self.ask("run", *words).split()), threads)

    def stream(self, pattern):
        """GB/s of the better kind of store, by the clock in use."""
        self.p.stdin.write(pattern + "\n")
        self.p.stdin.flush()
        x = [float(x) for x in self.p.stdout.readline().split()[1:]]
        return max(x[:2] if CLOCK == "wall" else x[2:])

    def reset_peak(self):
        with open(f"/proc/{self.p.pid}/clear_refs", "w") as f:
            f.write("5")

    def peak(self):
        """MiB of the highest resident set since reset_peak."""
        with open(f"/proc/{self.p.pid}/status") as f:
            return next(int(x.split()[1]) for x in f if x.startswith("VmHWM")) / 1024

    def close(self):
        self.p.stdin.close()
        self.p.wait()


def threads(name):
    return 1 if name.split()[0] in ALONE else int(THREADS)


def clock(wall, processor, at_work):
    """Seconds by the clock in use."""
    return wall if CLOCK == "wall" else processor / at_work


def spawn(argv):
    """Runs a program: seconds on the wall and on processors, peak MiB, stdout.

    GNU time starts it: a child's peak begins with its parent's resident memory, and this process has arrays.
    """
    env = dict(os.environ, GOMAXPROCS=THREADS, BENCH_THREADS=THREADS, OMP_NUM_THREADS=THREADS)
    with tempfile.NamedTemporaryFile("r") as usage:
        start = time.perf_counter()
        p = subprocess.run(["time", "-o", usage.name, "-f", "%M %U %S", *argv], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=env)
        seconds = time.perf_counter() - start
        if p.returncode != 0:
            raise RuntimeError(f"{' '.join(argv)[:120]}: exit {p.returncode}")
        peak, user, system = map(float, usage.read().split())
    return seconds, user + system, peak / 1024, p.stdout


def off(got, want):
    """The largest difference relative to the larger of want and 1; gaps and infinities must be the same."""
    got, want = np.asarray(got, "f8").reshape(-1), np.asarray(want, "f8").reshape(-1)
    if got.shape != want.shape:
        return float("inf")
    both = np.isfinite(want)
    if not (np.isfinite(got) == both).all() or not (np.isnan(got) == np.isnan(want)).all():
        return float("inf")
    if not both.any():
        return 0.0
    return float(np.max(np.abs(got[both] - want[both]) / np.maximum(np.abs(want[both]), 1)))


def apart(c, got, want):
    """The largest difference between the results of a case."""
    if not c.signs:
        got, want = ([np.abs(x) for x in r] for r in (got, want))
    return max(off(g, w) for g, w in zip(got, want, strict=True))


def fetch(p, prefix, step):
    """The results of a process, every step-th element."""
    types = p.ask("save", prefix, str(step)).split()
    return [np.fromfile(f"{prefix}.{i}", t) for i, t in enumerate(types)]


class Report:
    def __init__(self, path):
        self.path, self.lines, self.failures = path, [], []

    def add(self, text=""):
        print(text, flush=True)
        self.lines.append(text)
        with open(self.path, "w") as f:
            f.write("\n".join(self.lines) + "\n")

    def fail(self, text):
        self.failures.append(text)
        self.add(f"FAILED: {text}")


PACKAGES = ["numpy", "numexpr", "jax", "numba", "bottleneck", "scipy", "scikit-image", "dask", "xarray", "flox", "zarr", "netCDF4"]


def head(rep, names, packages, more):
    """What the numbers of a report depend on; more are lines about this one."""

    def run(*a):
        return subprocess.run(a, capture_output=True, text=True, cwd=ROOT).stdout.strip()

    with open("/proc/cpuinfo") as f:
        model = next(x.split(":")[1].strip() for x in f if x.startswith("model name"))
    with open("/proc/meminfo") as f:
        gib = int(f.readline().split()[1]) / 2**20
    rep.add(f"# Product and peers on a CPU, {datetime.date.today()}")
    rep.add()
    rep.add(f"- machine: {model}, {os.cpu_count()} processors, {gib:.0f} GiB, Linux {platform.release()}; load before {os.getloadavg()[0]:.1f}")
    rep.add(f"- commit: {run('git', 'rev-parse', '--short', 'HEAD')}{' with changes' if run('git', 'status', '--porcelain', '-uno') else ''}, {run('go', 'version').split()[2]}")
    rep.add(f"- command: bench/run {names}; {THREADS} threads each")
    rep.add("- peers: " + ", ".join(f"{n} {importlib.metadata.version(n)}" for n in packages) + f", Python {platform.python_version()}")
    for line in more:
        rep.add("- " + line)
    rep.add()
    if CLOCK == "processor":
        rep.add("Others used the machine at the same time, so times are seconds on processors, user and system, over the threads at work: "
                f"{THREADS} of the product, of STREAM, numexpr, JAX, numba, Dask and xarray, 1 of NumPy, SciPy, Bottleneck and CDO. Idle threads cost nothing in it.\n")


def programs():
    """What is compared beside packages of Python."""
    lines = [vml()]
    for argv, text in ((["gcc", "-dumpfullversion"], "gcc {} -O3 -march=native for STREAM"), (["cdo", "--version"], "{}")):
        if shutil.which(argv[0]):
            p = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            lines.append(text.format(p.stdout.strip().split("\n")[0]))
    return lines


def vml():
    import numexpr

    return f"numexpr with {numexpr.get_vml_version().split(' for ')[0]}" if numexpr.use_vml else "numexpr without VML"


class InMemory:
    """The cases of arrays in memory."""

    def __init__(self, rep, rounds):
        self.rep, self.rounds = rep, rounds
        self.stream = Process(os.path.join(BIN, "stream"), "32")
        self.product = Process(os.path.join(BIN, "driver"))
        self.peers = {}

    def peer(self, name):
        lib = name.split()[0]
        if lib not in self.peers:
            self.peers[lib] = Process(sys.executable, os.path.join(HERE, "peers.py"), "serve", lib)
        return self.peers[lib]

    def close(self):
        for p in [self.stream, self.product, *self.peers.values()]:
            p.close()

    def group(self, name):
        todo = [c for c in cases.CASES if c.group == name]
        if not todo:
            return
        libs = list(dict.fromkeys(p for c in todo for p in c.peers))
        self.rep.add(f"\n## {name}\n")
        columns = ["case", "arrayrun ms", "best", "GB/s", "STREAM", "share", *(f"{p} ms" for p in libs), "npy to npy ms", "peak MiB", "goals"]
        self.rep.add("| " + " | ".join(columns) + " |")
        self.rep.add("|" + "---|" * len(columns))
        for c in todo:
            try:
                self.case(c, libs)
            except RuntimeError as e:
                self.rep.fail(f"{c.name}: {e}")
            for p in [self.product, *self.peers.values()]:
                p.ask("drop")

    def case(self, c, libs):
        paths = {k: data.array(k, *spec) for k, spec in c.arrays.items()}
        data.forget(paths.values())
        for k, path in paths.items():
            self.product.ask("load", k, path)
        self.product.ask("prepare", c.product)
        self.product.ask("run")
        size = max([int(np.prod(s)) for _, s in c.results] or [1])
        step = max(1, size // 500_000 | 1)
        prefix = os.path.join(data.RAM, "out")
        os.makedirs(data.RAM, exist_ok=True)
        got = fetch(self.product, prefix, step)
        live, notes, want = {}, {}, None
        for name, source in c.peers.items():
            p = self.peer(name)
            try:
                # Two forms of one library take turns in one process, which holds the arrays once.
                if name == name.split()[0]:
                    for k, path in paths.items():
                        p.ask("load", k, path)
                p.ask("prepare", c.name, name)
                p.ask("run", name)
                theirs = fetch(p, prefix, step)
            except RuntimeError as e:
                notes[name] = "cannot: " + str(e).split(": ", 2)[-1][:60].replace("|", "/")
                continue
            live[name] = p
            if want is None:
                want = theirs
                worst = apart(c, got, want)
                if not worst <= c.tol:
                    raise RuntimeError(f"the answer is off by {worst:.1e} from {name}'s, want at most {c.tol:.0e}")
            else:
                d = apart(c, theirs, want)
                if not d <= c.tol:
                    notes[name] = f"off by {d:.0e}"
        if want is None:
            raise RuntimeError(f"no peer could compute it: {notes}")
        self.measure(c, libs, paths, live, notes)

    def measure(self, c, libs, paths, live, notes):
        moved = sum(os.path.getsize(p) for p in paths.values()) + sum(np.dtype(d).itemsize * np.prod(s) for d, s in c.results)
        mine, npy, alone, stream, times, peaks = [], [], [], [], {n: [] for n in live}, {}
        out = os.path.join(data.RAM, "out.npy")
        argv = [os.path.join(BIN, "arrayrun"), "eval", "--progress", "none", "--overwrite", c.product, *(f"{k}={p}" for k, p in paths.items()), "-o", out]
        self.product.reset_peak()
        for p in live.values():
            p.reset_peak()
        def files():
            if os.path.exists(out):
                os.remove(out)  # what the run before wrote
            npy.append(clock(*spawn(argv)[:2], int(THREADS)))
            size = os.path.getsize(out)
            os.remove(out)
            alone.append(clock(*spawn([os.path.join(BIN, "files"), out, str(size), *paths.values()])[:2], int(THREADS)))

        turns = [lambda: stream.append(self.stream.stream(c.stream)), lambda: mine.append(self.product.seconds(threads=int(THREADS)))]
        turns += [lambda n=n, p=p: times[n].append(p.seconds(n, threads=threads(n))) for n, p in live.items()]
        if c.npy:
            turns.append(files)
        for _ in range(self.rounds):
            random.shuffle(turns)  # large caches remember who was before
            for turn in turns:
                turn()
        peaks = [f"{self.product.peak():.0f}"] + [f"{n} {p.peak():.0f}" for n, p in live.items() if " " not in n]
        if c.npy:
            os.remove(out)
        ratios = {n: median(t / m for t, m in zip(times[n], mine, strict=True)) for n in live}
        share = median(moved / m / s / 1e9 for m, s in zip(mine, stream, strict=True))
        goals = []
        if c.goal:
            goals.append(f"{'met' if share >= c.goal else 'MISSED'}: {c.goal:.0%} of {c.stream}")
        right = {n: r for n, r in ratios.items() if n not in notes and n not in BESIDE and (not c.rival or n == c.rival)}
        if right:
            worst = min(right, key=right.get)
            ok = right[worst] >= c.beat or c.goal and share >= c.goal and right[worst] >= 0.97
            goals.append(f"{'met' if ok else 'MISSED'}: {c.beat:g}x {c.rival or 'each'} ({worst} {right[worst]:.2f}x)")
        if npy:
            fastest = min((n for n in live if n not in notes and n not in BESIDE), key=lambda n: median(times[n]))
            r = median(t / m for t, m in zip(times[fastest], npy, strict=True))
            floor = median(t / m for t, m in zip(alone, npy, strict=True))
            goals.append(f"{'met' if r >= 1 else 'MISSED'}: file to file 1x {fastest}'s computing ({r:.2f}x; {floor:.2f}x of the files alone)")
        cells = [c.name, f"{median(mine) * 1e3:.1f}", f"{min(mine) * 1e3:.1f}", f"{moved / median(mine) / 1e9:.1f}", f"{median(stream):.1f}", f"{share:.0%}"]
        for n in libs:
            cell = f"{median(times[n]) * 1e3:.1f} ({ratios[n]:.2f}x)" if n in live else ""
            cells.append(" ".join(filter(None, [cell, notes.get(n, "")])))
        cells += [f"{median(npy) * 1e3:.0f}, files alone {median(alone) * 1e3:.0f}" if npy else "", ", ".join(peaks), "; ".join(goals)]
        self.rep.add("| " + " | ".join(cells) + " |")

    def chunks(self):
        """The cost of a chunk: the same elements in a million chunks and in a thousand."""
        rep = self.rep
        many, few = ("(ones((32000, 32000), chunks=(%d, %d)) + 1).sum()" % c for c in ((32, 32), (1000, 1000)))
        self.product.ask("drop")
        a, b = [], []
        for _ in range(self.rounds):
            for text, times in ((many, a), (few, b)):
                self.product.ask("prepare", text)
                times.append(self.product.seconds(threads=int(THREADS)))
        each = median(x - y for x, y in zip(a, b, strict=True)) / 1e6 * 1e6  # of a million chunks, in microseconds
        prefix = os.path.join(HERE, "data", "chunks")
        rep.add("\n## chunks\n")
        rep.add("| case | arrayrun s | best | a chunk more, µs | dask, 97,969 chunks | dask, a chunk, µs | goals |\n|---|---|---|---|---|---|---|")
        *_, out = spawn([sys.executable, os.path.join(HERE, "peers.py"), "once", "chunks", "dask", prefix])
        dask = clock(*json.loads(out), int(THREADS))
        rep.add(f"| (ones((32000, 32000), chunks=(32, 32)) + 1).sum(), 10⁶ chunks of 1024 | {median(a):.3f} | {min(a):.3f} | {each:.2f} | "
                f"{dask:.1f} s | {dask / 97969 * 1e6:.0f} | {'met' if each <= 1 else 'MISSED'}: 1 µs a chunk |")


def program(rep, w):
    """A whole program over files: the product's time is of the process, a peer's without its imports."""
    getattr(data, w.data)()
    folder = data.DISK
    ours = [os.path.join(BIN, "arrayrun")] + [x.format(d=folder, o=os.path.join(folder, "ours-")) for x in w.argv]
    theirs = {}
    for p in w.peers:
        prefix = os.path.join(folder, f"{p}-")
        if p != "cdo":
            theirs[p] = [sys.executable, os.path.join(HERE, "peers.py"), "once", w.name, p, prefix]
        elif shutil.which("cdo"):
            theirs[p] = ["cdo", *(f for x in w.cdo for f in files(x.format(d=folder, o=prefix)))]
    mine, times, peaks, answer = [], {p: [] for p in theirs}, {}, None
    for i in range(w.rounds + 1):
        remove(os.path.join(folder, "ours-"), w.outputs)
        wall, processor, peak, out = spawn(ours)
        if i:
            mine.append(clock(wall, processor, int(THREADS)))
        peaks["arrayrun"] = max(peak, peaks.get("arrayrun", 0))
        answer = answer or out
        for p, argv in theirs.items():
            # The first round warms the page cache and is not counted.
            remove(os.path.join(folder, f"{p}-"), w.outputs)
            wall, processor, peak, out = spawn(argv)
            if p != "cdo":
                wall, processor = json.loads(out)
            if i:
                times[p].append(clock(wall, processor, threads(p)))
            peaks[p] = max(peak, peaks.get(p, 0))
    worst = compare(w, folder, list(theirs), answer)
    for p in ("ours", *theirs):
        remove(os.path.join(folder, f"{p}-"), w.outputs)
    if not worst <= w.tol:
        raise RuntimeError(f"the answers are {worst:.1e} apart, want at most {w.tol:.0e}")
    ratios = {p: median(t / m for t, m in zip(times[p], mine, strict=True)) for p in theirs}
    fastest = min(ratios, key=ratios.get)
    goals = [f"{'met' if ratios[fastest] >= w.beat else 'MISSED'}: {w.beat:g}x {fastest} ({ratios[fastest]:.2f}x)"]
    if w.cap:
        goals.append(f"{'met' if peaks['arrayrun'] <= w.cap else 'MISSED'}: {w.cap} MiB")
    them = ", ".join(f"{p} {median(times[p]):.2f} s ({ratios[p]:.2f}x), {peaks[p]:.0f} MiB" for p in theirs)
    rep.add(f"| {w.name}: {w.title} | {median(mine):.2f} | {min(mine):.2f} | {peaks['arrayrun']:.0f} | {them} | {worst:.0e} | {'; '.join(goals)} |")
    rep.commands.append(f"    arrayrun {' '.join(repr(x) if ' ' in x else x for x in w.argv)}".format(d="bench/data", o="bench/data/ours-"))


def files(word):
    """The files of a pattern, in order, or the word."""
    return sorted(glob.glob(word)) if "*" in word else [word]


def compare(w, folder, names, printed):
    """The largest difference between the product's outputs and any peer's."""
    if w.var:
        return max(fields(f"{folder}/ours-{f}", f"{folder}/{p}-{f}", w.var, w.parts) for p in names for f in w.outputs)
    if not w.outputs:
        return max(off(float(printed), np.load(f"{folder}/{p}-0.npy")) for p in names)
    return max(off(result(f"{folder}/ours-{f}"), np.load(f"{folder}/{p}-{i}.npy")) for p in names for i, f in enumerate(w.outputs))


def result(path):
    """The numbers of an array or of a table."""
    if path.endswith(".csv"):
        return np.loadtxt(path, delimiter=",", skiprows=1)
    return np.load(path)


def opened(path, name):
    """A variable of a file."""
    import netCDF4
    import zarr

    return zarr.open_array(f"{path}/{name}", mode="r") if path.endswith(".zarr") else netCDF4.Dataset(path)[name]


def fields(a, b, name, parts):
    """The largest difference between a variable of two files, in its units, at some parts."""
    worst = 0.0
    x, y = opened(a, name), opened(b, name)
    for i in parts:
        p, q = (np.ma.filled(np.ma.masked_invalid(v[i]).astype("f8"), np.nan).squeeze() for v in (x, y))
        if p.shape != q.shape or not (np.isnan(p) == np.isnan(q)).all():
            return float("inf")
        worst = max(worst, float(np.nanmax(np.abs(p - q))))
    return worst


def remove(prefix, outputs):
    """Removes what a run before wrote."""
    for f in outputs:
        path = prefix + f
        if os.path.isdir(path):
            shutil.rmtree(path)
        elif os.path.exists(path):
            os.remove(path)


def start(rep):
    times = sorted(spawn([os.path.join(BIN, "arrayrun"), "version"])[0] for _ in range(21))
    rep.add(f"\n## start\n\n`arrayrun version`, 21 times: median {times[10] * 1e3:.1f} ms, longest {times[-1] * 1e3:.1f} ms")


def main():
    p = argparse.ArgumentParser(prog="bench/run", description=__doc__.split("\n")[0])
    p.add_argument("names", nargs="*", default=["all"], help=f"any of {' '.join(GROUPS)}; all")
    p.add_argument("--rounds", type=int, default=7, help="rounds of the cases in memory")
    p.add_argument("--clock", choices=["wall", "processor"], default="wall", help="processor: time on processors over the threads used, for a machine that others use as well")
    p.add_argument("-o", default=os.path.join(HERE, "results", f"{datetime.date.today()}-cpu.md"), help="where the report goes")
    a = p.parse_args()
    global CLOCK
    CLOCK = a.clock
    names = GROUPS if a.names == ["all"] else a.names
    if bad := [n for n in names if n not in GROUPS]:
        p.error(f"unknown {' '.join(bad)}; want {' '.join(GROUPS)} or all")
    rep = Report(a.o)
    rep.commands = []
    head(rep, " ".join(x for x in sys.argv[1:] if x not in ("-o", a.o)) or "all", PACKAGES, programs())
    rep.add("Times are medians over rounds in which everyone runs once in random order; (1.40x) is how many times longer a peer takes, as the median of the "
            "rounds' ratios. GB/s count what must be read and written once. STREAM is the better of ordinary and bypassing stores in the same round. Peak is "
            "the resident set of the process that holds inputs and results, in MiB. An answer that is off says by how much, relative to NumPy's. "
            "Files alone is a program that reads the same files, writes one of the same size and computes nothing.")
    memory = InMemory(rep, a.rounds)
    for n in names:
        memory.group(n)
    if "chunks" in names:
        memory.chunks()
    memory.close()
    data.forget([])
    todo = [w for w in cases.PROGRAMS if w.name in names]
    if todo:
        rep.add("\n## Files larger than the cap\n\nThe product's seconds are of the whole process, a peer's without its imports (of the process for CDO). Page cache warm.\n")
        rep.add("| workload | arrayrun s | best | peak MiB | peers | apart | goals |\n|---|---|---|---|---|---|---|")
    for w in todo:
        try:
            program(rep, w)
        except RuntimeError as e:
            rep.fail(f"{w.name}: {e}")
    for c in rep.commands:
        rep.add(("\n" if c is rep.commands[0] else "") + c)
    if "start" in names:
        start(rep)
    print(f"written to {os.path.relpath(a.o)}", file=sys.stderr)
    return 1 if rep.failures else 0


if __name__ == "__main__":
    sys.exit(main())
