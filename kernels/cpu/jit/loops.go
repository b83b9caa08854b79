// SPDX-License-Identifier: BSD-3-Clause

package jit

import (
	"strings"
	"unsafe"

	"github.com/arrayrun/arrayrun/chunk/dtype"
)

// LoopArgs is what a Loop works on.
type LoopArgs struct {
	Acc    unsafe.Pointer // accumulators: 32 of a lanes loop, Width of a rows loop; results of a runs loop
	X      unsafe.Pointer // the first element
	Count  unsafe.Pointer // int64: of rows and runs loops of nanmean and nansquare, what they took
	Mean   unsafe.Pointer // float64: one for a lanes loop, Width for a rows loop
	Width  int            // lanes, runs: groups of 32 elements, of extremes of 128 bytes; rows: columns, a multiple of 4
	Stride int            // bytes between rows or runs
	Rows   int            // how many
	Mask   unsafe.Pointer // of a runs loop, a RunMask
	Quads  int            // of a runs loop: whole groups of 4 elements behind those of 32, Width; extremes: see extremeRuns
	Part   int            // of a runs loop: how many elements follow those; 0 for elements of less than 4 bytes; of a rows loop: 1 for rows without gaps
	Sum    unsafe.Pointer // float64: of a runs loop of squares, the sums; written before Acc, which it may be
	Next   int            // of a rows loop: bytes from the last eight whole rows to what is folded next
}

// RunMask describes the last elements of runs.
type RunMask struct {
	Load   [4]int64 // a mask of the partial group's elements: four of the elements' size, packed
	Lanes  [4]int64 // a mask of its lanes
	Number float64  // elements of a run
	Bits   uint64   // a bit for each of the elements behind the groups of 32
}

// Offsets of LoopArgs.
const (
	argAcc = 8 * iota
	argX
	argCount
	argMean
	argWidth
	argStride
	argRows
	argMask
	argQuads
	argPart
	argSum
	argNext

	maskLanes  = 32
	maskNumber = 64
	maskBits   = 72
)

// Loop is the machine code of one step of a fold.
type Loop struct{ entry uintptr }

// Run runs the loop on *LoopArgs. What it returns depends on the loop.
func (l *Loop) Run(args unsafe.Pointer) int { return enter(l.entry, (*unsafe.Pointer)(args), 0, nil) }

// loopKey names a loop.
type loopKey struct {
	name string
	d    dtype.DType
}

// Loop returns the machine code of a fold's loop over values of dtype d, or nil where there is none:
//
//	sum, nansum    acc[i] += x[i]; NaN left out
//	mean, nanmean  the same, accumulated in float64 whatever d is; lanes of nanmean: returns how many numbers there were
//	square, nansquare  acc[i] += (x[i] - mean)^2
//	min, max       acc[i] = min(acc[i], x[i]): NaN wins, -0 is below +0
//	nanmin, nanmax NaN stands for nothing, in acc too (rows); lanes: acc holds none; returns whether there were numbers
//	count, nonzero lanes: returns how many of x are not NaN, not 0 (of integers: how many are 0); rows: acc[i] (int64) counts them, of complex numbers too
//	any, all       see truths
//	prod, nanprod  of floats: acc[i] *= x[i] in float64; prod of integers (no runs) in 64 bits; of complex numbers see complexProd
//	turn tiles     see turn
//	widen lanes    see widen
//	product tile   see product
//	reverse row, second row  see strided
//	argmin, argmax, nanargmin, nanargmax  see firsts; rows: see args; Mean are the places, Quads the bytes between their rows, Width a multiple of 8
//
// Each name is followed by the loop's form: " lanes" (element i of groups of 32 goes to accumulator i; where
// accumulators are of dtype d, and for count, a group is 128 bytes and there are at most 4096 elements), " rows" (column i goes to
// accumulator i, rows in order; where accumulators are of dtype d, Width is a multiple of 32 bytes) or " runs" (each run is a block
// of its own; of sums, squares and extremes), of extremes also " short1" to " short4": see shorts.
func (c *Compiler) Loop(name string, d dtype.DType) *Loop {
	key := loopKey{name, d}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return nil
	}
	if l, ok := c.loops[key]; ok {
		return l
	}
	var l *Loop
	if code := loopCode(name, d, c.bytes); code != nil {
		if at, err := c.install(code); err == nil {
			l = &Loop{at}
		}
	}
	c.loops[key] = l
	return l
}

