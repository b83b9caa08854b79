// SPDX-License-Identifier: BSD-3-Clause
//
// libcuda.so.1 in one piece: the headers of the C++ library are read once.
#include "control.cc"
#include "memory.cc"
#include "signals.cc"
#include "stream.cc"
#include "exec.cc"
#include "clock.cc"
#include "context.cc"
#include "api_memory.cc"
#include "api_module.cc"
#include "api_stream.cc"
