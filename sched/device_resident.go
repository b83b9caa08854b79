// SPDX-License-Identifier: BSD-3-Clause

package sched

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/cuda"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/sched/plan"
)

// stay is an array of a plan that several calls read on GPUs, so that it is copied there once and stays.
type stay struct {
	src         *plan.Source // what is stored, or
	result      int          // what an earlier stage made, -1
	name        string
	box         chunk.Region
	bytes       int64
	saved       int64 // bytes that need not be copied
	own         int64 // bytes that the bill of every task has for it, at least
	first, last int   // stages
	leaves      []*plan.Leaf
	direct      bool // there is no copy in host memory: it is read straight to the device
}

// stayShare is the share of a device's memory that arrays may stay in; the tasks need the rest.
const stayShare = 2

// partBytes is the size of the parts of an array in host memory that are copied one after another, so that the first
// calls need not wait for all of it.
const partBytes = 4 << 20

// stays returns the arrays of a placed plan that stay on the devices, those that save most first.
func stays(p *plan.Plan, devs []*cuda.Device) []*stay {
	byArray := map[array]*stay{}
	var list []*stay
	for i, s := range p.Stages {
		if _, ok := s.Body.Kernel.(*gpuKernel); !ok {
			continue
		}
		for _, port := range s.Body.Ports {
			l := s.Body.Leaves[port]
			if !mayStay(s, l, port) {
				continue
			}
			a := array{l.Kind, l.Store}
			x := byArray[a]
			if x == nil {
				x = newStay(p, l, i)
				byArray[a] = x
				list = append(list, x)
			}
			x.use(s, l, i)
		}
	}
	list = slices.DeleteFunc(list, func(x *stay) bool {
		x.saved -= x.bytes
		return x.saved*50 <= x.bytes && x.packing() == formats.Native || x.direct && x.parts() == nil
	})
	slices.SortStableFunc(list, func(a, b *stay) int { return cmp.Compare(b.saved, a.saved) })
	room := int64(-1)
	for _, d := range devs {
		if n := d.Info().BudgetBytes / stayShare; room < 0 || n < room {
			room = n
		}
	}
	return slices.DeleteFunc(list, func(x *stay) bool {
		if x.bytes > room {
			return true
		}
		room -= x.bytes
		return false
	})
}

// mayStay reports whether the device can read the leaf in place: its values are the array's own, and nothing else of the stage wants them.
func mayStay(s *plan.Stage, l *plan.Leaf, port int) bool {
	if l.Kind != plan.Stored && l.Kind != plan.Computed || l.Copied() || !l.DType.IsNumeric() {
		return false
	}
	for _, root := range s.Body.Roots {
		if root.Ret < 0 && root.Leaf == port {
			return false
		}
	}
	return true
}

func newStay(p *plan.Plan, l *plan.Leaf, stage int) *stay {
	x := &stay{result: -1, first: stage, own: -1}
	if l.Kind == plan.Computed {
		x.result, x.name = l.Store, p.Results[l.Store].Name()
		x.box = chunk.Whole(l.Node.Shape())
		return x
	}
	x.src = p.Sources[l.Store]
	x.name, x.box = x.src.Name, x.src.Box.Clone()
	_, memory := x.src.Source.(plan.Memory)
	x.direct = !memory && !x.src.Keep
	return x
}

// use adds a leaf of a stage that reads the array.
func (x *stay) use(s *plan.Stage, l *plan.Leaf, stage int) {
	x.last = stage
	x.leaves = append(x.leaves, l)
	if l.Gather >= 0 { // positions count from the array's first
		for i, m := range l.Axes {
			if m.IDs != nil {
				x.box.Lo[i], x.box.Hi[i] = 0, l.Node.Shape()[i]
			}
		}
	}
	x.bytes = x.box.Size() * l.ItemBytes
	calls := make([]int64, len(s.Body.Shape))
	step := s.Tiles.MaxChunk()
	for a := range calls {
		calls[a] = max(s.Tiles.Axes[a].Count(), s.Steps[a].Count())
		step[a] = min(step[a], s.Steps[a].Max())
		for _, f := range s.Folds {
			if f.Cells.Set.Has(a) {
				calls[a] = max(calls[a], f.Cells.Axes[a].Count())
			}
		}
	}
	n := l.Count(s.Body.Shape) * l.ItemBytes
	for _, m := range l.Axes {
		if m.Loop >= 0 {
			calls[m.Loop] = 1
		}
	}
	for _, c := range calls {
		n *= c
	}
	x.saved += n
	if own := l.Count(step) * l.ItemBytes; x.own < 0 || own < x.own {
		x.own = own
	}
}

