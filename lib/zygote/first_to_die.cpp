// proc(5), oom_score_adj.

#include "zygote/first_to_die.hpp"

#include "sys/file.hpp"
#include "sys/process_pages.hpp"

namespace sock::zygote {
namespace {

constexpr const char* score = "oom_score_adj";

}  // namespace

FirstToDie::FirstToDie(FdRef pidfd) {
  auto process = sys::open_process(pidfd);
  if (!process.has_value()) return;
  auto before = sys::read_file(*process, score);
  if (!before.has_value() || !sys::write_at(*process, score, "1000").has_value()) return;
  process_ = std::move(*process);
  before_ = std::move(*before);
}

FirstToDie::~FirstToDie() {
  if (process_) static_cast<void>(sys::write_at(process_, score, before_).has_value());
}

}  // namespace sock::zygote
