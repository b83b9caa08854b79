// SPDX-License-Identifier: BSD-3-Clause

package clib

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"unsafe"
)

// Library is one of the two.
type Library struct {
	Name    string // of the file the loader is asked for
	version func(fn uintptr) string
	symbols []string // the first tells the version
	once    sync.Once
	fns     []uintptr
	err     error
	text    string
}

// The libraries, by the names that mean these interfaces.
var (
	LibDeflate = &Library{Name: "libdeflate.so.0", symbols: []string{"libdeflate_adler32", "libdeflate_alloc_decompressor", "libdeflate_deflate_decompress_ex",
		"libdeflate_free_decompressor"}}
	LibZstd = &Library{Name: "libzstd.so.1", symbols: []string{"ZSTD_versionNumber", "ZSTD_createDCtx", "ZSTD_decompressDCtx", "ZSTD_freeDCtx",
		"ZSTD_createCCtx", "ZSTD_CCtx_setParameter", "ZSTD_compress2", "ZSTD_freeCCtx", "ZSTD_isError"},
		version: func(fn uintptr) string {
			n := int(uint32(call(fn)))
			return fmt.Sprintf("%d.%d.%d", n/10000, n/100%100, n%100)
		}}
)

// The functions of LibDeflate and LibZstd by their places in symbols.
const (
	newInflater = 1 + iota
	inflate
	freeInflater
)

const (
	newDCtx = 1 + iota
	decompress
	freeDCtx
	newCCtx
	setParameter
	compress
	freeCCtx
	isError
)

var refused atomic.Bool

// Refuse says whether libraries are left alone from now on; states that are there go on.
func Refuse(yes bool) { refused.Store(yes) }

var errRefused = errors.New("libraries are refused")

// Err is nil when the library is used, else the reason why it is not.
func (l *Library) Err() error {
	if refused.Load() {
		return errRefused
	}
	l.once.Do(l.load)
	return l.err
}

// Version is what the library says of itself, "" where it says nothing.
func (l *Library) Version() string { return l.text }

func (l *Library) load() {
	lib, err := open(l.Name)
	if err != nil {
		l.err = err
		return
	}
	fns := make([]uintptr, len(l.symbols))
	for i, name := range l.symbols {
		if fns[i], l.err = lookup(lib, name); l.err != nil {
			return
		}
	}
	if l.fns = fns; l.version != nil {
		l.text = l.version(fns[0])
	}
}

// state is what a library keeps for one worker.
type state struct {
	lib  *Library
	at   uintptr
	pins runtime.Pinner
}

// start makes s with one function, to be freed with another; it reports whether there is one.
func (s *state) start(l *Library, with, free int, args ...uintptr) bool {
	if l.Err() != nil {
		return false
	}
	s.lib, s.at = l, call(l.fns[with], args...)
	if s.at == 0 {
		return false
	}
	runtime.AddCleanup(s, func(at uintptr) { call(l.fns[free], at) }, s.at)
	return true
}

// pin returns the address of b, which stays where it is until unpin.
func (s *state) pin(b []byte) uintptr {
	p := unsafe.SliceData(b)
	if len(b) == 0 {
		p = &nothing
	}
	s.pins.Pin(p)
	return uintptr(unsafe.Pointer(p))
}

// nothing is where empty slices are: libraries want an address.
var nothing byte

func (s *state) unpin() { s.pins.Unpin() }
