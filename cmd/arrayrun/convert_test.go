// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/arrayrun/arrayrun/formats/store"
)

// made is a data set that netCDF4-python wrote: packing, an unlimited dimension, groups, texts, attributes of many types.
// What netCDF4-python reads of it is in made.json; peers.py made both.
var made = filepath.Join("testdata", "verbs", "made.nc")

// ok runs a command line that must succeed and returns its output.
func ok(t *testing.T, args ...string) string {
	t.Helper()
	code, out, errs := arrayrun(t, args...)
	if code != 0 {
		t.Fatalf("%v: exit %d, %s%s", args, code, out, errs)
	}
	return out
}

// peers runs peers.py.
func peers(t *testing.T, args ...string) string {
	t.Helper()
	return runPython(t, "peers.py", args...)
}

// runPython runs a script of the verbs' tests, or skips where there is no Python that has what it needs. With ARRAYRUN_REQUIRE=all that is a failure.
func runPython(t *testing.T, script string, args ...string) string {
	t.Helper()
	python := os.Getenv("ARRAYRUN_PYTHON")
	if python == "" {
		python = filepath.Join("..", "..", "bench", ".venv", "bin", "python")
	}
	out, err := exec.Command(python, append([]string{filepath.Join("testdata", "verbs", script)}, args...)...).CombinedOutput()
	text := string(out)
	if err != nil && (strings.Contains(text, "ModuleNotFoundError") || len(out) == 0) {
		if os.Getenv("ARRAYRUN_REQUIRE") == "all" {
			t.Fatalf("%s: %v %s; set ARRAYRUN_PYTHON to a Python with netCDF4, xarray, zarr and fsspec", script, err, text)
		}
		t.Skipf("%s: %v; no Python with netCDF4, xarray, zarr and fsspec at %s", script, err, python)
	}
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", script, args, err, text)
	}
	return text
}

// madeDoc is a group of made.json.
type madeDoc struct {
	Dims map[string][2]any
	Vars map[string]struct {
		Dims  []string
		Shape []int64
		MD5   string
		Attrs map[string]any
	}
	Attrs  map[string]any
	Groups map[string]madeDoc
}

// checkMade compares what info says of a file with what netCDF4-python read of made.nc.
func checkMade(t *testing.T, path string, want madeDoc, got infoDoc, unlimited bool) {
	t.Helper()
	for n, d := range want.Dims {
		if g, ok := got.Dims[n]; !ok || float64(g.Size) != d[0] || g.Unlimited != (d[1] == true && unlimited) {
			t.Errorf("%s: dimension %s: %+v, want %v", path, n, g, d)
		}
	}
	for n, w := range want.Vars {
		g, ok := got.Variables[n]
		switch {
		case !ok || g.Error != nil || g.Checksum == nil:
			t.Errorf("%s: variable %s: %+v", path, n, g)
		case *g.Checksum != w.MD5 || !reflect.DeepEqual(g.Shape, w.Shape) || len(w.Dims) > 0 && !reflect.DeepEqual(g.Dims, w.Dims):
			t.Errorf("%s: variable %s: %s %v %v, want %s %v %v", path, n, *g.Checksum, g.Shape, g.Dims, w.MD5, w.Shape, w.Dims)
		}
		for a := range w.Attrs {
			if _, ok := g.Attrs[a]; !ok && a != "_FillValue" { // Zarr 2 has it as the fill value
				t.Errorf("%s: variable %s: attribute %s is missing", path, n, a)
			}
		}
	}
	for n, w := range want.Groups {
		g, ok := got.Groups[n]
		if !ok || len(g.Attrs) != len(w.Attrs) {
			t.Errorf("%s: group %s: %v", path, n, g.Attrs)
		}
		checkMade(t, path+"/"+n, w, g, unlimited)
	}
}

