// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"
)

// TestComplexWithNumbers: a real number that is written in an expression takes a complex array's dtype, as in NumPy 2.
func TestComplexWithNumbers(t *testing.T) {
	z := filepath.Join(t.TempDir(), "z.npy")
	head := append([]byte("\x93NUMPY\x01\x00\x76\x00"), fmt.Sprintf("%-117s\n", "{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }")...)
	value := binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(nil, math.Float32bits(-2)), math.Float32bits(1.7320508))
	if err := os.WriteFile(z, append(head, value...), 0o666); err != nil {
		t.Fatal(err)
	}
	for expr, want := range map[string]string{
		"z / 50":                  "[-0.04+0.03464102j]\n",
		"z + 1":                   "[-1.+1.7320508j]\n",
		"2 - z":                   "[4.-1.7320508j]\n",
		"z * 2.5":                 "[-5.+4.330127j]\n",
		"where(z.real > 0, z, 0)": "[0.+0.j]\n",
		"z == -2":                 "[False]\n",
		"(z * True).real":         "[-2.]\n",
	} {
		if code, out, errs := arrayrun(t, "eval", expr, "z="+z); code != exitDone || out != want {
			t.Errorf("%s: exit %d, %q, want %q; %s", expr, code, out, want, errs)
		}
	}
}
