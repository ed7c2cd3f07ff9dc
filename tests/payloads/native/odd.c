/* Objects whose sock_handler_v1 is not what this version's header says, one for each ODD. */
#include <stdio.h>

#define sock_handler_v1 sock_handler_v1_as_declared
#include "sock/handler.h"
#undef sock_handler_v1

static inline int say(int argc, char** argv) {
  printf("%d %s\n", argc, argv[0]);
  return 0;
}

static inline int answer(sock_text event, sock_text* result) {
  *result = event;
  return 0;
}

/* Of a later version, with a member more. */
struct later {
  sock_handler known;
  void (*more)(void);
};
#define ODD_NEITHER \
  { {.size = sizeof(sock_handler)}, NULL }
#define ODD_BOTH \
  { {.size = sizeof(sock_handler), .main = say, .handle = answer}, NULL }
#define ODD_WITHOUT_SIZE \
  { {.main = say}, NULL }
#define ODD_LATER_ZERO \
  { {.size = sizeof(struct later), .main = say}, NULL }
#define ODD_LATER_SET \
  { {.size = sizeof(struct later), .main = say}, (void (*)(void))say }

extern const struct later sock_handler_v1;
const struct later sock_handler_v1 = ODD;
