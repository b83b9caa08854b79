// SPDX-License-Identifier: BSD-3-Clause
//
// Runs a kernel: blocks one after the other, the threads of a block as fibers that change places where they wait for
// each other. One kernel runs at a time, as a module's __shared__ variables are plain static ones.
#include <sys/mman.h>

#include "sim.h"

static const size_t kStack = 128 << 10, kGuard = 4096;

enum State { kReady, kAtBarrier, kAtWarp, kLeft };

struct Fiber {
	void *sp;
	State state;
	unsigned line;   // where it waits
	int what;        // kAtWarp: cudasim_warp
	unsigned mask;
	u64 value[2];    // what it gives to its warp, by turn
	unsigned turn;
	cudasim_dim tid;
};

static std::mutex one_kernel;
static std::vector<Fiber> fibers;
static u8 *stacks;
static size_t stack_count;
static void *scheduler_sp;
static Fiber *self;
static cudasim_env *env;
static void (*body)(const char *);
static const char *arguments;
static std::string *problem; // of the running kernel
static int problem_code;

// CUDASIM_UCONTEXT has the portable way tried where the short one would do.
#if defined(__x86_64__) && !defined(CUDASIM_UCONTEXT)
// cudasim_switch saves the callee's registers and the stack pointer in *from and continues at to.
extern "C" void cudasim_switch(void **from, void *to);
asm(R"(
.text
.globl cudasim_switch
.hidden cudasim_switch
.type cudasim_switch,@function
cudasim_switch:
	pushq %rbp
	pushq %rbx
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	movq %rsp, (%rdi)
	movq %rsi, %rsp
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbx
	popq %rbp
	ret
)");
static void fiber_main();
static void prepare(Fiber &f, size_t i) {
	void **top = (void **)(stacks + (i + 1) * (kStack + kGuard));
	*--top = nullptr; // the entry expects a return address here: the stack is 8 off 16 bytes
	*--top = (void *)fiber_main;
	for (int r = 0; r < 6; r++) *--top = nullptr;
	f.sp = top;
}
#else
#include <ucontext.h>
static void fiber_main();
static std::vector<ucontext_t> contexts;
static ucontext_t scheduler_context;
static void prepare(Fiber &f, size_t i) {
	contexts.resize(1024);
	getcontext(&contexts[i]);
	contexts[i].uc_stack.ss_sp = stacks + i * (kStack + kGuard) + kGuard;
	contexts[i].uc_stack.ss_size = kStack;
	contexts[i].uc_link = nullptr;
	makecontext(&contexts[i], fiber_main, 0);
	f.sp = &contexts[i];
}
static void cudasim_switch(void **from, void *to) {
	ucontext_t *a = from == &scheduler_sp ? &scheduler_context : (ucontext_t *)*from;
	if (from == &scheduler_sp) *from = a;
	swapcontext(a, (ucontext_t *)to);
}
#endif

static void leave() { cudasim_switch(&self->sp, scheduler_sp); }

static void fiber_main() {
	body(arguments);
	self->state = kLeft;
	leave();
}

static void wait_block(unsigned line) {
	self->state = kAtBarrier;
	self->line = line;
	leave();
}

// fail notes a problem of the running kernel; the first counts.
static void fail(int code, const std::string &text) {
	if (problem_code) return;
	problem_code = code;
	*problem = text;
}

static u64 wait_warp(unsigned line, int what, unsigned mask, unsigned long long value, unsigned arg, unsigned width) {
	const size_t me = self - fibers.data(), first = me & ~(size_t)31;
	const unsigned lane = me & 31, lanes = fibers.size() - first < 32 ? fibers.size() - first : 32;
	if (!(mask >> lane & 1)) fail(kLaunchFailed, "barrier-divergence: line " + std::to_string(line) + ": a thread is not in its own mask");
	const unsigned turn = self->turn++ & 1;
	self->value[turn] = value;
	self->state = kAtWarp;
	self->line = line;
	self->what = what;
	self->mask = mask;
	leave();
	if (what == cudasim_ballot) {
		u64 bits = 0;
		for (unsigned l = 0; l < lanes; l++)
			if (mask >> l & 1 && fibers[first + l].value[turn]) bits |= 1u << l;
		return bits;
	}
	const unsigned low = lane & ~(width - 1), high = low + width - 1;
	i64 from = lane;
	switch (what) {
	case cudasim_shfl: from = low + (arg & (width - 1)); break;
	case cudasim_shfl_up: from = (i64)lane - arg < (i64)low ? lane : lane - arg; break;
	case cudasim_shfl_down: from = (i64)lane + arg > (i64)high ? lane : lane + arg; break;
	case cudasim_shfl_xor: from = (lane ^ arg) > high ? lane : (lane ^ arg); break;
	default: return 0;
	}
	// The value of a lane that does not take part is undefined.
	if (from >= lanes || !(mask >> from & 1)) return 0xCBCBCBCBCBCBCBCBull;
	return fibers[first + from].value[turn];
}

static void undefined(const char *what, unsigned line, int fatal) {
	const std::string text = "undefined: line " + std::to_string(line) + ": " + what;
	if (fatal) {
		fail(what[0] == 'm' ? kMisaligned : kIllegalAddress, text);
		abandon();
	}
	Lock l(mu);
	report("undefined", "%s", text.c_str());
}

static u64 random_state;
static u64 next_random() {
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	return random_state ^= random_state << 17;
}

// arrange fills order with 0 to n-1 in the order asked for.
static void arrange(std::vector<u32> &order, size_t n, int how) {
	order.resize(n);
	for (size_t i = 0; i < n; i++) order[i] = how == 1 ? n - 1 - i : i;
	if (how == 2)
		for (size_t i = n; i > 1; i--) std::swap(order[i - 1], order[next_random() % i]);
}

