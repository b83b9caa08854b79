// SPDX-License-Identifier: BSD-3-Clause
//
// Start, devices, primary contexts.
#include <cstdio>

#include "sim.h"

Context *find_context(u64 handle) {
	if (handle)
		for (auto &d : devices)
			if (d.primary && d.primary->handle == handle) return d.primary.get();
	return nullptr;
}

EXPORT int cuDriverGetVersion(int *version) {
	ENTER(GLOBAL);
	if (!version) return kInvalidValue;
	*version = config.driver;
	return kOK;
}

EXPORT int cuInit(unsigned flags) {
	ENTER(GLOBAL);
	if (flags) return kInvalidValue;
	if (config.init) return config.init;
	if (config.devices < 1) return kNoDevice;
	if (!initialised) {
		devices.resize(config.devices);
		signals_install();
	}
	initialised = true;
	return kOK;
}

EXPORT int cuDeviceGetCount(int *count) {
	ENTER(GLOBAL);
	if (!count) return kInvalidValue;
	*count = (int)devices.size();
	return kOK;
}

EXPORT int cuDeviceGet(int *device, int ordinal) {
	ENTER(GLOBAL);
	if (!device) return kInvalidValue;
	if (ordinal < 0 || ordinal >= (int)devices.size()) return kInvalidDevice;
	*device = ordinal;
	return kOK;
}

static bool valid(int d) { return d >= 0 && d < (int)devices.size(); }

EXPORT int cuDeviceGetName(char *name, int len, int device) {
	ENTER(GLOBAL);
	if (!valid(device)) return kInvalidDevice;
	if (!name || len < 1) return kInvalidValue;
	snprintf(name, len, "Simulated CUDA device %d", device);
	return kOK;
}

EXPORT int cuDeviceGetUuid(char *uuid, int device) {
	ENTER(GLOBAL);
	if (!valid(device)) return kInvalidDevice;
	for (int i = 0; i < 16; i++) uuid[i] = (char)(i == 15 ? device : 0x5c);
	return kOK;
}

EXPORT int cuDeviceGetPCIBusId(char *id, int len, int device) {
	ENTER(GLOBAL);
	if (!valid(device)) return kInvalidDevice;
	if (!id || len < 13) return kInvalidValue;
	snprintf(id, len, "0000:%02x:00.0", device + 1);
	return kOK;
}

EXPORT int cuDeviceTotalMem_v2(u64 *bytes, int device) {
	ENTER(GLOBAL);
	if (!valid(device)) return kInvalidDevice;
	if (!bytes) return kInvalidValue;
	*bytes = config.memory;
	return kOK;
}

EXPORT int cuDeviceGetAttribute(int *value, int attribute, int device) {
	ENTER(GLOBAL);
	if (!valid(device)) return kInvalidDevice;
	if (!value) return kInvalidValue;
	switch (attribute) {
	case 1: *value = 1024; break;          // threads per block
	case 2: case 3: *value = 1024; break;  // block x, y
	case 4: *value = 64; break;            // block z
	case 5: *value = 0x7fffffff; break;    // grid x
	case 6: case 7: *value = 65535; break; // grid y, z
	case 8: *value = 48 << 10; break;      // shared memory per block
	case 10: *value = 32; break;           // warp
	case 13: *value = 1000000; break;      // clock, kHz
	case 16: *value = 8; break;            // multiprocessors
	case 17: case 18: case 20: case 32: *value = 0; break;
	case 36: *value = 1000000; break;      // memory clock, kHz
	case 37: *value = (int)(config.mem * 4); break; // bus width: 2 x clock x width / 8 is the memory rate
	case 38: *value = 4 << 20; break;      // L2
	case 39: *value = 2048; break;         // threads per multiprocessor
	case 40: *value = 2; break;            // copy engines
	case 75: *value = config.arch / 10; break;
	case 76: *value = config.arch % 10; break;
	case 97: *value = 96 << 10; break;     // shared memory per block, opted in
	case 115: *value = 0; break;           // no memory pools
	default: return kInvalidValue;
	}
	return kOK;
}

EXPORT int cuDevicePrimaryCtxSetFlags_v2(int device, unsigned) {
	ENTER(GLOBAL);
	return valid(device) ? kOK : kInvalidDevice;
}

EXPORT int cuDevicePrimaryCtxRetain(u64 *ctx_out, int device) {
	ENTER(GLOBAL);
	if (!valid(device)) return kInvalidDevice;
	if (!ctx_out) return kInvalidValue;
	Device &d = devices[device];
	if (d.refs++ == 0) {
		d.primary.reset(new Context);
		d.primary->handle = new_handle();
		d.primary->device = device;
	}
	*ctx_out = d.primary->handle;
	return kOK;
}

// context_end waits for the streams and frees what the context has.
static void context_end(Lock &l, Device &d) {
	Context *ctx = d.primary.get();
	std::vector<StreamRef> all;
	size_t live = 0;
	for (auto &e : ctx->streams) {
		all.push_back(e.second);
		live += e.first != 0 && !e.second->destroyed;
		if (!stream_idle(*e.second) && !ctx->error) report("destroyed-in-flight", "the context of device %d ended while stream %#llx had work", ctx->device, (unsigned long long)e.first);
	}
	for (auto &s : all) stream_join(l, s);
	trace_save();
	if (!ctx->error) {
		if (live) report("leak", "%zu streams were not destroyed before their context ended", live);
		if (!ctx->events.empty()) report("leak", "%zu events were not destroyed before their context ended", ctx->events.size());
		if (!ctx->modules.empty()) report("leak", "%zu modules were not unloaded before their context ended", ctx->modules.size());
	}
	memory_destroy(ctx);
	for (auto &m : ctx->modules) module_close(*m.second);
	d.primary.reset();
	d.refs = 0;
}

EXPORT int cuDevicePrimaryCtxRelease_v2(int device) {
	ENTER(GLOBAL);
	if (!valid(device)) return kInvalidDevice;
	Device &d = devices[device];
	if (d.refs < 1) return kInvalidContext;
	if (--d.refs == 0) context_end(call.lock, d);
	return kOK;
}

void reset_all(Lock &l) {
	for (auto &d : devices)
		if (d.primary) context_end(l, d);
	devices.clear();
	memory_reset();
	host_forgets();
	initialised = false;
}

EXPORT int cuCtxSetCurrent(u64 handle) {
	ENTER(GLOBAL);
	if (handle && !find_context(handle)) return kInvalidContext;
	current = handle;
	return kOK;
}

EXPORT int cuCtxGetCurrent(u64 *handle) {
	ENTER(GLOBAL);
	if (!handle) return kInvalidValue;
	*handle = current;
	return kOK;
}

EXPORT int cuCtxSynchronize() {
	ENTER(IN_CONTEXT);
	std::vector<StreamRef> all;
	for (auto &e : ctx->streams) all.push_back(e.second);
	int code = kOK;
	for (auto &s : all) {
		const int c = stream_wait(call.lock, ctx, s);
		if (!code) code = c;
		if (code == kContextDestroyed) return code;
	}
	return code;
}
