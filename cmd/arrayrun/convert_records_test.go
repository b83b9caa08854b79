// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestRecordsPeers: records of HDF5 become records of Zarr that zarr-python reads, and those that it writes are read, with equal values.
func TestRecordsPeers(t *testing.T) {
	newest := filepath.Join("..", "..", "bench", ".venv312", "bin", "python")
	if _, err := os.Stat(newest); err == nil || os.Getenv("ARRAYRUN_PYTHON") == "" {
		t.Setenv("ARRAYRUN_PYTHON", newest)
	}
	dir := t.TempDir()
	runPython(t, "records.py", "make", dir)
	in := filepath.Join(dir, "r.h5")
	doc, _ := infoJSON(t, "--checksums", in)
	want := sums(doc, "", map[string]string{})["little"]
	for _, version := range []string{"2", "3"} {
		out := filepath.Join(dir, "out"+version+".zarr")
		ok(t, "convert", in, out, "--zarr-version", version)
		ok(t, "diff", in, out)
		doc, _ := infoJSON(t, "--checksums", filepath.Join(dir, "z"+version+".zarr"))
		if got := sums(doc, "", map[string]string{})["little"]; got == "" || got != want {
			t.Errorf("version %s: what zarr-python has written is read as %s, want %s", version, got, want)
		}
	}
	switch got := runPython(t, "records.py", "read", dir); got {
	case "equal\n":
	case "old\n":
		t.Log("this zarr-python is too old to read what is written; bench/setup formats installs one that can")
	default:
		t.Errorf("zarr-python: %s", got)
	}
}

// TestRecordsOfTexts: texts of UTF-32 in records become UTF-8 in NetCDF-4, with a warning, and diff knows them for the same.
func TestRecordsOfTexts(t *testing.T) {
	dir := t.TempDir()
	in, out, back := filepath.Join(dir, "in.npy"), filepath.Join(dir, "out.nc"), filepath.Join(dir, "back.zarr")
	header := "{'descr': [('id', '>i4'), ('name', '>U2')], 'fortran_order': False, 'shape': (2,), }"
	header += strings.Repeat(" ", 117-len(header)) + "\n"
	b := []byte("\x93NUMPY\x01\x00" + string([]byte{byte(len(header)), 0}) + header)
	b = append(b, 7, 0, 0, 0, 0, 0, 0, 0xe9, 0, 0, 0x20, 0xac) // é€
	b = append(b, 8, 0, 0, 0, 0, 0, 0, 'a', 0, 0, 0, 0)
	if err := os.WriteFile(in, b, 0o644); err != nil {
		t.Fatal(err)
	}
	code, _, errs := arrayrun(t, "convert", in, out)
	if code != 0 || !strings.Contains(errs, `warning: variable "data": texts of UTF-32 in its records (name) become UTF-8`) {
		t.Fatalf("exit %d, %s", code, errs)
	}
	ok(t, "diff", in, out)
	ok(t, "convert", out, back, "--zarr-version", "2")
	ok(t, "diff", in, back)
	b[len(b)-5] = 'b'
	if err := os.WriteFile(in, b, 0o644); err != nil {
		t.Fatal(err)
	}
	if code, text, _ := arrayrun(t, "diff", in, out); code != exitFailed || !strings.Contains(text, "1 of 2 elements differ") {
		t.Errorf("exit %d, %s", code, text)
	}
}
