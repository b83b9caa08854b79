// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// verified is what verify --json prints.
type verified struct {
	Chunks int64
	Bad    []struct {
		Variable string
		Chunk    []int64
		Key      string
		Offset   *int64
		Error    string
	}
}

func verifyJSON(t *testing.T, uri string) (verified, int) {
	t.Helper()
	code, out, errs := arrayrun(t, "verify", "--json", uri)
	var doc verified
	if err := json.Unmarshal([]byte(out), &doc); err != nil {
		t.Fatalf("verify %s: exit %d, %v: %s%s", uri, code, err, out, errs)
	}
	return doc, code
}

// flip changes the bytes of a file from an offset on.
func flip(t *testing.T, path string, at int64, n int) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		b[at+int64(i)] ^= 0xa5
	}
	if err := os.WriteFile(path, b, 0o666); err != nil {
		t.Fatal(err)
	}
}

// TestVerify: sound files have no bad chunk, damaged ones name theirs, with key and offset.
func TestVerify(t *testing.T) {
	dir := t.TempDir()
	doc, code := verifyJSON(t, made)
	if code != 0 || len(doc.Bad) > 0 || doc.Chunks < 20 {
		t.Errorf("%s: exit %d, %+v", made, code, doc)
	}
	if out := ok(t, "verify", made); !strings.HasSuffix(out, " chunks, 0 bad\n") {
		t.Errorf("stdout %q", out)
	}
	z, s, nc := filepath.Join(dir, "z.zarr"), filepath.Join(dir, "s.zarr"), filepath.Join(dir, "a.nc")
	ok(t, "convert", made, z)
	ok(t, "convert", made, s, "--shards", "time=8,lat=-1,lon=-1", "--var", "air")
	ok(t, "convert", made, nc, "--var", "air", "--codec", "zlib:4")
	key := "air/c/1/0/1"
	flip(t, filepath.Join(z, key), 2, 6)
	doc, code = verifyJSON(t, z)
	if code != exitFailed || len(doc.Bad) != 1 {
		t.Fatalf("exit %d, %+v", code, doc)
	}
	if b := doc.Bad[0]; b.Variable != "air" || b.Key != key || len(b.Chunk) != 3 || b.Chunk[0] != 1 || b.Chunk[2] != 1 || b.Offset == nil || *b.Offset != 0 || b.Error == "" {
		t.Errorf("%+v", b)
	}
	if code, out, _ := arrayrun(t, "verify", z); code != exitFailed || !strings.HasPrefix(out, "air, [1,0,1], "+key+", 0, ") {
		t.Errorf("exit %d, stdout %q", code, out)
	}
	// What is readable can be kept: the rest is missing, and said to be.
	if code, _, _ := arrayrun(t, "eval", "isnan(a).sum()", "a="+z+"#air"); code != exitInput {
		t.Errorf("a damaged chunk: exit %d, want %d", code, exitInput)
	}
	code, out, errs := arrayrun(t, "eval", "--missing", "nan", "isnan(a).sum() > 0", "a="+z+"#air")
	if code != exitDone || out != "True\n" || !strings.Contains(errs, `chunks of "air" cannot be decoded`) {
		t.Errorf("--missing nan: exit %d, stdout %q, stderr %q", code, out, errs)
	}
	shard := filepath.Join(s, "air/c/0/0/0")
	st, err := os.Stat(shard)
	if err != nil {
		t.Fatal(err)
	}
	flip(t, shard, st.Size()-8, 4) // in its index, which has a checksum
	doc, code = verifyJSON(t, s)
	if code != exitFailed || len(doc.Bad) != 8 || doc.Bad[0].Key != "air/c/0/0/0" || doc.Bad[0].Offset != nil {
		t.Errorf("a damaged shard: exit %d, %+v", code, doc)
	}
	doc, _ = verifyJSON(t, nc)
	st, err = os.Stat(nc)
	if err != nil || len(doc.Bad) > 0 {
		t.Fatal(err, doc)
	}
	// The first chunks of a file that is written lie behind its superblock.
	flip(t, nc, 60, 30)
	doc, code = verifyJSON(t, nc)
	if code != exitFailed || len(doc.Bad) == 0 || doc.Bad[0].Key != nc || doc.Bad[0].Offset == nil || *doc.Bad[0].Offset < 40 || *doc.Bad[0].Offset > st.Size() {
		t.Errorf("a damaged NetCDF file: exit %d, %+v", code, doc)
	}
	if code, out, errs := arrayrun(t, "convert", nc, filepath.Join(dir, "o.zarr")); code != exitInput || out != "" || !strings.Contains(errs, "zlib") {
		t.Errorf("convert of a damaged file: exit %d, %q", code, errs)
	}
	noOutputs(t, dir, filepath.Join(dir, "o.zarr"))
	if code, _, _ := arrayrun(t, "verify", filepath.Join(dir, "absent")); code != exitInput {
		t.Errorf("an absent file: exit %d, want 3", code)
	}
}

