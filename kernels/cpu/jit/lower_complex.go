// SPDX-License-Identifier: BSD-3-Clause

package jit

import (
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
)

// complexNeed is the need of the moves between complex64, whose elements are lanes of 8 bytes, and its parts, or 0. Complex numbers
// have no other operations, see the package kernels.
func complexNeed(in, out dtype.DType) int {
	if in == dtype.Complex64 && out == dtype.Float32 || in == dtype.Float32 && out == dtype.Complex64 {
		return 8
	}
	return 0
}

// laneOf is lane for the elements of inputs and results.
func laneOf(d dtype.DType) int {
	if d == dtype.Complex64 {
		return d.Size()
	}
	return lane(d)
}

func (l *lowerer) real(in kernels.Inst) (val, int) { return l.narrow(l.arg(in, 0), 8), 0 }

func (l *lowerer) imag(in kernels.Inst) (val, int) {
	return l.narrow(l.shift(vpsrlq, 8, l.arg(in, 0), 32), 8), 0
}

func (l *lowerer) complex(in kernels.Inst) (val, int) {
	re, im := l.un(vpmovzxdq, 8, l.arg(in, 0)), l.un(vpmovzxdq, 8, l.arg(in, 1))
	return l.bin(vpor, 8, l.shift(vpsllq, 8, im, 32), re), 0
}
