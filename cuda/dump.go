// SPDX-License-Identifier: BSD-3-Clause

package cuda

import (
	"fmt"
	"strings"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/cuda/driver"
	"github.com/arrayrun/arrayrun/kernels"
)

// Sources returns the sources that a call of a unit over a shape runs when its operands lie in C order in memory, each
// varying along all axes, or an error wrapping kernels.ErrUnsupported. groups is the number of groups of grouped folds.
func Sources(u kernels.Unit, shape chunk.Shape, groups int64) ([]*Source, error) {
	f, err := formOf(u)
	if err != nil {
		return nil, err
	}
	steps, err := f.example(shape, groups)
	if err != nil {
		return nil, err
	}
	out := make([]*Source, len(steps))
	for i, s := range steps {
		if out[i], err = s.render(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Compile compiles the source for an architecture, 90 for sm_90, as a device would. resources is what the
// assembler says the kernel uses: registers, spills.
func (s *Source) Compile(n *driver.NVRTC, arch int) (out *driver.Compiled, resources string, err error) {
	o := append(options(n, arch, driver.WantCubin), "--ptxas-options=-v")
	if out, err = n.Compile(entry+".cu", s.Text, o, driver.WantCubin|driver.WantPTX); err != nil {
		return nil, "", fmt.Errorf("cuda: compile %s for sm_%d: %w", s.What, arch, err)
	}
	var said []string
	for line := range strings.Lines(out.Log) {
		line = strings.TrimSpace(strings.TrimLeft(strings.TrimPrefix(strings.TrimPrefix(strings.TrimSpace(line), "ptxas"), " info"), " .:"))
		if strings.Contains(line, "registers") || strings.Contains(line, "spill") {
			said = append(said, line)
		}
	}
	return out, strings.Join(said, "; "), nil
}
