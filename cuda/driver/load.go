// SPDX-License-Identifier: BSD-3-Clause

package driver

import (
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// Reason says why a library or the devices cannot be used.
type Reason uint8

// The reasons of a LoadError.
const (
	ReasonPlatform Reason = iota + 1 // no CUDA for this operating system, processor or build
	ReasonMissing                    // the library was not found or could not be loaded
	ReasonSymbol                     // it lacks functions that are required
	ReasonOld                        // its version is below the oldest supported one
	ReasonInit                       // it was loaded and refused to start
	ReasonNoDevice                   // it started and has no device
)

// String returns the reason in a word or two.
func (r Reason) String() string {
	return [...]string{"", "platform", "library missing", "function missing", "too old", "failed to start", "no device"}[r]
}

// Attempt is a library file or name that was tried, and what came of it.
type Attempt struct {
	Path string
	Err  error
}

// LoadError says why CUDA or NVRTC cannot be used on this machine and what would help.
type LoadError struct {
	Library string // "CUDA driver" or "NVRTC"
	Reason  Reason
	Path    string    // the library that was loaded, for reasons after loading
	Tried   []Attempt // what was tried
	Places  int       // how many folders were searched for files
	Detail  string    // the version, the absent functions, the platform
	Fix     string    // what to do
	Code    Code      // of cuInit or cuDeviceGetCount, when there was one
}

// Error tells the library, the reason, what was tried and what to do.
func (e *LoadError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "cuda/driver: %s: %s", e.Library, e.Why())
	if e.Fix != "" {
		fmt.Fprintf(&b, "; %s", e.Fix)
	}
	return b.String()
}

// Why returns the reason and its details without the library's name and the fix.
func (e *LoadError) Why() string {
	switch e.Reason {
	case ReasonMissing:
		list := make([]string, len(e.Tried))
		for i, a := range e.Tried {
			list[i] = a.Path
			if a.Err != nil && strings.ContainsAny(a.Path, `/\`) {
				list[i] = a.Err.Error()
			}
		}
		s := "not found: tried " + strings.Join(list, ", ")
		if e.Places > 0 {
			s += fmt.Sprintf(" by name and in %d folders", e.Places)
		}
		return s
	case ReasonPlatform:
		return e.Detail
	}
	s := e.Reason.String()
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	if e.Code != 0 {
		s += ": " + e.Code.Error()
	}
	if e.Path != "" {
		s += " (" + e.Path + ")"
	}
	return s
}

// Unwrap returns the Code, when there was one.
func (e *LoadError) Unwrap() error {
	if e.Code == 0 {
		return nil
	}
	return e.Code
}

// Library is a loaded shared library.
type Library struct {
	path   string
	handle uintptr
	absent []string
}

// Path returns the name or file it was loaded by.
func (l *Library) Path() string { return l.path }

// Absent lists the bound functions that the library does not have; all are optional ones.
func (l *Library) Absent() []string { return l.absent }

// Func returns a caller of an exported function that takes integers and returns
// one, for libraries with functions beyond the bound ones, such as the controls
// of the simulator that tests load. A Go pointer that is passed must be pinned.
func (l *Library) Func(name string) (func(args ...uintptr) uintptr, error) {
	fn, err := lookup(l.handle, name)
	if err != nil {
		return nil, fmt.Errorf("cuda/driver: %s: function %s: %w", l.path, name, err)
	}
	return func(args ...uintptr) uintptr { return callC(fn, args...) }, nil
}

// loadFirst loads the first candidate that has every required function. table
// is called anew for each, so that a refused library leaves nothing bound.
func loadFirst(what, fix string, paths []string, places int, table func() []bound) (*Library, error) {
	fail := &LoadError{Library: what, Reason: ReasonMissing, Places: places, Fix: fix}
	if platformReason != "" {
		fail.Reason, fail.Detail, fail.Fix, fail.Places = ReasonPlatform, platformReason, "", 0
		return nil, fail
	}
	for _, path := range paths {
		h, err := openFile(path)
		if err != nil {
			fail.Tried = append(fail.Tried, Attempt{path, err})
			continue
		}
		lib := &Library{path: path, handle: h}
		absent := bind(lib, table())
		if len(absent) == 0 {
			return lib, nil
		}
		fail.Tried = append(fail.Tried, Attempt{path, fmt.Errorf("lacks %s", some(absent))})
		if fail.Reason == ReasonMissing {
			fail.Reason, fail.Path, fail.Detail = ReasonSymbol, path, some(absent)
		}
	}
	return nil, fail
}

// openFile loads a library. A path to a pipe or a device is refused: the loader would wait for it. So is a file of which the end is missing: the loader
// maps what is not there, and the process dies when it is touched.
func openFile(path string) (uintptr, error) {
	if strings.ContainsAny(path, `/\`) {
		if st, err := os.Stat(path); err == nil && !st.Mode().IsRegular() {
			return 0, fmt.Errorf("%s: it is not a regular file", path)
		} else if err == nil && cutOff(path, st.Size()) {
			return 0, fmt.Errorf("%s: it is cut off after %d bytes: copy or install it again", path, st.Size())
		}
	}
	return openLibrary(path)
}

// cutOff reports an ELF file that is shorter than its headers say. What is no ELF file the loader refuses by itself.
func cutOff(path string, size int64) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	magic := make([]byte, len(elf.ELFMAG))
	if _, err := io.ReadFull(f, magic); err != nil || string(magic) != elf.ELFMAG {
		return false
	}
	e, err := elf.NewFile(f)
	if err != nil { // the list of sections is at the end of a file
		return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
	}
	return slices.ContainsFunc(e.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_LOAD && p.Off+p.Filesz > uint64(size) })
}

// some lists names, the first few of many.
func some(names []string) string {
	const most = 4
	if n := len(names); n > most {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most-1], ", "), n-most+1)
	}
	return strings.Join(names, ", ")
}

// Platform returns nil where CUDA libraries can be loaded, else a *LoadError with ReasonPlatform.
func Platform() error {
	if platformReason == "" {
		return nil
	}
	return &LoadError{Library: "CUDA driver", Reason: ReasonPlatform, Detail: platformReason}
}

// OpenLibrary loads a library by path and binds nothing, for libraries beside the two.
func OpenLibrary(path string) (*Library, error) {
	h, err := openFile(path)
	if err != nil {
		return nil, fmt.Errorf("cuda/driver: load %s: %w", path, err)
	}
	return &Library{path: path, handle: h}, nil
}