// TestHostile: files cut off or changed anywhere end in an exit code, never in a panic.
func TestHostile(t *testing.T) {
	whole, err := os.ReadFile(made)
	if err != nil {
		t.Fatal(err)
	}
	path, out := filepath.Join(t.TempDir(), "h.nc"), filepath.Join(t.TempDir(), "o")
	for i := 0; i < 60; i++ {
		b := append([]byte(nil), whole...)
		at := (i * 7919) % len(b)
		if i%3 == 0 {
			b = b[:at]
		} else {
			for k := at; k < min(at+1+i%5, len(b)); k++ {
				b[k] ^= byte(1 + i)
			}
		}
		if err := os.WriteFile(path, b, 0o666); err != nil {
			t.Fatal(err)
		}
		for _, args := range [][]string{{"verify", path}, {"info", "--json", "--checksums", path}, {"convert", path, out + ".zarr", "--overwrite", "--lossy"},
			{"index", path, out + ".json", "--overwrite", "--lossy"}, {"diff", made, path, "--attrs"}} {
			code, _, errs := arrayrun(t, args...)
			switch code {
			case 0, exitFailed, exitUsage, exitInput, exitBudget:
			default:
				t.Errorf("change %d at %d: %v: exit %d, %s", i, at, args, code, errs)
			}
			if strings.Contains(errs, "panic") || strings.Contains(errs, "goroutine") {
				t.Fatalf("change %d at %d: %v: %s", i, at, args, errs)
			}
		}
	}
}

// TestMissing: damaged chunks are an error, and missing values with a warning where the user says so; what lies around them is kept.
func TestMissing(t *testing.T) {
	dir := t.TempDir()
	whole, torn := filepath.Join(dir, "a.zarr"), filepath.Join(dir, "b.nc")
	ok(t, "eval", "x = arange(0., 80.).reshape((8, 10)); n = astype(arange(0, 80), 'int16').reshape((8, 10))", "-o", "x="+whole, "-o", "n="+whole, "--chunks", "2,10")
	ok(t, "convert", whole, torn, "--codec", "zlib:4,fletcher32")
	flip(t, filepath.Join(whole, "x", "c", "1", "0"), 4, 8)
	flip(t, filepath.Join(whole, "n", "c", "2", "0"), 4, 8)
	flip(t, torn, 64, 8) // chunks lie behind the superblock of 48 bytes
	for _, path := range []string{whole, torn} {
		bad, code := verifyJSON(t, path)
		if code != 1 || len(bad.Bad) == 0 {
			t.Fatalf("verify %s: exit %d, %d bad chunks, want some", path, code, len(bad.Bad))
		}
		out := path + ".kept.zarr"
		if code, _, errs := arrayrun(t, "convert", path, out); code != exitInput {
			t.Errorf("convert %s: exit %d, want %d: %s", path, code, exitInput, errs)
		}
		code, _, errs := arrayrun(t, "convert", path, out, "--missing=fill", "--overwrite")
		if code != 0 || !strings.Contains(errs, "cannot be decoded and are missing values") {
			t.Errorf("convert --missing=fill %s: exit %d, %s", path, code, errs)
		}
		if got, code := verifyJSON(t, out); code != 0 || len(got.Bad) > 0 {
			t.Errorf("what was kept of %s: exit %d, %+v", path, code, got.Bad)
		}
	}
	code, out, errs := arrayrun(t, "eval", "--missing=nan", "x.sum(axis=1)", "x="+whole+"#x")
	if want := "[ 45. 145.  nan  nan 445. 545. 645. 745.]\n"; code != 0 || out != want || !strings.Contains(errs, `1 of 4 chunks of "x"`) {
		t.Errorf("eval --missing=nan: exit %d, %q, %s, want %s", code, out, errs, want)
	}
	if code, _, errs := arrayrun(t, "eval", "--missing=nan", "n.sum()", "n="+whole+"#n"); code != exitInput || !strings.Contains(errs, "--missing=fill") {
		t.Errorf("integers without a missing value: exit %d, %s, want %d and a way out", code, errs, exitInput)
	}
}