// TestConvertRoundTrips: NetCDF-4 to Zarr of both versions and back, values, types, dimensions, attributes, groups as they were.
func TestConvertRoundTrips(t *testing.T) {
	b, err := os.ReadFile(strings.TrimSuffix(made, ".nc") + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var want madeDoc
	if err := json.Unmarshal(b, &want); err != nil {
		t.Fatal(err)
	}
	first, _ := infoJSON(t, "--checksums", made)
	checkMade(t, made, want, first, true)
	for _, c := range [][]string{
		{"--memory", "32MiB"}, {"--zarr-version", "2"}, {"--codec", "blosc-lz4"}, {"--codec", "none", "--chunks", "time=3,lat=2"},
		{"--codec", "zlib:1", "--format", "zarr2"}, {"--chunks", "time=2,lat=2,lon=3", "--shards", "time=4,lat=-1,lon=6"},
	} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			dir := t.TempDir()
			z, back := filepath.Join(dir, "z.zarr"), filepath.Join(dir, "back.nc")
			ok(t, append([]string{"convert", made, z}, c...)...)
			got, _ := infoJSON(t, "--checksums", z)
			checkMade(t, z, want, got, true)
			ok(t, "convert", z, back)
			got, _ = infoJSON(t, "--checksums", back)
			checkMade(t, back, want, got, true)
			for n, v := range first.Variables {
				if g := got.Variables[n]; !reflect.DeepEqual(v.Attrs, g.Attrs) || !reflect.DeepEqual(v.DType, g.DType) || !reflect.DeepEqual(v.FillValue, g.FillValue) {
					t.Errorf("%s came back as %+v, was %+v", n, g, v)
				}
			}
			if text := ok(t, "diff", "--attrs", made, back); text != "" {
				t.Errorf("diff: %s", text)
			}
			if c[0] != "--memory" && c[0] != "--zarr-version" {
				return // one of each version for the slow peers
			}
			if text := peers(t, "describe", back); text != string(b) {
				t.Errorf("netCDF4-python reads %s, want %s", text, b)
			}
			peers(t, "same", made, z)
		})
	}
}

// TestConvertChunks: chunks and shards are those asked for, others stay.
func TestConvertChunks(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		args   []string
		chunks string
		shards string
	}{
		{nil, "[4,4,5]", "null"}, {[]string{"--chunks", "time=-1"}, "[10,4,5]", "null"}, {[]string{"--chunks", "2,3,9"}, "[2,3,9]", "null"},
		{[]string{"--chunks", "lon=100"}, "[4,4,9]", "null"}, {[]string{"--shards", "time=8"}, "[4,4,5]", "[8,4,5]"},
	} {
		out := filepath.Join(dir, "o.zarr")
		ok(t, append([]string{"convert", made, out, "--overwrite"}, c.args...)...)
		var doc struct {
			Variables map[string]struct{ Chunks, Shards json.RawMessage }
		}
		if err := json.Unmarshal([]byte(ok(t, "info", "--json", out)), &doc); err != nil {
			t.Fatal(err)
		}
		if v := doc.Variables["air"]; string(v.Chunks) != c.chunks || string(v.Shards) != c.shards {
			t.Errorf("%v: chunks %s, shards %s, want %s, %s", c.args, v.Chunks, v.Shards, c.chunks, c.shards)
		}
	}
}

