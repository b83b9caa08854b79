// SPDX-License-Identifier: BSD-3-Clause

package dtype

import (
	"errors"
	"os"
	"strings"
	"testing"
)

// TestPromoteGolden compares the table with NumPy's; testdata/promote.py writes the file.
func TestPromoteGolden(t *testing.T) {
	text, err := os.ReadFile("testdata/promote.txt")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.Fields(line)
		a, errA := Parse(f[0])
		b, errB := Parse(f[1])
		want, errC := Parse(f[2])
		if err := errors.Join(errA, errB, errC); err != nil {
			t.Fatal(err)
		}
		if got, err := Promote(a, b); err != nil || got != want {
			t.Errorf("Promote(%v, %v) = %v, %v, want %v", a, b, got, err, want)
		}
		n++
	}
	if n != 14*14 {
		t.Errorf("%d pairs compared, want %d", n, 14*14)
	}
}

func TestPromoteLaws(t *testing.T) {
	for a := Bool; a <= Complex128; a++ {
		for b := Bool; b <= Complex128; b++ {
			ab, err := Promote(a, b)
			if err != nil || ab == Invalid {
				t.Fatalf("Promote(%v, %v) = %v, %v", a, b, ab, err)
			}
			if ba, _ := Promote(b, a); ba != ab {
				t.Errorf("Promote(%v, %v) = %v, but the other way round %v", a, b, ab, ba)
			}
			if again, _ := Promote(ab, a); again != ab {
				t.Errorf("Promote(%v, %v) = %v is not a fixed point: with %v it gives %v", a, b, ab, a, again)
			}
		}
	}
	for _, pair := range [][2]DType{{Raw, Int8}, {String, Float64}, {Raw, String}, {Invalid, Invalid}, {Invalid, Bool}} {
		if _, err := Promote(pair[0], pair[1]); !errors.Is(err, ErrPromote) {
			t.Errorf("Promote(%v, %v): error %v, want ErrPromote", pair[0], pair[1], err)
		}
	}
	if d, err := Promote(String, String); err != nil || d != String {
		t.Errorf("Promote(str, str) = %v, %v", d, err)
	}
}
