// SPDX-License-Identifier: BSD-3-Clause

package driver

// Symbol is a C function that this package binds.
type Symbol struct {
	Name     string
	Args     int  // number of arguments
	Required bool // a library without it is refused; otherwise only the call that needs it fails
}

// proc is a bound function; addr is 0 when the library does not have it.
type proc struct {
	name string
	addr uintptr
}

// cudaCalls are the bound functions of libcuda.
type cudaCalls struct {
	init, driverGetVersion                                                           proc
	deviceGetCount, deviceGet, deviceGetName, deviceGetAttribute                     proc
	deviceTotalMem, deviceGetUUID, deviceGetPCIBusID                                 proc
	primaryRetain, primaryRelease, primarySetFlags                                   proc
	ctxSetCurrent, ctxGetCurrent, ctxSynchronize                                     proc
	memGetInfo, memAlloc, memFree, memHostAlloc, memFreeHost                         proc
	memcpyHtoD, memcpyDtoH, memcpyDtoD, memsetD8                                     proc
	streamCreate, streamDestroy, streamSynchronize, streamQuery, streamWaitEvent     proc
	eventCreate, eventDestroy, eventRecord, eventQuery, eventSynchronize, eventSpan  proc
	moduleLoadData, moduleUnload, moduleGetFunction, funcGetAttribute, funcSetAttrib proc
	launchKernel, maxActiveBlocks                                                    proc
}

// bound is a row of a symbol table.
type bound struct {
	to *proc
	Symbol
}

const optional, required = false, true

// table binds each field to its exported name. The suffixes are part of the
// binary interface: the names without them are older functions with 32-bit sizes.
func (c *cudaCalls) table() []bound {
	return []bound{
		{&c.init, Symbol{"cuInit", 1, required}},
		{&c.driverGetVersion, Symbol{"cuDriverGetVersion", 1, required}},
		{&c.deviceGetCount, Symbol{"cuDeviceGetCount", 1, required}},
		{&c.deviceGet, Symbol{"cuDeviceGet", 2, required}},
		{&c.deviceGetName, Symbol{"cuDeviceGetName", 3, required}},
		{&c.deviceGetAttribute, Symbol{"cuDeviceGetAttribute", 3, required}},
		{&c.deviceTotalMem, Symbol{"cuDeviceTotalMem_v2", 2, required}},
		{&c.deviceGetUUID, Symbol{"cuDeviceGetUuid", 2, optional}},
		{&c.deviceGetPCIBusID, Symbol{"cuDeviceGetPCIBusId", 3, optional}},
		{&c.primaryRetain, Symbol{"cuDevicePrimaryCtxRetain", 2, required}},
		{&c.primaryRelease, Symbol{"cuDevicePrimaryCtxRelease_v2", 1, required}},
		{&c.primarySetFlags, Symbol{"cuDevicePrimaryCtxSetFlags_v2", 2, optional}},
		{&c.ctxSetCurrent, Symbol{"cuCtxSetCurrent", 1, required}},
		{&c.ctxGetCurrent, Symbol{"cuCtxGetCurrent", 1, required}},
		{&c.ctxSynchronize, Symbol{"cuCtxSynchronize", 0, required}},
		{&c.memGetInfo, Symbol{"cuMemGetInfo_v2", 2, required}},
		{&c.memAlloc, Symbol{"cuMemAlloc_v2", 2, required}},
		{&c.memFree, Symbol{"cuMemFree_v2", 1, required}},
		{&c.memHostAlloc, Symbol{"cuMemHostAlloc", 3, required}},
		{&c.memFreeHost, Symbol{"cuMemFreeHost", 1, required}},
		{&c.memcpyHtoD, Symbol{"cuMemcpyHtoDAsync_v2", 4, required}},
		{&c.memcpyDtoH, Symbol{"cuMemcpyDtoHAsync_v2", 4, required}},
		{&c.memcpyDtoD, Symbol{"cuMemcpyDtoDAsync_v2", 4, required}},
		{&c.memsetD8, Symbol{"cuMemsetD8Async", 4, required}},
		{&c.streamCreate, Symbol{"cuStreamCreate", 2, required}},
		{&c.streamDestroy, Symbol{"cuStreamDestroy_v2", 1, required}},
		{&c.streamSynchronize, Symbol{"cuStreamSynchronize", 1, required}},
		{&c.streamQuery, Symbol{"cuStreamQuery", 1, required}},
		{&c.streamWaitEvent, Symbol{"cuStreamWaitEvent", 3, required}},
		{&c.eventCreate, Symbol{"cuEventCreate", 2, required}},
		{&c.eventDestroy, Symbol{"cuEventDestroy_v2", 1, required}},
		{&c.eventRecord, Symbol{"cuEventRecord", 2, required}},
		{&c.eventQuery, Symbol{"cuEventQuery", 1, required}},
		{&c.eventSynchronize, Symbol{"cuEventSynchronize", 1, required}},
		{&c.eventSpan, Symbol{"cuEventElapsedTime", 3, optional}},
		{&c.moduleLoadData, Symbol{"cuModuleLoadDataEx", 5, required}},
		{&c.moduleUnload, Symbol{"cuModuleUnload", 1, required}},
		{&c.moduleGetFunction, Symbol{"cuModuleGetFunction", 3, required}},
		{&c.funcGetAttribute, Symbol{"cuFuncGetAttribute", 3, required}},
		{&c.funcSetAttrib, Symbol{"cuFuncSetAttribute", 3, optional}},
		{&c.launchKernel, Symbol{"cuLaunchKernel", 11, required}},
		{&c.maxActiveBlocks, Symbol{"cuOccupancyMaxActiveBlocksPerMultiprocessor", 4, optional}},
	}
}

