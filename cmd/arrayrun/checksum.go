// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"hash"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/sched"
)

// hasher computes the MD5 of stored arrays inside a budget of host memory.
type hasher struct {
	pool   *mem.Pool
	budget int64

	bill                  account
	read, decoded, pieces int64
}

// hashPiece is the most one read asks for: enough to run at full speed, small
// beside any sensible budget.
const hashPiece = 64 << 20

func newHasher(budget int64) *hasher {
	h := &hasher{pool: mem.NewPool(), budget: budget}
	h.pool.SetLimit(budget)
	return h
}

func (h *hasher) close() { h.pool.Close() }

// sum returns the MD5 of the values as little-endian bytes in C order, or of
// the UTF-8 texts joined by NUL for variable-length text; other variable-length
// types have none ("").
func (h *hasher) sum(ctx context.Context, src formats.Source) (string, error) {
	m := src.Meta()
	if stored, ok := m.Stored.(string); m.DType == dtype.String && (!ok || stored != "str") {
		return "", nil
	}
	d := digest{h: h, src: src, meta: m, md5: md5.New()}
	if m.Shape.Size() == 0 { // however long its chunks would be
		return hex.EncodeToString(d.md5.Sum(nil)), nil
	}
	// A reader holds, beside the piece, one decoded chunk and what decoding needs.
	beside := mem.ClassBytes(m.Grid.MaxChunk().Size()*int64(m.ItemBytes)) + src.ScratchBytes()
	limit := min(h.budget-beside, hashPiece) * 7 / 8 // ClassBytes rounds up by an eighth
	if limit < int64(m.ItemBytes) {
		return "", fmt.Errorf("checksum: one chunk of %v needs %s, the budget is %s; raise --memory: %w",
			m.Grid.MaxChunk(), formatBytes(beside), formatBytes(h.budget), sched.ErrBudget)
	}
	if m.DType == dtype.String { // a read of many chunks would hold the texts of all of them, which nothing bounds
		limit = min(limit, m.Grid.MaxChunk().Size()*int64(m.ItemBytes))
	}
	h.bill.hold(beside)
	defer h.bill.hold(-beside)
	d.limit = limit
	if _, ok := src.(formats.RegionReader); ok && !m.Chunked && len(m.Codecs) == 0 { // a file that was cut off is refused before it is read to its end
		last := chunk.Whole(m.Shape)
		for i, n := range last.Hi {
			last.Lo[i] = n - 1
		}
		if err := d.probe(ctx, last); err != nil {
			return "", err
		}
	}
	if err := d.region(ctx, chunk.Whole(m.Shape), 0); err != nil {
		return "", err
	}
	return hex.EncodeToString(d.md5.Sum(nil)), nil
}

// digest walks one array in C order.
type digest struct {
	h     *hasher
	src   formats.Source
	meta  *formats.ArrayMeta
	limit int64
	md5   hash.Hash
	texts int64 // texts written so far
}

// region hashes r, which is one position wide before the axis. What does not fit
// is cut along the axis into as many rows as do, whole chunks where possible;
// a single row that does not fit is cut along the next axis.
func (d *digest) region(ctx context.Context, r chunk.Region, axis int) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	size := r.Size() * int64(d.meta.ItemBytes)
	if size <= d.limit || axis == len(r.Lo) {
		return d.read(ctx, r)
	}
	row := size / (r.Hi[axis] - r.Lo[axis])
	next := axis
	n := d.limit / row
	if n == 0 {
		n, next = 1, axis+1
	}
	a := d.meta.Grid.Axes[axis]
	for lo := r.Lo[axis]; lo < r.Hi[axis]; {
		hi := min(lo+n, r.Hi[axis])
		// End at a chunk's edge when one lies inside, so that no chunk is decoded twice.
		if edge, _ := a.Bounds(a.Find(hi - 1)); hi < r.Hi[axis] && edge > lo {
			if _, end := a.Bounds(a.Find(hi - 1)); end != hi {
				hi = edge
			}
		}
		q := r.Clone()
		q.Lo[axis], q.Hi[axis] = lo, hi
		if err := d.region(ctx, q, next); err != nil {
			return err
		}
		lo = hi
	}
	return nil
}

// probe reads r for the errors that it may have.
func (d *digest) probe(ctx context.Context, r chunk.Region) error {
	c, err := chunk.New(d.h.pool, d.meta.DType, d.meta.ItemBytes, r.Shape())
	if err != nil {
		return err
	}
	defer c.Release()
	_, err = formats.ReadRegion(ctx, d.src, r, c)
	return err
}

func (d *digest) read(ctx context.Context, r chunk.Region) error {
	c, err := chunk.New(d.h.pool, d.meta.DType, d.meta.ItemBytes, r.Shape())
	if err != nil {
		return err
	}
	defer c.Release()
	size := c.Block.Len()
	d.h.bill.hold(mem.ClassBytes(size))
	defer d.h.bill.hold(-mem.ClassBytes(size))
	n, err := formats.ReadRegion(ctx, d.src, r, c)
	d.h.read += max(n, 0)
	d.h.pieces++
	if err != nil {
		return err
	}
	d.h.decoded += size
	if d.meta.DType != dtype.String {
		d.md5.Write(littleEndian(c))
		return nil
	}
	refs := chunk.Elems[int64](c.Block)
	for i := range c.Shape.Size() {
		if d.texts++; d.texts > 1 {
			d.md5.Write([]byte{0})
		}
		at, n := refs[2*i], refs[2*i+1]
		d.md5.Write(c.Heap[at : at+n])
	}
	return nil
}

// littleEndian returns the chunk's bytes with every number in little-endian
// order; records keep the bytes the format gave them.
func littleEndian(c *chunk.Chunk) []byte {
	b := c.Bytes()
	one := [2]byte{1, 0}
	size := c.DType.Size()
	if c.DType.IsComplex() {
		size /= 2
	}
	if probe := mem.Wrap(one[:]); chunk.Elems[uint16](probe)[0] == 1 || c.DType == dtype.Raw || size < 2 {
		return b
	}
	for i := 0; i+size <= len(b); i += size {
		for lo, hi := i, i+size-1; lo < hi; lo, hi = lo+1, hi-1 {
			b[lo], b[hi] = b[hi], b[lo]
		}
	}
	return b
}
