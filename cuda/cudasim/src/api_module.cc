// SPDX-License-Identifier: BSD-3-Clause
//
// Modules and launches.
#include <dlfcn.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>

#include "sim.h"

void module_close(Module &m) {
	if (m.lib) dlclose(m.lib);
	m.lib = nullptr;
}

// decode_ptx takes the image out of the text that stands for PTX, and checks its version line as a driver does.
static int decode_ptx(const char *text, std::string *image) {
	int major = 0, minor = 0;
	const char *version = strstr(text, ".version "), *mark = strstr(text, kPTXMark);
	if (!version || sscanf(version, ".version %d.%d", &major, &minor) != 2 || !mark) return 218;
	// CUDA 11.0 brought PTX 7.0 and 12.0 brought 8.0.
	if (major * 10 + minor > (config.driver / 1000 - 4) * 10 + config.driver % 1000 / 10) return kUnsupportedPTX;
	for (const char *p = mark + strlen(kPTXMark); p[0] && p[1]; p += 2) {
		unsigned v;
		if (sscanf(p, "%2x", &v) != 1) break;
		image->push_back((char)v);
	}
	return kOK;
}

// check_image checks that p holds an image for this device.
static int check_image(const char *p, bool ptx, Image *head) {
	memcpy(head, p, sizeof *head);
	if (memcmp(head->magic, kImageMagic, 8) != 0 || head->head != head_sum(*head)) return kInvalidImage;
	if (checksum(p + sizeof *head, head->bytes) != head->sum) return kInvalidImage;
	const u32 arch = head->arch, have = config.arch;
	// A cubin runs on its own architecture and on later ones of the same generation; PTX on all later ones.
	if (arch > have || (!ptx && arch / 10 != have / 10)) return kNoBinary;
	return kOK;
}

EXPORT int cuModuleLoadDataEx(u64 *module, const void *image, unsigned options, int *keys, void **values) {
	ENTER(IN_CONTEXT);
	if (!module || !image) return kInvalidValue;
	std::string log, decoded;
	const char *data = (const char *)image;
	const bool ptx = memcmp(data, "\x7f" "ELF", 4) != 0;
	int code = kOK;
	if (ptx) {
		code = decode_ptx(data, &decoded);
		data = decoded.data();
		if (!code && decoded.size() < sizeof(Image)) code = 218;
	}
	Image head;
	if (!code) code = check_image(data, ptx, &head);
	char path[200];
	const char *dir = getenv("TMPDIR");
	// glibc takes a name that it has loaded for the same module, so each load has its own.
	snprintf(path, sizeof path, "%.100s/cudasim-%d-%llx.so", dir && *dir ? dir : "/tmp", (int)getpid(), (unsigned long long)new_handle());
	auto m = std::make_shared<Module>();
	if (!code) {
		FILE *f = fopen(path, "wb");
		const bool written = f && fwrite(data + sizeof head, 1, head.bytes, f) == head.bytes;
		if (f) fclose(f);
		m->lib = written ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : nullptr;
		if (!m->lib) {
			const char *why = dlerror();
			log = why ? why : "cannot write the image to a file";
			code = kInvalidImage;
		}
		unlink(path);
	}
	if (!code) {
		auto get = (const cudasim_module *(*)())dlsym(m->lib, "cudasim_get");
		m->code = get ? get() : nullptr;
		if (!m->code) code = kInvalidImage;
	}
	if (code) {
		if (log.empty()) log = "simulated loader: error " + std::to_string(code) + ", device sm_" + std::to_string(config.arch);
		u64 room = 0;
		for (unsigned i = 0; i < options; i++)
			if (keys[i] == 6) room = (u64)values[i];
		for (unsigned i = 0; i < options; i++)
			if (keys[i] == 5 && room) snprintf((char *)values[i], room, "%s", log.c_str());
		module_close(*m);
		return code;
	}
	m->id = new_handle();
	m->ctx = ctx;
	m->arch = head.arch;
	ctx->modules[m->id] = m;
	*module = m->id;
	return kOK;
}

