// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestLinksToNothing: a soft link behind which there is nothing is named and hinders nobody; an external one whose file is not there is
// refused, because values may be missing.
func TestLinksToNothing(t *testing.T) {
	dir := t.TempDir()
	in, out := filepath.Join("..", "..", "formats", "hdf5", "testdata", "oldlinks.h5"), filepath.Join(dir, "out.zarr")
	warning := `warning: ` + in + `: link "to_nothing" leads to "/a/gone", where nothing is`
	for _, args := range [][]string{{"convert", in, out}, {"verify", in}} {
		if code, _, errs := arrayrun(t, args...); code != 0 || strings.Count(errs, "warning") != 1 || !strings.Contains(errs, warning) {
			t.Errorf("%v: exit %d, %s", args, code, errs)
		}
	}
	if text := ok(t, "diff", in, out); text != "" {
		t.Error(text)
	}
	if code, _, errs := arrayrun(t, "convert", in, filepath.Join(dir, "a.zarr"), "--var", "a"); code != 0 || errs != "" {
		t.Errorf("--var a: exit %d, %s", code, errs)
	}
	doc, code := infoJSON(t, in)
	if l, found := doc.Links["to_nothing"]; code != 0 || len(doc.Links) != 1 || !found || l.Target != "/a/gone" || l.Error == "" {
		t.Errorf("exit %d, links %+v", code, doc.Links)
	}
	if text := ok(t, "info", in); !strings.Contains(text, `// link to_nothing leads to "/a/gone"`) {
		t.Error(text)
	}

	b, err := os.ReadFile(filepath.Join("..", "..", "formats", "hdf5", "testdata", "virtual", "latest.h5"))
	if err != nil {
		t.Fatal(err)
	}
	alone := filepath.Join(dir, "alone.h5")
	if err := os.WriteFile(alone, b, 0o644); err != nil {
		t.Fatal(err)
	}
	out = filepath.Join(dir, "alone.zarr")
	if code, _, errs := arrayrun(t, "convert", alone, out); code != exitInput || !strings.Contains(errs, `which is not beside this one; copy it there`) {
		t.Errorf("exit %d, %s", code, errs)
	}
	noOutputs(t, dir, out)
}

// TestPartsNotThere: a virtual dataset has its fill value where its parts are not there, as others read it, and copies and verify say so.
func TestPartsNotThere(t *testing.T) {
	dir := t.TempDir()
	in, out := filepath.Join("..", "..", "formats", "hdf5", "testdata", "virtual", "latest.h5"), filepath.Join(dir, "out.zarr")
	for _, args := range [][]string{{"convert", in, out, "--var", "gaps"}, {"verify", in + "#gaps"}, {"convert", in, out, "--var", "gaps", "--missing", "nan", "--overwrite"}} {
		if code, _, errs := arrayrun(t, args...); code != 0 || strings.Count(errs, "warning") != 1 || !strings.Contains(errs, `variable "gaps" has the fill value where its parts "d" of "missing.h5" would be`) {
			t.Errorf("%v: exit %d, %s", args, code, errs)
		}
	}
	if code, _, errs := arrayrun(t, "convert", in, filepath.Join(dir, "whole.zarr"), "--var", "stack"); code != 0 || errs != "" {
		t.Errorf("nothing is missing: exit %d, %s", code, errs)
	}
}
