// SPDX-License-Identifier: BSD-3-Clause

package driver

import (
	"encoding/binary"
	"fmt"
	"math"
	"runtime"
	"unsafe"
)

// Module is loaded device code.
type Module uintptr

// Function is a kernel of a module.
type Function uintptr

// CUjit_option values.
const (
	jitErrorLogBuffer = 5
	jitErrorLogBytes  = 6
	jitLogSize        = 16 << 10
)

// ModuleLoad loads a cubin, or PTX text, which the driver then compiles. The
// image is not needed afterwards. The error's detail holds the compiler's log.
func (s *Session) ModuleLoad(image []byte) (Module, error) {
	if len(image) == 0 {
		return 0, fmt.Errorf("cuda/driver: load module: the image is empty: %w", InvalidImage)
	}
	text := append(append(make([]byte, 0, len(image)+1), image...), 0) // PTX ends with NUL
	log := make([]byte, jitLogSize)
	var pin runtime.Pinner // vals holds the address only as a number
	pin.Pin(unsafe.SliceData(log))
	defer pin.Unpin()
	keys := [2]int32{jitErrorLogBuffer, jitErrorLogBytes}
	vals := [2]uintptr{uintptr(unsafe.Pointer(unsafe.SliceData(log))), jitLogSize - 1}
	var m Module
	err := s.do(&s.calls.moduleLoadData, uintptr(unsafe.Pointer(&m)), uintptr(unsafe.Pointer(unsafe.SliceData(text))),
		uintptr(len(keys)), uintptr(unsafe.Pointer(&keys)), uintptr(unsafe.Pointer(&vals)))
	if err != nil {
		if l := cString(log); l != "" {
			return 0, detailed(err, "%s", l)
		}
		return 0, detailed(err, "image of %d bytes", len(image))
	}
	return m, nil
}

// ModuleUnload unloads a module. No queued work may use it.
func (s *Session) ModuleUnload(m Module) error { return s.do(&s.calls.moduleUnload, uintptr(m)) }

// Function returns the module's kernel of the given name.
func (s *Session) Function(m Module, name string) (Function, error) {
	text := append([]byte(name), 0)
	var f Function
	err := s.do(&s.calls.moduleGetFunction, uintptr(unsafe.Pointer(&f)), uintptr(m), uintptr(unsafe.Pointer(unsafe.SliceData(text))))
	return f, detailed(err, "kernel %q", name)
}

// FunctionAttribute is a CUfunction_attribute.
type FunctionAttribute int32

// What a kernel uses.
const (
	FuncMaxThreadsPerBlock FunctionAttribute = 0
	FuncSharedBytes        FunctionAttribute = 1
	FuncConstBytes         FunctionAttribute = 2
	FuncLocalBytes         FunctionAttribute = 3 // per thread: more than arrays the source has are spilled registers
	FuncRegisters          FunctionAttribute = 4
	FuncPTXVersion         FunctionAttribute = 5
	FuncBinaryVersion      FunctionAttribute = 6
	FuncMaxDynamicShared   FunctionAttribute = 8 // may be set, to use more than 48 KiB
)

// FunctionAttribute returns what f uses.
func (s *Session) FunctionAttribute(f Function, a FunctionAttribute) (int, error) {
	var v int32
	err := s.do(&s.calls.funcGetAttribute, uintptr(unsafe.Pointer(&v)), uintptr(a), uintptr(f))
	return int(v), detailed(err, "attribute %d", a)
}

// SetFunctionAttribute sets an attribute of f.
func (s *Session) SetFunctionAttribute(f Function, a FunctionAttribute, v int) error {
	return detailed(s.do(&s.calls.funcSetAttrib, uintptr(f), uintptr(a), uintptr(v)), "attribute %d = %d", a, v)
}

// MaxActiveBlocks returns how many blocks of f one multiprocessor holds at a time.
func (s *Session) MaxActiveBlocks(f Function, threads int, sharedBytes int64) (int, error) {
	var n int32
	err := s.do(&s.calls.maxActiveBlocks, uintptr(unsafe.Pointer(&n)), uintptr(f), uintptr(threads), uintptr(sharedBytes))
	return int(n), err
}

// MaxArgs is the number of kernel arguments that fit: 4096 bytes of 8 each.
const MaxArgs = 512

// Args is a kernel's packed arguments: 8 bytes each, in order, so that no
// alignment can be wrong. The zero Args is empty. It may be used again once
// Launch has returned, but not for two launches at once.
type Args struct {
	n     int
	over  bool
	size  uintptr
	extra [5]uintptr
	buf   [MaxArgs * 8]byte
}

// Reset removes all arguments.
func (a *Args) Reset() *Args {
	a.n, a.over = 0, false
	return a
}

// Len returns the number of arguments.
func (a *Args) Len() int { return a.n / 8 }

// Uint appends a 64-bit unsigned integer.
func (a *Args) Uint(v uint64) *Args {
	if a.n == len(a.buf) {
		a.over = true
		return a
	}
	binary.NativeEndian.PutUint64(a.buf[a.n:], v)
	a.n += 8
	return a
}

// Int appends a 64-bit signed integer.
func (a *Args) Int(v int64) *Args { return a.Uint(uint64(v)) }

// Float appends a float64.
func (a *Args) Float(v float64) *Args { return a.Uint(math.Float64bits(v)) }

// Ptr appends an address in device memory.
func (a *Args) Ptr(p DevicePtr) *Args { return a.Uint(uint64(p)) }

// Dim3 is the extent of a grid or a block; a zero counts as one.
type Dim3 struct{ X, Y, Z uint32 }

func (d Dim3) fill() (x, y, z uintptr) {
	return uintptr(max(d.X, 1)), uintptr(max(d.Y, 1)), uintptr(max(d.Z, 1))
}

// Values of cuLaunchKernel's extra list.
const (
	launchParamEnd           = 0
	launchParamBufferPointer = 1
	launchParamBufferSize    = 2
)

// Launch queues grid blocks of f with sharedBytes of dynamic shared memory.
// The arguments are copied before it returns.
func (s *Session) Launch(f Function, grid, block Dim3, sharedBytes uint32, st Stream, a *Args) error {
	if a.over {
		return fmt.Errorf("cuda/driver: launch: more than %d arguments: %w", MaxArgs, ErrRange)
	}
	gx, gy, gz := grid.fill()
	bx, by, bz := block.fill()
	a.size = uintptr(a.n)
	// a is on the heap, as its address escapes below, and Go's heap does not move.
	a.extra = [5]uintptr{
		launchParamBufferPointer, uintptr(unsafe.Pointer(&a.buf)),
		launchParamBufferSize, uintptr(unsafe.Pointer(&a.size)),
		launchParamEnd,
	}
	err := s.do(&s.calls.launchKernel, uintptr(f), gx, gy, gz, bx, by, bz, uintptr(sharedBytes), uintptr(st), 0, uintptr(unsafe.Pointer(&a.extra)))
	runtime.KeepAlive(a)
	if err != nil {
		return detailed(err, "grid %dx%dx%d, block %dx%dx%d, %d bytes of shared memory, %d arguments", gx, gy, gz, bx, by, bz, sharedBytes, a.Len())
	}
	return nil
}