// writer emits a loop. Registers: RBX the accumulators, R8 the elements, R9 counts, R10 means, RDX and RCX what is left to do.
type writer struct {
	coder
	pool    [][poolBytes]byte
	gapless bool // the panel at work is a row that others follow without gaps
}

const (
	rAcc   = rBX
	rX     = r8
	rCnt   = r9
	rMean  = r10
	rRow   = r11 // the fourth row behind rX
	rStep  = r12 // the stride
	rTrip  = r13 // three times the stride
	rHere  = rSI // the row at work
	rLeft  = rCX // rows that are left
	rAhead = r15 // a row that is asked for
)

// quad tells how elements of a dtype become 64-bit lanes, four in a vector of 32 bytes: one conversion from memory, or two.
type quad struct {
	first, then vop // then: vopCount for none
}

// The conversions from memory; a missing one is vopCount.
var (
	toWide = map[dtype.DType]quad{
		dtype.Float32: {vcvtps2pd, vopCount}, dtype.Float64: {vmovupsLoad, vopCount},
		dtype.Int8: {vpmovsxbq, vopCount}, dtype.Int16: {vpmovsxwq, vopCount}, dtype.Int32: {vpmovsxdq, vopCount}, dtype.Int64: {vmovupsLoad, vopCount},
		dtype.Bool: {vpmovzxbq, vopCount}, dtype.Uint8: {vpmovzxbq, vopCount}, dtype.Uint16: {vpmovzxwq, vopCount}, dtype.Uint32: {vpmovzxdq, vopCount}, dtype.Uint64: {vmovupsLoad, vopCount},
	}
	toFloat = map[dtype.DType]quad{
		dtype.Float32: {vcvtps2pd, vopCount}, dtype.Float64: {vmovupsLoad, vopCount},
		dtype.Int8: {vpmovsxbd, vcvtdq2pd}, dtype.Int16: {vpmovsxwd, vcvtdq2pd}, dtype.Int32: {vcvtdq2pd, vopCount},
		dtype.Bool: {vpmovzxbd, vcvtdq2pd}, dtype.Uint8: {vpmovzxbd, vcvtdq2pd}, dtype.Uint16: {vpmovzxwd, vcvtdq2pd},
	}
)

// quad loads as many elements as a vector has 64-bit lanes into register r; p, of vectors of 64 bytes only, says which.
func (w *writer) quad(q quad, r int, x operand, p predicate) {
	if q.first == vmovupsLoad && p != all { // whose predicate is of 32-bit lanes
		q.first = vmovupdLoad
	}
	if q.then == vopCount {
		w.some(q.first, w.full, r, 0, x, p)
		return
	}
	w.some(q.first, w.full-1, r, 0, x, p)
	w.op(q.then, r, 0, reg(r))
}

// sub takes n off a general register and sets the flags.
func (w *writer) sub(r, n int) {
	w.b = append(w.b, 0x48|byte(r>>3), 0x83, 0xE8|byte(r&7), byte(n))
}

// op emits an instruction on whole vectors, some one with a predicate, which vectors of 32 bytes do not have.
func (w *writer) op(o vop, d, a int, x operand, imm ...byte) { w.ins(o, w.full, d, a, x, imm...) }

func (w *writer) some(o vop, l uint8, d, a int, x operand, p predicate, imm ...byte) {
	if p == all {
		w.ins(o, l, d, a, x, imm...)
		return
	}
	w.evex(o, l, d, a, x, p, imm...)
}

// lanes64 is how many 64-bit lanes a vector has.
func (w *writer) lanes64() int { return w.bytes / 8 }

// loopCode returns the code of a loop with vectors of so many bytes at most, nil where there is none.
func loopCode(name string, d dtype.DType, bytes int) []byte {
	name, form, _ := strings.Cut(name, " ")
	w := &writer{}
	for _, emit := range []func(name, form string, d dtype.DType) bool{w.sums, w.extremes, w.counts, w.args, w.firsts, w.truths, w.complexProd, w.turn, w.widen, w.strided, w.product} {
		w.width = widthOf(bytes)
		if emit(name, form, d) {
			w.finish(w.pool)
			return w.b
		}
	}
	return nil
}

