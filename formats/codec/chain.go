// SPDX-License-Identifier: BSD-3-Clause

package codec

import (
	"errors"
	"fmt"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
)

// Step is one codec of an array's metadata: its name and configuration.
type Step struct {
	Name   string
	Config Config
}

// Layout describes the decoded chunks a chain is for.
type Layout struct {
	ItemBytes int
	DType     dtype.DType // for the codecs that compute; Invalid where the array has no numbers
	Rank      int
	Units     []Unit // the multi-byte numbers of an item; nil when it has none
	Big       bool   // stored big endian where no bytes codec says otherwise
}

// Chain is the way from a chunk's elements to its stored bytes: the order of axes, the
// byte order, then the stages. It is immutable and safe for concurrent use.
type Chain struct {
	// Order[i] is the axis of the array that is axis i of the stored chunk; nil is C order.
	Order []int
	// Swap: the stored numbers are big endian and are swapped after decoding.
	Swap   bool
	Stages []Stage
	// Names are the codecs' canonical names in the order of encoding, transpose and bytes left out where they do nothing.
	Names []string

	layout Layout
	state  int
	elem   Elem // what the last array-to-array codec makes
	arrays int  // how many stages are array-to-array
	fixed  bool // one of them depends on the order of the elements
	made   bool // bytes have been made of the elements
}

// NewChain builds the chain of steps in the order of encoding: any number of transpose and
// array-to-array codecs, at most one bytes, then bytes-to-bytes codecs of Table. A codec that is not known gives an error
// wrapping formats.ErrFormat that names it.
func NewChain(steps []Step, l Layout) (*Chain, error) {
	c := &Chain{layout: l, elem: Elem{DType: l.DType, Bytes: l.ItemBytes, Big: l.Big}}
	for _, st := range steps {
		switch st.Name {
		case "transpose":
			if c.made || c.fixed {
				return nil, fmt.Errorf("codec transpose: it comes after bytes or delta, want before: %w", formats.ErrFormat)
			}
			if err := c.transpose(st.Config, l.Rank); err != nil {
				return nil, err
			}
		case "bytes", "endian":
			e := st.Config.Text("endian", "little")
			if c.elem.Big = e == "big"; e != "big" && e != "little" {
				return nil, fmt.Errorf("codec bytes: endian %q, want \"little\" or \"big\": %w", e, formats.ErrFormat)
			}
			c.bytes()
		default:
			if err := c.Append(st); err != nil {
				return nil, err
			}
		}
	}
	return c, nil
}

// bytes ends the array-to-array part of the chain: what follows sees bytes.
func (c *Chain) bytes() {
	switch {
	case c.made:
	case c.arrays == 0:
		c.Swap = c.elem.Big && len(c.layout.Units) > 0
	case c.elem.Big && c.elem.width() > 1:
		c.Stages = append(c.Stages, swapStage{c.elem.width()})
	}
	c.made = true
}

// Finish ends a chain that is built by AppendV2.
func (c *Chain) Finish() { c.bytes() }

// Append adds a bytes-to-bytes step at the end of the chain, while it is being built.
func (c *Chain) Append(st Step) error {
	e, ok := ByName(st.Name)
	if !ok {
		return fmt.Errorf("codec %s: this codec is not known; rewrite the array with zstd, gzip or blosc: %w", st.Name, formats.ErrFormat)
	}
	return c.add(e, st.Config)
}

// AppendV2 adds the codec with a numcodecs id at the end of the chain, while it is being built.
func (c *Chain) AppendV2(id string, cfg Config) error {
	e, ok := ByV2(id)
	if !ok {
		return fmt.Errorf("codec %s: this codec is not known; rewrite the array with zstd, gzip or blosc: %w", id, formats.ErrFormat)
	}
	return c.add(e, cfg)
}

func (c *Chain) add(e *Entry, cfg Config) error {
	var s Stage
	var err error
	switch {
	case e.Array != nil && c.made:
		return fmt.Errorf("codec %s: it comes after bytes, want before: %w", e.Name, formats.ErrFormat)
	case e.Array != nil:
		var out Elem
		if s, out, err = e.Array(cfg, c.elem); err == nil {
			// numbers between two codecs are in native order: only the last one's order is stored
			c.elem = out
			c.arrays++
			c.fixed = c.fixed || e.Fixed
		}
	case e.New != nil:
		c.bytes()
		s, err = e.New(cfg, c.elem.Bytes)
	default:
		err = fmt.Errorf("codec %s: it is HDF5's alone: %w", e.Name, formats.ErrFormat)
	}
	if err != nil {
		return err
	}
	c.Stages = append(c.Stages, s)
	c.Names = append(c.Names, e.Name)
	c.state += e.State
	return nil
}

func (c *Chain) transpose(cfg Config, rank int) error {
	order := make([]int, rank)
	switch v := cfg["order"].(type) {
	case string:
		for i := range order {
			order[i] = i
			if v == "F" {
				order[i] = rank - 1 - i
			}
		}
	case []any:
		if len(v) != rank {
			return fmt.Errorf("codec transpose: order has %d axes, want %d: %w", len(v), rank, formats.ErrFormat)
		}
		used := make([]bool, rank)
		for i, x := range v {
			n, ok := x.(int64)
			if !ok || n < 0 || n >= int64(rank) || used[n] {
				return fmt.Errorf("codec transpose: order %v is not a permutation of %d axes: %w", v, rank, formats.ErrFormat)
			}
			used[n] = true
			order[i] = int(n)
		}
	default:
		return fmt.Errorf("codec transpose: order is %v, want a list of axes: %w", cfg["order"], formats.ErrFormat)
	}
	c.SetOrder(order)
	c.Names = append(c.Names, "transpose")
	return nil
}

