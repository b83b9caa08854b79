// SPDX-License-Identifier: BSD-3-Clause

package sched

import (
	"context"
	"errors"
	"slices"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/cuda"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/sched/plan"
)

// gpuKernel is a stage's program on GPUs: its tiles go to them in turn. Which one computes a tile is nothing that the
// result shows.
type gpuKernel struct {
	s       *plan.Stage
	devs    []*cuda.Device
	kernels []kernels.Kernel // by device
}

// Scratch returns what the CPU's kernel needs: any of the devices may leave a call to it.
func (k *gpuKernel) Scratch(shape chunk.Shape) int64 { return k.kernels[0].Scratch(shape) }

// device returns the number of the device for what begins at a position of the loop: that of the tile, or the next that is not lost.
func (k *gpuKernel) device(at chunk.Shape) int {
	i := int64(0)
	for _, a := range k.s.Order {
		if axis := k.s.Tiles.Axes[a]; axis.Count() > 1 {
			i = i*axis.Count() + axis.Find(at[a])
		}
	}
	return k.next(i)
}

// next returns the number of the device whose turn number i is, or the next that is not lost.
func (k *gpuKernel) next(i int64) int {
	n := int64(len(k.devs))
	for off := range n {
		if d := (i + off) % n; !k.devs[d].Lost() {
			return int(d)
		}
	}
	return int(i % n)
}

// Run runs a call on the device of its tile.
func (k *gpuKernel) Run(ctx context.Context, c *kernels.Call) error {
	return k.kernels[k.device(c.Origin)].Run(ctx, c)
}

// staying is a gpuKernel in a run that keeps arrays on the devices: inputs that are there take the place of those in the call.
type staying struct {
	*gpuKernel
	r     *run
	ports []*resident // by input, nil for those of the call
}

// Run runs a call. Where the devices cannot read the arrays that stay on them, operands come from host memory.
func (k *staying) Run(ctx context.Context, c *kernels.Call) error {
	sc := scope{r: k.r}
	sc.rd.r = k.r
	defer sc.close(0)
	at := chunk.Region{Lo: c.Origin, Hi: c.Origin.Clone()}
	for i, n := range c.Shape {
		at.Hi[i] += n
	}
	d := k.device(c.Origin)
	call := *c
	call.In = slices.Clone(c.In)
	host := func(i int, l *plan.Leaf) (err error) {
		if x := k.ports[i]; x.host == nil {
			call.In[i], err = sc.operand(ctx, x.src, l, at)
		} else {
			call.In[i] = c.In[i]
		}
		return err
	}
	leaf := func(i int) *plan.Leaf { return k.s.Body.Leaves[k.s.Body.Ports[i]] }
	for i, x := range k.ports {
		if x == nil {
			continue
		}
		l := leaf(i)
		there, err := x.ensure(ctx, d, &sc.rd, innerRegion(l, at))
		switch {
		case err != nil:
		case there != nil:
			call.In[i], err = sc.project(ctx, l, at, there.Chunk(), x.box.Lo)
		default:
			err = host(i, l)
		}
		if err != nil {
			return err
		}
	}
	err := k.kernels[d].Run(ctx, &call)
	if !errors.Is(err, cuda.ErrHost) {
		return err
	}
	for i, x := range k.ports {
		if x == nil {
			continue
		}
		if err := host(i, leaf(i)); err != nil {
			return err
		}
	}
	return k.kernels[k.device(c.Origin)].Run(ctx, &call)
}
