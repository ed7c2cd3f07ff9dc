// What the background Host answers. Requests are {"verb":..., ...}; the last reply is {"ok":true,
// ...} or {"error":...}.

#include <array>
#include <thread>

#include <nlohmann/json.hpp>

#include "sock/zygote_plan.hpp"

#include "held_tree.hpp"
#include "held_zygote.hpp"
#include "json_values.hpp"
#include "snapshot_json.hpp"
#include "snapshot_store.hpp"
#include "snapshot_verbs.hpp"
#include "zygote_host.hpp"

namespace sockctl {
namespace {

pollfd readable(sock::FdRef fd) {
  return {.fd = fd.get(), .events = POLLIN, .revents = 0};
}

}  // namespace

void ZygoteSession::run() {
  Result<> served;
  try {
    served = serve();
  } catch (const nlohmann::json::exception&) {
    served = refuse(Errc::corrupt, Stage::validate, "a request", "sockctl is of another version");
  }
  // Whoever has hung up does not want to know.
  if (!served.has_value()) (void)send_message(socket_, {{"error", to_json(served.error())}});
}

Result<> ZygoteSession::serve() {
  std::array fds{readable(socket_), readable(stop_)};
  SOCKCTL_TRY(wait_for(fds, {}));
  if (fds[1].revents != 0) return {};
  auto message = SOCKCTL_TRY(receive_message(socket_));
  if (!message) return {};
  const auto reply = SOCKCTL_TRY(dispatch(parse_json(message->text), *message));
  return send_message(socket_, reply);
}

Result<nlohmann::json> ZygoteSession::dispatch(const nlohmann::json& request, Message& message) {
  const auto verb = request.value("verb", std::string{});
  const auto names = request.value("names", std::vector<std::string>{});
  if (verb == "create") return create(request);
  if (verb == "apply") return apply(request);
  if (verb == "checkpoint") return checkpoint(request);
  if (verb == "restore") return restore(request);
  if (verb == "export") return export_tree(request.at("name"));
  if (verb == "inspect") return inspect(names);
  if (verb == "stats") return stats(names);
  if (verb == "remove") return remove(request.at("name"), request.value("force", false));
  if (verb == "fork") return fork(request, message);
  return refuse(Errc::unsupported, Stage::validate, verb,
                "the background Host is of another version");
}

Result<nlohmann::json> ZygoteSession::create(const nlohmann::json& request) {
  auto wanted = SOCKCTL_TRY(zygote_request_from_json(request));
  return hold(std::make_shared<HeldZygote>(std::move(wanted)));
}

Result<nlohmann::json> ZygoteSession::checkpoint(const nlohmann::json& request) {
  const auto held = SOCKCTL_TRY(host_.find(request.at("name")));
  auto store = SOCKCTL_TRY(open_snapshot_store(request.at("store")));
  sock::Snapshot written;
  {
    const auto lease = SOCKCTL_TRY(held->lease());
    written = SOCKCTL_TRY(held->checkpoint(
        store, {.name = request.at("snapshot"), .origins = {}, .deadline = checkpoint_time}));
  }
  if (request.value("stop", false)) {
    auto removed = held->remove(false);
    if (!removed.has_value()) {
      removed.error().hint += "; the snapshot was written";
      return std::unexpected(removed.error());
    }
    host_.forget(held->name());
  }
  return nlohmann::json{{"ok", true}, {"snapshot", to_json(written)}};
}

// The snapshot says what to make; the request, only what is to be otherwise.
Result<nlohmann::json> ZygoteSession::restore(const nlohmann::json& request) {
  const std::string place = request.at("store");
  const auto store = SOCKCTL_TRY(open_snapshot_store(place));
  const auto snapshot = SOCKCTL_TRY(store.find(request.at("snapshot")));
  auto wanted = SOCKCTL_TRY(restorable(snapshot, place));
  if (const auto name = request.value("name", std::string{}); !name.empty()) {
    wanted.request.name = name;
    wanted.request.options.name = name;
  }
  return hold(std::make_shared<HeldZygote>(std::move(wanted.request), std::move(wanted.source)));
}

Result<nlohmann::json> ZygoteSession::apply(const nlohmann::json& request) {
  auto wanted = SOCKCTL_TRY(tree_request_from_json(request));
  auto tree = SOCKCTL_TRY(sock::ImportTree::parse(request.at("tree").get<std::string>()));
  sock::ImportCosts costs;
  if (const auto text = request.value("costs", std::string{}); !text.empty())
    costs = SOCKCTL_TRY(sock::parse_import_costs(text));
  return hold(std::make_shared<HeldTree>(std::move(wanted), std::move(tree), std::move(costs)));
}

Result<nlohmann::json> ZygoteSession::export_tree(const std::string& name) {
  const auto held = SOCKCTL_TRY(host_.find(name));
  const auto tree = SOCKCTL_TRY(held->export_tree());
  return nlohmann::json{{"ok", true}, {"tree", tree}};
}

Result<nlohmann::json> ZygoteSession::hold(std::shared_ptr<Held> held) {
  SOCKCTL_TRY(send_message(socket_, {{"event", "accepted"}}));
  SOCKCTL_TRY(host_.add(held));
  const auto started = start(*held);
  if (!started.has_value()) {
    host_.forget(held->name());
    return std::unexpected(started.error());
  }
  return nlohmann::json{{"ok", true}, {"zygote", held->describe()}};
}

// Importing may take for ever; whoever wanted it may give up at any time.
Result<> ZygoteSession::start(Held& held) {
  auto done = SOCKCTL_TRY(make_pipe());
  Result<> outcome;
  std::thread starter{[&] {
    outcome = held.start(host_.host(), [&](const nlohmann::json& event) {
      // A client that reads too slowly misses some news and nothing else.
      (void)send_message(socket_, event);
    });
    done.writer.reset();
  }};
  std::array fds{readable(done.reader), readable(socket_), readable(stop_)};
  const auto ready = wait_for(fds, {});
  if (!ready.has_value() || fds[0].revents == 0) held.abandon();
  starter.join();
  return outcome;
}

Result<nlohmann::json> ZygoteSession::inspect(const std::vector<std::string>& names) {
  nlohmann::json zygotes = nlohmann::json::array();
  for (const auto& zygote : SOCKCTL_TRY(host_.find_all(names)))
    zygotes.push_back(zygote->describe());
  return nlohmann::json{{"ok", true}, {"zygotes", std::move(zygotes)}};
}

Result<nlohmann::json> ZygoteSession::stats(const std::vector<std::string>& names) {
  nlohmann::json all = nlohmann::json::array();
  for (const auto& zygote : SOCKCTL_TRY(host_.find_all(names)))
    all.push_back(SOCKCTL_TRY(zygote->stats()));
  return nlohmann::json{{"ok", true}, {"stats", std::move(all)}};
}

Result<nlohmann::json> ZygoteSession::remove(const std::string& name, bool force) {
  const auto zygote = SOCKCTL_TRY(host_.find(name));
  SOCKCTL_TRY(zygote->remove(force));
  host_.forget(name);
  return nlohmann::json{{"ok", true}};
}

}  // namespace sockctl
