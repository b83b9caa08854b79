// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDamageFoundLate: an input whose damage shows only when a variable is used is exit 3, not a wrong expression.
func TestDamageFoundLate(t *testing.T) {
	dir := t.TempDir()
	path := npy(t, dir, "a.npz", "arange(4)")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b = bytes.Replace(b, []byte("\x93NUMPY"), []byte("\x93NUMPX"), 1)
	if err := os.WriteFile(path, b, 0o666); err != nil {
		t.Fatal(err)
	}
	code, out, errs := arrayrun(t, "eval", "result + 1", path)
	if code != exitInput || out != "" || !strings.Contains(errs, "a.npz") {
		t.Errorf("exit %d, stdout %q, stderr %q, want exit 3 naming the file", code, out, errs)
	}
}

// TestOutputsThatCannotBe: refusals name what is wrong and keep to the codes of usage and of failures.
func TestOutputsThatCannotBe(t *testing.T) {
	dir := t.TempDir()
	for name, c := range map[string]struct {
		code int
		args []string
		want string
	}{
		"stats in no folder":      {exitRunning, []string{"1", "-o", filepath.Join(dir, "a.npy"), "--stats", filepath.Join(dir, "absent", "s.json")}, "absent"},
		"chunks of axes":          {exitUsage, []string{"ones((2, 2))", "-o", filepath.Join(dir, "a.zarr"), "--chunks", "1,1,1"}, "3 axes"},
		"chunks of an axis twice": {exitUsage, []string{"ones((2, 2))", "-o", filepath.Join(dir, "a.zarr"), "--chunks", "x=1,y=2,x=2"}, "one length for \"x\""},
	} {
		code, _, errs := arrayrun(t, append([]string{"eval"}, c.args...)...)
		if code != c.code || !strings.Contains(errs, c.want) {
			t.Errorf("%s: exit %d, stderr %q, want exit %d and %q", name, code, errs, c.code, c.want)
		}
	}
}

// TestStatsToDevice: a device is written to, never replaced by a file.
func TestStatsToDevice(t *testing.T) {
	dir := t.TempDir()
	link := filepath.Join(dir, "null")
	if err := os.Symlink(os.DevNull, link); err != nil {
		t.Skip(err)
	}
	if code, _, errs := arrayrun(t, "eval", "1", "--stats", link); code != 0 {
		t.Fatalf("exit %d: %s", code, errs)
	}
	if st, err := os.Lstat(link); err != nil || st.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link to %s was replaced: %v", os.DevNull, err)
	}
}
