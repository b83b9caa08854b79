// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestEvalTable: a table is printed, written, explained and answered in a batch, beside the labels that it is about.
func TestEvalTable(t *testing.T) {
	dir := t.TempDir()
	mask := npy(t, dir, "m.npy", "array([[1, 1, 0, 0], [0, 0, 0, 1], [1, 0, 0, 1]], dtype='bool')")
	const table = "l = ndimage.label(m).labels; t = measure.regionprops_table(l, m * 2.5, properties=['label', 'area', 'centroid', 'intensity_sum'])"
	code, out, errs := arrayrun(t, "eval", table, "m="+mask)
	want := "label  area  centroid-0  centroid-1  intensity_sum\n" +
		"    1    2.         0.          0.5             5.\n" +
		"    2    2.         1.5         3.              5.\n" +
		"    3    1.         2.          0.             2.5\n" +
		"[3 rows x 5 columns]\n"
	if code != 0 || strings.Join(strings.Fields(out), " ") != strings.Join(strings.Fields(want), " ") {
		t.Errorf("exit %d, %s%s, want\n%s", code, out, errs, want)
	}
	if code, out, _ := arrayrun(t, "eval", "measure.regionprops_table(zeros((2, 3), 'int32'), properties=['area'])"); code != 0 || out != "area\n[0 rows x 1 columns]\n" {
		t.Errorf("a table without rows: exit %d, %q", code, out)
	}
	csv, parquet, npy := filepath.Join(dir, "t.csv"), filepath.Join(dir, "t.parquet"), filepath.Join(dir, "l.npy")
	args := []string{"eval", table + "; u = t[['centroid-1', 'label']]", "m=" + mask, "-o", "u=" + csv, "-o", "t=" + parquet, "-o", "l=" + npy}
	if code, _, errs := arrayrun(t, append(args, "--explain")...); code != 0 {
		t.Errorf("explain: exit %d: %s", code, errs)
	}
	if _, err := os.Stat(csv); err == nil {
		t.Errorf("explain made an output")
	}
	if code, _, errs := arrayrun(t, args...); code != 0 {
		t.Fatalf("exit %d: %s", code, errs)
	}
	if b, _ := os.ReadFile(csv); string(b) != "centroid-1,label\n0.5,1\n3,2\n0,3\n" {
		t.Errorf("the table is %q", b)
	}
	if code, out, errs := arrayrun(t, "eval", "label * 10 + area", parquet); code != 0 || out != "[12. 22. 31.]\n" {
		t.Errorf("read back: exit %d, %q %s", code, out, errs)
	}
	if code, out, errs := arrayrun(t, "eval", "l", "l="+npy); code != 0 || out != "[[1 1 0 0]\n [0 0 0 2]\n [3 0 0 2]]\n" {
		t.Errorf("labels: exit %d, %q %s", code, out, errs)
	}
	if code, _, errs := arrayrun(t, args...); code != exitUsage && code != exitInput && code != exitRunning || !strings.Contains(errs, "exists") {
		t.Errorf("over outputs that exist: exit %d: %s", code, errs)
	}
	jobs := filepath.Join(dir, "jobs")
	line := `{"id":"a","expr":"measure.regionprops_table(m.astype('int8'), properties=['area'])","inputs":{"m":{"uri":"m.npy"}},"outputs":{"result":"b.csv"}}` + "\n"
	if err := os.WriteFile(jobs, []byte(line), 0o666); err != nil {
		t.Fatal(err)
	}
	if code, out, errs := arrayrun(t, "eval", "--batch", jobs); code != 0 || !strings.Contains(out, `"shape":[1,1],"dtype":"table"`) {
		t.Errorf("batch: exit %d, %s%s", code, out, errs)
	}
}
