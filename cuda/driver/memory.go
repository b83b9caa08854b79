// SPDX-License-Identifier: BSD-3-Clause

package driver

import (
	"fmt"
	"unsafe"
)

// DevicePtr is an address in a device's memory. The host must not follow it.
type DevicePtr uint64

// Add returns the address n bytes further on.
func (p DevicePtr) Add(n int64) DevicePtr { return p + DevicePtr(n) }

// MemInfo returns the free and the total bytes of the device's memory.
func (s *Session) MemInfo() (free, total int64, err error) {
	var f, t uint64
	err = s.do(&s.calls.memGetInfo, uintptr(unsafe.Pointer(&f)), uintptr(unsafe.Pointer(&t)))
	return int64(f), int64(t), err
}

// MemAlloc allocates device memory, aligned to 256 bytes, contents undefined.
// It may wait for the device: callers keep a pool. CodeOf(err) is OutOfMemory when there is none left.
func (s *Session) MemAlloc(bytes int64) (DevicePtr, error) {
	if bytes <= 0 {
		return 0, fmt.Errorf("cuda/driver: allocate device memory: got %d bytes, want 1 or more: %w", bytes, ErrRange)
	}
	var p DevicePtr
	if err := s.do(&s.calls.memAlloc, uintptr(unsafe.Pointer(&p)), uintptr(bytes)); err != nil {
		return 0, detailed(err, "%d bytes", bytes)
	}
	return p, nil
}

// MemFree frees what MemAlloc returned. No queued work may use it.
func (s *Session) MemFree(p DevicePtr) error {
	return s.do(&s.calls.memFree, uintptr(p))
}

// HostBuffer is page-locked host memory that the driver allocated: the only
// host memory that copies read and write.
type HostBuffer struct {
	ptr unsafe.Pointer // outside the Go heap
	n   int64
}

// portable makes the buffer page-locked for every context.
const portable = 1

// HostAlloc allocates page-locked host memory, contents undefined. It is slow,
// about 5 GB/s, so callers keep what they have.
func (s *Session) HostAlloc(bytes int64) (*HostBuffer, error) {
	if bytes <= 0 {
		return nil, fmt.Errorf("cuda/driver: allocate host memory: got %d bytes, want 1 or more: %w", bytes, ErrRange)
	}
	h := &HostBuffer{n: bytes}
	if err := s.do(&s.calls.memHostAlloc, uintptr(unsafe.Pointer(&h.ptr)), uintptr(bytes), portable); err != nil {
		return nil, detailed(err, "%d bytes", bytes)
	}
	return h, nil
}

// HostFree frees a buffer. No queued work may use it; h is empty afterwards.
func (s *Session) HostFree(h *HostBuffer) error {
	if h.ptr == nil {
		return fmt.Errorf("cuda/driver: free host memory: the buffer is free already: %w", ErrRange)
	}
	if err := s.do(&s.calls.memFreeHost, uintptr(h.ptr)); err != nil {
		return err
	}
	h.ptr, h.n = nil, 0
	return nil
}

// Len returns the buffer's bytes, 0 once it is freed.
func (h *HostBuffer) Len() int64 { return h.n }

// Bytes returns the buffer as a slice, valid until HostFree. The collector neither moves nor frees it.
func (h *HostBuffer) Bytes() []byte { return unsafe.Slice((*byte)(h.ptr), h.n) }

// Offset returns where b, a slice of Bytes, starts in h, and whether it lies inside.
func (h *HostBuffer) Offset(b []byte) (int64, bool) {
	if h.ptr == nil {
		return 0, false
	}
	off := int64(uintptr(unsafe.Pointer(unsafe.SliceData(b)))) - int64(uintptr(h.ptr))
	return off, off >= 0 && off <= h.n && int64(len(b)) <= h.n-off
}

// at returns the address of n bytes at off, which must lie inside.
func (h *HostBuffer) at(what string, off, n int64) (uintptr, error) {
	if h.ptr == nil {
		return 0, fmt.Errorf("cuda/driver: %s: the host buffer is free already: %w", what, ErrRange)
	}
	if off < 0 || n < 0 || off > h.n || n > h.n-off {
		return 0, fmt.Errorf("cuda/driver: %s: bytes %d to %d of a host buffer of %d: %w", what, off, off+n, h.n, ErrRange)
	}
	return uintptr(h.ptr) + uintptr(off), nil
}

// CopyToDevice queues a copy of n bytes at src[off] to dst. src must stay as it
// is until the copy is done. Zero bytes are no call.
func (s *Session) CopyToDevice(dst DevicePtr, src *HostBuffer, off, n int64, st Stream) error {
	from, err := src.at("copy to device", off, n)
	if err != nil || n == 0 {
		return err
	}
	return detailed(s.do(&s.calls.memcpyHtoD, uintptr(dst), from, uintptr(n), uintptr(st)), "%d bytes", n)
}

// CopyToHost queues a copy of n bytes at src to dst[off], which must not be touched
// until the copy is done. Zero bytes are no call.
func (s *Session) CopyToHost(dst *HostBuffer, off int64, src DevicePtr, n int64, st Stream) error {
	to, err := dst.at("copy to host", off, n)
	if err != nil || n == 0 {
		return err
	}
	return detailed(s.do(&s.calls.memcpyDtoH, to, uintptr(src), uintptr(n), uintptr(st)), "%d bytes", n)
}

// CopyOnDevice queues a copy of n bytes from src to dst, both in device memory and not overlapping.
func (s *Session) CopyOnDevice(dst, src DevicePtr, n int64, st Stream) error {
	if n < 0 {
		return fmt.Errorf("cuda/driver: copy on device: got %d bytes: %w", n, ErrRange)
	}
	if n == 0 {
		return nil
	}
	return detailed(s.do(&s.calls.memcpyDtoD, uintptr(dst), uintptr(src), uintptr(n), uintptr(st)), "%d bytes", n)
}

// Memset queues setting n bytes at dst to v.
func (s *Session) Memset(dst DevicePtr, v byte, n int64, st Stream) error {
	if n < 0 {
		return fmt.Errorf("cuda/driver: set memory: got %d bytes: %w", n, ErrRange)
	}
	if n == 0 {
		return nil
	}
	return detailed(s.do(&s.calls.memsetD8, uintptr(dst), uintptr(v), uintptr(n), uintptr(st)), "%d bytes", n)
}
