// SPDX-License-Identifier: BSD-3-Clause

// Package storetest is the suite every store.Store must pass.
package storetest
