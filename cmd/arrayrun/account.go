// SPDX-License-Identifier: BSD-3-Clause

package main

import "sync"

// account is the memory bill of a verb that runs no plan: what is decoded at once, with what decoding needs beside it. It says
// in --stats how much of the budget was taken, as the engine does for plans.
type account struct {
	mu         sync.Mutex
	used, peak int64
}

// hold charges n bytes; a negative n gives them back.
func (a *account) hold(n int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.used += n
	a.peak = max(a.peak, a.used)
}

// most returns the most that was charged at once.
func (a *account) most() int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.peak
}
