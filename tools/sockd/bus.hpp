#pragma once

// The local bus of an application (SAND, USENIX ATC'18): its functions call one another, and share
// objects and counters, without leaving the machine. Functions of others are not there for them.

#include <map>
#include <memory>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>

#include "sock/fd.hpp"

#include "bus_message.hpp"
#include "bus_socket.hpp"
#include "lent_memory.hpp"
#include "shared_data.hpp"

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

  /// `most_lent`: bytes of the results that the functions of one application may have at once, of
  /// those that are passed as files.
  Bus(boost::asio::io_context& loop, const InstancePool& pool, SharedData& data,
      std::uint64_t most_lent)
      : loop_{loop}, pool_{pool}, data_{data}, most_lent_{most_lent} {}
  /// Where calls go. Before anything else.
  void attach(Dispatcher& dispatcher, EventQueue& events);

  /// Serves an instance of this application until close().
  ConnectionPtr connect(const std::string& application, sock::UniqueFd socket);
  /// How deep the call is that the instance works on: its own calls are one deeper.
  static void set_depth(const ConnectionPtr& connection, unsigned depth);
  /// Whether it is open and neither side owes the other anything: no request that is worked on, no
  /// message that is not read. What is sent from now on begins anew.
  static bool is_at_rest(const ConnectionPtr& connection);
  static void close(const ConnectionPtr& connection);
  /// Results that nobody has any more do not count, whether anybody makes new ones or not.
  void forget_results();

 private:
  struct Answer {
    std::string text;
    sock::UniqueFd file = {};
  };
  boost::asio::awaitable<void> serve(ConnectionPtr connection);
  boost::asio::awaitable<Answer> answer(ConnectionPtr connection, BusMessage message);
  boost::asio::awaitable<Answer> invoke(ConnectionPtr connection, BusRequest request,
                                        sock::UniqueFd file);
  /// What is too long for a message.
  boost::asio::awaitable<Answer> as_file(std::string application, std::string result);
  boost::asio::awaitable<Answer> put(DataName of, sock::UniqueFd file,
                                     std::chrono::milliseconds time_to_live);
  boost::asio::awaitable<Answer> get(DataName of);
  boost::asio::awaitable<Answer> remove(DataName of);
  boost::asio::awaitable<Answer> add(DataName of, std::int64_t by,
                                     std::chrono::milliseconds time_to_live);

  boost::asio::io_context& loop_;
  const InstancePool& pool_;
  SharedData& data_;
  std::uint64_t most_lent_;
  std::map<std::string, LentMemory> lent_ = {};  ///< By application.
  Dispatcher* dispatcher_ = nullptr;
  EventQueue* events_ = nullptr;
  /// Of long events and results: no start of an instance, which may take long, is in their way.
  boost::asio::thread_pool copiers_{2};
};

}  // namespace sockd
