// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/all"
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

// TestFillRecords: _FillValue of records, of opaque bytes and of characters comes back from either version of Zarr.
func TestFillRecords(t *testing.T) {
	dir := t.TempDir()
	in := filepath.Join(dir, "in.nc")
	record := map[string]any{"fields": []any{[]any{"x", "float32"}, []any{"s", "S1", []any{int64(4)}}}}
	axes := []string{"t"}
	w, err := all.Create(context.Background(), in, formats.Spec{Dims: []formats.Dim{{Name: "t", Size: 0, Unlimited: true}}, Vars: []formats.VarSpec{
		{Name: "v", Dims: axes, Shape: chunk.Shape{0}, DType: dtype.Raw, ItemBytes: 8, Stored: record,
			Attrs: formats.Attrs{{Name: "_FillValue", Type: record, Value: []any{map[string]any{"x": float32(9.5), "s": "ab"}}}}},
		{Name: "o", Dims: axes, Shape: chunk.Shape{0}, DType: dtype.Raw, ItemBytes: 3, Stored: "opaque3", Attrs: formats.Attrs{{Name: "_FillValue", Type: "opaque3", Value: []any{"010203"}}}},
		{Name: "c", Dims: axes, Shape: chunk.Shape{0}, DType: dtype.Raw, ItemBytes: 1, Stored: "S1", Attrs: formats.Attrs{{Name: "_FillValue", Value: "-"}}},
	}})
	if err == nil {
		err = w.Commit(context.Background())
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, version := range []string{"2", "3"} {
		out, back := filepath.Join(dir, "out"+version+".zarr"), filepath.Join(dir, "back"+version+".nc")
		ok(t, "convert", in, out, "--zarr-version", version)
		ok(t, "diff", "--attrs", in, out)
		ok(t, "convert", out, back)
		ok(t, "diff", "--attrs", in, back)
	}
}
