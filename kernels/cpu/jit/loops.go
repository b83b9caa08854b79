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
	Width  int            // lanes, runs: groups of 32 elements; rows: columns, a multiple of 4
	Stride int            // bytes between rows or runs
	Rows   int            // how many; of a rows loop, a multiple of 8, or below 8
	Mask   unsafe.Pointer // of a runs loop, a RunMask
	Quads  int            // of a runs loop: whole groups of 4 elements behind those of 32, Width
	Part   int            // of a runs loop: whether part of one follows; 0 for elements of less than 4 bytes
	Sum    unsafe.Pointer // float64: of a runs loop of squares, the sums; written before Acc, which it may be
}

// RunMask describes the last elements of runs.
type RunMask struct {
	Load   [4]int64 // a mask of the partial group's elements: four of the elements' size, packed
	Lanes  [4]int64 // a mask of its lanes
	Number float64  // elements of a run
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

	maskLanes  = 32
	maskNumber = 64
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
//	count, nonzero lanes: returns how many of x are not NaN, not 0 (of integers: how many are 0); rows: acc[i] (int64) counts them
//	any, all       rows of bool: acc[i] |= x[i], acc[i] &= x[i]
//	turn tiles     see turn
//	argmin, argmax, nanargmin, nanargmax  rows: see args; Mean are the places, Quads the bytes between their rows, Width a multiple of 4
//
// Each name is followed by the loop's form: " lanes" (element i of groups of 32 goes to accumulator i; where
// accumulators are of dtype d, and for count, a group is 128 bytes and there are at most 4096 elements), " rows" (column i goes to
// accumulator i, rows in order; where accumulators are of dtype d, Width is a multiple of 32 bytes) or " runs" (each run is a block
// of its own; of sums and squares).
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
	if code := loopCode(name, d); code != nil {
		if at, err := c.install(code); err == nil {
			l = &Loop{at}
		}
	}
	c.loops[key] = l
	return l
}

// writer emits a loop. Registers: RBX the accumulators, R8 the elements, R9 counts, R10 means, RDX and RCX what is left to do.
type writer struct {
	assembler
	pool [][poolBytes]byte
}

const (
	rAcc  = rBX
	rX    = r8
	rCnt  = r9
	rMean = r10
	rRow  = r11 // the fourth row behind rX
	rStep = r12 // the stride
	rTrip = r13 // three times the stride
	rHere = rSI // the row at work
	rLeft = rCX // rows that are left
)

// quad tells how four elements of a dtype become four 64-bit lanes: one conversion from memory, or two.
type quad struct {
	first, then vop // then: vopCount for none
}

// The conversions of four elements from memory; a missing one is vopCount.
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

// quad loads four elements into register r.
func (w *writer) quad(q quad, r int, x operand) {
	if q.then == vopCount {
		w.vex(&opcodes[q.first], 1, r, 0, x)
		return
	}
	w.vex(&opcodes[q.first], 0, r, 0, x)
	w.vex(&opcodes[q.then], 1, r, 0, reg(r))
}

// sub takes n off a general register and sets the flags.
func (w *writer) sub(r, n int) {
	w.b = append(w.b, 0x48|byte(r>>3), 0x83, 0xE8|byte(r&7), byte(n))
}

func (w *writer) op(o vop, d, a int, x operand) { w.vex(&opcodes[o], 1, d, a, x) }

// loopCode returns the code of a loop, nil where there is none.
func loopCode(name string, d dtype.DType) []byte {
	name, form, _ := strings.Cut(name, " ")
	w := &writer{}
	if !w.sums(name, form, d) && !w.extremes(name, form, d) && !w.counts(name, form, d) && !w.args(name, form, d) && !w.turn(name, form, d) {
		return nil
	}
	w.finish(w.pool)
	return w.b
}

