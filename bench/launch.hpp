#pragma once

// The questions that bench_launch answers, one file each. Every function registers benchmarks that
// borrow `setting` until they have run.

#include <string>

#include "bench_root.hpp"
#include "reference.h"

namespace bench {

struct Setting {
  const BenchRoot& root;
  sock::Host& host;
  reference_host* reference;  ///< Null on a machine on which the reference cannot run.
};

void register_latency(const Setting& setting);   ///< start to reaped, to the first instruction
void register_variants(const Setting& setting);  ///< what each part of the isolation costs
void register_rate(const Setting& setting);      ///< containers per second by creators
void register_pause(const Setting& setting);     ///< pausing against the bare cgroup write

/// One container from start to reaped and given back; the message of what failed, or empty.
[[nodiscard]] std::string live(sock::Host& host, sock::ContainerSpec& spec);

}  // namespace bench
