#pragma once

// What makes events beside HTTP: schedules, and directories that are watched.

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>

#include "event_queue.hpp"
#include "function_store.hpp"

namespace sockd {

/// Thread-bound, to the loop.
class EventSources {
 public:
  /// `marks`: a directory of its own, for how far directories were looked at. The queue and the
  /// threads outlive it.
  EventSources(boost::asio::io_context& loop, boost::asio::thread_pool& workers, EventQueue& queue,
               std::string marks)
      : loop_{loop}, workers_{workers}, queue_{queue}, marks_{std::move(marks)} {}

  /// The sources of this version of a function, instead of those of the one before.
  void serve(const StoredFunction& function);
  void withdraw(const std::string& function);
  /// None of them makes events any more.
  void close();

 private:
  struct Source;
  std::shared_ptr<Source> add(const std::string& function);
  void stop(const std::string& function);

  boost::asio::io_context& loop_;
  boost::asio::thread_pool& workers_;
  EventQueue& queue_;
  std::string marks_;
  std::map<std::string, std::vector<std::shared_ptr<Source>>> sources_ = {};
};

}  // namespace sockd
