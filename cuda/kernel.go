// SPDX-License-Identifier: BSD-3-Clause

package cuda

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/cuda/driver"
	"github.com/arrayrun/arrayrun/kernels"
)

// kernel is a unit on a device. The CPU's kernel of it runs what the device cannot, and the first calls while the
// compiler works: the bits are the same.
type kernel struct {
	dev  *Device
	form form
	cpu  kernels.Kernel

	mu       sync.Mutex
	variants map[string]*variant // by the key of the step
}

// variant is one source of a kernel, being compiled until ready is closed.
type variant struct {
	ready chan struct{}
	fn    *loaded
	err   error
}

// newKernel checks that the device can run a unit.
func newKernel(ctx context.Context, d *Device, u kernels.Unit) (*kernel, error) {
	f, err := formOf(u)
	if err != nil {
		return nil, err
	}
	k := &kernel{dev: d, form: f, variants: map[string]*variant{}}
	if k.cpu, err = d.opt.CPU.Compile(ctx, u); err != nil {
		return nil, err
	}
	return k, nil
}

// Scratch returns what the CPU's kernel needs: the device's scratch is its own.
func (k *kernel) Scratch(shape chunk.Shape) int64 { return k.cpu.Scratch(shape) }

// Executor names the device, and what runs the calls that it does not.
func (k *kernel) Executor() string { return k.dev.Executor() }

// errCPU is wrapped when a call is for the CPU without anything being wrong.
var errCPU = errors.New("cuda: left to the CPU")

// Run computes the call on the device, or on the CPU where the device cannot.
func (k *kernel) Run(ctx context.Context, c *kernels.Call) error {
	if err := k.form.check(c); err != nil {
		return err
	}
	restore := k.states(c)
	err := k.try(ctx, k.form.whole(c))
	switch {
	case err == nil, errors.Is(err, kernels.ErrDomain), ctx.Err() != nil:
		return err
	case errors.Is(err, errCPU):
	case k.dev.opt.Strict:
		return err
	default:
		k.dev.note(err)
	}
	restore()
	for _, in := range c.In {
		if k.dev.residentOf(in) != nil {
			return fmt.Errorf("%w: %w", ErrHost, err)
		}
	}
	if k.dev.opt.Strict && (errors.Is(err, errWhole) || errors.Is(err, kernels.ErrUnsupported)) {
		return err
	}
	k.dev.stats.fellBack.Add(1)
	return k.cpu.Run(ctx, c)
}

// states remembers the states that a call goes on with, and returns what puts them back: some of them may have come from the device
// when it fails.
func (k *kernel) states(c *kernels.Call) (restore func()) {
	outs := k.form.changes(c)
	if outs == nil || k.dev.opt.Strict {
		return func() {}
	}
	var old [][]byte
	for _, o := range outs {
		old = append(old, slices.Clone(o.Bytes()))
	}
	return func() {
		for i, o := range outs {
			copy(o.Bytes(), old[i])
		}
	}
}

// variant returns the compiled source of a step. Unless the device runs everything, one that is not ready
// is compiled beside and the call is left to the CPU.
func (k *kernel) variant(st *step, part int) (*loaded, error) {
	key := st.key(part)
	k.mu.Lock()
	v, old := k.variants[key]
	if !old {
		v = &variant{ready: make(chan struct{})}
		k.variants[key] = v
		k.dev.busy.Add(1)
	}
	k.mu.Unlock()
	switch {
	case old:
	case k.dev.opt.Always:
		k.compile(st, key, v)
	default:
		go k.compile(st, key, v)
	}
	if !k.dev.opt.Always {
		select {
		case <-v.ready:
		default:
			return nil, fmt.Errorf("%w: the kernel is being compiled", errCPU)
		}
	}
	<-v.ready
	if errors.Is(v.err, kernels.ErrUnsupported) {
		return nil, fmt.Errorf("%w: %w", errCPU, v.err)
	}
	return v.fn, v.err
}

// compile renders, compiles and loads a variant. Few are compiled at a time: the processors are the decoders' too.
func (k *kernel) compile(st *step, key string, v *variant) {
	k.dev.compiling <- struct{}{}
	src, err := st.render()
	if err == nil {
		err = k.dev.ctx.Do(func(s *driver.Session) error {
			var err error
			v.fn, err = k.dev.comp.load(s, src)
			return err
		})
	}
	<-k.dev.compiling
	switch {
	case err == nil:
		k.dev.stats.compiled.Add(1)
	case driver.CodeOf(err) == driver.OutOfMemory: // there may be room later
		err = fmt.Errorf("%w: %w", errLoad, err)
		k.mu.Lock()
		delete(k.variants, key)
		k.mu.Unlock()
	}
	v.err = err
	close(v.ready)
	k.dev.busy.Done()
}

