// Finding them by what the kernel does: it puts one right after the other.

#include "server/environment.hpp"

#include <algorithm>
#include <cstring>
#include <span>

#include <unistd.h>

namespace sock::zygote {
namespace {

std::span<char> first_environment;

}  // namespace

void note_first_environment() noexcept {
  if (environ == nullptr || environ[0] == nullptr) return;
  char* const begin = environ[0];
  char* end = begin;
  for (char** entry = environ; *entry == end; ++entry) end += std::strlen(end) + 1;
  first_environment = {begin, end};
}

void forget_first_environment() noexcept {
  std::ranges::fill(first_environment, '\0');
  first_environment = {};
}

}  // namespace sock::zygote