// SetOrder puts a transposition behind those the chain already has, while it is being built.
func (c *Chain) SetOrder(order []int) {
	if c.Order != nil {
		next := make([]int, len(order))
		for i, o := range order {
			next[i] = c.Order[o]
		}
		order = next
	}
	c.Order = order
	for i, o := range order {
		if i != o {
			return
		}
	}
	c.Order = nil
}

// Plain reports whether the stored bytes are the elements as they are, in stored order.
func (c *Chain) Plain() bool { return len(c.Stages) == 0 }

// Bound is an upper bound of the stored size of a chunk of n bytes.
func (c *Chain) Bound(n int) int {
	for _, s := range c.Stages {
		n = s.Bound(n)
	}
	return n
}

// StoredLimit is the size beyond which stored bytes of a chunk of n bytes are called
// corrupt: no encoder comes near it, and it bounds what a damaged store can make us read.
func (c *Chain) StoredLimit(n int) int { return 2*c.Bound(n) + 64<<10 }

// ScratchBytes bounds the memory beside the destination that decoding one chunk of n bytes takes:
// the stored bytes of any that an encoder makes, what lies between stages, decoder state.
func (c *Chain) ScratchBytes(n int) int64 {
	b := int64(c.state)
	if len(c.Stages) > 0 {
		b += int64(c.Bound(n))
	}
	if len(c.Stages) > 1 {
		b += 2 * int64(c.Bound(n))
	}
	return b
}

// EncodeScratch bounds the memory that encoding one chunk of n bytes takes: the stored bytes, what
// lies between stages, encoder state.
func (c *Chain) EncodeScratch(n int) int64 {
	b := int64(0)
	for i, s := range c.Stages {
		if e, ok := s.(encodeState); ok {
			b += int64(e.EncodeState(n))
		}
		n = s.Bound(n)
		if i < 3 { // the stored bytes and two buffers between
			b += int64(n)
		}
	}
	return b
}

// Decode decodes src into dst, whose length is the decoded size. Elements come out in
// native byte order and in stored order (Order). src may be dst when the chain is Plain.
func (c *Chain) Decode(dst, src []byte, s *Scratch) error {
	src, err := c.decodeFrom(1, len(dst), src, s)
	if err == nil && len(c.Stages) > 0 {
		src, err = c.Stages[0].Decode(dst, src, s)
	}
	if err != nil {
		return err
	}
	if len(src) != len(dst) {
		return corrupt("bytes", "decoded to %d bytes, want %d", len(src), len(dst))
	}
	if len(dst) > 0 && &src[0] != &dst[0] {
		copy(dst, src)
	}
	if c.Swap {
		Swap(dst, c.layout.ItemBytes, c.layout.Units)
	}
	return nil
}

// decodeFrom undoes the stages from first on, of a chunk of n bytes.
func (c *Chain) decodeFrom(first, n int, src []byte, s *Scratch) ([]byte, error) {
	for i := len(c.Stages) - 1; i >= first; i-- {
		bound := n
		for _, st := range c.Stages[:i] {
			bound = st.Bound(bound)
		}
		s.mid[i&1] = Grow(s.mid[i&1], bound)
		var err error
		if src, err = c.Stages[i].Decode(s.mid[i&1], src, s); err != nil {
			return nil, err
		}
	}
	return src, nil
}

// Encode returns the stored bytes of a chunk whose elements are src, in stored order. The
// result lies in dst's memory when its capacity suffices, or is src itself. With Swap,
// src is changed to the stored byte order.
func (c *Chain) Encode(dst, src []byte, s *Scratch) ([]byte, error) {
	if c.Swap {
		Swap(src, c.layout.ItemBytes, c.layout.Units)
	}
	for i, st := range c.Stages {
		out := dst[:0]
		if i < len(c.Stages)-1 {
			s.mid[i&1] = Grow(s.mid[i&1], st.Bound(len(src)))
			out = s.mid[i&1][:0]
		}
		got, err := st.Encode(out, src, s)
		if err != nil {
			return nil, err
		}
		if i < len(c.Stages)-1 {
			s.mid[i&1] = got
		}
		src = got
	}
	return src, nil
}

// DecodeAny decodes src whose decoded size nobody states, at most limit bytes, into memory that is
// the Scratch's until its next use: destinations of growing size are tried. Byte order is not touched.
func (c *Chain) DecodeAny(src []byte, limit int, s *Scratch) ([]byte, error) {
	for i := len(c.Stages) - 1; i >= 0; i-- {
		for n := min(limit, 8*len(src)+4096); ; n = min(limit, 8*n) {
			s.mid[i&1] = Grow(s.mid[i&1], n)
			got, err := c.Stages[i].Decode(s.mid[i&1], src, s)
			if err == nil {
				src = got
				break
			}
			if n == limit || !errors.Is(err, errFull) {
				return nil, err
			}
		}
	}
	return src, nil
}
