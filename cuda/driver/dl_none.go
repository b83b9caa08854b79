// SPDX-License-Identifier: BSD-3-Clause

//go:build static || android || !((linux && (amd64 || arm64)) || (windows && amd64))

package driver

import (
	"errors"
	"runtime"
)

// platformReason says why no library can be loaded in this build.
const platformReason = "this build for " + runtime.GOOS + "/" + runtime.GOARCH + " cannot load CUDA libraries: CUDA exists for linux (amd64, arm64) and windows (amd64), in a build without -tags static"

var errPlatform = errors.New(platformReason)

func openLibrary(string) (uintptr, error) { return 0, errPlatform }

func lookup(uintptr, string) (uintptr, error) { return 0, errPlatform }

//go:uintptrescapes
func callC(uintptr, ...uintptr) uintptr { return uintptr(NotSupported) }
