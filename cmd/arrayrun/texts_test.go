// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"crypto/md5"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestFixedTextsToNetCDF: texts of a fixed number of characters, as NumPy and xarray store labels, become NetCDF-4's strings.
func TestFixedTextsToNetCDF(t *testing.T) {
	dir := t.TempDir()
	names := []string{"Bern", "Zürich", "東京", ""}
	b := append([]byte("\x93NUMPY\x01\x00\x76\x00"), fmt.Sprintf("%-117s\n", "{'descr': '<U6', 'fortran_order': False, 'shape': (4,), }")...)
	for _, name := range names {
		one := [6]rune{}
		copy(one[:], []rune(name))
		for _, r := range one {
			b = binary.LittleEndian.AppendUint32(b, uint32(r))
		}
	}
	npy := filepath.Join(dir, "names.npy")
	if err := os.WriteFile(npy, b, 0o666); err != nil {
		t.Fatal(err)
	}
	sum := md5.Sum([]byte(strings.Join(names, "\x00")))
	want := hex.EncodeToString(sum[:])
	zarr, zarr2 := filepath.Join(dir, "names.zarr"), filepath.Join(dir, "names2.zarr")
	ok(t, "convert", npy, zarr)
	ok(t, "convert", npy, zarr2, "--zarr-version", "2")
	for _, from := range []string{npy, zarr, zarr2} {
		nc := filepath.Join(dir, "names.nc")
		code, _, errs := arrayrun(t, "convert", from, nc, "--overwrite")
		if code != exitDone || !strings.Contains(errs, "type U6 become texts of any length") {
			t.Errorf("convert %s: exit %d, %s", from, code, errs)
		}
		got, _ := infoJSON(t, "--checksums", nc)
		v := got.Variables["data"]
		if v.DType != "str" || v.Checksum == nil || *v.Checksum != want {
			t.Errorf("%s: %+v, want str of MD5 %s", from, v, want)
		}
		if len(v.Attrs) > 0 {
			t.Errorf("%s: attributes %v", from, v.Attrs)
		}
	}
	if code, _, errs := arrayrun(t, "convert", zarr, filepath.Join(dir, "old.nc"), "--format", "netcdf3"); code == exitDone {
		t.Errorf("NetCDF-3 has taken them: %s", errs)
	}
}

// TestFixedBytesToNetCDF: texts of a fixed number of bytes become strings too: netCDF-C crashes on HDF5's texts of a fixed size. Single bytes are its characters.
func TestFixedBytesToNetCDF(t *testing.T) {
	dir := t.TempDir()
	for item, want := range map[int]string{3: "str", 1: "S1"} {
		b := append([]byte("\x93NUMPY\x01\x00\x76\x00"), fmt.Sprintf("%-117s\n", fmt.Sprintf("{'descr': '|S%d', 'fortran_order': False, 'shape': (3,), }", item))...)
		names := []string{"ab"[:min(2, item)], "", "xyz"[:item]}
		for _, name := range names {
			b = append(b, append([]byte(name), make([]byte, item-len(name))...)...)
		}
		npy, nc := filepath.Join(dir, "b.npy"), filepath.Join(dir, "b.nc")
		if err := os.WriteFile(npy, b, 0o666); err != nil {
			t.Fatal(err)
		}
		code, _, errs := arrayrun(t, "convert", npy, nc, "--overwrite")
		if code != exitDone || strings.Contains(errs, "become texts of any length") != (want == "str") {
			t.Errorf("S%d: exit %d, %s", item, code, errs)
		}
		text := strings.Join(names, "\x00")
		if item == 1 {
			text = "a\x00x"
		}
		sum := md5.Sum([]byte(text))
		got, _ := infoJSON(t, "--checksums", nc)
		v := got.Variables["data"]
		if v.DType != want || v.Checksum == nil || *v.Checksum != hex.EncodeToString(sum[:]) {
			t.Errorf("S%d: %+v, want %s", item, v, want)
		}
	}
}
