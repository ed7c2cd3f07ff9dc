// The reference as a program: serves the protocol of serve.h.
//   usage: reference ROOTFS [PROGRAM]

#include "reference.h"

#include <stdio.h>

int main(int argc, char** argv) {
  if (argc < 2) {
    fprintf(stderr, "usage: reference ROOTFS [PROGRAM]\n");
    return 2;
  }
  struct reference_host host;
  const struct subject subject = {.context = &host,
                                  .open_creator = reference_open_creator,
                                  .live = reference_live,
                                  .stages = reference_stages,
                                  .close_creator = reference_close_creator};
  int failed = reference_open(&host, argv[1], argc > 2 ? argv[2] : "/bin/true");
  if (!failed) failed = serve(&subject);
  reference_close(&host);
  return failed ? 1 : 0;
}
