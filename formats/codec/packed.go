// SPDX-License-Identifier: BSD-3-Clause

package codec

import "github.com/arrayrun/arrayrun/formats"

// Unfinished returns the chain without the last step of decoding, and what that step is, where a reader may do it
// itself: elements that are one number each, in C order, swapped or shuffled. Otherwise it returns the chain and formats.Native.
func (c *Chain) Unfinished() (*Chain, formats.Packing) {
	if c.Order != nil || c.arrays > 0 || !c.layout.DType.IsNumeric() || c.layout.DType.IsComplex() || c.layout.ItemBytes < 2 {
		return c, formats.Native
	}
	short := *c
	if c.Swap {
		short.Swap = false
		return &short, formats.Swapped
	}
	if len(c.Stages) == 0 || !Unshuffles(c.Stages[0], c.layout.ItemBytes) {
		return c, formats.Native
	}
	short.Stages = c.Stages[1:]
	return &short, formats.Shuffled
}

// Unshuffles reports whether a stage is the byte shuffle of elements of a size and nothing else.
func Unshuffles(s Stage, item int) bool {
	z, ok := s.(shuffleStage)
	return ok && z.item == item
}
