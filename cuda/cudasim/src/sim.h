// SPDX-License-Identifier: BSD-3-Clause
//
// The state of the simulated machine. One lock, mu, guards all of it; workers let go of it while they copy or run a kernel.
#pragma once
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <thread>
#include <unordered_map>

#include "common.h"
#include "kernel.h"

// CUresult codes that the simulator returns.
enum : int {
	kOK = 0,
	kInvalidValue = 1,
	kOutOfMemory = 2,
	kNotInitialized = 3,
	kNoDevice = 100,
	kInvalidDevice = 101,
	kInvalidImage = 200,
	kInvalidContext = 201,
	kNoBinary = 209,
	kUnsupportedPTX = 222,
	kInvalidHandle = 400,
	kNotFound = 500,
	kNotReady = 600,
	kIllegalAddress = 700,
	kOutOfResources = 701,
	kContextDestroyed = 709,
	kTimeout = 702,
	kMisaligned = 716,
	kLaunchFailed = 719,
	kNotSupported = 801,
	kUnknown = 999,
};

bool is_sticky(int code);

struct Config {
	int devices = 1, driver = 12080, init = 0, arch = 90;
	u64 memory = 1ull << 30, host = 8ull << 30;
	u64 seed = 0;
	int order = 0; // threads and blocks: 0 forward, 1 reverse, 2 shuffled by seed
	u64 delay_us = 0, hold_us = 0; // before each operation: up to delay_us by chance, and hold_us
	int strict = 1; // device memory is closed to the host: 1 by protection keys where there are any, 2 without them, 0 not at all
	u64 quarantine = 2048; // freed allocations kept closed
	double up = 25, down = 25, mem = 1500; // GB/s
	double launch_us = 5, thread_ps = 0;
	u64 timeout_ms = 60000; // processor time after which a kernel or copy is ended, as a display's watchdog would
	u64 trace = 1 << 20; // operations kept
	std::string report_file, trace_file;
};

struct Context;
struct Device;

// Write is a copy that was queued to write [from, to): its stream and place there.
struct Write {
	u64 stream, seq;
	u8 *from, *to;
};

// Alloc is device or page-locked host memory between guard pages, live or freed.
struct Alloc {
	u64 id;
	Context *owner; // it ends with this context
	Context *ctx;   // the only one that may use it; null for host memory
	int device;   // -1 is host
	u8 *region;
	size_t region_bytes;
	u8 *ptr;
	size_t bytes;
	bool freed = false;
	int pending = 0; // queued operations that use it
	std::map<u8 *, std::pair<int, int>> busy; // pages that copies read and write: of the host queued ones, of a device those that run
	std::vector<Write> writes; // copies to it that not everybody knows to be done
};
typedef std::shared_ptr<Alloc> AllocRef;

struct Event {
	u64 id;
	Context *ctx;
	bool timed;
	u64 recorded = 0, done = 0; // generations
	double when = 0;            // virtual ns of the last record
	std::map<u64, u64> knows;   // how far each stream had come at the last record
};
typedef std::shared_ptr<Event> EventRef;

struct Op {
	std::string what;
	std::function<int()> run; // called without mu
	std::vector<AllocRef> uses;
	AllocRef device;             // what a copy writes on the device
	u8 *device_from = nullptr;
	u64 device_bytes = 0;
	AllocRef host; // what a copy reads or writes on the host
	u8 *host_from = nullptr;
	u64 host_bytes = 0;
	bool host_written = false;
	std::shared_ptr<int> launches; // of its module that are queued: this is one
	EventRef record, wait;
	u64 generation = 0;
};

struct Stream {
	u64 id;
	Context *ctx;
	std::deque<Op> queue;
	bool busy = false, stop = false, destroyed = false;
	u64 queued = 0;           // operations so far
	double ready = 0;         // virtual ns at which its last operation ends
	std::map<u64, u64> knows; // how far other streams have come for certain before what is queued next
	u64 random;
	std::thread worker;
};
typedef std::shared_ptr<Stream> StreamRef;

struct Module {
	u64 id;
	Context *ctx;
	void *lib;
	const cudasim_module *code;
	u32 arch;
	std::shared_ptr<int> pending = std::make_shared<int>(0); // launches that are queued
};
typedef std::shared_ptr<Module> ModuleRef;

