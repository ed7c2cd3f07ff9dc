// The descriptor does not block: take() reads what has come and no more.

#include "output.hpp"

#include <utility>

#include <boost/asio/buffer.hpp>

namespace sockd {
namespace {

constexpr std::size_t most_kept = 64U << 10U;
constexpr std::size_t block = 16U << 10U;

}  // namespace

std::shared_ptr<Output> Output::follow(boost::asio::io_context& loop, sock::UniqueFd reader) {
  auto output = std::make_shared<Output>(loop, std::move(reader));
  output->read_on();
  return output;
}

Output::Output(boost::asio::io_context& loop, sock::UniqueFd reader)
    : reader_{loop, reader.release()}, buffer_(block, '\0') {
  reader_.non_blocking(true);
}

void Output::read_on() {
  reader_.async_read_some(
      boost::asio::buffer(buffer_),
      [self = shared_from_this()](boost::system::error_code failed, std::size_t size) {
        if (failed) return;
        self->keep(std::string_view{self->buffer_}.substr(0, size));
        self->read_on();
      });
}

Printed Output::take() {
  std::string buffer(block, '\0');
  // At most what a pipe holds: whoever prints for ever is not read for ever.
  constexpr int most_blocks = 8;
  for (int number = 0; number < most_blocks && reader_.is_open(); ++number) {
    boost::system::error_code failed;
    const std::size_t size = reader_.read_some(boost::asio::buffer(buffer), failed);
    if (failed) break;
    keep(std::string_view{buffer}.substr(0, size));
  }
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
