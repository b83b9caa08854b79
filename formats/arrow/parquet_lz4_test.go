// SPDX-License-Identifier: BSD-3-Clause

package arrow

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"testing"

	"github.com/arrayrun/arrayrun/formats/codec"
	"github.com/arrayrun/arrayrun/formats/formattest"
)

// TestHadoopLZ4 reads what fastparquet wrote with the codec LZ4, as pyarrow reads it.
func TestHadoopLZ4(t *testing.T) {
	var want map[string]map[string]string
	b, err := os.ReadFile("testdata/expect_lz4.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &want); err != nil {
		t.Fatal(err)
	}
	for name, cols := range want {
		b, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		g, err := openBytes(b)
		if err != nil {
			t.Fatal(err)
		}
		if len(g.Vars) != len(cols) || len(cols) != 4 {
			t.Errorf("%s: %d columns, want %d", name, len(g.Vars), len(cols))
		}
		for _, v := range g.Vars {
			c, err := formattest.ReadAll(context.Background(), v.Source)
			if err != nil {
				t.Errorf("%s: %s: %v", name, v.Name, err)
				continue
			}
			if got := checksum(c); got != cols[v.Name] {
				t.Errorf("%s: %s: MD5 %s, want %s", name, v.Name, got, cols[v.Name])
			}
		}
	}
}

// FuzzHadoopLZ4: lengths that do not fit are errors, and what is decoded fills what was asked for.
func FuzzHadoopLZ4(f *testing.F) {
	f.Add([]byte{0, 0, 0, 3, 0, 0, 0, 4, 0x30, 'a', 'b', 'c'}, 3)
	f.Add([]byte{0x30, 'a', 'b', 'c'}, 3)
	f.Add([]byte{0, 0, 0, 3, 0xff, 0xff, 0xff, 0xff, 0x30, 'a', 'b', 'c'}, 3)
	f.Fuzz(func(t *testing.T, b []byte, n int) {
		if n < 0 || n > 1<<16 {
			return
		}
		var s codec.Scratch
		first, second := bytes.Repeat([]byte{1}, n), bytes.Repeat([]byte{2}, n)
		if hadoopLZ4(first, b, &s) == nil && (hadoopLZ4(second, b, &s) != nil || !bytes.Equal(first, second)) {
			t.Errorf("%x: %x and then %x", b, first, second)
		}
	})
}
