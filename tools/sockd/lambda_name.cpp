// boto3 and the AWS CLI escape the colons.

#include "lambda_name.hpp"

#include <charconv>

namespace sockd {
namespace {

// What is no escape stays as it is.
std::string unescaped(std::string_view text) {
  constexpr int hexadecimal = 16;
  std::string plain;
  for (std::size_t at = 0; at < text.size(); ++at) {
    unsigned char byte = 0;
    const char* const digits = text.data() + at + 1;
    const bool is_escape = text[at] == '%' && at + 2 < text.size() &&
                           std::from_chars(digits, digits + 2, byte, hexadecimal).ptr == digits + 2;
    plain += is_escape ? static_cast<char>(byte) : text[at];
    if (is_escape) at += 2;
  }
  return plain;
}

}  // namespace

std::string lambda_name(std::string_view part) {
  std::string name = unescaped(part);
  constexpr std::string_view marker = ":function:";
  if (const auto at = name.rfind(marker); at != std::string::npos)
    name.erase(0, at + marker.size());
  return name.substr(0, name.find(':'));
}

}  // namespace sockd
