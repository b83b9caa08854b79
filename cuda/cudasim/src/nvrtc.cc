// SPDX-License-Identifier: BSD-3-Clause
//
// NVRTC that has g++ compile the source as it stands, behind kernel.h and device.h, to a shared object. The build puts
// the two headers' text into headers.inc.
#include <dlfcn.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <cstdio>

#include "common.h"

static const char kHeaders[] =
#include "headers.inc"
	;

extern char **environ;
static Faults faults;
static std::mutex mu;
static std::map<u64, struct Program *> programs;
static int version = 12080;

// What is compiled waits while held is set.
static bool held;
static std::condition_variable released;

static void hold(bool on) {
	std::lock_guard<std::mutex> l(mu);
	held = on;
	released.notify_all();
}

enum { kOK = 0, kOutOfMemory = 1, kInvalidInput = 3, kInvalidProgram = 4, kInvalidOption = 5, kCompilation = 6, kInternal = 11 };

struct Program {
	std::string source, name, log, ptx;
	std::string image; // empty when only a virtual architecture was asked for
	bool compiled = false;
};

static const int kArchs[] = {70, 75, 80, 86, 89, 90, 100, 120};

static std::string cache_folder() {
	if (const char *e = getenv("CUDASIM_CACHE")) return e;
	Dl_info info;
	if (!dladdr((void *)cache_folder, &info)) return "/tmp";
	std::string dir = info.dli_fname;
	dir.resize(dir.rfind('/') == std::string::npos ? 0 : dir.rfind('/'));
	return dir + "/kernels";
}

static bool read_file(const std::string &path, std::string *out) {
	FILE *f = fopen(path.c_str(), "rb");
	if (!f) return false;
	char buf[65536];
	for (size_t n; (n = fread(buf, 1, sizeof buf, f)) > 0;) out->append(buf, n);
	const bool ok = !ferror(f);
	fclose(f);
	return ok;
}

static bool write_file(const std::string &path, const std::string &text) {
	FILE *f = fopen(path.c_str(), "wb");
	if (!f) return false;
	const bool ok = fwrite(text.data(), 1, text.size(), f) == text.size();
	return fclose(f) == 0 && ok;
}

