/* An object that needs what nobody has. */
#include "sock/handler.h"

int no_such_function(int argc, char** argv);
const sock_handler sock_handler_v1 = {.size = sizeof(sock_handler), .main = no_such_function};