struct Function {
	u64 id;
	ModuleRef module;
	const cudasim_kernel *kernel;
};

struct Context {
	u64 handle;
	int device;
	int error = 0; // sticky
	std::map<u64, StreamRef> streams;
	std::map<u64, EventRef> events;
	std::map<u64, ModuleRef> modules;
	std::map<u64, Function> functions;
};

struct Device {
	int refs = 0;
	std::unique_ptr<Context> primary;
	u64 used = 0, peak = 0;
	double engine[3] = {0, 0, 0}; // virtual ns at which each is free for good
	double busy[3] = {0, 0, 0};   // virtual ns of work so far
	std::map<double, double> gaps[3]; // from when to when each is idle before that
};

enum Engine { kUp, kDown, kCompute };

extern std::mutex mu;
extern std::condition_variable changed; // any operation done
extern Config config;
extern Faults faults;
extern bool initialised;
extern std::vector<Device> devices;
extern std::map<uintptr_t, AllocRef> allocs; // by region, freed ones too
extern thread_local u64 current;             // the context's handle

typedef std::unique_lock<std::mutex> Lock;

u64 new_handle();
Context *find_context(u64 handle);
void report(const char *kind, const char *format, ...) __attribute__((format(printf, 2, 3))); // with mu held

// Call begins every exported function: it counts the call, applies faults and checks the context.
struct Call {
	Lock lock;
	Context *ctx = nullptr;
	int code;
	Call(const char *name, bool needs_context);
};
#define ENTER(needs_context)                    \
	Call call(__func__, needs_context);         \
	if (call.code != kOK) return call.code;     \
	Context *ctx __attribute__((unused)) = call.ctx
#define GLOBAL false
#define IN_CONTEXT true

// memory.cc
int memory_alloc(Context *ctx, u64 bytes, bool host, void **out);
int memory_free(Context *ctx, void *p, bool host);
void memory_destroy(Context *ctx); // of a context that ends
AllocRef memory_find(const void *p); // the allocation whose region holds p, freed ones too
int memory_check(Context *ctx, const char *what, u64 p, u64 bytes, bool host, AllocRef *out);
void memory_busy(Alloc &a, u8 *from, u64 bytes, bool written, int more); // a copy of host memory is queued (1) or done (-1)
bool memory_intact(const Alloc &a);
std::string memory_describe(const void *p);
void memory_reset();
void memory_closing(Alloc &a, u8 *from, u64 bytes, int more); // a copy to device memory begins (1) or is done (-1)
void memory_open(bool copies); // the calling thread may access device memory, where a copy writes it only if it copies: workers
void memory_enter(); // an operation on device memory begins and ends, where threads cannot be told apart
void memory_leave();

// signals.cc
void signals_install();
void signals_thread(); // prepares a worker
void signals_thread_end();
int guarded(const std::function<void()> &f, std::string *what); // runs f; a fault inside becomes its code
void abandon(); // leaves the guarded function that runs on this thread

// stream.cc
StreamRef find_stream(Context *ctx, u64 handle);
StreamRef stream_new(Context *ctx, u64 id);
void stream_push(Context *ctx, const StreamRef &s, Op op);
int stream_wait(Lock &l, Context *ctx, const StreamRef &s);
bool stream_idle(const Stream &s);
void stream_join(Lock &l, const StreamRef &s); // after its queue has run
void stream_written(Stream &s, const AllocRef &a, bool by_copy, const void *from, u64 bytes, const char *what); // a use of a that is about to be queued
void host_learns(const std::map<u64, u64> &knows);
void host_forgets();
std::map<u64, u64> stream_progress(const Stream &s); // what is known once all that is queued has run

// exec.cc
int kernel_run(const cudasim_module *m, const cudasim_kernel *k, const std::vector<char> &params, cudasim_dim grid, cudasim_dim block, u64 shared, std::string *what);

// clock.cc
double schedule(Context *ctx, Stream &s, Engine e, const char *kind, const std::string &name, u64 bytes, double ns);
std::string trace_text();
std::string stats_text();
void clock_reset();
void trace_save();

// api_module.cc
void module_close(Module &m);

// context.cc
void reset_all(Lock &l);
