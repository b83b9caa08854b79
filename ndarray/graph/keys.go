// SPDX-License-Identifier: BSD-3-Clause

package graph

import (
	"encoding/binary"
	"fmt"
	"reflect"
	"sync/atomic"
)

// AppendKey appends the source's identity: its pointer and type. That is safe although an
// address can be used again, because a living node keeps its source alive and a dead one is never found.
func (a LoadArg) AppendKey(b []byte) []byte {
	v := reflect.ValueOf(a.Source)
	b = appendString(b, fmt.Sprintf("%T", a.Source))
	if v.Kind() != reflect.Pointer {
		// A source that is no pointer has no identity: every Load of it is another one.
		return binary.AppendUvarint(append(b, 1), lastValueSource.Add(1))
	}
	return binary.AppendUvarint(append(b, 0), uint64(v.Pointer()))
}

var lastValueSource atomic.Uint64

// AppendKey appends the constant's bits or the axis.
func (a FillArg) AppendKey(b []byte) []byte {
	b = binary.AppendVarint(b, int64(max(a.Axis, -1)))
	if a.Axis >= 0 {
		return b
	}
	return fmt.Appendf(b, "%#v", a.Const)
}

// AppendKey appends the operation.
func (a MapArg) AppendKey(b []byte) []byte { return binary.AppendUvarint(b, uint64(a.Op)) }

// AppendKey appends the reduction, the axes and the groups.
func (a ReduceArg) AppendKey(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(a.Op))
	b = binary.AppendUvarint(b, uint64(len(a.Axes)))
	for _, x := range a.Axes {
		b = binary.AppendVarint(b, int64(x))
	}
	b = appendBool(b, a.KeepDims)
	b = binary.AppendVarint(b, a.Groups)
	b = appendBool(b, a.IDs != nil)
	b = binary.AppendUvarint(b, uint64(len(a.IDs)))
	for _, x := range a.IDs {
		b = binary.AppendVarint(b, int64(x))
	}
	return fmt.Appendf(b, "%#v", a.Params)
}

// AppendKey appends the selections and the fixed positions of dropped axes.
func (a SelectArg) AppendKey(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(len(a.Axes)))
	for _, s := range a.Axes {
		b = binary.AppendVarint(b, int64(s.In))
		b = binary.AppendVarint(b, s.Len)
		b = appendBool(b, s.IDs != nil)
		if s.IDs != nil {
			b = appendInts(b, s.IDs)
			continue
		}
		b = binary.AppendVarint(b, s.Start)
		b = binary.AppendVarint(b, s.Step)
	}
	return appendInts(b, a.Fixed)
}

// AppendKey appends the order of the axes.
func (a PermuteArg) AppendKey(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(len(a.Axes)))
	for _, x := range a.Axes {
		b = binary.AppendVarint(b, int64(x))
	}
	return b
}

// AppendKey appends the axis.
func (a StackArg) AppendKey(b []byte) []byte { return binary.AppendVarint(b, int64(a.Axis)) }

// AppendKey appends the grid.
func (a RechunkArg) AppendKey(b []byte) []byte { return appendGrid(b, a.Grid) }

// AppendKey appends the axis.
func (a CompressArg) AppendKey(b []byte) []byte { return binary.AppendVarint(b, int64(a.Axis)) }

// AppendKey appends the keys of what is built and of the pass; they stand for the functions.
func (a LaterArg) AppendKey(b []byte) []byte {
	b = appendString(b, a.Key)
	if a.Pass != nil {
		b = appendString(b, a.Pass.Key)
	}
	if a.Sweep != nil {
		b = appendString(b, a.Sweep.Key)
	}
	return b
}

// AppendKey appends Key and Whole; Key stands for the functions.
func (a OpaqueArg) AppendKey(b []byte) []byte {
	b = appendString(b, a.Key)
	return binary.AppendUvarint(b, uint64(a.Whole))
}
