// SPDX-License-Identifier: BSD-3-Clause
//
// The virtual clock. Each device has two copy engines and one for compute; an operation starts when its stream and its
// engine are free and takes bytes / rate. All times are known when work is queued, so they do not depend on how fast
// this machine is. An engine begins with what is ready, not with what this machine happened to queue first: work fills the gaps that
// others have left by waiting for their streams. The host takes no time at all.
#include <cstdio>

#include "sim.h"

struct Traced {
	int device;
	u64 stream;
	const char *kind;
	std::string name;
	u64 bytes;
	double start, end;
};

static std::vector<Traced> trace;
static u64 dropped;
static std::map<std::string, std::pair<u64, u64>> totals; // by kind: count, bytes

// place finds the first time from ready on when an engine is free for so long, and takes it.
static double place(Device &d, Engine e, double ready, double ns) {
	auto &gaps = d.gaps[e];
	for (auto g = gaps.begin(); g != gaps.end(); ++g) {
		const double from = g->first, to = g->second, start = ready > from ? ready : from;
		if (start + ns > to) continue;
		gaps.erase(g);
		if (start > from) gaps[from] = start;
		if (start + ns < to) gaps[start + ns] = to;
		return start;
	}
	double &end = d.engine[e];
	const double start = ready > end ? ready : end;
	if (start > end) gaps[end] = start;
	end = start + ns;
	return start;
}

double schedule(Context *ctx, Stream &s, Engine e, const char *kind, const std::string &name, u64 bytes, double ns) {
	Device &d = devices[ctx->device];
	const double start = place(d, e, s.ready, ns);
	s.ready = start + ns;
	d.busy[e] += ns;
	auto &t = totals[kind];
	t.first++;
	t.second += bytes;
	if (trace.size() < config.trace) trace.push_back({ctx->device, s.id, kind, name, bytes, start, start + ns});
	else dropped++;
	return start + ns;
}

std::string trace_text() {
	std::string s;
	char line[400];
	for (auto &t : trace) {
		snprintf(line, sizeof line, "%d\t%llu\t%s\t%s\t%llu\t%.0f\t%.0f\n", t.device, (unsigned long long)t.stream, t.kind, t.name.c_str(), (unsigned long long)t.bytes, t.start, t.end);
		s += line;
	}
	return s;
}

std::string stats_text() {
	std::string s;
	double makespan = 0;
	u64 live = 0, host = 0;
	auto add = [&](const std::string &k, double v) {
		char line[200];
		snprintf(line, sizeof line, "%s\t%.0f\n", k.c_str(), v);
		s += line;
	};
	for (size_t i = 0; i < devices.size(); i++) {
		Device &d = devices[i];
		const std::string n = std::to_string(i);
		for (double e : d.engine) makespan = e > makespan ? e : makespan;
		add("busy_up_ns." + n, d.busy[kUp]);
		add("busy_down_ns." + n, d.busy[kDown]);
		add("busy_compute_ns." + n, d.busy[kCompute]);
		add("used_bytes." + n, d.used);
		add("peak_bytes." + n, d.peak);
		if (d.primary) {
			u64 streams = 0;
			for (auto &e : d.primary->streams) streams += e.first != 0 && !e.second->destroyed;
			add("streams." + n, streams);
			add("events." + n, d.primary->events.size());
			add("modules." + n, d.primary->modules.size());
		}
	}
	for (auto &e : allocs)
		if (!e.second->freed) (e.second->device < 0 ? host : live)++;
	for (auto &t : totals) {
		add("count." + t.first, t.second.first);
		add("bytes." + t.first, t.second.second);
	}
	add("makespan_ns", makespan);
	add("live_device", live);
	add("live_host", host);
	add("trace_dropped", dropped);
	return s;
}

void clock_reset() {
	trace.clear();
	totals.clear();
	dropped = 0;
	for (auto &d : devices) {
		for (int e = 0; e < 3; e++) {
			d.engine[e] = d.busy[e] = 0;
			d.gaps[e].clear();
		}
		d.peak = d.used;
		if (!d.primary) continue;
		for (auto &s : d.primary->streams) s.second->ready = 0;
		for (auto &e : d.primary->events) e.second->when = 0;
	}
}

// trace_save appends what there is to trace_file, for programs that cannot be asked.
void trace_save() {
	if (config.trace_file.empty()) return;
	if (FILE *f = fopen(config.trace_file.c_str(), "a")) {
		const std::string t = trace_text(), s = stats_text();
		fprintf(f, "%s\n%s\n", t.c_str(), s.c_str());
		fclose(f);
	}
}