// release_block lets the threads go on when all wait at one barrier.
static bool release_block(size_t n) {
	for (size_t i = 0; i < n; i++)
		if (fibers[i].state != kAtBarrier || fibers[i].line != fibers[0].line) return false;
	for (size_t i = 0; i < n; i++) fibers[i].state = kReady;
	return true;
}

// release_warp lets the threads of a warp go on whose partners have all come. It returns whether any could.
static bool release_warp(size_t first, size_t n) {
	bool any = false;
	const size_t end = first + 32 < n ? first + 32 : n;
	for (size_t i = first; i < end; i++) {
		Fiber &f = fibers[i];
		if (f.state != kAtWarp) continue;
		bool come = true;
		for (size_t l = first; l < end; l++) {
			Fiber &g = fibers[l];
			if (!(f.mask >> (l - first) & 1)) continue;
			come &= g.state == kAtWarp && g.line == f.line && g.mask == f.mask && g.what == f.what;
		}
		if (!come) continue;
		for (size_t l = first; l < end; l++)
			if (f.mask >> (l - first) & 1) fibers[l].state = kReady, any = true;
	}
	return any;
}

static std::string divergence(size_t n) {
	std::map<std::string, int> where;
	for (size_t i = 0; i < n; i++) {
		Fiber &f = fibers[i];
		std::string s = f.state == kLeft ? "have returned" : f.state == kAtBarrier ? "wait at __syncthreads of line " : "wait in a warp operation of line ";
		if (f.state != kLeft) s += std::to_string(f.line);
		where[s]++;
	}
	std::string s = "barrier-divergence:";
	for (auto &w : where) s += " " + std::to_string(w.second) + " threads " + w.first + ",";
	s.pop_back();
	return s;
}

static cudasim_dim place(size_t i, cudasim_dim d) { return {(unsigned)(i % d.x), (unsigned)(i / d.x % d.y), (unsigned)(i / d.x / d.y)}; }

// step runs one thread until it waits or returns.
static void step(Fiber &f) {
	self = &f;
	env->tid = f.tid;
	cudasim_switch(&scheduler_sp, f.sp);
}

static void run_fibers(cudasim_dim block, int how, std::vector<u32> &order) {
	const size_t n = fibers.size();
	for (size_t i = 0; i < n; i++) {
		Fiber &f = fibers[i];
		prepare(f, i);
		f.state = kReady;
		f.turn = 0;
		f.tid = place(i, block);
	}
	// Warps may all go at one pace, or each run ahead as far as it can: a missing barrier shows in one of the two.
	const bool ahead = how == 1 || (how == 2 && next_random() % 2);
	const size_t warps = (n + 31) / 32;
	for (;;) {
		bool any = false, left = true;
		arrange(order, ahead ? warps : n, how);
		for (u32 o : order) {
			const size_t first = ahead ? o * 32 : o, end = ahead ? (first + 32 < n ? first + 32 : n) : first + 1;
			do
				for (size_t i = first; i < end; i++) {
					const size_t lane = how == 1 ? first + end - 1 - i : i;
					if (fibers[lane].state == kReady) step(fibers[lane]);
					if (problem_code) return;
				}
			while (ahead && release_warp(first, n));
		}
		for (size_t w = 0; w < n; w += 32) any |= release_warp(w, n);
		for (size_t i = 0; i < n; i++) left &= fibers[i].state == kLeft;
		if (left) return;
		if (!any && !release_block(n)) {
			fail(kLaunchFailed, divergence(n));
			return;
		}
	}
}

static void need_stacks(size_t n) {
	if (stack_count >= n) return;
	if (stacks) munmap(stacks, stack_count * (kStack + kGuard));
	stack_count = n < 256 ? 256 : 1024;
	stacks = (u8 *)mmap(nullptr, stack_count * (kStack + kGuard), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	for (size_t i = 0; i < stack_count; i++) mprotect(stacks + i * (kStack + kGuard), kGuard, PROT_NONE);
}

int kernel_run(const cudasim_module *m, const cudasim_kernel *k, const std::vector<char> &params, cudasim_dim grid, cudasim_dim block, u64 shared, std::string *what) {
	std::lock_guard<std::mutex> l(one_kernel);
	const size_t n = (size_t)block.x * block.y * block.z, blocks = (size_t)grid.x * grid.y * grid.z;
	std::vector<u64> dynamic(shared / 8 + 2);
	std::vector<u32> order, block_order;
	const int how = config.order;
	random_state = config.seed * 0x9E3779B97F4A7C15ull + 0x2545F4914F6CDD1Dull;
	env = m->env;
	env->bdim = block;
	env->gdim = grid;
	env->dynamic_shared = (void *)(((uintptr_t)dynamic.data() + 15) / 16 * 16);
	env->sync = wait_block;
	env->warp = (unsigned long long (*)(unsigned, int, unsigned, unsigned long long, unsigned, unsigned))wait_warp;
	env->undefined = undefined;
	body = k->run;
	arguments = params.data();
	problem = what;
	problem_code = 0;
	if (m->uses_sync) {
		need_stacks(n);
		fibers.resize(n);
	}
	arrange(block_order, blocks, how);
	const int code = guarded([&] {
		for (u32 b : block_order) {
			env->bid = place(b, grid);
			if (m->shared) memset(m->shared, 0xCB, m->shared_end - m->shared);
			if (shared) memset(env->dynamic_shared, 0xCB, shared);
			if (m->uses_sync) {
				run_fibers(block, how, order);
			} else {
				arrange(order, n, how);
				for (u32 i : order) {
					env->tid = place(i, block);
					k->run(arguments);
					if (problem_code) break;
				}
			}
			if (problem_code) return;
		}
	}, what);
	return code ? code : problem_code;
}
