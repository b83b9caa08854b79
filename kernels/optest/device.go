// SPDX-License-Identifier: BSD-3-Clause

package optest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/kernels"
)

// Device runs the whole suite on dev; it does not close it.
func Device(t *testing.T, dev kernels.Device) {
	t.Run("ops", func(t *testing.T) { newSuite(t, dev).ops(t) })
	t.Run("casts", func(t *testing.T) { newSuite(t, dev).casts(t) })
	t.Run("layouts", func(t *testing.T) { newSuite(t, dev).layouts(t) })
	t.Run("gather", func(t *testing.T) { newSuite(t, dev).gathers(t) })
	t.Run("programs", func(t *testing.T) { newSuite(t, dev).programs(t) })
	t.Run("folds", func(t *testing.T) { newSuite(t, dev).folds(t) })
	t.Run("continue", func(t *testing.T) { newSuite(t, dev).continued(t) })
	t.Run("combine", func(t *testing.T) { newSuite(t, dev).combines(t) })
	t.Run("scans", func(t *testing.T) { newSuite(t, dev).scans(t) })
	t.Run("products", func(t *testing.T) { newSuite(t, dev).products(t) })
}

// suite is one run of a part.
type suite struct {
	dev    kernels.Device
	guards guards
	refuse map[string]int // what the device does not support, by unit
}

func newSuite(t *testing.T, dev kernels.Device) *suite {
	s := &suite{dev: dev, guards: guards{t: t}, refuse: map[string]int{}}
	t.Cleanup(func() {
		for k, n := range s.refuse {
			t.Logf("%s: not supported by %s: %d cases", k, dev.Name(), n)
		}
	})
	return s
}

// compile returns the kernel of a unit, nil when the device refuses it.
func (s *suite) compile(t *testing.T, u kernels.Unit, what string) kernels.Kernel {
	k, err := s.dev.Compile(context.Background(), u)
	switch {
	case errors.Is(err, kernels.ErrUnsupported):
		s.refuse[what]++
		return nil
	case err != nil:
		t.Fatalf("compile %s: %v\n%v", what, err, u)
	}
	return k
}

// run runs a kernel; outputs keep their guards intact.
func (s *suite) run(k kernels.Kernel, c *kernels.Call) error {
	host := s.dev.Allocator().Space() == mem.Host
	call := *c
	if !host {
		call.In, call.Out = make([]*chunk.Chunk, len(c.In)), make([]*chunk.Chunk, len(c.Out))
		for i, h := range c.In {
			if err := s.copyNew(&call.In[i], h); err != nil {
				return err
			}
		}
		for i, h := range c.Out {
			if err := s.copyNew(&call.Out[i], h); err != nil {
				return err
			}
		}
	}
	scratch, err := s.dev.Allocator().Alloc(k.Scratch(c.Shape))
	if err != nil {
		return err
	}
	defer scratch.Release()
	call.Scratch = scratch
	if err := k.Run(context.Background(), &call); err != nil {
		return err
	}
	for i, h := range c.Out {
		if !host {
			if err := s.dev.Copy(context.Background(), h, call.Out[i]); err != nil {
				return err
			}
		}
		if !intact(h.Block.Bytes()) {
			return fmt.Errorf("output %d: bytes behind the last element were written", i)
		}
	}
	return nil
}

// copyNew sets *to to a copy of h in the device's space.
func (s *suite) copyNew(to **chunk.Chunk, h *chunk.Chunk) error {
	d, err := chunk.New(s.dev.Allocator(), h.DType, 0, h.Shape)
	if err != nil {
		return err
	}
	*to = d
	return s.dev.Copy(context.Background(), d, h)
}
