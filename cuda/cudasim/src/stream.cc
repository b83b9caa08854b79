// SPDX-License-Identifier: BSD-3-Clause
//
// Streams: a queue and a thread each, so that nothing is done when a call returns. Beside the queue each stream keeps
// how far the others have come for certain (events waited for, waits of the host): an operation that uses what a
// copy of another stream wrote, without knowing that copy to be done, is a race, whatever happens to come first here.
#include <unistd.h>

#include "sim.h"

static std::map<u64, u64> host_knows;

static void merge(std::map<u64, u64> &into, const std::map<u64, u64> &from) {
	for (auto &e : from) {
		u64 &v = into[e.first];
		if (v < e.second) v = e.second;
	}
}

void host_learns(const std::map<u64, u64> &knows) { merge(host_knows, knows); }
void host_forgets() { host_knows.clear(); }

std::map<u64, u64> stream_progress(const Stream &s) {
	auto k = s.knows;
	k[s.id] = s.queued;
	return k;
}

void stream_written(Stream &s, const AllocRef &a, bool by_copy, const void *from, u64 bytes, const char *what) {
	merge(s.knows, host_knows);
	u8 *lo = (u8 *)from, *hi = lo + bytes;
	const auto done = [](const std::map<u64, u64> &knows, const Write &w) {
		auto it = knows.find(w.stream);
		return it != knows.end() && it->second >= w.seq;
	};
	std::vector<Write> left;
	bool race = false;
	for (auto &w : a->writes) {
		race |= w.stream != s.id && w.from < hi && lo < w.to && !done(s.knows, w);
		const bool again = by_copy && w.stream == s.id && lo <= w.from && w.to <= hi;
		if (!again && !done(host_knows, w)) left.push_back(w);
	}
	a->writes = left;
	if (race) report("race", "%s uses allocation %llu while a copy of another stream writes it and neither waits for the other", what, (unsigned long long)a->id);
	if (by_copy) a->writes.push_back({s.id, s.queued + 1, lo, hi});
}

static u64 xorshift(u64 &x) {
	x ^= x << 13;
	x ^= x >> 7;
	return x ^= x << 17;
}

static void work(StreamRef s) {
	signals_thread();
	Lock l(mu);
	for (;;) {
		changed.wait(l, [&] { return s->stop || !s->queue.empty(); });
		if (s->queue.empty()) break;
		Op op = std::move(s->queue.front());
		s->queue.pop_front();
		s->busy = true;
		Context *ctx = s->ctx;
		if (op.wait) changed.wait(l, [&] { return op.wait->done >= op.generation || ctx->error; });
		const u64 delay = config.hold_us + (config.delay_us ? xorshift(s->random) % config.delay_us : 0);
		int code = 0;
		if (op.run && !ctx->error) {
			// What a copy writes is closed to kernels that run at the same time: those that neither waits for.
			if (op.device) memory_closing(*op.device, op.device_from, op.device_bytes, 1);
			l.unlock();
			if (delay) usleep(delay);
			memory_open(!op.launches);
			code = op.run();
			l.lock();
			if (op.device) memory_closing(*op.device, op.device_from, op.device_bytes, -1);
		}
		if (code && !ctx->error) ctx->error = code;
		for (auto &a : op.uses) a->pending--;
		if (op.host) memory_busy(*op.host, op.host_from, op.host_bytes, op.host_written, -1);
		op.host.reset();
		op.uses.clear();
		if (op.launches) --*op.launches; // run or passed over
		if (op.record && op.record->done < op.generation) op.record->done = op.generation;
		s->busy = false;
		changed.notify_all();
	}
	signals_thread_end();
}

StreamRef stream_new(Context *ctx, u64 id) {
	auto s = std::make_shared<Stream>();
	s->id = id;
	s->ctx = ctx;
	s->random = (config.seed + 1) * 0x9E3779B97F4A7C15ull ^ id;
	s->worker = std::thread(work, s);
	ctx->streams[id] = s;
	return s;
}

StreamRef find_stream(Context *ctx, u64 handle) {
	auto it = ctx->streams.find(handle);
	if (it == ctx->streams.end() || it->second->destroyed) {
		if (handle == 0) return stream_new(ctx, 0); // the default stream, which blocks nobody: all others are non-blocking
		report("bad-handle", "%#llx is not a stream of device %d", (unsigned long long)handle, ctx->device);
		return nullptr;
	}
	return it->second;
}

void stream_push(Context *, const StreamRef &s, Op op) {
	for (auto &a : op.uses) a->pending++;
	if (op.host) memory_busy(*op.host, op.host_from, op.host_bytes, op.host_written, 1);
	s->queued++;
	s->queue.push_back(std::move(op));
	changed.notify_all();
}

bool stream_idle(const Stream &s) { return s.queue.empty() && !s.busy; }

int stream_wait(Lock &l, Context *ctx, const StreamRef &s) {
	const auto progress = stream_progress(*s);
	const u64 handle = ctx->handle;
	changed.wait(l, [&] { return stream_idle(*s); });
	if (!find_context(handle)) return kContextDestroyed;
	host_learns(progress);
	return ctx->error;
}

void stream_join(Lock &l, const StreamRef &s) {
	s->stop = true;
	changed.notify_all();
	l.unlock();
	if (s->worker.joinable()) s->worker.join();
	l.lock();
}