// nvrtcCalls are the bound functions of NVRTC.
type nvrtcCalls struct {
	version, create, destroy, compile  proc
	logSize, log, ptxSize, ptx         proc
	cubinSize, cubin, archCount, archs proc
}

func (c *nvrtcCalls) table() []bound {
	return []bound{
		{&c.version, Symbol{"nvrtcVersion", 2, required}},
		{&c.create, Symbol{"nvrtcCreateProgram", 6, required}},
		{&c.destroy, Symbol{"nvrtcDestroyProgram", 1, required}},
		{&c.compile, Symbol{"nvrtcCompileProgram", 3, required}},
		{&c.logSize, Symbol{"nvrtcGetProgramLogSize", 2, required}},
		{&c.log, Symbol{"nvrtcGetProgramLog", 2, required}},
		{&c.ptxSize, Symbol{"nvrtcGetPTXSize", 2, required}},
		{&c.ptx, Symbol{"nvrtcGetPTX", 2, required}},
		{&c.cubinSize, Symbol{"nvrtcGetCUBINSize", 2, required}},
		{&c.cubin, Symbol{"nvrtcGetCUBIN", 2, required}},
		{&c.archCount, Symbol{"nvrtcGetNumSupportedArchs", 1, required}},
		{&c.archs, Symbol{"nvrtcGetSupportedArchs", 1, required}},
	}
}

// CUDASymbols lists what is bound of libcuda.
func CUDASymbols() []Symbol { return symbolsOf(new(cudaCalls).table()) }

// NVRTCSymbols lists what is bound of NVRTC.
func NVRTCSymbols() []Symbol { return symbolsOf(new(nvrtcCalls).table()) }

func symbolsOf(rows []bound) []Symbol {
	list := make([]Symbol, len(rows))
	for i, r := range rows {
		list[i] = r.Symbol
	}
	return list
}

// bind looks up every row. It returns the names of required functions that are absent.
func bind(lib *Library, rows []bound) (absent []string) {
	for _, r := range rows {
		addr, err := lookup(lib.handle, r.Name)
		if err != nil {
			addr = 0
		}
		*r.to = proc{r.Name, addr}
		if addr == 0 {
			lib.absent = append(lib.absent, r.Name)
			if r.Required {
				absent = append(absent, r.Name)
			}
		}
	}
	return absent
}
