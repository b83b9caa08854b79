// SPDX-License-Identifier: BSD-3-Clause

package cuda

import (
	"context"
	"time"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/cuda/driver"
)

// Rates say how fast a device is, for choosing where to compute. The ways to and from it are measured when it is opened;
// the others follow from what the driver says of the device.
type Rates struct {
	Up, Down float64 // bytes a second between host memory and the device's, through staging
	Memory   float64 // bytes a second of the device's memory
	Float32  float64 // operations a second
	Float64  float64
	Launch   time.Duration // of a call with nothing to do
}

// calibrateBytes are copied up and down when a device is opened: two staging buffers full, a few milliseconds.
const calibrateBytes = 2 * stageBytes

// measure fills in the device's rates.
func (d *Device) measure(dev *driver.Device) error {
	r := &d.info.Rates
	// What a driver does not tell is guessed low: a 2016 card.
	attribute := func(a driver.Attribute, guess float64) float64 {
		if v, err := dev.Attribute(a); err == nil && v > 0 {
			return float64(v)
		}
		return guess
	}
	clock := attribute(driver.ClockRateKHz, 1e6) * 1e3
	r.Float32 = attribute(driver.MultiprocessorCount, 20) * 64 * clock
	r.Float64 = r.Float32 / 32
	switch d.info.Arch { // those made for computing have half as many units for float64
	case 60, 70, 80, 90, 100:
		r.Float64 = r.Float32 / 2
	}
	r.Memory = 0.8 * 2 * attribute(driver.MemoryClockRateKHz, 4e6) * 1e3 * attribute(driver.MemoryBusWidthBits, 256) / 8
	n := min(calibrateBytes, max(1, d.info.BudgetBytes/2))
	c, err := chunk.New(d.Allocator(), dtype.Uint8, 1, chunk.Shape{n})
	if err != nil {
		return err
	}
	defer c.Release()
	ctx := context.Background()
	sl, err := d.acquire(ctx)
	if err != nil {
		return err
	}
	defer func() { d.slots <- sl }()
	return d.ctx.Do(func(s *driver.Session) error {
		return sl.finish(s, func() error {
			to, err := sl.alloc(s, n)
			if err != nil {
				return err
			}
			for range 2 { // the first time allocates the staging buffers
				start := time.Now()
				if err := sl.upload(ctx, s, to, c); err != nil {
					return err
				}
				if err := s.StreamSynchronize(sl.stream); err != nil {
					return err
				}
				r.Up = float64(n) / max(time.Since(start), time.Microsecond).Seconds()
				start = time.Now()
				if err := sl.download(ctx, s, c, to); err != nil {
					return err
				}
				r.Down = float64(n) / max(time.Since(start), time.Microsecond).Seconds()
			}
			start := time.Now()
			if err := s.Memset(to, 0, 1, sl.stream); err != nil {
				return err
			}
			if err := s.StreamSynchronize(sl.stream); err != nil {
				return err
			}
			r.Launch = time.Since(start)
			d.stats.uploaded.Store(0)
			d.stats.downloaded.Store(0)
			return nil
		}())
	})
}

// HostBytes is the page-locked host memory that the device takes once its tasks have run, without what Options.Pinned adds.
const HostBytes = streams * 2 * stageBytes

// HostBytes returns the page-locked host memory that the device may take.
func (d *Device) HostBytes() int64 {
	n := int64(HostBytes)
	if d.ring.size > 0 {
		n += ringBuffers * (d.ring.size + mem.Align)
	}
	return n
}