// sums emits a loop that accumulates in 64 bits.
func (w *writer) sums(name, form string, d dtype.DType) bool {
	s, ok := steps[name]
	if !ok {
		return false
	}
	q, ok := s.from[d]
	if !ok || s.skip && !d.IsFloat() {
		return false
	}
	if !d.IsFloat() && name == "sum" {
		s.add = vpaddq
	}
	switch form {
	case "lanes":
		w.lanes(s, q, d.Size())
	case "rows":
		w.rows(func(n int) { w.panel(s, q, d.Size(), n) })
	case "runs":
		w.runs(s, q, d)
	default:
		return false
	}
	return true
}

// step is what a loop does to four elements.
type step struct {
	from   map[dtype.DType]quad
	add    vop
	skip   bool // NaN left out
	square bool // the squared difference from the mean
	count  bool // how many numbers there are
}

var steps = map[string]step{
	"sum":       {toWide, vaddpd, false, false, false},
	"nansum":    {toFloat, vaddpd, true, false, false},
	"mean":      {toFloat, vaddpd, false, false, false},
	"nanmean":   {toFloat, vaddpd, true, false, true},
	"square":    {toFloat, vaddpd, false, true, false},
	"nansquare": {toFloat, vaddpd, true, true, true},
}

// Registers of the loops beside the accumulators.
const (
	yTake = 13 // minus how many numbers, by lane
	yMean = 14
)

// quadStep adds four elements at x to register acc; t and m are free registers.
func (w *writer) quadStep(s step, q quad, acc, t, m int, x operand) {
	if !s.skip && !s.square && q.first == vmovupsLoad {
		w.op(s.add, acc, acc, x)
		return
	}
	w.quad(q, t, x)
	if s.skip {
		w.vex(&opcodes[vcmppd], 1, m, t, reg(t), isOrdered)
	}
	if s.square {
		w.op(vsubpd, t, t, reg(yMean))
		w.op(vmulpd, t, t, reg(t))
	}
	if s.skip {
		w.op(vandpd, t, t, reg(m))
		if s.count && !s.square {
			w.op(vpaddq, yTake, yTake, reg(m))
		}
	}
	w.op(s.add, acc, acc, reg(t))
}

// farAhead is how many bytes before their use elements are asked for: a page, which is as far as the processor's own
// prefetching looks.
const farAhead = 4096

// ahead asks for the elements that the loop will come to, of those whose conversion leaves the processor too few loads in
// sight to keep memory busy: into the second-level cache, whose misses are more at a time than the first one's. at is the memory
// of quad k of 32 elements.
func (w *writer) ahead(k, size int, at operand) {
	if 4*k*size%cacheLine != 0 {
		return
	}
	at.disp += farAhead
	w.prefetch(2, at)
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
	for k := range 8 {
		w.op(vmovupsLoad, k, 0, memAt(rAcc, int32(32*k)))
	}
	w.op(vpxor, yTake, yTake, reg(yTake))
	w.align(32)
	top := len(w.b)
	for k := range 8 {
		t := 8 + k%2*2
		at := memAt(rX, int32(4*k*size))
		w.ahead(k, size, at)
		w.quadStep(s, q, k, t, t+1, at)
	}
	w.lea(rX, memAt(rX, int32(32*size)))
	w.sub(rCount, 1)
	w.to(w.jump(ifNotZero), top)
	for k := range 8 {
		w.vex(&opcodes[vmovupsStore], 1, k, 0, memAt(rAcc, int32(32*k)))
	}
	w.total()
	w.ret()
}

// total puts minus the sum of the lanes of yTake into RAX.
func (w *writer) total() {
	w.vex(&opcodes[vextracti128], 1, yTake, 0, reg(8), 1)
	w.vex(&opcodes[vpaddq], 0, 8, 8, reg(yTake))
	w.vex(&opcodes[vpshufd], 0, 9, 0, reg(8), 0x4E)
	w.vex(&opcodes[vpaddq], 0, 8, 8, reg(9))
	w.vex(&opcodes[vmovqGet], 0, 8, 0, reg(rAX))
	w.b = append(w.b, 0x48, 0xF7, 0xD8) // neg rax
}

