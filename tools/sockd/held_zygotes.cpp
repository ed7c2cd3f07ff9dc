// A thread that does what sockctl's process in the background would.

#include "held_zygotes.hpp"

#include "zygote_host_loop.hpp"
#include "zygote_place.hpp"

namespace sockd {

using sock::Result;

Result<std::unique_ptr<HeldZygotes>> HeldZygotes::open(sock::Host& host,
                                                       const std::string& directory) {
  auto place = SOCKCTL_TRY(sockctl::open_zygote_dir(directory));
  auto lock = SOCKCTL_TRY(sockctl::claim_zygotes(place));
  if (!lock)
    return sockctl::refuse(sock::Errc::exists, sock::Stage::state, directory + "/zygotes",
                           "another process holds them; sockctl zygote rm ends it");
  auto end = SOCKCTL_TRY(sockctl::make_pipe());
  auto ears = SOCKCTL_TRY(sockctl::listen_for_zygotes(std::move(place), std::move(end.reader)));
  std::unique_ptr<HeldZygotes> held{new HeldZygotes{host, std::move(*lock), std::move(end.writer)}};
  held->thread_ = std::thread{[self = held.get(), own = std::move(ears)]() mutable {
    // What fails there is nothing that anybody could mend; commands find nobody then.
    (void)sockctl::serve_zygotes(self->zygotes_, std::move(own), sockctl::Stay::until_told,
                                 self->last_);
  }};
  return held;
}

HeldZygotes::~HeldZygotes() {
  end_.reset();
  thread_.join();
}

}  // namespace sockd
