// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestClaimedShapes: a shape of which nothing is stored is refused at once where all values are gone through, and only there.
func TestClaimedShapes(t *testing.T) {
	for _, c := range []struct {
		name  string
		chunk int64
		shape string
	}{
		{"many bytes", 1000000, "80000000000"},
		{"many chunks", 1, "1000000000"},
	} {
		dir := filepath.Join(t.TempDir(), "v.zarr")
		doc := fmt.Sprintf(`{"zarr_format":2,"shape":[%s],"chunks":[%d],"dtype":"<f4","compressor":null,"fill_value":2,"order":"C","filters":null}`, c.shape, c.chunk)
		if err := os.MkdirAll(dir, 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, ".zarray"), []byte(doc), 0o666); err != nil {
			t.Fatal(err)
		}
		code, out, errs := arrayrun(t, "info", "--json", "--checksums", dir)
		if code != exitInput || !strings.Contains(out, `"checksum":null`) || !strings.Contains(errs, "["+c.shape+"]") || !strings.Contains(errs, `"v"`) {
			t.Errorf("%s: info --checksums: exit %d, %s%s", c.name, code, out, errs)
		}
		if code, out, errs := arrayrun(t, "verify", dir); code != exitFailed || !strings.Contains(out, "0 B that are stored") {
			t.Errorf("%s: verify: exit %d, %s%s", c.name, code, out, errs)
		}
		walks := [][]string{
			{"convert", dir, filepath.Join(dir, "..", "o.zarr")},
			{"rechunk", dir, filepath.Join(dir, "..", "o.zarr"), "--chunks", "1000"},
			{"eval", "v.sum()", dir},
			{"diff", dir, dir},
		}
		if c.chunk == 1 {
			walks = nil // plans of so many chunks take long to make
		}
		for _, args := range walks {
			code, out, errs := arrayrun(t, args...)
			if code != exitInput || !strings.Contains(errs, "values that nobody wrote; select a part") {
				t.Errorf("%s: %s: exit %d, %s%s", c.name, args[0], code, out, errs)
			}
			if _, err := os.Stat(filepath.Join(dir, "..", "o.zarr")); err == nil {
				t.Errorf("%s: %s left an output", c.name, args[0])
			}
		}
		if out := ok(t, "eval", "v[12345:12347].sum()", dir); out != "4.0\n" {
			t.Errorf("%s: a part: %s", c.name, out)
		}
	}
}

// TestCutOffAtOnce: a file that ends early is refused before what is there has been read.
func TestCutOffAtOnce(t *testing.T) {
	dir := t.TempDir()
	path, stats := filepath.Join(dir, "a.nc"), filepath.Join(dir, "s.json")
	ok(t, "eval", "ones((1000, 10000))", "-o", filepath.Join(dir, "a.npy"))
	ok(t, "convert", filepath.Join(dir, "a.npy"), path, "--format", "netcdf3-64bit")
	if err := os.Truncate(path, 79<<20/10*9); err != nil {
		t.Fatal(err)
	}
	code, _, errs := arrayrun(t, "info", "--checksums", "--stats", stats, path)
	b, err := os.ReadFile(stats)
	if err != nil || code != exitInput || !strings.Contains(errs, "ends 8 bytes early") || !strings.Contains(string(b), `"bytes_read":0,`) {
		t.Errorf("exit %d, %s%s%v", code, errs, b, err)
	}
}
