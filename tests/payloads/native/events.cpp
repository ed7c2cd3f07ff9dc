// A handler for events, in C++. An event is a JSON string that says what to do with it.

#include <cstdlib>
#include <iostream>
#include <stdexcept>
#include <string>

#include "sock/handler.h"

namespace {

std::string answer;
int calls = 0;

void give(sock_text* result, std::string text) {
  answer = std::move(text);
  *result = {answer.data(), answer.size()};
}

int handle(sock_text event, sock_text* result) {
  const std::string what(event.data, event.size);
  ++calls;
  std::cout << "printed\n";
  if (what.find("not JSON") != std::string::npos) return give(result, "{1}"), 0;
  if (what.find("nothing") != std::string::npos) return 0;
  if (what.find("lines") != std::string::npos) return give(result, "[1,\n 2\n]"), 0;
  if (what.find("much") != std::string::npos)
    return give(result, '"' + std::string(std::size_t{7} << 20U, 'x') + '"'), 0;
  if (what.find("fail") != std::string::npos) return give(result, "no \"way\"\n\xff"), 3;
  if (what.find("silent") != std::string::npos) return 4;
  if (what.find("leave") != std::string::npos) std::exit(5);
  if (what.find("throw") != std::string::npos) {
    try {
      throw std::runtime_error{"caught"};
    } catch (const std::exception& error) {
      return give(result, error.what()), 1;
    }
  }
  give(result, "[" + std::to_string(calls) + ", " + what + "]");
  return event.data[event.size] == '\0' ? 0 : 1;
}

}  // namespace

const sock_handler sock_handler_v1 = {.size = sizeof(sock_handler), .handle = handle};
