// SPDX-License-Identifier: BSD-3-Clause

package codec

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/arrayrun/arrayrun/formats"
)

// frame2 is what the header of a frame says.
type frame2 struct {
	b             []byte
	head          int // where the chunks start
	index         int // where the index starts
	typesize      int
	size, chunk   int // bytes of everything and of a chunk
	array         bool
	shape, cs, bs []int // of the array, of its chunks and of its blocks
}

const maxBlosc2Dims = 16

// msgpack reads the fixed shapes of msgpack that frames have; the first error sticks.
type msgpack struct {
	b   []byte
	p   int
	bad bool
}

// n takes the next n bytes, nil when they are not there.
func (m *msgpack) n(n int) []byte {
	if m.bad || n < 0 || n > len(m.b)-m.p {
		m.bad = true
		return nil
	}
	m.p += n
	return m.b[m.p-n : m.p]
}

// tag takes a byte that must be one of the wanted.
func (m *msgpack) tag(want ...byte) byte {
	b := m.n(1)
	for _, w := range want {
		if b != nil && b[0] == w {
			return w
		}
	}
	m.bad = true
	return 0
}

// int takes a big-endian integer behind its tag.
func (m *msgpack) int(tag byte, size int) int {
	m.tag(tag)
	v := uint64(0)
	for _, x := range m.n(size) {
		v = v<<8 | uint64(x)
	}
	if v > min(1<<46, math.MaxInt) {
		m.bad = true
	}
	if m.bad {
		return 0
	}
	return int(v)
}

// parseFrame2 reads the header of a contiguous frame.
func parseFrame2(b []byte) (*frame2, error) {
	m := &msgpack{b: b}
	fields := m.tag(0x9d, 0x9e)
	m.tag(0xa8)
	if string(m.n(8)) != "b2frame\x00" {
		return nil, corrupt("blosc2", "no frame in %d bytes", len(b))
	}
	f := &frame2{head: m.int(0xd2, 4)}
	length := m.int(0xcf, 8)
	m.tag(0xa4)
	flags := m.n(4)
	f.size = m.int(0xd3, 8)
	stored := m.int(0xd3, 8)
	f.typesize = m.int(0xd2, 4)
	if fields == 0x9e {
		m.int(0xd2, 4) // size of a block
	}
	f.chunk = m.int(0xd2, 4)
	m.n(6) // threads
	m.n(1)
	m.n(18) // filters: each chunk has its own
	if m.bad || f.head < m.p || length > len(b) || f.head+stored > length {
		return nil, corrupt("blosc2", "frame of %d bytes, a header of %d and chunks of %d in %d", length, f.head, stored, len(b))
	}
	if flags[1]&15 != 0 || flags[0]&0x40 != 0 {
		return nil, fmt.Errorf("codec blosc2: a frame of kind %d with flags %#x is not decoded here: %w", flags[1]&15, flags[0], formats.ErrFormat)
	}
	f.b, f.index = b[:length], f.head+stored
	return f, f.metalayers(&msgpack{b: b[:f.head], p: m.p})
}

// metalayers looks for the layer that says the shape of an array.
func (f *frame2) metalayers(m *msgpack) error {
	m.tag(0x93)
	m.int(0xcd, 2)
	for n := m.int(0xde, 2); n > 0 && !m.bad; n-- {
		t := m.n(1)
		if t == nil || t[0]&0xe0 != 0xa0 {
			m.bad = true
			break
		}
		name, at := string(m.n(int(t[0]&31))), m.int(0xd2, 4)
		if name != "b2nd" && name != "caterva" {
			continue
		}
		q := &msgpack{b: m.b, p: at}
		q.bad = at > len(m.b)
		size := q.int(0xc6, 4)
		q = &msgpack{b: q.n(size)}
		q.tag(0x95, 0x96, 0x97)
		q.n(1)
		nd := q.n(1)
		if nd == nil || nd[0] > maxBlosc2Dims {
			return corrupt("blosc2", "array without a rank")
		}
		list := func(tag byte, size int) (out []int) {
			q.tag(0x90 | nd[0])
			for range nd[0] {
				out = append(out, q.int(tag, size))
			}
			return out
		}
		f.array, f.shape, f.cs, f.bs = nd[0] > 0, list(0xd3, 8), list(0xd2, 4), list(0xd2, 4)
		if q.bad {
			return corrupt("blosc2", "the shape of the array is cut off")
		}
	}
	if m.bad {
		return corrupt("blosc2", "the list of metalayers is cut off")
	}
	return nil
}

// blosc2Frame decodes the contiguous frame in src into dst and returns the bytes written.
func (s *Scratch) blosc2Frame(dst, src []byte) (int, error) {
	f, err := parseFrame2(src)
	if err != nil || f.size == 0 {
		return 0, err
	}
	if f.chunk <= 0 || f.typesize <= 0 {
		return 0, corrupt("blosc2", "chunks of %d bytes with elements of %d", f.chunk, f.typesize)
	}
	if f.array {
		return s.blosc2Array(dst, f)
	}
	if f.size > len(dst) {
		return 0, full("blosc2", "frame decodes to %d bytes, want at most %d", f.size, len(dst))
	}
	chunks := (f.size-1)/f.chunk + 1
	starts, err := s.blosc2Index(f, chunks)
	if err != nil {
		return 0, err
	}
	for i := range chunks {
		out := dst[i*f.chunk : min((i+1)*f.chunk, f.size)]
		if err := s.blosc2At(out, f, starts, i); err != nil {
			return 0, err
		}
	}
	return f.size, nil
}

