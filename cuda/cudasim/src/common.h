// SPDX-License-Identifier: BSD-3-Clause
//
// What both libraries share: the image format, the call counter with its faults, and the control commands' parser.
#pragma once
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

typedef uint8_t u8;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int64_t i64;

#define EXPORT extern "C" __attribute__((visibility("default")))

// Image is the head of what stands for a cubin. It begins as an ELF file does, and holds its own length, as
// cuModuleLoadDataEx gets a pointer only. The checksums come first: a damaged image must be refused, not run.
struct Image {
	char magic[8]; // "\x7f" "ELFSIM\0"
	u64 head;      // checksum of the fields below
	u64 bytes;     // of the shared object that follows
	u64 sum;       // its checksum
	u32 arch;      // 90 is sm_90
	u32 virtual_arch;
};

static const char kImageMagic[8] = {'\x7f', 'E', 'L', 'F', 'S', 'I', 'M', 0};
static const char kPTXMark[] = "// cudasim-image "; // before the image in hexadecimal digits

inline u64 checksum(const void *p, size_t n) {
	u64 h = 1469598103934665603ull;
	for (size_t i = 0; i < n; i++) h = (h ^ ((const u8 *)p)[i]) * 1099511628211ull;
	return h;
}

inline u64 head_sum(const Image &m) { return checksum(&m.bytes, sizeof m - offsetof(Image, bytes)); }

// parse_bytes reads a number with an optional KiB, MiB or GiB behind it.
inline u64 parse_bytes(const std::string &s) {
	char *end = nullptr;
	double v = strtod(s.c_str(), &end);
	const std::string unit = end;
	if (unit == "KiB") v *= 1024;
	if (unit == "MiB") v *= 1024 * 1024;
	if (unit == "GiB") v *= 1024 * 1024 * 1024;
	return (u64)v;
}

inline std::vector<std::string> split(const std::string &s, const char *seps) {
	std::vector<std::string> out;
	size_t i = 0;
	while (i < s.size()) {
		size_t j = s.find_first_of(seps, i);
		if (j == std::string::npos) j = s.size();
		if (j > i) out.push_back(s.substr(i, j - i));
		i = j + 1;
	}
	return out;
}

// Faults counts calls by name and says which are to fail.
class Faults {
	struct Rule {
		std::string name; // "*" is every function
		u64 nth;
		bool onward; // this one and all after it
		int code;
		u64 seen;
	};
	std::mutex mu;
	std::map<std::string, u64> counts;
	std::vector<Rule> rules;

public:
	// call counts a call of name and returns the code it is to fail with, or 0.
	int call(const std::string &name, bool any = true) {
		std::lock_guard<std::mutex> l(mu);
		counts[name]++;
		int code = 0;
		for (auto &r : rules)
			if (r.name == name || (any && r.name == "*")) {
				r.seen++;
				if (r.seen == r.nth || (r.onward && r.seen > r.nth)) code = code ? code : r.code;
			}
		return code;
	}

	// add takes NAME:NTH:CODE; NTH counts from now and from 1, "3+" is the third and all later ones.
	bool add(const std::string &text) {
		auto part = split(text, ": ");
		if (part.size() != 3) return false;
		Rule r{part[0], strtoull(part[1].c_str(), nullptr, 10), part[1].back() == '+', atoi(part[2].c_str()), 0};
		if (r.nth < 1 || r.code == 0) return false;
		std::lock_guard<std::mutex> l(mu);
		rules.push_back(r);
		return true;
	}

	void clear() {
		std::lock_guard<std::mutex> l(mu);
		rules.clear();
	}

	void forget() {
		std::lock_guard<std::mutex> l(mu);
		counts.clear();
	}

	std::string list() {
		std::lock_guard<std::mutex> l(mu);
		std::string s;
		for (auto &c : counts) s += c.first + "\t" + std::to_string(c.second) + "\n";
		return s;
	}
};
