// SPDX-License-Identifier: BSD-3-Clause

package kernels

import (
	"hash/fnv"
	"strings"
)

// CombineOf returns the unit that joins states of reduction r over values of dtype in.
func CombineOf(op ReductionID, state []StateType) *Combine { return &Combine{Op: op, In: state} }

// String returns the canonical text: combine mean(sum float64, count int64).
func (c *Combine) String() string {
	var b strings.Builder
	b.WriteString("combine ")
	if r := ReductionOf(c.Op); r != nil {
		b.WriteString(r.Name)
	}
	b.WriteByte('(')
	for i, s := range c.In {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(s.Name)
		b.WriteByte(' ')
		b.WriteString(s.DType.String())
	}
	b.WriteByte(')')
	return b.String()
}

// Hash returns a hash of the canonical text.
func (c *Combine) Hash() uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(c.String()))
	return h.Sum64()
}