// blosc2Index decodes the places of the chunks of a frame.
func (s *Scratch) blosc2Index(f *frame2, chunks int) ([]byte, error) {
	// a place has 8 bytes; runs of special values make the stored index short
	if chunks > 1<<24 || chunks > 64*len(f.b) {
		return nil, corrupt("blosc2", "%d chunks in %d bytes", chunks, len(f.b))
	}
	out := make([]byte, 8*chunks)
	n, err := s.blosc2Chunk(out, f.b[f.index:])
	if err == nil && n != len(out) {
		err = corrupt("blosc2", "%d bytes of places of %d chunks", n, chunks)
	}
	if err != nil {
		return nil, fmt.Errorf("index of the chunks: %w", err)
	}
	return out, nil
}

// blosc2At decodes chunk i of a frame, which must fill out.
func (s *Scratch) blosc2At(out []byte, f *frame2, starts []byte, i int) error {
	at := int64(binary.LittleEndian.Uint64(starts[8*i:]))
	if at < 0 { // a value instead of a place
		return blosc2Fill(out, int(uint64(at)>>56&0x7f), f.typesize, nil)
	}
	if at >= int64(f.index-f.head) {
		return corrupt("blosc2", "chunk %d lies at %d of %d bytes", i, at, f.index-f.head)
	}
	n, err := s.blosc2Chunk(out, f.b[f.head+int(at):f.index])
	if err == nil && n != len(out) {
		err = corrupt("blosc2", "%d bytes, want %d", n, len(out))
	}
	if err != nil {
		return fmt.Errorf("chunk %d: %w", i, err)
	}
	return nil
}

// blosc2Array decodes an array: each chunk is cut into blocks, whose elements lie together; both are padded to their whole shapes.
func (s *Scratch) blosc2Array(dst []byte, f *frame2) (int, error) {
	total, padded, chunks := f.typesize, f.typesize, 1
	blocks := make([]int, len(f.shape)) // of a chunk
	grid := make([]int, len(f.shape))
	for i, n := range f.shape {
		c, b := f.cs[i], f.bs[i]
		if n <= 0 || c <= 0 || b <= 0 || b > c || n > len(dst)/total {
			return 0, corrupt("blosc2", "array %v in chunks %v and blocks %v for %d bytes", f.shape, f.cs, f.bs, len(dst))
		}
		total *= n
		blocks[i], grid[i] = (c+b-1)/b, (n+c-1)/c
		chunks *= grid[i]
		if padded *= blocks[i] * b; padded > math.MaxInt32 {
			return 0, corrupt("blosc2", "chunks of shape %v", f.cs)
		}
	}
	// chunks may be longer than the array and blocks than chunks, but not so that padding is most of the work
	if padded != f.chunk || padded > (256*len(dst)+1<<20)/chunks {
		return 0, corrupt("blosc2", "%d chunks of %d bytes, their shape has %d", chunks, f.chunk, padded)
	}
	starts, err := s.blosc2Index(f, chunks)
	if err != nil {
		return 0, err
	}
	buf := make([]byte, padded)
	pos := make([]int, len(f.shape))
	for i := range chunks {
		if err := s.blosc2At(buf, f, starts, i); err != nil {
			return 0, err
		}
		for k, r := len(grid)-1, i; k >= 0; k-- {
			pos[k] = r % grid[k] * f.cs[k]
			r /= grid[k]
		}
		f.scatter(dst, buf, pos, blocks)
	}
	return total, nil
}

// scatter puts the blocks of a chunk, whose first element is at pos of the array, in their places.
func (f *frame2) scatter(dst, chunk []byte, pos, blocks []int) {
	nd := len(f.shape)
	line := f.bs[nd-1] * f.typesize
	at, in := make([]int, nd), make([]int, nd) // the block, and the line in it
	for len(chunk) > 0 {
		for len(chunk) > 0 {
			// one line along the last axis
			place, inside := 0, true
			for k := range nd {
				own := at[k]*f.bs[k] + in[k]
				x := pos[k] + own
				inside = inside && own < f.cs[k] && x < f.shape[k]
				place = place*f.shape[k] + x
			}
			if inside {
				first := at[nd-1] * f.bs[nd-1]
				n := min(f.bs[nd-1], f.cs[nd-1]-first, f.shape[nd-1]-pos[nd-1]-first)
				copy(dst[place*f.typesize:], chunk[:n*f.typesize])
			}
			chunk = chunk[line:]
			if !advance(in[:nd-1], f.bs) {
				break
			}
		}
		if !advance(at, blocks) {
			return
		}
	}
}

// advance steps a row-major position; false when it has come around.
func advance(at, shape []int) bool {
	for k := len(at) - 1; k >= 0; k-- {
		if at[k]++; at[k] < shape[k] {
			return true
		}
		at[k] = 0
	}
	return false
}
