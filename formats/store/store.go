// SPDX-License-Identifier: BSD-3-Clause

package store

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"strings"
)

// Range is a part of a value: Len bytes from Off on. A negative Len reads to the end; a
// negative Off counts from the end (the last -Off bytes).
type Range struct{ Off, Len int64 }

// All is the range of a whole value.
var All = Range{0, -1}

// Suffix returns the range of the last n bytes.
func Suffix(n int64) Range { return Range{-n, n} }

// of returns the half-open byte range of r in a value of the given size. A range that is
// not inside it is an error.
func (r Range) of(size int64) (lo, hi int64, err error) {
	lo, hi = r.Off, r.Off+r.Len
	if r.Off < 0 {
		lo = size + r.Off
		hi = lo + r.Len
	}
	if r.Len < 0 {
		hi = size
	}
	if lo < 0 || hi < lo || hi > size {
		return 0, 0, fmt.Errorf("range of %d bytes at %d of a value of %d: %w", r.Len, r.Off, size, ErrRange)
	}
	return lo, hi, nil
}

// Info describes an entry of a listing.
type Info struct {
	Name string // the last element of the key
	Dir  bool   // further keys start with it and a slash
	Size int64  // bytes of a value, -1 when the listing does not know
}

// PutOpt changes how Put writes.
type PutOpt struct {
	// Direct writes in place, without a temporary name: for outputs that are moved to
	// their place as a whole when they are complete.
	Direct bool
	// IfNoneMatch refuses, with an error wrapping fs.ErrExist, when the key is there.
	IfNoneMatch bool
}

// Store keeps bytes under keys. It is safe for concurrent use. Errors wrap fs.ErrNotExist for a
// key that is not there and ErrRange for a range outside the value; bad keys wrap fs.ErrInvalid.
type Store interface {
	// Get returns bytes of the value at key, in buf's memory when its capacity suffices. A value
	// of which more than limit bytes are asked for is an error wrapping ErrRange; a limit < 0 is none.
	Get(ctx context.Context, key string, r Range, limit int64, buf []byte) ([]byte, error)
	// Stat returns the size of the value at key.
	Stat(ctx context.Context, key string) (Info, error)
	// List returns the entries directly below prefix ("" is the root), sorted by name. A
	// prefix without any gives an empty list.
	List(ctx context.Context, prefix string) ([]Info, error)
	// Put makes b the value at key: seen whole or not at all.
	Put(ctx context.Context, key string, b []byte, opt PutOpt) error
	// Delete removes the value at key; one that is not there is no error.
	Delete(ctx context.Context, key string) error
	// Name says where the store is, for messages.
	Name() string
}

// PartReader is implemented by stores from which a value comes in parts for no more than it costs as a whole.
type PartReader interface {
	// Parts opens the value at key for read and returns its error. Where a range goes beyond the end, ReadAt returns what there is and io.ErrUnexpectedEOF.
	Parts(ctx context.Context, key string, read func(io.ReaderAt) error) error
}

// checkKey refuses keys that could leave the store.
func checkKey(key string) error {
	if !fs.ValidPath(key) || key == "." || strings.IndexByte(key, 0) >= 0 {
		return fmt.Errorf("store: key %q is not a path below the root: %w", key, fs.ErrInvalid)
	}
	return nil
}
