// SPDX-License-Identifier: BSD-3-Clause
//
// Memory and copies.
#include "sim.h"

EXPORT int cuMemGetInfo_v2(u64 *free_bytes, u64 *total) {
	ENTER(IN_CONTEXT);
	if (!free_bytes || !total) return kInvalidValue;
	*total = config.memory;
	*free_bytes = config.memory - devices[ctx->device].used;
	return kOK;
}

EXPORT int cuMemAlloc_v2(void **p, u64 bytes) {
	ENTER(IN_CONTEXT);
	return memory_alloc(ctx, bytes, false, p);
}

EXPORT int cuMemFree_v2(void *p) {
	ENTER(IN_CONTEXT);
	return memory_free(ctx, p, false);
}

EXPORT int cuMemHostAlloc(void **p, u64 bytes, unsigned flags) {
	ENTER(IN_CONTEXT);
	if (flags & ~7u) return kInvalidValue;
	return memory_alloc(ctx, bytes, true, p);
}

EXPORT int cuMemFreeHost(void *p) {
	ENTER(IN_CONTEXT);
	return memory_free(ctx, p, true);
}

// queue_copy queues move, which touches dst and src; either may be null.
static int queue_copy(Context *ctx, const StreamRef &s, Engine e, const char *kind, u64 bytes, double rate, AllocRef dst, const void *to, AllocRef src, const void *from, std::function<void()> move, void *host = nullptr) {
	Op op;
	op.what = kind;
	if (dst) stream_written(*s, dst, true, to, bytes, kind);
	if (src) stream_written(*s, src, false, from, bytes, kind);
	if (e != kDown) {
		op.device = dst;
		op.device_from = (u8 *)to;
		op.device_bytes = bytes;
	}
	for (auto &a : {dst, src})
		if (a) op.uses.push_back(a);
	if (host) {
		op.host = e == kDown ? dst : src;
		op.host_from = (u8 *)host;
		op.host_bytes = bytes;
		op.host_written = e == kDown;
	}
	op.run = [=]() -> int {
		if (const int injected = faults.call("copy", false)) return injected;
		std::string what;
		memory_enter();
		const int code = guarded(move, &what);
		memory_leave();
		if (code) {
			Lock l(mu);
			report("copy", "%s of %llu bytes: %s", kind, (unsigned long long)bytes, what.c_str());
		}
		return code;
	};
	schedule(ctx, *s, e, kind, "", bytes, bytes / rate);
	stream_push(ctx, s, std::move(op));
	return kOK;
}

EXPORT int cuMemcpyHtoDAsync_v2(u64 dst, const void *src, u64 bytes, u64 stream) {
	ENTER(IN_CONTEXT);
	StreamRef s = find_stream(ctx, stream);
	if (!s) return kInvalidHandle;
	AllocRef d, h;
	if (int c = memory_check(ctx, "copy to device: destination", dst, bytes, false, &d)) return c;
	if (int c = memory_check(ctx, "copy to device: source", (u64)src, bytes, true, &h)) return c;
	return queue_copy(ctx, s, kUp, "up", bytes, config.up, d, (void *)dst, h, src, [=] { memcpy((void *)dst, src, bytes); }, (void *)src);
}

EXPORT int cuMemcpyDtoHAsync_v2(void *dst, u64 src, u64 bytes, u64 stream) {
	ENTER(IN_CONTEXT);
	StreamRef s = find_stream(ctx, stream);
	if (!s) return kInvalidHandle;
	AllocRef d, h;
	if (int c = memory_check(ctx, "copy to host: source", src, bytes, false, &d)) return c;
	if (int c = memory_check(ctx, "copy to host: destination", (u64)dst, bytes, true, &h)) return c;
	return queue_copy(ctx, s, kDown, "down", bytes, config.down, h, dst, d, (void *)src, [=] { memcpy(dst, (void *)src, bytes); }, dst);
}

EXPORT int cuMemcpyDtoDAsync_v2(u64 dst, u64 src, u64 bytes, u64 stream) {
	ENTER(IN_CONTEXT);
	StreamRef s = find_stream(ctx, stream);
	if (!s) return kInvalidHandle;
	AllocRef d, f;
	if (int c = memory_check(ctx, "copy on device: destination", dst, bytes, false, &d)) return c;
	if (int c = memory_check(ctx, "copy on device: source", src, bytes, false, &f)) return c;
	if (dst < src + bytes && src < dst + bytes) {
		report("overlap", "copy on device: source and destination of %llu bytes overlap", (unsigned long long)bytes);
		return kInvalidValue;
	}
	return queue_copy(ctx, s, kCompute, "on", bytes, config.mem / 2, d, (void *)dst, f, (void *)src, [=] { memcpy((void *)dst, (void *)src, bytes); });
}

EXPORT int cuMemsetD8Async(u64 dst, u8 value, u64 bytes, u64 stream) {
	ENTER(IN_CONTEXT);
	StreamRef s = find_stream(ctx, stream);
	if (!s) return kInvalidHandle;
	AllocRef d;
	if (int c = memory_check(ctx, "set memory", dst, bytes, false, &d)) return c;
	return queue_copy(ctx, s, kCompute, "set", bytes, config.mem, d, (void *)dst, nullptr, nullptr, [=] { memset((void *)dst, value, bytes); });
}
