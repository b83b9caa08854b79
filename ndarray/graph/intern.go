// SPDX-License-Identifier: BSD-3-Clause

package graph

import (
	"encoding/binary"
	"hash/maphash"
	"runtime"
	"sync"
	"sync/atomic"
	"weak"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
)

// lastID counts nodes; IDs are never used again, so a key made of input IDs
// cannot come to mean another input.
var lastID atomic.Uint64

// shard is a part of the table of living nodes. The table holds them weakly:
// a node nobody uses is collected, and a cleanup takes its entry out.
type shard struct {
	sync.Mutex
	nodes map[string]weak.Pointer[Node]
}

const shardCount = 32

var (
	shards   [shardCount]shard
	hashSeed = maphash.MakeSeed()
)

// intern returns the living node with n's identity, or n itself, now in the table.
// explicit says that n.Grid is not the inferred one and so takes part in the identity.
func intern(n *Node, explicit bool) *Node {
	key := string(identity(n, explicit))
	s := &shards[maphash.String(hashSeed, key)%shardCount]
	s.Lock()
	defer s.Unlock()
	if old := s.nodes[key].Value(); old != nil {
		return old
	}
	if s.nodes == nil {
		s.nodes = make(map[string]weak.Pointer[Node])
	}
	n.ID = lastID.Add(1)
	s.nodes[key] = weak.Make(n)
	runtime.AddCleanup(n, s.drop, key)
	return n
}

// drop forgets the entry of a collected node, unless an equal node took its place.
func (s *shard) drop(key string) {
	s.Lock()
	defer s.Unlock()
	if p, ok := s.nodes[key]; ok && p.Value() == nil {
		delete(s.nodes, key)
	}
}

// tableLen returns the number of entries, for the test that nothing piles up.
func tableLen() int {
	n := 0
	for i := range shards {
		shards[i].Lock()
		n += len(shards[i].nodes)
		shards[i].Unlock()
	}
	return n
}

// identity returns bytes that are equal exactly for equal nodes.
func identity(n *Node, explicit bool) []byte {
	b := make([]byte, 0, 64)
	b = append(b, byte(n.Kind), byte(n.DType))
	b = binary.AppendVarint(b, int64(n.ItemBytes))
	b = binary.AppendUvarint(b, uint64(len(n.In)))
	for _, in := range n.In {
		b = binary.AppendUvarint(b, in.ID)
	}
	if explicit {
		b = append(b, 1)
		b = appendGrid(b, n.Grid)
	} else {
		b = append(b, 0)
	}
	return n.Arg.AppendKey(b)
}

func appendInts(b []byte, list []int64) []byte {
	b = binary.AppendUvarint(b, uint64(len(list)))
	for _, x := range list {
		b = binary.AppendVarint(b, x)
	}
	return b
}

func appendString(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

func appendBool(b []byte, v bool) []byte {
	if v {
		return append(b, 1)
	}
	return append(b, 0)
}

// appendGrid appends the cuts of g; equal cuts written differently may give
// different bytes, which costs sharing and nothing else.
func appendGrid(b []byte, g chunk.Grid) []byte {
	b = binary.AppendUvarint(b, uint64(len(g.Axes)))
	for _, a := range g.Axes {
		b = binary.AppendVarint(b, a.Len)
		b = binary.AppendVarint(b, a.Step)
		b = appendBool(b, a.Edges != nil)
		if a.Edges != nil {
			b = appendInts(b, a.Edges)
		}
	}
	return b
}

// newNode makes and interns a node; a nil grid pointer means inferred.
func (at At) newNode(k Kind, in []*Node, dt dtype.DType, itemBytes int, g chunk.Grid, arg Arg, explicit bool) *Node {
	if dt != dtype.Raw {
		itemBytes = dt.Size()
	}
	return intern(&Node{Kind: k, In: in, DType: dt, ItemBytes: itemBytes, Grid: g, Arg: arg, Pos: string(at)}, explicit)
}