// packing returns what the source of an array that is read straight to the device can leave for the device to do.
func (x *stay) packing() formats.Packing {
	if !x.direct {
		return formats.Native
	}
	switch s := x.src.Source.(type) {
	case formats.PackedRegionReader:
		if s.Swapped() {
			return formats.Swapped
		}
	case formats.PackedReader:
		return s.Packing()
	}
	return formats.Native
}

// parts returns the grid that the array is copied by, nil where no part would fit the bill of a task that reads it.
func (x *stay) parts() *chunk.Grid {
	shape, item := x.box.Hi, int64(1)
	most := int64(partBytes)
	if x.src != nil {
		g := x.src.Source.Meta().Grid
		shape, item = g.Shape, int64(x.src.Node.ItemBytes)
		size := g.MaxChunk().Size() * item
		_, region := x.src.Source.(formats.RegionReader)
		switch {
		case region:
		case !x.direct && size <= 4*partBytes, x.direct && (size <= x.own || x.box.Size() == shape.Size()):
			return &g // what a codec decodes
		case x.direct:
			return nil
		}
		if x.direct {
			most = min(most, x.own)
		}
	}
	row := item
	for i, n := range x.box.Shape() {
		if i > 0 {
			row *= n
		}
	}
	if x.direct && (row > most || len(shape) == 0) {
		return nil
	}
	steps := shape.Clone()
	for i := range steps {
		steps[i] = max(steps[i], 1)
	}
	if len(steps) > 0 {
		steps[0] = max(1, min(steps[0], most/max(row, 1)))
	}
	g := chunk.Regular(shape, steps...)
	return &g
}

// staysText says for people what stays on the devices while a stage runs.
func staysText(list []*stay, p *plan.Plan, s *plan.Stage) string {
	stage := slices.Index(p.Stages, s)
	var names []string
	for _, x := range list {
		if x.first <= stage && stage <= x.last {
			names = append(names, fmt.Sprintf("%s, %s", x.name, plan.Bytes(x.bytes)))
		}
	}
	if names == nil {
		return ""
	}
	return "; stays there: " + strings.Join(names, "; ")
}

// resident is a stay while it is run, or, where passing is set, what is only read into page-locked memory on its way to the devices.
type resident struct {
	*stay
	passing bool
	grid    chunk.Grid
	// host returns a region as it lies in host memory; nil where it is read straight to the device.
	host    func(ctx context.Context, rd *reader, at chunk.Region) (*chunk.Chunk, error)
	pack    formats.Packing // what the source leaves to the device
	regions bool            // it leaves that for any region
	mirrors []*mirror       // by device
}

// mirror is a resident on one device.
type mirror struct {
	dev   *cuda.Device
	loads *loads
	mu    sync.Mutex
	tried bool
	mem   *cuda.Resident // nil before it is wanted, and where there is no room
	lost  bool
}

