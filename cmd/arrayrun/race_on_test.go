// SPDX-License-Identifier: BSD-3-Clause

//go:build race

package main

// raceEnabled is true under the race detector, which keeps blocks on the Go
// heap and shadows them: resident memory says nothing then.
const raceEnabled = true
