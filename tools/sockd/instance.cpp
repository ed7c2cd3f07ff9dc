// The parts of an instance, and whether it lives.

#include "instance.hpp"

#include <utility>

#include "readable.hpp"

namespace sockd {

Instance::Instance(boost::asio::io_context& loop, boost::asio::thread_pool& workers,
                   StartedInstance started, Bus::ConnectionPtr bus)
    : origin_{std::move(started.origin)},
      container_{std::move(started.container)},
      conversation_{make_conversation(loop, workers, std::move(started.channel))},
      output_{Output::follow(loop, std::move(started.output))},
      bus_{std::move(bus)},
      path_{std::move(started.path)},
      zygote_{std::move(started.zygote)},
      fallback_{std::move(started.fallback)},
      had_all_packages_{started.has_all_packages} {}

Instance::~Instance() {
  output_->stop();
  Bus::close(bus_);
}

bool Instance::may_be_called() {
  return !is_readable(container_.pidfd()) && conversation_->is_silent();
}

}  // namespace sockd
