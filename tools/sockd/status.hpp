#pragma once

// What /status and /api/functions tell, as JSON: functions, import caches, and the calls until now.
// Keys are added to it, and none changes its meaning.

#include <chrono>

#include <nlohmann/json_fwd.hpp>

#include "event_queue.hpp"
#include "instance_pool.hpp"
#include "metrics.hpp"
#include "starter.hpp"

namespace sockd {

struct StatusParts {
  const InstancePool& pool;
  const Starter& starter;
  const EventQueue& events;
  const Metrics& metrics;
};

nlohmann::json describe(const StatusParts& parts, std::chrono::duration<double> uptime);

/// Of a function: what strangers may know, and what else its owner does.
nlohmann::json describe(const FunctionState& state, const EventsOfFunction& events);
nlohmann::json describe_wholly(const FunctionState& state, const EventsOfFunction& events);
nlohmann::json describe(const DeadLetter& letter);

}  // namespace sockd
