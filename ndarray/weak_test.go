// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
)

// literal returns the Go number of a Python literal.
func literal(s string) any {
	switch s {
	case "True":
		return true
	case "False":
		return false
	}
	if i, err := strconv.ParseInt(s, 10, 64); err == nil {
		return i
	}
	if u, err := strconv.ParseUint(s, 10, 64); err == nil {
		return u
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		panic(err)
	}
	return f
}

// TestWeakNumbers compares the dtypes of arrays beside Go numbers with what NumPy makes
// of Python's (testdata/weak.txt).
func TestWeakNumbers(t *testing.T) {
	f, err := os.Open("testdata/weak.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	arrays := map[string]Array{}
	bad := 0
	for s := bufio.NewScanner(f); s.Scan(); {
		c := strings.Fields(s.Text())
		a, ok := arrays[c[1]]
		if !ok {
			dt, err := dtype.Parse(c[1])
			if err != nil {
				t.Fatal(err)
			}
			a = zeros(dt, chunk.Shape{1})
			arrays[c[1]] = a
		}
		v := literal(c[2])
		left, right := []any{a, v}, []any{v, a}
		if c[0] == "where" {
			left, right = append([]any{true}, left...), append([]any{true}, right...)
		}
		for i, args := range [][]any{left, right} {
			r := Apply(c[0], args...)
			got := r.DType().String()
			if r.Err() != nil {
				got = "error"
			}
			if want := c[3+i]; got != want {
				if bad++; bad <= 40 {
					t.Errorf("%s(%s) on side %d is %s, want %s (%v)", c[0], fmt.Sprint(c[1], ", ", c[2]), i, got, want, r.Err())
				}
			}
		}
	}
	if bad > 40 {
		t.Errorf("%d cases differ", bad)
	}
}
