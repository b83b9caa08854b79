// SPDX-License-Identifier: BSD-3-Clause

package driver

import (
	"bytes"
	"fmt"
	"unsafe"
)

// Version is a CUDA version, 1000 x major + 10 x minor, as the driver and the headers write it.
type Version int32

// String returns a version such as 12.4.
func (v Version) String() string { return fmt.Sprintf("%d.%d", v/1000, v%1000/10) }

// The oldest libraries that have what is bound: primary contexts with
// cuDevicePrimaryCtxRelease_v2, and an NVRTC that makes cubins and lists its architectures.
const (
	OldestDriver Version = 11000
	OldestNVRTC  Version = 11020
)

// Driver is a loaded and initialised CUDA driver. Its methods are safe for concurrent use.
type Driver struct {
	lib     *Library
	calls   cudaCalls
	version Version
	devices int
}

// Open loads and initialises the driver where the environment says; see Search.Open.
func Open() (*Driver, error) { return FromEnv().Open() }

// Open loads the CUDA driver and initialises it.
//
// An error is a *LoadError: the platform has no CUDA, the library is missing,
// lacks functions or is too old, refused to start, or has no device.
// Open may be called again at any time; the library is loaded once per process.
func (s Search) Open() (*Driver, error) {
	const what = "CUDA driver"
	fix := "install NVIDIA's driver, or set " + EnvCUDA + " to its libcuda.so.1"
	if s.CUDA != "" {
		fix = "correct or unset " + EnvCUDA
	}
	var calls cudaCalls
	lib, err := loadFirst(what, fix, s.cudaCandidates(), 0, func() []bound { calls = cudaCalls{}; return calls.table() })
	if err != nil {
		return nil, err
	}
	d := &Driver{lib: lib, calls: calls}
	if code := d.calls.driverGetVersion.call(uintptr(unsafe.Pointer(&d.version))); code != success {
		return nil, &LoadError{Library: what, Reason: ReasonInit, Path: lib.path, Detail: "cuDriverGetVersion", Code: code, Fix: fixOf(code)}
	}
	if d.version < OldestDriver {
		return nil, &LoadError{Library: what, Reason: ReasonOld, Path: lib.path, Detail: fmt.Sprintf("it is for CUDA %v, want %v or later", d.version, OldestDriver), Fix: "update NVIDIA's driver"}
	}
	fail := func(call string, code Code) error {
		e := &LoadError{Library: what, Reason: ReasonInit, Path: lib.path, Detail: call, Code: code, Fix: fixOf(code)}
		if code == NoDevice {
			e.Reason, e.Detail = ReasonNoDevice, ""
		}
		return e
	}
	if code := d.calls.init.call(0); code != success {
		return nil, fail("cuInit", code)
	}
	var n int32
	if code := d.calls.deviceGetCount.call(uintptr(unsafe.Pointer(&n))); code != success {
		return nil, fail("cuDeviceGetCount", code)
	}
	if n < 1 {
		return nil, fail("cuDeviceGetCount", NoDevice)
	}
	d.devices = int(n)
	return d, nil
}

// fixOf returns what to do when the driver refuses to start with code.
func fixOf(code Code) string {
	switch code {
	case NoDevice:
		return "check that the GPU is visible: nvidia-smi, CUDA_VISIBLE_DEVICES, and the container's or job's devices"
	case StubLibrary:
		return "remove the toolkit's stubs folder from LD_LIBRARY_PATH"
	case SystemDriverMismatch:
		return "reboot, or reload NVIDIA's kernel module"
	case CompatNotSupported:
		return "remove the cuda-compat library from LD_LIBRARY_PATH"
	case SystemNotReady:
		return "start nvidia-fabricmanager"
	}
	return "run nvidia-smi; it should tell what is wrong with the driver"
}

// Library returns the loaded library: its path and which optional functions it lacks.
func (d *Driver) Library() *Library { return d.lib }

// Version returns the newest CUDA version that the driver supports.
func (d *Driver) Version() Version { return d.version }

// DeviceCount returns the number of devices, at least 1; CUDA_VISIBLE_DEVICES is the driver's to obey.
func (d *Driver) DeviceCount() int { return d.devices }

// Device returns device i.
func (d *Driver) Device(i int) (*Device, error) {
	if i < 0 || i >= d.devices {
		return nil, fmt.Errorf("cuda/driver: device: got %d, want 0 to %d: %w", i, d.devices-1, InvalidDevice)
	}
	dev := &Device{drv: d, ordinal: i}
	if code := d.calls.deviceGet.call(uintptr(unsafe.Pointer(&dev.handle)), uintptr(i)); code != success {
		return nil, &CallError{Call: d.calls.deviceGet.name, Code: code, Detail: fmt.Sprintf("device %d", i)}
	}
	return dev, nil
}

