// SPDX-License-Identifier: BSD-3-Clause

package hdf5

import (
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"testing"
)

// Messages and attributes in the heap of shared messages, as h5py reads them.
func TestSharedMessages(t *testing.T) {
	list, err := os.ReadFile("testdata/shared.txt")
	if err != nil {
		t.Fatal(err)
	}
	f, err := openFile(t, "testdata/shared.h5")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(list)) {
		w := strings.Fields(line)
		if w[0] == "#" {
			continue
		}
		o, err := at(t, f, w[0])
		if err != nil {
			t.Fatal(err)
		}
		if fmt.Sprint(len(o.Attrs)) != w[1] {
			t.Errorf("%s: %d attributes, want %s", w[0], len(o.Attrs), w[1])
		}
		for k := range o.Attrs {
			name, want := fmt.Sprintf("units of something long %d", k), fmt.Sprintf("kg m-2 s-1 and more %d", k)
			a, ok := o.Attr(name)
			if !ok {
				t.Errorf("%s: no attribute %q", w[0], name)
				continue
			}
			if v, err := f.Value(a); err != nil || v != want {
				t.Errorf("%s: attribute %q = %v, %v, want %q", w[0], name, v, err, want)
			}
		}
		src, err := o.Source(nil)
		if err != nil {
			t.Fatal(err)
		}
		c, err := readAll(src)
		if err != nil {
			t.Fatal(err)
		}
		if s := md5.Sum(c.Bytes()); hex.EncodeToString(s[:]) != w[2] {
			t.Errorf("%s: MD5 %x, want %s", w[0], s, w[2])
		}
	}
}
