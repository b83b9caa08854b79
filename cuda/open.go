// SPDX-License-Identifier: BSD-3-Clause

package cuda

import (
	"errors"
	"log/slog"

	"github.com/arrayrun/arrayrun/cuda/driver"
)

// search is where the options have the libraries looked for.
func (o Options) search() driver.Search {
	s := driver.FromEnv()
	if o.CUDALib != "" {
		s.CUDA = o.CUDALib
	}
	if o.NVRTCLib != "" {
		s.NVRTC = o.NVRTCLib
	}
	return s
}

// OpenAll opens every device of the machine, each with the options but for Ordinal and its share of Pinned. One that cannot be opened is left out
// where another can; with Strict it is an error.
func OpenAll(o Options) ([]*Device, error) {
	drv, err := o.search().Open()
	if err != nil {
		return nil, err
	}
	o.Pinned /= int64(drv.DeviceCount())
	var list []*Device
	var errs []error
	for i := range drv.DeviceCount() {
		o.Ordinal = i
		d, err := Open(o)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		list = append(list, d)
	}
	switch {
	case len(list) == 0:
		return nil, errors.Join(errs...)
	case len(errs) > 0 && o.Strict:
		for _, d := range list {
			errs = append(errs, d.Close())
		}
		return nil, errors.Join(errs...)
	case len(errs) > 0:
		slog.Warn("cuda: not all devices are used", "used", len(list), "error", errors.Join(errs...))
	}
	return list, nil
}
