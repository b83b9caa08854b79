// SPDX-License-Identifier: BSD-3-Clause

package driver

import (
	"errors"
	"fmt"
)

// Code is a CUresult. It is an error, so errors.Is(err, driver.OutOfMemory) works on whatever wraps a CallError.
type Code int32

// The codes that callers tell apart.
const (
	InvalidValue          Code = 1
	OutOfMemory           Code = 2
	NotInitialized        Code = 3
	Deinitialized         Code = 4
	StubLibrary           Code = 34
	NoDevice              Code = 100
	InvalidDevice         Code = 101
	InvalidImage          Code = 200
	InvalidContext        Code = 201
	NoBinaryForGPU        Code = 209
	ECCUncorrectable      Code = 214
	InvalidPTX            Code = 218
	UnsupportedPTXVersion Code = 222
	InvalidHandle         Code = 400
	NotFound              Code = 500
	NotReady              Code = 600
	IllegalAddress        Code = 700
	LaunchOutOfResources  Code = 701
	LaunchTimeout         Code = 702
	ContextIsDestroyed    Code = 709
	Assert                Code = 710
	HardwareStackError    Code = 714
	IllegalInstruction    Code = 715
	MisalignedAddress     Code = 716
	InvalidAddressSpace   Code = 717
	InvalidPC             Code = 718
	LaunchFailed          Code = 719
	NotPermitted          Code = 800
	NotSupported          Code = 801
	SystemNotReady        Code = 802
	SystemDriverMismatch  Code = 803
	CompatNotSupported    Code = 804
	Unknown               Code = 999
)

const (
	success       Code = 0
	missingSymbol Code = -1 // an optional function that this driver does not have
)

// codeNames holds the names of cuda.h without their prefix, and what they mean in a few words.
var codeNames = map[Code][2]string{
	1:   {"INVALID_VALUE", "an argument is out of range"},
	2:   {"OUT_OF_MEMORY", "not enough memory"},
	3:   {"NOT_INITIALIZED", "cuInit has not been called or failed"},
	4:   {"DEINITIALIZED", "the driver is shutting down"},
	34:  {"STUB_LIBRARY", "the loaded library is the toolkit's link-time stub"},
	46:  {"DEVICE_UNAVAILABLE", "the device is in use or held exclusively"},
	100: {"NO_DEVICE", "no CUDA device was found"},
	101: {"INVALID_DEVICE", "no such device"},
	102: {"DEVICE_NOT_LICENSED", "the device's licence is not valid"},
	200: {"INVALID_IMAGE", "the module image is not valid"},
	201: {"INVALID_CONTEXT", "no context is current on this thread"},
	205: {"MAP_FAILED", "mapping failed"},
	208: {"ALREADY_MAPPED", "already mapped"},
	209: {"NO_BINARY_FOR_GPU", "the image has no code for this device"},
	214: {"ECC_UNCORRECTABLE", "an uncorrectable memory error"},
	215: {"UNSUPPORTED_LIMIT", "unsupported limit"},
	218: {"INVALID_PTX", "compiling the PTX failed"},
	220: {"NVLINK_UNCORRECTABLE", "an uncorrectable link error"},
	221: {"JIT_COMPILER_NOT_FOUND", "the driver's PTX compiler was not found"},
	222: {"UNSUPPORTED_PTX_VERSION", "the PTX is newer than the driver"},
	223: {"JIT_COMPILATION_DISABLED", "compiling PTX is disabled"},
	300: {"INVALID_SOURCE", "the kernel's source is not valid"},
	301: {"FILE_NOT_FOUND", "file not found"},
	302: {"SHARED_OBJECT_SYMBOL_NOT_FOUND", "a shared object's symbol was not found"},
	303: {"SHARED_OBJECT_INIT_FAILED", "a shared object failed to start"},
	304: {"OPERATING_SYSTEM", "an operating system call failed"},
	400: {"INVALID_HANDLE", "the handle is not valid"},
	401: {"ILLEGAL_STATE", "a needed resource is not in a valid state"},
	500: {"NOT_FOUND", "the named symbol was not found"},
	600: {"NOT_READY", "the work has not finished"},
	700: {"ILLEGAL_ADDRESS", "a kernel accessed memory it may not"},
	701: {"LAUNCH_OUT_OF_RESOURCES", "too many registers or threads for this device"},
	702: {"LAUNCH_TIMEOUT", "the kernel ran longer than the display's watchdog allows"},
	703: {"LAUNCH_INCOMPATIBLE_TEXTURING", "incompatible texturing"},
	704: {"PEER_ACCESS_ALREADY_ENABLED", "peer access is already enabled"},
	705: {"PEER_ACCESS_NOT_ENABLED", "peer access is not enabled"},
	708: {"PRIMARY_CONTEXT_ACTIVE", "the primary context is active"},
	709: {"CONTEXT_IS_DESTROYED", "the context has been destroyed"},
	710: {"ASSERT", "an assertion in a kernel failed"},
	712: {"HOST_MEMORY_ALREADY_REGISTERED", "host memory is already registered"},
	713: {"HOST_MEMORY_NOT_REGISTERED", "host memory is not registered"},
	714: {"HARDWARE_STACK_ERROR", "a stack was corrupted or too large"},
	715: {"ILLEGAL_INSTRUCTION", "an illegal instruction"},
	716: {"MISALIGNED_ADDRESS", "a load or store was not aligned to its size"},
	717: {"INVALID_ADDRESS_SPACE", "an address of the wrong space"},
	718: {"INVALID_PC", "the program counter left the code"},
	719: {"LAUNCH_FAILED", "the kernel failed"},
	720: {"COOPERATIVE_LAUNCH_TOO_LARGE", "the cooperative launch is too large"},
	800: {"NOT_PERMITTED", "not permitted"},
	801: {"NOT_SUPPORTED", "not supported on this device"},
	802: {"SYSTEM_NOT_READY", "the system is not ready: is the fabric manager running?"},
	803: {"SYSTEM_DRIVER_MISMATCH", "the kernel module and the driver library differ in version: reboot after an upgrade"},
	804: {"COMPAT_NOT_SUPPORTED_ON_DEVICE", "the compatibility library does not support this device"},
	999: {"UNKNOWN", "unknown error"},
}

