// The descriptor does not block: take() reads what has come and no more.

#include "output.hpp"

#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>

namespace sockd {
namespace {

constexpr std::size_t most_kept = 64U << 10U;
constexpr std::size_t most_at_once = 16U << 10U;

}  // namespace

std::shared_ptr<Output> Output::follow(boost::asio::io_context& loop, sock::UniqueFd reader) {
  auto output = std::make_shared<Output>(loop, std::move(reader));
  output->read_on();
  return output;
}

Output::Output(boost::asio::io_context& loop, sock::UniqueFd reader)
    : reader_{loop, reader.release()}, block_(most_at_once, '\0') {
  reader_.non_blocking(true);
}

// Only waited for, not read: what a handler of the loop had read and not kept yet would be missing
// in take(), and be somebody else's.
void Output::read_on() {
  reader_.async_wait(boost::asio::posix::descriptor_base::wait_read,
                     [self = shared_from_this()](boost::system::error_code failed) {
                       if (failed) return;
                       failed = self->read_some();
                       if (!failed || failed == boost::asio::error::would_block) self->read_on();
                     });
}

boost::system::error_code Output::read_some() {
  boost::system::error_code failed;
  const std::size_t size = reader_.read_some(boost::asio::buffer(block_), failed);
  if (!failed) keep(std::string_view{block_}.substr(0, size));
  return failed;
}

Printed Output::take() {
  // At most what a pipe holds: whoever prints for ever is not read for ever.
  constexpr int most_blocks = 8;
  for (int number = 0; number < most_blocks && reader_.is_open(); ++number)
    if (read_some()) break;
  return std::exchange(printed_, {});
}

void Output::stop() {
  boost::system::error_code ignored;
  reader_.close(ignored);
}

void Output::keep(std::string_view text) {
  printed_.text += text;
  if (printed_.text.size() <= most_kept) return;
  const std::size_t extra = printed_.text.size() - most_kept;
  printed_.text.erase(0, extra);
  printed_.dropped += extra;
}

}  // namespace sockd