// call calls the function, or answers missingSymbol when the library lacks it.
//
//go:uintptrescapes
func (p *proc) call(args ...uintptr) Code {
	if p.addr == 0 {
		return missingSymbol
	}
	return Code(int32(callC(p.addr, args...)))
}

// Device is what is known of one GPU. Its methods need no context.
type Device struct {
	drv     *Driver
	ordinal int
	handle  int32
}

// Ordinal returns the device's number.
func (d *Device) Ordinal() int { return d.ordinal }

// Driver returns the driver that d belongs to.
func (d *Device) Driver() *Driver { return d.drv }

// Name returns the device's name, such as "NVIDIA H100 80GB HBM3".
func (d *Device) Name() (string, error) {
	buf := make([]byte, 256)
	return d.text(&d.drv.calls.deviceGetName, buf)
}

// PCIBusID returns the device's place, such as 0000:3b:00.0.
func (d *Device) PCIBusID() (string, error) {
	buf := make([]byte, 32)
	return d.text(&d.drv.calls.deviceGetPCIBusID, buf)
}

func (d *Device) text(p *proc, buf []byte) (string, error) {
	if code := p.call(uintptr(unsafe.Pointer(unsafe.SliceData(buf))), uintptr(len(buf)-1), uintptr(d.handle)); code != success {
		return "", d.failed(p, code)
	}
	return cString(buf), nil
}

// UUID returns the 16 bytes that identify the device.
func (d *Device) UUID() (id [16]byte, err error) {
	p := &d.drv.calls.deviceGetUUID
	buf := new([16]byte)
	if code := p.call(uintptr(unsafe.Pointer(buf)), uintptr(d.handle)); code != success {
		return id, d.failed(p, code)
	}
	return *buf, nil
}

// TotalMem returns the device's memory in bytes.
func (d *Device) TotalMem() (int64, error) {
	var n uint64
	p := &d.drv.calls.deviceTotalMem
	if code := p.call(uintptr(unsafe.Pointer(&n)), uintptr(d.handle)); code != success {
		return 0, d.failed(p, code)
	}
	return int64(n), nil
}

// Attribute is a CUdevice_attribute.
type Attribute int32

// The attributes that the engine asks for.
const (
	MaxThreadsPerBlock          Attribute = 1
	MaxGridDimX                 Attribute = 5
	MaxGridDimY                 Attribute = 6
	MaxSharedMemoryPerBlock     Attribute = 8
	WarpSize                    Attribute = 10
	ClockRateKHz                Attribute = 13
	MultiprocessorCount         Attribute = 16
	KernelExecTimeout           Attribute = 17 // 1 when a display's watchdog ends long kernels
	Integrated                  Attribute = 18 // 1 when device and host share memory
	ComputeMode                 Attribute = 20
	ECCEnabled                  Attribute = 32
	MemoryClockRateKHz          Attribute = 36
	MemoryBusWidthBits          Attribute = 37
	L2CacheBytes                Attribute = 38
	MaxThreadsPerMultiprocessor Attribute = 39
	AsyncEngineCount            Attribute = 40 // copy engines
	ComputeCapabilityMajor      Attribute = 75
	ComputeCapabilityMinor      Attribute = 76
	MaxSharedMemoryOptIn        Attribute = 97
	MemoryPoolsSupported        Attribute = 115
)

// Attribute returns the value of a.
func (d *Device) Attribute(a Attribute) (int, error) {
	var v int32
	p := &d.drv.calls.deviceGetAttribute
	if code := p.call(uintptr(unsafe.Pointer(&v)), uintptr(a), uintptr(d.handle)); code != success {
		return 0, &CallError{Call: p.name, Code: code, Detail: fmt.Sprintf("attribute %d of device %d", a, d.ordinal)}
	}
	return int(v), nil
}

// ComputeCapability returns the device's architecture, such as 9 and 0 for sm_90.
func (d *Device) ComputeCapability() (major, minor int, err error) {
	if major, err = d.Attribute(ComputeCapabilityMajor); err != nil {
		return 0, 0, err
	}
	minor, err = d.Attribute(ComputeCapabilityMinor)
	return major, minor, err
}

func (d *Device) failed(p *proc, code Code) error {
	return &CallError{Call: p.name, Code: code, Detail: fmt.Sprintf("device %d", d.ordinal)}
}

// cString returns the text before the first NUL of b.
func cString(b []byte) string {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	return string(b)
}
