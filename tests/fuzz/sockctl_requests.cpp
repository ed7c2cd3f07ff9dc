// The messages between sockctl and its monitors and background Host, at both ends.
// Input: how many descriptors come along, then the message.

#include <nlohmann/json.hpp>

#include "input.hpp"
#include "sockctl/held_zygote.hpp"
#include "sockctl/json_values.hpp"
#include "sockctl/run_options_json.hpp"
#include "sockctl/stdio_message.hpp"

namespace sock::fuzz {
namespace {

using namespace sockctl;

void use_options(const RunOptions& options) {
  const auto again = run_options_of(to_json(options));
  expect(again && to_json(*again) == to_json(options), "options are the same in another process");
  static_cast<void>(to_spec(options, {.directory = "/d"}).has_value());
  static_cast<void>(check_forkable(options).has_value());
}

// Whoever serves a request catches what nlohmann throws, and nothing else.
template <class Use>
void serve(Use&& use) {
  try {
    use();
  } catch (const nlohmann::json::exception&) {
  }
}

void read_request(const nlohmann::json& request, const Message& message) {
  serve([&] { static_cast<void>(stdio_of(request, message).has_value()); });
  serve([&] {
    if (const auto wanted = zygote_request_from_json(request)) use_options(wanted->options);
  });
  serve([&] {
    if (const auto options = run_options_of(request.at("options"))) use_options(*options);
  });
}

// An answer is read without a net: nothing may be thrown.
void read_answer(const nlohmann::json& answer) {
  static_cast<void>(to_json(error_from_json(answer)));
  static_cast<void>(to_json(exit_status_from_json(answer)));
  static_cast<void>(to_json(timings_from_json(answer)));
}

}  // namespace
}  // namespace sock::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  sock::fuzz::Input input{data, size};
  sockctl::Message message{};
  for (std::size_t left = input.choice(5); left > 0; --left) message.fds.emplace_back();
  message.text = input.rest();
  const auto json = sockctl::parse_json(message.text);
  sock::fuzz::read_request(json, message);
  sock::fuzz::read_answer(json);
  if (const auto options = sockctl::run_options_from_json(message.text))
    sock::fuzz::use_options(*options);
  return 0;
}
