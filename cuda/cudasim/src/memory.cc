// SPDX-License-Identifier: BSD-3-Clause
//
// Memory between guard pages. Device memory carries a protection key that only the workers may pass, so that the
// host's threads fault on it; without keys it is closed whenever no operation runs.
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>

#include "sim.h"

static const size_t kPage = 4096, kFence = 64 << 10;
static const size_t kAlign = 256;
static const u8 kFresh = 0xCB, kHostFresh = 0xCD, kEdge = 0xC5;
static int key = -2;       // of device memory: -2 unknown, -1 none
static int writing = -1;   // of device memory that a copy writes now
static int entered;
static std::deque<AllocRef> quarantine;
static u64 host_used, next_id;

#if defined(__x86_64__)
#include <sys/syscall.h>
// pkru gives or takes the calling thread's access to the pages of device memory, and to those that copies write.
static void pkru(bool open, bool copies) {
	if (key < 0) return;
	u32 a, d;
	asm volatile("rdpkru" : "=a"(a), "=d"(d) : "c"(0));
	a = open ? a & ~(3u << (2 * key)) : a | 1u << (2 * key);
	if (writing >= 0) a = copies ? a & ~(3u << (2 * writing)) : a | 1u << (2 * writing);
	asm volatile("wrpkru" : : "a"(a), "c"(0), "d"(0));
}
static int new_key() { return (int)syscall(SYS_pkey_alloc, 0, 1); }
static int protect_key(void *p, size_t n, int prot, int k) { return (int)syscall(SYS_pkey_mprotect, p, n, prot, k); }
#else
static void pkru(bool, bool) {}
static int new_key() { return -1; }
static int protect_key(void *, size_t, int, int) { return -1; }
#endif

void memory_open(bool copies) { pkru(true, copies); }

static u8 *pages(const Alloc &a) { return a.region + kFence; }
static size_t page_bytes(const Alloc &a) { return a.region_bytes - 2 * kFence; }

static bool keys() { return key >= 0 && config.strict == 1; }
static bool closed_now(const Alloc &a) { return config.strict && !keys() && a.device >= 0 && entered == 0; }

// set_access applies what an allocation's state asks for.
static void set_access(const Alloc &a) {
	if (a.freed || closed_now(a)) mprotect(pages(a), page_bytes(a), PROT_NONE);
	else if (keys() && a.device >= 0) protect_key(pages(a), page_bytes(a), PROT_READ | PROT_WRITE, key);
	else mprotect(pages(a), page_bytes(a), PROT_READ | PROT_WRITE);
}

static void toggle() {
	if (keys() || !config.strict) return;
	for (auto &e : allocs)
		if (!e.second->freed && e.second->device >= 0) set_access(*e.second);
}

void memory_enter() {
	Lock l(mu);
	if (entered++ == 0) toggle();
}

void memory_leave() {
	Lock l(mu);
	if (--entered == 0) toggle();
}

