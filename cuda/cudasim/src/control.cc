// SPDX-License-Identifier: BSD-3-Clause
//
// Settings and commands: CUDASIM in the environment, and cudasim_command.
#include <cstdarg>
#include <cstdio>

#include "sim.h"

std::mutex mu;
std::condition_variable changed;
Config config;
Faults faults;
bool initialised;
std::vector<Device> devices;
std::map<uintptr_t, AllocRef> allocs;
thread_local u64 current;
static std::vector<std::string> reports;

// Handles are numbers that are never used twice, so that a stale one is always found.
u64 new_handle() {
	static u64 next = 0x5c0000000000ull;
	return next += 16;
}

bool is_sticky(int c) { return c == 214 || c == 220 || c == 700 || c == 702 || c == 709 || c == 710 || (c >= 714 && c <= 719); }

void report(const char *kind, const char *format, ...) {
	char text[1024];
	va_list ap;
	va_start(ap, format);
	vsnprintf(text, sizeof text, format, ap);
	va_end(ap);
	std::string line = std::string(kind) + "\t" + text;
	for (auto &c : line)
		if (c == '\n') c = ' ';
	if (reports.size() < 10000) reports.push_back(line);
	if (!config.report_file.empty())
		if (FILE *f = fopen(config.report_file.c_str(), "a")) {
			fprintf(f, "%s\n", line.c_str());
			fclose(f);
		}
}

static bool set(const std::string &word) {
	size_t eq = word.find('=');
	if (eq == std::string::npos) return false;
	const std::string k = word.substr(0, eq), v = word.substr(eq + 1);
	if (k == "devices") config.devices = atoi(v.c_str());
	else if (k == "driver") config.driver = atoi(v.c_str());
	else if (k == "init") config.init = atoi(v.c_str());
	else if (k == "arch") config.arch = atoi(v.c_str());
	else if (k == "memory") config.memory = parse_bytes(v);
	else if (k == "host") config.host = parse_bytes(v);
	else if (k == "seed") config.seed = parse_bytes(v);
	else if (k == "order") config.order = v == "reverse" ? 1 : v == "shuffle" ? 2 : 0;
	else if (k == "delay_us") config.delay_us = parse_bytes(v);
	else if (k == "hold_us") config.hold_us = parse_bytes(v);
	else if (k == "strict") config.strict = atoi(v.c_str());
	else if (k == "quarantine") config.quarantine = parse_bytes(v);
	else if (k == "up") config.up = atof(v.c_str());
	else if (k == "down") config.down = atof(v.c_str());
	else if (k == "mem") config.mem = atof(v.c_str());
	else if (k == "launch_us") config.launch_us = atof(v.c_str());
	else if (k == "timeout_ms") config.timeout_ms = parse_bytes(v);
	else if (k == "thread_ps") config.thread_ps = atof(v.c_str());
	else if (k == "trace") config.trace = parse_bytes(v);
	else if (k == "report_file") config.report_file = v;
	else if (k == "trace_file") config.trace_file = v;
	else if (k == "fault") return faults.add(v);
	else return false;
	return true;
}

static bool set_all(const std::string &text) {
	bool ok = true;
	for (auto &w : split(text, " ,\n"))
		if (!set(w)) {
			fprintf(stderr, "cudasim: unknown setting %s\n", w.c_str());
			ok = false;
		}
	return ok;
}

static void from_environment() {
	config = Config();
	if (const char *e = getenv("CUDASIM")) set_all(e);
}

// After the objects above have been made, which a constructor function would not be.
static const bool started __attribute__((unused)) = (from_environment(), true);

// cudasim_command runs a command and returns its answer, which stays until the thread's next one:
// "set K=V ...", "fault NAME:NTH:CODE", "clearfaults", "calls", "reports", "clearreports", "trace", "stats",
// "forget" (counts, trace and clock), "reset" (everything, as if the library had just been loaded). An unknown command answers "?".
EXPORT const char *cudasim_command(const char *text) {
	static thread_local std::string answer;
	std::string all = text ? text : "";
	size_t sp = all.find(' ');
	const std::string verb = all.substr(0, sp), rest = sp == std::string::npos ? "" : all.substr(sp + 1);
	Lock l(mu);
	answer.clear();
	if (verb == "set") {
		if (!set_all(rest)) answer = "?";
	} else if (verb == "fault") {
		if (!faults.add(rest)) answer = "?";
	} else if (verb == "clearfaults") {
		faults.clear();
	} else if (verb == "calls") {
		answer = faults.list();
	} else if (verb == "reports") {
		for (auto &r : reports) answer += r + "\n";
	} else if (verb == "clearreports") {
		reports.clear();
	} else if (verb == "trace") {
		answer = trace_text();
	} else if (verb == "stats") {
		answer = stats_text();
	} else if (verb == "forget" || verb == "reset") {
		faults.forget();
		if (verb == "reset") {
			faults.clear();
			reset_all(l);
			from_environment();
			reports.clear();
		}
		clock_reset();
	} else {
		answer = "?";
	}
	return answer.c_str();
}

// Functions that a driver answers before cuInit.
static bool needs_no_init(const std::string &n) { return n == "cuInit" || n == "cuDriverGetVersion"; }

// Calls that hand out or change the current context work in a lost one.
Call::Call(const char *name, bool needs_context) : lock(mu), code(kOK) {
	const int injected = faults.call(name);
	if (!needs_no_init(name) && !initialised) {
		code = kNotInitialized;
		return;
	}
	if (needs_context) {
		ctx = find_context(current);
		if (!ctx) {
			code = current ? kContextDestroyed : kInvalidContext;
			report("context", "%s: %s on this thread", name, current ? "the current context has been destroyed" : "no context is current");
			return;
		}
		if (ctx->error) {
			code = ctx->error;
			return;
		}
	}
	if (injected) {
		code = injected;
		if (ctx && is_sticky(code)) {
			ctx->error = code;
			changed.notify_all();
		}
	}
}
