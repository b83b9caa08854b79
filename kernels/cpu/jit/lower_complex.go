// SPDX-License-Identifier: BSD-3-Clause

package jit

import (
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
)

// complexNeed is the need of the moves between complex64, whose elements are lanes of 8 bytes, or complex128, whose elements are pairs of
// such lanes, and their parts, or 0. Complex numbers have no other operations, see the package kernels.
func complexNeed(in, out dtype.DType) int {
	if in.IsComplex() {
		in, out = out, in
	}
	if in == dtype.Float32 && out == dtype.Complex64 || in == dtype.Float64 && out == dtype.Complex128 {
		return 8
	}
	return 0
}

// laneOf is lane for the elements of inputs and results.
func laneOf(d dtype.DType) int {
	if d.IsComplex() {
		return 8
	}
	return lane(d)
}

func (l *lowerer) real(in kernels.Inst) (val, int) {
	if l.argType(in, 0) == dtype.Complex128 {
		return l.pair[in.Args[0]][0], 0
	}
	return l.narrow(l.arg(in, 0), 8), 0
}

func (l *lowerer) imag(in kernels.Inst) (val, int) {
	if l.argType(in, 0) == dtype.Complex128 {
		return l.pair[in.Args[0]][1], 0
	}
	return l.narrow(l.shift(vpsrlq, 8, l.arg(in, 0), 32), 8), 0
}

func (l *lowerer) complex(in kernels.Inst) (val, int) {
	re, im := l.un(vpmovzxdq, 8, l.arg(in, 0)), l.un(vpmovzxdq, 8, l.arg(in, 1))
	return l.bin(vpor, 8, l.shift(vpsllq, 8, im, 32), re), 0
}

// Orders of the eight lanes of a vector of 64 bytes; with vectors of 32 bytes the same order, of four, goes both ways.
var (
	unzipped = [8]byte{0, 2, 4, 6, 1, 3, 5, 7}
	zipped   = [8]byte{0, 4, 1, 5, 2, 6, 3, 7}
)

// order puts lanes of 8 bytes in an order.
func (l *lowerer) order(x val, lanes [8]byte) val {
	if l.bytes == vectorBytes {
		return l.unImm(vpermq, 8, x, inOrder)
	}
	var b [poolBytes]byte
	for i, k := range lanes {
		b[8*i] = k
	}
	return l.bin(vpermpd, 8, l.vector(b), x)
}

// loadPair returns the parts of operand i, of complex128: of the two vectors that its elements take, what lies at even and at odd places.
func (l *lowerer) loadPair(i int, same bool) (parts [2]val) {
	kind := nodeLoad
	if same {
		kind = nodeSplat
	}
	for k := range parts {
		parts[k] = l.add(node{kind: kind, imm: -1, a: none, b: none, c: none, arg: int32(i), size: pairSize, half: uint8(k)})
	}
	if same {
		return parts
	}
	lo, hi := parts[0], parts[1]
	return [2]val{l.order(l.bin(vunpcklpd, 8, lo, hi), unzipped), l.order(l.bin(vunpckhpd, 8, lo, hi), unzipped)}
}

// storePair stores parts as result i, of complex128.
func (l *lowerer) storePair(i int, parts [2]val) {
	re, im := l.order(parts[0], zipped), l.order(parts[1], zipped)
	for k, op := range []vop{vunpcklpd, vunpckhpd} {
		l.add(node{kind: nodeStore, imm: -1, a: l.bin(op, 8, re, im), b: none, c: none, arg: int32(i), size: pairSize, half: uint8(k)})
	}
}
