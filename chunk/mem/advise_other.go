// SPDX-License-Identifier: BSD-3-Clause

//go:build unix && !linux

package mem

func adviseHuge([]byte) {}
