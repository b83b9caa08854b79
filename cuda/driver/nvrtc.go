// SPDX-License-Identifier: BSD-3-Clause

package driver

import (
	"errors"
	"fmt"
	"runtime"
	"unsafe"
)

// NVRTC is the loaded run-time compiler. It needs no device. Its methods are safe for concurrent use.
type NVRTC struct {
	lib     *Library
	calls   nvrtcCalls
	version Version
	archs   []int
}

// OpenNVRTC loads NVRTC where the environment says; see Search.OpenNVRTC.
func OpenNVRTC() (*NVRTC, error) { return FromEnv().OpenNVRTC() }

// OpenNVRTC loads NVRTC. An error is a *LoadError.
func (s Search) OpenNVRTC() (*NVRTC, error) {
	const what = "NVRTC"
	fix := "install the CUDA toolkit or the Python package nvidia-cuda-nvrtc, or set " + EnvNVRTC + " to its libnvrtc.so"
	places := len(s.nvrtcFolders())
	if s.NVRTC != "" {
		fix, places = "correct or unset "+EnvNVRTC, 0
	}
	var calls nvrtcCalls
	lib, err := loadFirst(what, fix, s.nvrtcCandidates(), places, func() []bound { calls = nvrtcCalls{}; return calls.table() })
	if err != nil {
		return nil, err
	}
	n := &NVRTC{lib: lib, calls: calls}
	var major, minor int32
	if code := n.calls.version.call(uintptr(unsafe.Pointer(&major)), uintptr(unsafe.Pointer(&minor))); code != success {
		return nil, &LoadError{Library: what, Reason: ReasonInit, Path: lib.path, Detail: "nvrtcVersion: " + CompileCode(code).Error(), Fix: "install it again"}
	}
	n.version = Version(1000*major + 10*minor)
	if n.version < OldestNVRTC {
		return nil, &LoadError{Library: what, Reason: ReasonOld, Path: lib.path, Detail: fmt.Sprintf("version %v, want %v or later", n.version, OldestNVRTC), Fix: "update it"}
	}
	if n.archs, err = n.supported(); err != nil {
		return nil, &LoadError{Library: what, Reason: ReasonInit, Path: lib.path, Detail: err.Error(), Fix: "install it again"}
	}
	return n, nil
}

func (n *NVRTC) supported() ([]int, error) {
	var count int32
	if code := n.calls.archCount.call(uintptr(unsafe.Pointer(&count))); code != success {
		return nil, &CompileError{Call: n.calls.archCount.name, Code: CompileCode(code)}
	}
	if count < 1 || count > 1000 {
		return nil, fmt.Errorf("cuda/driver: NVRTC supports %d architectures, want 1 to 1000: %w", count, ErrRange)
	}
	list := make([]int32, count)
	if code := n.calls.archs.call(uintptr(unsafe.Pointer(unsafe.SliceData(list)))); code != success {
		return nil, &CompileError{Call: n.calls.archs.name, Code: CompileCode(code)}
	}
	archs := make([]int, count)
	for i, a := range list {
		archs[i] = int(a)
	}
	return archs, nil
}

// Library returns the loaded library.
func (n *NVRTC) Library() *Library { return n.lib }

// Version returns NVRTC's version.
func (n *NVRTC) Version() Version { return n.version }

// Archs lists the architectures it compiles for, ascending: 90 is sm_90. The caller must not change it.
func (n *NVRTC) Archs() []int { return n.archs }

// CompileCode is an nvrtcResult.
type CompileCode int32

// The codes that callers tell apart.
const (
	CompileOutOfMemory   CompileCode = 1
	CompileInvalidOption CompileCode = 5
	CompileFailed        CompileCode = 6 // the source has errors: the log tells them
)

var compileCodes = []string{"SUCCESS", "OUT_OF_MEMORY", "PROGRAM_CREATION_FAILURE", "INVALID_INPUT", "INVALID_PROGRAM", "INVALID_OPTION", "COMPILATION",
	"BUILTIN_OPERATION_FAILURE", "NO_NAME_EXPRESSIONS_AFTER_COMPILATION", "NO_LOWERED_NAMES_BEFORE_COMPILATION", "NAME_EXPRESSION_NOT_VALID", "INTERNAL_ERROR"}

// Error returns the code's name and number.
func (c CompileCode) Error() string {
	if c >= 0 && int(c) < len(compileCodes) {
		return fmt.Sprintf("NVRTC_ERROR_%s (%d)", compileCodes[c], int32(c))
	}
	return fmt.Sprintf("NVRTC_ERROR_%d", int32(c))
}