static ModuleRef find_module(Context *ctx, u64 handle) {
	auto it = ctx->modules.find(handle);
	if (it != ctx->modules.end()) return it->second;
	report("bad-handle", "%#llx is not a module of device %d", (unsigned long long)handle, ctx->device);
	return nullptr;
}

static const Function *find_function(Context *ctx, u64 handle) {
	auto it = ctx->functions.find(handle);
	if (it != ctx->functions.end()) return &it->second;
	report("bad-handle", "%#llx is not a function of device %d", (unsigned long long)handle, ctx->device);
	return nullptr;
}

EXPORT int cuModuleUnload(u64 module) {
	ENTER(IN_CONTEXT);
	ModuleRef m = find_module(ctx, module);
	if (!m) return kInvalidHandle;
	if (*m->pending) {
		report("unload-in-flight", "a module was unloaded while %d launches of it were queued", *m->pending);
		changed.wait(call.lock, [&] { return *m->pending == 0; }); // its code must stay while it runs
	}
	for (auto it = ctx->functions.begin(); it != ctx->functions.end();) it = it->second.module == m ? ctx->functions.erase(it) : std::next(it);
	ctx->modules.erase(module);
	module_close(*m);
	return kOK;
}

EXPORT int cuModuleGetFunction(u64 *function, u64 module, const char *name) {
	ENTER(IN_CONTEXT);
	if (!function || !name) return kInvalidValue;
	ModuleRef m = find_module(ctx, module);
	if (!m) return kInvalidHandle;
	for (unsigned i = 0; i < m->code->count; i++)
		if (!strcmp(m->code->kernels[i].name, name)) {
			const u64 id = new_handle();
			ctx->functions[id] = Function{id, m, &m->code->kernels[i]};
			*function = id;
			return kOK;
		}
	return kNotFound;
}

static unsigned max_threads(const Function *f) { return f->kernel->max_threads ? f->kernel->max_threads : 1024; }
static u64 static_shared(const Function *f) { return f->module->code->shared_end - f->module->code->shared; }

EXPORT int cuFuncGetAttribute(int *value, int attribute, u64 function) {
	ENTER(IN_CONTEXT);
	const Function *f = find_function(ctx, function);
	if (!f) return kInvalidHandle;
	if (!value) return kInvalidValue;
	switch (attribute) {
	case 0: *value = (int)max_threads(f); break;
	case 1: *value = (int)static_shared(f); break;
	case 2: case 3: *value = 0; break;
	case 4: *value = 32; break; // registers: nobody counts them here
	case 5: case 6: *value = (int)f->module->arch; break;
	case 8: *value = 48 << 10; break;
	default: return kInvalidValue;
	}
	return kOK;
}

EXPORT int cuFuncSetAttribute(u64 function, int attribute, int value) {
	ENTER(IN_CONTEXT);
	if (!find_function(ctx, function)) return kInvalidHandle;
	return attribute == 8 && value >= 0 && value <= 96 << 10 ? kOK : kInvalidValue;
}

EXPORT int cuOccupancyMaxActiveBlocksPerMultiprocessor(int *blocks, u64 function, int threads, u64 shared) {
	ENTER(IN_CONTEXT);
	const Function *f = find_function(ctx, function);
	if (!f) return kInvalidHandle;
	if (!blocks || threads < 1) return kInvalidValue;
	const u64 bytes = shared + static_shared(f) + 1024;
	const int by_threads = 2048 / threads, by_shared = (int)((96 << 10) / bytes);
	*blocks = threads > (int)max_threads(f) ? 0 : by_threads < by_shared ? by_threads : by_shared;
	return kOK;
}