// rows is
//
//	for r := range rows { for i := range width { acc[i] += f(x[r*stride+i]) } }
//
// with count[i] raised for each number when those are counted. Eight rows (or what is below eight) share one load and store of
// the accumulators.
//
// The row at work and what is left stay in registers: an address behind the elements may never be in memory that the garbage
// collector sees.
func (w *writer) rows(panel func(rows int)) {
	w.load(rHere, memAt(rArgs, argX))
	w.load(rLeft, memAt(rArgs, argRows))
	w.b = append(w.b, 0x48, 0x83, 0xF9, 8) // cmp rcx, 8
	few := w.jump(ifBelow)
	next := len(w.b)
	panel(8)
	w.lea(rHere, memIndexed(rHere, rStep, 3, 0))
	w.sub(rLeft, 8)
	w.to(w.jump(ifNotZero), next)
	w.ret()
	w.land(few)
	// One to seven rows, by fours, twos and one.
	for k, scale := 4, uint8(2); k > 0; k, scale = k/2, scale-1 {
		w.b = append(w.b, 0xF6, 0xC1, byte(k)) // test cl, k
		skip := w.jump(ifZero)
		panel(k)
		if k > 1 {
			w.lea(rHere, memIndexed(rHere, rStep, scale, 0))
		}
		w.land(skip)
	}
	w.ret()
}

// rowAt is the memory of row k of a panel.
func rowAt(k int) operand {
	base := rX
	if k >= 4 {
		base = rRow
	}
	switch k % 4 {
	case 1:
		return memIndexed(base, rStep, 0, 0)
	case 2:
		return memIndexed(base, rStep, 1, 0)
	case 3:
		return memIndexed(base, rTrip, 0, 0)
	}
	return memAt(base, 0)
}

// panel adds n rows to all columns.
func (w *writer) panel(s step, q quad, size, n int) {
	w.load(rAcc, memAt(rArgs, argAcc))
	w.lea(rX, memAt(rHere, 0))
	w.load(rStep, memAt(rArgs, argStride))
	w.load(rCount, memAt(rArgs, argWidth))
	counted := s.count && !s.square
	if counted {
		w.load(rCnt, memAt(rArgs, argCount))
	}
	if s.square {
		w.load(rMean, memAt(rArgs, argMean))
	}
	w.lea(rTrip, memIndexed(rStep, rStep, 1, 0))
	w.lea(rRow, memIndexed(rX, rStep, 2, 0))
	w.align(32)
	top := len(w.b)
	w.op(vmovupsLoad, 0, 0, memAt(rAcc, 0))
	if s.square {
		w.op(vmovupsLoad, yMean, 0, memAt(rMean, 0))
	}
	if counted {
		w.op(vpxor, yTake, yTake, reg(yTake))
	}
	for k := range n {
		x := rowAt(k)
		t := 1 + k%4*2
		w.quadStep(s, q, 0, t, t+1, x)
	}
	w.vex(&opcodes[vmovupsStore], 1, 0, 0, memAt(rAcc, 0))
	w.lea(rAcc, memAt(rAcc, 32))
	if s.square {
		w.lea(rMean, memAt(rMean, 32))
	}
	if counted {
		w.op(vmovupsLoad, 1, 0, memAt(rCnt, 0))
		w.op(vpsubq, 1, 1, reg(yTake))
		w.vex(&opcodes[vmovupsStore], 1, 1, 0, memAt(rCnt, 0))
		w.lea(rCnt, memAt(rCnt, 32))
	}
	w.lea(rX, memAt(rX, int32(4*size)))
	w.lea(rRow, memAt(rRow, int32(4*size)))
	w.sub(rCount, 4)
	w.to(w.jump(ifNotZero), top)
}
