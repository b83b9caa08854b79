// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"
)

// TestFillValues: an array of Zarr 3 whose unwritten chunks are zeros and whose missing values are others keeps its missing values in
// version 2, which has one number for both.
func TestFillValues(t *testing.T) {
	dir := t.TempDir()
	a := filepath.Join(dir, "a.zarr")
	meta := `{"zarr_format": 3, "node_type": "array", "shape": [6], "data_type": "int16",
	"chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [3]}}, "chunk_key_encoding": {"name": "default"}, "fill_value": 0,
	"codecs": [{"name": "bytes", "configuration": {"endian": "little"}}], "dimension_names": ["x"],
	"attributes": {"_FillValue": -9999, "scale_factor": 0.5}}`
	if err := os.MkdirAll(filepath.Join(a, "p", "c"), 0o777); err != nil {
		t.Fatal(err)
	}
	var b []byte
	for _, x := range []int16{0, -9999, 7} { // the other chunk was never written
		b = binary.LittleEndian.AppendUint16(b, uint16(x))
	}
	for name, text := range map[string]string{"zarr.json": `{"zarr_format": 3, "node_type": "group"}`, "p/zarr.json": meta, "p/c/0": string(b)} {
		if err := os.WriteFile(filepath.Join(a, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if out := ok(t, "eval", "p", a); out != "[0.  nan 3.5 0.  0.  0. ]\n" {
		t.Fatalf("p = %s", out)
	}
	for _, x := range [][]string{{"--zarr-version", "2"}, {"--zarr-version", "3"}, {"--format", "netcdf4"}, {"--format", "netcdf3"}} {
		to, back := filepath.Join(dir, x[1]), filepath.Join(dir, x[1]+"back.zarr")
		if x[0] == "--zarr-version" {
			to += ".zarr"
		}
		ok(t, append([]string{"convert", a, to}, x...)...)
		ok(t, "convert", to, back)
		for _, c := range []string{to, back} {
			ok(t, "diff", "--attrs", a, c)
			ok(t, "diff", "--raw", a, c)
		}
	}
}