// run runs a program with its output in a file and returns whether it succeeded.
static bool run(const std::vector<std::string> &args, const std::string &output) {
	std::vector<char *> argv;
	for (auto &a : args) argv.push_back((char *)a.c_str());
	argv.push_back(nullptr);
	posix_spawn_file_actions_t fa;
	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_addopen(&fa, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&fa, 1, output.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
	posix_spawn_file_actions_adddup2(&fa, 1, 2);
	posix_spawnattr_t at;
	posix_spawnattr_init(&at);
	sigset_t none, all;
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_setsigmask(&at, &none);
	posix_spawnattr_setsigdefault(&at, &all);
	posix_spawnattr_setflags(&at, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	pid_t pid;
	const int err = posix_spawnp(&pid, argv[0], &fa, &at, argv.data(), environ);
	posix_spawnattr_destroy(&at);
	posix_spawn_file_actions_destroy(&fa);
	if (err) {
		write_file(output, std::string("cannot run ") + argv[0] + ": " + strerror(err));
		return false;
	}
	int status;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR) return false;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

// plain returns the source with comments and strings blanked out, for the search for kernels.
static std::string plain(const std::string &s) {
	std::string out = s;
	for (size_t i = 0; i + 1 < s.size(); i++) {
		size_t end = i;
		if (s[i] == '/' && s[i + 1] == '/') end = s.find('\n', i);
		else if (s[i] == '/' && s[i + 1] == '*') end = s.find("*/", i + 2) == std::string::npos ? s.size() : s.find("*/", i + 2) + 2;
		else if (s[i] == '"')
			for (end = i + 1; end < s.size() && s[end] != '"'; end++) end += s[end] == '\\';
		else continue;
		if (end > s.size()) end = s.size();
		for (size_t k = i; k < end; k++)
			if (out[k] != '\n' && s[i] == '/') out[k] = ' ';
		i = end;
	}
	return out;
}

static bool word(char c) { return isalnum((unsigned char)c) || c == '_'; }

// table returns the text behind the source: its kernels' names, launchers and bounds.
static std::string table(const std::string &text, bool uses_sync) {
	std::string rows;
	int count = 0;
	for (size_t i = text.find("__global__"); i != std::string::npos; i = text.find("__global__", i + 1)) {
		const size_t stop = text.find_first_of("{;", i);
		std::string head = text.substr(i, stop == std::string::npos ? stop : stop - i), bound = "0";
		if (stop == std::string::npos || text[stop] == ';') continue; // a declaration
		const size_t lb = head.find("__launch_bounds__");
		if (lb != std::string::npos) {
			const size_t open = head.find('(', lb), close = head.find(')', lb);
			bound = head.substr(open + 1, close - open - 1);
			bound = bound.substr(0, bound.find(','));
			head.erase(lb, close + 1 - lb);
		}
		size_t open = head.find('(');
		if (open == std::string::npos) continue;
		while (open > 0 && isspace((unsigned char)head[open - 1])) open--;
		size_t begin = open;
		while (begin > 0 && word(head[begin - 1])) begin--;
		const std::string name = head.substr(begin, open - begin);
		rows += "\t{\"" + name + "\", [](const char *p) { cudasim_call(" + name + ", p); }, cudasim_bytes(" + name + "), " + bound + "},\n";
		count++;
	}
	return "\nextern \"C\" char __start_cudasim_shared[] __attribute__((weak)), __stop_cudasim_shared[] __attribute__((weak));\n"
		"static const cudasim_kernel cudasim_kernels[] = {\n" + rows + "\t{0, 0, 0, 0}};\n"
		"extern \"C\" __attribute__((visibility(\"default\"))) const cudasim_module *cudasim_get() {\n"
		"\tstatic const cudasim_module m = {&cudasim_self, cudasim_kernels, " + std::to_string(count) + ", " + (uses_sync ? "1" : "0") +
		", __start_cudasim_shared, __stop_cudasim_shared};\n\treturn &m;\n}\n";
}

// dynamic_shared turns "extern __shared__ T x[];" into a pointer that the simulator sets.
static void dynamic_shared(std::string *text) {
	for (size_t i; (i = text->find("extern __shared__")) != std::string::npos;) {
		const size_t end = text->find(';', i), bracket = text->rfind('[', end);
		if (end == std::string::npos || bracket == std::string::npos || bracket < i) return;
		size_t name_end = bracket, name = bracket;
		while (name > i && isspace((unsigned char)(*text)[name - 1])) name_end = --name;
		while (name > i && word((*text)[name - 1])) name--;
		std::string type = text->substr(i + 17, name - i - 17);
		const size_t al = type.find("__align__");
		if (al != std::string::npos) type.erase(al, type.find(')', al) + 1 - al);
		const std::string id = text->substr(name, name_end - name);
		text->replace(i, end - i, type + " *" + id + " = (" + type + " *)cudasim_self.dynamic_shared");
	}
}

struct Options {
	int arch = 75;
	bool cubin = false, fmad = true;
	std::vector<std::string> defines;
	std::string bad;
};

static Options parse_options(int n, const char *const *list) {
	Options o;
	for (int i = 0; i < n; i++) {
		std::string s = list[i] ? list[i] : "";
		const size_t eq = s.find('=');
		const std::string key = s.substr(0, eq), value = eq == std::string::npos ? "" : s.substr(eq + 1);
		const bool on = value == "true";
		if (key == "--gpu-architecture" || key == "-arch") {
			o.cubin = value.compare(0, 3, "sm_") == 0;
			if (!o.cubin && value.compare(0, 8, "compute_") != 0) return o.bad = s, o;
			o.arch = atoi(value.c_str() + (o.cubin ? 3 : 8));
			bool known = false;
			for (int a : kArchs) known |= a == o.arch;
			if (!known) return o.bad = s, o;
		} else if (key == "--fmad" || key == "-fmad") {
			o.fmad = on;
		} else if (key == "--ftz" || key == "-ftz") {
			if (on) return o.bad = s + " (the simulator does not flush to zero)", o;
		} else if (key == "--prec-div" || key == "--prec-sqrt") {
			if (!on) return o.bad = s + " (the simulator divides and takes roots exactly)", o;
		} else if (s.compare(0, 2, "-D") == 0 && s.size() > 2) {
			o.defines.push_back(s);
		} else if (key != "--std" && key != "-std" && key != "--minimal" && key != "-minimal" && key != "--device-as-default-execution-space" && key != "-default-device" &&
		           key != "--restrict" && key != "--generate-line-info" && key != "-lineinfo" && key != "--maxrregcount" && key != "--extra-device-vectorization" &&
		           key != "--dopt" && key != "--ptxas-options" && key != "-Xptxas" && key != "--split-compile" && key != "--no-source-include") {
			return o.bad = s, o;
		}
	}
	return o;
}

static std::string hex(const std::string &s) {
	static const char *digit = "0123456789abcdef";
	std::string out;
	for (unsigned char c : s) out += digit[c >> 4], out += digit[c & 15];
	return out;
}

// compile fills in the program's log and image.
static int compile(Program *p, const Options &o) {
	const std::string text = plain(p->source);
	// Threads that never wait for each other need no stacks of their own.
	const bool sync = text.find("__sync") != std::string::npos || text.find("_sync(") != std::string::npos;
	std::string source = p->source;
	dynamic_shared(&source);
	const std::string unit = std::string(kHeaders) + "#define __CUDA_ARCH__ " + std::to_string(o.arch * 10) + "\n#line 1 \"" + p->name + "\"\n" + source + table(text, sync);
	const char *cxx = getenv("CUDASIM_CXX");
	std::vector<std::string> args = {cxx && *cxx ? cxx : "g++", "-x", "c++", "-std=c++17", "-O1", "-w", "-fPIC", "-fvisibility=hidden", "-fno-exceptions", "-fno-rtti",
		"-fno-strict-aliasing", "-fwrapv", "-fno-math-errno", o.fmad ? "-ffp-contract=fast" : "-ffp-contract=off",
		"-fsanitize=alignment,bounds-strict,shift,float-cast-overflow,integer-divide-by-zero"};
	if (o.fmad) args.push_back("-fexpensive-optimizations"); // contraction needs it
#if defined(__x86_64__)
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) args.insert(args.end(), {"-mavx2", "-mfma"});
#endif
	args.insert(args.end(), o.defines.begin(), o.defines.end());
	std::string identity = unit;
	for (auto &a : args) identity += '\0' + a;
	char id[40];
	snprintf(id, sizeof id, "%016llx%08llx", (unsigned long long)checksum(identity.data(), identity.size()), (unsigned long long)identity.size());
	static std::atomic<int> serial;
	const std::string dir = cache_folder(), so = dir + "/" + id + ".so";
	std::string code;
	if (!read_file(so, &code)) {
		mkdir(dir.c_str(), 0700);
		const std::string base = dir + "/" + id + "." + std::to_string(getpid()) + "." + std::to_string(serial++);
		bool ok = write_file(base + ".cu", unit);
		args.insert(args.end(), {"-c", base + ".cu", "-o", base + ".o"});
		ok = ok && run(args, base + ".log");
		std::string log, rest;
		read_file(base + ".log", &log);
		// The runtime of -fsanitize is not linked: device.h has its own.
		ok = ok && run({args[0], "-shared", "-nostartfiles", "-o", base + ".so", base + ".o", "-lm"}, base + ".log");
		read_file(base + ".log", &rest);
		ok = ok && rename((base + ".so").c_str(), so.c_str()) == 0 && read_file(so, &code);
		for (const char *e : {".cu", ".o", ".log", ".so"}) unlink((base + e).c_str());
		p->log = log + rest;
		if (!ok) return kCompilation;
	}
	Image m = {};
	memcpy(m.magic, kImageMagic, 8);
	m.bytes = code.size();
	m.sum = checksum(code.data(), code.size());
	m.arch = o.arch;
	m.virtual_arch = o.cubin ? 0 : 1;
	m.head = head_sum(m);
	const std::string image = std::string((const char *)&m, sizeof m) + code;
	if (o.cubin) p->image = image;
	char head[100];
	snprintf(head, sizeof head, ".version %d.%d\n.target sm_%d\n.address_size 64\n", version / 1000 - 4, version % 1000 / 10, o.arch);
	p->ptx = head + std::string(kPTXMark) + hex(image) + "\n";
	return kOK;
}

#define ENTER() \
	if (const int injected = faults.call(__func__)) return injected

EXPORT const char *cudasim_command(const char *text) {
	static thread_local std::string answer;
	const std::string all = text ? text : "";
	answer.clear();
	if (all.compare(0, 6, "fault ") == 0) {
		if (!faults.add(all.substr(6))) answer = "?";
	} else if (all.compare(0, 12, "set version=") == 0) {
		version = atoi(all.c_str() + 12);
	} else if (all == "clearfaults" || all == "reset") {
		faults.clear();
		faults.forget();
		if (all == "reset") hold(false);
		version = 12080;
	} else if (all == "hold" || all == "release") {
		hold(all == "hold");
	} else if (all == "calls") {
		answer = faults.list();
	} else if (all == "programs") {
		std::lock_guard<std::mutex> l(mu);
		answer = std::to_string(programs.size());
	} else {
		answer = "?";
	}
	return answer.c_str();
}

EXPORT int nvrtcVersion(int *major, int *minor) {
	ENTER();
	if (!major || !minor) return kInvalidInput;
	*major = version / 1000;
	*minor = version % 1000 / 10;
	return kOK;
}

EXPORT int nvrtcGetNumSupportedArchs(int *n) {
	ENTER();
	*n = sizeof kArchs / sizeof *kArchs;
	return kOK;
}

EXPORT int nvrtcGetSupportedArchs(int *list) {
	ENTER();
	memcpy(list, kArchs, sizeof kArchs);
	return kOK;
}

EXPORT int nvrtcCreateProgram(u64 *prog, const char *src, const char *name, int headers, const char *const *, const char *const *) {
	ENTER();
	if (!prog || !src || headers != 0) return kInvalidInput;
	Program *p = new Program;
	p->source = src;
	p->name = name && *name ? name : "default_program";
	for (char &c : p->name)
		if (c == '"' || c == '\n' || c == '\\') c = '_';
	std::lock_guard<std::mutex> l(mu);
	*prog = (u64)p;
	programs[*prog] = p;
	return kOK;
}

static Program *find(u64 prog) {
	std::lock_guard<std::mutex> l(mu);
	auto it = programs.find(prog);
	return it == programs.end() ? nullptr : it->second;
}

EXPORT int nvrtcDestroyProgram(u64 *prog) {
	ENTER();
	Program *p = prog ? find(*prog) : nullptr;
	if (!p) return kInvalidProgram;
	std::lock_guard<std::mutex> l(mu);
	programs.erase(*prog);
	delete p;
	*prog = 0;
	return kOK;
}

EXPORT int nvrtcCompileProgram(u64 prog, int n, const char *const *options) {
	ENTER();
	Program *p = find(prog);
	if (!p) return kInvalidProgram;
	const Options o = parse_options(n, options);
	if (!o.bad.empty()) {
		p->log = "nvrtc: error: invalid value or option: " + o.bad + "\n";
		return kInvalidOption;
	}
	{
		std::unique_lock<std::mutex> l(mu);
		released.wait(l, [] { return !held; });
	}
	const int code = compile(p, o);
	p->compiled = code == kOK;
	return code;
}

static int size_of(u64 prog, u64 *n, std::string Program::*what, u64 extra, bool needs) {
	Program *p = find(prog);
	if (!p || (needs && !p->compiled)) return kInvalidProgram;
	*n = (p->*what).size() + extra;
	return kOK;
}

static int copy_of(u64 prog, char *to, std::string Program::*what, u64 extra, bool needs) {
	Program *p = find(prog);
	if (!p || (needs && !p->compiled)) return kInvalidProgram;
	memcpy(to, (p->*what).c_str(), (p->*what).size() + extra);
	return kOK;
}

EXPORT int nvrtcGetProgramLogSize(u64 prog, u64 *n) { ENTER(); return size_of(prog, n, &Program::log, 1, false); }
EXPORT int nvrtcGetProgramLog(u64 prog, char *to) { ENTER(); return copy_of(prog, to, &Program::log, 1, false); }
EXPORT int nvrtcGetPTXSize(u64 prog, u64 *n) { ENTER(); return size_of(prog, n, &Program::ptx, 1, true); }
EXPORT int nvrtcGetPTX(u64 prog, char *to) { ENTER(); return copy_of(prog, to, &Program::ptx, 1, true); }
EXPORT int nvrtcGetCUBINSize(u64 prog, u64 *n) { ENTER(); return size_of(prog, n, &Program::image, 0, true); }
EXPORT int nvrtcGetCUBIN(u64 prog, char *to) { ENTER(); return copy_of(prog, to, &Program::image, 0, true); }
