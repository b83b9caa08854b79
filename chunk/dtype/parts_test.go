// SPDX-License-Identifier: BSD-3-Clause

package dtype

import "testing"

func TestParts(t *testing.T) {
	for _, c := range []struct{ d, part, wide DType }{
		{Float16, Float16, Complex64}, {Float32, Float32, Complex64}, {Float64, Float64, Complex128},
		{Complex64, Float32, Complex64}, {Complex128, Float64, Complex128},
	} {
		if got := c.d.Part(); got != c.part {
			t.Errorf("%v: parts of %v, want %v", c.d, got, c.part)
		}
		if got := c.d.Complex(); got != c.wide {
			t.Errorf("%v: as complex %v, want %v", c.d, got, c.wide)
		}
	}
}
