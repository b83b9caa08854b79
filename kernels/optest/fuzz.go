// SPDX-License-Identifier: BSD-3-Clause

package optest

import (
	"math/rand/v2"
	"testing"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/kernels/ref"
)

// FuzzPrograms compares devices with the definition of each operation, bit for bit, on programs of any of them, operands and layouts that
// are made from a byte string: lengths from 0 on, any alignment, operands that end at a page that is not there. open returns the
// devices, which it closes again.
func FuzzPrograms(f *testing.F, open func() []kernels.Device) {
	ops := realOps()
	fuzz(f, open, func(t *testing.T, rng *rand.Rand, devices []*suite) {
		p, shape, ls := randomProgram(t, rng, ops)
		seed := rng.Uint64()
		for _, s := range devices {
			if k := s.compile(t, p, "program"); k != nil {
				s.checkBox(t, k, p, s.dev.Name(), shape, ls, seed)
			}
		}
	})
}

// FuzzFolds is FuzzPrograms for folds of what programs compute, compared with ref.
func FuzzFolds(f *testing.F, open func() []kernels.Device) {
	ops := realOps()
	fuzz(f, open, func(t *testing.T, rng *rand.Rand, devices []*suite) {
		oracle := ref.New()
		defer oracle.Close()
		c := devices[0].randomFolds(t, rng, 800, ops)
		for _, s := range devices {
			d := c
			d.what = s.dev.Name() + ": " + c.what
			s.compareFolds(t, oracle, d)
		}
	})
}

// realOps are the operations on real numbers that end without an error whatever they get.
func realOps() (names []string) {
	for _, o := range kernels.AllOps() {
		if o.Internal || o.ID == kernels.OpPower || o.ID == kernels.OpBitcast {
			continue
		}
		args := make([]dtype.DType, o.Arity)
		for i := range args {
			args[i] = dtype.Float64
		}
		if _, out, err := o.Signature(args); err != nil || !out.IsComplex() {
			names = append(names, o.Name)
		}
	}
	return names
}

// fuzz calls check with devices for each byte string.
func fuzz(f *testing.F, open func() []kernels.Device, check func(t *testing.T, rng *rand.Rand, devices []*suite)) {
	for seed := range uint64(40) {
		rng := rand.New(rand.NewPCG(seed, 41))
		b := make([]byte, 4+rng.IntN(60))
		for i := range b {
			b[i] = byte(rng.Uint32())
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var devices []*suite
		for _, dev := range open() {
			defer dev.Close()
			devices = append(devices, newSuite(t, dev))
		}
		check(t, rand.New(&choices{bytes: b, rest: rand.NewPCG(1, 2)}), devices)
	})
}

// choices are random numbers of which a byte each decides, as long as there are bytes: functions of rand look at the highest bits of a number
// or at the lowest.
type choices struct {
	bytes []byte
	rest  *rand.PCG
}

// Uint64 returns the next number.
func (c *choices) Uint64() uint64 {
	x := c.rest.Uint64()
	if len(c.bytes) == 0 {
		return x
	}
	b := uint64(c.bytes[0])
	c.bytes = c.bytes[1:]
	return b<<56 | x>>16<<8 | b
}
