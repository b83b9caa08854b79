// SPDX-License-Identifier: BSD-3-Clause

package kernels

import (
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

// Key returns the canonical text, which is short.
func (c *Combine) Key() string { return c.String() }

// Hash returns a hash of Key.
func (c *Combine) Hash() uint64 { return hashKey(c.Key()) }
