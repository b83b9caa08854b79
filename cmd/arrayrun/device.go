// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"io"
	"os"
	"strings"

	"github.com/arrayrun/arrayrun/kernels/cpu"
)

// cpuFeatures lists the processor's features that machine code may use.
func cpuFeatures() []string {
	found := []string{}
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return found
	}
	defer f.Close()
	// The first processor speaks for all; on large machines the file is long.
	head := make([]byte, 8<<10)
	n, _ := io.ReadFull(f, head)
	for line := range strings.Lines(string(head[:n])) {
		name, flags, _ := strings.Cut(line, ":")
		if strings.TrimSpace(name) != "flags" {
			continue
		}
		have := " " + strings.TrimSpace(flags) + " "
		for _, want := range []string{"avx2", "f16c", "fma", "bmi2", "avx512f", "avx512bw", "avx512vl"} {
			if strings.Contains(have, " "+want+" ") {
				found = append(found, want)
			}
		}
		break
	}
	return found
}

// executor names what runs programs on this processor.
func executor(mode string) string {
	d := cpu.New(cpu.Options{Mode: mode})
	defer d.Close()
	return d.Name()
}