// stay makes the residents of a run. Nothing is allocated before it is wanted.
func (r *run) stay(devs []*cuda.Device) {
	r.leaves = map[*plan.Leaf]*resident{}
	for _, s := range stays(r.plan, devs) {
		x := &resident{stay: s, grid: *s.parts(), pack: s.packing()}
		if s.src != nil {
			_, x.regions = s.src.Source.(formats.PackedRegionReader)
		}
		switch {
		case s.result >= 0:
			x.host = func(_ context.Context, _ *reader, at chunk.Region) (*chunk.Chunk, error) {
				return r.results[s.result].Sub(at), nil
			}
		case !s.direct && s.src.Keep:
			k := slices.Index(r.plan.Sources, s.src)
			x.host = func(ctx context.Context, rd *reader, at chunk.Region) (*chunk.Chunk, error) {
				if err := r.kept[k].ensure(ctx, rd, at); err != nil {
					return nil, err
				}
				return r.kept[k].data.Sub(formats.Shift(at, r.kept[k].box.Lo)), nil
			}
		case !s.direct:
			x.host = func(_ context.Context, _ *reader, at chunk.Region) (*chunk.Chunk, error) {
				return s.src.Source.(plan.Memory).Whole().Sub(at), nil
			}
		}
		for _, d := range devs {
			x.mirrors = append(x.mirrors, &mirror{dev: d, loads: newLoads(x.grid, s.box)})
		}
		for _, l := range s.leaves {
			r.leaves[l] = x
		}
		r.residents = append(r.residents, x)
	}
	for _, s := range r.plan.Stages {
		if _, ok := s.Body.Kernel.(*gpuKernel); !ok || s.Crew > 1 { // threads that share a task share its buffers
			continue
		}
		for _, port := range s.Body.Ports {
			l := s.Body.Leaves[port]
			if l.Kind != plan.Stored || r.leaves[l] != nil || !mayStay(s, l, port) {
				continue
			}
			src := r.plan.Sources[l.Store]
			if _, memory := src.Source.(plan.Memory); !memory && !src.Keep {
				r.leaves[l] = &resident{stay: &stay{src: src}, passing: true}
			}
		}
	}
}

// kernelOf returns what runs the calls of a stage in this run.
func (r *run) kernelOf(s *plan.Stage) kernels.Kernel {
	k, ok := s.Body.Kernel.(*gpuKernel)
	if !ok || r.leaves == nil {
		return s.Body.Kernel
	}
	out := &staying{gpuKernel: k, r: r, ports: make([]*resident, len(s.Body.Ports))}
	for i, p := range s.Body.Ports {
		if x := r.leaves[s.Body.Leaves[p]]; x != nil && !x.passing {
			out.ports[i] = x
		}
	}
	return out
}

// preload copies what a task will want of an array to its device before the task takes a seat. Where the array is read
// straight there it returns what stands for it. What is passing is read into page-locked memory where there is room, and returned.
func (sc *scope) preload(ctx context.Context, x *resident, l *plan.Leaf, at chunk.Region) (*chunk.Chunk, error) {
	k, ok := sc.r.kernel.(*staying)
	if !ok {
		return nil, nil
	}
	if x.passing {
		c := k.devs[k.device(at.Lo)].Stage(l.DType, l.ItemBytes, compactShape(l, at))
		if c == nil {
			return nil, nil
		}
		sc.blocks = append(sc.blocks, c.Block)
		if err := sc.rd.read(ctx, x.src, l.Axes, at, c); err != nil {
			return nil, err
		}
		return spread(l, at, c), nil
	}
	there, err := x.ensure(ctx, k.device(at.Lo), &sc.rd, innerRegion(l, at))
	if err != nil || there == nil || x.host != nil {
		return nil, err
	}
	return &chunk.Chunk{DType: l.DType, ItemBytes: int32(l.ItemBytes), Shape: at.Shape(), Strides: make([]int64, len(at.Lo))}, nil
}

// ensure copies the parts that a region touches to device d where they are not there yet. It returns the array on
// the device, nil where the device has no room for it.
func (x *resident) ensure(ctx context.Context, d int, rd *reader, at chunk.Region) (*cuda.Resident, error) {
	m := x.mirrors[d]
	mem, err := m.open(ctx, x)
	if mem == nil || err != nil {
		return nil, err
	}
	err = m.loads.ensure(ctx, at, func(k chunk.Key, r chunk.Region) error { return x.fill(ctx, mem, rd, k, r) })
	var bad *fillError
	if errors.As(err, &bad) && ctx.Err() == nil && !rd.r.e.opt.GPU.Strict {
		m.mu.Lock()
		m.lost = true
		m.mu.Unlock()
		return nil, nil
	}
	return mem, err
}

