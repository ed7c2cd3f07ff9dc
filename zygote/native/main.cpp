// sock-zygote CHANNEL: the native zygote, in a domain's root. CHANNEL is the descriptor of a
// sequenced-packet socket to the Host.

#include <cstdlib>

#include <unistd.h>

#include "native/zygote.hpp"
#include "server/environment.hpp"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  sock::zygote::note_first_environment();
  static sock::zygote::Zygote zygote{std::atoi(argv[1])};
  zygote.serve();
  // Without the hooks and destructors of what was loaded: there is nothing to keep.
  ::_exit(0);
}