// unpack_extra finds the packed parameters of a launch.
static int unpack_extra(void **extra, const char **buffer, u64 *bytes) {
	for (int i = 0; extra && extra[i]; i += 2) {
		switch ((u64)extra[i]) {
		case 1: *buffer = (const char *)extra[i + 1]; break;
		case 2: *bytes = *(u64 *)extra[i + 1]; break;
		default: return kInvalidValue;
		}
	}
	return kOK;
}

EXPORT int cuLaunchKernel(u64 function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned shared, u64 stream, void **params, void **extra) {
	ENTER(IN_CONTEXT);
	const Function *f = find_function(ctx, function);
	StreamRef s = f ? find_stream(ctx, stream) : nullptr;
	if (!s) return kInvalidHandle;
	const char *buffer = nullptr;
	u64 bytes = 0;
	if (params) {
		report("launch", "%s: parameters must come packed, through extra", f->kernel->name);
		return kInvalidValue;
	}
	if (int c = unpack_extra(extra, &buffer, &bytes)) return c;
	if (bytes != f->kernel->param_bytes) {
		report("launch", "%s: %llu bytes of parameters, it takes %u", f->kernel->name, (unsigned long long)bytes, f->kernel->param_bytes);
		return kInvalidValue;
	}
	const u64 threads = (u64)bx * by * bz;
	if (!gx || !gy || !gz || !threads || gx > 0x7fffffffu || gy > 65535 || gz > 65535 || bx > 1024 || by > 1024 || bz > 64 || threads > 1024 || shared + static_shared(f) > 48 << 10) return kInvalidValue;
	if (threads > max_threads(f)) return kOutOfResources;
	Op op;
	op.what = "kernel";
	u64 touched = 0;
	for (u64 i = 0; i + 8 <= bytes; i += 8) {
		u64 v;
		memcpy(&v, buffer + i, 8);
		AllocRef a = memory_find((void *)v);
		if (!a || (u8 *)v < a->ptr || (u8 *)v > a->ptr + a->bytes) continue; // a number
		const char *kind = a->freed ? "use-after-free" : a->device < 0 ? "host-pointer" : a->ctx != ctx ? "context" : nullptr;
		if (kind) report(kind, "%s: parameter %llu is %s", f->kernel->name, (unsigned long long)i / 8, memory_describe((void *)v).c_str());
		if (a->freed) continue;
		stream_written(*s, a, false, (void *)v, 1, f->kernel->name); // how far it reads only running it tells
		bool seen = false;
		for (auto &u : op.uses) seen |= u == a;
		if (seen) continue;
		op.uses.push_back(a);
		touched += a->bytes;
	}
	ModuleRef m = f->module;
	const cudasim_kernel *k = f->kernel;
	std::vector<char> copy(buffer, buffer + bytes);
	copy.resize(bytes + 8);
	const cudasim_dim grid{gx, gy, gz}, block{bx, by, bz};
	auto uses = op.uses;
	op.launches = m->pending;
	++*m->pending;
	op.run = [=]() -> int {
		std::string what;
		int code = faults.call("kernel", false);
		if (!code) {
			memory_enter();
			code = kernel_run(m->code, k, copy, grid, block, shared, &what);
			memory_leave();
		}
		Lock l(mu);
		if (!what.empty()) {
			const size_t colon = what.find(':');
			report(what.substr(0, colon).c_str(), "kernel %s: %s", k->name, what.substr(colon == std::string::npos ? 0 : colon + 1).c_str());
		}
		for (auto &a : uses)
			if (!code && !memory_intact(*a)) {
				report("overrun", "kernel %s wrote outside the %zu bytes of %s", k->name, a->bytes, memory_describe(a->ptr).c_str());
				code = kIllegalAddress;
			}
		return code;
	};
	const double ns = config.launch_us * 1e3 + config.thread_ps * 1e-3 * threads * gx * gy * gz + touched / config.mem;
	schedule(ctx, *s, kCompute, "kernel", k->name, touched, ns);
	stream_push(ctx, s, std::move(op));
	return kOK;
}