// sums emits a loop that accumulates in 64 bits.
func (w *writer) sums(name, form string, d dtype.DType) bool {
	s, ok := steps[name]
	if !ok || s.skip && !d.IsFloat() {
		return false
	}
	if whole, ok := wholeSteps[name]; ok && !d.IsFloat() {
		s = whole
	}
	q, ok := s.from[d]
	if !ok {
		return false
	}
	switch form {
	case "lanes":
		w.lanes(s, q, d.Size())
	case "rows":
		w.rows(func(n int) { w.panel(s, q, d.Size(), n) })
	case "runs":
		if s.add == vpmullq {
			return false
		}
		w.runs(s, q, d)
	default:
		return false
	}
	return true
}

// step is what a loop does to the elements of a vector.
type step struct {
	from   map[dtype.DType]quad
	add    vop
	skip   bool // NaN left out
	square bool // the squared difference from the mean
	count  bool // how many numbers there are
}

// unit reports whether accumulators begin with 1, and what is left out is 1.
func (s step) unit() bool { return s.add == vmulpd }

var steps = map[string]step{
	"sum":       {toWide, vaddpd, false, false, false},
	"nansum":    {toFloat, vaddpd, true, false, false},
	"mean":      {toFloat, vaddpd, false, false, false},
	"nanmean":   {toFloat, vaddpd, true, false, true},
	"square":    {toFloat, vaddpd, false, true, false},
	"nansquare": {toFloat, vaddpd, true, true, true},
	"prod":      {toFloat, vmulpd, false, false, false},
	"nanprod":   {toFloat, vmulpd, true, false, false},
}

// wholeSteps are the steps of integers, which accumulate in 64 bits and wrap.
var wholeSteps = map[string]step{
	"sum":  {toWide, vpaddq, false, false, false},
	"prod": {toWide, vpmullq, false, false, false},
}

// Registers of the loops beside the accumulators.
const (
	yTake = 13 // minus how many numbers, by lane
	yMean = 14
	yUnit = 14 // of products: ones as float64
	yOnes = 31 // of vectors of 64 bytes: ones
)

// quadStep adds the elements at x to register acc; t and m are free registers.
func (w *writer) quadStep(s step, q quad, acc, t, m int, x operand) {
	if !s.skip && !s.square && q.first == vmovupsLoad && (s.add != vpmullq || w.bytes > vectorBytes) {
		w.op(s.add, acc, acc, x)
		return
	}
	if w.bytes > vectorBytes {
		w.maskedStep(s, q, acc, t, x, 0)
		return
	}
	w.quad(q, t, x, all)
	if s.add == vpmullq {
		w.multiplyWhole(acc, t, m)
		return
	}
	if s.skip {
		w.op(vcmppd, m, t, reg(t), isOrdered)
	}
	if s.square {
		w.op(vsubpd, t, t, reg(yMean))
		w.op(vmulpd, t, t, reg(t))
	}
	if s.skip {
		w.only(s, t, m)
		if s.count && !s.square {
			w.op(vpaddq, yTake, yTake, reg(m))
		}
	}
	w.op(s.add, acc, acc, reg(t))
}

// multiplyWhole is acc *= x of 64-bit integers with vectors of 32 bytes, which multiply 32 bits: the product of the lower halves, and the lower half of the two
// mixed ones where the upper half is. m is free.
func (w *writer) multiplyWhole(acc, x, m int) {
	const mixed = yMean
	w.op(vpsrlq, int(opcodes[vpsrlq].ext), m, reg(acc), 32)
	w.op(vpmuludq, m, m, reg(x))
	w.op(vpsrlq, int(opcodes[vpsrlq].ext), mixed, reg(x), 32)
	w.op(vpmuludq, mixed, mixed, reg(acc))
	w.op(vpaddq, m, m, reg(mixed))
	w.op(vpsllq, int(opcodes[vpsllq].ext), m, reg(m), 32)
	w.op(vpmuludq, acc, acc, reg(x))
	w.op(vpaddq, acc, acc, reg(m))
}

// only leaves the lanes of m in t; the others change nothing.
func (w *writer) only(s step, t, m int) {
	w.op(vandpd, t, t, reg(m))
	if s.unit() {
		w.op(vandnpd, m, m, reg(yUnit))
		w.op(vorpd, t, t, reg(m))
	}
}

