// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/arrayrun/arrayrun/chunk"
)

// npy makes a file from an expression.
func npy(t *testing.T, dir, name, expression string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if code, _, errs := arrayrun(t, "eval", expression, "-o", path); code != 0 {
		t.Fatalf("make %s: exit %d: %s", name, code, errs)
	}
	return path
}

func TestEvalText(t *testing.T) {
	for expression, want := range map[string]string{
		"1 + 2":                                "3\n",
		"arange(3) * 0.5":                      "[0.  0.5 1. ]\n",
		"arange(6).reshape(2, 3)":              "[[0 1 2]\n [3 4 5]]\n",
		"arange(10) > 7":                       "[False False False False False False False False  True  True]\n",
		"arange(10.0).mean()":                  "4.5\n",
		"ones((2, 0))":                         "[]\n",
		"a = arange(4); b = a[::-1]; b.max()":  "3\n",
		"arange(10)[arange(10) % 3 == 0]":      "[0 3 6 9]\n",
		"arange(3000).reshape(3000) + 1":       "[   1    2    3 ... 2998 2999 3000]\n",
		"ones((100000, 100000))[:, 0]":         "[1. 1. 1. ... 1. 1. 1.]\n",
		"ones((1000000, 1000000), 'int8') + 1": "[[2 2 2 ... 2 2 2]\n [2 2 2 ... 2 2 2]\n [2 2 2 ... 2 2 2]\n ...\n [2 2 2 ... 2 2 2]\n [2 2 2 ... 2 2 2]\n [2 2 2 ... 2 2 2]]\n",
	} {
		code, out, errs := arrayrun(t, "eval", expression)
		if code != 0 || out != want || errs != "" {
			t.Errorf("eval %q: exit %d, stdout %q, stderr %q, want %q", expression, code, out, errs, want)
		}
	}
}

func TestEvalInputs(t *testing.T) {
	dir := t.TempDir()
	a := npy(t, dir, "a.npy", "arange(4)")
	odd := npy(t, dir, "b=c.npy", "arange(2)")
	group := filepath.Join(dir, "g.zarr")
	if code, _, errs := arrayrun(t, "eval", "p = arange(3); q = p * 2", "-o", "p="+group, "-o", "q="+group); code != 0 {
		t.Fatal(errs)
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"x.sum()", "x=" + a}, "6\n"},
		{[]string{"data.sum()", a}, "6\n"},
		{[]string{"data.sum()", odd}, "1\n"},
		{[]string{"p + q", group}, "[0 3 6]\n"},
		{[]string{"d.p + d['q']", "d=" + group}, "[0 3 6]\n"},
		{[]string{"x * 1.5", "x=" + group + "#q"}, "[0. 3. 6.]\n"},
		{[]string{"q", group + "#q"}, "[0 2 4]\n"},
		{[]string{"x", "x=" + a, "-o", "-"}, "[0 1 2 3]\n"},
	} {
		code, out, errs := arrayrun(t, append([]string{"eval"}, c.args...)...)
		if code != 0 || out != c.want {
			t.Errorf("eval %q: exit %d, stdout %q, stderr %q, want %q", c.args, code, out, errs, c.want)
		}
	}
}

func TestEvalExitCodes(t *testing.T) {
	dir := t.TempDir()
	a := npy(t, dir, "a.npy", "arange(4000000.0).reshape(2000, 2000)")
	small := npy(t, dir, "s.npy", "arange(3)")
	b, err := os.ReadFile(a)
	if err != nil {
		t.Fatal(err)
	}
	cut := filepath.Join(dir, "cut.npy")
	if err := os.WriteFile(cut, b[:len(b)/2], 0o666); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "out.npy")
	for name, c := range map[string]struct {
		code int
		args []string
		want string // in stderr
	}{
		"no expression":  {2, nil, "expression"},
		"syntax":         {2, []string{"1 +"}, "1:"},
		"unknown name":   {2, []string{"nope + 1"}, "nope"},
		"unknown func":   {2, []string{"nope(1)"}, "nope"},
		"shapes":         {2, []string{"ones(3) + ones(4)"}, "[3] and [4]"},
		"and":            {2, []string{"1 and 2"}, "&"},
		"bad flag":       {2, []string{"1", "--nope"}, "--nope"},
		"bad chunks":     {2, []string{"ones(3)", "--chunks", "x"}, "--chunks"},
		"bad explain":    {2, []string{"1", "--explain=xml"}, "--explain"},
		"cuda":           {2, []string{"1", "--device", "cuda"}, "device"},
		"absent":         {3, []string{"x", "x=" + filepath.Join(dir, "absent.npy")}, "absent.npy"},
		"not a format":   {3, []string{"x", "x=batch_test.go"}, "batch_test.go"},
		"truncated":      {3, []string{"x.sum()", "x=" + cut}, "cut.npy"},
		"budget":         {4, []string{"x.reshape(-1).sum() + x", "x=" + a, "--memory", "64KiB", "-o", out}, "memory"},
		"output exists":  {2, []string{"ones(3)", "-o", small}, "overwrite"},
		"unknown ending": {2, []string{"ones(3)", "-o", filepath.Join(dir, "x.xyz")}, ".xyz"},
		"unnamed output": {2, []string{"a = ones(3); b = a", "-o", "c=" + out}, `"c"`},
		"no folder":      {5, []string{"ones(3)", "-o", filepath.Join(dir, "absent", "x.npy")}, "absent"},
		"two in npy":     {2, []string{"a = ones(3); b = a * 2", "-o", "a=" + out, "-o", "b=" + out}, ".npy"},
		"batch and expr": {2, []string{"1", "--batch", "x"}, "--batch"},
		"absent batch":   {3, []string{"--batch", filepath.Join(dir, "absent.jsonl")}, "absent.jsonl"},
	} {
		t.Run(name, func(t *testing.T) {
			code, stdout, errs := arrayrun(t, append([]string{"eval"}, c.args...)...)
			if code != c.code || stdout != "" || !strings.Contains(errs, c.want) || !strings.HasPrefix(errs, "arrayrun: ") {
				t.Errorf("exit %d, stdout %q, stderr %q, want exit %d and %q", code, stdout, errs, c.code, c.want)
			}
			noOutputs(t, dir, out)
		})
	}
	if got := loadArray(t, small); chunk.Slice[int64](got)[2] != 2 {
		t.Error("a refused output was touched")
	}
}

