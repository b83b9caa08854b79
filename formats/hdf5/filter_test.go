// SPDX-License-Identifier: BSD-3-Clause

package hdf5

import (
	"crypto/md5"
	"encoding/hex"
	"os"
	"strings"
	"testing"
)

// Every dataset of these files, each behind another filter, has the values h5py reads.
func TestFilters(t *testing.T) {
	for _, name := range []string{"filters", "frames"} {
		testFilters(t, name)
	}
}

func testFilters(t *testing.T, file string) {
	list, err := os.ReadFile("testdata/" + file + ".txt")
	if err != nil {
		t.Fatal(err)
	}
	f, err := openFile(t, "testdata/"+file+".h5")
	if err != nil {
		t.Fatal(err)
	}
	root, err := f.Root()
	if err != nil {
		t.Fatal(err)
	}
	links := map[string]uint64{}
	for _, l := range root.Links {
		links[l.Name] = l.Addr
	}
	for line := range strings.Lines(string(list)) {
		name, sum, _ := strings.Cut(strings.TrimSpace(line), " ")
		if name == "#" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			o, err := f.Object(links[name])
			if err != nil {
				t.Fatal(err)
			}
			src, err := o.Source(nil)
			if err != nil {
				t.Fatal(err)
			}
			c, err := readAll(src)
			if err != nil {
				t.Fatal(err)
			}
			if s := md5.Sum(c.Bytes()); hex.EncodeToString(s[:]) != sum {
				t.Errorf("%v %v: MD5 %x, want %s; first bytes %x", src.Meta().DType, src.Meta().Codecs, s, sum, c.Bytes()[:min(32, len(c.Bytes()))])
			}
		})
	}
}