int memory_alloc(Context *ctx, u64 bytes, bool host, void **out) {
	if (!out || bytes == 0) return kInvalidValue;
	if (key == -2) {
		key = new_key();
		if (key < 0) key = -1;
		else writing = new_key();
	}
	Device &d = devices[ctx->device];
	const u64 rounded = (bytes + 511) / 512 * 512;
	if (host ? host_used + rounded > config.host : d.used + rounded > config.memory) return kOutOfMemory;
	auto a = std::make_shared<Alloc>();
	const size_t body = (bytes + kAlign - 1) / kAlign * kAlign;
	a->region_bytes = (body + kPage - 1) / kPage * kPage + 2 * kFence;
	a->region = (u8 *)mmap(nullptr, a->region_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (a->region == MAP_FAILED) return kOutOfMemory;
	a->id = ++next_id;
	a->owner = ctx;
	a->ctx = host ? nullptr : ctx;
	a->device = host ? -1 : ctx->device;
	a->bytes = bytes;
	a->ptr = a->region + a->region_bytes - kFence - body; // the end lies against the guard pages
	mprotect(pages(*a), page_bytes(*a), PROT_READ | PROT_WRITE);
	memset(pages(*a), kEdge, a->ptr - pages(*a));
	memset(a->ptr, host ? kHostFresh : kFresh, bytes);
	memset(a->ptr + bytes, kEdge, body - bytes);
	set_access(*a);
	(host ? host_used : d.used) += rounded;
	if (!host && d.used > d.peak) d.peak = d.used;
	allocs[(uintptr_t)a->region] = a;
	*out = a->ptr;
	return kOK;
}

// memory_busy closes the pages that a queued copy writes to the host, and makes those that it reads read-only, so that a
// staging buffer that is used again too early is found. Workers pass by their key; without keys nothing is closed.
void memory_busy(Alloc &a, u8 *from, u64 bytes, bool written, int more) {
	if (!keys()) return;
	u8 *p = (u8 *)(((uintptr_t)from + kPage - 1) / kPage * kPage), *end = (u8 *)((uintptr_t)(from + bytes) / kPage * kPage);
	for (; p < end; p += kPage) {
		auto &n = a.busy[p];
		(written ? n.second : n.first) += more;
		if (!a.freed) protect_key(p, kPage, n.second || !n.first ? PROT_READ | PROT_WRITE : PROT_READ, n.second ? key : 0);
		if (!n.first && !n.second) a.busy.erase(p);
	}
}

// memory_closing closes the whole pages that a copy writes to kernels while it does, and opens them again.
void memory_closing(Alloc &a, u8 *from, u64 bytes, int more) {
	if (!keys() || writing < 0) return;
	u8 *p = (u8 *)(((uintptr_t)from + kPage - 1) / kPage * kPage), *end = (u8 *)((uintptr_t)(from + bytes) / kPage * kPage);
	if (p >= end) return;
	if (more > 0) {
		for (u8 *q = p; q < end; q += kPage) a.busy[q].second++;
		if (!a.freed) protect_key(p, end - p, PROT_READ | PROT_WRITE, writing);
		return;
	}
	for (u8 *q = p; q < end; q += kPage) {
		if (--a.busy[q].second > 0) continue;
		a.busy.erase(q);
		if (!a.freed) protect_key(q, kPage, PROT_READ | PROT_WRITE, key);
	}
}

// memory_intact reports whether the bytes around an allocation, inside its pages, are as they were.
bool memory_intact(const Alloc &a) {
	if (a.freed) return true;
	const u8 *end = pages(a) + page_bytes(a);
	pkru(true, true);
	if (closed_now(a)) mprotect(pages(a), page_bytes(a), PROT_READ);
	bool ok = true;
	for (const u8 *p = pages(a); p < a.ptr; p++) ok &= *p == kEdge;
	for (const u8 *p = a.ptr + a.bytes; p < end; p++) ok &= *p == kEdge;
	if (closed_now(a)) mprotect(pages(a), page_bytes(a), PROT_NONE);
	return ok;
}

static void drop(const AllocRef &a) {
	const u64 rounded = (a->bytes + 511) / 512 * 512;
	(a->device < 0 ? host_used : devices[a->device].used) -= rounded;
	a->freed = true;
	a->ctx = a->owner = nullptr;
	madvise(pages(*a), page_bytes(*a), MADV_DONTNEED);
	set_access(*a);
	quarantine.push_back(a);
	while (quarantine.size() > config.quarantine) {
		allocs.erase((uintptr_t)quarantine.front()->region);
		munmap(quarantine.front()->region, quarantine.front()->region_bytes);
		quarantine.pop_front();
	}
}

// intact_from_host takes back the access that memory_intact gave a thread of the host.
static bool intact_from_host(const Alloc &a) {
	const bool ok = memory_intact(a);
	pkru(false, false);
	return ok;
}

int memory_free(Context *ctx, void *p, bool host) {
	if (!p && !host) return kOK;
	AllocRef a = memory_find(p);
	if (!a || a->ptr != p || (a->device < 0) != host) {
		report("bad-free", "free of %p: %s", p, memory_describe(p).c_str());
		return kInvalidValue;
	}
	if (a->freed) {
		report("double-free", "free of %s", memory_describe(p).c_str());
		return kInvalidValue;
	}
	if (a->ctx && a->ctx != ctx) {
		report("context", "free of %s in the context of device %d", memory_describe(p).c_str(), ctx->device);
		return kInvalidValue;
	}
	if (a->pending) report("free-in-flight", "free of %s while %d queued operations use it", memory_describe(p).c_str(), a->pending);
	if (!intact_from_host(*a)) report("overrun", "%s was written outside its %zu bytes", memory_describe(p).c_str(), a->bytes);
	drop(a);
	return kOK;
}

void memory_destroy(Context *ctx) {
	std::vector<AllocRef> mine;
	for (auto &e : allocs)
		if (e.second->owner == ctx && !e.second->freed) mine.push_back(e.second);
	for (auto &a : mine) {
		if (!ctx->error) report("leak", "%s was not freed before its context ended", memory_describe(a->ptr).c_str());
		drop(a);
	}
}

void memory_reset() {
	for (auto &e : allocs) munmap(e.second->region, e.second->region_bytes);
	allocs.clear();
	quarantine.clear();
	host_used = 0;
}

AllocRef memory_find(const void *p) {
	auto it = allocs.upper_bound((uintptr_t)p);
	if (it == allocs.begin()) return nullptr;
	--it;
	AllocRef a = it->second;
	return (const u8 *)p < a->region + a->region_bytes ? a : nullptr;
}

std::string memory_describe(const void *p) {
	char s[200];
	AllocRef a = memory_find(p);
	if (!a) {
		snprintf(s, sizeof s, "address %p, which is in no allocation", p);
		return s;
	}
	char where[32] = "host";
	if (a->device >= 0) snprintf(where, sizeof where, "device %d", a->device);
	snprintf(s, sizeof s, "byte %td of %s%s allocation %llu of %zu bytes", (const u8 *)p - a->ptr, a->freed ? "freed " : "", where, (unsigned long long)a->id, a->bytes);
	return s;
}

// memory_check finds the allocation that holds [p, p+bytes), which must be live, of the right kind and of ctx.
int memory_check(Context *ctx, const char *what, u64 p, u64 bytes, bool host, AllocRef *out) {
	AllocRef a = memory_find((void *)p);
	const char *kind = nullptr;
	if (!a) kind = host ? "not-pinned" : "bad-pointer";
	else if (a->freed) kind = "use-after-free";
	else if ((a->device < 0) != host) kind = "bad-pointer";
	else if (a->ctx && a->ctx != ctx) kind = "context";
	else if ((u8 *)p < a->ptr || bytes > a->bytes || (u64)((u8 *)p - a->ptr) > a->bytes - bytes) kind = "out-of-bounds";
	if (kind) {
		report(kind, "%s of %llu bytes at %s", what, (unsigned long long)bytes, memory_describe((void *)p).c_str());
		return kInvalidValue;
	}
	*out = a;
	return kOK;
}