// TestConvertAnywhere: any to any, where the target can hold it; what it cannot hold is named and nothing is left.
func TestConvertAnywhere(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		out  string
		args []string
		code int
		want string // in stderr
	}{
		{"a.nc", []string{"--format", "netcdf3", "--var", "air", "--lossy"}, 0, `"names" of the file becomes a text in JSON`},
		{"c.nc", []string{"--format", "netcdf3"}, exitUsage, `"word"`},
		{"d.nc", []string{"--format", "netcdf3", "--lossy"}, 0, `group "fc" is left out`},
		{"e.npy", nil, exitUsage, "--var"},
		{"f.npy", []string{"--var", "air"}, 0, "values only"},
		{"g.npz", []string{"--var", "air", "--var", "time"}, 0, "values only"},
		{"h.npz", nil, exitUsage, `"word"`},
		{"i.npz", []string{"--lossy"}, 0, `variable "word" is left out`},
		{"j.csv", []string{"--var", "count"}, 0, "values only"},
		{"k.zarr", []string{"--var", "fc/members"}, 0, ""},
		{"l.zarr", []string{"--var", "nothing"}, exitInput, `"nothing"`},
		{"m.zarr", []string{"--codec", "snappy"}, exitUsage, "snappy"},
		{"n.zarr", []string{"--chunks", "depth=3"}, exitUsage, "depth"},
		{"o.zarr", []string{"--chunks", "1,2,3,4"}, exitUsage, "4 axes"},
		{"p.zarr", []string{"--zarr-version", "2", "--shards", "time=4"}, exitUsage, "version 2"},
		{"p.nc", []string{"--shards", "time=4"}, exitUsage, "only Zarr 3"},
		{"q.zarr", []string{"--zarr-version", "4"}, exitUsage, "--zarr-version"},
		{"r.xyz", nil, exitUsage, ".xyz"},
		{"s", []string{"--format", "grib"}, exitUsage, "grib"},
		{"t.zarr", []string{"--memory", "1KiB"}, exitBudget, "budget"},
		{"u", []string{"--format", "zarr2"}, 0, ""},
	} {
		out := filepath.Join(dir, c.out)
		code, stdout, errs := arrayrun(t, append([]string{"convert", made, out}, c.args...)...)
		if code != c.code || stdout != "" || !strings.Contains(errs, c.want) || c.want == "" && errs != "" {
			t.Errorf("%s %v: exit %d, stdout %q, stderr %q, want exit %d and %q", c.out, c.args, code, stdout, errs, c.code, c.want)
		}
		if code != 0 {
			noOutputs(t, dir, out)
		} else if code, _, errs := arrayrun(t, "info", out); code != 0 && filepath.Ext(out) != ".csv" {
			t.Errorf("info %s: %s", c.out, errs)
		}
		if c.code == 0 {
			if code, _, _ := arrayrun(t, append([]string{"convert", made, out}, c.args...)...); code != exitUsage {
				t.Errorf("%s exists: exit %d, want 2", c.out, code)
			}
			os.RemoveAll(out)
		}
	}
	for _, in := range []string{"absent.nc", filepath.Join("testdata", "print.py")} {
		if code, _, _ := arrayrun(t, "convert", in, filepath.Join(dir, "x.zarr")); code != exitInput {
			t.Errorf("convert %s: exit %d, want 3", in, code)
		}
	}
	z := filepath.Join(dir, "z.zarr")
	ok(t, "convert", made, z)
	for _, out := range []string{z, z + "/inner.zarr", dir} {
		if code, _, errs := arrayrun(t, "convert", z, out, "--format", "zarr3", "--overwrite"); code != exitUsage || !strings.Contains(errs, "input") {
			t.Errorf("onto its own input at %s: exit %d, %s", out, code, errs)
		}
	}
	if _, code := infoJSON(t, "--checksums", z); code != 0 {
		t.Error("the input did not survive")
	}
}

// TestConvertKeepsNumbers: what a NumPy file or a classic one holds is what the data set had.
func TestConvertKeepsNumbers(t *testing.T) {
	dir := t.TempDir()
	want, _ := infoJSON(t, "--checksums", made)
	npz, old := filepath.Join(dir, "a.npz"), filepath.Join(dir, "old.nc")
	ok(t, "convert", made, npz, "--var", "air,count,mask,code")
	ok(t, "convert", made, old, "--var", "air,count,mask,code,rain", "--format", "netcdf3-64bit-data", "--lossy")
	for _, path := range []string{npz, old} {
		got, code := infoJSON(t, "--checksums", path)
		if code != 0 || len(got.Variables) < 4 {
			t.Fatalf("%s: exit %d, %d variables", path, code, len(got.Variables))
		}
		for n, v := range got.Variables {
			if *v.Checksum != *want.Variables[n].Checksum || !reflect.DeepEqual(v.DType, want.Variables[n].DType) {
				t.Errorf("%s: %s is %v %s, want %v %s", path, n, v.DType, *v.Checksum, want.Variables[n].DType, *want.Variables[n].Checksum)
			}
		}
	}
	back := filepath.Join(dir, "back.zarr")
	ok(t, "convert", old, back)
	if text := ok(t, "diff", "--attrs", old, back); text != "" {
		t.Error(text)
	}
}