// maskedStep is quadStep with vectors of 64 bytes, of the lanes that mask register k names, 0 for all. What is left out is not added,
// which gives the bits of adding 0: accumulators are never -0.
func (w *writer) maskedStep(s step, q quad, acc, t int, x operand, k uint8) {
	w.quad(q, t, x, predicate{k, k > 0})
	p := predicate{k: k}
	if s.skip {
		w.some(vcmppd, w.full, yes, t, reg(t), p, isOrdered)
		p.k = yes
	}
	switch {
	case s.square:
		w.op(vsubpd, t, t, reg(yMean))
		w.op(vmulpd, t, t, reg(t))
	case s.count:
		w.some(vpaddq, w.full, yTake, yTake, reg(yOnes), p)
	}
	w.some(s.add, w.full, acc, acc, reg(t), p)
}

// begin sets registers that the steps count on.
func (w *writer) begin(s step) {
	if s.unit() {
		w.constant(yUnit, 8, oneBits)
	}
	if s.count && w.bytes > vectorBytes {
		w.evex(vpternlogd, w.full, yOnes, yOnes, reg(yOnes), all, 0xFF)
	}
}

// oneBits is 1 as float64.
const oneBits = 0x3FF0000000000000

// farAhead is how many bytes before their use elements are asked for: a page, which is as far as the processor's own
// prefetching looks.
const farAhead = 4096

// ahead asks for the elements that the loop will come to, of those whose conversion leaves the processor too few loads in
// sight to keep memory busy: into the second-level cache, whose misses are more at a time than the first one's. at is the memory
// of n elements from number first of a group on.
func (w *writer) ahead(first, n, size int, at operand) {
	for k := first * size; k < (first+n)*size; k++ {
		if k%cacheLine == 0 {
			w.prefetch(2, operand{kind: at.kind, reg: at.reg, index: at.index, scale: at.scale, disp: at.disp + int32(k-first*size) + farAhead})
		}
	}
}

const cacheLine = 64

// lanes is
//
//	for ; width > 0; width-- { for i := range 32 { acc[i] += f(x[i]) }; x = x[32:] }
//
// and returns how many elements were numbers when those are counted.
func (w *writer) lanes(s step, q quad, size int) {
	w.load(rAcc, memAt(rArgs, argAcc))
	w.load(rX, memAt(rArgs, argX))
	w.load(rCount, memAt(rArgs, argWidth))
	if s.square {
		w.load(rMean, memAt(rArgs, argMean))
		w.op(vbroadcastsd, yMean, 0, memAt(rMean, 0))
	}
	w.begin(s)
	n := w.lanes64()
	for k := range 32 / n {
		w.op(vmovupsLoad, k, 0, memAt(rAcc, int32(w.bytes*k)))
	}
	w.op(vpxor, yTake, yTake, reg(yTake))
	w.align(32)
	top := len(w.b)
	for k := range 32 / n {
		t := 8 + k%2*2
		at := memAt(rX, int32(n*k*size))
		w.ahead(n*k, n, size, at)
		w.quadStep(s, q, k, t, t+1, at)
	}
	w.lea(rX, memAt(rX, int32(32*size)))
	w.sub(rCount, 1)
	w.to(w.jump(ifNotZero), top)
	for k := range 32 / n {
		w.op(vmovupsStore, k, 0, memAt(rAcc, int32(w.bytes*k)))
	}
	w.total()
	w.ret()
}

// total puts minus the sum of the lanes of yTake into RAX.
func (w *writer) total() {
	if w.bytes > vectorBytes {
		w.op(vextractf64x4, yTake, 0, reg(8), 1)
		w.vex(&opcodes[vpaddq], 1, yTake, 8, reg(yTake))
	}
	w.vex(&opcodes[vextracti128], 1, yTake, 0, reg(8), 1)
	w.vex(&opcodes[vpaddq], 0, 8, 8, reg(yTake))
	w.vex(&opcodes[vpshufd], 0, 9, 0, reg(8), 0x4E)
	w.vex(&opcodes[vpaddq], 0, 8, 8, reg(9))
	w.vex(&opcodes[vmovqGet], 0, 8, 0, reg(rAX))
	w.b = append(w.b, 0x48, 0xF7, 0xD8) // neg rax
}
