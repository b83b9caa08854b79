// SPDX-License-Identifier: BSD-3-Clause

package tiff

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/formattest"
)

// readAll returns every element, in C order.
func readAll(src formats.Source) (*chunk.Chunk, error) {
	m := src.Meta()
	c := &chunk.Chunk{DType: m.DType, ItemBytes: int32(m.ItemBytes), Shape: m.Shape, Strides: m.Shape.RowMajor(), Block: mem.Wrap(make([]byte, m.Shape.Size()*int64(m.ItemBytes)))}
	_, err := formats.ReadRegion(context.Background(), src, chunk.Whole(m.Shape), c)
	return c, err
}

// refused are the parts of errors of what is refused by name.
var refused = []string{"compression old-jpeg", "compression sgilog", "subsampled colours"}

// TestCorpus compares every series of third-party files with what tifffile makes of it.
func TestCorpus(t *testing.T) {
	dir := formattest.Corpus(t)
	list, err := os.ReadFile("testdata/corpus.txt")
	if err != nil {
		t.Fatal(err)
	}
	same, byName := 0, map[string]bool{}
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
		if check(t, filepath.Join(dir, f[0]), name, f[3:]) {
			same++
		} else {
			byName[f[0]] = true
		}
	}
	t.Logf("%d series equal tifffile's; refused by name: %v", same, byName)
	if same < 130 || len(byName) > 4 {
		t.Errorf("%d series compared, %d files refused, want at least 130 and at most 4", same, len(byName))
	}
}

// check compares one variable; false when it is refused by name.
func check(t *testing.T, path, name string, want []string) bool {
	axes, shape, dt, sum := want[0], want[1], want[2], want[3]
	at := filepath.Base(path) + "/" + name
	g, err := Open(context.Background(), path)
	if err != nil {
		t.Errorf("%s: %v", at, err)
		return true
	}
	defer g.Close()
	for _, v := range g.Vars {
		if v.Name != name {
			continue
		}
		m := v.Source.Meta()
		var lengths []string
		for _, n := range m.Shape {
			lengths = append(lengths, fmt.Sprint(n))
		}
		var letters strings.Builder
		for _, d := range v.Dims {
			if strings.HasPrefix(d, "page") {
				d = "i"
			}
			letters.WriteString(strings.ToUpper(d[:1]))
		}
		if got := strings.Join(lengths, "x"); got != shape || letters.String() != axes {
			t.Errorf("%s: %s %s, want %s %s", at, letters.String(), got, axes, shape)
			return true
		}
		if v.Err != nil {
			for _, r := range refused {
				if strings.Contains(v.Err.Error(), r) && errors.Is(v.Err, formats.ErrFormat) {
					return false
				}
			}
			t.Errorf("%s: %v", at, v.Err)
			return true
		}
		c, err := readAll(v.Source)
		if err != nil {
			t.Errorf("%s: %v", at, err)
			return true
		}
		if m.DType.String() != dt {
			t.Errorf("%s: dtype %v, want %s", at, m.DType, dt)
		}
		if values, ok := strings.CutPrefix(sum, "values:"); ok {
			compareValues(t, at, c.Bytes(), strings.Split(values, ","))
			return true
		}
		if s := md5.Sum(c.Bytes()); hex.EncodeToString(s[:]) != sum {
			t.Errorf("%s: MD5 %x, want %s; first bytes %v", at, s, sum, c.Bytes()[:min(24, len(c.Bytes()))])
		}
		return true
	}
	t.Errorf("%s: no such variable", at)
	return true
}

// compareValues compares 100 bytes spread over the array, each to within 3.
func compareValues(t *testing.T, at string, b []byte, want []string) {
	for i, w := range want {
		k := int(float64(len(b)-1) * float64(i) / float64(len(want)-1))
		v, _ := strconv.Atoi(w)
		if math.Abs(float64(v)-float64(b[k])) > 3 {
			t.Errorf("%s: value %d is %d, want %d", at, k, b[k], v)
		}
	}
}
