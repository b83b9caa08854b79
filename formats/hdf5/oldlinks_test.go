// SPDX-License-Identifier: BSD-3-Clause

package hdf5

import (
	"errors"
	"io/fs"
	"testing"
)

// TestOldSoftLinks: soft links of groups that are symbol tables lead where they say, the last one nowhere.
func TestOldSoftLinks(t *testing.T) {
	f, err := openFile(t, "testdata/oldlinks.h5")
	if err != nil {
		t.Fatal(err)
	}
	root, err := f.Root()
	if err != nil {
		t.Fatal(err)
	}
	targets := map[string]string{"to_a": "/a", "to_inner": "g/inner", "to_nothing": "/a/gone"}
	same := map[string]string{"to_a": "a", "to_inner": "g/inner"}
	for _, l := range root.Links {
		want, soft := targets[l.Name]
		if !soft {
			continue
		}
		delete(targets, l.Name)
		if l.Target != want {
			t.Errorf("%s leads to %q, want %q", l.Name, l.Target, want)
		}
		o, err := root.Follow(l)
		if same[l.Name] == "" {
			if !errors.Is(err, ErrDangling) || !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s leads to %v, %v, want ErrDangling", l.Name, o, err)
			}
			continue
		}
		other, err2 := at(t, f, same[l.Name])
		if err != nil || err2 != nil || o.Addr != other.Addr {
			t.Errorf("%s: %v, %v, want %s", l.Name, err, err2, same[l.Name])
		}
	}
	if len(targets) > 0 {
		t.Errorf("not listed: %v", targets)
	}
}
