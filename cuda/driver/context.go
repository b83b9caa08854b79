// SPDX-License-Identifier: BSD-3-Clause

package driver

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"unsafe"
)

// Context is a device's primary context, the one that all libraries in a process share.
// Its methods are safe for concurrent use.
type Context struct {
	dev    *Device
	handle uintptr
	closed atomic.Bool
	lost   atomic.Int32
}

// blockingSync makes waits sleep instead of spinning: the cores belong to the codecs.
const blockingSync = 4

// Primary retains the device's primary context. Close gives it back.
func (d *Device) Primary() (*Context, error) {
	// Only advice: when another library has the context in use already, its choice stands.
	d.drv.calls.primarySetFlags.call(uintptr(d.handle), blockingSync)
	c := &Context{dev: d}
	p := &d.drv.calls.primaryRetain
	if code := p.call(uintptr(unsafe.Pointer(&c.handle)), uintptr(d.handle)); code != success {
		return nil, d.failed(p, code)
	}
	return c, nil
}

// Device returns the context's device.
func (c *Context) Device() *Device { return c.dev }

// Lost returns the sticky code that a call on c has returned, or 0. A lost
// context stays lost: its memory is gone and every call fails.
func (c *Context) Lost() Code { return Code(c.lost.Load()) }

// Close gives the primary context back. The last one to do so destroys it with
// all its memory, so everything must have been synchronized. A second Close does nothing.
func (c *Context) Close() error {
	if c.closed.Swap(true) {
		return nil
	}
	p := &c.dev.drv.calls.primaryRelease
	if code := p.call(uintptr(c.dev.handle)); code != success {
		return c.dev.failed(p, code)
	}
	return nil
}

// Do runs f with a Session on c: the calling goroutine is locked to its OS
// thread and c is current on it until f returns. A batch of 10 to 100 calls in
// one Do is cheap; the lock and the check cost about one call.
// Do may be nested in another context's Do, which finds its own context current again.
func (c *Context) Do(f func(*Session) error) error {
	if c.closed.Load() {
		return fmt.Errorf("cuda/driver: device %d: use of a closed context: %w", c.dev.ordinal, InvalidContext)
	}
	calls := &c.dev.drv.calls
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before uintptr
	if code := calls.ctxGetCurrent.call(uintptr(unsafe.Pointer(&before))); code != success {
		return c.failed(&calls.ctxGetCurrent, code, "")
	}
	if before != c.handle {
		if code := calls.ctxSetCurrent.call(c.handle); code != success {
			return c.failed(&calls.ctxSetCurrent, code, "")
		}
	}
	s := &Session{ctx: c, calls: calls, live: true, thread: threadID()}
	defer func() {
		s.live = false
		// An outer Do must find its own context. If that cannot be had, none at all
		// is right: its calls then fail instead of going to the wrong device.
		if before != 0 && before != c.handle && calls.ctxSetCurrent.call(before) != success {
			calls.ctxSetCurrent.call(0)
		}
	}()
	return f(s)
}

func (c *Context) failed(p *proc, code Code, detail string) error {
	if code.Sticky() {
		c.lost.CompareAndSwap(0, int32(code))
	}
	if detail == "" {
		detail = fmt.Sprintf("device %d", c.dev.ordinal)
	}
	return &CallError{Call: p.name, Code: code, Detail: detail}
}

// Session is a batch of calls on one locked thread. It is valid inside the
// Context.Do that made it, on the goroutine that runs it.
type Session struct {
	ctx    *Context
	calls  *cudaCalls
	live   bool
	thread int
}

// Context returns the context that is current.
func (s *Session) Context() *Context { return s.ctx }

// usable returns ErrSession when s must not be used here.
func (s *Session) usable(p *proc) error {
	if !s.live || s.thread != threadID() {
		return fmt.Errorf("cuda/driver: %s: %w", p.name, ErrSession)
	}
	return nil
}

// do calls p on the current context.
//
//go:uintptrescapes
func (s *Session) do(p *proc, args ...uintptr) error {
	if err := s.usable(p); err != nil {
		return err
	}
	if code := p.call(args...); code != success {
		return s.ctx.failed(p, code, "")
	}
	return nil
}

// detailed adds what was asked for to a failed call's error.
func detailed(err error, format string, args ...any) error {
	if e, ok := err.(*CallError); ok {
		e.Detail += ": " + fmt.Sprintf(format, args...)
	}
	return err
}

// Synchronize waits for all work of the context and returns the error of any of it.
func (s *Session) Synchronize() error { return s.do(&s.calls.ctxSynchronize) }
