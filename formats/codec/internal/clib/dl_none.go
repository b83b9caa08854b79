// SPDX-License-Identifier: BSD-3-Clause

//go:build static || android || !(linux && (amd64 || arm64))

package clib

import (
	"errors"
	"runtime"
)

var errPlatform = errors.New("libraries are looked for on linux (amd64, arm64) in a build without -tags static; this one is for " + runtime.GOOS + "/" + runtime.GOARCH)

func open(string) (uintptr, error) { return 0, errPlatform }

func lookup(uintptr, string) (uintptr, error) { return 0, errPlatform }

// call is never reached: there is no library to have a function of.
func call(uintptr, ...uintptr) uintptr { panic(errPlatform) }
