// SPDX-License-Identifier: BSD-3-Clause
//
// Streams and events.
#include "sim.h"

EXPORT int cuStreamCreate(u64 *stream, unsigned flags) {
	ENTER(IN_CONTEXT);
	if (!stream || flags & ~1u) return kInvalidValue;
	if (!(flags & 1)) {
		report("blocking-stream", "cuStreamCreate without CU_STREAM_NON_BLOCKING: the simulator has no stream that waits for the default one");
		return kNotSupported;
	}
	std::vector<StreamRef> gone; // threads of streams that were destroyed and have run dry
	for (auto &e : ctx->streams)
		if (e.second->destroyed && stream_idle(*e.second)) gone.push_back(e.second);
	for (auto &s : gone) ctx->streams.erase(s->id);
	*stream = stream_new(ctx, new_handle())->id;
	for (auto &s : gone) stream_join(call.lock, s);
	return kOK;
}

EXPORT int cuStreamDestroy_v2(u64 stream) {
	ENTER(IN_CONTEXT);
	StreamRef s = stream ? find_stream(ctx, stream) : nullptr;
	if (!s) return kInvalidHandle;
	s->destroyed = s->stop = true; // what is queued still runs
	changed.notify_all();
	return kOK;
}

EXPORT int cuStreamSynchronize(u64 stream) {
	ENTER(IN_CONTEXT);
	StreamRef s = find_stream(ctx, stream);
	return s ? stream_wait(call.lock, ctx, s) : kInvalidHandle;
}

EXPORT int cuStreamQuery(u64 stream) {
	ENTER(IN_CONTEXT);
	StreamRef s = find_stream(ctx, stream);
	if (!s) return kInvalidHandle;
	if (!stream_idle(*s)) return kNotReady;
	host_learns(stream_progress(*s));
	return kOK;
}

static EventRef find_event(Context *ctx, u64 handle) {
	auto it = ctx->events.find(handle);
	if (it != ctx->events.end()) return it->second;
	report("bad-handle", "%#llx is not an event of device %d", (unsigned long long)handle, ctx->device);
	return nullptr;
}

EXPORT int cuEventCreate(u64 *event, unsigned flags) {
	ENTER(IN_CONTEXT);
	if (!event || flags & ~3u) return kInvalidValue;
	auto e = std::make_shared<Event>();
	e->id = new_handle();
	e->ctx = ctx;
	e->timed = !(flags & 2);
	ctx->events[e->id] = e;
	*event = e->id;
	return kOK;
}

EXPORT int cuEventDestroy_v2(u64 event) {
	ENTER(IN_CONTEXT);
	if (!find_event(ctx, event)) return kInvalidHandle;
	ctx->events.erase(event); // a queued record or wait keeps it until it has run
	return kOK;
}

EXPORT int cuEventRecord(u64 event, u64 stream) {
	ENTER(IN_CONTEXT);
	EventRef e = find_event(ctx, event);
	StreamRef s = e ? find_stream(ctx, stream) : nullptr;
	if (!s) return kInvalidHandle;
	Op op;
	op.what = "record";
	op.record = e;
	op.generation = ++e->recorded;
	stream_push(ctx, s, std::move(op));
	e->when = s->ready;
	e->knows = stream_progress(*s);
	return kOK;
}

EXPORT int cuStreamWaitEvent(u64 stream, u64 event, unsigned flags) {
	ENTER(IN_CONTEXT);
	if (flags) return kInvalidValue;
	StreamRef s = find_stream(ctx, stream);
	EventRef e = s ? find_event(ctx, event) : nullptr;
	if (!e) return kInvalidHandle;
	if (e->recorded == 0) return kOK; // an event that was never recorded is complete
	Op op;
	op.what = "wait";
	op.wait = e;
	op.generation = e->recorded;
	stream_push(ctx, s, std::move(op));
	if (s->ready < e->when) s->ready = e->when;
	for (auto &k : e->knows) {
		u64 &v = s->knows[k.first];
		if (v < k.second) v = k.second;
	}
	return kOK;
}

EXPORT int cuEventQuery(u64 event) {
	ENTER(IN_CONTEXT);
	EventRef e = find_event(ctx, event);
	if (!e) return kInvalidHandle;
	if (e->done < e->recorded) return kNotReady;
	host_learns(e->knows);
	return kOK;
}

EXPORT int cuEventSynchronize(u64 event) {
	ENTER(IN_CONTEXT);
	EventRef e = find_event(ctx, event);
	if (!e) return kInvalidHandle;
	const u64 generation = e->recorded, handle = ctx->handle;
	const auto knows = e->knows;
	changed.wait(call.lock, [&] { return e->done >= generation; });
	if (!find_context(handle)) return kContextDestroyed;
	host_learns(knows);
	return ctx->error;
}

EXPORT int cuEventElapsedTime(float *ms, u64 from, u64 to) {
	ENTER(IN_CONTEXT);
	EventRef a = find_event(ctx, from), b = find_event(ctx, to);
	if (!a || !b) return kInvalidHandle;
	if (!ms || !a->timed || !b->timed || !a->recorded || !b->recorded) return kInvalidHandle;
	if (a->done < a->recorded || b->done < b->recorded) return kNotReady;
	*ms = (float)((b->when - a->when) / 1e6);
	return kOK;
}
