// SPDX-License-Identifier: BSD-3-Clause

package netcdf

import "encoding/binary"

// heapObjects is the number of objects in one global heap collection: their numbers have 16 bits.
const heapObjects = 60000

// collection lays objects out as a global heap collection; object i has number i+1.
func collection(objects [][]byte) []byte {
	size := heapBytes(objects)
	w := &buf{b: make([]byte, 0, size)}
	w.s("GCOL").u(1, 1).u(3, 0).u(8, uint64(size))
	for i, o := range objects {
		w.u(2, uint64(i+1)).u(2, 1).u(4, 0).u(8, uint64(len(o))).bytes(o)
		w.b = append(w.b, make([]byte, (8-len(o)%8)%8)...)
	}
	// what is left is object 0
	free := size - len(w.b)
	w.u(2, 0).u(2, 0).u(4, 0).u(8, uint64(free))
	return append(w.b, make([]byte, size-len(w.b))...)
}

// heapBytes returns the size of a collection: at least 4096, with room for object 0.
func heapBytes(objects [][]byte) int {
	n := 16 + 16
	for _, o := range objects {
		n += 16 + (len(o)+7)&^7
	}
	return max(n, 4096)
}

// vlenRef is a variable-length element: n items in object i of the collection at addr.
func vlenRef(b []byte, n int, addr uint64, i int) []byte {
	b = binary.LittleEndian.AppendUint32(b, uint32(n))
	b = binary.LittleEndian.AppendUint64(b, addr)
	return binary.LittleEndian.AppendUint32(b, uint32(i))
}

// metaHeap holds the variable-length data of attributes. The file's headers are
// laid out twice: the first time it learns how many objects there are and how
// long, then place gives the collections their addresses, and the second time the same
// calls in the same order get them.
type metaHeap struct {
	objects [][]byte
	addrs   []uint64 // of the collections; nil the first time
	next    int
}

// put keeps an object and returns its place.
func (h *metaHeap) put(o []byte) (addr uint64, i int) {
	k := h.next
	h.next++
	if h.addrs == nil {
		h.objects = append(h.objects, o)
		return 0, 0
	}
	h.objects[k] = o
	return h.addrs[k/heapObjects], k%heapObjects + 1
}

// parts returns the objects of each collection.
func (h *metaHeap) parts() (out [][][]byte) {
	for o := h.objects; len(o) > 0; {
		n := min(len(o), heapObjects)
		out = append(out, o[:n])
		o = o[n:]
	}
	return out
}

// place gives the collections their addresses, from alloc, and starts over.
func (h *metaHeap) place(alloc func(n int64) uint64) {
	h.addrs = []uint64{}
	for _, p := range h.parts() {
		h.addrs = append(h.addrs, alloc(int64(heapBytes(p))))
	}
	h.next = 0
}