// CompileError is an NVRTC call that failed. It unwraps to its Code.
type CompileError struct {
	Call string
	Name string // the program's
	Code CompileCode
	Log  string // the compiler's messages
}

// Error tells the call, the program, the code and the compiler's messages.
func (e *CompileError) Error() string {
	s := "cuda/driver: " + e.Call
	if e.Name != "" {
		s += ": " + e.Name
	}
	s += ": " + e.Code.Error()
	if e.Log != "" {
		s += ": " + e.Log
	}
	return s
}

// Unwrap returns the Code.
func (e *CompileError) Unwrap() error { return e.Code }

// Want says what Compile is to return.
type Want uint8

// What Compile returns; both may be asked for at once.
const (
	WantPTX   Want = 1
	WantCubin Want = 2 // needs --gpu-architecture=sm_XX
)

// Compiled is what NVRTC made of a program.
type Compiled struct {
	PTX   []byte // text, without the final NUL
	Cubin []byte
	Log   string // warnings
}

// maxCompiled bounds what NVRTC may claim to have made.
const maxCompiled = 1 << 30

// Compile compiles CUDA C. name appears in messages and line tables.
func (n *NVRTC) Compile(name, source string, options []string, want Want) (*Compiled, error) {
	text, file := append([]byte(source), 0), append([]byte(name), 0)
	var prog uintptr
	fail := func(p *proc, code Code, log string) error {
		return &CompileError{Call: p.name, Name: name, Code: CompileCode(code), Log: log}
	}
	code := n.calls.create.call(uintptr(unsafe.Pointer(&prog)), uintptr(unsafe.Pointer(unsafe.SliceData(text))), uintptr(unsafe.Pointer(unsafe.SliceData(file))), 0, 0, 0)
	if code != success {
		return nil, fail(&n.calls.create, code, "")
	}
	defer func() { n.calls.destroy.call(uintptr(unsafe.Pointer(&prog))) }()
	opts := make([]*byte, len(options)+1) // never empty, so that it has an address
	for i, o := range options {
		opts[i] = unsafe.SliceData(append([]byte(o), 0))
	}
	code = n.calls.compile.call(prog, uintptr(len(options)), uintptr(unsafe.Pointer(unsafe.SliceData(opts))))
	runtime.KeepAlive(opts)
	log, err := n.read(&n.calls.logSize, &n.calls.log, prog, name)
	if code != success {
		return nil, fail(&n.calls.compile, code, cString(log))
	}
	if err != nil {
		return nil, err
	}
	out := &Compiled{Log: cString(log)}
	if want&WantPTX != 0 {
		if out.PTX, err = n.read(&n.calls.ptxSize, &n.calls.ptx, prog, name); err != nil {
			return nil, err
		}
		if k := len(out.PTX); k > 0 && out.PTX[k-1] == 0 {
			out.PTX = out.PTX[:k-1]
		}
	}
	if want&WantCubin != 0 {
		if out.Cubin, err = n.read(&n.calls.cubinSize, &n.calls.cubin, prog, name); err != nil {
			return nil, err
		}
		if len(out.Cubin) == 0 {
			return nil, &CompileError{Call: n.calls.cubinSize.name, Name: name, Code: CompileInvalidOption, Log: "no cubin was made: the options must name a real architecture, --gpu-architecture=sm_XX"}
		}
	}
	return out, nil
}

// read returns the bytes of a size call and its get call.
func (n *NVRTC) read(size, get *proc, prog uintptr, name string) ([]byte, error) {
	var k uint64
	if code := size.call(prog, uintptr(unsafe.Pointer(&k))); code != success {
		return nil, &CompileError{Call: size.name, Name: name, Code: CompileCode(code)}
	}
	if k == 0 {
		return nil, nil
	}
	if k > maxCompiled {
		return nil, &CompileError{Call: size.name, Name: name, Code: CompileOutOfMemory, Log: fmt.Sprintf("%d bytes, want at most %d", k, maxCompiled)}
	}
	buf := make([]byte, k)
	if code := get.call(prog, uintptr(unsafe.Pointer(unsafe.SliceData(buf)))); code != success {
		return nil, &CompileError{Call: get.name, Name: name, Code: CompileCode(code)}
	}
	return buf, nil
}

// LogOf returns the compiler's messages in err, or "".
func LogOf(err error) string {
	var e *CompileError
	if errors.As(err, &e) {
		return e.Log
	}
	return ""
}