// fillError is an error of the device, not of what is read.
type fillError struct{ error }

func (e *fillError) Unwrap() error { return e.error }

// fill copies a part of the array, the chunk at k, to the device.
func (x *resident) fill(ctx context.Context, mem *cuda.Resident, rd *reader, k chunk.Key, part chunk.Region) error {
	r := part.Intersect(x.box)
	if r.Empty() {
		return nil
	}
	var c *chunk.Chunk
	var err error
	packing, from := cuda.Plain, formats.Shift(r, part.Lo).Lo
	if x.host != nil {
		c, err = x.host(ctx, rd, r)
	} else {
		c, packing, err = x.read(ctx, mem, rd, k, r)
		if c != nil {
			defer c.Release()
		}
	}
	if err != nil {
		return err
	}
	switch {
	case c.Shape.Equal(r.Shape()):
		from = make(chunk.Shape, len(from))
	case packing == cuda.Plain: // a whole chunk, of which r is wanted
		cut := chunk.Region{Lo: from, Hi: from.Clone()}
		for i, n := range r.Shape() {
			cut.Hi[i] += n
		}
		c = c.Sub(cut)
	}
	if err := mem.Fill(ctx, formats.Shift(r, x.box.Lo), c, packing, from); err != nil {
		return &fillError{err}
	}
	return nil
}

// read reads region r of the chunk at k, or all of the chunk where its bytes are left for the device to put in order.
// It reads into page-locked memory where there is some.
func (x *resident) read(ctx context.Context, mem *cuda.Resident, rd *reader, k chunk.Key, r chunk.Region) (c *chunk.Chunk, packing cuda.Packing, err error) {
	shape := r.Shape()
	chunked, _ := x.src.Source.(formats.PackedReader)
	if x.pack == formats.Shuffled || x.pack == formats.Swapped && !x.regions {
		shape = chunked.PackedShape(k)
	}
	if c = mem.Stage(shape); c == nil {
		if c, err = chunk.New(rd.r.pool, x.src.Node.DType, x.src.Node.ItemBytes, shape); err != nil {
			return nil, cuda.Plain, err
		}
	}
	start, left, n := time.Now(), false, int64(0)
	switch {
	case x.pack == formats.Native:
		return c, cuda.Plain, rd.readBox(ctx, x.src, r, c)
	case x.regions:
		left, n, err = x.src.Source.(formats.PackedRegionReader).ReadSwapped(ctx, r, c)
	default:
		left, n, err = chunked.ReadPacked(ctx, k, c)
	}
	if err != nil {
		return c, cuda.Plain, fmt.Errorf("%s chunk %s: %w", x.src.Name, keyText(k), err)
	}
	rd.r.didRead(x.src, n, shape.Size()*int64(c.ItemBytes), 1, start)
	switch {
	case !left:
		return c, cuda.Plain, nil
	case x.pack == formats.Swapped:
		return c, cuda.Swapped, nil
	}
	return c, cuda.Shuffled, nil
}

// open returns the array on the mirror's device, reserved when it is wanted first, nil where it is not there.
func (m *mirror) open(ctx context.Context, x *resident) (*cuda.Resident, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.tried && !m.dev.Lost() {
		m.tried = true
		mem, err := m.dev.NewResident(ctx, x.leaves[0].DType, x.box.Shape())
		m.mem, m.lost = mem, err != nil
	}
	if m.lost || m.dev.Lost() {
		return nil, nil
	}
	return m.mem, nil
}

// leave gives back the device memory of what no stage after i reads.
func (r *run) leave(i int, all bool) {
	for _, x := range r.residents {
		if !all && x.last > i {
			continue
		}
		for _, m := range x.mirrors {
			if m.mem != nil {
				m.mem.Release()
				m.mem, m.lost = nil, true
			}
		}
	}
}
