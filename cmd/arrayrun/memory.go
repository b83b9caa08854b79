// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// memory returns the host budget: what --memory says, else 60% of what the
// cgroup or the host has free.
func (a *app) memory() int64 {
	if n := a.settings.bytes("memory"); n > 0 {
		return n
	}
	return freeBytes() * 6 / 10
}

// fallbackFree is assumed where the system does not say what is free.
const fallbackFree = 2 << 30

// freeBytes returns the bytes this process may still use: what the host has
// available, and less where the cgroup's limit leaves less.
func freeBytes() int64 {
	free := int64(fallbackFree)
	if n, ok := meminfo("MemAvailable"); ok {
		free = n
	}
	for _, dir := range cgroups() {
		limit, ok := readInt(filepath.Join(dir, "memory.max"))
		if !ok {
			continue
		}
		used, _ := readInt(filepath.Join(dir, "memory.current"))
		if left := limit - used; left > 0 {
			free = min(free, left)
		}
	}
	return max(free, 64<<20)
}

func meminfo(key string) (int64, bool) {
	b, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) >= 2 && f[0] == key+":" {
			n, err := strconv.ParseInt(f[1], 10, 64)
			return n << 10, err == nil
		}
	}
	return 0, false
}

// cgroups lists the folders of this process's version 2 cgroup and its parents.
func cgroups() []string {
	const top = "/sys/fs/cgroup"
	dirs := []string{top}
	b, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return dirs
	}
	for line := range strings.Lines(string(b)) {
		if p, ok := strings.CutPrefix(strings.TrimSpace(line), "0::"); ok {
			for p = filepath.Clean(p); p != "/" && p != "."; p = filepath.Dir(p) {
				dirs = append(dirs, filepath.Join(top, p))
			}
		}
	}
	return dirs
}

func readInt(path string) (int64, bool) {
	b, err := os.ReadFile(path)
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64)
	return n, err == nil
}

// peakRSS returns the most memory the process has had resident, or 0 where the system does not say.
func peakRSS() int64 {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) >= 2 && f[0] == "VmHWM:" {
			n, _ := strconv.ParseInt(f[1], 10, 64)
			return n << 10
		}
	}
	return 0
}
