// SPDX-License-Identifier: BSD-3-Clause

//go:build !race

package main

// raceEnabled is true under the race detector.
const raceEnabled = false