// Name returns the code's name in cuda.h, such as CUDA_ERROR_OUT_OF_MEMORY.
func (c Code) Name() string {
	switch {
	case c == success:
		return "CUDA_SUCCESS"
	case c == missingSymbol:
		return "MISSING_SYMBOL"
	case codeNames[c][0] != "":
		return "CUDA_ERROR_" + codeNames[c][0]
	}
	return fmt.Sprintf("CUDA_ERROR_%d", int32(c))
}

// Error returns the code's name, number and meaning.
func (c Code) Error() string {
	if c == missingSymbol {
		return "this driver does not have the function"
	}
	if what := codeNames[c][1]; what != "" {
		return fmt.Sprintf("%s (%d): %s", c.Name(), int32(c), what)
	}
	return fmt.Sprintf("%s (%d)", c.Name(), int32(c))
}

// Sticky reports whether the code means that the context is lost: every later
// call on it returns the same error until the process ends or the context is
// destroyed. The device's memory must then be taken for gone.
func (c Code) Sticky() bool {
	switch c {
	case ECCUncorrectable, 220, IllegalAddress, LaunchTimeout, ContextIsDestroyed, Assert,
		HardwareStackError, IllegalInstruction, MisalignedAddress, InvalidAddressSpace, InvalidPC, LaunchFailed:
		return true
	}
	return false
}

// CallError is a driver call that failed. It unwraps to its Code.
type CallError struct {
	Call   string // the function, such as cuMemAlloc_v2
	Code   Code
	Detail string // what was asked for, or the compiler's log; may be empty
}

// Error tells the call, the code and the detail.
func (e *CallError) Error() string {
	s := "cuda/driver: " + e.Call + ": " + e.Code.Error()
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	if e.Code.Sticky() {
		s += "; the context is lost: every later call on it fails"
	}
	return s
}

// Unwrap returns the Code.
func (e *CallError) Unwrap() error { return e.Code }

// ErrSession is wrapped when a Session is used after its Do or on another thread.
var ErrSession = errors.New("the Session has ended or belongs to another thread: use it only inside Context.Do, on its goroutine")

// ErrRange is wrapped when a copy leaves its buffer or an argument has no valid size.
var ErrRange = errors.New("outside its range")

// CodeOf returns the driver's code in err, or 0 when there is none.
func CodeOf(err error) Code {
	var c Code
	errors.As(err, &c)
	return c
}

// IsSticky reports whether err says that a context is lost.
func IsSticky(err error) bool { return CodeOf(err).Sticky() }
