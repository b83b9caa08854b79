// SPDX-License-Identifier: BSD-3-Clause

package tiff

import (
	"os"
	"strings"
	"testing"
)

// TestMade compares the files of testdata/made.py and testdata/gdal.py with what tifffile and GDAL read of them.
func TestMade(t *testing.T) {
	list, err := os.ReadFile("testdata/made.txt")
	if err != nil {
		t.Fatal(err)
	}
	more, err := os.ReadFile("testdata/gdal.txt")
	if err != nil {
		t.Fatal(err)
	}
	list = append(list, more...)
	for line := range strings.Lines(string(list)) {
		f := strings.Fields(line)
		if f[0] == "#" {
			continue
		}
		name := "image"
		if f[1] != "0" {
			name += "_" + f[1]
		}
		if f[2] != "0" {
			name += "_overview_" + f[2]
		}
		if !check(t, "testdata/"+f[0], name, f[3:]) {
			t.Errorf("%s: refused", f[0])
		}
	}
}
