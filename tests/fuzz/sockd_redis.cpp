// What a Redis answers, or whoever listens in its place. Input: where the bytes are parted, then
// the bytes, which come in pieces and all at once.

#include <vector>

#include "input.hpp"
#include "sockd/redis_answers.hpp"
#include "sockd/redis_protocol.hpp"
#include "sockd/redis_scripts.hpp"

namespace sock::fuzz {
namespace {

using namespace sockd;

constexpr std::size_t most_text = 4096;

void expect_answers(const RedisReply& reply) {
  const std::string name = "name";
  static_cast<void>(put_answer(reply, name));
  static_cast<void>(login_answer(reply));
  static_cast<void>(ping_answer(reply));
  static_cast<void>(remove_answer(reply));
  static_cast<void>(add_answer(reply, name));
  expect(!is_unknown_script(reply) || reply.kind() == RedisReply::Kind::error,
         "only an error says that a script is unknown");
  if (const auto found = find_answer(reply, name))
    expect(found->version.size() == redis_version_size &&
               reply.text().starts_with(found->version + " "),
           "an object has its version");
  if (const auto piece = piece_answer(reply, 3, name))
    expect(piece->size() == 3, "a piece is as long as it was asked for");
}

void expect_same(const RedisReply& one, const RedisReply& other) {
  expect(one.kind() == other.kind() && one.text() == other.text(),
         "in pieces it is the same answer");
  if (one.kind() == RedisReply::Kind::number)
    expect(one.number() == other.number(), "in pieces it is the same number");
}

void read_answer(std::string_view bytes, std::size_t parts) {
  const auto whole = RedisReader{most_text}.take(bytes);
  RedisReader reader{most_text};
  sock::Result<std::optional<RedisReply>> in_pieces = std::optional<RedisReply>{};
  const std::size_t step = bytes.size() / parts + 1;
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    in_pieces = reader.take(bytes.substr(at, step));
    if (!in_pieces || *in_pieces) break;
  }
  if (whole && *whole) {
    expect((*whole)->text().size() <= most_text, "no more is taken than was asked for");
    expect_answers(**whole);
    expect(in_pieces && *in_pieces, "in pieces it is an answer, too");
    expect_same(**whole, **in_pieces);
  } else if (whole) {
    expect(in_pieces && !*in_pieces, "in pieces there is more to come, too");
  }
}

/// The words of a command, as a Redis reads them.
std::vector<std::string> words_in(std::string_view command) {
  std::vector<std::string> words;
  std::size_t at = command.find('\n') + 1;
  while (at < command.size()) {
    const auto end = command.find('\n', at) + 1;
    const auto size = std::stoul(std::string{command.substr(at + 1, end - at)});
    words.emplace_back(command.substr(end, size));
    at = end + size + redis_end.size();
  }
  return words;
}

void send_command(Input input) {
  std::vector<std::string> words{input.text(), input.text(), std::string{input.rest()}};
  const std::vector<std::string_view> views{words.begin(), words.end()};
  expect(words_in(redis_command(views)) == words, "a command holds its words, whatever they are");
}

}  // namespace
}  // namespace sock::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sock::fuzz;
  Input input{data, size};
  const std::size_t parts = 1 + input.choice(64);
  read_answer(input.rest(), parts);
  send_command(input);
  return 0;
}
