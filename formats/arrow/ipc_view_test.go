// SPDX-License-Identifier: BSD-3-Clause

package arrow

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/formattest"
)

// viewTexts are the texts of testdata/make_views.py, null ones empty.
func viewTexts() []string {
	some := []string{"short", "exactly 12 b", "one of 13 byt", "", "", "a text that is longer than twelve bytes", "日本語の文字列です", "short"}
	out := make([]string, 50*len(some))
	for i := range out {
		if out[i] = some[i%8]; i%7 == 0 && i%8 != 3 {
			out[i] += fmt.Sprint(i)
		}
	}
	return out
}

// TestViews reads texts as views, compressed or not, in files of pyarrow and of Polars, whose schema only the footer has.
func TestViews(t *testing.T) {
	files, err := filepath.Glob("testdata/[vp]*s*.arrow")
	if err != nil || len(files) != 5 {
		t.Fatalf("files %v, %v, want 5", files, err)
	}
	want := viewTexts()
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		g, err := openBytes(b)
		if err != nil || len(g.Vars) != 4 {
			t.Errorf("%s: %v, %+v", name, err, g)
			continue
		}
		for _, v := range g.Vars {
			if v.Err != nil {
				t.Errorf("%s: %s: %v", name, v.Name, v.Err)
				continue
			}
			if v.Name == "n" {
				continue
			}
			c, err := formattest.ReadAll(context.Background(), v.Source)
			if err != nil {
				t.Errorf("%s: %s: %v", name, v.Name, err)
				continue
			}
			for i, w := range want {
				if got := string(formats.Text(c, int64(i))); got != w {
					t.Errorf("%s: %s[%d] = %q, want %q", name, v.Name, i, got, w)
					break
				}
			}
		}
	}
}

// TestViewsDamaged: views that lead outside their buffers are errors.
func TestViewsDamaged(t *testing.T) {
	b, err := os.ReadFile("testdata/views_None.arrow")
	if err != nil {
		t.Fatal(err)
	}
	view := append([]byte{13, 0, 0, 0}, "one "...) // the first of them lies at the start of buffer 0
	at := bytes.Index(b, view)
	if at < 0 {
		t.Fatal("no such view")
	}
	for _, damage := range [][]byte{{13, 0, 0, 0x7f}, {0xff, 0xff, 0xff, 0xff}, append(bytes.Clone(view), 9, 0, 0, 0), append(bytes.Clone(view), 0, 0, 0, 0, 0xff, 0xff, 0xff, 0x70)} {
		x := bytes.Clone(b)
		copy(x[at:], damage)
		g, err := openBytes(x)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := formattest.ReadAll(context.Background(), g.Vars[0].Source); !errors.Is(err, formats.ErrCorrupt) && !errors.Is(err, formats.ErrFormat) {
			t.Errorf("% x: %v, want an error", damage, err)
		}
	}
}

// TestNoRows: a table of pandas without rows has columns without elements.
func TestNoRows(t *testing.T) {
	b, err := os.ReadFile("testdata/empty.parquet")
	if err != nil {
		t.Fatal(err)
	}
	g, err := openBytes(b)
	if err != nil || len(g.Vars) != 2 {
		t.Fatalf("%v, %+v", err, g)
	}
	for _, v := range g.Vars {
		if v.Err != nil || fmt.Sprint(v.Source.Meta().Shape) != "[0]" {
			t.Errorf("%s: %v", v.Name, v.Err)
			continue
		}
		if _, err := formattest.ReadAll(context.Background(), v.Source); err != nil {
			t.Errorf("%s: %v", v.Name, err)
		}
	}
}
