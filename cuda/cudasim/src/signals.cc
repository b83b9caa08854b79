// SPDX-License-Identifier: BSD-3-Clause
//
// Faults. Inside a kernel or a copy they become the operation's error; on a thread of the host they are reported
// and handed to the handler that was there before, which is Go's.
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "sim.h"

static const int kTooLong = SIGVTALRM;
static const int kSignals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, kTooLong};
static struct sigaction before[65];
static thread_local sigjmp_buf *back;
static thread_local void *fault_at;
static thread_local int fault_signal;
static thread_local timer_t watchdog;

// watch ends what runs on this thread after ms of its processor time; 0 ends nothing.
static void watch(u64 ms) {
	struct itimerspec at = {};
	at.it_value.tv_sec = ms / 1000;
	at.it_value.tv_nsec = ms % 1000 * 1000000;
	timer_settime(watchdog, 0, &at, nullptr);
}

static void handle(int sig, siginfo_t *info, void *uc) {
	if (back) {
		fault_at = info->si_addr;
		fault_signal = sig;
		siglongjmp(*back, 1);
	}
	if (sig == SIGSEGV || sig == SIGBUS) {
		// The lock may be held by this very thread; then the crash goes without a description.
		if (mu.try_lock()) {
			AllocRef a = memory_find(info->si_addr);
			if (a) {
				const std::string s = memory_describe(info->si_addr);
				const char *kind = a->freed ? "use-after-free" : a->device >= 0 ? "host-access" : a->busy.count((u8 *)((uintptr_t)info->si_addr / 4096 * 4096)) ? "copy-in-flight" : "out-of-bounds";
				report(kind, "the host accessed %s", s.c_str());
				const std::string line = "cudasim: " + std::string(kind) + ": the host accessed " + s + "\n";
				if (write(2, line.data(), line.size()) < 0) {
				}
			}
			mu.unlock();
		}
	}
	const struct sigaction &old = before[sig];
	if (old.sa_flags & SA_SIGINFO) {
		old.sa_sigaction(sig, info, uc);
	} else if (old.sa_handler != SIG_DFL && old.sa_handler != SIG_IGN) {
		old.sa_handler(sig);
	} else {
		signal(sig, SIG_DFL);
		raise(sig);
	}
}

void signals_install() {
	static bool done;
	if (done) return;
	done = true;
	for (int sig : kSignals) {
		struct sigaction sa = {};
		sigaction(sig, nullptr, &before[sig]);
		sa.sa_sigaction = handle;
		sa.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
		sa.sa_mask = before[sig].sa_mask;
		sigaction(sig, &sa, nullptr);
	}
}

void signals_thread() {
	sigset_t all;
	sigfillset(&all);
	for (int sig : kSignals) sigdelset(&all, sig);
	pthread_sigmask(SIG_SETMASK, &all, nullptr);
	static thread_local std::vector<char> alt(64 << 10);
	stack_t st = {};
	st.ss_sp = alt.data();
	st.ss_size = alt.size();
	sigaltstack(&st, nullptr);
	struct sigevent ev = {};
	ev.sigev_notify = SIGEV_THREAD_ID;
	ev.sigev_signo = kTooLong;
#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif
	ev.sigev_notify_thread_id = (pid_t)syscall(SYS_gettid);
	timer_create(CLOCK_THREAD_CPUTIME_ID, &ev, &watchdog);
}

void signals_thread_end() { timer_delete(watchdog); }

void abandon() { siglongjmp(*back, 2); }

int guarded(const std::function<void()> &f, std::string *what) {
	sigjmp_buf here;
	const int how = sigsetjmp(here, 1);
	if (how == 0) {
		back = &here;
		watch(config.timeout_ms);
		f();
		back = nullptr;
		watch(0);
		return kOK;
	}
	back = nullptr;
	watch(0);
	if (how == 2) return kOK;
	memory_open(true); // a signal's handler starts with all keys closed, and this left it by a jump
	Lock l(mu);
	char s[64];
	switch (fault_signal) {
	case SIGFPE:
		*what = "integer division by zero or overflow";
		return kLaunchFailed;
	case kTooLong:
		*what = "timeout: it ran for " + std::to_string(config.timeout_ms) + " ms";
		return kTimeout;
	case SIGILL:
		*what = "illegal instruction";
		return 715;
	}
	AllocRef a = memory_find(fault_at);
	const bool race = a && !a->freed && a->device >= 0 && a->busy.count((u8 *)((uintptr_t)fault_at / 4096 * 4096));
	snprintf(s, sizeof s, "%s: ", a && a->freed ? "use-after-free" : race ? "race" : "out-of-bounds");
	*what = s + memory_describe(fault_at);
	return kIllegalAddress;
}
