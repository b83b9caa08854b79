// SPDX-License-Identifier: BSD-3-Clause

package driver

import (
	"errors"
	"time"
	"unsafe"
)

// Stream is a queue of work; work of one stream runs in order. The zero Stream
// is the context's default stream, which waits for nothing and nobody waits for
// here, as all others are made non-blocking.
type Stream uintptr

// Event is a mark in a stream.
type Event uintptr

const (
	streamNonBlocking  = 1
	eventBlockingSync  = 1
	eventDisableTiming = 2
)

// StreamCreate makes a stream.
func (s *Session) StreamCreate() (Stream, error) {
	var st Stream
	err := s.do(&s.calls.streamCreate, uintptr(unsafe.Pointer(&st)), streamNonBlocking)
	return st, err
}

// StreamDestroy destroys a stream. Work still queued on it is completed by the device.
func (s *Session) StreamDestroy(st Stream) error { return s.do(&s.calls.streamDestroy, uintptr(st)) }

// StreamSynchronize waits until the stream's work is done and returns the error of any work of the context.
// Other goroutines run meanwhile.
func (s *Session) StreamSynchronize(st Stream) error {
	return s.do(&s.calls.streamSynchronize, uintptr(st))
}

// StreamDone reports whether the stream's work is done, without waiting.
func (s *Session) StreamDone(st Stream) (bool, error) {
	return done(s.do(&s.calls.streamQuery, uintptr(st)))
}

// StreamWaitEvent makes work queued on st from now on wait for e. The host does not wait.
func (s *Session) StreamWaitEvent(st Stream, e Event) error {
	return s.do(&s.calls.streamWaitEvent, uintptr(st), uintptr(e), 0)
}

// EventCreate makes an event. Only a timed one can be given to Elapsed; others cost less.
func (s *Session) EventCreate(timed bool) (Event, error) {
	flags := uintptr(eventBlockingSync)
	if !timed {
		flags |= eventDisableTiming
	}
	var e Event
	err := s.do(&s.calls.eventCreate, uintptr(unsafe.Pointer(&e)), flags)
	return e, err
}

// EventDestroy destroys an event, recorded or not.
func (s *Session) EventDestroy(e Event) error { return s.do(&s.calls.eventDestroy, uintptr(e)) }

// EventRecord marks the end of what is queued on st now.
func (s *Session) EventRecord(e Event, st Stream) error {
	return s.do(&s.calls.eventRecord, uintptr(e), uintptr(st))
}

// EventDone reports whether the work before the event is done, without waiting.
func (s *Session) EventDone(e Event) (bool, error) {
	return done(s.do(&s.calls.eventQuery, uintptr(e)))
}

// EventSynchronize waits until the work before the event is done. Other goroutines run meanwhile.
func (s *Session) EventSynchronize(e Event) error {
	return s.do(&s.calls.eventSynchronize, uintptr(e))
}

// Elapsed returns the device's time between two timed events, both done. Its resolution is about half a microsecond.
func (s *Session) Elapsed(from, to Event) (time.Duration, error) {
	var ms float32
	if err := s.do(&s.calls.eventSpan, uintptr(unsafe.Pointer(&ms)), uintptr(from), uintptr(to)); err != nil {
		return 0, err
	}
	return time.Duration(float64(ms) * float64(time.Millisecond)), nil
}

// done turns the error of a query into an answer.
func done(err error) (bool, error) {
	if err == nil {
		return true, nil
	}
	if errors.Is(err, NotReady) {
		return false, nil
	}
	return false, err
}
