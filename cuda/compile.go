// SPDX-License-Identifier: BSD-3-Clause

package cuda

import (
	"errors"
	"fmt"
	"strings"

	"github.com/arrayrun/arrayrun/cuda/driver"
)

// compiler makes images for one architecture.
type compiler struct {
	nvrtc *driver.NVRTC
	arch  int // the device's: 90 is sm_90
	cache *diskCache
}

// newCompiler returns the compiler for an architecture, or an error where NVRTC cannot serve it.
func newCompiler(n *driver.NVRTC, arch int, cache *diskCache) (*compiler, error) {
	archs := n.Archs()
	if len(archs) == 0 || arch < archs[0] {
		return nil, fmt.Errorf("cuda: NVRTC %v (%s) compiles for sm_%v, the device is sm_%d; install an older NVRTC and name it in %s",
			n.Version(), n.Library().Path(), archs, arch, driver.EnvNVRTC)
	}
	return &compiler{n, arch, cache}, nil
}

// target returns the architecture to compile for, and the form: machine code where the compiler knows the device,
// else PTX for the newest architecture below it, which the driver translates.
func (c *compiler) target() (arch int, want driver.Want) {
	for _, a := range c.nvrtc.Archs() {
		if a == c.arch {
			return a, driver.WantCubin
		}
		if a < c.arch {
			arch = a
		}
	}
	return arch, driver.WantPTX
}

// options are the compiler's for an architecture: 90 is sm_90. Nothing may be contracted, flushed to zero or
// approximated: results have the CPU's bits.
func options(n *driver.NVRTC, arch int, want driver.Want) []string {
	kind := "compute"
	if want == driver.WantCubin {
		kind = "sm"
	}
	o := []string{fmt.Sprintf("--gpu-architecture=%s_%d", kind, arch), "--std=c++17", "--fmad=false", "--ftz=false", "--prec-div=true", "--prec-sqrt=true"}
	if n.Version() >= 12040 {
		o = append(o, "--minimal") // leaves out what the sources do not use: compiles faster
	}
	return o
}

// key is the cache's name of a source's image.
func (c *compiler) key(text string, arch int, want driver.Want) string {
	return cacheKey(c.nvrtc.Version().String(), c.nvrtc.Library().Path(), strings.Join(options(c.nvrtc, arch, want), " "), fmt.Sprint(want), text)
}

// image returns a source compiled, from the cache where it is there.
func (c *compiler) image(text string, arch int, want driver.Want) ([]byte, error) {
	key := c.key(text, arch, want)
	if b, ok := c.cache.get(key); ok {
		return b, nil
	}
	out, err := c.nvrtc.Compile(entry+".cu", text, options(c.nvrtc, arch, want), want)
	if err != nil {
		return nil, err
	}
	b := out.Cubin
	if want == driver.WantPTX {
		b = out.PTX
	}
	c.cache.put(key, b)
	return b, nil
}

// loaded is a kernel on a device.
type loaded struct {
	src    *Source
	module driver.Module
	fn     driver.Function
}

// load compiles a source and loads it. An image that the driver does not take is dropped and made again as PTX.
func (c *compiler) load(s *driver.Session, src *Source) (*loaded, error) {
	arch, want := c.target()
	image, err := c.image(src.Text, arch, want)
	if err != nil {
		return nil, fmt.Errorf("cuda: compile %s: %w", src.What, err)
	}
	m, err := s.ModuleLoad(image)
	switch driver.CodeOf(err) {
	case driver.InvalidImage, driver.NoBinaryForGPU, driver.UnsupportedPTXVersion:
		c.cache.drop(c.key(src.Text, arch, want))
		if image, err2 := c.image(src.Text, arch, driver.WantPTX); err2 == nil {
			m, err = s.ModuleLoad(image)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("cuda: load %s: %w", src.What, err)
	}
	fn, err := s.Function(m, entry)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("cuda: load %s: %w", src.What, err), s.ModuleUnload(m))
	}
	return &loaded{src, m, fn}, nil
}