// unload unloads the modules.
func (k *kernel) unload(s *driver.Session) error {
	var errs []error
	for _, v := range k.variants {
		if v.fn != nil {
			errs = append(errs, s.ModuleUnload(v.fn.module))
		}
	}
	return errors.Join(errs...)
}

// flagBytes is the size of the word that an error sets.
const flagBytes = 8

// errPower is what a set flag means: the one operation whose elements can fail.
func errPower() error {
	return fmt.Errorf("cuda: power: an integer to a negative power is not an integer; cast one operand to float64: %w", kernels.ErrDomain)
}

// need returns the bytes of device memory that a call takes.
func need(views []view, outs []*chunk.Chunk, uses []use) int64 {
	n := int64(classBytes(flagBytes))
	for _, v := range views {
		if v.src != nil {
			n += classBytes(v.src.Shape.Size() * int64(v.src.ItemBytes))
		}
	}
	for i, o := range outs {
		if uses[i] == unused {
			continue
		}
		n += classBytes(o.Shape.Size() * int64(o.ItemBytes))
	}
	return n
}

// view is an input as it will lie on the device: what is copied, in C order, and where the elements then are.
type view struct {
	src   *chunk.Chunk // nil: the input is not read
	chunk *chunk.Chunk // strides on the device
	first int64        // offset of the element at index 0 in what was copied, in elements
	at    *Resident    // what the input is a view of, when that is on the device: nothing is copied
}

// viewOf copies a chunk's whole span, gaps included, where that is little more than its elements: the
// device reads any strides. Else it copies the elements alone, those repeated once.
func viewOf(c *chunk.Chunk) view {
	lo, hi := span(c)
	once := c.Shape.Clone()
	for i := range once {
		if c.Strides[i] == 0 { // any length
			once[i] = 1
		}
	}
	if n := once.Size(); hi-lo+1 <= n+n/4 {
		flat := &chunk.Chunk{DType: c.DType, ItemBytes: c.ItemBytes, Shape: chunk.Shape{hi - lo + 1}, Strides: []int64{1}, Offset: c.Offset + lo, Block: c.Block}
		return view{src: flat, chunk: c, first: -lo}
	}
	src := *c
	src.Shape = once
	dense := *c
	dense.Strides = once.RowMajor()
	for i := range once {
		if c.Strides[i] == 0 {
			dense.Strides[i] = 0
		}
	}
	return view{src: &src, chunk: &dense}
}

// loneView copies the elements of a chunk at a few numbers of a loop alone, one after the other. The strides are those of all.
func (d *Device) loneView(ctx context.Context, c *chunk.Chunk, shape chunk.Shape, r run) (view, error) {
	flat, err := chunk.New(d.Allocator(), c.DType, int(c.ItemBytes), chunk.Shape{r.to - r.from})
	if err != nil {
		return view{}, err
	}
	dense := *c
	dense.Shape, dense.Strides = shape, shape.RowMajor()
	last := 0 // axis that a row follows
	for a, n := range shape {
		if n > 1 {
			last = a
		}
	}
	part := &chunk.Chunk{DType: c.DType, ItemBytes: c.ItemBytes, Shape: make(chunk.Shape, len(shape)), Strides: c.Strides, Block: c.Block}
	for a := range part.Shape {
		part.Shape[a] = 1
	}
	for n := r.from; n < r.to; n += part.Shape[last] {
		part.Offset = c.Offset
		rest := n
		for a := range shape {
			part.Offset += rest / dense.Strides[a] * c.Strides[a]
			rest %= dense.Strides[a]
		}
		part.Shape[last] = min(r.to-n, shape[last]-n%shape[last])
		to := &chunk.Chunk{DType: c.DType, ItemBytes: c.ItemBytes, Shape: part.Shape, Strides: part.Shape.RowMajor(), Offset: n - r.from, Block: flat.Block}
		if err := d.opt.CPU.Copy(ctx, to, part); err != nil {
			flat.Release()
			return view{}, err
		}
	}
	return view{src: flat, chunk: &dense}, nil
}
