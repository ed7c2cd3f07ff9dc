#pragma once

// The local bus of an application (SAND, USENIX ATC'18): its functions call one another, and share
// objects and counters, without leaving the machine. Functions of others are not there for them.

#include <map>
#include <memory>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include "sock/fd.hpp"

#include "application_data.hpp"
#include "bus_message.hpp"
#include "bus_socket.hpp"

namespace sockd {

class Dispatcher;
class EventQueue;
class InstancePool;

/// Thread-bound, to the loop.
class Bus {
 public:
  /// One instance's connection. It ends with the last who holds it, or when the instance closes it.
  struct Connection;
  using ConnectionPtr = std::shared_ptr<Connection>;

  Bus(boost::asio::io_context& loop, const InstancePool& pool, DataQuota quota)
      : loop_{loop}, pool_{pool}, quota_{quota} {}
  /// Where calls go. Before anything else.
  void attach(Dispatcher& dispatcher, EventQueue& events);

  /// Serves an instance of this application until close().
  ConnectionPtr connect(const std::string& application, sock::UniqueFd socket);
  /// How deep the call is that the instance works on: its own calls are one deeper.
  static void set_depth(const ConnectionPtr& connection, unsigned depth);
  static void close(const ConnectionPtr& connection);

 private:
  struct Answer {
    std::string text;
    sock::UniqueFd file = {};
  };
  boost::asio::awaitable<void> serve(ConnectionPtr connection);
  boost::asio::awaitable<Answer> answer(ConnectionPtr connection, BusMessage message);
  boost::asio::awaitable<Answer> invoke(ConnectionPtr connection, BusRequest request,
                                        sock::UniqueFd file);
  Answer put(const Connection& connection, const BusRequest& request, sock::UniqueFd file);
  Answer look(const Connection& connection, const BusRequest& request);
  ApplicationData& data_of(const std::string& application);

  boost::asio::io_context& loop_;
  const InstancePool& pool_;
  DataQuota quota_;
  Dispatcher* dispatcher_ = nullptr;
  EventQueue* events_ = nullptr;
  std::map<std::string, ApplicationData> data_ = {};
};

}  // namespace sockd
