// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"encoding/base64"
	"encoding/json"
	"github.com/arrayrun/arrayrun/formats/formattest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestIndex: references give the stored bytes of every chunk, and zarr-python reads the arrays through them.
func TestIndex(t *testing.T) {
	dir := t.TempDir()
	old, flat := filepath.Join(dir, "old.nc"), filepath.Join(dir, "flat.nc")
	ok(t, "convert", made, old, "--format", "netcdf3", "--lossy")
	ok(t, "convert", made, flat, "--codec", "none")
	for _, in := range []string{made, old, flat} {
		out := filepath.Join(dir, "refs.json")
		ok(t, "index", in, out, "--overwrite")
		b, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		var doc struct {
			Version int
			Refs    map[string]any
		}
		if err := json.Unmarshal(b, &doc); err != nil || doc.Version != 1 {
			t.Fatalf("%s: %v\n%s", in, err, b)
		}
		whole, err := os.ReadFile(in)
		if err != nil {
			t.Fatal(err)
		}
		chunks := 0
		for key, v := range doc.Refs {
			switch x := v.(type) {
			case string:
				if enc, ok := strings.CutPrefix(x, "base64:"); ok {
					if _, err := base64.StdEncoding.DecodeString(enc); err != nil {
						t.Errorf("%s: %v", key, err)
					}
					chunks++
				} else if !strings.Contains(key, ".z") {
					t.Errorf("%s: %q", key, x)
				}
			case []any:
				at, n := x[1].(float64), x[2].(float64)
				if abs, _ := filepath.Abs(in); x[0] != abs || at < 0 || n <= 0 || int(at+n) > len(whole) {
					t.Errorf("%s: %v in a file of %d bytes", key, x, len(whole))
				}
				chunks++
			}
		}
		if chunks < 10 || doc.Refs["air/.zarray"] == nil || doc.Refs[".zgroup"] == nil {
			t.Errorf("%s: %d chunks", in, chunks)
		}
	}
	for _, args := range [][]string{{made, made}, {made, filepath.Join(dir, "refs.json")}, {filepath.Join(dir, "absent.nc"), filepath.Join(dir, "x.json")}} {
		if code, _, _ := arrayrun(t, append([]string{"index"}, args...)...); code != exitUsage && code != exitInput {
			t.Errorf("index %v: exit %d", args, code)
		}
	}
	npz := npy(t, dir, "a.npz", "arange(3)")
	if code, _, errs := arrayrun(t, "index", npz, filepath.Join(dir, "x.json")); code != exitInput || !strings.Contains(errs, "result") {
		t.Errorf("a format without references: exit %d, %s", code, errs)
	}
	noOutputs(t, dir, filepath.Join(dir, "x.json"))
}

// TestIndexPeers: zarr-python reads through references what info reads from the file.
func TestIndexPeers(t *testing.T) {
	dir := t.TempDir()
	old, z := filepath.Join(dir, "old.nc"), filepath.Join(dir, "z.zarr")
	ok(t, "convert", made, old, "--format", "netcdf3", "--lossy")
	ok(t, "convert", made, z, "--zarr-version", "2")
	for _, in := range []string{made, old, z} {
		for _, inline := range []string{"0", "500"} {
			out := filepath.Join(dir, "refs.json")
			ok(t, "index", in, out, "--overwrite", "--inline", inline)
			var got map[string]string
			if err := json.Unmarshal([]byte(peers(t, "references", out)), &got); err != nil {
				t.Fatal(err)
			}
			doc, _ := infoJSON(t, "--checksums", in)
			for n, sum := range sums(doc, "", map[string]string{}) {
				if got[n] != sum {
					t.Errorf("%s: %s is read as %s through references, want %s", in, n, got[n], sum)
				}
			}
		}
	}
}

// TestIndexCorpus: what zarr-python reads through references to third-party files, of every filter that references can name, is what info reads from them.
func TestIndexCorpus(t *testing.T) {
	root, dir := formattest.Corpus(t), t.TempDir()
	files := map[string]string{}
	for _, p := range []string{"written/*.h5", "written/*.nc", "hdf5-filters/*.h5", "netcdf-c/*", "geo/*.nc"} {
		list, err := filepath.Glob(filepath.Join(root, p))
		if err != nil {
			t.Fatal(err)
		}
		for _, in := range list {
			if strings.HasSuffix(in, ".expect.json") {
				continue
			}
			name := filepath.Base(in) + ".json"
			files[name] = in
			if code, _, errs := arrayrun(t, "index", "--lossy", in, filepath.Join(dir, name)); code != 0 {
				t.Errorf("index %s: exit %d, %s", in, code, errs)
			}
		}
	}
	var got map[string]map[string]string
	if err := json.Unmarshal([]byte(runPython(t, "references.py", dir)), &got); err != nil {
		t.Fatal(err)
	}
	same, unknown := 0, 0
	for name, arrays := range got {
		doc, _ := infoJSON(t, "--checksums", files[name])
		want := sums(doc, "", map[string]string{})
		for n, sum := range arrays {
			switch {
			case strings.Contains(sum, "No Zarr data type found"): // fields that are arrays: NumPy's own spelling, which not every version reads
				unknown++
			case want[n] != sum:
				t.Errorf("%s: %s is read as %s through references, want %s", name, n, sum, want[n])
			default:
				same++
			}
		}
	}
	t.Logf("%d arrays of %d files are read as they are; zarr-python has no type for %d", same, len(got), unknown)
	if same < 300 || unknown > 5 {
		t.Errorf("%d arrays are the same and %d of no type, want 300 and at most 5", same, unknown)
	}
}

// sums collects the checksums of a file by path.
func sums(d infoDoc, at string, out map[string]string) map[string]string {
	for n, v := range d.Variables {
		if v.Checksum != nil {
			out[at+n] = *v.Checksum
		}
	}
	for n, g := range d.Groups {
		sums(g, at+n+"/", out)
	}
	return out
}