// noOutputs fails when a path exists or something partial lies in the folder.
func noOutputs(t *testing.T, dir string, paths ...string) {
	t.Helper()
	for _, p := range paths {
		if _, err := os.Stat(p); err == nil {
			t.Errorf("%s exists", p)
		}
	}
	left, _ := filepath.Glob(filepath.Join(dir, ".*arrayrun-partial*"))
	if len(left) > 0 {
		t.Errorf("partial outputs are left: %v", left)
	}
}

func TestEvalOverwrite(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"o.npy", "o.zarr", "o.nc"} {
		path := npy(t, dir, name, "arange(3.0)")
		if code, _, errs := arrayrun(t, "eval", "arange(4.0) * 2", "-o", path, "--overwrite"); code != 0 {
			t.Errorf("overwrite %s: exit %d: %s", name, code, errs)
		}
		if code, out, errs := arrayrun(t, "eval", "x", "x="+path); code != 0 || out != "[0. 2. 4. 6.]\n" {
			t.Errorf("%s after overwriting: exit %d, %q %s", name, code, out, errs)
		}
		noOutputs(t, dir)
	}
}

func TestEvalSeveralOutputs(t *testing.T) {
	dir := t.TempDir()
	a := npy(t, dir, "a.npy", "arange(12.0).reshape(3, 4)")
	lo, hi, stats := filepath.Join(dir, "lo.npy"), filepath.Join(dir, "hi.zarr"), filepath.Join(dir, "stats.json")
	code, out, errs := arrayrun(t, "eval", "lo = a.min(axis=0); hi = a.max(axis=1); a.mean()", "a="+a,
		"-o", "lo="+lo, "-o", "hi="+hi, "-o", "-", "--stats", stats, "--progress", "json")
	if code != 0 || out != "5.5\n" {
		t.Fatalf("exit %d, stdout %q, stderr %q", code, out, errs)
	}
	for path, want := range map[string]string{lo: "[0. 1. 2. 3.]\n", hi: "[ 3.  7. 11.]\n"} {
		if _, out, _ := arrayrun(t, "eval", "x", "x="+path); out != want {
			t.Errorf("%s holds %q, want %q", path, out, want)
		}
	}
	b, err := os.ReadFile(stats)
	if err != nil {
		t.Fatal(err)
	}
	var st map[string]any
	if err := json.Unmarshal(b, &st); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"wall_seconds", "peak_rss_bytes", "budget_bytes", "peak_budget_bytes", "bytes_read", "bytes_decoded", "bytes_written", "tasks", "chunks", "device", "cpu", "stages"} {
		if _, ok := st[key]; !ok {
			t.Errorf("stats lack %q: %s", key, b)
		}
	}
	if st["bytes_read"].(float64) > 12*8 {
		t.Errorf("several results read %v bytes of 96: the input was not shared", st["bytes_read"])
	}
}

func TestEvalExplain(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "o.zarr")
	args := []string{"eval", "(ones((3000, 3000)) + 1).sum(axis=0)", "-o", out}
	code, text, errs := arrayrun(t, append(args, "--explain")...)
	if code != 0 || text == "" {
		t.Errorf("exit %d, %q, %s", code, text, errs)
	}
	code, text, errs = arrayrun(t, append(args, "--explain=json")...)
	var plan struct {
		Stages []map[string]any
		Peak   int64 `json:"peak_bytes"`
		Budget int64 `json:"budget_bytes"`
	}
	if err := json.Unmarshal([]byte(text), &plan); err != nil || code != 0 || len(plan.Stages) == 0 || plan.Peak <= 0 || plan.Budget <= 0 {
		t.Fatalf("exit %d, %v: %s%s", code, err, text, errs)
	}
	for _, key := range []string{"id", "kind", "inputs", "program", "hash", "tile", "tasks", "bytes_read", "bytes_written", "task_bytes", "device", "why_cut", "why_device"} {
		if _, ok := plan.Stages[0][key]; !ok {
			t.Errorf("a stage lacks %q: %s", key, text)
		}
	}
	noOutputs(t, dir, out)
}

// TestInterrupt cancels a long run as a signal does: exit 130 soon, and nothing is left.
func TestInterrupt(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", dir)
	out := filepath.Join(dir, "o.zarr")
	ctx, cancel := context.WithCancelCause(context.Background())
	var stopped time.Time
	time.AfterFunc(200*time.Millisecond, func() { stopped = time.Now(); cancel(errInterrupted) })
	var o, e bytes.Buffer
	code := run(ctx, []string{"eval", "sin(ones((200000, 100000), chunks=(1000, 1000))).cos()", "-o", out}, strings.NewReader(""), &o, &e)
	if took := time.Since(stopped); code != exitInterrupted || took > time.Second || stopped.IsZero() {
		t.Errorf("exit %d after %v: %s", code, took, e.String())
	}
	noOutputs(t, dir, out)
}