// TestConvertGroup: a group is a file of its own, with the dimensions it has from above.
func TestConvertGroup(t *testing.T) {
	out := filepath.Join(t.TempDir(), "fc.nc")
	ok(t, "convert", made+"#fc", out)
	got, code := infoJSON(t, "--checksums", out)
	want, _ := infoJSON(t, "--checksums", made)
	if v := got.Variables["t2m"]; code != 0 || *v.Checksum != *want.Groups["fc"].Variables["t2m"].Checksum || got.Dims["lat"].Size != 7 || !got.Dims["run"].Unlimited {
		t.Errorf("exit %d, %+v", code, got)
	}
}

// TestRechunkBudget: chunks across all of the input, in tiles that the budget holds.
func TestRechunkBudget(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a.zarr"), filepath.Join(dir, "b.nc")
	ok(t, "eval", "arange(1500000, dtype='float32').reshape(300, 50, 100)", "-o", a, "--chunks", "10,50,100")
	stats := filepath.Join(dir, "stats.json")
	ok(t, "rechunk", a, b, "--chunks", "-1,7,9", "--memory", "4MiB", "--stats", stats, "--codec", "zlib:1")
	text, err := os.ReadFile(stats)
	if err != nil {
		t.Fatal(err)
	}
	var st struct {
		Peak    int64 `json:"peak_budget_bytes"`
		Decoded int64 `json:"bytes_decoded"`
	}
	if err := json.Unmarshal(text, &st); err != nil || st.Peak > 4<<20 || st.Peak == 0 || st.Decoded < 6000000 {
		t.Errorf("statistics %s, %v", text, err)
	}
	if text := ok(t, "diff", a, b); text != "" {
		t.Error(text)
	}
	doc, _ := infoJSON(t, b)
	if c := fmt.Sprint(doc.Variables["result"].Chunks); c != "[300 7 9]" {
		t.Errorf("chunks %s", c)
	}
	plan := ok(t, "rechunk", a, filepath.Join(dir, "c.nc"), "--chunks", "-1,7,9", "--memory", "4MiB", "--codec", "zlib:1", "--explain")
	if !strings.Contains(plan, "tiles") || store.Exists(filepath.Join(dir, "c.nc")) {
		t.Errorf("--explain: %s", plan)
	}
	if code, _, _ := arrayrun(t, "rechunk", a, filepath.Join(dir, "c.zarr")); code != exitUsage {
		t.Errorf("without --chunks: exit %d, want 2", code)
	}
}

// TestConvertSignal: an interrupted copy leaves nothing.
func TestConvertSignal(t *testing.T) {
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in.npy"), filepath.Join(dir, "out.nc")
	ok(t, "eval", "sin(arange(40000000, dtype='float32')).reshape(400, 100000)", "-o", in)
	c, stdout, errs := command(t, "convert", in, out, "--codec", "zlib:9", "--memory", "64MiB")
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(time.Minute); !store.Exists(store.Partial(out)) && !store.Exists(out) && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond)
	}
	if err := c.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if code := exitStatus(t, c.Wait()); code == 0 {
		t.Skip("done before the signal came: a fast machine")
	} else if code != exitInterrupted || stdout.Len() > 0 {
		t.Errorf("exit %d, stdout %q, stderr %q", code, stdout, errs)
	}
	noOutputs(t, dir, out)
}
