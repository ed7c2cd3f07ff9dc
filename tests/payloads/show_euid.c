/* Installed set-user-ID root by the suite: says as whom it runs. */
#include <stdio.h>
#include <unistd.h>

int main(void) {
  printf("%d\n", (int)geteuid());
  return 0;
}
