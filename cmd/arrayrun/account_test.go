// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"
)

// traffic is what --stats and --explain=json say of bytes.
type traffic struct {
	Peak    int64 `json:"peak_budget_bytes"`
	Budget  int64 `json:"budget_bytes"`
	Read    int64 `json:"bytes_read"`
	Decoded int64 `json:"bytes_decoded"`
	Written int64 `json:"bytes_written"`
	Chunks  int64 `json:"chunks"`
	Stages  []traffic
}

// statsOf runs a command line and returns what its --stats say.
func statsOf(t *testing.T, args ...string) traffic {
	t.Helper()
	path := filepath.Join(t.TempDir(), "stats.json")
	ok(t, append(args, "--stats", path)...)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var st traffic
	if err := json.Unmarshal(text, &st); err != nil {
		t.Fatal(err)
	}
	return st
}

// TestExplainedTraffic: a plan promises the bytes that its run then reads, decodes and writes; reads of scattered
// elements of a file without chunks take what lies between them along.
func TestExplainedTraffic(t *testing.T) {
	dir := t.TempDir()
	plain, packed := filepath.Join(dir, "plain.npy"), filepath.Join(dir, "packed.nc")
	ok(t, "eval", "arange(1500000, dtype='float32').reshape(300, 50, 100)", "-o", plain)
	ok(t, "convert", plain, packed, "--codec", "zlib:1", "--chunks", "7,50,100")
	for _, in := range []string{plain, packed} {
		for _, how := range [][]string{
			{"convert"}, {"rechunk", "--chunks", "-1,7,9"}, {"rechunk", "--chunks", "-1,7,9", "--memory", "16MiB"}, {"rechunk", "--chunks", "11,-1,33"},
		} {
			args := append(append([]string{}, how...), in, filepath.Join(dir, "out.npy"))
			if how[0] == "rechunk" {
				args[len(args)-1] = filepath.Join(dir, "out.zarr")
				args = append(args, "--codec", "none")
			}
			args = append(args, "--overwrite")
			var plan traffic
			if err := json.Unmarshal([]byte(ok(t, append(args, "--explain=json")...)), &plan); err != nil {
				t.Fatal(err)
			}
			var want traffic
			for _, s := range plan.Stages {
				want.Read += s.Read
				want.Decoded += s.Decoded
				want.Written += s.Written
			}
			got := statsOf(t, args...)
			if got.Decoded != want.Decoded || in == packed && math.Abs(float64(got.Read-want.Read)) > 0.01*float64(want.Read) || got.Read > 8*want.Read {
				t.Errorf("%v: read %d and decoded %d bytes, the plan says %d and %d", args, got.Read, got.Decoded, want.Read, want.Decoded)
			}
			if got.Written < want.Written || got.Written > want.Written*11/10 && how[0] == "convert" {
				t.Errorf("%v: wrote %d bytes, the plan says %d", args, got.Written, want.Written)
			}
		}
	}
}

// TestStatsOfVerbs: verbs that run no plan say what they read and what of the budget they took.
func TestStatsOfVerbs(t *testing.T) {
	dir := t.TempDir()
	in := filepath.Join(dir, "a.zarr")
	ok(t, "eval", "arange(1500000, dtype='float32').reshape(300, 50, 100)", "-o", in, "--chunks", "7,50,100")
	for _, args := range [][]string{{"verify", in}, {"info", "--checksums", in}} {
		st := statsOf(t, append(args, "--memory", "16MiB")...)
		if st.Decoded != 6000000 || st.Read <= 0 || st.Read >= st.Decoded || st.Peak < 7*50*100*4 || st.Peak > st.Budget || st.Budget != 16<<20 || st.Chunks == 0 {
			t.Errorf("%v: %+v", args, st)
		}
	}
	if st := statsOf(t, "index", in, filepath.Join(dir, "a.json")); st.Written == 0 {
		t.Errorf("index: %+v", st)
	}
}

// TestHalfRowsAreReadOnce: an array whose new chunks are parts of rows is read row by row, each byte once.
func TestHalfRowsAreReadOnce(t *testing.T) {
	dir := t.TempDir()
	in := filepath.Join(dir, "a.npy")
	ok(t, "eval", "arange(2097152, dtype='float32').reshape(32, 64, 1024)", "-o", in)
	for _, args := range [][]string{{}, {"--workers", "2"}} {
		st := statsOf(t, append(args, "convert", in, filepath.Join(dir, "a.zarr"), "--chunks", "4,64,512", "--overwrite")...)
		if st.Read != 8<<20 || st.Written <= 0 {
			t.Errorf("%v: %d bytes are read, want the array's %d", args, st.Read, 8<<20)
		}
	}
}

// TestExplainedBudget: a plan is refused where its run is, in any budget, and leaves nothing behind.
func TestExplainedBudget(t *testing.T) {
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in.zarr"), filepath.Join(dir, "out.zarr")
	ok(t, "eval", "arange(2000000, dtype='float32').reshape(50, 200, 200)", "-o", in, "--chunks", "1,200,200")
	var refused, taken int
	for _, memory := range []string{"6MiB", "8MiB", "10MiB", "12MiB", "14MiB", "18MiB", "24MiB"} {
		args := []string{"eval", "a * 2", "a=" + in, "-o", out, "--chunks", "-1,100,200", "--overwrite", "--memory", memory}
		planned, _, _ := arrayrun(t, append(args, "--explain")...)
		code, _, errs := arrayrun(t, args...)
		if planned != code {
			t.Errorf("%s: explain: exit %d, run: exit %d, %s", memory, planned, code, errs)
		}
		if code == 0 {
			taken++
		} else {
			refused++
		}
	}
	if refused == 0 || taken == 0 {
		t.Errorf("%d budgets refused, %d not, want some of both", refused, taken)
	}
	if list, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(list) != 2 {
		t.Errorf("left beside in.zarr and out.zarr: %v, %v", list, err)
	}
}
